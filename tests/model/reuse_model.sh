#!/bin/bash
# Checks reuse.pml exhaustively: who believes to have begun another use of a connection is accepted; with any one step
# taken out somebody is not. Prints TAP.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=tests/model/harness/spin.sh
source harness/spin.sh

must_hold "whoever begins is accepted" reuse -DALL
for step in NO_CALLER_FENCE NO_SECOND_LOOK NO_KEEPER_FENCE NO_LEAVER_FENCE NO_STEP_BACK; do
    must_fail "$step: somebody is left alone" reuse "-D$step"
done
finish
