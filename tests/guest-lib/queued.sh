#!/bin/bash
# Connections that wait in an accept queue when its agent dies: they are accepted all the same, with what was sent into
# them. The program that made them notices nothing.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh

queued=tests/guest-lib/harness/queued.py
count=8

# begin [DOMAIN]: a server that does not accept yet, and a client of DOMAIN (2) with all its connections made, which
# answers through $said.
begin() {
    local line
    rm -f "$scratch/port" "$scratch/go"
    background 1 /usr/bin/python3 "$queued" serve 127.44.0.1 "$scratch/port" "$scratch/go" "$count"
    exec {said}< <(timeout 60 "$in_domain" "${1:-2}" /usr/bin/python3 "$queued" call 127.44.0.1 "$scratch/port" "$count")
    read -r line <&"$said"
    [[ $line == connected ]]
}
# answered: once the server accepts.
answered() {
    local right
    touch "$scratch/go"
    read -r right <&"$said"
    echo "$right of $count answers"
    exec {said}<&-
    [[ $right == "$count" ]]
}
lose_agent() { # DOMAIN
    stop_agent "$1" KILL
    start_agent "$1" --log-level warn
}

start_domains --log-level warn

begin
lose_agent 1
check "what waited is accepted although the queue's agent was killed" answered

begin 1
lose_agent 1
check "also if the client is of the same domain" answered

begin 1
stop_agent 1 KILL
check "and also while there is no agent" answered
start_agent 1 --log-level warn

begin
lose_agent 1
lose_agent 2
check "and although the client's agent was killed, too" answered

begin
lose_agent 1
lose_agent 1
check "and although the next one was killed, too" answered

begin
stop_agent 1 KILL
sleep 3
start_agent 1 --log-level warn
check "and although the next one comes late" answered

begin
lose_agent 2
check "who loses the agent of the connecting side has its connections accepted" answered

for domain in 1 2; do check "no end is left in domain $domain" until_true 20 has_no_ends "$domain"; done

# The program behind the queue dies with the agent: nobody will accept.
begin
stop_agent 1 KILL
kill -KILL "$(child_of "$background_pid")" 2>/dev/null || kill -KILL "$background_pid"
start_agent 1 --log-level warn
refused() {
    local right
    read -r right <&"$said"
    echo "${right:-an error}"
    [[ ${right:-0} == 0 ]]
}
check "who waits for a program that is gone is told" refused
check "no end is left at last" until_true 20 has_no_ends 2
finish
