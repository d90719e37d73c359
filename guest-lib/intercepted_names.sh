#!/bin/sh
# Prints the names that libxylem.so exports, one a line, sorted, from intercepted_calls.def:
# XYLEM_CALL(return type, name, ...) and XYLEM_ALIAS(name, ...); an entry may span lines.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: $0 FILE.def" >&2
    exit 2
fi
sed -e 's://.*::' -e '/^[[:space:]]*#/d' "$1" | tr '\n' ' ' \
    | grep -oE '\bXYLEM_(CALL\([^,()]*,|ALIAS\()[[:space:]]*[A-Za-z0-9_]+' \
    | sed -E 's/.*[^A-Za-z0-9_]//' | sort -u
