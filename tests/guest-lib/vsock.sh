#!/bin/bash
# AF_VSOCK streams over rings: names and ports, connections within a domain and between two, unmodified programs
# (socat, Python), the errno of what cannot be, policy, reports, and a restarted agent.
#
# Where the kernel has AF_VSOCK, the cases about names run over it too, without the library, as the reference; those
# about connections cannot, since few kernels have a transport that stays on the machine. All else runs on a kernel
# that seems to have no AF_VSOCK (without_vsock) and, in domains that are nobody's cid, on what the kernel has: a
# connect that the library leaves to the kernel would reach another machine.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/apps.sh
source tests/guest-lib/harness/apps.sh
need socat

no_vsock=$programs/without_vsock
near=1001
far=1002
kernel_cid=$(/usr/bin/python3 -c '
import fcntl, socket, struct
socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
with open("/dev/vsock") as device:
    print(struct.unpack("I", fcntl.ioctl(device, socket.IOCTL_VM_SOCKETS_GET_LOCAL_CID, bytes(4)))[0])' 2>/dev/null)

# Cases in one program ------------------------------------------------------------------------------------------------

# cases LABEL COMMAND...: a line of TAP for each line of the program, and one for its end.
cases() {
    local label=$1 verdict name
    shift
    timeout -k 5 120 "$@" >"$scratch/cases" 2>"$scratch/cases.err"
    local status=$?
    while read -r verdict _ name; do
        case $verdict in
            ok) passed "$label: $name" ;;
            skip) skipped "$label: $name" "does not apply there" ;;
            *) failed "$label: ${name#* - }" ;;
        esac
    done <"$scratch/cases"
    check "$label: the program ends well" test "$status" -eq 0
    sed 's/^/#   /' "$scratch/cases.err"
}

start_agent "$near"
start_agent "$far"
for part in names streams; do
    cases "$part without the kernel's AF_VSOCK" "$in_domain" "$near" "$no_vsock" "$programs/vsock_cases_$part" "$near"
    if [[ -n $kernel_cid ]]; then
        cases "$part with the kernel's AF_VSOCK" "$in_domain" "$near" "$programs/vsock_cases_$part" "$near"
    else
        skipped "$part with the kernel's AF_VSOCK" "this kernel has none"
    fi
done
if [[ -n $kernel_cid ]]; then
    cases "names, the kernel's AF_VSOCK as reference" "$programs/vsock_cases_names" "$kernel_cid" reference
else
    skipped "names, the kernel's AF_VSOCK as reference" "this kernel has none"
fi
ports_used() { ask "$1" statistics '[q["used"] for q in report["quotas"] if q["name"] == "vsock_ports"][0]'; }
has_ports() { [[ $(ports_used "$1") == "$2" ]]; }
has_no_ports() { [[ $(ports_used "$1") == 0 ]]; }
check "nothing is left of their ports" until_true 20 has_no_ports "$near"
check "nothing is left of their connections" until_true 20 has_no_ends "$near"

# Python between two domains ------------------------------------------------------------------------------------------

cat >"$scratch/server.py" <<'PYTHON'
import hashlib, os, socket, sys
listener = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
listener.bind((socket.VMADDR_CID_ANY, socket.VMADDR_PORT_ANY))
listener.listen()
with open(sys.argv[1] + "~", "w") as file:
    print(listener.getsockname()[1], file=file)
os.rename(sys.argv[1] + "~", sys.argv[1])
connection, peer = listener.accept()
print("from", peer[0], "is", connection.getpeername() == peer, "at", connection.getsockname()[0], flush=True)
digest = hashlib.sha256()
while data := connection.recv(1 << 16):
    digest.update(data)
connection.sendall(digest.digest())
PYTHON
cat >"$scratch/client.py" <<'PYTHON'
import hashlib, select, socket, sys
cid, port, count = map(int, sys.argv[1:])
caller = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
caller.setblocking(False)
if caller.connect_ex((cid, port)) not in (0, 115):
    sys.exit("connect failed")
select.select([], [caller], [], 20)
assert caller.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
caller.setblocking(True)
assert caller.getpeername() == (cid, port), caller.getpeername()
data = bytes(range(256)) * 256
digest = hashlib.sha256()
for _ in range(count):
    caller.sendall(data)
    digest.update(data)
caller.shutdown(socket.SHUT_WR)
answer = b""
while piece := caller.recv(100):
    answer += piece
assert answer == digest.digest(), "other bytes came"
PYTHON
# python_between LABEL PREFIX...
python_between() {
    local label=$1 rings tcp
    shift
    rm -f "$scratch/port"
    rings=$(counter "$near" connects_ring)
    background "$far" "$@" /usr/bin/python3 "$scratch/server.py" "$scratch/port" >"$scratch/python.log" 2>&1
    check "Python listens$label" until_true 20 test -s "$scratch/port"
    check "Python sends to another domain and hears of all of it$label" timeout 60 "$in_domain" "$near" "$@" \
        /usr/bin/python3 "$scratch/client.py" "$far" "$(cat "$scratch/port")" 64
    check "Python's server ends well$label" wait "$background_pid"
    check "it knows who called$label" grep -qx "from $near is True at $far" "$scratch/python.log"
    check "over one ring$label" test "$(counter "$near" connects_ring)" -eq $((rings + 1))
    tcp=$(ask "$near" statistics 'report["programs"]["tcp_connections"]')
    check "and nothing else$label" test "$tcp" -eq 0
}
python_between "" "$no_vsock"
if [[ -n $kernel_cid ]]; then python_between ", on AF_VSOCK descriptors"; fi

# socat carries files -------------------------------------------------------------------------------------------------

start_agent 1
start_agent 2
head -c 100000000 /dev/urandom >"$scratch/file"
socat_listens() {
    rm -f "$scratch/copy"
    serve "$no_vsock" socat "$@"
    check "socat listens on $port" until_true 20 listens 1 "$port"
}
same_file() { until_true 20 cmp -s "$scratch/file" "$scratch/copy"; }
port=6001
socat_listens -u "VSOCK-LISTEN:$port" "CREATE:$scratch/copy"
carried "socat sends a file" 1000000 "$no_vsock" socat -u "OPEN:$scratch/file" "VSOCK-CONNECT:1:$port"
check "the file arrives whole" same_file
port=6002
socat_listens -u "OPEN:$scratch/file" "VSOCK-LISTEN:$port"
carried "socat fetches a file" 1000000 "$no_vsock" socat -u "VSOCK-CONNECT:1:$port" "CREATE:$scratch/copy"
check "the file arrives whole" same_file
port=6003
socat_listens "VSOCK-LISTEN:$port,fork" SYSTEM:"tr a-z A-Z"
echo_of() { [[ $(echo "$1" | timeout 20 "$in_domain" 2 "$no_vsock" socat - "VSOCK-CONNECT:1:$port") == "$2" ]]; }
check "socat serves one caller" echo_of hello HELLO
check "and another, in a child of its own" echo_of again AGAIN

# Which cid is whose ----------------------------------------------------------------------------------------------------

talks() { timeout 20 "$in_domain" "$1" "$no_vsock" socat -u OPEN:/dev/null "VSOCK-CONNECT:$2:$port" 2>"$scratch/socat.err"; }
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
