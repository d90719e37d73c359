#!/bin/bash
# dom0's helper xylem-guests, with a folder in the place of XenStore: files are values, FILE.mode is who may read.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh

helper=control/dom0/xylem-guests
store=$scratch/store
mkdir -p "$scratch/bin" "$store/tool" "$store/local/domain/0"
export STORE=$store PATH=$scratch/bin:$PATH
# tool NAME: a program of that name; its text comes from standard input.
tool() { { echo '#!/bin/sh'; cat; } >"$scratch/bin/$1" && chmod +x "$scratch/bin/$1"; }
tool xenstore-read <<'TEXT'
cat "$STORE$1/value" 2>/dev/null
TEXT
tool xenstore-write <<'TEXT'
mkdir -p "$STORE$1" && printf %s "$2" >"$STORE$1/value"
TEXT
tool xenstore-chmod <<'TEXT'
printf %s "$2" >"$STORE$1/mode"
TEXT
tool xenstore-exists <<'TEXT'
[ -d "$STORE$1" ]
TEXT
tool xenstore-rm <<'TEXT'
rm -r "$STORE$1"
TEXT
tool xenstore-list <<'TEXT'
cd "$STORE$1" 2>/dev/null && ls -d -- */ 2>/dev/null | tr -d /
TEXT
# guest DOMID NAME UUID
guest() {
    xenstore-write "/local/domain/$1/name" "$2"
    xenstore-write "/local/domain/$1/vm" "/vm/$3"
}

guest 3 web 0c8e1f9a
guest 90 "a name with blanks" 1d9f2fab
run "$helper" --once
check "it shows the guests and ends" test "$exit_code" = 0
check "a guest is shown by name and UUID" test "$(xenstore-read /tool/xylem/3)" = "1 0c8e1f9a web"
check "whatever it is called" test "$(xenstore-read /tool/xylem/90)" = "1 1d9f2fab a name with blanks"
check "every guest may read it" test "$(<"$store/tool/xylem/3/mode")" = r0
check "and list who there is" test "$(<"$store/tool/xylem/mode")" = r0
check "dom0 is no guest" test ! -e "$store/tool/xylem/0"

rm -r "$store/local/domain/3"
guest 91 web 0c8e1f9a
run "$helper" --once
check "who is gone is not shown any more" test ! -e "$store/tool/xylem/3"
check "and who came is" test "$(xenstore-read /tool/xylem/91)" = "1 0c8e1f9a web"

run "$helper" --remove
check "nothing stays that it has shown" test ! -e "$store/tool/xylem"
run "$helper" --wrong
check "a wrong option is an error" exits_and_complains 2 '^usage: xylem-guests '
done_testing
