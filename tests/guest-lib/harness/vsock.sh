# Sourced after domains.sh: programs about AF_VSOCK, and Python between two domains.
# shellcheck shell=bash disable=SC2154

near=1001
far=1002

# vsock_cases LABEL COMMAND...: a line of TAP for each line of the program, and one for its end.
vsock_cases() {
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

python_between() {
    local rings tcp
    rm -f "$scratch/port"
    rings=$(counter "$near" connects_ring)
    background "$far" timeout 60 /usr/bin/python3 "$scratch/server.py" "$scratch/port" >"$scratch/python.log" 2>&1
    check "Python listens" until_true 20 test -s "$scratch/port"
    check "Python sends to another domain and hears of all of it" timeout 60 "$in_domain" "$near" \
        /usr/bin/python3 "$scratch/client.py" "$far" "$(cat "$scratch/port")" 64
    wait "$background_pid"
    check "Python's server ends well" test $? -eq 0
    check "it knows who called" grep -qx "from $near is True at $far" "$scratch/python.log"
    check "over one ring" test "$(counter "$near" connects_ring)" -eq $((rings + 1))
    tcp=$(ask "$near" statistics 'report["programs"]["tcp_connections"]')
    check "and nothing else" test "$tcp" -eq 0
}
