#!/bin/bash
# clang-tidy (.clang-tidy) finds nothing. Runs through make, which knows each file's flags and what changed.
set -euo pipefail

exec make -j"$(nproc)" -k --no-print-directory BUILD="$(dirname "$XYLEM_BUILD")" VARIANT=release tidy
