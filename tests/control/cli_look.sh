#!/bin/bash
# ls, stat, explain, hosts show and policy show against two real agents and a connection between them.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh
need xylemd libxylem.so

printf '127.44.0.1 dom:1\n127.44.0.2 dom:2\n' >"$scratch/hosts"
printf 'deny from any to port 1\nallow from any to port any\n' >"$scratch/policy"
export XYLEM_HOSTS=$scratch/hosts

cat >"$scratch/server.py" <<'PYTHON'
import socket, sys
listener = socket.create_server(("127.44.0.1", 0))
private = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], private.getsockname()[1], flush=True)
peer, _ = listener.accept()
peer.recv(1000, socket.MSG_WAITALL)
peer.sendall(b"x" * 24)
sys.stdin.read()
PYTHON
cat >"$scratch/client.py" <<'PYTHON'
import socket, sys
peer = socket.create_connection(("127.44.0.1", int(sys.argv[1])))
peer.sendall(b"x" * 1000)
peer.recv(24, socket.MSG_WAITALL)
other = socket.create_server(("127.0.0.3", 0))
plain = socket.create_connection(other.getsockname())
print("connected", flush=True)
sys.stdin.read()
PYTHON

mkfifo "$scratch/hold"
sleep 600 >"$scratch/hold" &
"$xylem" run --domain 1 --policy "$scratch/policy" -- python3 -S "$scratch/server.py" \
    >"$scratch/port" 2>"$scratch/server.log" <"$scratch/hold" &
check "a server starts in domain 1" eventually 30 test -s "$scratch/port"
read -r port private_port <"$scratch/port"
"$xylem" run --domain 2 -- python3 -S "$scratch/client.py" "$port" \
    >"$scratch/client" 2>"$scratch/client.log" <"$scratch/hold" &
check "a client of domain 2 talks to it" eventually 30 test -s "$scratch/client"

run "$xylem" ls --all
check "ls --all prints both ends" exits_and_says 0 "^ +1 +ESTAB +ring +127\.44\.0\.1:$port +127\.44\.0\.2:[0-9]+ +24 +1000 +0% +0% +python3"
check "with bytes sent and received" says "^ +2 +ESTAB +ring +127\.44\.0\.2:[0-9]+ +127\.44\.0\.1:$port +1000 +24 +0% +0% +python3"
check "and the listener" says "^ +1 +LISTEN +ring\+tcp +127\.44\.0\.1:$port +- "
check "columns are aligned" python3 - "$scratch/stdout" <<'PYTHON'
import sys
lines = open(sys.argv[1]).read().splitlines()
column = lines[0].index("VIA")
assert all(line[column - 2:column] == "  " and line[column] != " " for line in lines), lines
PYTHON
run "$xylem" ls --domain 2
check "ls of one domain leaves the other out" test -z "$(grep -E '^ +1 ' <<<"$stdout_text")"
check "a socket on TCP says why" says 'ESTAB +tcp .*127\.0\.0\.3:.*no line of the hosts map covers the address'
run "$xylem" ls --all --json
check "ls --json has the ring of each end" python3 - "$scratch/stdout" <<'PYTHON'
import json, sys
domains = json.load(open(sys.argv[1]))["domains"]
assert [report["domain"] for report in domains] == [1, 2]
rings = [s for report in domains for s in report["sockets"] if s["transport"] == "ring" and s["kind"] == "connection"]
assert len(rings) == 2 and sorted(s["tx_bytes"] for s in rings) == [24, 1000], rings
PYTHON
timeout 2.5 "$xylem" ls --all --json --watch >"$scratch/stdout"
exit_code=$? stdout_text=$(<"$scratch/stdout")
check "ls --watch --json prints one object a line" python3 - "$scratch/stdout" <<'PYTHON'
import json, sys
lines = open(sys.argv[1]).read().splitlines()
assert len(lines) >= 2 and all("domains" in json.loads(line) for line in lines)
PYTHON

run "$xylem" stat --domain 2
check "stat prints counters" exits_and_says 0 '^connects_ring +1$'
check "and quotas" says '^ends +1 +[0-9]+ +1% +ends of connections$'
check "and links" says '^ +1 +out +ready '
check "zeros only with -v" test -z "$(grep malformed_messages <<<"$stdout_text")"
run "$xylem" stat -v
check "stat -v prints zeros too" says '^malformed_messages +0$'
run "$xylem" stat --all --json
check "stat --json has both domains" python3 -c "
import json
domains = json.load(open('$scratch/stdout'))['domains']
assert [d['domain'] for d in domains] == [1, 2] and domains[1]['counters']['connects_ring'] == 1"

run "$xylem" explain --domain 2 "127.44.0.1:$port"
check "explain of the server: a ring" exits_and_says 0 'transport +ring: '
check "explain names the line" says "hosts map +$scratch/hosts:1: 127\.44\.0\.1 dom:1$"
run "$xylem" explain --domain 2 127.44.0.1:2
check "explain of a port where nobody listens" says 'listener +none on that port'
check "it says what to do" says 'to do +start the server'
run "$xylem" explain --domain 2 "127.44.0.1:$private_port"
check "explain of a private listener's port is TCP" says 'transport +tcp: '
run "$xylem" explain --domain 2 127.44.0.9
check "explain of an unmapped address" says 'no line of .* covers the address'
run "$xylem" explain --domain 2 --json "127.44.0.1:$port"
check "explain --json has transport and reason" says '"transport": "ring"'
run "$xylem" hosts show --domain 2
check "hosts show asks the agent" exits_and_says 0 "^127\.44\.0\.2 +dom:2 +$scratch/hosts:2$"
run "$xylem" policy show --domain 1
check "policy show lists the rules and the default" exits_and_says 0 "^deny from any to port 1 +$scratch/policy:1$"
printf 'deny from dom:2 to port %s\n' "$port" >"$scratch/policy"
# shellcheck disable=SC2317  # called through eventually()
is_denied() {
    run "$xylem" explain --domain 2 "127.44.0.1:$port"
    says 'policy +denies it'
}
check "explain of a port that the policy denies" eventually 20 is_denied
check "it points to the peer's policy" says "to do +change the peer's policy"

printf '127.44.0.1 dom:x\n' >"$scratch/hosts"
# shellcheck disable=SC2317  # called through eventually()
shows_mistake() {
    run "$xylem" hosts show --domain 2
    complains 'hosts:1:16: '
}
check "a map that went bad is told, with the old one in force" eventually 20 shows_mistake
check "the old one is shown" says '^127\.44\.0\.2 +dom:2 '
done_testing
