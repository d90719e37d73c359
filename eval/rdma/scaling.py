#!/usr/bin/python3
"""Table, aims and picture of `make bench-rdma-connections`: scaling.py FOLDER PICTURE

FOLDER holds node-b.log (lines of eval/rdma/scaling/connections). Exit code 1: figures are missing. A ratio, or an aim, never fails.
"""
import statistics
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend must be chosen first)

from eval import lines as logs  # noqa: E402  (it lies two folders above)
from eval.rdma.emulation import WHY_TIMES_SAY_LITTLE  # noqa: E402

TRANSPORTS = ("xylem", "tcp")
LABELS = {"xylem": ("Xylem over RDMA", "#1f6f8b", "s"), "tcp": ("kernel TCP", "#b2522f", "o")}
MEBIBYTE = 1 << 20
MOST_FALL = 0.05  # of all connections together, from one to any number


class Figures:
    """Of each number of connections: bytes a second in each round, what was held, what the device did."""

    def __init__(self, lines):
        self.rates = defaultdict(lambda: defaultdict(list))
        self.evenness = defaultdict(list)
        self.held = defaultdict(list)
        self.work = defaultdict(list)
        for words in map(str.split, lines):
            if len(words) == 7 and words[0] == "moved":
                self.rates[int(words[3])][words[1]].append(float(words[4]))
                if words[1] == "xylem":
                    self.evenness[int(words[3])].append(int(words[5]) / max(1, int(words[6])))
            elif len(words) == 5 and words[0] == "held":
                self.held[int(words[1])].append([int(word) for word in words[2:]])
            elif len(words) == 7 and words[0] == "device":
                self.work[int(words[1])].append([int(word) for word in words[2:]])

    def missing(self):
        complete = self.rates and all(self.rates[count][name] for count in self.rates for name in TRANSPORTS)
        return not complete or any(not self.held[count] or not self.work[count] for count in self.rates)

    def rate(self, count, transport):
        return statistics.median(self.rates[count][transport])

    def rounds(self):
        return min(len(values[name]) for values in self.rates.values() for name in TRANSPORTS)


def medians(rows):
    return [statistics.median(column) for column in zip(*rows)]


def table(figures):
    yield (f"{'connections':>12}{'xylem MB/s':>12}{'of best':>9}{'tcp MB/s':>10}{'of best':>9}{'least/most':>12}{'queue pairs':>13}"
           f"{'pinned MiB':>12}{'of':>6}{'messages/MB':>13}{'writes/MB':>11}{'completions/MB':>16}{'events/MB':>11}")
    best = {name: max(figures.rate(count, name) for count in figures.rates) for name in TRANSPORTS}
    for count in sorted(figures.rates):
        pairs, pinned, most = medians(figures.held[count])
        *work, moved = medians(figures.work[count])
        rates = "".join(f"{figures.rate(count, name) / 1e6:{width}.1f}{figures.rate(count, name) / best[name]:9.2f}"
                        for name, width in (("xylem", 12), ("tcp", 10)))
        per_megabyte = [value / (moved / 1e6) if moved else 0 for value in work]
        yield (f"{count:12}{rates}{statistics.median(figures.evenness[count]):12.2f}{pairs:13.0f}{pinned / MEBIBYTE:12.1f}"
               f"{most / MEBIBYTE:6.0f}{per_megabyte[0]:13.1f}{per_megabyte[1]:11.1f}{per_megabyte[2]:16.1f}{per_megabyte[3]:11.1f}")


def aims(figures):
    """What is asked of Xylem: the aim, whether it is met, and what was found."""
    counts = sorted(figures.rates)
    rates = {count: figures.rate(count, "xylem") for count in counts}
    least = min(counts, key=rates.get)
    of_best, at = min((rates[count] / max(rates[fewer] for fewer in counts if fewer <= count), count) for count in counts)
    yield (f"together they fall by less than {MOST_FALL:.0%}", rates[least] > (1 - MOST_FALL) * rates[counts[0]],
           f"least {rates[least] / rates[counts[0]]:.2f} of the rate of {counts[0]}, at {least}; "
           f"{of_best:.2f} of the best with fewer, at {at}")
    pairs = {int(pairs) for count in counts for pairs, *_ in figures.held[count]}
    yield "queue pairs are constant", len(pairs) == 1 and min(pairs) > 0, f"{min(pairs)} to {max(pairs)}"
    pinned, most = max((pinned, most) for count in counts for _, pinned, most in figures.held[count])
    yield ("pinned memory is bounded", all(pinned <= most for count in counts for _, pinned, most in figures.held[count]),
           f"{pinned / MEBIBYTE:.1f} of {most / MEBIBYTE:.0f} MiB at most")


def aims_table(figures):
    counts = sorted(figures.rates)
    yield f"From {counts[0]} to {counts[-1]} connections:"
    for aim, is_met, found in aims(figures):
        yield f"    {aim:<40}{logs.aim_text(is_met):<8}{found}"


def draw(figures, path):
    counts = sorted(figures.rates)
    picture, axes = pyplot.subplots(figsize=(7, 4.5), constrained_layout=True)
    for name in TRANSPORTS:
        label, colour, marker = LABELS[name]
        values = [[rate / 1e6 for rate in figures.rates[count][name]] for count in counts]
        axes.plot(counts, [statistics.median(v) for v in values], color=colour, marker=marker, label=label)
        axes.fill_between(counts, [min(v) for v in values], [max(v) for v in values], color=colour, alpha=0.18, linewidth=0)
    axes.set_xscale("log", base=2)
    axes.set_ylim(bottom=0)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("busy connections between two nodes")
    axes.set_ylabel("MB/s together, of an emulated device")
    axes.set_title(f"Median of {figures.rounds()} rounds, shaded from the lowest to the highest", fontsize=10)
    axes.grid(True, color="#dddddd", linewidth=0.7)
    axes.legend(frameon=False)
    picture.savefig(path, dpi=120)
    pyplot.close(picture)


def main():
    lines = (Path(sys.argv[1]) / "node-b.log").read_text(encoding="utf-8", errors="replace").splitlines()
    figures = Figures(lines)
    if figures.missing():
        print("figures are missing", file=sys.stderr)
        return 1
    print(f"Medians of {figures.rounds()} rounds between two emulated machines with soft-RoCE: the ratios count.")
    print("\n".join(table(figures)))
    print("\n" + "\n".join(aims_table(figures)))
    print(f"\n{WHY_TIMES_SAY_LITTLE}")
    draw(figures, sys.argv[2])
    print(f"\npicture: {sys.argv[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
