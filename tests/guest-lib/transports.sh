#!/bin/bash
# Which transport a connection gets: hosts map, address families, ring sizes, full queues, and programs that are
# not ours to touch.
# Functions are called by name, through check and until_true.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh
# shellcheck source=tests/guest-lib/harness/transfers.sh
source tests/guest-lib/harness/transfers.sh

# The reason that the connecting domain gives for its connections.
reasons_are() { [[ $(ask 2 sockets 'sorted({s["reason"] for s in report["sockets"] if s["kind"] == "connection"})') == "['$1']" ]]; }
# because REASON NAME DOMAIN_OF_RECEIVER ADDRESS: over TCP, and that is why.
because() {
    local stop_file=$scratch/stop-$1
    begin_transfer "$3" 2 "$4" "$stop_file"
    check "$2: $1" until_true 20 reasons_are "$1"
    touch "$stop_file"
    end_transfer
    check "$2 goes over TCP" went_well tcp
    rm "$stop_file"
}
failed_for() { (($(ask 2 statistics "report['connects_failed'].get('$1', 0)") >= $2)); }

# The hosts map ---------------------------------------------------------------------------------------------------

cat >"$scratch/hosts" <<'MAP'
::1           dom:1
fd00::2       dom:2
127.50.0.1    dom:1    ring=64K
127.50.0.2    dom:2
127.50.0.9    tcp
127.50.0.8    dom:8
MAP
start_domains --hosts "$scratch/hosts"
over ring "an IPv6 address that is mapped" 1 2 ::1 3000000
over ring "an IPv4 address that is mapped" 1 2 127.50.0.1 3000000
because mapped_to_tcp "an address that is mapped to tcp" 1 127.50.0.9
because no_peer_agent "an address of a domain without an agent" 1 127.50.0.8
because not_mapped "an address that the new map does not cover" 1 127.44.0.1
because no_listener "a server without the library" tcp 127.50.0.1

# Ring sizes ------------------------------------------------------------------------------------------------------

ring_sizes_are() { [[ $(ask 2 sockets 'sorted({s["ring"]["tx_size_bytes"] for s in report["sockets"] if s["ring"]})') == "[$1]" ]]; }

# with_ring_size BYTES NAME DOMAIN_OF_SENDER ADDRESS
with_ring_size() {
    local stop_file=$scratch/stop-$1
    begin_transfer 1 2 "$3" "$stop_file"
    check "$2: its rings have $1 bytes" until_true 20 ring_sizes_are "$1"
    check "$2: bytes flow" until_true 20 bytes_moved 2 3000000
    touch "$stop_file"
    end_transfer
    check "$2: all bytes arrive" went_well ring
    check "$2: nothing is left" until_true 20 has_no_ends 2
}
with_ring_size 65536 "a size in the hosts map" 127.50.0.1
stop_agent 1
stop_agent 2
start_domains
for size in 4096 67108864; do
    XYLEM_RING_SIZE=$size with_ring_size "$size" "XYLEM_RING_SIZE=$size" 127.44.0.1
done
with_ring_size 2097152 "the default" 127.44.0.1
stop_agent 1
stop_agent 2
start_domains --ring-size 16384
with_ring_size 16384 "the agent's option" 127.44.0.1

# Spins -----------------------------------------------------------------------------------------------------------

# spins_are NS: of the connections of both domains.
spins_are() {
    local domain
    for domain in 1 2; do
        [[ $(ask "$domain" sockets 'sorted({s["spin_ns"] for s in report["sockets"] if s["kind"] == "connection"})') == "[$1]" ]] || return
    done
}
XYLEM_SPIN_NS=7000 begin_transfer 1 2 127.44.0.1 "$scratch/stop-spins"
check "what a program says of spins counts for the connections it makes and those it accepts" until_true 20 spins_are 7000
touch "$scratch/stop-spins"
end_transfer
check "with such a spin all bytes arrive" went_well ring

# A full accept queue ---------------------------------------------------------------------------------------------

cat >"$scratch/listen.py" <<'PYTHON'
import signal, socket, sys
listener = socket.socket()
listener.bind(("127.44.0.1", 0))
listener.listen(2)
with open(sys.argv[1], "w") as file:
    print(listener.getsockname()[1], file=file)
signal.pause()
PYTHON
cat >"$scratch/call.py" <<'PYTHON'
import socket, sys
callers = []
for _ in range(12):
    caller = socket.socket()
    caller.settimeout(1)
    callers.append(caller)
    try:
        caller.connect(("127.44.0.1", int(open(sys.argv[1]).read())))
    except TimeoutError:
        print("full")
        break
    print("connected")
PYTHON
background 1 /usr/bin/python3 "$scratch/listen.py" "$scratch/full.port"
check "a listener with a short queue" until_true 20 test -s "$scratch/full.port"
check "calling it until it is full does not hang" timeout 60 "$in_domain" 2 /usr/bin/python3 "$scratch/call.py" "$scratch/full.port"
check "the reason is backlog_full" failed_for backlog_full 1
kill "$background_pid"

# Programs that name no domain --------------------------------------------------------------------------------------

is_default() { [[ $(env -u XYLEM_DOMAIN "$XYLEM_BUILD/xylem" stat --json | tr -d '\n ') == *'"domain":'"$1"[,\}]* ]]; }
over ring "a program that names no domain is one of domain 1" default 2 127.44.0.1 3000000
check "as is the command" is_default 1
ln -s dom-2 "$XYLEM_RUNTIME_DIR/default"
over ring "or of the default" 1 default 127.44.0.1 3000000
over ring "and is called there" default 1 127.44.0.2 3000000
check "as the command is" is_default 2
rm "$XYLEM_RUNTIME_DIR/default"

# Programs that are not ours to touch ------------------------------------------------------------------------------

if cc -static -o "$scratch/static" -x c++ tests/programs/transfer.cpp -std=c++20 -D_GNU_SOURCE -O1 -lstdc++ -lm 2>"$scratch/cc.log"; then
    transfer=$scratch/static over tcp "statically linked programs use TCP" 1 2 127.44.0.1 3000000
else
    skipped "statically linked programs use TCP" "no static C++ library"
fi
if ((EUID == 0)) && setpriv --reuid nobody --clear-groups true; then
    chmod 755 "$scratch"
    install -m 4755 "$programs/transfer" "$scratch/setuid"
    cat >"$scratch/as-nobody" <<SCRIPT
#!/bin/bash
exec setpriv --reuid nobody --clear-groups "$scratch/setuid" "\$@"
SCRIPT
    chmod 755 "$scratch/as-nobody"
    transfer=$scratch/as-nobody over tcp "setuid programs use TCP" 1 2 127.44.0.1 3000000
else
    skipped "setuid programs use TCP" "needs root"
fi
finish
