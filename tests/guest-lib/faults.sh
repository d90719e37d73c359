#!/bin/bash
# What happens to a connection when a process or an agent is killed in the middle of a transfer, and which
# connections go over TCP. Nothing may hang, and no byte may be wrong.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/transfers.sh
source tests/guest-lib/harness/transfers.sh


start_domains --log-level info

over ring "a transfer between two domains goes over the ring" 1 2 127.44.0.1 20000000
over ring "a transfer within one domain goes over the ring" 1 1 127.44.0.1 20000000

# A process is killed ---------------------------------------------------------------------------------------------

# What the survivor says is an end or a reset, after some bytes, and it says so in time.
survivor_noticed() {
    echo "$(cat "$where/$1"), exit code $2"
    [[ $(cat "$where/$1") =~ ^[1-9][0-9]*\ [0-9a-f]+\ (end|ECONNRESET|EPIPE)\ ring$ ]]
}

# ended_for SIDE WORD: that side came to this end, after some bytes.
ended_for() {
    cat "$where/$1"
    [[ $(cat "$where/$1") =~ ^[1-9][0-9]*\ [0-9a-f]+\ $2\ ring$ ]]
}

begin_transfer 1 2 127.44.0.1 "$scratch/never"
check "bytes flow" until_true 20 bytes_moved 1 1000000
kill -KILL "$(child_of "$sender")"
end_transfer
check "the receiver of a killed sender is told" survivor_noticed receive "$receiver_code"

begin_transfer 1 2 127.44.0.1 "$scratch/never"
check "bytes flow again" until_true 20 bytes_moved 1 1000000
kill -KILL "$(child_of "$receiver")"
end_transfer
check "the sender to a killed receiver is told" survivor_noticed send "$sender_code"

begin_transfer 1 2 127.44.0.1 "$scratch/never" -p 200
check "a slow transfer has begun" until_true 20 bytes_moved 1 1
kill -KILL "$(child_of "$sender")"
end_transfer
check "the sleeping receiver of a killed sender is told" survivor_noticed receive "$receiver_code"
check "no ends are left" until_true 20 has_no_ends 1
check "no ends are left in the other domain" until_true 20 has_no_ends 2

# An agent is killed ----------------------------------------------------------------------------------------------

for victim in 1 2; do
    stop_file=$scratch/stop-$victim
    begin_transfer 1 2 127.44.0.1 "$stop_file" -p 1
    check "a transfer is under way, before agent $victim is killed" until_true 20 bytes_moved 1 1000000
    stop_agent "$victim" KILL
    survivor=$((3 - victim))
    before=$(ring_bytes "$survivor")
    check "the transfer goes on without agent $victim" until_true 20 bytes_moved "$survivor" $((before + 1000000))
    start_agent "$victim" --log-level info
    before=$(ring_bytes "$survivor")
    check "the transfer goes on beside the new agent $victim" until_true 20 bytes_moved "$survivor" $((before + 1000000))
    touch "$stop_file"
    end_transfer
    check "the transfer that lost agent $victim comes to its end" went_well ring
    check "no ends are left behind by the loss of agent $victim" until_true 20 has_no_ends "$survivor"
done

# begin_listener WHAT [-p MILLISECONDS]
begin_listener() {
    where=$(mktemp -d "$scratch/transfer-XXXXXX")
    background 1 timeout -k 5 "$patience" "$transfer" receive 127.44.0.1 "$where/port" "${@:2}" >"$where/receive" 2>&1
    receiver=$background_pid
    check "somebody listens ($1)" until_true 20 test -s "$where/port"
}

