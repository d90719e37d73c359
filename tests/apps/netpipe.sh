#!/bin/bash
# NetPIPE between two domains: messages of all sizes there and back, with an integrity check.
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

need NPtcp
start_domains --log-level info
# Enough repeats to be seen while they last.
for options in "-u 131072 -n 1000" "-u 131072 -n 1000 -i" "-u 131072 -n 1000 -2"; do
    port=$(free_port_below 32000)
    # shellcheck disable=SC2086
    serve NPtcp -P "$port" $options -o "$scratch/server.out"
    serves_on "$port"
    # shellcheck disable=SC2086
    carried "NPtcp $options" 1000 NPtcp -h 127.44.0.1 -P "$port" $options -o "$scratch/client.out"
    note "$(tail -n 1 "$scratch/client.log")"
    check "NPtcp $options: measured all sizes" test "$(grep -c bytes "$scratch/client.log")" -ge 29
    check "NPtcp $options: the receiver ends, too" until_true 20 test ! -d "/proc/$server/fd"
done
port=$(free_port_below 32000)
serve NPtcp -P "$port" -u 131072 -n 4000 -i -o "$scratch/server.out"
serves_on "$port"
agent_loss "NPtcp with its integrity check" "$in_domain" 2 NPtcp -h 127.44.0.1 -P "$port" -u 131072 -n 4000 -i -o "$scratch/client.out"
report_row NetPIPE "$(version_of netpipe-tcp)"
finish
