#!/bin/sh
# shellcheck disable=SC2154  # of whoever sources this: own, number, check, until_both, agent, start_agent, counter
# The socket suite with its two sides on two machines, each of which compares its own transcript with the one that it has of
# kernel TCP alone. Sourced by the suite's test of a testbed, which sets
#   side              server or client
#   domain_a          of the server's machine, domain_b of the client's: they are 127.44.0.1 and 127.44.0.2
#   meeting           the directory in which the relay meets this side; the server's is /tmp/case
#   part, parts       of the programs only every parts-th, from the part-th on; without them all
#   start_relay       a function that starts it, as $relay: past Xylem, so that nothing but the case itself goes over it
# What is passed within one process is not played here: it does not cross domains.
export CASE_ALARM_SECONDS=300 CASE_QUIET_MS=120 # of an emulator
patience=400
folder=/payload/bin/socket_suite
ipv6_programs="accept connect data end epoll"
ipv6_cases="connect/both_ends connect/connecting_twice data/peeking epoll/level_triggered end/half_close accept/several_callers
    accept/accept4"
selection=
: "${part:=0}" "${parts:=1}"
turn=0
# shellcheck source=/dev/null
[ ! -e /payload/options ] || . /payload/options
case $side in server) peers_address=127.44.0.2 ;; *) peers_address=127.44.0.1 ;; esac
mkdir -p /tmp/case "$meeting"
start_relay

# refer DIRECTORY PROGRAM CASE ADDRESS: both sides here, over TCP; unless that was done.
refer() {
    [ ! -e "$1/$side.txt" ] || return 0
    mkdir -p "$1"
    timeout $patience "$folder/$2" server "$1" "$4" "$3" 2>"$1/error" &
    timeout $patience "$folder/$2" client "$1" "$4" "$3" 2>>"$1/error"
    wait $!
}
# In an emulator an agent can be busy for seconds with a thousand ends that closed at once, and a connect waits a second for
# the far one's answer; after that it is TCP.
far_agent_answers() { xylem explain --domain "$own" "$peers_address:1" 2>&1 | grep -q 'no program listens'; }
settle() {
    tries=300
    until far_agent_answers; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return
        usleep 100000
    done
}
only_rings() { [ ! -s "/tmp/case/$side.transport" ] || ! grep -qv '^ring$' "/tmp/case/$side.transport"; }
rings=0

# play PROGRAM CASE ADDRESS TCP_ADDRESS LABEL
play() {
    refer "/tmp/reference/$4/$1/$2" "$1" "$2" "$4"
    rm -f /tmp/case/*
    [ "$side" = server ] || ln -s "$meeting/meeting" /tmp/case/meeting
    settle
    until_both
    # The library is the case's alone.
    env PATH="/usr/bin:$PATH" XYLEM_DOMAIN="$own" LD_PRELOAD=/payload/bin/libxylem.so timeout $patience "$folder/$1" "$side" /tmp/case "$3" "$2" 2>/tmp/case/error
    number=$((number + 1))
    if cmp -s "/tmp/reference/$4/$1/$2/$side.txt" "/tmp/case/$side.txt" && only_rings; then
        echo "ok $number - $1: $2$5"
    else
        echo "not ok $number - $1: $2$5"
        diff -U 2 "/tmp/reference/$4/$1/$2/$side.txt" "/tmp/case/$side.txt" 2>&1 | head -n 40 | sed 's/^/#   /'
        sort "/tmp/case/$side.transport" 2>/dev/null | uniq -c | sed 's/^/#   went over: /'
        head -n 10 /tmp/case/error | sed 's/^/#   /'
        xylem stat --domain "$own" --json | tr -d ' \n' | grep -oE '"connects_[a-z]*":[^,}]*}?' | sed 's/^/#   the agent: /'
    fi
    touch "/tmp/case/$side.transport"
    rings=$((rings + $(grep -c '^ring$' "/tmp/case/$side.transport")))
}
# is_wanted PROGRAM/CASE: /payload/options may select programs and cases.
is_wanted() {
    [ -n "$selection" ] || return 0
    for wanted in $selection; do
        case $1 in "$wanted" | "$wanted"[/_]*) return 0 ;; esac
    done
    return 1
}
# play_program PROGRAM ADDRESS TCP_ADDRESS LABEL
play_program() {
    turn=$((turn + 1))
    [ $((turn % parts)) = $((part % parts)) ] || return 0
    "$folder/$1" list >/tmp/list
    while read -r name _ <&7; do
        if is_wanted "$1/$name"; then play "$1" "$name" "$2" "$3" "$4"; fi
    done 7</tmp/list
}
# play_over_ipv4, play_over_ipv6: what of the suite belongs there.
play_over_ipv4() { for program in "$folder"/*; do play_program "${program##*/}" 127.44.0.1 127.44.0.1 ""; done; }
play_over_ipv6() {
    all=$selection
    selection=${all:-$ipv6_cases}
    for program in $ipv6_programs; do play_program "$program" ::1 ::1 ", over IPv6"; done
    selection=$all
}
end_suite() {
    check "rings carried the cases" [ "$rings" -gt 0 ]
    until_both
    kill "$relay"
    wait "$relay"
    sed 's/^/# relay: /' /tmp/relay
}
