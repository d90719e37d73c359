#!/bin/bash
# Two nodes on this machine whose bridges talk over TCP, against kernel TCP on its loopback: what the bridges cost, by
# message size. Medians of several runs taken in turn; the ratio is above 1 where the bridge is better.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
export XYLEM_TEST_NODES=yes
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/apps.sh
source tests/guest-lib/harness/apps.sh

exchange=$XYLEM_BUILD/eval/workloads/socket_exchange
runs=${BRIDGE_BENCH_RUNS:-3}

# measure TRANSPORT SERVER_DOMAIN CLIENT_DOMAIN: one run, its lines are added to the file of that transport.
measure() {
    local port
    port=$(free_port_below 32000)
    background "$2" "$exchange" answer 127.44.0.1 "$port"
    until_true 20 listens_at "$2" "$port"
    "$in_domain" "$3" "$exchange" ask 127.44.0.1 "$port" >>"$scratch/$1" || exit 1
    wait "$background_pid"
}
# In the kernel's table, or offered to other domains.
listens_at() { ss -ltnH "sport = :$2" | grep -q . || { [[ $1 != tcp ]] && listens "$1" "$2"; }; }

start_domains --log-level warn
before=$(ring_connections 2)
for ((run = 0; run < runs; ++run)); do
    measure tcp tcp tcp
    measure bridge 1 2
done
carried=$(($(ring_connections 2) - before))
if ((carried != runs)); then
    echo "the bridge carried $carried of $runs connections: these figures would be TCP's" >&2
    exit 1
fi
# One line a workload and size: the median of each transport.
for transport in tcp bridge; do
    sort -k1,1 -k2,2n -k3,3g "$scratch/$transport" |
        awk '{ key = $1 " " $2; values[key] = values[key] " " $3 } END { for (key in values) { n = split(values[key], v, " "); print key, v[int((n + 1) / 2)] } }' |
        sort -k1,1 -k2,2n >"$scratch/$transport.medians"
done
join <(sed 's/ /-/' "$scratch/tcp.medians" | sort) <(sed 's/ /-/' "$scratch/bridge.medians" | sort) | sort -t- -k1,1 -k2,2n |
    awk '
        BEGIN { printf "%-12s %9s %14s %14s %7s\n", "", "bytes", "tcp", "bridge", "ratio" }
        { split($1, name, "-"); latency = name[1] == "latency"
          printf "%-12s %9d %11.1f %s %11.1f %s %7.2f\n", name[1], name[2], latency ? $2 * 1e6 : $2 / 1e6, latency ? "us" : "MB",
                 latency ? $3 * 1e6 : $3 / 1e6, latency ? "us" : "MB", latency ? $2 / $3 : $3 / $2 }'
