#!/bin/bash
# memcached with four threads in one domain, the clients of libmemcached in another: eight threads that set and get,
# and values of nearly a megabyte.
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

need memcached memcslap memccp memccat
requests=$(pick 500 10000)
start_domains --log-level info
remember_agents

port=$(free_port_below 32000)
client() {
    local command=$1
    shift
    timeout 200 "$in_domain" 2 "$command" --servers="127.44.0.1:$port" "$@"
}
slap() { client memcslap --concurrency=8 --execute-number="$requests" --test="$1"; }
# There and back, byte by byte.
keep_values() {
    local n
    for ((n = 0; n < 10; ++n)); do
        head -c 900017 /dev/urandom >"$scratch/value$n"
        client memccp "$scratch/value$n" || return
    done
    for ((n = 0; n < 10; ++n)); do
        client memccat "value$n" | head -c -1 | cmp - "$scratch/value$n" || return
    done
}
# One connection for as long as this takes, on which the server answers every word.
talk_on_and_on() {
    /usr/bin/python3 - "$port" <<'SCRIPT'
import socket, sys, time
with socket.create_connection(("127.44.0.1", int(sys.argv[1]))) as server:
    answers = server.makefile("rb")
    for number in range(40):
        server.sendall(b"set talk 0 0 %d\r\n%d\r\nget talk\r\n" % (len(str(number)), number))
        said = [answers.readline() for _ in range(4)]
        assert said[0] == b"STORED\r\n" and said[2] == b"%d\r\n" % number, said
        time.sleep(0.1)
SCRIPT
}

serve memcached -u "$(id -un)" -l 127.44.0.1 -p "$port" -U 0 -t 4 -m 1024 # megabytes, so that nothing is put out
serves_on "$port"
client memcping >"$scratch/ping"
round "memcslap, set" 8 $((requests * 8 * 400)) slap set
round "memcslap, get" 8 $((requests * 8 * 400)) slap get
before=$(program_holds "$server")
round "values of 900 KB" 20 18000000 keep_values
check "the server holds what it held before" until_true_or_say 20 program_still_holds "$server" "$before"

export -f talk_on_and_on
agent_loss "a client" "$in_domain" 2 bash -c "port=$port; talk_on_and_on"
check "the server is offered again" until_true 20 listens 1 "$port"
round "values of 900 KB, afterwards" 20 18000000 keep_values
stop_server
check_leaks
report_row "memcached, libmemcached's clients" "$(version_of memcached) $(version_of libmemcached-tools)"
finish
