#!/bin/bash
# The manual pages format without warnings, refer only to pages that exist, and say what the sources say.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh

command -v man >/dev/null || skip_all "man is not installed"
for page in docs/man/*.[1-9]; do
    name=$(basename "$page")
    MANWIDTH=100 LC_ALL=C.UTF-8 run man --warnings -l "$page"
    check "$name formats without warnings" exits 0
    check "$name: nothing on standard error" test -z "$stderr_text"
    check "$name has a name line" says '^NAME$'
    check "$name refers to other pages" says '^SEE ALSO$'
    while read -r _ other section _; do
        [[ $other == xylem* || $other == libxylem ]] || continue
        check "$name: $other($section) exists" test -e "docs/man/$other.$section"
    done < <(grep -E '^\.Xr ' "$page" | sort -u)
done

while read -r code text; do
    [[ $code == none || $code == ring ]] && continue
    check "libxylem.7 explains $code" grep -qxF "$text" docs/man/libxylem.7
done < <(sed -nE 's/^XYLEM_REASON\(([a-z_0-9]+), "(.*)"\)$/\1 \2/p' control/protocol/reason.def)

while read -r call; do
    [[ $call == __* ]] && continue
    check "libxylem.7 names $call" grep -qE "^\.Fn $call( ,)?$" docs/man/libxylem.7
done < <(guest-lib/intercepted_names.sh guest-lib/intercepted_calls.def)

if [[ -x $build/xylemd ]]; then
    for option in $("$build/xylemd" --help | grep -oE -- '--[a-z-]+' | sort -u); do
        check "xylemd.8 names $option" grep -qF -- "\\-${option#--}" docs/man/xylemd.8
    done
fi
done_testing
