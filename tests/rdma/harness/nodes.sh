# Sourced by domains.sh where XYLEM_TEST_NODES is set: each domain is on a node of its own, or on that which other_node
# says, with a bridge. Node N is 127.X.Y.N, X and Y of this script alone; it has a fabric directory of its own, and a hosts map
# that names nodes. With XYLEM_TEST_RELAYS there is a relay between two nodes, which each knows as 127.X.Y.10N.
# shellcheck shell=bash disable=SC2154

declare -A bridge_pid=() relay_pid=() other_node=()
bridge_options=() # of all
node_key=$scratch/node.key
(umask 077 && head -c 32 /dev/urandom >"$node_key")

node_prefix=127.$((128 + RANDOM % 64)).$((RANDOM % 256))
node_address() { echo "$node_prefix.$1"; }
known_address() { echo "$node_prefix.${XYLEM_TEST_RELAYS:+10}$1"; }
node_of() { echo "${other_node[$1]:-$1}"; }
node_fabric() { echo "$scratch/node-$1"; }

# start_bridge NODE OPTION...
start_bridge() {
    local node=$1
    shift
    (umask 077 && mkdir -p "$(node_fabric "$node")")
    "$XYLEM_BUILD/xylem-rdma" --fabric-dir "$(node_fabric "$node")" --listen "$(node_address "$node")" \
        --name "$(known_address "$node")" --key "$node_key" -v "${bridge_options[@]}" "$@" >>"$scratch/bridge-$node.log" 2>&1 &
    bridge_pid[$node]=$!
    if ! until_true 20 test -S "$(node_fabric "$node")/bridge.link"; then
        echo "Bail out! the bridge of node $node does not start"
        sed 's/^/#   /' "$scratch/bridge-$node.log"
        exit 1
    fi
}

# stop_bridge NODE [SIGNAL]
stop_bridge() {
    local pid=${bridge_pid[$1]:-}
    if [[ -z $pid ]]; then return; fi
    kill -s "${2:-TERM}" "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    unset "bridge_pid[$1]"
}

stop_bridges() {
    local node
    for node in "${!bridge_pid[@]}"; do stop_bridge "$node"; done
    for node in "${!relay_pid[@]}"; do kill -KILL "${relay_pid[$node]}" && wait "${relay_pid[$node]}" 2>/dev/null; done
}

# start_relay NODE OTHER: to that node, from the other one.
start_relay() {
    "$(dirname "${BASH_SOURCE[0]}")/relay.py" "$(known_address "$1")" "$(known_address "$2")" "$(node_address "$1")" 7480 \
        >"$scratch/relay-$1.log" 2>&1 &
    relay_pid[$1]=$!
    until_true 20 grep -q ready "$scratch/relay-$1.log" || { echo "Bail out! no relay" && exit 1; }
}
# relays SIGNAL: USR1 cuts all links, USR2 keeps them cut until the next USR1.
relays() { kill -s "$1" "${relay_pid[@]}"; }

# node_options DOMAIN OPTION...: what its agent is started with, in $node_agent_options.
node_options() {
    local domain=$1 map other node hosts=$scratch/hosts-of-$1
    shift
    node=$(node_of "$domain")
    node_agent_options=("--fabric-dir" "$(node_fabric "$node")")
    map=$(printf '%s\n' '127.44.0.1 dom:1' '127.44.0.2 dom:2' '127.44.0.3 dom:3')
    while (($# > 0)); do
        if [[ $1 == --hosts ]]; then
            map=$(<"$2")
            shift
        else
            node_agent_options+=("$1")
        fi
        shift
    done
    # The same map at all nodes: each knows its own name.
    for other in 1 2 3; do map=$(sed -E "s/\bdom:$other\b/node:$(known_address "$(node_of "$other")")\/&/" <<<"$map"); done
    echo "$map" >"$hosts"
    node_agent_options+=(--hosts "$hosts")
    [[ -n ${bridge_pid[$node]:-} ]] || start_bridge "$node"
}
