#!/bin/bash
# The link between two nodes breaks and comes back, or a bridge dies and is started again: connections go on from the byte
# where they were, and only a node that stays away for longer than its patience is lost. Relays between the nodes cut what
# is under way.
# shellcheck disable=SC2317,SC2154
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
export XYLEM_TEST_NODES=yes XYLEM_TEST_RELAYS=yes
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/transfers.sh
source tests/guest-lib/harness/transfers.sh

cuts=${FLAP_CUTS:-15}
bytes=${FLAP_BYTES:-150000000}
bridge_options=(--patience 60) # so that a slow machine is not a node that stays away
start_relay 1 2
start_relay 2 1
start_domains --log-level info

# times_said NODE TEXT
times_said() { grep -c "$2" "$scratch/bridge-$1.log"; }
# begin_several BYTES|FILE [-p MILLISECONDS]: transfers both ways, in $several.
begin_several() {
    several=()
    for _ in 1 2 3; do
        begin_transfer 1 2 127.44.0.1 "$@"
        several+=("$where $sender $receiver")
        begin_transfer 2 1 127.44.0.2 "$@"
        several+=("$where $sender $receiver")
    done
    check "bytes flow" until_true 20 bytes_moved 2 3000000
    check "and back" until_true 20 bytes_moved 1 3000000
}
# check_several NAME COMMAND...: of each.
check_several() {
    local transfer
    for transfer in "${several[@]}"; do
        read -r where sender receiver <<<"$transfer"
        end_transfer
        check "$@"
    done
}
was_reset() {
    cat "$where/send" "$where/receive"
    ((sender_code != 0 && receiver_code != 0)) && grep -q RESET "$where/send" && grep -q RESET "$where/receive"
}

back() { begin_transfer 1 2 127.44.0.1 1000 && end_transfer && went_well ring; }

# Short ------------------------------------------------------------------------------------------------------------

begin_several "$bytes"
for ((cut = 0; cut < cuts; cut++)); do
    relays USR1
    sleep 0.2
done
check_several "six transfers over a link that breaks $cuts times: every byte once" went_well ring
note "links made anew: $(times_said 1 'go on') by node 1, $(times_said 2 'go on') by node 2"
resumed() { (($(times_said 1 'go on') >= 3 && $(times_said 2 'go on') >= 3)); }
check "the links did break amid them" resumed
check "no connection was given up" test "$(times_said 1 'cannot go on')" = 0

# Ends that meet a cut: whoever closes while there is no link.
begin_several 8000000 -p 10
relays USR2
sleep 1.5
relays USR1
check_several "ends while the link is away for a while" went_well ring

begin_several "$scratch/stop"
kill -s STOP "${relay_pid[@]}"
sleep 2
kill -s CONT "${relay_pid[@]}"
touch "$scratch/stop"
check_several "a link that is silent for a while" went_well ring

# Bridges that die -------------------------------------------------------------------------------------------------

rm "$scratch/stop"
begin_several "$scratch/stop"
deaths=0
for _ in 1 2 3; do
    for domain in 1 2; do
        stop_bridge "$domain" KILL
        start_bridge "$domain"
        deaths=$((deaths + 1))
        sleep 0.5
    done
done
stop_bridge 1
stop_bridge 2 KILL
sleep 1
start_bridge 2
start_bridge 1
moved=$(ring_bytes 2)
check "bytes flow again" until_true 20 bytes_moved 2 $((moved + 3000000))
touch "$scratch/stop"
check_several "six transfers over bridges that are killed and started again $deaths times, and once both" went_well ring
check "a bridge that begins finds what the last one left" test "$(times_said 1 'left by another bridge')" -ge 6

# A bridge that begins anew counts its connections anew, and the far one knows some of them by those numbers.
rm "$scratch/stop"
stop_bridge 2
start_bridge 2
begin_transfer 1 2 127.44.0.1 "$scratch/first"
first="$where $sender $receiver"
begin_several "$scratch/stop"
touch "$scratch/first"
read -r where sender receiver <<<"$first"
end_transfer
check "the first of some connections ends" went_well ring
for _ in 1 2; do
    stop_bridge 2 KILL
    start_bridge 2
    moved=$(ring_bytes 1)
    check "bytes flow again" until_true 20 bytes_moved 1 $((moved + 3000000))
done
touch "$scratch/stop"
check_several "the others are not taken for each other" went_well ring

# Agents that are started again have no slab of earlier connections. The bridge hands over what the next bridge will need.
has_rejoined() { (($(counter "$1" rejoined) >= 6)); }
for domain in 1 2; do
    rm "$scratch/stop"
    begin_several "$scratch/stop"
    stop_agent "$domain" KILL
    start_agent "$domain" --log-level info
    check "programs name their ends to the next agent" until_true 20 has_rejoined "$domain"
    sleep 1 # for the agent to ask the bridge
    stop_bridge "$domain" KILL
    start_bridge "$domain"
    moved=$(ring_bytes $((3 - domain)))
    check "bytes flow again" until_true 20 bytes_moved $((3 - domain)) $((moved + 3000000))
    touch "$scratch/stop"
    check_several "six transfers over node $domain's agent, then its bridge, killed and started again" went_well ring
done

# Both at once: then nobody of that node remembers, and it is said so at both ends.
begin_transfer 1 2 127.44.0.1 "$scratch/never"
check "bytes flow" until_true 20 bytes_moved 2 3000000
stop_agent 1 KILL
stop_bridge 1 KILL
start_agent 1 --log-level info # and the bridge
end_transfer
check "an agent and its bridge die together: a reset at both ends" was_reset
check "rings carry again" until_true 20 back

# Connections that are made meanwhile go to whatever there is: none hangs, none loses a byte.
(
    trap 'exit 0' TERM
    while :; do
        relays USR1
        sleep 0.07
    done
) &
cutter=$!
whole=0
given_up=$(times_said 1 'cannot go on')
for _ in {1..20}; do
    begin_transfer 1 2 127.44.0.1 300000
    end_transfer
    if went_well ring >/dev/null || went_well tcp >/dev/null; then
        whole=$((whole + 1))
    else
        went_well either | sed 's/^/# /'
    fi
done
kill "$cutter"
wait "$cutter" 2>/dev/null
check "connections made while links break are whole, over rings or TCP" test "$whole" = 20
check "and none of them was given up" test "$(times_said 1 'cannot go on')" = "$given_up"
check "and rings carry again once links last" until_true 20 back

# Long -------------------------------------------------------------------------------------------------------------

bridge_options=(--patience 3)
for domain in 1 2; do
    stop_bridge "$domain"
    start_bridge "$domain"
done
check "rings carry, over bridges with less patience" until_true 20 back
begin_several "$scratch/never"
relays USR2
check_several "a link that stays away for longer than the patience: a reset at both ends" was_reset
check "the bridge says so" test "$(times_said 1 'cannot go on')" -ge 1
relays USR1
check "afterwards rings carry again" until_true 20 back
check "nothing is left" until_true 20 has_no_ends 1
check "nor at the other node" until_true 20 has_no_ends 2
finish
