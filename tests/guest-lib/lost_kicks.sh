#!/bin/bash
# Kicks that do not arrive: whoever sends finds no way to the other side's doorbell, since an agent is dead or does not
# answer; or the one who sleeps looks at another connection by then. It may cost time; nobody may wait for ever.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh

player=$harness/lost_kicks.py
said() { grep -qx "$2" "$scratch/$1"; }
port=15000
# plays DOMAIN FILE ROLE ARGUMENT...: in the background, as $background_pid; what it says goes to the file.
plays() {
    local domain=$1 file=$2
    shift 2
    background "$domain" /usr/bin/python3 "$player" "$@" >"$scratch/$file" 2>&1
}

start_domains --log-level warn

# A set whose doorbell the sender never heard of ------------------------------------------------------------------------

plays 1 watcher watch 127.44.0.1 "$((++port))"
watcher=$background_pid
check "a server listens" until_true 20 said watcher listens
plays 2 sender late 127.44.0.1 "$port" "$scratch/go"
check "it waits for a connection's bytes with epoll" until_true 20 said watcher watches
stop_agent 2 KILL
touch "$scratch/go"
check "bytes come whose sender cannot ring, without an agent" until_true 20 said sender sent
check "and epoll_wait tells of them" until_true 30 said watcher told
wait "$watcher"
start_agent 2 --log-level warn

# A call on a connection that is used again, while the server's agent does not answer -----------------------------------

plays 1 server serve 127.44.0.1 "$((++port))"
check "another server listens" until_true 20 said server listens
plays 2 caller call 127.44.0.1 "$port" "$scratch/again"
caller=$background_pid
check "it answers a caller, who keeps the connection" until_true 20 said caller answered
kill -STOP "${agent_pid[1]}"
touch "$scratch/again"
sleep 2
kill -CONT "${agent_pid[1]}"
wait "$caller"
answered_twice() {
    cat "$scratch/caller" "$scratch/server"
    [[ $(grep -cx answered "$scratch/caller") == 2 ]]
}
check "and again, who called while the server's agent stood still" answered_twice

# A connection that is left for another, under a thread that sleeps -----------------------------------------------------

leaves() { [[ $(timeout 40 "$in_domain" 2 /usr/bin/python3 "$player" anew 127.44.0.1 "$port") == answered ]]; }
check "a program disconnects and connects again while a thread of its own sleeps in recv()" leaves

echo "1..$tap_number"
((tap_failed == 0))
