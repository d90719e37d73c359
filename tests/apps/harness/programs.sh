# Sourced after domains.sh and apps.sh: rounds of a program over rings, what they leave behind, and the line that
# the program gets in the table of `make check-apps`. XYLEM_APPS=full runs the long form of every test.
# shellcheck shell=bash disable=SC2154

is_full() { [[ ${XYLEM_APPS:-quick} == full ]]; }
# pick QUICK FULL
pick() { if is_full; then echo "$2"; else echo "$1"; fi; }

# What the agents of those domains have counted: "connections bytes tcp_connects reasons". A script that sets
# tolerated_reason has connects to TCP for it that are not counted.
tolerated_reason=
counted_by() {
    local domain
    for domain in "$@"; do ask "$domain" statistics '__import__("json").dumps(report)'; done |
        /usr/bin/python3 -c '
import collections, json, sys
rings = sent = 0
failed = collections.Counter()
for line in sys.stdin:
    report = json.loads(line)
    rings += report["counters"]["connects_ring"] + report["counters"]["uses_again"]
    sent += report["counters"]["tx_bytes"]
    failed.update(report["connects_failed"])
print(rings, sent, sum(n for r, n in failed.items() if r != sys.argv[1]), ",".join(f"{r}:{n}" for r, n in sorted(failed.items())) or "-")' "$tolerated_reason"
}
# The same of all agents since the script began, with those that were killed (agent_loss.sh).
lost_totals=(0 0 0)
totals() {
    local counted
    read -r -a counted < <(counted_by "${!agent_pid[@]}")
    echo "$((counted[0] + lost_totals[0])) $((counted[1] + lost_totals[1])) $((counted[2] + lost_totals[2])) ${counted[3]}"
}

# round NAME LEAST_CONNECTIONS LEAST_BYTES COMMAND...: a shell function or command; it ends well, rings carried at
# least so much of it, and no connect went to TCP.
round() {
    local round_name=$1 least_rings=$2 least_bytes=$3 round_status=0 round_before round_after round_rings round_bytes
    shift 3
    read -r -a round_before < <(totals)
    "$@" >"$scratch/round.log" 2>&1 || round_status=$?
    read -r -a round_after < <(totals)
    round_rings=$((round_after[0] - round_before[0]))
    round_bytes=$((round_after[1] - round_before[1]))
    if ((round_status == 0)); then
        passed "$round_name"
    else
        failed "$round_name: ends with $round_status"
        tail -n 20 "$scratch/round.log" | sed 's/^/#   /'
    fi
    note "$round_name: $round_rings ring connections, $round_bytes bytes over rings"
    check "$round_name: rings carried it" test "$round_rings" -ge "$least_rings" -a "$round_bytes" -ge "$least_bytes"
    check "$round_name: nothing went over TCP" test "${round_after[2]}" -eq "${round_before[2]}"
}

# Leaks -------------------------------------------------------------------------------------------------------

# What a domain holds when it holds no connection: ends, slabs in use, listeners.
held_by() {
    ask "$1" statistics '(lambda used: "ends %d waiting %d slab_bytes %d listeners %d" % (used["ends"],
        report["pool"]["waiting"], used["memory"], used["listeners"]))(
        {quota["name"]: quota["used"] for quota in report["quotas"]})'
}
holds_nothing() {
    local held
    held=$(held_by "$1")
    echo "$held"
    [[ $held == "ends 0 waiting 0 slab_bytes 0 listeners 0" ]]
}
# The program's own descriptors, and the connections that are mapped: the library's descriptors stand at the top of
# the limit, and those by which it rings doorbells of others are kept for the next time.
program_holds() {
    local top
    top=$(awk '/^Max open files/ { print $4 / 2 }' "/proc/$1/limits") || return
    echo "descriptors $(find "/proc/$1/fd" -mindepth 1 -printf '%f\n' | awk -v top="$top" '$1 < top' | wc -l)" \
        "mappings $(grep -c -e memfd:xylem-slab -e memfd:xylem-end "/proc/$1/maps")"
}
# program_still_holds PID WHAT: what program_holds() said before, or less where that met a connection that had just ended.
program_still_holds() {
    local now
    now=$(program_holds "$1")
    echo "now: $now, before: $2"
    [[ ${now% *} == "${2% *}" ]] && ((${now##* } <= ${2##* }))
}

declare -A agent_descriptors_before=()
remember_agents() {
    local domain
    for domain in "${!agent_pid[@]}"; do agent_descriptors_before[$domain]=$(agent_descriptors "$domain"); done
}
# Once all programs are gone: no end, slab, listener or descriptor is left at any agent.
check_leaks() {
    local domain
    for domain in "${!agent_pid[@]}"; do
        check "domain $domain holds no end, slab or listener any more" until_true_or_say 20 holds_nothing "$domain"
        check "the agent of domain $domain holds no more descriptors than before" \
            until_true_or_say 20 agent_has_descriptors "$domain" "${agent_descriptors_before[$domain]}"
    done
}
until_true_or_say() {
    until_true "$@" >/dev/null && return
    shift
    "$@"
}

# The table ---------------------------------------------------------------------------------------------------

# Where a row of the full run's table goes: program, version, connections, bytes, connects over TCP and why, result.
report_row() {
    local name=$1 version=$2 rings bytes failed why result=ok
    read -r rings bytes failed why < <(totals)
    if ((tap_failed > 0)); then result="$tap_failed FAILED"; fi
    note "$name $version: $rings ring connections, $bytes bytes, $failed connects over TCP ($why): $result"
    if [[ -n ${XYLEM_APPS_TABLE:-} ]]; then
        printf '%s|%s|%s|%s|%s %s|%s\n' "$name" "$version" "$rings" "$bytes" "$failed" "$why" "$result" >>"$XYLEM_APPS_TABLE"
    fi
}
version_of() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null || echo unknown; }

# Ratios ------------------------------------------------------------------------------------------------------

median() { printf '%s\n' "$@" | sort -g | sed -n "$((($# + 1) / 2))p"; }
# ratio NAME UNIT FUNCTION: FUNCTION tcp and FUNCTION 2 print one figure; three times each, in turn. Says medians.
ratio() {
    local name=$1 unit=$2 function=$3 tcp=() ring=() a b
    for _ in 1 2 3; do
        tcp+=("$("$function" tcp)")
        ring+=("$("$function" 2)")
    done
    a=$(median "${tcp[@]}") b=$(median "${ring[@]}")
    note "ratio: $name: TCP $a $unit, Xylem $b $unit: $(awk -v a="$a" -v b="$b" 'BEGIN { if (a > 0) printf "%.2f", b / a; else print "none" }')"
    if [[ -n ${XYLEM_APPS_TABLE:-} ]]; then
        printf '%s|%s|%s|%s\n' "$name" "$unit" "${tcp[*]}" "${ring[*]}" >>"$XYLEM_APPS_TABLE.ratios"
    fi
}
