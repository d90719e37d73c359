#!/bin/sh
# shellcheck disable=SC2154  # own and check are those of whoever sources this
# Sourced at a node: what its bridge counts (`xylem stat`).

# look: what the bridge counts, for bridge NAME; of links their sums.
look() {
    tries=60 # `xylem stat` waits a second for a bridge that is busy, with thousands of ends that close say
    until ask_bridge || [ "$tries" -le 0 ]; do tries=$((tries - 1)); done
    check "the bridge says what it counts" [ -s /tmp/bridge ]
}
ask_bridge() {
    xylem stat --domain "$own" --json | tr -d '\n ' >/tmp/statistics
    grep -o '"bridge":{.*"why_tcp"' /tmp/statistics | grep -oE '"[a-z_]+":[0-9]+' >/tmp/bridge
}
bridge() { awk -F : -v name="\"$1\"" '$1 == name { sum += $2 } END { printf "%.0f\n", sum }' /tmp/bridge; }
# counted NAME: by the agent, as of the same look.
counted() { grep -oE "\"$1\":[0-9]+" /tmp/statistics | grep -oE "[0-9]+$"; }
# difference "NUMBERS" "NUMBERS": of each.
difference() { echo "$1 $2" | awk '{ for (i = 1; i <= NF / 2; ++i) printf "%s%.0f", (i > 1 ? " " : ""), $(i + NF / 2) - $i; print "" }'; }
