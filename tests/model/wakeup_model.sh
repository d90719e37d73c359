#!/bin/bash
# Checks wakeup.pml exhaustively: the recipe as it is loses no wake-up; with any one step taken out it does, or
# the model would not be worth anything. Prints TAP.
set -euo pipefail
cd "$(dirname "$0")"

for tool in spin gcc; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed"; exit 77; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

count=0
failed=0

# Says how many errors the search found (it stops at the first); fails if it was cut short otherwise.
errors_of() {
    local flags=("$@")
    (
        cd "$folder"
        rm -f pan pan.* ./*.trail
        spin "${flags[@]}" -a wakeup.pml >spin.log
        gcc -O2 -DSAFETY -DNOREDUCE -o pan pan.c 2>gcc.log
        ./pan -m100000 -w22 >pan.log
        grep -qE 'max search depth too small|out of memory|resources exhausted' pan.log && exit 1
        sed -nE 's/.*errors: ([0-9]+)$/\1/p' pan.log
    )
}

report() {
    local good=$1 name=$2
    count=$((count + 1))
    if [[ $good == yes ]]; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        failed=1
        tail -n 30 "$folder"/*.log | sed 's/^/# /'
    fi
}

must_hold() {
    local name=$1 errors
    shift
    errors=$(errors_of "$@") || errors=none
    report "$([[ $errors == 0 ]] && echo yes || echo no)" "$name: no wake-up is lost"
}

must_lose() {
    local name=$1 errors
    shift
    errors=$(errors_of "$@") || errors=none
    report "$([[ $errors =~ ^[1-9] ]] && echo yes || echo no)" "$name: a wake-up is lost"
}

cp wakeup.pml "$folder"
must_hold "thread" -DTHREAD
for step in NO_WAITER_FENCE NO_KICKER_FENCE NO_RECHECK; do
    must_lose "thread, $step" "-D$step"
done
must_hold "epoll set" -DAREA
for step in NO_WAITER_FENCE NO_KICKER_FENCE NO_RECHECK NO_RING_FENCE NO_COLLECT_FENCE NO_SUMMARY; do
    must_lose "epoll set, $step" -DAREA "-D$step"
done
echo "1..$count"
exit "$failed"
