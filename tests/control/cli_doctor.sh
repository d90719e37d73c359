#!/bin/bash
# doctor: says [ok] where all is well, and what to do where it is not.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh
need xylemd libxylem.so

[[ -e /etc/xylem/hosts || -e /etc/xylem/policy ]] && skip_all "this machine has a configuration in /etc/xylem"
run "$xylem" doctor
check "doctor finds nothing wrong, and exits 0" exits 0
check "it connected two domains over a ring" says '^\[ok\] +connection +two domains talked over a ring$'
check "it found the library" says "^\[ok\] +library +$build/libxylem.so$"
check "it found no agent, which is no fault" says '^\[ok\] +agent +none runs for domain 1'
check "no line failed" test -z "$(grep '^\[fail\]' <<<"$stdout_text")"
check "it left nothing behind" test ! -e "$scratch/run"

"$xylem" run --domain 3 -- true
run "$xylem" doctor --domain 3 --no-connection
check "it asks the agent that runs" exits_and_says 0 '^\[ok\] +agent +domain 3, pid [0-9]+'
check "--no-connection leaves the connection out" test -z "$(grep connection <<<"$stdout_text")"

printf '10.0.0.1 dom:x\n' >"$scratch/hosts"
XYLEM_HOSTS=$scratch/hosts run "$xylem" doctor --no-connection
check "a bad hosts map fails, with its place" exits_and_says 1 '^\[fail\] hosts map .*hosts:1:14: '
check "and with what to do" says '-> mend the lines'
printf '10.0.0.1 dom:9\n' >"$scratch/hosts"
XYLEM_HOSTS=$scratch/hosts run "$xylem" doctor --no-connection
check "a map without an address for the domain is worth a warning" exits_and_says 0 '^\[warn\] hosts map .*domain 1 no address'
mkdir -p "$scratch/open/dom-1"
chmod 0777 "$scratch/open"
XYLEM_RUNTIME_DIR=$scratch/open run "$xylem" doctor --no-connection
check "a runtime directory that all may write to fails" exits_and_says 1 '^\[fail\] runtime dir '

mkdir "$scratch/alone"
cp "$xylem" "$scratch/alone/"
run "$scratch/alone/xylem" doctor --no-connection
check "a missing library fails, and says where it was looked for" exits_and_says 1 "^\[fail\] library .*$scratch/alone/libxylem.so"
run "$scratch/alone/xylem" run -- true
check "run says so too" exits_and_complains 1 'libxylem.so is not there'
printf 'no library' >"$scratch/alone/libxylem.so"
run "$scratch/alone/xylem" doctor --no-connection
check "a library that the loader refuses fails" exits_and_says 1 '^\[fail\] preload '
mkdir "$scratch/with blank"
cp "$xylem" "$build/xylemd" "$build/libxylem.so" "$scratch/with blank/"
run "$scratch/with blank/xylem" run -- true
check "a path that LD_PRELOAD cannot hold is refused by name" exits_and_complains 1 'which LD_PRELOAD cannot hold'
done_testing