# A sender that sleeps before a full ring sees its agent die and names its end to the next one. That has no memory
# of the connection; so once the sender is killed as well, the receiver's agent ends the connection in its place.
begin_listener "and reads slowly" -p 10
background 2 timeout -k 5 "$patience" "$transfer" send 127.44.0.1 "$where/port" "$scratch/never" >"$where/send" 2>&1
sender=$background_pid
check "its sender has filled the ring" until_true 20 bytes_moved 2 1000000
stop_agent 2 KILL
start_agent 2 --log-level info
has_an_end() { [[ $(live_ends "$1") == 1 ]]; }
check "the sender's new agent learns of the connection" until_true 20 has_an_end 2
kill -KILL "$(child_of "$sender")"
end_transfer
check "the receiver of a sender that rejoined and was killed comes to the end" ended_for receive end
check "no ends are left behind by the killed sender" until_true 20 has_no_ends 1

call_listener() {
    background 2 timeout -k 5 "$patience" "$transfer" send 127.44.0.1 "$where/port" 3000000 >"$where/send" 2>&1
    sender=$background_pid
    end_transfer
}

# Where all agents that made a connection are gone, nobody but the two programs has its memory. One that dies then is told
# of all the same, however the other one waits.
cat >"$scratch/waits_for_end.py" <<'SCRIPT'
import select, socket, sys
listener = socket.create_server(("127.44.0.1", 0))
with open(sys.argv[1], "w") as file:
    print(listener.getsockname()[1], file=file)
peer, _ = listener.accept()
listener.close()
while True:
    if sys.argv[2] in ("poll", "epoll"):
        waiting = getattr(select, sys.argv[2])()
        waiting.register(peer, select.POLLIN)
        waiting.poll()
    elif sys.argv[2] == "select":
        select.select([peer], [], [])
    try:
        said = peer.recv(100)
    except ConnectionResetError:
        said = b""
    if not said: break
    print(said.decode(), flush=True)
print("end", flush=True)
SCRIPT
cat >"$scratch/says_and_stays.py" <<'SCRIPT'
import socket, sys
with socket.create_connection(("127.44.0.1", int(sys.argv[1]))) as caller:
    caller.sendall(b"here")
    caller.recv(1)
SCRIPT
has_ends() { [[ $(live_ends "$1") == "$2" ]]; }
for how in "recv 2" "poll 2" "epoll 2" "select 2" "recv 1"; do
    read -r wait caller_domain <<<"$how"
    port_file=$scratch/waits_for_end_$wait$caller_domain
    background 1 /usr/bin/python3 "$scratch/waits_for_end.py" "$port_file" "$wait" >"$port_file.said"
    until_true 20 test -s "$port_file"
    background "$caller_domain" /usr/bin/python3 "$scratch/says_and_stays.py" "$(cat "$port_file")"
    caller=$background_pid
    check "a program waits with $wait for one of domain $caller_domain" until_true 20 grep -qx here "$port_file.said"
    for agent in 1 2; do stop_agent "$agent" KILL; done
    for agent in 1 2; do start_agent "$agent" --log-level info; done
    check "new agents learn of the connection" until_true 20 has_ends 1 $((3 - caller_domain))
    check "of the other end, too" until_true 20 has_ends "$caller_domain" $((3 - caller_domain))
    kill -KILL "$caller"
    check "it is told that the other one died" until_true 20 grep -qx end "$port_file.said"
    check "no ends are left" until_true 20 has_no_ends 1
done

begin_listener "to outlive agent 1"
stop_agent 1 KILL
call_listener
check "while agent 1 is gone a listener is reached over TCP" went_well tcp
start_agent 1 --log-level info

begin_listener "to be offered anew"
stop_agent 1 KILL
start_agent 1 --log-level info
check "a new agent learns of the listener" until_true 20 listens 1 "$(cat "$where/port")"
call_listener
check "the listener is reached over the ring again" went_well ring

# A server that waits with poll or epoll for callers and for nothing else.
cat >"$scratch/waiting_server.py" <<'SCRIPT'
import select, socket, sys
listener = socket.create_server(("127.44.0.1", 0))
waiting = getattr(select, sys.argv[2])()
waiting.register(listener, select.POLLIN)
with open(sys.argv[1], "w") as file:
    print(listener.getsockname()[1], file=file)
