#!/bin/bash
# The completion for bash: sources cleanly, and completes verbs, options, values and commands.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh

run source control/cli/xylem.bash-completion
check "the script sources without a word" is_quiet
# shellcheck disable=SC1091  # checked on its own
source control/cli/xylem.bash-completion

# completions WORD...: of the last word, which may be empty.
completions() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _xylem
    stdout_text=$(printf '%s\n' "${COMPREPLY[@]}")
}

completions xylem ''
check "verbs" test "$(head -n 11 <<<"$stdout_text" | paste -sd ' ')" = 'run tune ls stat capture explain hosts policy doctor version help'
completions xylem 'do'
check "a verb by its beginning" test "$stdout_text" = doctor
completions xylem ls --
check "options of ls" test "$(paste -sd ' ' <<<"$stdout_text")" = '--domain --all --json --watch --help'
completions xylem run --r
check "an option by its beginning" test "$stdout_text" = --ring-size
mkdir -p "$XYLEM_RUNTIME_DIR/dom-4" "$XYLEM_RUNTIME_DIR/dom-17" "$XYLEM_RUNTIME_DIR/fabric"
completions xylem ls --domain ''
check "domains of the runtime directory" test "$(sort <<<"$stdout_text" | paste -sd ' ')" = '17 4'
completions xylem hosts ''
check "words of hosts" test "$(paste -sd ' ' <<<"$stdout_text")" = 'check show'
: >"$scratch/hosts-file"
completions xylem hosts check "$scratch/ho"
check "files" test "$stdout_text" = "$scratch/hosts-file"
completions xylem run --domain 1 -- prin
check "commands behind run" says '^printf$'
completions xylem run --domain 1 prin
check "commands without the --" says '^printf$'
completions xylem tune --domain 2 --spins none --metric 'x ([0-9]+)' --higher prin
check "commands behind tune" says '^printf$'
completions xylem tune --re
check "options of tune" test "$stdout_text" = --repetitions
completions xylem help st
check "verbs behind help" test "$stdout_text" = stat
XYLEM_RUNTIME_DIR=$scratch/none completions xylem ls --domain ''
check "no domains where there is no runtime directory" test -z "$stdout_text"

if [[ -r /usr/share/bash-completion/bash_completion ]]; then
    bash -ic 'source /usr/share/bash-completion/bash_completion; source control/cli/xylem.bash-completion
        complete -p xylem' >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
    exit_code=$? stdout_text=$(<"$scratch/stdout")
    check "it registers beside the system's completions" exits_and_says 0 '_xylem xylem$'
fi
done_testing
