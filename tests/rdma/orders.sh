#!/bin/bash
# The hosts map's option over=: what the bridge here reaches a node over, on a machine without an RDMA device. What
# devices do with it: tests/rdma/pairs/orders.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317,SC2154
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
export XYLEM_TEST_NODES=yes
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/transfers.sh
source tests/guest-lib/harness/transfers.sh

start_domains --log-level info
number=$(basename "$(find "$(node_fabric 2)/nodes" -lname "$(node_address 1)")")
order_in_force() { readlink "$(node_fabric 2)/nodes/$number.over"; }
has_order() { [[ $(order_in_force) == "$1" ]]; }
failed_for() { [[ $(ask 2 statistics "report['connects_failed'].get('$1', 0)") == "$2" ]]; }

# write_order WORDS: behind the line of domain 1 in the map of domain 2.
write_order() {
    sed -i -E "s|(/dom:1).*|\1 $1|" "$scratch/hosts-of-2"
    check "the agent takes '$1'" until_true 20 has_order "${1#over=}"
}
restart_bridge() {
    stop_bridge 2
    start_bridge 2
}

check "without the option there is none" has_order ""
over ring "and the bridge takes what it has" 1 2 127.44.0.1 100000
write_order over=verbs
over ring "a link that stands goes on" 1 2 127.44.0.1 100000
restart_bridge
over tcp "a bridge without a device reaches nobody over verbs: plain TCP" tcp 2 127.44.0.1 100000
check "and that is why" failed_for no_transport 1
check "explain says so" grep -q 'no transport that the hosts map allows' <("$XYLEM_BUILD/xylem" explain --domain 2 127.44.0.1:1)
over ring "the other direction has its own map" 2 1 127.44.0.2 100000
for order in over=verbs,tcp over=tcp,verbs over=tcp; do
    write_order "$order"
    over ring "'$order' reaches it" 1 2 127.44.0.1 100000
    check "over TCP" grep -q "node $(node_address 1): reached over TCP" "$scratch/bridge-2.log"
    restart_bridge
done
write_order ""
over ring "nor is there one when the line has none again" 1 2 127.44.0.1 100000

sed -i -E 's|(/dom:2).*|\1 over=tcp|' "$scratch/hosts-of-2"
check "two orders for one node, this one, are a mistake: the map stays" test "$(order_in_force)" = ""
check "xylem hosts check shows where" grep -q "'over'" <(printf '%s\n' '10.0.0.1 node:10.1.1.1/dom:1' '10.0.0.2 node:10.1.1.1/dom:2 over=tcp' |
    tee "$scratch/two" >/dev/null && "$XYLEM_BUILD/xylem" hosts check "$scratch/two" 2>&1)
finish
