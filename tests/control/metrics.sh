#!/bin/bash
# xylemd --metrics: what a scraper gets, what an ill-behaved one gets, and that nobody else notices.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh
need xylemd libxylem.so
command -v curl >/dev/null || skip_all "curl is not installed"

start() {
    "$build/xylemd" --domain "$1" --metrics "$2" 2>"$scratch/agent-$1.log" &
    agent=$!
    eventually 20 test -S "$XYLEM_RUNTIME_DIR/dom-$1/door/agent.sock" \
        && eventually 20 grep -q -e 'figures' "$scratch/agent-$1.log"
}
# figure NAME: the value of that row, as it is now.
figure() { curl -sS "$url" | awk -v name="$1" '$1 == name { print $2 }'; }
# shellcheck disable=SC2317  # called through eventually()
is_at_least() {
    local value
    value=$(figure "$1")
    [[ -n $value ]] && awk "BEGIN { exit !($value >= $2) }"
}
# client CODE: of the endpoint, in Python.
client() { python3 -S -c "
import socket, sys
peer = socket.create_connection(('127.0.0.1', $port))
peer.settimeout(30)
$1" ; }

check "an agent serves figures at the loopback" start 1 :0
port=$(sed -nE 's,.*http://127\.0\.0\.1:([0-9]+)/metrics$,\1,p' "$scratch/agent-1.log")
url=http://127.0.0.1:$port/metrics

run curl -sSi "$url"
check "GET /metrics is answered in the text format" exits_and_says 0 $'^Content-Type: text/plain; version=0\\.0\\.4; charset=utf-8\r$'
check "with help and type" says '^# HELP xylem_connects_ring_total '
check "of each family" says '^# TYPE xylem_connects_ring_total counter$'
check "and the agent's domain" says '^xylem_agent_info\{domain="1",version='
check "each family is there once" test -z "$(grep '^# TYPE' <<<"$stdout_text" | sort | uniq -d)"
run curl -sSI "$url"
check "HEAD gives the same fields and no more" exits_and_says 0 $'^Content-Length: [0-9]{4,}\r$'
run curl -sS -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/"
check "another path is 404" exits_and_says 0 '^404$'
run curl -sSi -d data "$url"
check "POST is 405" exits_and_says 0 '^HTTP/1\.1 405 '
check "and says what is allowed" says $'^Allow: GET, HEAD\r$'
run client 'peer.sendall(b"\x16\x03\x01\n\n"); print(peer.recv(99).split(b"\r\n")[0])'
check "what is no HTTP is 400" exits_and_says 0 'HTTP/1\.1 400 '

cat >"$scratch/server.py" <<'PYTHON'
import socket
listener = socket.create_server(("127.44.0.1", 7620))
print("ready", flush=True)
while True:
    peer, _ = listener.accept()
    while peer.recv(65536):
        pass
    peer.close()
PYTHON
"$xylem" run --domain 1 -- python3 -S "$scratch/server.py" >"$scratch/ready" 2>"$scratch/server.log" </dev/null &
check "a server starts" eventually 30 test -s "$scratch/ready"
# move BYTES: in a connection of its own, which has ended afterwards.
move() {
    "$xylem" run --domain 2 -- python3 -S -c "
import socket
peer = socket.create_connection(('127.44.0.1', 7620))
peer.sendall(b'x' * $1)
peer.shutdown(socket.SHUT_WR)
peer.recv(1)"
}
received='xylem_connection_rx_bytes_total{peer_domain="2"}'
move 300000
check "bytes of a ring connection are counted by peer" eventually 20 is_at_least "$received" 300000
move 200000
check "they add to those of connections that ended" eventually 20 is_at_least "$received" 500000
check "and are no more than that" test "$(figure "$received")" = 500000
check "connections are counted by transport" is_at_least 'xylem_connections_total{transport="ring",reason="ring"}' 2
check "calls are counted" is_at_least 'xylem_connection_receive_calls_total{peer_domain="2"}' 2
"$xylem" run --domain 1 -- python3 -S -c "
import socket
listener = socket.create_server(('127.44.0.1', 7621))
caller = socket.create_connection(('127.44.0.1', 7621))
called, _ = listener.accept()
for _ in range(3):
    caller.sendall(b'question')
    called.recv(8)
    called.sendall(b'answer')
    caller.recv(6)"
check "replies are a histogram, by peer" eventually 20 is_at_least 'xylem_reply_seconds_count{peer_domain="1"}' 3
check "of time" is_at_least 'xylem_reply_seconds_bucket{peer_domain="1",le="+Inf"}' 3
run "$xylem" stat
check "stat shows it, too" says '^ +1 +[1-9][0-9]* +< [0-9.]+[num]?s +< [0-9.]+[num]?s +< '

# More of the silent ones than the agent has room for.
client 'import time
silent = [socket.create_connection(("127.0.0.1", '"$port"')) for _ in range(20)]
print("there", flush=True)
ends = [one.settimeout(30) or one.recv(1) for one in silent]
print("gone", ends.count(b""), flush=True)' >"$scratch/silent" 2>&1 &
silent=$!
check "clients that send nothing connect" eventually 30 grep -q there "$scratch/silent"
check "others are served meanwhile" eventually 20 is_at_least xylem_agent_uptime_seconds 0
run "$xylem" stat
check "and programs are, too" exits_and_says 0 '^domain 1: '
wait "$silent"
check "the silent ones are hung up on" grep -q '^gone 20$' "$scratch/silent"
# All of them wait when the agent looks.
run python3 -S -c "
import os, signal, socket
def connect(): return socket.create_connection(('127.0.0.1', $port), 30)
os.kill($agent, signal.SIGSTOP)
try:
    scraper = connect()
    scraper.sendall(b'GET /metrics HTTP/1.0\r\n\r\n')
    silent = [connect() for _ in range(15)]
finally:
    os.kill($agent, signal.SIGCONT)
print(scraper.recv(99).split(b'\r\n')[0])"
check "a scraper is answered that comes with more silent ones than there is room" exits_and_says 0 'HTTP/1\.1 200 '

# shellcheck disable=SC2016
run client 'try:
    for _ in range(1024): peer.sendall(b"x" * 1024)
    peer.sendall(b"x")
    while peer.recv(65536): pass
    print("hung up")
except TimeoutError: print("still there")
except OSError: print("hung up")'
check "a client that sends 1 MiB is hung up on" exits_and_says 0 '^hung up$'
run client 'peer.sendall(b"x" * 8192); print(peer.recv(99).split(b"\r\n")[0])'
check "a request without an end is 431" exits_and_says 0 'HTTP/1\.1 431 '
check "the agent serves on" is_at_least "$received" 500000

start 3 "$scratch/figures.sock"
run curl -sS --unix-socket "$scratch/figures.sock" http://xylem/metrics
check "a unix socket does as well" exits_and_says 0 '^xylem_agent_info\{domain="3"'
kill "$agent"
wait "$agent"
check "which goes with the agent" test ! -e "$scratch/figures.sock"
start 4 ":$port"
check "an address that is taken is logged" grep -q 'cannot serve figures there: Address already in use' "$scratch/agent-4.log"
run "$xylem" stat --domain 4
check "and the agent serves its domain all the same" exits_and_says 0 '^domain 4: '
run "$build/xylemd" --domain 5 --metrics localhost:1
check "a name is a usage error" exits_and_complains 2 "^xylemd: --metrics: 'localhost:1' is neither"
"$build/xylemd" --domain 6 2>"$scratch/agent-6.log" &
check "an agent without the option" eventually 20 test -S "$XYLEM_RUNTIME_DIR/dom-6/door/agent.sock"
check "serves no figures" test -z "$(grep figures "$scratch/agent-6.log")"
done_testing
