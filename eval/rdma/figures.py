#!/usr/bin/python3
"""Medians, ratios, aims and operations of `make bench-rdma`: figures.py FOLDER

FOLDER holds node-b.log (lines of eval/rdma/transports/exchange).
Exit code 1: figures are missing, or the rings did not carry what they should have. A ratio, or an aim, never fails.
"""
import statistics
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from eval import lines as logs  # noqa: E402  (it lies two folders above)
from eval.rdma.emulation import WHY_TIMES_SAY_LITTLE  # noqa: E402

TRANSPORTS = ("tcp", "rsocket", "xylem", "device")
COMPARED = ("tcp", "rsocket", "device")
# What is asked of Xylem, beside being ahead of TCP.
DEVICE_PART, DEVICE_PART_BYTES = 0.8, 64 << 10  # of ib_write_bw, from that size up
DEVICE_TIMES, WAKEUPS = 2, 2  # of ib_write_lat, and wake-ups beside it, one way
# What a line of work counts, by transport: at the asking node, in both directions where nothing else is said.
WORK = {
    "tcp": ("packets",),
    "rsocket": ("packets",),
    "xylem": ("packets", "sent", "received", "writes", "completions", "events", "kicks"),
}


def is_met(workload, size, medians, wakeup_seconds):
    xylem, device = medians["xylem"], medians["device"]
    if logs.times_better(workload, xylem, medians["tcp"]) < 1:
        return False
    if workload == "latency":  # of a round trip, which goes two ways
        return xylem <= DEVICE_TIMES * device + 2 * WAKEUPS * wakeup_seconds
    return size < DEVICE_PART_BYTES or xylem >= DEVICE_PART * device


def table(figures, wakeup_seconds):
    yield f"{'':24}" + "".join(f"{name:>14}" for name in TRANSPORTS) + "   times xylem: " + ", ".join(COMPARED) + "; aim"
    for (workload, size), values in figures.items():
        medians = logs.medians_of(values, TRANSPORTS)
        cells = "".join(f"{logs.value_text(workload, medians[name]):>14}" for name in TRANSPORTS)
        times = "".join(f"{logs.times_better(workload, medians['xylem'], medians[name]):8.2f}" for name in COMPARED)
        met = logs.aim_text(is_met(workload, size, medians, wakeup_seconds))
        yield f"{logs.row_title(workload, size)}{cells}  {times}   {met}"


def read_work(lines):
    """{(workload, bytes): {transport: medians, of all rounds, of what a round trip or a megabyte took}}"""
    rounds = defaultdict(lambda: defaultdict(list))
    for words in map(str.split, lines):
        if not words or words[0] != "work" or len(words) != 5 + len(WORK.get(words[1], ())):
            continue
        size, count, *numbers = map(int, words[3:])
        divisor = count if words[2] == "latency" else count * size / 1e6
        rounds[words[2], size][words[1]].append([number / divisor for number in numbers])
    return {key: {transport: [statistics.median(column) for column in zip(*rows)] for transport, rows in values.items()}
            for key, values in rounds.items()}


def number_text(number, width):
    return f"{number:{width}.{2 if number < 100 else 0}f}"


def work_table(work):
    yield f"{'':24}{'packets':>24}   of Xylem's bridge and programs"
    yield f"{'':24}" + "".join(f"{name:>9}" for name in WORK) + " " + "".join(f"{name:>12}" for name in ("doorbells", *WORK["xylem"][1:]))
    for (workload, size), values in work.items():
        packets = "".join(number_text(values[name][0], 9) for name in WORK)
        _, sent, *_ = values["xylem"]
        writes = values["xylem"][WORK["xylem"].index("writes")]
        numbers = "".join(number_text(number, 12) for number in (sent + writes, *values["xylem"][1:]))
        yield f"{logs.row_title(workload, size)}{packets} {numbers}"


def wakeup_of(lines):
    found = [float(words[1]) for words in map(str.split, lines) if len(words) == 2 and words[0] == "wakeup"]
    return statistics.median(found) if found else None


def main():
    lines = (Path(sys.argv[1]) / "node-b.log").read_text(encoding="utf-8", errors="replace").splitlines()
    figures, work, wakeup_seconds = logs.read_figures(lines), read_work(lines), wakeup_of(lines)
    lacking = logs.missing(figures, TRANSPORTS) + [f"work of {key}" for key in figures if work.get(key, {}).keys() != WORK.keys()]
    if lacking or wakeup_seconds is None:
        print(f"figures are missing: {lacking or 'wakeup'}", file=sys.stderr)
        return 1
    print(f"Medians of {logs.rounds_of(figures, TRANSPORTS)} rounds between two emulated machines with soft-RoCE: the ratios count.")
    print("\n".join(table(figures, wakeup_seconds)))
    print(f"\nAim: ahead of TCP; {DEVICE_PART:.0%} of the device alone (ib_write_bw) from {DEVICE_PART_BYTES >> 10} KiB up; a round trip within "
          f"{DEVICE_TIMES} times\nthe device's (ib_write_lat) and {2 * WAKEUPS} wake-ups, which take {wakeup_seconds * 1e6:.0f} us each here.\n\n{WHY_TIMES_SAY_LITTLE}")
    print("\nOf a round trip (latency) and of a megabyte (throughput), at the asking node. packets: of the device, of TCP those of the\n"
          "interface; doorbells: work that was posted to the device, messages sent and writes into the far ring; completions, of what\n"
          "was received and of what was posted where that was asked for; events that woke the bridge; kicks by programs.\n")
    print("\n".join(work_table(work)))
    wrong = list(logs.wrongly_carried(lines))
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