while True:
    for fd, events in waiting.poll():
        if fd != listener.fileno():
            sys.exit(f"an event of descriptor {fd}, which was never registered")
        caller, _ = listener.accept()
        caller.sendall(b"here")
        caller.close()
SCRIPT
call_waiting_server() {
    local rings answer
    rings=$(counter 2 connects_ring)
    answer=$("$in_domain" 2 /usr/bin/python3 -c 'import socket, sys
with socket.create_connection(("127.44.0.1", int(sys.argv[1])), 20) as caller: print(caller.recv(4).decode())' "$1")
    echo "$answer, $(($(counter 2 connects_ring) - rings)) ring connections"
    [[ $answer == here ]] && (($(counter 2 connects_ring) == rings + 1))
}
for waiter in poll epoll; do
    port_file=$scratch/waiting_in_$waiter
    background 1 /usr/bin/python3 "$scratch/waiting_server.py" "$port_file" "$waiter" 2>"$scratch/waiting_error"
    check "a server waits with $waiter" until_true 20 test -s "$port_file"
    stop_agent 1 KILL
    sleep 0.2 # it notices, and finds no agent
    start_agent 1 --log-level info
    check "a new agent learns of a listener in $waiter" until_true 20 listens 1 "$(cat "$port_file")"
    check "the server that waits with $waiter is reached over the ring" call_waiting_server "$(cat "$port_file")"
    check "it saw no event but its own" test ! -s "$scratch/waiting_error" -a -d "/proc/$background_pid"
done

# A program that may map no more memory has one connection over a ring, and makes another one.
cat >"$scratch/no_memory.py" <<'SCRIPT'
import os, resource, socket, sys, time
listener = socket.create_server(("127.44.0.1", 0))
listener.settimeout(20)
first, second = socket.socket(), socket.socket()
first.connect(listener.getsockname())
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize(), resource.RLIM_INFINITY))
second.connect(listener.getsockname())
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
second.sendall(b"here")
second.shutdown(socket.SHUT_WR)
said = b""
while said != b"here":  # a ring that was made in vain is one that was reset
    accepted, _ = listener.accept()
    accepted.settimeout(1)
    try:
        said = accepted.recv(4)
    except OSError:
        pass
print(said.decode(), flush=True)
while not os.path.exists(sys.argv[1]): time.sleep(0.02)
SCRIPT
background 1 /usr/bin/python3 "$scratch/no_memory.py" "$scratch/no_memory_end" >"$scratch/no_memory_out"
reasons_on_tcp() { ask 1 sockets 'sorted(s["reason"] for s in report["sockets"] if s["kind"] == "connection")'; }
holds_ends() { ask 1 statistics '[q["used"] for q in report["quotas"] if q["name"] == "ends"][0]' | grep -qx "$1"; }
check "a program without memory for a ring connects over TCP" until_true 20 grep -qx here "$scratch/no_memory_out"
check "with the reason" grep -q no_memory <<<"$(reasons_on_tcp)"
check "the ring that was made in vain is given up" until_true 20 holds_ends 2
: >"$scratch/no_memory_end"
check "no ends are left of it" until_true 20 has_no_ends 1

# Over TCP --------------------------------------------------------------------------------------------------------

over tcp "an address that is not mapped goes over TCP" 1 2 127.0.0.1 3000000
over tcp "a server without the library is reached over TCP" tcp 2 127.44.0.1 3000000
over tcp "a client without the library reaches a server over TCP" 1 tcp 127.44.0.1 3000000
XYLEM_DISABLE=1 over tcp "XYLEM_DISABLE switches it off" 1 2 127.44.0.1 3000000
over tcp "programs of a domain without an agent use TCP" 7 7 127.44.0.1 3000000
stop_agent 2
over tcp "a client whose agent is not there uses TCP" 1 2 127.44.0.1 3000000
start_agent 2 --log-level info
over ring "and the ring again when it is" 1 2 127.44.0.1 3000000
finish
