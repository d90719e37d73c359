#!/bin/bash
# A listener that several processes have: connections are used again by those of them that wait for the listener and for
# connections at once, and a caller that one of them keeps waiting is another's when that one goes.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/calls.sh
source tests/guest-lib/harness/calls.sh

serve() { # WAY
    rm -f "$scratch/port"
    background 1 /usr/bin/python3 tests/guest-lib/harness/workers.py serve "$1" 127.44.0.1 "$scratch/port"
    until_true 20 test -e "$scratch/port"
    read -r first second < <(tail -n 1 "$scratch/port")
    workers+=("$first" "$second")
}
workers=()
end_workers() { kill -CONT "${workers[@]}" 2>/dev/null; }
trap 'end_workers; stop_everything' EXIT

is_stopped() { [[ $(cut -d' ' -f3 "/proc/$1/stat") == T ]]; }
stop_process() { kill -STOP "$1" && until_true 10 is_stopped "$1"; }
queued_callers() { counter 1 callers_queued; }
more_than() { (($("${@:2}") > $1)); }

# left_by_first SIGNAL: a caller calls the first worker again, which is stopped; the SIGNAL makes it let go, and the
# second answers.
left_by_first() {
    local queued again
    stop_process "$second" && first_half && stop_process "$first" || return 1
    kill -CONT "$second"
    queued=$(queued_callers) again=$(uses_again 2)
    touch "$scratch/go"
    until_true 20 more_than "$again" uses_again 2 || return 1
    kill -s "$1" "$first"
    kill -CONT "$first"
    second_half || return 1
    echo "$(($(queued_callers) - queued)) queued"
    (($(queued_callers) > queued))
}

# several_clients COUNT LEAST_AGAIN: four of them, so many calls each.
several_clients() {
    local before again client clients=()
    before=$(uses_again 2)
    for client in 1 2 3 4; do
        call "$1" >"$scratch/right-$client" &
        clients+=($!)
    done
    wait "${clients[@]}"
    again=$(($(uses_again 2) - before))
    echo "$(cat "$scratch"/right-?) answers, $again used again"
    [[ $(sort -u "$scratch"/right-?) == "$1" ]] && ((again >= $2))
}

start_domains --log-level warn

for way in epoll poll; do
    serve "$way"
    check "workers that wait for connections and for more of them at once ($way) are called again" all_right 200 100
    check "by several clients at once, too ($way)" several_clients 50 100
    stop_server
    check "no end is left ($way)" until_true 10 holds_nothing 1
    check "no end is left in the other domain ($way)" until_true 10 holds_nothing 2
done

serve one_by_one
check "workers that end with one connection before the next keep none" all_right 40 0
check "whoever they serve" has_kept 1 0
stop_server

for signal in KILL TERM; do
    for way in epoll poll; do
        serve "$way"
        check "who calls a worker that goes (by $signal) is another's ($way)" left_by_first "$signal"
        stop_server
        check "no end is left (by $signal, $way)" until_true 10 holds_nothing 1
        check "no end is left in the other domain (by $signal, $way)" until_true 10 holds_nothing 2
    done
done
finish
