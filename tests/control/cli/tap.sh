#!/bin/bash
# For tests of the command: TAP lines, a runtime directory of their own, and agents that end with the test.
# Source it from the root of the tree; $xylem is the command under test.
# shellcheck disable=SC2034  # variables are for the tests that source this

set -uo pipefail

build=${XYLEM_BUILD:-$PWD/build/release}
xylem=$build/xylem
tests_run=0
tests_failed=0
stdout_text=
stderr_text=
exit_code=0

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

need() {
    local part
    for part in "$@"; do
        [[ -e $build/$part ]] || skip_all "$build/$part has not been built"
    done
}

need xylem
scratch=$(mktemp -d /tmp/xylem-cli-XXXXXX)
unset XYLEM_DOMAIN XYLEM_HOSTS XYLEM_FABRIC_DIR XYLEM_DISABLE XYLEM_RING_SIZE XYLEM_SPIN_NS LD_PRELOAD NO_COLOR
export XYLEM_RUNTIME_DIR=$scratch/run

# Processes that hold an agent's lock, by the kernel's word: fuser's, without needing fuser.
agents() {
    local process
    for process in /proc/[0-9]*; do
        if [[ $(readlink "$process/exe" 2>/dev/null) == "$build/xylemd" ]] \
            && readlink "$process"/fd/* 2>/dev/null | grep -qE "^$scratch/run/dom-[0-9]+/agent.lock$"; then
            echo "${process#/proc/}"
        fi
    done
}

cleanup() {
    local processes
    mapfile -t processes < <(
        jobs -p
        agents
    )
    if ((${#processes[@]})); then kill "${processes[@]}" 2>/dev/null; fi
    wait 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT

# run COMMAND...: its output and exit code, for the checks below.
run() {
    "$@" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
    exit_code=$?
    stdout_text=$(<"$scratch/stdout")
    stderr_text=$(<"$scratch/stderr")
}

# check NAME CONDITION...: one test; says what the last run() printed if it failed.
check() {
    local name=$1
    shift
    tests_run=$((tests_run + 1))
    if "$@"; then
        echo "ok $tests_run - $name"
        return
    fi
    tests_failed=$((tests_failed + 1))
    echo "not ok $tests_run - $name"
    printf '# exit code %s\n' "$exit_code"
    printf '# stdout: %s\n' "${stdout_text//$'\n'/$'\n# stdout: '}"
    printf '# stderr: %s\n' "${stderr_text//$'\n'/$'\n# stderr: '}"
}

exits() { ((exit_code == $1)); }
says() { grep -qE -- "$1" <<<"$stdout_text"; }
complains() { grep -qE -- "$1" <<<"$stderr_text"; }
exits_and_complains() { exits "$1" && complains "$2"; }
exits_and_says() { exits "$1" && says "$2"; }
is_quiet() { [[ -z $stdout_text && -z $stderr_text ]]; }

# eventually SECONDS COMMAND...: until the command succeeds. Generous: machines that test are busy.
eventually() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

done_testing() {
    echo "1..$tests_run"
    exit $((tests_failed > 0))
}
