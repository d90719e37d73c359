"""From raw samples to figures: medians, spread, ratios, the table and the JSON file."""
import json
import platform
import statistics
from dataclasses import dataclass

from harness import machine

LATENCY_SIZES = (1, 64, 1024)
THROUGHPUT_SIZES = (64 << 10, 1 << 20)


@dataclass
class Figure:
    """One row of the table: the same quantity over both transports."""
    key: str
    title: str
    unit: str
    scale: float  # from the samples' SI unit to `unit`
    tcp: list
    xylem: list

    def ratio(self):
        return statistics.median(self.xylem) / statistics.median(self.tcp)

    def json(self):
        return {"title": self.title, "unit": self.unit, "ratio_xylem_over_tcp": self.ratio(),
                **{name: {"median": statistics.median(values) * self.scale, "min": min(values) * self.scale,
                          "max": max(values) * self.scale, "samples": [v * self.scale for v in values]}
                   for name, values in (("tcp", self.tcp), ("xylem", self.xylem))}}


def size_text(size):
    if size < 1024:
        return f"{size} B"
    return f"{size >> 10} KiB" if size < 1 << 20 else f"{size >> 20} MiB"


def figures_of(samples):
    """samples: {"iperf3": {"tcp": [run, ...], "xylem": [...]}, "netpipe": ...}"""
    def of_runs(workload, value):
        return [[value(run) for run in samples[workload][transport]] for transport in ("tcp", "xylem")]

    figures = [Figure("iperf3_throughput", "iperf3, 128 KiB writes", "GB/s", 1e-9,
                      *of_runs("iperf3", lambda run: run["bytes_per_second"]))]
    for size in LATENCY_SIZES:
        figures.append(Figure(f"netpipe_{size}b_latency", f"NetPIPE latency, {size_text(size)}", "us", 1e6,
                              *of_runs("netpipe", lambda run, size=size: run["seconds_by_size"][size])))
    for size in THROUGHPUT_SIZES:
        figures.append(Figure(f"netpipe_{size}b_throughput", f"NetPIPE throughput, {size_text(size)}", "GB/s", 1e-9,
                              *of_runs("netpipe", lambda run, size=size: size / run["seconds_by_size"][size])))
    return figures


def number_text(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(values, scale):
    low, middle, high = (number_text(v * scale) for v in (min(values), statistics.median(values), max(values)))
    return f"{middle:>6}  ({low} - {high})"


def table_text(figures):
    rows = [["", "unit", "TCP loopback", "Xylem", "Xylem : TCP"]]
    for figure in figures:
        rows.append([figure.title, figure.unit, cell(figure.tcp, figure.scale), cell(figure.xylem, figure.scale),
                     f"{figure.ratio():.3g}"])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def machine_now():
    found = machine.describe({"iperf3": ["iperf3", "--version"]})
    return {**found, **found.pop("programs"), "python": platform.python_version()}


def write_json(path, figures, samples, ring_bytes, about):
    """about: the machine, before it all."""
    by_key = {figure.key: figure for figure in figures}
    report = {
        "iperf3_throughput_ratio": by_key["iperf3_throughput"].ratio(),
        "netpipe_64b_latency_ratio": by_key["netpipe_64b_latency"].ratio(),
        "ring_bytes": sum(ring_bytes),
        "ring_bytes_by_run": ring_bytes,
        "figures": {figure.key: figure.json() for figure in figures},
        "samples": samples,
        "machine": about,
    }
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
