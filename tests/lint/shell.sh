#!/bin/bash
# No shell script has findings: *.sh, the completion, and files whose first line names a shell.
set -euo pipefail

scripts=()
while read -r file; do
    [[ -f $file ]] || continue
    if [[ $file == *.sh ]] || head -n 1 "$file" | grep -aqE '^#!.*/(env )?(ba|da)?sh'; then
        scripts+=("$file")
    fi
done < <(git ls-files -co --exclude-standard)
echo "${#scripts[@]} scripts"
shellcheck "${scripts[@]}"

completion=control/cli/xylem.bash-completion
if [[ -e $completion ]]; then shellcheck --shell=bash "$completion"; fi
