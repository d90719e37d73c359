#!/bin/bash
# No file is longer than 300 lines: longer means that a noun is missing.
set -euo pipefail

max_lines=300
status=0
while read -r file; do
    [[ -f $file ]] || continue
    lines=$(wc -l <"$file")
    if ((lines > max_lines)); then
        echo "$file:$max_lines: $lines lines, at most $max_lines: split it along its nouns"
        status=1
    fi
done < <(git ls-files -co --exclude-standard -- '*.cpp' '*.hpp' '*.h' '*.c' '*.sh' '*.py')
exit "$status"
