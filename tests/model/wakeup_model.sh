#!/bin/bash
# Checks wakeup.pml exhaustively: the recipe as it is loses no wake-up; with any one step taken out it does, or
# the model would not be worth anything. Prints TAP.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=tests/model/harness/spin.sh
source harness/spin.sh

must_hold "thread: no wake-up is lost" wakeup -DTHREAD
for step in NO_WAITER_FENCE NO_KICKER_FENCE NO_RECHECK; do
    must_fail "thread, $step: a wake-up is lost" wakeup "-D$step"
done
must_hold "epoll set: no wake-up is lost" wakeup -DAREA
for step in NO_WAITER_FENCE NO_KICKER_FENCE NO_RECHECK NO_RING_FENCE NO_COLLECT_FENCE NO_SUMMARY; do
    must_fail "epoll set, $step: a wake-up is lost" wakeup -DAREA "-D$step"
done
finish
