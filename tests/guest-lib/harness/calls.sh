# Sourced by test scripts, after domains.sh: calls of repeated.py to a server that background() started, and what the
# agents say of connections that are used again.
# shellcheck shell=bash disable=SC2154
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317

repeated=tests/guest-lib/harness/repeated.py
uses_again() { ask "$1" statistics 'report["counters"]["uses_again"]'; }
kept_ends() { ask "$1" statistics 'report["kept_ends"]'; }
# Kept ones included.
holds_nothing() { [[ $(ask "$1" statistics '[q["used"] for q in report["quotas"] if q["name"] == "ends"][0]') == 0 ]]; }
keeps_some() { (($(kept_ends "$1") > 0)); }
has_kept() { [[ $(kept_ends "$1") == "$2" ]]; }

serve() { # WAY
    rm -f "$scratch/port"
    background 1 /usr/bin/python3 "$repeated" serve "$1" 127.44.0.1 "$scratch/port"
}
call() { timeout 60 "$in_domain" 2 /usr/bin/python3 "$repeated" call 127.44.0.1 "$scratch/port" "$1"; }
# killed_caller: in the midst of its calls, and nothing of it is left.
killed_caller() {
    "$in_domain" 2 /usr/bin/python3 "$repeated" call 127.44.0.1 "$scratch/port" 1000000 &
    local caller=$!
    sleep "0.$((RANDOM % 9 + 1))"
    kill -KILL "$caller"
    wait "$caller" 2>/dev/null
    until_true 20 holds_nothing 2
}
stop_server() {
    kill -KILL "$background_pid"
    wait "$background_pid" 2>/dev/null
}

# all_right COUNT LEAST_AGAIN: so many calls are answered, and so many of them at least without an agent.
all_right() {
    local before right again
    before=$(uses_again 2)
    right=$(call "$1")
    again=$(($(uses_again 2) - before))
    echo "$right answers, $again used again"
    [[ $right == "$1" ]] && ((again >= $2))
}

# first_half: a caller that waits in the middle, in $caller; it answers through $answers.
first_half() {
    local said
    rm -f "$scratch/go"
    coproc { "$in_domain" 2 /usr/bin/python3 "$repeated" call 127.44.0.1 "$scratch/port" 40 "$scratch/go"; }
    caller=$COPROC_PID
    exec {answers}<&"${COPROC[0]}"
    read -r said <&"$answers"
    [[ $said == half ]] && until_true 10 keeps_some 1
}
# second_half: says how many answers were right in all.
second_half() {
    local said
    touch "$scratch/go"
    read -r said <&"$answers"
    wait "$caller"
    echo "$said right"
    [[ $said == 40 ]]
}
