#!/bin/bash
# Ten thousand idle connections cost next to no processor time and little memory, and leave nothing behind. They lie
# between two pairs of domains, since an agent promises no more ends than a quarter of its descriptors.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh

pairs=(1 3) # each with the domain after it
each_pair=5000
seconds=6
max_kib_each=64

ticks_of() { awk '{sub(/.*\) /, ""); print $12 + $13}' "/proc/$1/stat"; }
says() { grep -q "^$2" "$scratch/$1"; }

# Anonymous memory of all processes plus the pages of all memfds that the agents hold, in KiB. Every memfd counts
# once, whoever maps it.
memory_kib() {
    local anonymous folders
    folders=("${agent_pid[@]/#//proc/}")
    folders=("${folders[@]/%//fd}")
    anonymous=$(for pid in "${processes[@]}"; do awk '/^Pss_Anon:/ {print $2}' "/proc/$pid/smaps_rollup"; done |
        awk '{sum += $1} END {print sum}')
    find -L "${folders[@]}" -type f -printf '%D:%i %b %l\n' 2>/dev/null |
        sort -u -k1,1 | awk -v anonymous="$anonymous" '{blocks += $2} END {print int(anonymous + blocks / 2)}'
}

# hold_connections COUNT: of each pair. Leaves the ids of all processes in `processes`, first of the programs.
hold_connections() {
    local domain
    programs_pids=()
    for domain in "${pairs[@]}"; do
        rm -f "$scratch/port-$domain"
        "$in_domain" "$domain" "$programs/idle_connections" serve "127.44.0.$domain" "$scratch/port-$domain" "$1" \
            >"$scratch/server-$domain" <&8 &
        programs_pids+=("$!")
        "$in_domain" $((domain + 1)) "$programs/idle_connections" call "127.44.0.$domain" "$scratch/port-$domain" "$1" \
            >"$scratch/client-$domain" <&8 &
        client[domain]=$!
        programs_pids+=("$!")
    done
    started+=("${programs_pids[@]}")
    processes=("${programs_pids[@]}" "${agent_pid[@]}")
    for domain in "${pairs[@]}"; do
        check "$1 connections to domain $domain" until_true 120 says "server-$domain" ready
        check "$1 connections to domain $domain, the other end" until_true 120 says "client-$domain" ready
    done
}
let_go() {
    local domain
    kill "${client[@]}"
    for domain in "${pairs[@]}"; do check "domain $domain sees the ends" until_true 60 says "server-$domain" closed; done
    for domain in "${!agent_pid[@]}"; do check "domain $domain has no ends left" until_true 60 has_no_ends "$domain"; done
}
end_programs() {
    kill -KILL "${programs_pids[@]}"
    wait "${programs_pids[@]}" 2>/dev/null
}

ulimit -n "$(ulimit -Hn)"
limit=$(ulimit -n)
# An instrumented process is slow, and has no memory to spare.
if [[ -n ${XYLEM_SANITIZER_RUNTIME:-} ]]; then each_pair=500; fi
if [[ $limit != unlimited ]] && ((each_pair > limit / 4)); then
    each_pair=$((limit / 4))
    note "only $limit descriptors a process: $each_pair connections a pair"
fi
mkfifo "$scratch/hold"
exec 8<>"$scratch/hold"
declare -a client=() processes=() programs_pids=() ticks_before=() fds_before=()
for domain in "${pairs[@]}"; do
    start_agent "$domain" --log-level info
    start_agent $((domain + 1)) --log-level info
done

# Whatever is made once and kept is not counted as left behind.
hold_connections 1
before_kib=$(memory_kib)
let_go
end_programs
for domain in "${!agent_pid[@]}"; do fds_before[domain]=$(agent_descriptors "$domain"); done

hold_connections "$each_pair"
count=$((each_pair * ${#pairs[@]}))
for domain in "${pairs[@]}"; do
    check "all $each_pair connections to domain $domain go over rings" \
        test "$(cat "$scratch/server-$domain" "$scratch/client-$domain")" == $'ready ring\nready ring'
done
after_kib=$(memory_kib)
each=$(((after_kib - before_kib) / count))
note "$each KiB a connection: both ends, both agents ($before_kib KiB with one a pair, $after_kib KiB with $count)"
check "a connection costs at most $max_kib_each KiB" test "$each" -le "$max_kib_each"

for i in "${!processes[@]}"; do ticks_before[i]=$(ticks_of "${processes[i]}"); done
sleep "$seconds"
for i in "${!processes[@]}"; do
    used=$(($(ticks_of "${processes[i]}") - ticks_before[i]))
    limit=$((seconds * $(getconf CLK_TCK) / 100))
    name=$(</proc/"${processes[i]}"/comm)
    check "$name ($((i + 1)) of ${#processes[@]}) used $used ticks of at most $limit in $seconds s, with $count connections" \
        test "$used" -le "$limit"
done

let_go
end_programs
for domain in "${!agent_pid[@]}"; do
    check "agent $domain has no more descriptors than before (${fds_before[domain]})" until_true 20 agent_has_descriptors "$domain" "${fds_before[domain]}"
done
note "idle slabs kept by agent 2: $(ask 2 statistics "report['pool']")"
finish
