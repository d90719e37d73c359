#!/bin/bash
# stat --live against two real agents: blocks, objects, a screen on a terminal, and wrong usage.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh
need xylemd libxylem.so

run "$xylem" stat --count 1
check "--count is for --live" exits_and_complains 2 '^xylem: --count is for --live'
run "$xylem" stat 5
check "and so is a number" exits_and_complains 2 "^xylem: stat: '5' is one word too many"
run "$xylem" stat --live 0
check "an interval of nothing is none" exits_and_complains 2 "SECONDS is '0'; expected a number from 1 to "
run "$xylem" stat --live --count x
check "a count is a number" exits_and_complains 2 "^xylem: --count is 'x'"
run "$xylem" stat --live --sort colour
check "a wrong key comes with the right ones" exits_and_complains 2 "--sort is 'colour'; expected one of: bytes calls "
run "$xylem" stat --live --domain 9
check "without an agent the exit code is 3" exits 3

cat >"$scratch/server.py" <<'PYTHON'
import socket
listener = socket.create_server(("127.44.0.1", 7000))
print("ready", flush=True)
while True:
    peer, _ = listener.accept()
    while peer.recv(65536):
        pass
PYTHON
cat >"$scratch/client.py" <<'PYTHON'
import socket, time
peer = socket.create_connection(("127.44.0.1", 7000))
while True:
    peer.sendall(b"x" * 1000)
    print("sent", flush=True)
    time.sleep(0.01)
PYTHON
"$xylem" run --domain 1 -- python3 -S "$scratch/server.py" >"$scratch/ready" 2>"$scratch/server.log" </dev/null &
check "a server starts" eventually 30 test -s "$scratch/ready"
"$xylem" run --domain 2 -- python3 -S "$scratch/client.py" >"$scratch/sent" 2>"$scratch/client.log" </dev/null &
client=$!
check "a client sends to it" eventually 30 test -s "$scratch/sent"

run "$xylem" stat --domain 2 --live --count 2
check "--count 2 prints two blocks" exits_and_says 0 '^1 connections, 0 began, 0 ended in [0-9.]+ s; sorted by bytes$'
check "and no more" test "$(grep -c '^DOM ' <<<"$stdout_text")" = 2
check "with the totals" says '^ +all rings +[1-9][0-9.]*[KM]? +0 '
check "and each connection, with its rates" says "^ +2 +127\.44\.0\.2:[0-9]+ +127\.44\.0\.1:7000 +ring +[1-9][0-9.]*[KM]? +0 +[1-9][0-9.]* .* python3\[[0-9]+\]$"
check "without colours or control sequences" test -z "$(grep $'\033' <<<"$stdout_text")"
run "$xylem" stat --all --live 2 --count 1 --json --sort calls
check "--json prints an object a line" python3 - "$scratch/stdout" <<'PYTHON'
import json, sys
(line,) = open(sys.argv[1]).read().splitlines()
view = json.loads(line)
assert view["seconds"] > 1.5, view
out = [c for c in view["connections"] if c["domain"] == 2 and c["transport"] == "ring"]
assert len(out) == 1 and out[0]["tx_bytes_per_second"] > 0 and out[0]["calls_per_second"] > 0, view
assert view["totals"]["tx_bytes_per_second"] > 0 and view["totals"]["rx_bytes_per_second"] > 0, view
PYTHON
# The server has one connection at a time.
kill "$client"
"$xylem" stat --domain 2 --live --json >"$scratch/views" 2>&1 &
views=$!
"$xylem" run --domain 2 -- python3 -S -c "
import socket
peer = socket.create_connection(('127.44.0.1', 7000))
peer.sendall(b'x' * 3000000)"
cat >"$scratch/moved.py" <<'PYTHON'
import json, sys
views = [json.loads(line) for line in open(sys.argv[1]) if line.endswith("\n")]
moved = sum(view["totals"]["tx_bytes_per_second"] * view["seconds"] for view in views)
assert moved > 2900000 and views[-1]["connections"] == []
PYTHON
# shellcheck disable=SC2317  # called through eventually()
has_moved() { python3 "$scratch/moved.py" "$scratch/views" 2>/dev/null; }
check "a connection that comes and goes between two looks is in the totals" eventually 30 has_moved
kill "$views"

