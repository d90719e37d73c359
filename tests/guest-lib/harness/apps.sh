# Sourced after domains.sh: other people's programs, and proof that the ring carried their bytes.
# shellcheck shell=bash disable=SC2154

# free_port_below LIMIT: a port below LIMIT that nobody has, on any address. The kernel gives callers ports from 32768 up:
# one of those could be a caller's before the server takes it.
free_port_below() {
    /usr/bin/python3 - "$1" <<'SCRIPT'
import random, socket, sys
while True:
    port = random.randrange(10000, int(sys.argv[1]))
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            continue
    print(port)
    break
SCRIPT
}

# need COMMAND...: skips the whole script where one is missing.
need() {
    local command
    for command in "$@"; do
        if [[ -z $(command -v "$command") ]]; then
            echo "$command is not installed"
            exit 77
        fi
    done
}

# serve COMMAND...: in domain 1; its output goes to $scratch/server.log.
serve() {
    background 1 "$@" >"$scratch/server.log" 2>&1
    server=$background_pid
}
stop_server() {
    kill -KILL "$server"
    wait "$server" 2>/dev/null
}
# serves_on PORT: the server is there, and offered to rings.
serves_on() { check "the server listens" until_true 20 listens 1 "$1"; }

# Keeps what the report and `xylem ls` say, unless the connection is over already.
look() {
    ask 2 sockets '[s for s in report["sockets"] if s["kind"] == "connection"]' >"$scratch/look"
    if grep -q ring "$scratch/look"; then mv "$scratch/look" "$scratch/sockets"; fi
    if [[ -x $XYLEM_BUILD/xylem ]]; then
        "$XYLEM_BUILD/xylem" ls --domain 2 >"$scratch/look" 2>&1
        if grep -q ring "$scratch/look"; then mv "$scratch/look" "$scratch/ls"; fi
    fi
}

# carried NAME LEAST_BYTES COMMAND...: the command runs in domain 2 and ends well, and rings were seen carrying at
# least so many bytes, and none of its connections went over TCP.
carried() {
    local name=$1 least=$2 client seen=0 now rings_before tcp_before rings
    shift 2
    rings_before=$(ring_connections 2)
    tcp_before=$(ask 2 statistics 'sum(report["connects_failed"].values())')
    background 2 "$@" >"$scratch/client.log" 2>&1
    client=$background_pid
    while kill -0 "$client" 2>/dev/null; do
        now=$(ring_bytes 2)
        if ((${now:-0} > seen)); then
            seen=$now
            look
        fi
        sleep 0.02
    done
    check "$name: ends well" wait_for "$client"
    rings=$(($(ring_connections 2) - rings_before))
    note "$name: rings were seen with $seen bytes; $rings ring connections"
    check "$name: the ring carried it" test "$seen" -ge "$least"
    check "$name: nothing went over TCP" test "$(ask 2 statistics 'sum(report["connects_failed"].values())')" -eq "$tcp_before"
}
wait_for() {
    if wait "$1"; then return; fi
    tail -n 20 "$scratch/client.log" "$scratch/server.log"
    return 1
}
