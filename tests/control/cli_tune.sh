#!/bin/bash
# tune: options, the proof that rings carry the bytes, the choice by a scripted metric, failures, the end.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh
need xylemd libxylem.so tests/programs/transfer

transfer=$build/tests/programs/transfer
port_file=$scratch/port

# Slips of the finger: none may start an agent.
wrong_usage() {
    local name=$1 text=$2
    shift 2
    run "$xylem" tune "$@"
    check "$name" exits_and_complains 2 "$text"
}
wrong_usage "no command" 'no command given'
wrong_usage "a ring size that is no power of two" "--ring-sizes: ring size '3M' is not a power of two; expected .*4K to 64M" --ring-sizes 1M,3M -- true
wrong_usage "a ring size that is too large" "ring size '128M' is too large" --ring-sizes 128M -- true
wrong_usage "a spin that is too long" "--spins: spin time '11ms' is too long" --spins 0,11ms -- true
wrong_usage "nothing to try" 'nothing to try' --spins none --ring-sizes none -- true
wrong_usage "too few repetitions" 'expected a number from 5 to 1000' --repetitions 4 -- true
wrong_usage "a time limit that is no time" "--time-limit is '5m'" --time-limit 5m -- true
wrong_usage "a metric without a direction" 'needs --higher or --lower' --metric '(x)' -- true
wrong_usage "a direction without a metric" 'belong to --metric' --higher -- true
wrong_usage "both directions" 'exclude each other' --metric '(x)' --higher --lower -- true
wrong_usage "a metric without a group" 'has no group' --metric 'x' --lower -- true
wrong_usage "a metric that is no expression" 'no regular expression' --metric '(x' --lower -- true
run "$xylem" tune -- no-such-command-anywhere
check "a command that does not exist exits 127" exits_and_complains 127 'no such command in PATH'
check "none of these started an agent" test ! -e "$scratch/run"

# A server in domain 1, and a client in domain 2 that prints what its setting is worth: the more the larger its ring.
cat >"$scratch/server.py" <<'PYTHON'
import os, socket, sys
listener = socket.socket()
listener.bind(("127.44.0.1", 0))
listener.listen(8)
with open(sys.argv[1] + "~", "w") as file:
    print(listener.getsockname()[1], file=file)
os.rename(sys.argv[1] + "~", sys.argv[1])
while True:
    connection, _ = listener.accept()
    while connection.recv(65536):
        pass
    connection.close()
PYTHON
"$xylem" run --domain 1 -- python3 -S "$scratch/server.py" "$port_file" >/dev/null 2>&1 &
check "a server is there" eventually 60 test -e "$port_file"
cat >"$scratch/client" <<CLIENT
#!/bin/bash
"$transfer" send 127.44.0.1 "$port_file" 300000 || exit
echo "\${XYLEM_RING_SIZE:-1000000} \${XYLEM_SPIN_NS:-50000}" >>"$scratch/settings"
ring=\${XYLEM_RING_SIZE:-1000000} spin=\${XYLEM_SPIN_NS:-50000}
echo "worth: 1"
echo "worth: \$((ring - spin)) points" >&2
CLIENT
chmod +x "$scratch/client"
tune_client() { run "$xylem" tune --domain 2 "$@" -- "$scratch/client"; }
by_worth=(--metric 'worth: ([0-9]+)' --higher)

tune_client "${by_worth[@]}" --ring-sizes 64K,4M,2M --spins 0,20,50
check "the best setting is chosen, with its gain" \
    exits_and_says 0 '^ring=4M spin=0   4\.42 times as high as now \(median 4194304, was 950000\)$'
check "with the line for the hosts map" says '^hosts map:  127\.44\.0\.1 dom:1 ring=4M spin=0$'
check "and the options of run" says '^or per run: xylem run --ring-size 4M --spin 0 -- COMMAND$'
check "the last line that matches counts, of both outputs" says '^ +64K +50us +15536 '
check "each run has a line with what is left" complains '^xylem: run 3 of [0-9]+: ring=4M spin=50us: 4144304; [0-9]+ s left$'
check "the first run proves that bytes went over rings" complains '^xylem: first run, not counted: .* 1 over rings, 300000 bytes$'
check "settings take turns" test "$(head -n 7 "$scratch/settings" | cut -d ' ' -f 1 | paste -sd ' ')" = \
    '1000000 1000000 65536 4194304 1000000 65536 4194304'
check "nothing goes to standard output but the result" test -z "$(grep '^xylem:' <<<"$stdout_text")"

