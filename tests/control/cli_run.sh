#!/bin/bash
# run: the environment it sets, the agent it starts, the exit codes of env(1).
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh
need xylemd libxylem.so

library=$build/libxylem.so
print_environment=(python3 -S -c 'import os
for name in ("LD_PRELOAD", "XYLEM_DOMAIN", "XYLEM_RING_SIZE", "XYLEM_SPIN_NS"): print(name, os.environ.get(name))')

# Slips of the finger first: none may leave an agent behind.
run "$xylem" run -- "$scratch/no-such-command"
check "a command that does not exist exits 127" exits_and_complains 127 'No such file'
run "$xylem" run -- no-such-command-anywhere
check "a command that is not in PATH exits 127" exits_and_complains 127 'no such command in PATH'
: >"$scratch/plain"
run "$xylem" run -- "$scratch/plain"
check "a file that is not executable exits 126" exits_and_complains 126 'not executable'
run "$xylem" run -- "$scratch"
check "a folder exits 126" exits_and_complains 126 'is a directory'
printf '10.0.0.2 dom:x\n' >"$scratch/bad"
run "$xylem" run --hosts "$scratch/bad" -- true
check "a bad hosts file is reported before anything starts" exits_and_complains 2 'bad:1:14: '
run "$xylem" run --hosts "$scratch/none" -- true
check "so is a missing one" exits_and_complains 2 'none: No such file'
check "none of these started an agent" test ! -e "$scratch/run"

run "$xylem" run --domain 7 -- "${print_environment[@]}"
check "the library is preloaded" exits_and_says 0 "^LD_PRELOAD $library$"
check "the domain is set" says '^XYLEM_DOMAIN 7$'
check "nothing is set that was not asked for" says '^XYLEM_RING_SIZE None$'
check "an agent was started for the domain" test -n "$(agents)"
first_agent=$(agents)
run "$xylem" run --domain 7 -- true
check "the next run uses the same agent" test "$(agents)" = "$first_agent"
check "and says nothing" is_quiet
run "$xylem" run --domain 7 --ring-size 64K --spin 20 -- "${print_environment[@]}"
check "the ring size is set in bytes" says '^XYLEM_RING_SIZE 65536$'
check "the spin is set in nanoseconds" says '^XYLEM_SPIN_NS 20000$'
run "$xylem" run --domain 7 --spin 1ms "${print_environment[@]}"
check "a spin may have a unit, and the -- may be left out" says '^XYLEM_SPIN_NS 1000000$'
XYLEM_DOMAIN=7 run "$xylem" run -- "${print_environment[@]}"
check "XYLEM_DOMAIN is the default" says '^XYLEM_DOMAIN 7$'
LD_PRELOAD=libm.so.6 run "$xylem" run --domain 7 -- "${print_environment[@]}"
check "what was preloaded stays so, behind" says "^LD_PRELOAD $library:libm.so.6$"
run "$xylem" run --domain 7 -- "$xylem" run --domain 7 -- "${print_environment[@]}"
check "a run inside a run preloads once" says "^LD_PRELOAD $library$"
run "$xylem" run --domain 7 -- sh -c 'exit 42'
check "the exit code is the command's" exits 42
run "$xylem" run --domain 7 -- printf '%s|' --domain 9 -- -v 'a b'
check "the command's own options are its own" says '^--domain\|9\|--\|-v\|a b\|$'

run "$xylem" run --domain 7 -v -- true
check "-v says domain, library and command" complains "domain 7, $library, .*/true"
if gcc -static -xc -o "$scratch/static" - <<<'int main(void) { return 0; }' 2>/dev/null; then
    run "$xylem" run --domain 7 -v -- "$scratch/static"
    check "-v warns of a static program" exits_and_complains 0 'statically linked: its sockets stay on TCP'
    run "$xylem" run --domain 7 -- "$scratch/static"
    check "without -v it does not" is_quiet
fi

printf '10.0.0.7 dom:7\n' >"$scratch/hosts"
run "$xylem" run --domain 7 --hosts "$scratch/hosts" -- true
check "an agent with another hosts file is an error that says what to do" exits_and_complains 2 'choose another --domain'
run "$xylem" run --domain 8 --hosts "$scratch/hosts" --agent-log "$scratch/log" -- true
check "an agent is started with the hosts file" exits 0
check "and with the log" grep -q 'serving domain 8' "$scratch/log"
(cd "$scratch" && run "$xylem" run --domain 8 --hosts ./hosts -- true; exit "$exit_code")
exit_code=$?
check "the same file by another name is the same file" exits 0

# A child that is not the command's own would surprise a program that waits for its children.
run "$xylem" run --domain 9 -- python3 -S -c 'import os
try: print("child", os.wait())
except ChildProcessError: print("no child")'
check "the agent is no child of the command" exits_and_says 0 '^no child$'

runs=()
for _ in 1 2 3 4 5 6 7 8; do
    "$xylem" run --domain 10 -- true 2>>"$scratch/race" &
    runs+=($!)
done
failures=0
for process in "${runs[@]}"; do wait "$process" || failures=$((failures + 1)); done
exit_code=$failures stdout_text='' stderr_text=$(<"$scratch/race")
check "many that start at once all come out right" test "$failures" = 0
run "$xylem" ls --domain 10
check "with one agent" exits 0

printf 'not a policy\n' >"$scratch/policy"
run "$xylem" run --domain 11 --policy "$scratch/policy" -- true
check "a bad policy is reported before anything starts" exits_and_complains 2 'policy:1:1: '
# The folder exists, is not private, and so the agent refuses it.
mkdir -p "$scratch/run/dom-12"
chmod 0777 "$scratch/run/dom-12"
run "$xylem" run --domain 12 -- true
check "an agent that does not start: exit 3, with its own words" exits_and_complains 3 'did not start:'
check "and where its log is" complains 'its log is'
done_testing
