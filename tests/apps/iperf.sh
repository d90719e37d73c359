#!/bin/bash
# iperf (version 2) between two domains: threads, both directions in turn and at once.
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

need iperf
seconds=$(pick 1 10)
start_domains --log-level info
remember_agents

# Its report ends with a line of bytes for each stream and direction.
run() {
    timeout $((seconds + 60)) "$in_domain" 2 iperf -B 127.44.0.2 -c 127.44.0.1 -p "$port" -t "$seconds" -y C "$@" >"$scratch/csv" || return
    cat "$scratch/csv"
    # Address, port, address, port, id, interval, bytes, rate.
    awk -F, '$8 > 0 { lines++ } END { exit lines == 0 }' "$scratch/csv"
}

port=$(free_port_below 32000)
serve iperf -s -p "$port" -B 127.44.0.1
serves_on "$port"
round "one thread" 1 10000000 run
before=$(program_holds "$server")
round "four threads" 4 10000000 run -P 4
round "the other direction" 1 10000000 run -R
round "small writes without delay" 1 1000000 run -l 100 -N
seconds=4 agent_loss "iperf" run -P 4
check "the server is offered again" until_true 20 listens 1 "$port"
round "four threads, afterwards" 4 10000000 run -P 4
check "the server holds what it held before" until_true_or_say 20 program_still_holds "$server" "$before"
# This version's server frees memory twice, over TCP as well, when it has connected back more than once, and after full
# duplex it keeps a descriptor for each connection: it serves these once.
for way in -r -d "--full-duplex -P 2"; do
    stop_server
    serve iperf -s -p "$port" -B 127.44.0.1
    serves_on "$port"
    # shellcheck disable=SC2086
    round "both directions, $way" 2 10000000 run $way
done
stop_server
check_leaks
report_row iperf "$(version_of iperf)"
finish
