#!/usr/bin/python3
"""Medians and ratios of `make bench-rdma`: figures.py FOLDER

FOLDER holds node-b.log (lines of eval/rdma/transports/exchange).
Exit code 1: figures are missing, or the rings did not carry what they should have. A ratio never fails.
"""
import statistics
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from eval import figures as logs  # noqa: E402  (it lies a folder above)

TRANSPORTS = ("tcp", "rsocket", "xylem", "device")
COMPARED = ("tcp", "rsocket", "device")


def table(figures):
    yield f"{'':24}" + "".join(f"{name:>14}" for name in TRANSPORTS) + "   times xylem: " + ", ".join(COMPARED)
    for (workload, size), values in figures.items():
        medians = logs.medians_of(values, TRANSPORTS)
        cells = "".join(f"{logs.value_text(workload, medians[name]):>14}" for name in TRANSPORTS)
        times = "".join(f"{logs.times_better(workload, medians['xylem'], medians[name]):8.2f}" for name in COMPARED)
        yield f"{logs.row_title(workload, size)}{cells}  {times}"


def device_table(lines):
    """What this node's device sent in a round over each transport, all sizes together."""
    sums = defaultdict(list)
    for words in map(str.split, lines):
        if len(words) == 4 and words[0] == "device":
            sums[words[1]].append((int(words[2]), int(words[3])))
    for name, rounds in sums.items():
        messages, packets = (statistics.median(column) for column in zip(*rounds))
        yield f"{name:<10} {messages:12.0f} messages {packets:12.0f} packets"


def main():
    lines = (Path(sys.argv[1]) / "node-b.log").read_text(encoding="utf-8", errors="replace").splitlines()
    figures = logs.read_figures(lines)
    if missing := logs.missing(figures, TRANSPORTS):
        print(f"figures are missing: {missing}", file=sys.stderr)
        return 1
    print(f"Medians of {logs.rounds_of(figures, TRANSPORTS)} rounds between two emulated machines with soft-RoCE: the ratios count.")
    print("\n".join(table(figures)))
    print("\nWhat the asking node's device sent in a round:")
    print("\n".join(device_table(lines)))
    wrong = list(logs.wrongly_carried(lines))
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
