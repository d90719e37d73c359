#!/bin/bash
# CPython's own network tests over kernel TCP and over rings: what passes over one passes over the other. The hosts map
# gives 127.0.0.1 and ::1 to the domain itself, so the sockets that these tests open on localhost run over rings.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/apps/harness/programs.sh
source tests/apps/harness/programs.sh

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
    modules=("$@")
elif is_full; then
    modules=("${all[@]}")
else
    modules=("${some[@]}")
fi

printf '%s\n' '127.0.0.1 dom:1' '::1 dom:1' >"$scratch/hosts"
start_agent 1 --log-level info --hosts "$scratch/hosts"
tests/apps/harness/suite_compare.py "$scratch" 1 "${modules[@]}"
tap_failed=$?
report_row "CPython's own tests" "$(version_of libpython3.11-testsuite)"
exit "$tap_failed"
