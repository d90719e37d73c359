#!/bin/bash
# A short evaluation: it measures, its files hold together, a browser shows its report, and it leaves no process behind.
# And what it says when it cannot: nothing here depends on how fast anything is.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh
need xylemd libxylem.so eval/workloads/socket_exchange eval/workloads/shared_exchange
evaluation=(/usr/bin/python3 eval/run.py --quick --output "$scratch/out")
export XYLEM_BUILD=$build

run "${evaluation[@]}" transports
check "an evaluation measures" exits 0
check "it says what runs, which of how many, and how long the rest takes" \
    says '^\[ +[0-9]+/[0-9]+\] transports Xylem +about [0-9]+ min +[0-9]+ s left'
check "it says what targets were met" says '^(met|MISSED) +[0-9.]+ times \(asked: 20\) +round trip of 64 B'
check "the results hold together" python3 - "$scratch/out" <<'PYTHON'
import csv, json, statistics, sys
results = json.load(open(f"{sys.argv[1]}/results.json"))
assert results["ring_bytes"] > 0 and not results["failures"] and results["machine"]["cores"] >= 1
figure = next(one for one in results["figures"] if one["metric"] == "latency" and one["point"] == {"bytes": 64})
ours, theirs = figure["transports"]["xylem"], figure["transports"]["tcp"]
assert ours["median"] == statistics.median(ours["samples"]) and {"unix", "pipe", "ring"} <= set(figure["transports"])
assert abs(figure["times_better"]["tcp"] - theirs["median"] / ours["median"]) < 1e-9
target = results["targets"][0]
assert target["reached"] == figure["times_better"]["tcp"] and target["is_met"] == (target["reached"] >= target["times"])
rows = list(csv.DictReader(open(f"{sys.argv[1]}/samples.csv")))
assert len(rows) == sum(len(one["samples"]) for figure in results["figures"] for one in figure["transports"].values())
PYTHON
# shellcheck disable=SC2317  # called through eventually(); so below
no_agents() { [[ -z $(find "$scratch/out/run" -name agent.sock) ]]; }
check "the agents end with it" eventually 10 no_agents

# A page around the report counts what the browser made of it.
cat >"$scratch/page.html" <<'HTML'
<iframe src="out/report.html" onload="look(this.contentDocument)"></iframe>
<script>
function look(report) {
    const pictures = [...report.images];
    const rows = [...report.querySelectorAll("table.figures")].map(table => table.rows.length);
    document.title = `pictures ${pictures.length} loaded ${pictures.filter(one => one.naturalWidth > 100).length} ` +
        `tables ${rows.length} shortest ${Math.min(...rows)} targets ${report.getElementById("targets").rows.length > 1}`;
}
</script>
HTML
# shellcheck disable=SC2317
shows_it() {
    run timeout 120 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$scratch/chromium" \
        --allow-file-access-from-files --virtual-time-budget=20000 --dump-dom "file://$scratch/page.html"
    says '<title>pictures 2 loaded 2 tables 2 shortest [4-9] targets true</title>'
}
if command -v chromium >/dev/null; then
    check "a browser shows the report's pictures and tables" shows_it
else
    echo "ok $((tests_run += 1)) - a browser shows the report's pictures and tables # SKIP chromium is not installed"
fi
check "the report fetches nothing" test -z "$(grep -oE '(src|href)="(https?:)?//[^"]*' "$scratch/out/report.html")"

# The same programs, but a hosts map that keeps everything on TCP.
mkdir "$scratch/build"
ln -s "$build"/{xylemd,libxylem.so,eval} "$scratch/build/"
echo '127.44.0.0/16 tcp' >"$scratch/hosts"
cat >"$scratch/build/xylem" <<SH
#!/bin/sh
[ "\$1" != run ] || { shift; set -- run --hosts "$scratch/hosts" "\$@"; }
exec "$build/xylem" "\$@"
SH
chmod +x "$scratch/build/xylem"
XYLEM_BUILD=$scratch/build run "${evaluation[@]}" connection_rate
check "a run whose connections go over TCP fails" exits_and_complains 1 'connection_rate Xylem: it ran, but [0-9]+ of its connections went over TCP'
check "its samples do not count" python3 - "$scratch/out/results.json" <<'PYTHON'
import json, sys
results = json.load(open(sys.argv[1]))
[figure] = results["figures"]
assert "tcp" in figure["transports"] and "xylem" not in figure["transports"] and len(results["failures"]) == 1
PYTHON

XYLEM_BUILD=$scratch run "${evaluation[@]}" transports
check "without a build it says what to do" exits_and_complains 1 'build it first'
run "${evaluation[@]}" nothing
check "an unknown experiment exits 2 and names those that there are" exits_and_complains 2 'no experiment is called nothing.*netpipe'
run "${evaluation[@]}" --list
check "it lists its experiments" exits_and_says 0 '^e  transports +Transports'

# Of two processes that spin, one is the program's child.
"${evaluation[@]}" ring_size >"$scratch/stdout" 2>"$scratch/stderr" &
evaluation_process=$!
# shellcheck disable=SC2317
children_of() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
# shellcheck disable=SC2317
has_pair() {
    read -ra pair < <(children_of "$evaluation_process")
    ((${#pair[@]} == 1)) || return
    read -ra pair <<<"${pair[0]} $(children_of "${pair[0]}")"
    ((${#pair[@]} == 2))
}
pair=()
check "a run has a program and its child" eventually 30 has_pair
kill -TERM "$evaluation_process"
wait "$evaluation_process"
exit_code=$?
check "an evaluation that is stopped says so by its exit code" exits 143
# shellcheck disable=SC2317
are_gone() { [[ -z $(for process in "${pair[@]}"; do ls -d "/proc/$process" 2>/dev/null; done) ]]; }
check "and takes both with it" eventually 10 are_gone
check "it writes what there is" grep -q 'stopped by SIGTERM before it was over' "$scratch/out/results.json"
done_testing
