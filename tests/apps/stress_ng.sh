#!/bin/bash
# stress-ng --sock: pairs of processes that connect, send in every way there is, and close, over and over. Its sockets
# are of 127.0.0.1 and ::1, which the hosts map gives to the domain itself.
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

need stress-ng
seconds=$(pick 1 20)
printf '%s\n' '127.0.0.1 dom:1' '::1 dom:1' >"$scratch/hosts"
start_agent 1 --log-level info --hosts "$scratch/hosts"
remember_agents
# The client of a pair may be faster than its server; then the kernel refuses as well, and it tries again.
tolerated_reason=no_listener

run() {
    timeout $((seconds + 60)) "$in_domain" 1 stress-ng --temp-path "$scratch" --sock 2 --timeout "$seconds" --verify --metrics-brief "$@" >"$scratch/out" 2>&1
    local status=$?
    cat "$scratch/out"
    ((status == 0)) && ! grep -q -e 'fail:' -e 'unsuccessful' "$scratch/out"
}

for family in ipv4 ipv6; do
    for way in $(pick "send sendmmsg" "send sendmsg sendmmsg"); do
        round "sock over $family with $way" 10 100000 run --sock-domain "$family" --sock-opts "$way" --sock-type stream
    done
done
check_leaks
report_row "stress-ng --sock" "$(version_of stress-ng)"
finish
