#!/bin/bash
# Socket calls do over rings what they do over kernel TCP: each case of the programs in this folder, one program a
# .cpp, is played over TCP, between two domains, and within one process, and the transcripts are compared.
# Arguments select cases: compare.sh [PROGRAM[/CASE]]...
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh

suite=tests/conformance/socket_suite
address=127.44.0.1
tcp_address=$address
label=
kernel=()
case_seconds=${CASE_SECONDS:-90}

# play SERVER_DOMAIN CLIENT_DOMAIN DIRECTORY PROGRAM CASE
play() {
    local server client status
    mkdir -p "$3"
    timeout "$case_seconds" "$in_domain" "$1" "${kernel[@]}" "$4" server "$3" "$address" "$5" 2>"$3/server.err" &
    server=$!
    timeout "$case_seconds" "$in_domain" "$2" "${kernel[@]}" "$4" client "$3" "$address" "$5" 2>"$3/client.err" &
    client=$!
    wait "$server"
    status=$?
    wait "$client" && ((status == 0))
}

# refer DIRECTORY PROGRAM CASE: the reference.
refer() { address=$tcp_address play tcp tcp "$@" && all_went_over tcp "$1"; }

play_within_one_process() {
    mkdir -p "$3"
    timeout "$case_seconds" "$in_domain" "$1" "${kernel[@]}" "$4" both "$3" "$address" "$5" 2>"$3/server.err"
}

# A connection that went elsewhere than expected is a failure even if nobody could tell.
all_went_over() { ! cat "$2"/*.transport 2>/dev/null | grep -qv "^$1\$"; }

# Cases that programs with a sanitizer's runtime cannot play, over whatever transport.
declare -A unsanitized_cases=(
    [a_poll_of_too_many]="a sanitizer's runtime looks at all items of a poll, also where there are none"
)

# compare NAME REFERENCE DIRECTORY CASE
compare() {
    local side differences=0
    for side in server client; do
        if ! diff -U 2 --label "tcp/$side" --label "ring/$side" "$2/$side.txt" "$3/$side.txt"; then differences=1; fi
        sed "s/^/$side: /" "$3/$side.err" 2>/dev/null | head -n 20
    done >"$3/report" 2>&1
    if ((differences == 0)) && all_went_over ring "$3"; then
        passed "$1"
        return
    fi
    failed "$1"
    all_went_over ring "$3" || echo "#   went over: $(cat "$3"/*.transport | sort | uniq -c | xargs)"
    sed 's/^/#   /' "$3/report"
}

wanted() {
    local selection
    if ((${#selections[@]} == 0)); then return; fi
    for selection in "${selections[@]}"; do
        if [[ $1 == "$selection" || $1 == "$selection"[/_]* ]]; then return; fi
    done
    return 1
}

# run_program NAME
run_program() {
    local name=$1 program=$XYLEM_BUILD/$suite/$1 cases case alone where reference
    if ! cases=$("$program" list); then
        failed "$name$label: its list of cases"
        return
    fi
    while read -r case alone; do
        wanted "$name/$case" || continue
        if [[ -n ${XYLEM_SANITIZER_RUNTIME:-} && -n ${unsanitized_cases[$case]:-} ]]; then
            skipped "$name: $case$label" "${unsanitized_cases[$case]}"
            continue
        fi
        where=$scratch/$address/$name/$case
        reference=$scratch/$tcp_address/$name/$case/tcp
        if [[ ! -d $reference ]] && ! refer "$reference" "$program" "$case"; then
            failed "$name: $case$label: the reference over TCP"
            cat "$reference/"*.err | sed 's/^/#   /'
            continue
        fi
        play 1 2 "$where/domains" "$program" "$case"
        compare "$name: $case$label" "$reference" "$where/domains" "$case"
        if [[ -n $alone ]]; then continue; fi
        play_within_one_process 1 1 "$where/both" "$program" "$case"
        compare "$name: $case$label, in one process" "$reference" "$where/both" "$case"
    done <<<"$cases"
}

arguments=("$@")
selections=("$@")
start_domains --log-level info
for source in "$suite"/*.cpp; do run_program "$(basename "$source" .cpp)"; done

# Over IPv6, some of them again: ::1 is domain 1.
stop_agent 1
stop_agent 2
printf '%s\n' '::1 dom:1' 'fd00::2 dom:2' '127.44.0.1 dom:1' '127.44.0.2 dom:2' >"$scratch/hosts"
start_domains --hosts "$scratch/hosts"
address=::1 tcp_address=$address label=", over IPv6"
if ((${#selections[@]} == 0)); then
    selections=(connect/both_ends connect/connecting_twice data/peeking epoll/level_triggered end/half_close
        accept/several_callers accept/accept4)
    for name in accept connect data end epoll; do run_program "$name"; done
fi

# Between nodes there is no AF_VSOCK: a cid names a domain of the own node.
if [[ -n ${XYLEM_TEST_NODES:-} ]]; then finish; fi

# Over AF_VSOCK, on stand-ins, those again that know of nothing but streams; TCP is the reference all the same.
address=vsock:1 tcp_address=127.44.0.1 label=", over AF_VSOCK" kernel=("$programs/without_vsock")
if ((${#arguments[@]} == 0)); then selections=(); fi
for name in data end fd handover mixed process program splice stdio; do run_program "$name"; done
if ((tap_number == 0)); then failed "no case is named ${arguments[*]}"; fi
check "domain 1 has no ends left" until_true 20 has_no_ends 1
check "domain 2 has no ends left" until_true 20 has_no_ends 2
finish
