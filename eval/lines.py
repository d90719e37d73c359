"""What the benchmarks between two machines have in common: lines of their logs, medians, ratios.

    figure TRANSPORT ROUND WORKLOAD BYTES VALUE     latency: a round trip, or an answer, in seconds; throughput: bytes a second;
                                                    rate: answers a second. Of an application its name takes the place of BYTES
    carried TRANSPORT BYTES                         by rings, in one round
"""
import statistics
from collections import defaultdict

LEAST_CARRIED_BYTES = 1 << 20  # by the rings in one round; by others they carry nothing


def read_figures(lines):
    """{(workload, bytes or name): {transport: [value of each round]}}"""
    figures = defaultdict(lambda: defaultdict(list))
    for words in map(str.split, lines):
        if len(words) == 6 and words[0] == "figure":
            figures[words[3], int(words[4]) if words[4].isdigit() else words[4]][words[1]].append(float(words[5]))
    return figures


def missing(figures, transports):
    """Which of them some transport has no value for; all where there are none."""
    return [key for key, values in figures.items() if any(not values[name] for name in transports)] or \
        ([] if figures else ["all"])


def rounds_of(figures, transports):
    return min(len(values[name]) for values in figures.values() for name in transports)


def medians_of(values, transports):
    return {name: statistics.median(values[name]) for name in transports}


def wrongly_carried(lines):
    """Rounds whose bytes went elsewhere than they should have."""
    for words in map(str.split, lines):
        if len(words) == 3 and words[0] == "carried":
            if (int(words[2]) >= LEAST_CARRIED_BYTES) != (words[1] == "xylem"):
                yield f"{words[1]}: the rings carried {words[2]} bytes"


def times_better(workload, ours, theirs):
    return theirs / ours if workload == "latency" else ours / theirs


def value_text(workload, value):
    return {"latency": f"{value * 1e6:.0f} us", "throughput": f"{value / 1e6:.1f} MB/s", "rate": f"{value:.0f} /s"}[workload]


def row_title(workload, size):
    return f"{workload:<12}{size:>10} B"


def aim_text(is_met):
    return "met" if is_met else "MISSED"
