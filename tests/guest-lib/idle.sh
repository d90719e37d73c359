#!/bin/bash
# A thousand idle connections between two domains cost next to no processor time and little memory, and leave
# nothing behind.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh

count=1000
seconds=6
max_kib_each=64

ticks_of() { awk '{sub(/.*\) /, ""); print $12 + $13}' "/proc/$1/stat"; }
says() { grep -q "^$2" "$scratch/$1"; }

# Anonymous memory of the processes plus the pages of all memfds that the agents hold, in KiB. Every memfd counts
# once, whoever maps it.
memory_kib() {
    local anonymous
    anonymous=$(for pid in "$@"; do awk '/^Pss_Anon:/ {print $2}' "/proc/$pid/smaps_rollup"; done | awk '{sum += $1} END {print sum}')
    find -L "/proc/${agent_pid[1]}/fd" "/proc/${agent_pid[2]}/fd" -type f -printf '%D:%i %b %l\n' 2>/dev/null |
        sort -u -k1,1 | awk -v anonymous="$anonymous" '{blocks += $2} END {print int(anonymous + blocks / 2)}'
}

ulimit -n "$(ulimit -Hn)"
start_domains --log-level info
mkfifo "$scratch/hold"
exec 8<>"$scratch/hold"
hold_connections() {
    rm -f "$scratch/port"
    "$in_domain" 1 "$programs/idle_connections" serve 127.44.0.1 "$scratch/port" "$1" >"$scratch/server" <&8 &
    server=$!
    "$in_domain" 2 "$programs/idle_connections" call 127.44.0.1 "$scratch/port" "$1" >"$scratch/client" <&8 &
    client=$!
    started+=("$server" "$client")
    check "$1 connections" until_true 60 says server ready
    check "$1 connections, the other end" until_true 60 says client ready
}
let_go() {
    kill "$client"
    check "the ends are seen" until_true 30 says server closed
    for domain in 1 2; do check "domain $domain has no ends left" until_true 30 has_no_ends "$domain"; done
}

end_programs() {
    kill -KILL "$server" "$client"
    wait "$server" "$client" 2>/dev/null
}

# Whatever is made once and kept is not counted as left behind.
hold_connections 1
before_kib=$(memory_kib "${agent_pid[1]}" "${agent_pid[2]}" "$server" "$client")
let_go
end_programs
for domain in 1 2; do fds_before[domain]=$(agent_descriptors "$domain"); done

hold_connections "$count"
check "all go over rings" grep -q 'ready ring' "$scratch/server" "$scratch/client"
after_kib=$(memory_kib "${agent_pid[1]}" "${agent_pid[2]}" "$server" "$client")
each=$(((after_kib - before_kib) / count))
note "$each KiB a connection: both ends, both agents ($before_kib KiB with one connection, $after_kib KiB with $count)"
check "a connection costs at most $max_kib_each KiB" test "$each" -le "$max_kib_each"

who=("$server" "$client" "${agent_pid[1]}" "${agent_pid[2]}")
declare -a ticks_before fds_before
for i in "${!who[@]}"; do ticks_before[i]=$(ticks_of "${who[i]}"); done
sleep "$seconds"
for i in "${!who[@]}"; do
    used=$(($(ticks_of "${who[i]}") - ticks_before[i]))
    limit=$((seconds * $(getconf CLK_TCK) / 100))
    name=$(</proc/"${who[i]}"/comm)
    check "$name ($((i + 1)) of ${#who[@]}) used $used ticks of at most $limit in $seconds s" test "$used" -le "$limit"
done

let_go
end_programs
for domain in 1 2; do
    check "agent $domain has no more descriptors than before (${fds_before[domain]})" until_true 20 agent_has_descriptors "$domain" "${fds_before[domain]}"
done
note "idle slabs kept by agent 2: $(ask 2 statistics "report['pool']")"
finish
