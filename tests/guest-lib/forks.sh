#!/bin/bash
# A server forks for its connection, closes its own descriptor of it, and the child serves: over TCP that goes well
# whatever becomes of an agent meanwhile. So here: the server's agent is killed at each step of it, and is back at each
# later one, or never.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh

program=$(realpath tests/guest-lib/harness/forking.py)
start_domains --log-level info

says() { grep -qx -- "$2" "$where/$1.log"; }
begin() {
    where=$(mktemp -d "$scratch/forks-XXXXXX")
    background 1 timeout -k 5 60 /usr/bin/python3 "$program" serve 127.44.0.1 "$where" >"$where/server.log" 2>&1
    server=$background_pid
    background 2 timeout -k 5 60 /usr/bin/python3 "$program" call 127.44.0.1 "$where" >"$where/caller.log" 2>&1
    caller=$background_pid
}
is_on_a_ring() { [[ $(live_ends 2) == 1 ]]; }

steps=(accept fork close talk)
declare -A said=([accept]="accepted" [fork]="forked" [close]="closed")

# play LOSS RETURN: the agent dies before the step of that name, and another starts before the later one.
play() {
    local step what="agent lost before $1, back before $2"
    begin
    check "they are connected over a ring ($what)" until_true 20 is_on_a_ring
    for step in "${steps[@]}"; do
        if [[ $step == "$1" ]]; then stop_agent 1 KILL; fi
        if [[ $step == "$2" ]]; then start_agent 1 --log-level info; fi
        touch "$where/$step"
        if [[ $step != talk ]]; then check "${said[$step]} ($what)" until_true 20 says server "${said[$step]}"; fi
    done
    wait "$caller"
    check "all came back, and then the end ($what)" says caller "all end"
    if [[ $2 == never ]]; then start_agent 1 --log-level info; fi
    touch "$where/quit"
    wait "$server"
    check "the server ends well ($what)" test $? == 0
    check "no end is left ($what)" until_true 20 has_no_ends 1
    check "no end is left in the other domain ($what)" until_true 20 has_no_ends 2
}

play none none
for ((lost = 0; lost < ${#steps[@]}; ++lost)); do
    for ((back = lost; back < ${#steps[@]}; ++back)); do play "${steps[lost]}" "${steps[back]}"; done
    play "${steps[lost]}" never
done
finish
