#!/bin/bash
# xylemd as a process: options, exit codes, lock, readiness, signals, stale sockets, idle exit, hostile places.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh
need xylemd
xylemd=$build/xylemd
dom=$XYLEM_RUNTIME_DIR/dom-4

start() {
    "$xylemd" --domain 4 2>"$scratch/agent.log" &
    agent=$!
    eventually 20 test -S "$dom/door/agent.sock"
}
# Called by name, through eventually.
# shellcheck disable=SC2317
answers() { "$xylem" stat --domain 4 --json >"$scratch/stat" 2>&1; }
stop() {
    kill -"$1" "$agent"
    wait "$agent"
}

run "$xylemd" --help
check "--help lists the options" exits_and_says 0 '--ring-size SIZE'
run "$xylemd" --version
check "--version prints it" exits_and_says 0 '^xylemd [0-9]+\.[0-9]+'
run "$xylemd" --domain x
check "a domain that is none is a usage error" exits_and_complains 2 "'x' is not a number of a domain from 0 to 65535"
run "$xylemd" --config "$scratch/missing"
check "a configuration file that is missing is one, too" exits_and_complains 2 'missing: cannot read'
run "$xylemd" --config "$scratch"
check "one that is a directory is a failure" exits_and_complains 1 'is a directory'
if ((EUID != 0)); then
    install -m 0 /dev/null "$scratch/closed"
    run "$xylemd" --config "$scratch/closed"
    check "so is one that may not be read" exits_and_complains 1 'closed: cannot read.*Permission denied'
fi
run env XYLEM_HOSTS="$scratch/missing" "$xylemd" --domain 4
check "a named hosts file that is missing is a failure" exits_and_complains 1 'missing: No such file'
printf '10.0.0.1 dom:1\n10.0.0.2 dim:2\n' >"$scratch/bad-hosts"
run "$xylemd" --domain 4 --hosts "$scratch/bad-hosts"
check "a bad line names file, line and column" exits_and_complains 1 "$scratch/bad-hosts:2:10: "
check "and leaves no socket behind" test ! -e "$dom/door/agent.sock"

start
check "an agent makes its sockets" test -S "$XYLEM_RUNTIME_DIR/fabric/4.link"
check "its directory is private" test "$(stat -c %a "$dom")" = 700
check "its door lets those through who come there, and shows them nothing" test "$(stat -c %a "$dom/door")" = 711
run "$xylemd" --domain 4
check "a second agent of the domain ends with 3" exits_and_complains 3 'another agent serves domain 4'
check "and leaves the first one's sockets alone" test -S "$dom/door/agent.sock"
stop TERM
check "SIGTERM ends it with 0" test $? = 0
check "and removes its sockets" test ! -e "$dom/door/agent.sock" -a ! -e "$XYLEM_RUNTIME_DIR/fabric/4.link"
start
stop INT
check "SIGINT does the same" test $? = 0
start
stop KILL 2>/dev/null
check "a killed one leaves them" test -S "$dom/door/agent.sock"
start
check "the next one takes the place over" eventually 20 answers
stop TERM

cat >"$scratch/notify.py" <<'PYTHON'
import os, socket, subprocess, sys
path = sys.argv[1]
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    manager.bind(path)
    manager.settimeout(20)
    agent = subprocess.Popen(sys.argv[2:], env={**os.environ, "NOTIFY_SOCKET": path}, stderr=subprocess.DEVNULL)
    ready = manager.recv(4096).decode()
    agent.terminate()
    stopping = manager.recv(4096).decode()
    assert agent.wait() == 0
    print(ready, stopping)
    assert "READY=1" in ready and "STATUS=" in ready and "STOPPING=1" in stopping
PYTHON
run python3 "$scratch/notify.py" "$scratch/notify" "$xylemd" --domain 4
check "the service manager is told READY and STOPPING" exits 0

printf 'domain = 4\nidle-exit = 1\n' >"$scratch/xylemd.conf"
run timeout 20 "$xylemd" --config "$scratch/xylemd.conf"
check "an agent without a program ends by itself" exits_and_complains 0 'no program for 1 s'

mkdir "$scratch/elsewhere"
ln -s "$scratch/elsewhere" "$scratch/linked"
run "$xylemd" --domain 4 --runtime-dir "$scratch/linked"
check "a runtime directory that is a link is refused" exits_and_complains 1 "$scratch/linked: .*not a symbolic link"
mkdir -m 777 "$scratch/shared"
run "$xylemd" --domain 4 --runtime-dir "$scratch/shared"
check "one that all can write to is refused with advice" exits_and_complains 1 'not safe.*XYLEM_RUNTIME_DIR'
mkdir -m 1777 "$scratch/fabric"
"$xylemd" --domain 4 --fabric-dir "$scratch/fabric" 2>/dev/null &
agent=$!
check "a fabric with the sticky bit may be shared" eventually 20 test -S "$scratch/fabric/4.link"
stop TERM

if [[ $(id -u) == 0 ]] && id nobody >/dev/null 2>&1; then
    install -d -o nobody "$scratch/nobody"
    chmod 755 "$scratch"
    cp "$xylemd" "$xylem" "$scratch/nobody"
    as_nobody=(setpriv --reuid nobody --clear-groups env XYLEM_RUNTIME_DIR="$scratch/nobody/run")
    "${as_nobody[@]}" "$scratch/nobody/xylemd" --domain 4 2>"$scratch/agent.log" &
    agent=$!
    check "an ordinary user's agent works" eventually 20 test -S "$scratch/nobody/run/dom-4/door/agent.sock"
    run "${as_nobody[@]}" "$scratch/nobody/xylem" stat --domain 4
    check "and answers that user" exits_and_says 0 'domain 4'
    stop TERM
else
    echo "# not root: another user's agent is not tried"
fi

done_testing
