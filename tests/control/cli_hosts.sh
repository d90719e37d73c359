#!/bin/bash
# hosts check and show, policy check: diagnostics with their places, and the map as a table and as JSON.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh

good=$scratch/good
cat >"$good" <<'MAP'
# a comment
10.0.0.2      dom:2
10.0.0.3      dom:3                     ring=1M spin=50us
fd00::7       dom:7
10.0.9.0/24   node:192.168.7.2/dom:4    # elsewhere
10.0.9.9      node:[fd00::1]:700/dom:5
10.0.0.250    tcp
MAP
run "$xylem" hosts check "$good"
check "a good map is ok" exits_and_says 0 "^$good: ok, 6 lines"
run "$xylem" hosts check "$scratch/none"
check "a missing file is named" exits_and_complains 1 "^$scratch/none: No such file"
run "$xylem" hosts check "$scratch"
check "a folder is no map" exits_and_complains 1 'not a regular file'
: >"$scratch/empty"
run "$xylem" hosts check "$scratch/empty"
check "an empty map is ok" exits_and_says 0 'ok, 0 lines'

printf '10.0.0.2 dom:2\n10.0.0.3 dom:x\nfoo\n10.0.0.2 dom:9\n10.0.0.4 dom:4 ring=3K\n' >"$scratch/bad"
run "$xylem" hosts check "$scratch/bad"
check "a bad map exits 1" exits 1
check "every mistake has file:line:column" test "$(grep -cE "^$scratch/bad:[0-9]+:[0-9]+: .*; expected " <<<"$stderr_text")" = 4
check "the domain's number is pointed at" complains "bad:2:14: 'x' is not"
check "a line twice names the first one" complains 'bad:4:.*already on line 1'
"$xylem" hosts check - <"$scratch/bad" >/dev/null 2>"$scratch/stderr"
exit_code=$? stderr_text=$(<"$scratch/stderr")
check "standard input is '-'" exits_and_complains 1 '^<stdin>:2:14: '
"$xylem" hosts check - <"$good" >"$scratch/stdout" 2>&1
exit_code=$? stdout_text=$(<"$scratch/stdout")
check "a good map on standard input is ok" exits_and_says 0 '^<stdin>: ok'

run "$xylem" hosts show "$good"
check "show prints a table" exits_and_says 0 '^ADDRESS +WHERE +OPTIONS +LINE$'
check "with options and the line" says "^10\.0\.0\.3 +dom:3 +ring=1M spin=50us +$good:3$"
check "with nodes" says "^10\.0\.9\.0/24 +node:192\.168\.7\.2/dom:4 "
check "with nodes on a port" says "^10\.0\.9\.9 +node:\[fd00::1\]:700/dom:5 "
check "with exceptions" says '^10\.0\.0\.250 +tcp '
check "without blanks at the ends of lines" test -z "$(grep ' $' <<<"$stdout_text")"
run "$xylem" hosts show --json "$good"
check "show --json is JSON with every entry" python3 -c "
import json, sys
report = json.load(open('$scratch/stdout'))
entries = report['entries']
assert len(entries) == 6 and report['from_file'] and report['file'] == '$good'
assert entries[1]['ring_size_bytes'] == 1 << 20 and entries[1]['spin_ns'] == 50000 and entries[1]['line'] == 3
assert entries[4]['node']['port'] == 700 and entries[5]['target'] == 'tcp'"
run "$xylem" hosts show "$scratch/bad"
check "show of a bad map exits 1" exits_and_complains 1 'bad:2:14'
XYLEM_HOSTS=$good run "$xylem" hosts show
check "without an agent XYLEM_HOSTS is shown" exits_and_says 0 "^$good$"
if [[ ! -e /etc/xylem/hosts ]]; then
    run "$xylem" hosts show
    check "without any file the built-in rule is shown" exits_and_says 0 '^127\.44\.0\.0/16 +dom:256\*H\+L +built in$'
    run "$xylem" explain 127.44.1.2:80
    check "explain works without an agent" exits_and_says 0 'domain +258, asked from domain 1'
    check "and says that none runs" says 'no agent answers in this domain'
    run "$xylem" explain --json 10.9.9.9
    check "explain --json of an unmapped address says why" says '"reason": "not_mapped"'
fi
XYLEM_HOSTS=$good run "$xylem" explain --domain 3 10.0.0.3
check "explain names file and line" exits_and_says 0 "$good:3: 10\.0\.0\.3 dom:3 ring=1M spin=50us"
check "explain knows the own domain" says 'domain +3, the own one'
XYLEM_HOSTS=$good run "$xylem" explain 10.0.0.250
check "explain knows exceptions" says 'the hosts map says tcp'
XYLEM_HOSTS=$good run "$xylem" explain ::ffff:10.0.0.2
check "an IPv4-mapped address is looked up as IPv4" says "$good:2: "
XYLEM_HOSTS=$good run "$xylem" explain '[fd00::7]:80'
check "IPv6 with a port is understood" says '^\[fd00::7\]:80$'

printf 'allow from dom:7 to port 80\ndeny from any to port any\n' >"$scratch/policy"
run "$xylem" policy check "$scratch/policy"
check "a good policy is ok" exits_and_says 0 'ok, 2 rules'
printf 'allow from dom:7\n' >"$scratch/policy"
run "$xylem" policy check "$scratch/policy"
check "a bad policy has file:line:column" exits_and_complains 1 "^$scratch/policy:1:[0-9]+: "
done_testing
