# Sourced by test scripts: two domains on this machine, in a runtime directory of their own, and TAP lines.
# Everything that was started is stopped by its process id when the script ends.
# shellcheck shell=bash

set -u
: "${XYLEM_BUILD:=build/release}"
XYLEM_BUILD=$(realpath "$XYLEM_BUILD")
export XYLEM_BUILD
harness=$(dirname "${BASH_SOURCE[0]}")
export programs=$XYLEM_BUILD/tests/programs
in_domain=$harness/in_domain.sh
scratch=$(mktemp -d "${TMPDIR:-/tmp}/xylem-test-XXXXXX")
export XYLEM_RUNTIME_DIR=$scratch/run
unset XYLEM_FABRIC_DIR XYLEM_HOSTS XYLEM_DOMAIN XYLEM_RING_SIZE
mkdir -p "$XYLEM_RUNTIME_DIR"
declare -A agent_pid=() agent_options=()
started=()
tap_number=0
tap_failed=0

# shellcheck source=tests/rdma/harness/nodes.sh
if [[ -n ${XYLEM_TEST_NODES:-} ]]; then source tests/rdma/harness/nodes.sh; fi

# TAP ---------------------------------------------------------------------------------------------------------

passed() { echo "ok $((++tap_number)) - $1"; }
failed() {
    echo "not ok $((++tap_number)) - $1"
    tap_failed=$((tap_failed + 1))
}
skipped() { echo "ok $((++tap_number)) - $1 # SKIP $2"; }
note() { echo "# $*"; }

# check NAME COMMAND...: one line, by the exit code; the command's output is shown if it fails.
check() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        passed "$name"
    else
        failed "$name"
        while IFS= read -r line; do echo "#   $line"; done <<<"$* -> ${output:-no output}"
    fi
}

# until_true SECONDS COMMAND...: asks again and again; false if it never was so.
until_true() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" 2>/dev/null; do
        if ((SECONDS >= deadline)); then return 1; fi
        sleep 0.05
    done
}

# Domains -----------------------------------------------------------------------------------------------------

# start_agent DOMAIN OPTION...
start_agent() {
    local domain=$1
    shift
    # shellcheck disable=SC2034
    agent_options[$domain]="$*"  # for whoever starts it again
    if [[ -n ${XYLEM_TEST_NODES:-} ]]; then
        node_options "$domain" "$@"
        set -- "${node_agent_options[@]}"
    fi
    "$XYLEM_BUILD/xylemd" --domain "$domain" "$@" >>"$scratch/agent-$domain.log" 2>&1 &
    agent_pid[$domain]=$!
    if ! until_true 20 ask "$domain" health 'report["pid"]' >/dev/null; then
        echo "Bail out! the agent of domain $domain does not answer"
        sed 's/^/#   /' "$scratch/agent-$domain.log"
        exit 1
    fi
}

start_domains() {
    start_agent 1 "$@"
    start_agent 2 "$@"
}

# stop_agent DOMAIN [SIGNAL]
stop_agent() {
    local pid=${agent_pid[$1]:-}
    if [[ -z $pid ]]; then return; fi
    kill -s "${2:-TERM}" "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    unset "agent_pid[$1]"
}

# background DOMAIN COMMAND...: starts it there; its id is in $background_pid.
background() {
    "$in_domain" "$@" &
    background_pid=$!
    started+=("$background_pid")
}
# The program itself, behind timeout(1).
child_of() { pgrep -P "$1" | head -n 1; }

# ask DOMAIN KIND EXPRESSION: a value of the agent's report.
ask() { "$harness/agent_query.py" "$@"; }
# Those that agents made, and those that programs made out of them.
ring_connections() { ask "$1" statistics 'report["counters"]["connects_ring"] + report["counters"]["uses_again"]'; }
counter() { ask "$1" statistics "report['counters']['$2']"; }
live_ends() { ask "$1" sockets 'sum(s["kind"] == "connection" and s["transport"] == "ring" for s in report["sockets"])'; }
has_no_ends() { [[ $(live_ends "$1") == 0 ]]; }
# An agent's descriptors but for those of idle slabs, which are kept for reuse, of links, and of sd-event's timers,
# which are made when first needed.
agent_descriptors() {
    local all kept
    all=$(find "/proc/${agent_pid[$1]}/fd" -mindepth 1 ! -lname '*timerfd*' | wc -l)
    kept=$(ask "$1" statistics 'report["pool"]["slabs"] + report["pool"]["waiting"] + len(report["links"])')
    echo $((all - kept))
}
agent_has_descriptors() {
    local now
    now=$(agent_descriptors "$1")
    echo "now: $now, before: $2"
    ((now <= $2))
}
# Bytes sent and received by the ring connections that the domain has now.
ring_bytes() {
    ask "$1" sockets 'sum((s["tx_bytes"] or 0) + (s["rx_bytes"] or 0) for s in report["sockets"] if s["transport"] == "ring" and s["kind"] == "connection")'
}
listens() { [[ $(ask "$1" sockets "any(s['kind'] == 'listener' and s['local']['port'] == $2 for s in report['sockets'])") == True ]]; }

# Not in a subshell that a signal ends: bash runs the trap there, too.
stop_everything() {
    local pid domain
    if [[ $BASHPID != "$$" ]]; then return; fi
    for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null; done
    for domain in "${!agent_pid[@]}"; do stop_agent "$domain"; done
    if [[ -n ${XYLEM_TEST_NODES:-} ]]; then stop_bridges; fi
    rm -rf "$scratch"
}
trap stop_everything EXIT
trap 'exit 143' HUP INT TERM

# The last line of a test script.
finish() {
    echo "1..$tap_number"
    exit $((tap_failed > 0))
}
