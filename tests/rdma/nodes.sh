#!/bin/bash
# Two nodes: which transport a connection gets, and what happens when parts of the way between them are missing or die.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
export XYLEM_TEST_NODES=yes
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/transfers.sh
source tests/guest-lib/harness/transfers.sh

bridge_says() { grep -q "$2" "$scratch/bridge-$1.log"; }
bridge_descriptors() { find "/proc/${bridge_pid[$1]}/fd" -mindepth 1 | wc -l; }
has_descriptors() { (($(bridge_descriptors "$1") <= $2)); }
failed_for() { [[ $(ask 2 statistics "report['connects_failed'].get('$1', 0)") -ge 1 ]]; }
# ended_by_reset: the transfer ended so, at both sides.
ended_by_reset() {
    cat "$where/send" "$where/receive"
    ((sender_code != 0 && receiver_code != 0)) && grep -q reset "$where/send" "$where/receive" -i
}

bridge_options=(--patience 2)
start_domains --log-level info
over ring "bytes go from node to node" 1 2 127.44.0.1 30000000
over ring "and back" 2 1 127.44.0.2 30000000
over ring "a single byte" 1 2 127.44.0.1 1
check "nothing is left at the agents" until_true 20 has_no_ends 1
before=$(bridge_descriptors 2)
for _ in 1 2 3 4 5; do over ring "again" 1 2 127.44.0.1 100000; done
check "nothing is left at the bridge" until_true 20 has_descriptors 2 "$before"

# Many at once: each finds the link full now and then.
pairs=()
for _ in 1 2 3 4 5 6; do
    begin_transfer 1 2 127.44.0.1 40000000
    pairs+=("$where $sender $receiver")
done
for pair in "${pairs[@]}"; do
    read -r where sender receiver <<<"$pair"
    end_transfer
    check "one of six side by side" went_well ring
done

# A stranger -------------------------------------------------------------------------------------------------------

silent() { timeout 10 bash -c "exec 3<>/dev/tcp/$(node_address 1)/7480; cat <&3 >/dev/null"; }
check "who connects and says nothing is not kept" silent

# What it is called ------------------------------------------------------------------------------------------------

background 1 "$transfer" receive 127.44.0.1 "$scratch/port" >"$scratch/receiver" 2>&1
check "a server listens" until_true 20 test -s "$scratch/port"
"$XYLEM_BUILD/xylem" explain --domain 2 "127.44.0.1:$(cat "$scratch/port")" >"$scratch/explained"
check "explain asks the other node" grep -q 'a program listens on that port' "$scratch/explained"
check "and names it" grep -qF "node:$(node_address 1)/dom:1" "$scratch/explained"
check "and the domain as that node calls it" grep -q '^ *domain  *1 of another node' "$scratch/explained"

# What it counts ---------------------------------------------------------------------------------------------------

# dialled DOMAIN EXPRESSION: of the link that its bridge dialled, as `xylem stat` has it.
dialled() {
    "$XYLEM_BUILD/xylem" stat --domain "$1" --json | python3 -c "
import json, sys
bridge = json.load(sys.stdin)['domains'][0]['bridge']
link = next(link for link in bridge['links'] if link['direction'] == 'out')
print($2)"
}
check "stat has the links of the bridge" test "$(dialled 2 "link['node'], link['state'], link['over']")" = \
    "$(node_address 1) ready TCP"
check "and their bytes" test "$(dialled 2 "link['bytes_sent'] > 3e7 and link['messages_sent'] > 100")" = True
"$XYLEM_BUILD/xylem" stat --domain 1 >"$scratch/stat"
check "as a table, too" grep -q "^$(node_address 2) *in *ready *TCP" "$scratch/stat"

# Programs that lie ------------------------------------------------------------------------------------------------

scribbler=$XYLEM_BUILD/tests/programs/scribbler
lost_links() { cat "$scratch"/bridge-*.log | grep -c 'the link is lost'; }
lost=$(lost_links)
begin_transfer 1 2 127.44.0.1 "$scratch/enough"
background 1 "$scribbler" serve 127.44.0.1 "$scratch/served-port" 8 >"$scratch/served" 2>&1
server=$background_pid
check "a server listens" until_true 20 test -s "$scratch/served-port"
"$in_domain" 2 "$scribbler" attack 127.44.0.1 "$scratch/served-port" 3 beyond back flip states random everything origin waiters \
    >"$scratch/lies" 2>&1
