#!/bin/bash
# What an event costs with one ring connection in an epoll set, and with 4096 of which one is active: an
# event's price must not depend on how many are registered. Prints the best of several runs (what disturbs a
# run makes it slower, never faster) and their ratio, and the same over kernel TCP.
# EPOLL_BENCH_MOST=RATIO: a higher ratio over rings is a failure.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh

few=1
many=4096
events=${EPOLL_BENCH_EVENTS:-200000}
runs=${EPOLL_BENCH_RUNS:-5}

# measure DOMAIN IDLE_DOMAIN TRANSPORT COUNT: the best run's nanoseconds an
# event, and those without epoll_wait.
measure() {
    local run result transport with without
    for ((run = 0; run < runs; ++run)); do
        rm -f "$scratch/port"
        background "$2" "$programs/epoll_load" hold 127.44.0.1 "$scratch/port" "$4"
        result=$("$in_domain" "$1" "$programs/epoll_load" measure 127.44.0.1 "$scratch/port" "$4" "$events")
        kill -KILL "$background_pid"
        wait "$background_pid" 2>/dev/null
        until_true 60 has_no_ends 1 && until_true 60 has_no_ends 2
        read -r transport with without <<<"$result"
        if [[ $transport != "$3" ]]; then
            echo "$4 connections went over ${transport:-nothing}, not $3" >&2
            exit 1
        fi
        echo "$with $without"
    done >"$scratch/runs"
    awk 'NR == 1 || $1 < event {event = $1} NR == 1 || $2 < bytes {bytes = $2} END {print event, bytes}' \
        "$scratch/runs" >"$scratch/$3-$4"
}

# compare DOMAIN IDLE_DOMAIN TRANSPORT [MOST]
compare() {
    measure "$1" "$2" "$3" "$few"
    measure "$1" "$2" "$3" "$many"
    paste "$scratch/$3-$few" "$scratch/$3-$many" | awk -v name="$3" -v few="$few" -v many="$many" -v most="${4:-}" '{
        printf "%-4s  an event: %d registered %.0f ns, %d registered %.0f ns, ratio %.2f", name, few, $1, many, $3, $3 / $1
        printf "; its bytes without epoll_wait: %.0f and %.0f ns\n", $2, $4
        exit most != "" && $3 / $1 > most
    }'
}

ulimit -n "$(ulimit -Hn)"
start_domains --log-level warn
compare tcp tcp tcp
compare 1 2 ring "${EPOLL_BENCH_MOST:-}"
