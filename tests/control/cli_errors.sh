#!/bin/bash
# Wrong usage: what is said, and the exit codes of docs/man/xylem.1.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh

run "$xylem" lss
check "an unknown verb suggests the nearest one" exits_and_complains 2 "no verb 'lss'; did you mean 'ls'"
run "$xylem" frobnicate
check "a verb that is like none suggests nothing" exits_and_complains 2 "no verb 'frobnicate'$"
run "$xylem" --frobnicate
check "an unknown global option is an error" exits_and_complains 2 "no option '--frobnicate'"
run "$xylem" $'ls\033[31m'
check "control characters do not reach the terminal" test -z "$(grep $'\033' <<<"$stderr_text")"
run "$xylem" help lss
check "help of an unknown verb suggests too" exits_and_complains 2 "did you mean 'ls'"

run "$xylem" ls --jsn
check "an unknown option suggests the nearest one" exits_and_complains 2 "no option '--jsn'; did you mean '--json'"
run "$xylem" ls --js
check "names of options are not abbreviated" exits_and_complains 2 "no option '--js'"
run "$xylem" ls --domain
check "an option without its value is an error" exits_and_complains 2 "'--domain' is missing"
run "$xylem" ls --json=1
check "an option with a value it does not take is an error" exits 2
run "$xylem" ls something
check "a word too many is an error" exits_and_complains 2 "'something' is one word too many"
run "$xylem" ls --all --domain 1
check "--all and --domain exclude each other" exits_and_complains 2 'exclude each other'
for domain in -1 65536 x 1x '' 01; do
    run "$xylem" ls "--domain=$domain"
    check "domain '$domain' is an error" exits 2
done
XYLEM_DOMAIN=x run "$xylem" ls
check "a wrong XYLEM_DOMAIN is named" exits_and_complains 2 "XYLEM_DOMAIN is 'x'"
XYLEM_RUNTIME_DIR=somewhere run "$xylem" ls
check "a relative XYLEM_RUNTIME_DIR is named" exits_and_complains 2 "XYLEM_RUNTIME_DIR is 'somewhere'"

run "$xylem" ls
check "ls without an agent exits 3 and says how to start one" exits_and_complains 3 'start one: xylem run'
run "$xylem" ls --all
check "ls --all without any domain exits 3" exits_and_complains 3 'no domain in'
run "$xylem" stat --json
check "stat without an agent exits 3, and prints no JSON" exits 3
check "nothing goes to standard output then" test -z "$stdout_text"
run "$xylem" policy show
check "policy show without an agent exits 3" exits 3

run "$xylem" explain
check "explain without an address gives an example" exits_and_complains 2 'for example: xylem explain'
for address in 1.2.3.4.5: '[::1' '[::1]x' 127.44.0.1:x 127.44.0.1:65536 '' vsock:x vsock:1:y; do
    run "$xylem" explain -- "$address"
    check "explain '$address' is an error" exits 2
done
run "$xylem" explain no-such-host.invalid
check "a name that does not resolve is a failure" exits_and_complains 1 'no-such-host.invalid'

run "$xylem" run
check "run without a command gives an example" exits_and_complains 2 'for example: xylem run'
for size in 5 1000 3K 128M 4k x; do
    run "$xylem" run --ring-size "$size" -- true
    check "ring size $size is an error" exits_and_complains 2 'ring size'
done
for spin in 10001 -1 5s x; do
    run "$xylem" run "--spin=$spin" -- true
    check "spin $spin is an error" exits 2
done
for option in hosts policy agent-log; do
    run "$xylem" run "--$option" "" -- true
    check "run with an empty path for --$option is an error" exits_and_complains 2 "--$option: the path is empty"
done
too_long=$scratch/$(printf 'x%.0s' {1..120})
for words in "run -- true" ls "ls --all" "stat --domain 1"; do
    # shellcheck disable=SC2086  # words
    XYLEM_RUNTIME_DIR=$too_long run "$xylem" $words
    check "$words: a runtime directory with too long a path is named" exits_and_complains 1 'path of the runtime .*too long'
done
XYLEM_RUNTIME_DIR=$too_long run "$xylem" doctor
check "doctor says so, too" says "its path is longer than a unix socket's"
check "nothing was made for it" test ! -e "$too_long"
printf '127.44.0.9 dom:9\n' >"$scratch"/$'hosts-\377'
run "$xylem" hosts show --json "$scratch"/$'hosts-\377'
check "JSON about a file whose name is not UTF-8 is printed" exits_and_says 0 '"domain": 9'
XYLEM_HOSTS=$scratch/$'hosts-\377' run "$xylem" explain --json 127.44.0.9:80
check "so is that of explain" exits_and_says 0 '"target_domain": 9'
run "$xylem" hosts
check "hosts alone names its two forms" exits_and_complains 2 'check or show'
run "$xylem" hosts chekc x
check "hosts suggests the nearest word" exits_and_complains 2 "did you mean 'check'"
run "$xylem" hosts check
check "hosts check without a file gives an example" exits_and_complains 2 'no file given'
run "$xylem" policy check
check "policy check without a file gives an example" exits_and_complains 2 'no file given'

if [[ -e /dev/full ]]; then
    "$xylem" help >/dev/full 2>"$scratch/stderr"
    exit_code=$?
    stderr_text=$(<"$scratch/stderr")
    check "output that cannot be written is a failure" exits_and_complains 1 'cannot write'
    "$xylem" 2>/dev/full
    check "so is a message, and no crash" test $? = 1
fi
done_testing
