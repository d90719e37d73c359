#!/bin/bash
# AF_VSOCK streams over rings: names and ports, connections within a domain and between two, unmodified programs
# (socat, Python), the errno of what cannot be, policy, reports, and a restarted agent.
#
# All of it runs on a kernel that seems to have no AF_VSOCK (without_vsock): on what the kernel has, a connect that
# the library leaves to the kernel would reach another machine. That is vsock_kernel.sh.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
without_vsock=${XYLEM_BUILD:-build/release}/tests/programs/without_vsock
if [[ -z ${VSOCK_IS_HIDDEN:-} ]]; then VSOCK_IS_HIDDEN=yes exec "$without_vsock" bash tests/guest-lib/vsock.sh; fi
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/apps.sh
source tests/guest-lib/harness/apps.sh
# shellcheck source=tests/guest-lib/harness/vsock.sh
source tests/guest-lib/harness/vsock.sh
need socat

start_agent "$near"
start_agent "$far"
for part in names streams handover; do
    vsock_cases "$part" "$in_domain" "$near" "$programs/vsock_cases_$part" "$near" stand-in
done
ports_used() { ask "$1" statistics '[q["used"] for q in report["quotas"] if q["name"] == "vsock_ports"][0]'; }
has_ports() { [[ $(ports_used "$1") == "$2" ]]; }
has_no_ports() { [[ $(ports_used "$1") == 0 ]]; }
check "nothing is left of their ports" until_true 20 has_no_ports "$near"
check "nothing is left of their connections" until_true 20 has_no_ends "$near"
python_between

# socat carries files -------------------------------------------------------------------------------------------------

start_agent 1
start_agent 2
head -c 100000000 /dev/urandom >"$scratch/file"
socat_listens() {
    rm -f "$scratch/copy"
    serve socat "$@"
    check "socat listens on $port" until_true 20 listens 1 "$port"
}
same_file() { until_true 20 cmp -s "$scratch/file" "$scratch/copy"; }
port=6001
socat_listens -u "VSOCK-LISTEN:$port" "CREATE:$scratch/copy"
carried "socat sends a file" 1000000 socat -u "OPEN:$scratch/file" "VSOCK-CONNECT:1:$port"
check "the file arrives whole" same_file
port=6002
socat_listens -u "OPEN:$scratch/file" "VSOCK-LISTEN:$port"
carried "socat fetches a file" 1000000 socat -u "VSOCK-CONNECT:1:$port" "CREATE:$scratch/copy"
check "the file arrives whole" same_file
port=6003
socat_listens "VSOCK-LISTEN:$port,fork" SYSTEM:"tr a-z A-Z"
echo_of() { [[ $(echo "$1" | timeout 20 "$in_domain" 2 socat -t 10 - "VSOCK-CONNECT:1:$port") == "$2" ]]; }
check "socat serves one caller" echo_of hello HELLO
check "and another, in a child of its own" echo_of again AGAIN

# Which cid is whose ----------------------------------------------------------------------------------------------------

talks() { timeout 20 "$in_domain" "$1" socat -u OPEN:/dev/null "VSOCK-CONNECT:$2:$port" 2>"$scratch/socat.err"; }
fails_with() {
    ! talks "$1" "$2" || return
    grep -q "$3" "$scratch/socat.err" || { cat "$scratch/socat.err"; return 1; }
}
check "cid 1 is domain 1 where it has an agent" talks "$near" 1
check "a domain without an agent is no device" fails_with 2 77 "No such device"
check "a domain without a listener resets" fails_with 1 2 "Connection reset by peer"
check "cid 2 is domain 2, if it has an agent" fails_with "$near" 2 "Connection reset by peer"

explains() { "$XYLEM_BUILD/xylem" explain --domain "$1" "$2" | grep -q "$3"; }
check "explain: a ring" explains 2 "vsock:1:$port" 'transport  ring'
check "explain: no listener" explains 2 vsock:1:6999 'transport  vsock: no program listens'
check "explain: no agent" explains 2 vsock:77 'none answers in that domain'
lists() { "$XYLEM_BUILD/xylem" ls --domain 1 | grep -Eq "LISTEN +ring +vsock:\*:$port "; }
check "ls shows the listener" lists

# A policy of domain 1; what it denies has no other way.
stop_agent 1
echo "deny from dom:2 to port any" >"$scratch/policy"
start_agent 1 --policy "$scratch/policy"
check "the listener is known to the new agent" until_true 20 listens 1 "$port"
check "its port is the same socket's again" until_true 20 has_ports 1 1
check "the policy denies it" fails_with 2 1 "Connection reset by peer"
check "and allows it to others" talks "$near" 1
stop_server
check "a port is free when its program was killed" until_true 20 has_no_ports 1

# Without agents ----------------------------------------------------------------------------------------------------------

stop_agent 1
check "cid 1 is the own domain where domain 1 has no agent" fails_with 2 1 "Connection reset by peer"
check "without an agent the kernel's answer stands" fails_with 1 2 "Address family not supported"
finish
