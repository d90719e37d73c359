#!/bin/bash
# The library's static probes: each that the manual names is there, with the arguments that it says.
# Functions are called by name, through check.
# shellcheck disable=SC2317
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/guest-lib/harness/domains.sh
source tests/guest-lib/harness/domains.sh

# name count, a line each: from the notes of the library, and from the manual's section.
readelf -n "$XYLEM_BUILD/libxylem.so" | awk '
    /Provider: / { is_ours = $2 == "xylem" }
    /Name: / { name = $2 }
    /Arguments: / && is_ours { print name, NF - 1 }' | sort -u >"$scratch/there"
sed -n '/^\.Sh PROBES/,/^\.Sh ENVIRONMENT/p' docs/man/libxylem.7 | tr ',' '\n' | sed 's/^\.It//' \
    | awk '$1 == "Fn" { print $2, NF - 2 }' | sort -u >"$scratch/named"
check "the manual names probes" test -s "$scratch/named"
check "the library has these and no others" diff "$scratch/named" "$scratch/there"
finish
