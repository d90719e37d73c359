#!/bin/sh
# shellcheck disable=SC2154  # XYLEM_NODE, peer_address, check, until_both and port are those of whoever sources this
# Sourced at both nodes: what the device does without Xylem, by perftest. Whoever sources it sets `port`, of which each run
# takes the next one. Lines as in eval/figures.py, of a transport `device`.

perftest() {
    port=$((port + 1))
    if [ "$XYLEM_NODE" = a ]; then
        "$@" -d rxe0 -x 1 -F -p "$port" >/tmp/perftest 2>&1
    else
        sleep 2
        "$@" -d rxe0 -x 1 -F -p "$port" "$peer_address" >/tmp/perftest 2>&1
    fi
    check "$*" [ $? = 0 ]
    sed 's/^/# /' /tmp/perftest
}
# perftest_figure SIZE FIELD TIMES: FIELD of the line of that size, as a line.
perftest_figure() {
    awk -v size="$1" -v field="$2" -v times="$3" -v title="device $round $workload" \
        '$1 == size && NF >= field { printf "figure %s %s %s\n", title, size, $field * times }' /tmp/perftest
}
# roofline ROUND latency|throughput SIZE...: ib_write_lat says half of a round trip, in us; ib_write_bw Gbit/s.
roofline() {
    round=$1
    workload=$2
    shift 2
    for size in "$@"; do
        until_both
        case $workload in
            latency) perftest ib_write_lat -s "$size" -n 200 && perftest_figure "$size" 6 2e-6 ;;
            throughput) perftest ib_write_bw -s "$size" -n 200 --report_gbits && perftest_figure "$size" 4 125e6 ;;
        esac
    done
}
