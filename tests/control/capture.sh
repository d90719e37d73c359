#!/bin/bash
# `xylem capture`: what programs moved is in the file, byte by byte, as tshark reads it; nothing else is, and nobody
# waits for it.
# Functions are called by name, through check and eventually.
# shellcheck disable=SC2317
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh
need xylemd libxylem.so tests/programs/without_vsock
command -v tshark >/dev/null || skip_all "tshark is not installed"

cat >"$scratch/hosts" <<'HOSTS'
127.44.0.1 dom:1
127.44.0.2 dom:2
fd00::44:1 dom:1
fd00::44:2 dom:2
HOSTS
in_1=("$xylem" run --domain 1 --hosts "$scratch/hosts" --)
in_2=("$xylem" run --domain 2 --hosts "$scratch/hosts" --)

# capture NAME DOMAIN OPTION...: begins one; it is $capture.
capture() {
    local name=$1 domain=$2
    shift 2
    "$xylem" capture --domain "$domain" --hosts "$scratch/hosts" "$@" >"$scratch/$name.out" 2>"$scratch/$name.err" &
    capture=$!
    check "capture $name begins" eventually 30 grep -q "Ctrl-C ends it" "$scratch/$name.err"
}
# ends NAME: it ends at a signal (a job of a script ignores interrupts); exit code and words are for the next check.
ends() {
    kill -TERM "$capture"
    wait "$capture"
    exit_code=$?
    stderr_text=$(<"$scratch/$1.err")
    stdout_text=
}
# fields FILE FILTER FIELD...: of the packets that pass, a line each.
fields() {
    local file=$1 filter=$2 field words=()
    shift 2
    for field in "$@"; do words+=(-e "$field"); done
    tshark -r "$file" -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -Y "$filter" -T fields "${words[@]}" 2>/dev/null
}
sum_of() { fields "$1" "$2" tcp.len | awk '{ sum += $1 } END { print sum + 0 }'; }
hex() { echo -n "$1" | od -An -tx1 | tr -d " \n"; }
count_of() { fields "$1" "$2" frame.number | wc -l; }

# Wrong usage ---------------------------------------------------------------------------------------------------------

run "$xylem" capture -w "$scratch/nowhere/file"
check "a file that cannot be made is an error" exits_and_complains 1 "^xylem: cannot write $scratch/nowhere/file: No such file"
run "$xylem" capture -s 0 -w "$scratch/x"
check "nothing of a piece is none of it" exits_and_complains 2 "^xylem: --snap-length is '0'; expected a number from 1 to 32768$"
run "$xylem" capture -p http -w "$scratch/x"
check "a port is a number" exits_and_complains 2 "^xylem: --port is 'http'"
run script -qec "$xylem capture" /dev/null
check "no capture file goes to a terminal" says "a capture file is not for a terminal"

# A server and a client -------------------------------------------------------------------------------------------------

head -c 3000000 /dev/urandom >"$scratch/file"
mkdir "$scratch/served"
cp "$scratch/file" "$scratch/served/data"
listens() { "$xylem" ls --domain 1 2>/dev/null | grep -qE "LISTEN .*:$1 "; }
serve() {
    local address=$1 port=$2
    "${in_1[@]}" python3 -S -m http.server --bind "$address" --directory "$scratch/served" "$port" >"$scratch/server-$port.log" 2>&1 </dev/null &
    eventually 30 listens "$port"
}
fetch() { "${in_2[@]}" curl -sf --retry 20 --retry-connrefused --retry-delay 1 -o "$scratch/copy" "$1" && cmp -s "$scratch/file" "$scratch/copy"; }

capture whole 1 -w "$scratch/whole.pcapng"
check "a server starts" serve 127.44.0.1 7610
check "a client fetches a file, captured at the server" fetch http://127.44.0.1:7610/data
run "$xylem" capture --domain 1 -w "$scratch/second.pcapng"
check "one captures at a time" exits_and_complains 1 "^xylem: somebody captures in domain 1 already$"
ends whole
check "a signal ends it, with a sum" exits_and_complains 0 "^xylem: [0-9]+ packets of [0-9]+ connections?, [0-9.]+M of payload; nothing was lost$"

