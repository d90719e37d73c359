#!/bin/bash
# redis-server in one domain, redis-benchmark and redis-cli in another: one client and fifty, with pipelining and
# without, large values, a fork while clients are connected; and a cluster of three nodes in three domains.
# Functions are called by name, through check, round and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/apps.sh
source tests/guest-lib/harness/apps.sh
# shellcheck source=tests/apps/harness/programs.sh
source tests/apps/harness/programs.sh
# shellcheck source=tests/apps/harness/agent_loss.sh
source tests/apps/harness/agent_loss.sh

need redis-server redis-benchmark redis-cli
requests=$(pick 5000 200000)
start_domains --log-level info
start_agent 3 --log-level info
remember_agents

# start_redis DOMAIN PORT OPTION...: sets $server.
start_redis() {
    local domain=$1 port=$2
    shift 2
    mkdir -p "$scratch/redis-$port-$domain"
    background "$domain" redis-server --bind "127.44.0.$domain" --port "$port" --dir "$scratch/redis-$port-$domain" \
        --save "" --appendonly no --protected-mode no "$@" >>"$scratch/redis-$domain.log" 2>&1
    server=$background_pid
    check "the server of domain $domain listens" until_true 20 listens "$domain" "$port"
}
# cli DOMAIN SERVER_DOMAIN WORD...
cli() {
    local domain=$1 server_domain=$2
    shift 2
    timeout 60 "$in_domain" "$domain" redis-cli -h "127.44.0.$server_domain" -p "$port" "$@"
}
benchmark() {
    timeout 300 "$in_domain" 2 redis-benchmark -h 127.44.0.1 -p "$port" -n "$requests" -t set,get --csv "$@" >"$scratch/csv" || return
    cat "$scratch/csv"
    # A heading and a line for SET and GET each; errors are told in words.
    [[ $(grep -c '^"[SG]ET",' "$scratch/csv") == 2 ]] && ! grep -qi error "$scratch/csv"
}
large_values() {
    local megabytes
    for megabytes in 1 20; do
        head -c $((megabytes * 1048576 + 17)) /dev/urandom >"$scratch/value"
        cli 2 1 -x set "large$megabytes" <"$scratch/value" || return
        cli 2 1 --raw get "large$megabytes" | head -c -1 | cmp - "$scratch/value" || return
    done
}
# One connection for as long as this takes, which the server gives one number; others come and go.
talk_on_and_on() {
    local talker
    for ((n = 0; n < 40; ++n)); do
        echo "client id"
        sleep 0.1
    done | cli 2 1 >"$scratch/ids" &
    talker=$!
    while kill -0 "$talker" 2>/dev/null; do [[ $(cli 2 1 ping) == PONG ]] || return; done
    wait "$talker" && [[ $(sort "$scratch/ids" | uniq -c | awk '{ print $1 }') == 40 ]]
}
saved() { [[ $(cli 2 1 info persistence) == *rdb_bgsave_in_progress:0* ]]; }
# The server forks, the child goes on to write and exits, and clients notice nothing.
save_under_load() {
    cli 2 1 bgsave || return
    benchmark -c 20 && until_true 20 saved && [[ $(cli 2 1 info persistence) == *rdb_last_bgsave_status:ok* ]]
}

port=$(free_port_below 32000)
start_redis 1 "$port"
cli 2 1 ping >"$scratch/ping"
before=$(program_holds "$server")
for clients in 1 50; do
    for pipeline in 1 16; do
        round "redis-benchmark -c $clients -P $pipeline" "$clients" $((requests * 20)) benchmark -c "$clients" -P "$pipeline"
    done
done
round "values of 1 and 20 MB" 4 40000000 large_values
round "clients while the server forks" 20 $((requests * 20)) save_under_load
check "the server holds what it held before" until_true_or_say 20 program_still_holds "$server" "$before"

agent_loss "redis-cli" talk_on_and_on
check "the server is offered again" until_true 20 listens 1 "$port"
round "redis-benchmark, afterwards" 50 $((requests * 20)) benchmark -c 50

ping_once() { timeout 120 "$in_domain" "$1" redis-benchmark -h 127.44.0.1 -p "$port" -n 100000 -c "$clients" -t get --csv | awk -F'"' '/^"GET"/ { print $4 }'; }
if is_full; then
    for clients in 1 50; do ratio "redis-benchmark GET, $clients clients" requests/s ping_once; done
fi
kill -TERM "$server"
wait "$server"

# Nodes talk to each other on port + 10000.
port=$(free_port_below 22000)
nodes=()
for domain in 1 2 3; do
    start_redis "$domain" "$port" --cluster-enabled yes --cluster-node-timeout 20000
    nodes+=("$server")
done
form_cluster() {
    timeout 100 "$in_domain" 1 redis-cli --cluster create "127.44.0.1:$port" "127.44.0.2:$port" "127.44.0.3:$port" --cluster-yes &&
        until_true 30 cluster_is_whole
}
# In the eyes of all three.
cluster_is_whole() {
    local domain
    for domain in 1 2 3; do [[ $(cli 2 "$domain" cluster info) == *cluster_state:ok*cluster_slots_ok:16384* ]] || return; done
    timeout 30 "$in_domain" 2 redis-cli --cluster check "127.44.0.1:$port" | grep -q "All 16384 slots covered"
}
# Keys of all three nodes, by way of the first: the client is sent on to the node that has it.
use_cluster() {
    local count
    count=$(pick 200 20000)
    seq "$count" | sed 's/.*/set key& value&/' | cli 1 2 -c | grep -vc '^OK$' >"$scratch/odd"
    seq "$count" | sed 's/.*/get key&/' | cli 3 1 -c | tee "$scratch/answers" | grep -x 'value[0-9]*' | sort >"$scratch/got"
    seq "$count" | sed 's/^/value/' | sort | cmp - "$scratch/got" || { head -n 5 "$scratch/odd" "$scratch/answers"; return 1; }
}
round "redis-cli --cluster create, three nodes in three domains" 6 5000 form_cluster
round "keys of all nodes" 3 5000 use_cluster
for server in "${nodes[@]}"; do kill -TERM "$server" && wait "$server"; done
check_leaks
report_row "redis-server, redis-benchmark, redis-cli" "$(version_of redis-server)"
finish
