#!/bin/bash
# Three domains on two nodes, with one and the same hosts map: each pair gets the transport that it should.
# shellcheck disable=SC2317,SC2154
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
export XYLEM_TEST_NODES=yes
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/transfers.sh
source tests/guest-lib/harness/transfers.sh

other_node[2]=1
start_domains --log-level info
start_agent 3
check "the map is the same on both nodes" cmp "$scratch/hosts-of-1" "$scratch/hosts-of-3"

# peers_of DOMAIN: of its connections, as its agent reports them: node (empty: this one) and domain.
peers_of() { ask "$1" sockets '[(s["peer_node"] or "", s["peer_domain"]) for s in report["sockets"] if s["kind"] == "connection"]'; }
# listed_via DOMAIN: transport of its connections, in xylem ls.
listed_via() { "$XYLEM_BUILD/xylem" ls --domain "$1" | tee "$scratch/listed" | awk '$2 == "ESTAB" { print $3 }'; }
# pair SERVER CLIENT NODE_OF_SERVER NODE_OF_CLIENT: while bytes flow, both report each other, and where the other is.
pair() {
    begin_transfer "$1" "$2" "127.44.0.$1" "$scratch/stop$1$2"
    check "$1 and $2: bytes flow over a ring" until_true 20 bytes_moved "$2" 1000000
    check "$1 and $2: the caller's report names the other" test "$(peers_of "$2")" = "[('$3', $1)]"
    check "$1 and $2: so does the other's" test "$(peers_of "$1")" = "[('$4', $2)]"
    local via=ring
    [[ -z $3 ]] || via=bridge
    check "$1 and $2: xylem ls shows $via at the caller" test "$(listed_via "$2")" = "$via"
    check "$1 and $2: and at the other" test "$(listed_via "$1")" = "$via"
    sed 's/^/# /' "$scratch/listed"
    touch "$scratch/stop$1$2"
    end_transfer
    check "$1 and $2: all went over it" went_well ring
    check "$1 and $2: nothing is left" until_true 20 has_no_ends "$1"
}
# links_of NODE: what its bridge has carried so far.
links_of() { grep -c 'reached' "$scratch/bridge-$1.log"; }

pair 1 2 "" ""
check "two domains of a node need no bridge" test "$(links_of 1)" = 0
pair 1 3 "$(node_address 1)" "$(node_address 3)"
pair 3 2 "$(node_address 3)" "$(node_address 1)"
check "those of two nodes do" test "$(links_of 1)" -ge 1

# A bridge may say later what its node is called.
stop_agent 1
rm "$(node_fabric 1)/nodes/own"
start_agent 1
over_ring_or_not() { begin_transfer 1 2 127.44.0.1 1000 && end_transfer && went_well "$1"; }
stop_bridge 1
start_bridge 1
check "an agent that began before it finds its neighbours when the bridge has begun" until_true 20 over_ring_or_not ring
finish