file=$scratch/whole.pcapng
check "the file is whole" capinfos "$file"
check "its request is one for HTTP" test "$(fields "$file" http.request http.request.uri ip.dst)" = "/data	127.44.0.1"
tshark -r "$file" -q --export-objects "http,$scratch/objects" >/dev/null 2>&1
check "what was sent is in it, byte by byte" cmp "$scratch/file" "$scratch/objects/data"
check "it begins with a handshake" test "$(fields "$file" "tcp.port == 7610" tcp.flags.str | head -3 | tr -d '·\n ')" = "SASA"
check "it has an end" test "$(count_of "$file" "tcp.port == 7610 && tcp.flags.fin == 1")" -ge 1
check "nothing in it looks wrong to tshark" test "$(count_of "$file" "tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0 || _ws.malformed")" = 0
check "its first packet says of which program it is" grep -qE "^python3? \(pid [0-9]+\)$" <(fields "$file" "frame.comment" frame.comment)
check "its name is the domain's" test "$(fields "$file" "frame.number == 1" frame.interface_name)" = xylem-dom1
check "only who ran it may read the file" test "$(stat -c %a "$file")" = 600

# Selections ----------------------------------------------------------------------------------------------------------

check "another server starts, on IPv6" serve :: 7611
capture some 2 -s 100 -p 7611 -w "$scratch/some.pcapng"
check "a client fetches from one" fetch http://127.44.0.1:7610/data
check "and from the other" fetch "http://[fd00::44:1]:7611/data"
ends some
file=$scratch/some.pcapng
check "one port was wanted" test "$(count_of "$file" "tcp.port != 7611")" = 0
check "its connection is one of IPv6" test "$(fields "$file" "http.request" ipv6.dst)" = fd00::44:1
check "pieces are cut" test "$(fields "$file" "tcp.len > 100" frame.cap_len | sort -nu | tail -1)" = 160
check "their lengths are not" test "$(sum_of "$file" "tcp.srcport == 7611")" -gt 3000000

# In the middle, and to a pipe --------------------------------------------------------------------------------------------

cat >"$scratch/talk.py" <<'PYTHON'
import socket, sys, time
peer = socket.create_connection(("127.44.0.1", 7612))
peer.sendall(b"before")
print("begun", flush=True)
sys.stdin.readline()
peer.sendall(b"after")
assert peer.recv(10, socket.MSG_PEEK) == b"answer"
assert peer.recv(10) == b"answer"
peer.sendall(b"unread")
PYTHON
cat >"$scratch/answer.py" <<'PYTHON'
import socket
listener = socket.create_server(("127.44.0.1", 7612))
peer, _ = listener.accept()
while not peer.recv(100).endswith(b"after"):
    pass
peer.sendall(b"answer")
import time
time.sleep(0.5)
peer.close()
PYTHON
"${in_1[@]}" python3 -S "$scratch/answer.py" &
answer=$!
mkfifo "$scratch/go"
check "a server answers" eventually 30 listens 7612
"${in_2[@]}" python3 -S "$scratch/talk.py" <"$scratch/go" >"$scratch/begun" &
talk=$!
exec 7>"$scratch/go"
check "a connection is there already" eventually 30 test -s "$scratch/begun"
"$xylem" capture --domain 2 -q >"$scratch/middle.pcapng" 2>"$scratch/middle.err" &
capture=$!
check "a capture of it begins" eventually 30 test -s "$scratch/middle.pcapng"
sleep 0.2
echo >&7
exec 7>&-
wait "$talk" "$answer"
ends middle
check "without a word" is_quiet
file=$scratch/middle.pcapng
check "what was before is missing, and what is there is in its place" test \
    "$(fields "$file" "tcp.len > 0" tcp.seq_raw tcp.ack_raw tcp.payload | tr '\t\n' ',;')" \
    = "7,1,$(hex after);1,12,$(hex answer);12,7,$(hex unread);"
check "what is peeked at is there once" test "$(count_of "$file" "tcp.len == 6 && tcp.srcport == 7612")" = 1

# More than the file's disk takes -------------------------------------------------------------------------------------------

"$xylem" capture --domain 1 -w /dev/full >"$scratch/full.out" 2>"$scratch/full.err"
exit_code=$? stderr_text=$(<"$scratch/full.err")
check "a full disk is said" exits_and_complains 1 "^xylem: cannot write /dev/full: No space left on device$"
check "and stops nobody" fetch http://127.44.0.1:7610/data
echo kept >"$scratch/kept.pcapng"
capture busy 1 -w "$scratch/busy.pcapng"
run "$xylem" capture --domain 1 -w "$scratch/kept.pcapng"
check "what was in a file stays while another captures" test "$(<"$scratch/kept.pcapng")" = kept
ends busy
"$xylem" capture --domain 1 -w "$scratch/deaf.pcapng" 2>&- &
capture=$!
check "a capture without standard error begins" eventually 30 test -s "$scratch/deaf.pcapng"
kill -TERM "$capture"
wait "$capture"
check "and ends well" test $? = 0
check "of which nothing is in its file" test "$(head -c 4 "$scratch/deaf.pcapng" | od -An -tx1)" = " 0a 0d 0d 0a"
timeout 60 "$xylem" capture --domain 1 2>"$scratch/cut.err" | head -c 100 >/dev/null
check "who reads a pipe may stop, though nothing happens" test "${PIPESTATUS[*]}" = "0 0"
mkfifo "$scratch/slow"
exec 8<>"$scratch/slow"
"$xylem" capture --domain 1 -w "$scratch/slow" 2>"$scratch/slow.err" &
capture=$!
check "a capture into a pipe begins" eventually 30 grep -q "Ctrl-C ends it" "$scratch/slow.err"
check "that nobody reads" fetch http://127.44.0.1:7610/data
kill -TERM "$capture"
sleep 0.3
kill -TERM "$capture"
check "two signals end it" eventually 10 test ! -e "/proc/$capture/cmdline"
wait "$capture"
check "which is a failure" test $? = 1
check "and says that not all was written" grep -q "^xylem: stopped before all was written to $scratch/slow" "$scratch/slow.err"
exec 8>&-

