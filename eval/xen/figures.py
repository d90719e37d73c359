#!/usr/bin/python3
"""Medians and ratios of `make bench-xen`, of one machine's logs: figures.py FOLDER

FOLDER holds guest-b.log (lines of eval/xen/transports/exchange) and cpu.log (processor times that dom0 took).
Exit code 1: figures are missing, or the rings did not carry what they should have. A ratio never fails.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from eval import lines as logs  # noqa: E402  (it lies a folder above)

TRANSPORTS = ("netfront", "vchan", "xylem")
NETFRONT_TIMES = 10  # asked of Xylem, in both workloads
VCHAN_TIMES = 3  # asked of messages up to VCHAN_BYTES
VCHAN_BYTES = 1024


def verdict(workload, size, medians):
    over_netfront = logs.times_better(workload, medians["xylem"], medians["netfront"])
    over_vchan = logs.times_better(workload, medians["xylem"], medians["vchan"])
    met = over_netfront >= NETFRONT_TIMES and (size > VCHAN_BYTES or over_vchan >= VCHAN_TIMES)
    return f"{over_netfront:8.1f} {over_vchan:8.1f}   {logs.aim_text(met)}"


def table(figures):
    yield f"{'':24}" + "".join(f"{name:>14}" for name in TRANSPORTS) + "   times xylem: netfront, vchan"
    for (workload, size), values in figures.items():
        medians = logs.medians_of(values, TRANSPORTS)
        cells = "".join(f"{logs.value_text(workload, medians[name]):>14}" for name in TRANSPORTS)
        yield f"{logs.row_title(workload, size)}{cells}  {verdict(workload, size, medians)}"


def cpu_table(lines):
    for label, domain, seconds, before, after in map(str.split, lines):
        yield f"{label:<10} {domain:<10} {float(after) - float(before):6.1f} s of {seconds} s"


def main():
    folder = Path(sys.argv[1])
    lines = (folder / "guest-b.log").read_text(encoding="utf-8", errors="replace").splitlines()
    figures = logs.read_figures(lines)
    if missing := logs.missing(figures, TRANSPORTS):
        print(f"figures are missing: {missing}", file=sys.stderr)
        return 1
    print(f"Medians of {logs.rounds_of(figures, TRANSPORTS)} rounds between two guests of an emulated machine: the ratios count.")
    print("\n".join(table(figures)))
    print("\nProcessor time of each domain during a transfer, and while idle:")
    print("\n".join(cpu_table((folder / "cpu.log").read_text(encoding="utf-8").splitlines())))
    wrong = list(logs.wrongly_carried(lines))
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
