"""Latency and throughput over message size, both transports in each of two panels."""
import statistics

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend must be chosen first)
from matplotlib.ticker import FuncFormatter  # noqa: E402

from tools.netpipe import is_kept  # noqa: E402

LINES = (("tcp", "TCP loopback", "#b2522f", "o"), ("xylem", "Xylem", "#1f6f8b", "s"))


def size_label(size, _position=None):
    for factor, unit in ((1 << 20, "M"), (1 << 10, "K")):
        if size >= factor:
            return f"{size / factor:g}{unit}"
    return f"{size:g}"


def number_label(value, _position=None):
    return f"{value:g}"


def band(runs, value):
    """(sizes, medians, minima, maxima) over the sizes that every run measured.

    NetPIPE also measures three bytes beside each size; the plot shows the sizes themselves.
    """
    common = sorted(set.intersection(*(set(run["seconds_by_size"]) for run in runs)))
    sizes = [size for size in common if is_kept(size)]
    values = [[value(size, run["seconds_by_size"][size]) for run in runs] for size in sizes]
    return sizes, [statistics.median(v) for v in values], [min(v) for v in values], [max(v) for v in values]


def draw_panel(axes, samples, title, unit, value):
    for name, label, colour, marker in LINES:
        sizes, middle, low, high = band(samples[name], value)
        axes.plot(sizes, middle, color=colour, marker=marker, markersize=4, linewidth=1.6, label=label)
        axes.fill_between(sizes, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("message size (bytes)")
    axes.set_ylabel(unit)
    axes.set_title(title)
    axes.set_xticks([4 ** i for i in range(12)])
    axes.xaxis.set_major_formatter(FuncFormatter(size_label))
    axes.yaxis.set_major_formatter(FuncFormatter(number_label))
    axes.minorticks_off()
    axes.grid(True, which="major", color="#dddddd", linewidth=0.7)
    axes.legend(frameon=False)


def draw(path, samples):
    """samples: {"tcp": [run, ...], "xylem": [...]} of NetPIPE."""
    figure, (latency, throughput) = pyplot.subplots(1, 2, figsize=(12, 5), constrained_layout=True)
    draw_panel(latency, samples, "Latency, one way", "microseconds", lambda size, seconds: seconds * 1e6)
    draw_panel(throughput, samples, "Throughput, ping-pong", "GB/s", lambda size, seconds: size / seconds / 1e9)
    runs = len(samples["xylem"])
    what = f"median of {runs} runs, shaded from the lowest to the highest" if runs > 1 else "one run"
    figure.suptitle(f"NetPIPE (NPtcp): {what}", fontsize=11)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
