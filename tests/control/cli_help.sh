#!/bin/bash
# Help: menu, pages, and that manual and completion name the same options as the pages.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh

verbs=(run tune ls stat explain hosts policy doctor version help)

run "$xylem"
check "without a verb the menu goes to standard error and the exit code is 2" exits_and_complains 2 '^usage: xylem VERB'
run "$xylem" help
check "help prints the menu" exits_and_says 0 '^usage: xylem VERB'
run "$xylem" --help
check "--help prints the menu" exits_and_says 0 '^usage: xylem VERB'
run "$xylem" version
check "version prints the release" exits_and_says 0 '^xylem [0-9]+\.[0-9]+\.[0-9]+ '
run "$xylem" --version
check "--version does too" exits_and_says 0 '^xylem [0-9]'

for verb in "${verbs[@]}"; do
    run "$xylem" help
    check "the menu names $verb" says "^  $verb "
    run "$xylem" "$verb" --help
    check "$verb --help prints usage and options" exits_and_says 0 "^  xylem $verb"
    page=$stdout_text
    run "$xylem" help "$verb"
    check "help $verb prints the same" test "$page" = "$stdout_text"
    run "$xylem" "$verb" -h
    check "$verb -h prints the same" test "$page" = "$stdout_text"
    if [[ $verb != version ]]; then check "$verb --help has examples" grep -q '^examples:' <<<"$page"; fi

    options=$(grep -oE -- '--[a-z-]+' <<<"$(sed -n '/^options:/,/^examples:/p' <<<"$page")" | sort -u)
    missing=
    for option in $options; do
        name=${option#--}
        grep -qF -- "\\-$name" docs/man/xylem.1 || missing+=" manual:$option"
        [[ $verb == version || $verb == help ]] && continue
        sed -n '/^_xylem_options/,/^}/p' control/cli/xylem.bash-completion | grep -E "^ *([a-z]+ \| )*$verb( \||\))" \
            | grep -qF -- "$option" || missing+=" completion:$option"
    done
    stdout_text=$missing
    check "manual and completion know every option of $verb" test -z "$missing"
done

run "$xylem" help self-test
check "hidden verbs are not in the menu" test -z "$("$xylem" help | grep self-test)"

if command -v script >/dev/null; then
    TERM=xterm run script -qec "$xylem nonsense" /dev/null
    check "a terminal gets colours" says $'\033'
    NO_COLOR=1 TERM=xterm run script -qec "$xylem nonsense" /dev/null
    check "NO_COLOR keeps them away" test -z "$(grep $'\033' <<<"$stdout_text")"
fi
run "$xylem" nonsense
check "a pipe gets none" test -z "$(grep $'\033' <<<"$stderr_text")"
done_testing
