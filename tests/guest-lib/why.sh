#!/bin/bash
# What `xylem run --why` says of connections, measured by what the programs themselves count; and how it ends.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/watched_runs.sh
source tests/guest-lib/harness/watched_runs.sh
start_domains --log-level info

# Rings -----------------------------------------------------------------------------------------------------------

listen 1 127.44.0.1
why 2 "$transfer" send 127.44.0.1 "$port_file" 3000000
check "a sender over a ring succeeds" exits 0
check "its receiver got all of it over the ring" until_true 20 received 3000000 ring
check "the sums are one connection with its bytes" sums_say '^xylem: over rings: 1 connection \(1 made, 0 accepted\): 3000000 bytes \(2\.9M\) sent, 0 bytes received$'
check "and nothing on TCP" sums_say '^xylem: on TCP: no connection$'
check "and nothing else" test "$(wc -l <<<"$sums")" = 2

# A server that forks a child a connection. Each child echoes, counts its bytes itself, and ends by itself or is killed.
cat >"$scratch/forking_server.py" <<'SCRIPT'
import os, signal, socket, sys
listener = socket.create_server((sys.argv[1], 0), backlog=64)
with open(sys.argv[2] + "~", "w") as file:
    print(listener.getsockname()[1], file=file)
os.rename(sys.argv[2] + "~", sys.argv[2])
for number in range(int(sys.argv[3])):
    caller, _ = listener.accept()
    if os.fork() == 0:
        listener.close()
        got = 0
        while data := caller.recv(65536):
            got += len(data)
            caller.sendall(data)
        print(got, flush=True)
        if number % 2 == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    caller.close()
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
SCRIPT
cat >"$scratch/callers.py" <<'SCRIPT'
import random, socket, sys
for number in range(int(sys.argv[3])):
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as peer:
        size = 1000 + number * 777
        peer.sendall(bytes(size))
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(65536): pass
SCRIPT
port_file=$scratch/port$((++serial))
begin_why 1 /usr/bin/python3 -S "$scratch/forking_server.py" 127.44.0.1 "$port_file" 6
check "a forking server is up" until_true 20 test -s "$port_file"
check "six callers" "$harness/in_domain.sh" 2 /usr/bin/python3 -S "$scratch/callers.py" 127.44.0.1 "$(cat "$port_file")" 6
end_why
bytes=$(($(paste -sd+ <<<"$out")))
check "the server's children count all bytes" test "$bytes" = $((6 * 1000 + 15 * 777))
check "the sums of a forking server are its children's, killed ones too" \
    sums_say "^xylem: over rings: 6 connections \(0 made, 6 accepted\): $bytes bytes \(.*\) sent, $bytes bytes \(.*\) received$"

# TCP -------------------------------------------------------------------------------------------------------------

listen 1 127.0.0.1
why 2 "$transfer" send 127.0.0.1 "$port_file" 100000
check "the receiver at an address that is not mapped got it over TCP" until_true 20 received 100000 tcp
check "an unmapped address is counted with its peer and what to do" \
    sums_say "^xylem: +1  127\.0\.0\.1:$(cat "$port_file")  not_mapped: .*; add a line for the address to the hosts map"
check "and rings are not" sums_say '^xylem: over rings: no connection$'

listen tcp 127.44.0.1
why 2 "$transfer" send 127.44.0.1 "$port_file" 100000
check "a server without the library is reached over TCP" until_true 20 received 100000 tcp
check "and no_listener is the reason" sums_say "^xylem: +1  127\.44\.0\.1:$(cat "$port_file")  no_listener: .*; start the server with"
remedy=$("$XYLEM_BUILD/xylem" explain --domain 2 "127.44.0.1:1" | sed -nE 's/^ +to do +//p')
check "what to do is what xylem explain says" grep -qF "; $remedy" <<<"$sums"

port_file=$scratch/port$((++serial))
begin_why 1 "$transfer" receive 127.44.0.1 "$port_file"
check "a receiver is up" until_true 20 test -s "$port_file"
check "a sender without the library" "$transfer" send 127.44.0.1 "$port_file" 100000
end_why
check "a connection that came over TCP is counted with who made it" sums_say '^xylem: +1  127\.0\.0\.1  accepted_over_tcp: the peer connected over TCP; start the client'
why 2 "$transfer" send 127.44.0.1 "$port_file" 1000
check "a connect that is refused is no connection" sums_say '^xylem: on TCP: no connection$'

