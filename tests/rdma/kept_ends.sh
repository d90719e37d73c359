#!/bin/bash
# Connections between two nodes that are used again: the far end hears of each call through two bridges. Whatever comes
# between (a far end that leaves, a link that breaks, a bridge that dies) each call is answered, over a ring or TCP.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
export XYLEM_TEST_NODES=yes XYLEM_TEST_RELAYS=yes
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/calls.sh
source tests/guest-lib/harness/calls.sh

# shellcheck disable=SC2034 # start_domains reads it
bridge_options=(--patience 60) # so that a slow machine is not a node that stays away
start_relay 1 2
start_relay 2 1
start_domains --log-level warn

nothing_is_left() {
    check "no end is left ($1)" until_true 20 holds_nothing 1
    check "no end is left at the other node ($1)" until_true 20 holds_nothing 2
}

for way in accept epoll edge threads; do
    serve "$way"
    check "a server that waits by $way is called again and again" all_right 200 100
    check "what a client kept goes with it ($way)" until_true 20 has_kept 1 0
    stop_server
    nothing_is_left "$way"
done
serve forks
check "a server that forks is called again and again" all_right 40 0
stop_server
nothing_is_left forks

serve patient
for ((round = 1; round <= 3; ++round)); do
    check "nothing is left of a caller that is killed in the middle ($round)" killed_caller
done

# More callers than the listener keeps ends for: some ends leave while they are called.
several_right() {
    local caller sum=0 said callers=() files=()
    for caller in {1..6}; do
        files+=("$scratch/said-$caller")
        call 60 >"$scratch/said-$caller" &
        callers+=($!)
    done
    wait "${callers[@]}"
    for said in "${files[@]}"; do sum=$((sum + $(<"$said"))); done
    echo "$sum right"
    [[ $sum == 360 ]]
}
check "many callers at once" several_right
stop_server
nothing_is_left "many callers"

# What breaks ------------------------------------------------------------------------------------------------------

serve patient # a call that crosses a cut is made twice, and the first one reset
for _ in {1..20}; do
    relays USR1
    sleep "0.$((RANDOM % 3))5"
done &
cutter=$!
check "each call is answered while links break" all_right 6000 0
wait "$cutter"
check "and connections serve again once links last" until_true 20 all_right 100 50
stop_server
nothing_is_left "links that break"

for domain in 1 2; do
    for signal in TERM KILL; do
        serve select
        first_half
        stop_bridge "$domain" "$signal"
        check "callers go on without the bridge of node $domain ($signal)" second_half
        start_bridge "$domain"
        check "and over the next one" until_true 20 all_right 100 50
        stop_server
        nothing_is_left "node $domain, $signal"
    done
done
finish
