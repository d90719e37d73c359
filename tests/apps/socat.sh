#!/bin/bash
# socat: an echoing server that forks for each connection, bytes in both directions at once, half-closed connections,
# and a chain of relays through three domains.
# Functions are called by name, through check, round and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/apps.sh
source tests/guest-lib/harness/apps.sh
# shellcheck source=tests/apps/harness/programs.sh
source tests/apps/harness/programs.sh
# shellcheck source=tests/apps/harness/agent_loss.sh
source tests/apps/harness/agent_loss.sh

need socat
size=$(pick $((16 << 20)) $((512 << 20)))
clients=$(pick 20 300)
start_domains --log-level info
start_agent 3 --log-level info
remember_agents

port=$(free_port_below 32000)
relay=$(free_port_below 32000)
head -c "$size" /dev/urandom >"$scratch/file"
head -c 100003 /dev/urandom >"$scratch/small"

# through DOMAIN ADDRESS FILE: what the far side answers to FILE and the end of it is FILE.
# Both only read the file.
# shellcheck disable=SC2094
through() { timeout 120 "$in_domain" "$1" socat -t 60 - "TCP:$2" <"$3" | cmp - "$3"; }
many_in_turn() {
    local n
    for ((n = 0; n < clients; ++n)); do through 2 "127.44.0.1:$port" "$scratch/small" || return; done
}
many_at_once() {
    local n pids=()
    for ((n = 0; n < 16; ++n)); do
        through 2 "127.44.0.1:$port" "$scratch/small" &
        pids+=($!)
    done
    for n in "${pids[@]}"; do wait "$n" || return; done
}
slowly() {
    local n
    for ((n = 0; n < 40; ++n)); do
        tail -c +$((n * 2500 + 1)) "$scratch/small" | head -c 2500
        sleep 0.1
    done
    tail -c 3 "$scratch/small"
}
# One connection for as long as this takes; others come and go.
through_slowly() {
    slowly | timeout 120 "$in_domain" 2 socat -t 60 - "TCP:127.44.0.1:$port" >"$scratch/slow" &
    local slow=$!
    while kill -0 "$slow" 2>/dev/null; do through 2 "127.44.0.1:$port" "$scratch/small" || return; done
    wait "$slow" && cmp "$scratch/small" "$scratch/slow"
}
# From a program in domain 1 that says something and ends, to a file here.
from_a_program() {
    local said
    said=$(timeout 60 "$in_domain" 2 socat -u "TCP:127.44.0.1:$relay" -)
    [[ $said == "$(seq 1 20000)" ]]
}

serve socat "TCP-LISTEN:$port,bind=127.44.0.1,reuseaddr,fork,backlog=64" EXEC:cat
serves_on "$port"
round "$((size >> 20)) MB there and back" 1 $((2 * size)) through 2 "127.44.0.1:$port" "$scratch/file"
before=$(program_holds "$server")
round "$clients clients in turn" "$clients" $((200000 * clients)) many_in_turn
round "sixteen clients at once" 16 3200000 many_at_once
agent_loss "socat" through_slowly
check "the server is offered again" until_true 20 listens 1 "$port"
round "$clients clients, afterwards" "$clients" $((200000 * clients)) many_in_turn
background 3 socat "TCP-LISTEN:$relay,bind=127.44.0.3,reuseaddr,fork" "TCP:127.44.0.1:$port"
middle=$background_pid
check "the relay listens" until_true 20 listens 3 "$relay"
round "through a relay in a third domain" 2 $((4 * size)) through 2 "127.44.0.3:$relay" "$scratch/file"
kill -TERM "$middle" && wait "$middle"
background 1 socat "TCP-LISTEN:$relay,bind=127.44.0.1,reuseaddr,fork" "EXEC:seq 1 20000"
middle=$background_pid
check "the program's server listens" until_true 20 listens 1 "$relay"
round "the output of a program, to its end" 1 100000 from_a_program
kill -TERM "$middle" && wait "$middle"
check "the server holds what it held before" until_true_or_say 20 program_still_holds "$server" "$before"
kill -TERM "$server" && wait "$server"
check_leaks
report_row socat "$(version_of socat)"
finish
