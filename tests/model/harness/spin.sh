# Sourced by the scripts of models: exhaustive searches by spin, and TAP lines of what they found.
# shellcheck shell=bash

for tool in spin gcc; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed"; exit 77; }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp ./*.pml "$folder"

count=0
failed=0

# Says how many errors the search of MODEL found (it stops at the first); fails if it was cut short otherwise.
errors_of() {
    local model=$1
    shift
    (
        cd "$folder" || exit
        rm -f pan pan.* ./*.trail
        spin "$@" -a "$model.pml" >spin.log
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

# must_hold NAME MODEL FLAG...
must_hold() {
    local name=$1 errors
    shift
    errors=$(errors_of "$@") || errors=none
    report "$([[ $errors == 0 ]] && echo yes || echo no)" "$name"
}

# must_fail NAME MODEL FLAG...
must_fail() {
    local name=$1 errors
    shift
    errors=$(errors_of "$@") || errors=none
    report "$([[ $errors =~ ^[1-9] ]] && echo yes || echo no)" "$name"
}

finish() {
    echo "1..$count"
    exit "$failed"
}