tune_client --metric 'worth: ([0-9]+)' --lower --ring-sizes 64K,4M --spins none
check "the other direction chooses the other end" exits_and_says 0 '^ring=64K spin=50us   lower than now by a factor of 61\.15 '
tune_client --metric '^([0-9]+) [0-9a-f]+ end ring$' --higher --ring-sizes 64K,4M --spins 0
check "where all do as well, what is now is kept" exits_and_says 0 '^ring=2M spin=50us   kept: '
check "and no line is recommended" test -z "$(grep 'hosts map' <<<"$stdout_text")"
tune_client "${by_worth[@]}" --ring-sizes 4M --spins none --json
check "JSON says the same" exits_and_says 0 '"line": "127.44.0.1 dom:1 ring=4M"'
check "JSON is JSON" python3 -S -c 'import json, sys
result = json.load(open(sys.argv[1]))
assert result["best"]["ring_size_bytes"] == 4 << 20 and result["end"] == "complete" and result["spins"] == []' "$scratch/stdout"
tune_client --ring-sizes 64K --spins none
check "wall time is measured if nothing else is said" exits_and_says 0 '^ +64K +50us +[0-9.]+ m?s '

# The line of a hosts map that is there.
printf '10.0.0.1 dom:3\n127.44.0.0/24   dom:1   spin=20us\n' >"$scratch/hosts"
run "$xylem" tune --domain 4 --hosts "$scratch/hosts" "${by_worth[@]}" --ring-sizes 4M --spins none -- "$scratch/client"
check "the line that covers the address keeps its other options" \
    exits_and_says 0 "^hosts map:  127\.44\.0\.0/24 dom:1 ring=4M spin=20us    # in place of $scratch/hosts:2$"

# Nothing to tune.
run "$xylem" tune --domain 2 -- true
check "a command without sockets exits 1" exits_and_complains 1 'nothing of the command went over a ring'
check "and says so" complains 'no program used a TCP socket'
run "$xylem" tune --domain 2 -- python3 -S -c 'import socket
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
socket.create_connection(listener.getsockname()).close()'
check "a command on TCP exits 1" exits_and_complains 1 'nothing of the command went over a ring'
check "with the reason" complains 'not_mapped'
run "$xylem" tune --domain 2 -- sh -c 'echo first; echo "last words" >&2; exit 7'
check "a command that fails ends it with 1" exits_and_complains 1 'the command exited with 7'
check "with its last lines" complains '^  \| last words$'
tune_client --metric 'no such (.)' --lower
check "a metric that is not there exits 1" exits_and_complains 1 "nothing that the command printed matches 'no such"
tune_client --metric '(worth)' --lower
check "a metric that is no number exits 1" exits_and_complains 1 "'worth', which is no number"

# The end before the end.
cat >"$scratch/endless" <<ENDLESS
#!/bin/bash
"$transfer" send 127.44.0.1 "$port_file" 1000
[[ -e $scratch/fourth ]] && { (trap "" TERM; exec sleep 1000) & sleep 1000; }
[[ -e $scratch/third ]] && : >"$scratch/fourth"
[[ -e $scratch/second ]] && : >"$scratch/third"
: >"$scratch/second"
ENDLESS
chmod +x "$scratch/endless"
"$xylem" tune --domain 2 --ring-sizes 64K --spins none -- "$scratch/endless" >"$scratch/stdout" 2>"$scratch/stderr" &
tune=$!
# shellcheck disable=SC2317  # called through eventually()
sleeps() { group=$(pgrep -P "$tune") && (($(pgrep -c -g "$group" sleep) == 2)); }
check "the command goes on, with a process that ignores the signal" eventually 60 sleeps
kill -TERM "$tune"
wait "$tune"
exit_code=$? stdout_text=$(<"$scratch/stdout") stderr_text=$(<"$scratch/stderr")
check "a signal ends the command, and what is known is printed" exits_and_says 143 '^the measurement was interrupted$'
check "which is not enough to choose" says '^too little was measured'
check "the runs that were whole are in it" says '^ +64K '
# shellcheck disable=SC2317  # called through eventually()
is_gone() { [[ -z $(pgrep -r D,R,S,T -g "$group") ]]; }
check "nothing of the command is left" eventually 20 is_gone
begun=$SECONDS
run "$xylem" tune --domain 2 --time-limit 2 --ring-sizes 64K --spins none -- "$scratch/endless"
took=$((SECONDS - begun))
check "a time limit ends a command that goes on" exits_and_says 1 '^the time limit ended the measurement$'
check "not before it is over, and long before the command" test "$took" -ge 2 -a "$took" -lt 500
done_testing