# Within a domain, in fork children, reset, and of AF_VSOCK -------------------------------------------------------------------

cat >"$scratch/within.py" <<'PYTHON'
import os, socket, struct
listener = socket.create_server(("127.44.0.1", 7613))
caller = socket.create_connection(("127.44.0.1", 7613))
called, _ = listener.accept()
caller.sendall(b"question")
assert called.recv(100) == b"question"
if os.fork() == 0:
    called.sendall(b"answer of the child")
    os._exit(0)
os.wait()
assert caller.recv(100) == b"answer of the child"
called.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
called.close()
try:
    caller.recv(1)
    raise SystemExit("no reset")
except ConnectionResetError:
    pass
PYTHON
cat >"$scratch/vsock.py" <<'PYTHON'
import socket
listener = socket.socket(socket.AF_VSOCK)
listener.bind((socket.VMADDR_CID_ANY, 5000))
listener.listen()
caller = socket.socket(socket.AF_VSOCK)
caller.connect((1, 5000))
called, _ = listener.accept()
caller.sendall(b"by cid")
assert called.recv(100) == b"by cid"
caller.close()
assert called.recv(100) == b""
called.close()
PYTHON
capture within 1 -w "$scratch/within.pcapng"
run "${in_1[@]}" python3 -S "$scratch/within.py"
check "a program talks to itself and to its child" exits 0
run "${in_1[@]}" "$build/tests/programs/without_vsock" python3 -S "$scratch/vsock.py"
check "and over AF_VSOCK" exits 0
ends within
file=$scratch/within.pcapng
check "each byte is there once" test "$(sum_of "$file" "tcp.port == 7613")" = 27
check "the child's too" test "$(fields "$file" "tcp.port == 7613 && tcp.len == 19" tcp.payload)" = "$(hex "answer of the child")"
check "it ends with a reset" test "$(fields "$file" "tcp.port == 7613" tcp.flags.reset | tail -1)" = 1
check "nothing in it looks wrong" test "$(count_of "$file" "tcp.analysis.flags || _ws.malformed")" = 0
check "AF_VSOCK is on its own interface" test "$(fields "$file" vsock frame.interface_id | sort -u)" = 1
check "with its bytes" test "$(fields "$file" "vsock.op == 4" vsock.payload)" = "$(hex "by cid")"

# Many programs and the end of the agent ------------------------------------------------------------------------------

capture many 1 -w "$scratch/many.pcapng"
for _ in 1 2 3 4 5; do "${in_2[@]}" curl -sf -o /dev/null http://127.44.0.1:7610/data & done
for job in $(jobs -p | tail -5); do wait "$job"; done
ends many
file=$scratch/many.pcapng
check "five connections are in it" test "$(fields "$file" http.request tcp.stream | sort -u | wc -l)" = 5
lost=$(grep -oE "^xylem: [0-9]+ pieces? lost" "$scratch/many.err")
check "with all their bytes, or what is missing is counted" test -n "$lost" -o "$(sum_of "$file" "tcp.srcport == 7610 && http")" -gt 0
if [[ -z $lost ]]; then
    check "all of them" test "$(fields "$file" "tcp.srcport == 7610" tcp.len | awk '{ sum += $1 } END { print (sum > 15000000) }')" = 1
fi

capture orphan 1 -w "$scratch/orphan.pcapng"
for agent in $(agents); do kill -KILL "$agent"; done
wait "$capture"
exit_code=$? stderr_text=$(<"$scratch/orphan.err")
check "without an agent it ends, and says so" exits_and_complains 1 "^xylem: the agent of domain 1 is gone$"
check "its file is whole" capinfos "$scratch/orphan.pcapng"
done_testing