# A listener that was made before there was an agent is not offered, and says so to the one that comes.
cat >"$scratch/early.py" <<'SCRIPT'
import os, socket, sys, time
server = socket.create_server(("127.0.0.1", 0))
open(sys.argv[1], "w").close()
while not os.path.exists(sys.argv[2]): time.sleep(0.02)
time.sleep(1.1)  # the library asks for an agent once a second
caller = socket.create_connection(server.getsockname())
accepted, _ = server.accept()
open(sys.argv[3], "w").close()
caller.recv(1)
SCRIPT
background 4 /usr/bin/python3 -S "$scratch/early.py" "$scratch/early" "$scratch/agent" "$scratch/connected"
check "a program listens before its agent is there" until_true 20 test -e "$scratch/early"
start_agent 4
: >"$scratch/agent"
check "it connects when it is" until_true 20 test -e "$scratch/connected"
reasons_of() { ask 4 sockets 'sorted((s["kind"], s["reason"]) for s in report["sockets"])'; }
check "listener and accepted connection have the reason, the other connection its own" \
    test "$(reasons_of)" = "[('connection', 'no_agent'), ('connection', 'not_mapped'), ('listener', 'no_agent')]"

cat >"$scratch/many.py" <<'SCRIPT'
import socket
servers = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(80)]
for number, server in enumerate(servers):
    for _ in range(50 if number == 7 else 2):
        with socket.create_connection(server.getsockname()): pass
print(servers[7].getsockname()[1])
SCRIPT
why 2 /usr/bin/python3 -S "$scratch/many.py"
check "many connections are summed" sums_say '^xylem: on TCP: 208 connections$'
check "the biggest comes first" test -n "$(sed -n 3p <<<"$sums" | grep -E " 50  127\.0\.0\.1:$out  not_mapped")"
check "and what is left is one line" sums_say '^xylem: +[0-9]+  and [0-9]+ more$'
check "the list is short" test "$(wc -l <<<"$sums")" -le 14

# The command's end -----------------------------------------------------------------------------------------------

why 2 sh -c 'exit 42'
check "the exit code is the command's" exits 42
why 2 sh -c 'kill -TERM $$'
check "so is its signal" exits 143
why 2 "$scratch/no-such-program"
check "a command that is not there is no run" exits 127
begin_why 2 sh -c "trap 'echo got it; exit 3' TERM; : >$scratch/ready; while :; do sleep 0.05; done"
check "a command waits for a signal" until_true 20 test -e "$scratch/ready"
kill -TERM "$(child_of "$begun")"
end_why
check "a signal to xylem is the command's" test "$out" = "got it"
check "which decides what follows" exits 3

port_file=$scratch/port$((++serial))
begin_why 1 sh -c "$transfer receive 127.44.0.1 $port_file >/dev/null & until test -s $port_file; do sleep 0.05; done"
check "a command leaves a program behind" until_true 20 test -s "$port_file"
check "xylem says that it goes on" until_true 20 grep -q '^xylem: the command has ended, 1 program of its run goes on' "$scratch/begun-sums"
check "a sender" "$in_domain" 2 "$transfer" send 127.44.0.1 "$port_file" 100000
end_why
check "and waits for it" sums_say '^xylem: over rings: 1 connection \(0 made, 1 accepted\): 0 bytes sent, 100000 bytes \(97\.7K\) received$'

port_file=$scratch/port$((++serial))
begin_why 1 sh -c "$transfer receive 127.44.0.1 $port_file >/dev/null & until test -s $port_file; do sleep 0.05; done"
check "xylem waits for a program that is left behind" until_true 20 grep -q 'goes on' "$scratch/begun-sums"
kill -INT "$(child_of "$begun")"
end_why
check "an interrupt ends the wait" sums_say '^xylem: over rings: no connection$'
check "not the command's exit code" exits 0
"$transfer" send 127.44.0.1 "$port_file" 1000 >/dev/null

begin_why 3 sh -c "until test -e $scratch/go-on; do sleep 0.05; done; exit 5"
check "an agent is started for a run" until_true 20 test -S "$XYLEM_RUNTIME_DIR/dom-3/door/agent.sock"
kill -KILL "$(ask 3 health 'report["pid"]')"
: >"$scratch/go-on"
end_why
check "an agent that dies takes the sums with it, and that is said" sums_say 'nobody knows which transports'
check "the command's exit code stays" exits 5

# Without --why ---------------------------------------------------------------------------------------------------

listen 1 127.44.0.1
"$XYLEM_BUILD/xylem" run --domain 2 -- "$transfer" send 127.44.0.1 "$port_file" 1000 >/dev/null 2>"$scratch/silent"
check "without --why xylem run is silent" test ! -s "$scratch/silent"
finish
