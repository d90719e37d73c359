#!/bin/bash
# What a connection costs over rings and over kernel TCP: connect, a byte there and back, close, one after the
# other. Prints medians of several runs taken in turn, and the ratio of the rates (above 1: rings are faster).
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh

count=${CONNECT_BENCH_COUNT:-3000}
runs=${CONNECT_BENCH_RUNS:-5}

# measure TRANSPORT SERVER_DOMAIN CLIENT_DOMAIN: one run, a line `ns connect_ns close_ns` more in a file.
measure() {
    local transport rest
    rm -f "$scratch/port"
    background "$2" "$programs/connect_rate" serve 127.44.0.1 "$scratch/port"
    read -r transport rest < <("$in_domain" "$3" "$programs/connect_rate" call 127.44.0.1 "$scratch/port" "$count")
    kill -KILL "$background_pid"
    wait "$background_pid" 2>/dev/null
    if [[ $transport != "$1" ]]; then
        echo "the connections went over ${transport:-nothing}, not $1" >&2
        exit 1
    fi
    echo "$rest" >>"$scratch/$1"
}

# median TRANSPORT COLUMN
median() { cut -d' ' -f"$2" "$scratch/$1" | sort -n | sed -n "$(((runs + 1) / 2))p"; }

start_domains --log-level warn
for ((run = 0; run < runs; ++run)); do
    measure tcp tcp tcp
    measure ring 1 2
done
for transport in tcp ring; do
    echo "$transport  a connection $(median $transport 1) ns, of this connect $(median $transport 2)," \
        "close $(median $transport 3)"
done
awk -v tcp="$(median tcp 1)" -v ring="$(median ring 1)" 'BEGIN {printf "rate, ring over tcp: %.2f\n", tcp / ring}'
