#!/bin/bash
# CPython's own network tests over kernel TCP and over rings: what passes over one passes over the other, also while the
# agent is killed and started again. The hosts map gives 127.0.0.1 and ::1 to the domain itself, so the sockets that
# these tests open on localhost run over rings.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/apps/harness/programs.sh
source tests/apps/harness/programs.sh
# shellcheck source=tests/apps/harness/agent_loss.sh
source tests/apps/harness/agent_loss.sh

if ! /usr/bin/python3 -c 'import test.test_socket' 2>"$scratch/import"; then
    echo "CPython's tests are not installed: $(tail -n 1 "$scratch/import")"
    exit 77
fi
some=(
    'test.test_socket:*TCP*:*NonBlockingTCP*:*FileObject*:*UnbufferedFile*:*CreateServer*:*BasicTCP*:*InheritanceTest*'
    test.test_epoll
    test.test_socketserver
    'test.test_ftplib:*.TestFTPClass.*'
    test.test_smtplib
    test.test_httplib
    test.test_httpservers
    test.test_urllib2_localnet
    'test.test_asyncio.test_sock_lowlevel'
    'test.test_asyncio.test_sendfile'
    'test.test_asyncio.test_server'
    'test.test_asyncio.test_streams'
)
some_without_agent=(
    "${some[0]}"
    test.test_socketserver
    test.test_httplib
    test.test_httpservers
    'test.test_asyncio.test_streams'
)
all=(
    test.test_socket
    test.test_socketserver
    test.test_selectors:quiet
    test.test_select:quiet
    test.test_poll:quiet
    test.test_epoll
    test.test_asyncio
    test.test_ssl
    test.test_httplib
    test.test_httpservers
    test.test_ftplib
    test.test_smtplib
    test.test_urllib2_localnet
    test.test_xmlrpc
    'test.test_multiprocessing_fork:*WithManagers*:*Listener*:*Connection*'
    'test.test_multiprocessing_spawn:*WithManagers*:*Listener*:*Connection*'
)
# Arguments select modules.
if (($# > 0)); then
    modules=("$@") without_agent=("$@")
elif is_full; then
    modules=("${all[@]}") without_agent=("${all[@]}")
else
    modules=("${some[@]}") without_agent=("${some_without_agent[@]}")
fi

# The points that suite_compare.py has printed, and its exit code.
take_over() {
    local bad
    bad=$(grep -c '^not ok' "$scratch/points")
    tap_number=$((tap_number + $(grep -c '^ok' "$scratch/points") + bad))
    tap_failed=$((tap_failed + bad))
    cat "$scratch/points"
    check "all modules were run" test "$1" -eq $((bad > 0))
}

printf '%s\n' '127.0.0.1 dom:1' '::1 dom:1' >"$scratch/hosts"
start_agent 1 --log-level info --hosts "$scratch/hosts"
remember_agents
tests/apps/harness/suite_compare.py "$scratch" 1 "${modules[@]}" >"$scratch/points"
take_over $?

read -r -a before < <(totals)
tests/apps/harness/suite_compare.py --agent-loss "$scratch" 1 "${without_agent[@]}" >"$scratch/points" &
comparison=$!
lose_agents "$comparison" "$(pick 0.4 2)"
wait "$comparison"
take_over $?
read -r -a after < <(totals)
note "the agent was killed $losses times; between that, rings carried $((after[0] - before[0])) connections, $((after[1] - before[1])) bytes"
check "the agent was killed again and again" test "$losses" -ge 2
check "rings carried connections and bytes between that" test "${after[0]}" -gt "${before[0]}" -a "${after[1]}" -gt "${before[1]}"
check_leaks
report_row "CPython's own tests" "$(version_of libpython3.11-testsuite)"
finish
