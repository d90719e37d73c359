#!/bin/bash
# iperf3 between two domains: both directions, and several streams at once.
# Functions are called by name, through check and until_true.
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

need iperf3
start_domains --log-level info
port=$(free_port_below 32000)
serve iperf3 -s -p "$port"
serves_on "$port"
for options in "-t 2" "-t 2 -R" "-t 2 -P 4" "-t 2 -P 4 -R" "-t 2 --bidir"; do
    # shellcheck disable=SC2086
    carried "iperf3 $options" 50000000 iperf3 -c 127.44.0.1 -p "$port" $options
    note "$(grep -E 'receiver|SUM' "$scratch/client.log" | tail -n 1)"
done
agent_loss "iperf3" "$in_domain" 2 iperf3 -c 127.44.0.1 -p "$port" -t 4 --bidir
check "the server is offered again" until_true 20 listens 1 "$port"
carried "iperf3 afterwards" 50000000 iperf3 -c 127.44.0.1 -p "$port" -t 1
stop_server
check "no ends are left" until_true 20 has_no_ends 1
check "no ends are left in the other domain" until_true 20 has_no_ends 2
report_row iperf3 "$(version_of iperf3)"
finish
