#!/usr/bin/python3
"""Medians and ratios of `make bench-xen`, of one machine's logs: figures.py FOLDER

FOLDER holds guest-b.log (lines of eval/xen/transports/exchange) and cpu.log (processor times that dom0 took).
Exit code 1: figures are missing, or the rings did not carry what they should have. A ratio never fails.
"""
import statistics
import sys
from collections import defaultdict
from pathlib import Path

TRANSPORTS = ("netfront", "vchan", "xylem")
NETFRONT_TIMES = 10  # asked of Xylem, in both workloads
VCHAN_TIMES = 3  # asked of messages up to VCHAN_BYTES
VCHAN_BYTES = 1024
LEAST_CARRIED_BYTES = 1 << 20  # by the rings in one round; by others they carry nothing


def read_figures(lines):
    """{(workload, bytes): {transport: [value of each round]}}"""
    figures = defaultdict(lambda: defaultdict(list))
    for words in map(str.split, lines):
        if len(words) == 6 and words[0] == "figure":
            figures[words[3], int(words[4])][words[1]].append(float(words[5]))
    return figures


def wrongly_carried(lines):
    """Rounds whose bytes went elsewhere than they should have."""
    for words in map(str.split, lines):
        if len(words) == 3 and words[0] == "carried":
            if (int(words[2]) >= LEAST_CARRIED_BYTES) != (words[1] == "xylem"):
                yield f"{words[1]}: the rings carried {words[2]} bytes"


def times_better(workload, ours, theirs):
    return theirs / ours if workload == "latency" else ours / theirs


def value_text(workload, value):
    return f"{value * 1e6:.0f} us" if workload == "latency" else f"{value / 1e6:.1f} MB/s"


def verdict(workload, size, medians):
    over_netfront = times_better(workload, medians["xylem"], medians["netfront"])
    over_vchan = times_better(workload, medians["xylem"], medians["vchan"])
    met = over_netfront >= NETFRONT_TIMES and (size > VCHAN_BYTES or over_vchan >= VCHAN_TIMES)
    return f"{over_netfront:8.1f} {over_vchan:8.1f}   {'met' if met else 'MISSED'}"


def table(figures):
    yield f"{'':24}" + "".join(f"{name:>14}" for name in TRANSPORTS) + "   times xylem: netfront, vchan"
    for (workload, size), values in figures.items():
        medians = {name: statistics.median(values[name]) for name in TRANSPORTS}
        cells = "".join(f"{value_text(workload, medians[name]):>14}" for name in TRANSPORTS)
        yield f"{workload:<12}{size:>10} B{cells}  {verdict(workload, size, medians)}"


def cpu_table(lines):
    for label, domain, seconds, before, after in map(str.split, lines):
        yield f"{label:<10} {domain:<10} {float(after) - float(before):6.1f} s of {seconds} s"


def main():
    folder = Path(sys.argv[1])
    lines = (folder / "guest-b.log").read_text(encoding="utf-8", errors="replace").splitlines()
    figures = read_figures(lines)
    missing = [key for key, values in figures.items() if any(not values[name] for name in TRANSPORTS)]
    if not figures or missing:
        print(f"figures are missing: {missing or 'all'}", file=sys.stderr)
        return 1
    rounds = min(len(values[name]) for values in figures.values() for name in TRANSPORTS)
    print(f"Medians of {rounds} rounds between two guests of an emulated machine: the ratios count.")
    print("\n".join(table(figures)))
    print("\nProcessor time of each domain during a transfer, and while idle:")
    print("\n".join(cpu_table((folder / "cpu.log").read_text(encoding="utf-8").splitlines())))
    wrong = list(wrongly_carried(lines))
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
