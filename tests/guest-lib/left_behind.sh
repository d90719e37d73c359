#!/bin/bash
# Who is left behind when an agent is killed, and then a program of its domain that nobody speaks for any more: as over
# TCP, the peer is told. And nobody else is, however long a program sleeps that lives.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh

program=$(realpath tests/guest-lib/harness/left_behind.py)
start_domains --log-level info

# begin NAME DOMAIN serve|call SERVER_DOMAIN DEED...: what it says is in $scratch/NAME, its process in ${pid[NAME]}.
declare -A pid=()
begin() {
    background "$2" /usr/bin/python3 "$program" "$3" "127.44.0.$4" "$scratch/port" "${@:5}" >"$scratch/$1" 2>&1
    pid[$1]=$background_pid
}
# begin_pair SERVER_DOMAIN DEED CALLER_DOMAIN DEED
begin_pair() {
    rm -f "$scratch/port" "$scratch/server" "$scratch/caller"
    begin server "$1" serve "$1" "$2"
    begin caller "$3" call "$1" "$4"
}
are_ready() { until_true 20 says server ready && until_true 20 says caller ready; }
says() { grep -qxE -- "$2" "$scratch/$1"; }
kill_program() {
    kill -KILL "${pid[$1]}"
    wait "${pid[$1]}" 2>/dev/null
}
left_behind() { counter "$1" left_behind; }
told='(end|ECONNRESET)'
is_one() { [[ $("$@") == 1 ]]; }

# told_once NAME DOMAIN BEFORE: NAME, a program of DOMAIN, is told, by no other way than that of its agent's look.
told_once() { says "$1" "$told" && (($(left_behind "$2") == $3 + 1)); }

# A program is killed while its agent is gone ------------------------------------------------------------------------

for victim in 1 2; do
    survivor=$((3 - victim))
    for role in server caller; do
        server=$victim other=caller deeds=(sleep wait)
        if [[ $role == caller ]]; then server=$survivor other=server deeds=(wait sleep); fi
        for return in before after never; do
            what="a killed $role of domain $victim, whose agent came back $return"
            if [[ $return == never ]]; then what="a killed $role of domain $victim, whose agent did not come back"; fi
            begin_pair "$server" "${deeds[0]}" $((3 - server)) "${deeds[1]}"
            check "they talk ($what)" are_ready
            before=$(left_behind "$survivor")
            stop_agent "$victim" KILL
            # `before`: the new agent never heard of the connection, and does not see its program go.
            if [[ $return == before ]]; then start_agent "$victim" --log-level info; fi
            check "a connection is there ($what)" is_one live_ends "$survivor"
            kill_program "$role"
            if [[ $return == after ]]; then start_agent "$victim" --log-level info; fi
            check "the peer of $what is told" until_true 20 told_once "$other" "$survivor" "$before"
            check "and its agent holds no end ($what)" until_true 20 has_no_ends "$survivor"
            if [[ $return == never ]]; then start_agent "$victim" --log-level info; fi
        done
    done
done

# Programs that live --------------------------------------------------------------------------------------------------

for victim in 1 2; do
    sleeper=server awake=caller deeds=(doze answer)
    if [[ $victim == 2 ]]; then sleeper=caller awake=server deeds=(answer doze); fi
    begin_pair 1 "${deeds[0]}" 2 "${deeds[1]}"
    check "they talk, before agent $victim is killed" are_ready
    stop_agent "$victim" KILL
    start_agent "$victim" --log-level info
    sleep 7
    check "nobody is told while a program of domain $victim sleeps" test "$(<"$scratch/$awake")" = ready
    sleep 2 # it wakes up, and sends
    check "and its connection still carries data" until_true 20 is_one live_ends "$victim"
    kill_program "$sleeper"
    check "both ways, to its end ($victim)" until_true 20 says "$awake" "awake$told"
    check "no end is left ($victim)" until_true 20 has_no_ends $((3 - victim))
done

begin_pair 1 wait 2 inherit
check "they talk, and the caller has a child" are_ready
child=$(head -n 1 "$scratch/caller")
stop_agent 2 KILL
kill_program caller
start_agent 2 --log-level info
sleep 3
check "nobody is told while a child has the connection" test "$(<"$scratch/server")" = ready
kill -KILL "$child"
check "and somebody is when it is killed" until_true 20 says server "$told"

# Many, and those that nobody accepted --------------------------------------------------------------------------------

rm -f "$scratch/port"
begin server 1 serve 1 count 200
begin dying 2 call 1 hold 100 a
begin living 2 call 1 hold 100 b
check "two callers have a hundred connections each" until_true 60 says server ready
before=$(left_behind 1)
stop_agent 2 KILL
start_agent 2 --log-level info
kill_program dying
check "those of a killed caller are ended" until_true 20 says server "ended 100 of a"
sleep 3
check "and no others" test "$(tail -n 1 "$scratch/server")" = "ended 100 of a" -a "$(live_ends 1)" = 100
check "in one look each" test "$(left_behind 1)" = $((before + 100))
kill_program living
check "those of the other one are, when it is killed, too" until_true 20 says server "ended 100 of a 100 of b"
check "no end is left of any" until_true 20 has_no_ends 1

rm -f "$scratch/port"
begin server 1 serve 1 listen
begin caller 2 call 1 queued
check "a caller waits to be accepted" until_true 20 says caller ready
stop_agent 1 KILL
start_agent 1 --log-level info
sleep 3
check "who waits in the queue of a killed agent is not told" test "$(<"$scratch/caller")" = ready
kill_program server
check "but is when the listener's program is killed" until_true 20 says caller "$told"
check "and no end is left of it" until_true 20 has_no_ends 2
finish
