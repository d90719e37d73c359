#!/bin/bash
# Connections that are used again: however the server waits, each has its own name and its own bytes; and whatever comes
# between (a fork, an exec, a dead client, another policy, another map) no connection and no end is lost.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/calls.sh
source tests/guest-lib/harness/calls.sh

echo "# nothing is denied" >"$scratch/policy"
printf '127.44.0.1 dom:1\n127.44.0.2 dom:2\n' >"$scratch/hosts"
start_domains --log-level warn --policy "$scratch/policy" --hosts "$scratch/hosts"

for way in accept select poll epoll edge oneshot nested threads; do
    serve "$way"
    check "a server that waits by $way is called again and again" all_right 200 100
    check "what a client kept goes with it ($way)" until_true 10 has_kept 1 0
    stop_server
    check "no end is left ($way)" until_true 10 holds_nothing 1
    check "no end is left in the other domain ($way)" until_true 10 holds_nothing 2
done

# What comes between -----------------------------------------------------------------------------------------------

for way in forks spawns; do
    serve "$way"
    check "a server that $way is called again and again" all_right 40 0
    stop_server
    check "no end is left (a server that $way)" until_true 10 holds_nothing 1
    check "no end is left in the other domain (a server that $way)" until_true 10 holds_nothing 2
done

becomes() { [[ $("$in_domain" 2 /usr/bin/python3 "$repeated" become 127.44.0.1 "$scratch/port") == 1 ]]; }
used_again_by() { # COMMAND...
    local before
    before=$(uses_again 2)
    "$@" && (($(uses_again 2) > before))
}
serve accept
check "a program takes a connection that was used again over exec" used_again_by becomes
stop_server

serve patient
for ((round = 1; round <= 5; ++round)); do
    check "nothing is left of a caller that is killed in the middle ($round)" killed_caller
done
check "the server is called as before" all_right 100 50
stop_server

# Another policy, another map: in the middle of a caller's calls -----------------------------------------------------

reloads() { # FILE
    local one two
    one=$(counter 1 "$1_reloads") two=$(counter 2 "$1_reloads")
    echo $((one + two))
}
has_reloaded() { (($(reloads "$1") == $2)); }

# change WHAT FILE TEXT: and both agents know it.
change() {
    local before
    before=$(reloads "$1")
    printf '%s\n' "$3" >"$scratch/$2~"
    mv "$scratch/$2~" "$scratch/$2"
    until_true 10 has_reloaded "$1" $((before + 2))
}

# second_half_on_tcp WHAT TEXT FILE: after the FILE that is WHAT to both agents became TEXT.
second_half_on_tcp() {
    local before
    first_half || return 1
    change "$1" "$3" "$2" || return 1
    has_kept 1 0 && has_kept 2 0 || return 1
    before=$(ring_connections 2)
    second_half || return 1
    echo "$(($(ring_connections 2) - before)) over rings"
    [[ $(ring_connections 2) == "$before" ]]
}

for victim in 1 2; do
    serve select
    first_half
    stop_agent "$victim" KILL
    start_agent "$victim" --log-level warn --policy "$scratch/policy" --hosts "$scratch/hosts"
    check "a caller whose agent, or the other one, is killed goes on ($victim)" second_half
    check "and kept ends serve again ($victim)" until_true 20 all_right 100 50
    stop_server
done

serve epoll
check "who is denied in the meantime is not let in again" second_half_on_tcp policy "deny from dom:2 to port any" policy
stop_server
change policy policy "# nothing is denied"
serve epoll
check "what the map gives to TCP in the meantime goes there" second_half_on_tcp map "127.44.0.1 tcp" hosts
stop_server
check "no end is left at last" until_true 10 holds_nothing 1
check "no end is left in the other domain at last" until_true 10 holds_nothing 2
finish
