#!/bin/bash
# sockperf between two domains: ping-pong with every way of waiting, a rate, and throughput.
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

need sockperf
seconds=$(pick 1 10)
start_domains --log-level info
remember_agents

port=$(free_port_below 32000)
feed() { printf 'T:127.44.0.1:%s\nT:127.44.0.1:%s\n' "$port" $((port + 1)); }
# run MODE OPTION...
run() {
    timeout $((seconds + 60)) "$in_domain" 2 sockperf "$@" --tcp -i 127.44.0.1 -p "$port" -t "$seconds" >"$scratch/out" 2>&1 || { cat "$scratch/out"; return 1; }
    cat "$scratch/out"
    # Behind its last line stands what its threads say while they are stopped.
    ! sed '/Test end (/q' "$scratch/out" | grep -qi -e 'error' -e 'dropped messages = [1-9]' -e 'out-of-order messages = [1-9]'
}
# Messages of many sizes, each checked by the server's echo and by sockperf itself.
checked() { run "${ping_pong[@]}" --data-integrity -m 1000 "$@"; }
begin() {
    serve sockperf server --tcp -i 127.44.0.1 -p "$port"
    serves_on "$port"
}
stop() {
    kill -INT "$server"
    wait "$server"
}

# It numbers its messages up to a rate that kernel sockets do not reach, and gives up beyond; so it gets a rate.
ping_pong=(ping-pong --mps 100000)
begin
round "ping-pong" 1 100000 run "${ping_pong[@]}"
before=$(program_holds "$server")
round "ping-pong of 1000 bytes whose contents are checked" 1 100000 checked
round "replies are asked for now and then" 1 10000 run under-load --mps 10000 --reply-every 10
round "throughput" 1 1000000 run throughput -m 1400
seconds=4 agent_loss "sockperf" checked
check "the server is offered again" until_true 20 listens 1 "$port"
round "ping-pong, afterwards" 1 100000 run "${ping_pong[@]}"
check "the server holds what it held before" until_true_or_say 20 program_still_holds "$server" "$before"
stop
feed >"$scratch/feed"
for handler in $(pick epoll "select poll epoll"); do
    serve sockperf server -f "$scratch/feed" -F "$handler"
    serves_on "$port"
    round "two connections, waiting with $handler" 2 10000 \
        timeout $((seconds + 60)) "$in_domain" 2 sockperf "${ping_pong[@]}" -f "$scratch/feed" -F "$handler" -t "$seconds"
    stop
done
latency() { timeout 60 "$in_domain" "$1" sockperf "${ping_pong[@]}" --tcp -i 127.44.0.1 -p "$port" -t 5 2>&1 | awk '/avg-latency/ { sub("avg-latency=", "", $3); print $3; exit } /Latency is/ { print $(NF - 1); exit }'; }
if is_full; then
    begin
    ratio "sockperf ping-pong, 14 B, one way" us latency
    stop
fi
check_leaks
report_row sockperf "$(version_of sockperf)"
finish
