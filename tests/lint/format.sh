#!/bin/bash
# Every C and C++ file is as clang-format (.clang-format) writes it. Mends: clang-format -i FILE
set -euo pipefail

mapfile -t files < <(git ls-files -co --exclude-standard -- '*.cpp' '*.hpp' '*.h' '*.c')
existing=()
for file in "${files[@]}"; do
    [[ -e $file ]] && existing+=("$file")
done
echo "${#existing[@]} files"
if ((${#existing[@]} == 0)); then exit 1; fi
clang-format --dry-run -Werror "${existing[@]}"