# What comes and goes between looks.
cat >"$scratch/hold.py" <<'PYTHON'
import socket, time
peer = socket.create_connection(("127.44.0.1", 7000))
time.sleep(1000)
PYTHON
# watch ARGUMENT...: a view that goes on, with a first line.
watch() {
    rm -f "$scratch/views"
    "$xylem" stat --live --json "$@" >"$scratch/views" 2>&1 &
    views=$!
    eventually 30 test -s "$scratch/views"
}
# shellcheck disable=SC2317  # called through eventually()
has_more() { (($(wc -l <"$scratch/views") > lines + 1)); }
watch --all
"$xylem" run --domain 5 -- python3 -S "$scratch/hold.py" </dev/null >/dev/null 2>&1 &
check "with --all, a domain that appears later is shown" eventually 30 grep -q '"domain":5,' "$scratch/views"
kill "$views"
"$build/xylemd" --domain 6 2>"$scratch/agent-6.log" &
agent=$!
eventually 20 test -S "$XYLEM_RUNTIME_DIR/dom-6/door/agent.sock"
watch --domain 6
kill "$agent"
wait "$agent"
lines=$(wc -l <"$scratch/views")
check "a view goes on without its agent" eventually 30 has_more
"$xylem" run --domain 6 -- python3 -S "$scratch/hold.py" </dev/null >/dev/null 2>&1 &
check "and shows what the next agent has" eventually 30 grep -q '"domain":6,' "$scratch/views"
kill "$views"

cat >"$scratch/screen.py" <<'PYTHON'
# Runs the command on a terminal of 60 columns and 12 lines; presses s, resizes it, stops it once, and ends it as told.
# As under a shell, this process leads the session and could continue the command; `alone` has nobody who could.
import fcntl, os, signal, struct, sys, termios, time
how = sys.argv[1]
terminal, inside = os.openpty()
if how != "alone":
    os.setsid()
    fcntl.ioctl(inside, termios.TIOCSCTTY, 0)
pid = os.fork()
if pid == 0:
    if how == "alone": os.login_tty(inside)
    else:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.tcsetpgrp(inside, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        for fd in range(3): os.dup2(inside, fd)
    os.environ["TERM"] = "xterm"
    os.execv(sys.argv[2], sys.argv[2:])
def resize(columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 12, columns, 0, 0))
seen = b""
def read_until(text):
    global seen
    deadline = time.monotonic() + 30
    while text not in seen:
        assert time.monotonic() < deadline, (text, seen)
        seen += os.read(terminal, 65536)
resize(60)
read_until(b"sorted by bytes")
assert seen.startswith(b"\033[?1049h"), seen
assert not termios.tcgetattr(terminal)[3] & (termios.ECHO | termios.ICANON)
os.write(terminal, b"s")
resize(100)
read_until(b"sorted by calls; s: next, q: quit")
usual = termios.ECHO | termios.ICANON
def is_usual(): return termios.tcgetattr(terminal)[3] & usual == usual
if how == "key":
    os.write(terminal, b"\x1a")
    _, status = os.waitpid(pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status) and is_usual(), status
    seen = b""
    os.kill(pid, signal.SIGCONT)
    read_until(b"\033[?1049h")
    read_until(b"sorted by calls")
    seen = b""
    os.write(terminal, b"q")
elif how == "alone":
    seen = b""
    os.write(terminal, b"\x1a")
    read_until(b"\033[?1049h")
    read_until(b"sorted by calls")
    seen = b""
    os.write(terminal, b"q")
elif how == "interrupt": os.write(terminal, b"\x03")
else: os.kill(pid, signal.SIGTERM)
read_until(b"\033[?25h\033[?1049l")
_, status = os.waitpid(pid, 0)
assert is_usual(), "the terminal is not as it was"
expected = {"key": 0, "alone": 0, "interrupt": -signal.SIGINT, "signal": -signal.SIGTERM}[how]
assert os.waitstatus_to_exitcode(status) == expected, status
PYTHON
for how in key alone interrupt signal; do
    run timeout 90 python3 "$scratch/screen.py" "$how" "$xylem" stat --domain 1 --live
    check "a terminal becomes a screen, and is as it was after the end by $how" exits 0
done
done_testing