check "a program has lied on eight rings" grep -q '^ready ring' "$scratch/lies"
check "it is over for the server, too" until_true 30 grep -q '^longest' "$scratch/served"
wait "$server"
check "which lives" test $? = 0
moved=$(ring_bytes 2)
check "what goes beside goes on" until_true 20 bytes_moved 2 $((moved + 3000000))
touch "$scratch/enough"
end_transfer
check "and loses nothing" went_well ring
check "their link was not lost" test "$(lost_links)" = "$lost"

# Policy -----------------------------------------------------------------------------------------------------------

policy=$scratch/policy
echo "deny from node:$(node_address 2)/dom:2 to port any" >"$policy"
stop_agent 1
start_agent 1 --policy "$policy"
over tcp "a policy denies rings to a domain of another node" 1 2 127.44.0.1 100000
check "the reason is that" failed_for refused_by_policy
printf '%s\n' "deny from dom:2 to port any" "deny from node:$(node_address 2)/dom:3 to port any" \
    "allow from node:$(node_address 2) to port any" "deny from any to port any" >"$policy"
has_rules() { [[ $(ask 1 map "len(report['policy_rules'])") == "$1" ]]; }
check "another one is in force" until_true 20 has_rules 4
over ring "and allows that node's domains, but not this one's of the same number" 1 2 127.44.0.1 100000
rm "$policy"
stop_agent 1
start_agent 1

# What is missing --------------------------------------------------------------------------------------------------

stop_agent 1
over tcp "without the far agent a connection is plain TCP" tcp 2 127.44.0.1 100000
check "the reason is that" failed_for no_peer_agent
start_agent 1
stop_bridge 1
over tcp "without the far bridge, too" tcp 2 127.44.0.1 100000
check "the reason is that" failed_for node_unreachable
stop_bridge 2
over tcp "and without one here" tcp 2 127.44.0.1 100000
check "the reason is that" failed_for other_node
start_bridge 1
start_bridge 2
# rings_carry NAME: sooner or later.
rings_carry() {
    local deadline=$((SECONDS + 20))
    until begin_transfer 1 2 127.44.0.1 1000 && end_transfer && went_well ring >/dev/null || ((SECONDS >= deadline)); do sleep 0.1; done
    check "$1" went_well ring
}
rings_carry "rings carry again when both are back"

# The key ----------------------------------------------------------------------------------------------------------

stop_bridge 2
cp "$node_key" "$scratch/right.key"
(umask 077 && head -c 32 /dev/urandom >"$node_key")
start_bridge 2
over tcp "a bridge with another key is refused" tcp 2 127.44.0.1 1000
check "the other bridge says why" bridge_says 1 'it does not have the key that the nodes share'
check "and so does this one" bridge_says 2 'it does not have the key that the nodes share'
stop_bridge 2
cp "$scratch/right.key" "$node_key"
start_bridge 2
rings_carry "with the right one it is not"

# Deaths in the midst of it ----------------------------------------------------------------------------------------

begin_transfer 1 2 127.44.0.1 "$scratch/never"
check "bytes flow" until_true 20 bytes_moved 2 3000000
peers() { ask 2 sockets '[(s["peer_node"], s["peer_domain"]) for s in report["sockets"] if s["kind"] == "connection"]'; }
check "the report names the peer's node" test "$(peers)" = "[('$(node_address 1)', 1)]"
stop_bridge 1 KILL
end_transfer
check "the far bridge dies for good: a reset at both ends" ended_by_reset
start_bridge 1
rings_carry "rings carry again"
begin_transfer 1 2 127.44.0.1 "$scratch/never"
check "bytes flow" until_true 20 bytes_moved 2 3000000
stop_bridge 2 KILL
end_transfer
check "this bridge dies for good: a reset at both ends" ended_by_reset
start_bridge 2
rings_carry "rings carry again"
begin_transfer 1 2 127.44.0.1 "$scratch/stop"
check "bytes flow" until_true 20 bytes_moved 2 3000000
stop_agent 1
stop_agent 2
sleep 1
touch "$scratch/stop"
end_transfer
check "agents that die end nothing" went_well ring
start_domains --log-level info
begin_transfer 1 2 127.44.0.1 "$scratch/never"
check "bytes flow" until_true 20 bytes_moved 2 3000000
kill -KILL "$(child_of "$(child_of "$sender")")" 2>/dev/null || kill -KILL "$(child_of "$sender")"
end_transfer
check "a program that is killed ends at the other node, too" test "$receiver_code" -ne 124
check "nothing is left" until_true 20 has_no_ends 1
finish
