#!/bin/bash
# The demo in small: it measures, its results hold together, and it leaves no process behind.
# shellcheck source=tests/control/cli/tap.sh
source tests/control/cli/tap.sh
need xylemd libxylem.so
[[ ${XYLEM_VARIANT:-release} == release ]] || skip_all "measured in the release variant only"
for program in iperf3 NPtcp; do command -v "$program" >/dev/null || skip_all "$program is not installed"; done

demo=(env "XYLEM_BUILD=$build" /usr/bin/python3 eval/demo/demo.py --output "$scratch/out")

run "${demo[@]}" --repetitions 1 --netpipe-repetitions 1 --seconds 1
check "the demo measures" exits 0
check "it says what runs, which of how many, and how long the rest takes" says '^\[ 2/4\] iperf3 +over Xylem +about [0-9]+ s left +ring carried'
check "it prints the table" says '^iperf3, 128 KiB writes +GB/s +[0-9.]+ '
check "the results hold together" python3 - "$scratch/out/results.json" <<'PYTHON'
import json, sys
results = json.load(open(sys.argv[1]))
assert results["ring_bytes"] > 0 and len(results["ring_bytes_by_run"]) == 2
figure = results["figures"]["iperf3_throughput"]
ratio = figure["xylem"]["median"] / figure["tcp"]["median"]
assert abs(results["iperf3_throughput_ratio"] - ratio) < 1e-9 * ratio
latency = results["figures"]["netpipe_64b_latency"]
assert latency["unit"] == "us" and results["netpipe_64b_latency_ratio"] > 0
assert results["machine"]["cores"] >= 1 and results["samples"]["netpipe"]["xylem"]
PYTHON
check "the plot is a picture" grep -q PNG <(head -c 8 "$scratch/out/netpipe.png")
# shellcheck disable=SC2317  # called through eventually(); so below
no_agents() { [[ -z $(find "$scratch/out/run" -name agent.sock) ]]; }
check "the agents end with it" eventually 10 no_agents

"${demo[@]}" --repetitions 1 --seconds 60 >"$scratch/stdout" 2>"$scratch/stderr" &
demo_process=$!
# shellcheck disable=SC2317
has_children() {
    read -ra children <"/proc/$demo_process/task/$demo_process/children"
    ((${#children[@]} == 2))
}
children=()
check "a run has a server and a client" eventually 30 has_children
kill -TERM "$demo_process"
wait "$demo_process"
exit_code=$?
check "a demo that is stopped says so by its exit code" exits 143
check "and takes its programs with it" test -z "$(for child in "${children[@]}"; do ls -d "/proc/$child" 2>/dev/null; done)"

XYLEM_BUILD=$scratch run /usr/bin/python3 eval/demo/demo.py --output "$scratch/out"
check "without a build it says what to do" exits_and_complains 1 'build it first'
run /usr/bin/python3 eval/demo/demo.py --repetitions 0
check "a wrong option exits 2" exits 2
done_testing
