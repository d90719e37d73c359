#!/bin/bash
# nginx with two workers and wrk over rings and over kernel TCP, with keep-alive and with a connection for each request.
# Prints medians of several runs taken in turn, in requests a second, and their ratio (above 1: rings are faster).
# HTTP_BENCH_THREADS says how many threads wrk has (1).
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/apps.sh
source tests/guest-lib/harness/apps.sh
# shellcheck source=tests/apps/harness/programs.sh
source tests/apps/harness/programs.sh
# shellcheck source=tests/apps/harness/nginx.sh
source tests/apps/harness/nginx.sh

PATH=$PATH:/usr/sbin
need nginx wrk
runs=${HTTP_BENCH_RUNS:-3}
seconds=${HTTP_BENCH_SECONDS:-3}
connections=(1 4 20)

# load TRANSPORT CLIENT_DOMAIN KIND COUNT OPTION...: a figure more in the file of that kind.
load() {
    timeout $((seconds + 60)) "$in_domain" "$2" wrk -t "${HTTP_BENCH_THREADS:-1}" -c "$4" -d "${seconds}s" "${@:5}" \
        "http://127.44.0.1:$port/small" | awk '/Requests.sec/ {print $2}' >>"$scratch/$1-$3-$4"
}

# measure TRANSPORT SERVER_DOMAIN CLIENT_DOMAIN
measure() {
    local count
    background "$2" nginx "${nginx_options[@]}"
    until_true 20 test -s "$scratch/nginx.pid"
    for count in "${connections[@]}"; do
        load "$1" "$3" keep-alive "$count"
        load "$1" "$3" close "$count" -H 'Connection: close'
    done
    kill "$(<"$scratch/nginx.pid")"
    wait "$background_pid" 2>/dev/null
}

# median TRANSPORT KIND COUNT
median() { sort -n "$scratch/$1-$2-$3" | sed -n "$(((runs + 1) / 2))p"; }

start_domains --log-level warn
port=$(free_port_below 32000)
configure_nginx "$port"
mkdir "$scratch/www"
head -c 4096 /dev/urandom >"$scratch/www/small"
before=$(ring_connections 2)
for ((run = 0; run < runs; ++run)); do
    measure tcp tcp tcp
    measure ring 1 2
done
carried=$(($(ring_connections 2) - before))
if ((carried == 0)); then
    echo "no connection went over a ring" >&2
    exit 1
fi
for kind in keep-alive close; do
    for count in "${connections[@]}"; do
        awk -v kind="$kind" -v count="$count" -v tcp="$(median tcp $kind "$count")" \
            -v ring="$(median ring $kind "$count")" \
            'BEGIN {printf "%-10s %2d connections  tcp %8d  ring %8d  ratio %.2f\n", kind, count, tcp, ring, ring / tcp}'
    done
done
echo "$carried connections over rings"
