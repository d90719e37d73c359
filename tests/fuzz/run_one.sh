#!/bin/bash
# Runs one fuzz target for FUZZ_SECONDS on a private copy of its seed corpus: run_one.sh NAME_fuzz
# What the fuzzer learns stays in XYLEM_FUZZ_BUILD/corpus; what breaks the target is kept in XYLEM_FUZZ_BUILD.
set -euo pipefail

target=${1:?usage: run_one.sh NAME_fuzz}
build=${XYLEM_FUZZ_BUILD:-build/fuzz}
seconds=${FUZZ_SECONDS:-30}
name=${target%_fuzz}
corpus=$build/corpus/$name
seeds=$(dirname "$0")/corpus/$name

mkdir -p "$corpus"
if [[ -d $seeds ]]; then
    find "$seeds" -type f -exec cp -t "$corpus" {} +
fi

status=0
"$build/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$build/$target." "$corpus" || status=$?
if ((status != 0)); then
    for artefact in "$build/$target".{crash,leak,oom,timeout,slow-unit}-*; do
        [[ -e $artefact ]] || continue
        echo "$target: artefact kept: $artefact; replay: $build/$target $artefact"
    done
    # Not libFuzzer's own code: its 77 for a crash would read as a skip.
    echo "$target: the fuzzer ended with exit code $status"
    exit 1
fi
