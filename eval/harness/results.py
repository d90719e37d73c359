"""From raw samples to figures: medians, spread, ratios; results.json and samples.csv.

A figure is one quantity at one point, over each transport that was measured there:

    {"figure": "e", "experiment": "transports", "metric": "latency", "unit": "s", "point": {"bytes": 64},
     "runs": 3,                                  that were to be; samples are fewer where some failed
     "transports": {"tcp": {"median": ..., "lowest": ..., "highest": ..., "samples": [...]}, "xylem": {...}},
     "times_better": {"tcp": 21.3}}              of Xylem than each other transport; above 1: Xylem is better
"""
import csv
import json
import statistics
from collections import defaultdict

from harness.metrics import METRICS, times_better

OURS = "xylem"


class Results:
    def __init__(self):
        self.samples = []  # (experiment, metric, point, transport, repetition, value)
        self.carried = []  # bytes that rings carried, of each server of a run over Xylem
        self.left_out = []  # (what, why)
        self.failures = []  # (what, why)

    def add(self, turn, metric, point, value, transport=None):
        """point: what the tool adds to that of the turn; transport: its name, where it is not that of the turn."""
        whole = tuple({**dict(turn.point), **point}.items())
        self.samples.append((turn.experiment, metric, whole, transport or turn.transport.name, turn.repetition, value))

    def figures(self):
        grouped = defaultdict(lambda: defaultdict(list))
        experiments = {}
        for experiment, metric, point, transport, _, value in self.samples:
            experiments[experiment.name] = experiment
            grouped[experiment.name, metric, point][transport].append(value)
        return [figure_of(experiments[name], metric, point, values) for (name, metric, point), values in grouped.items()]


def figure_of(experiment, metric, point, values):
    medians = {transport: statistics.median(samples) for transport, samples in values.items()}
    figure = {
        "figure": experiment.figure, "experiment": experiment.name, "metric": metric, "unit": METRICS[metric].unit,
        "point": dict(point), "runs": experiment.repetitions,
        "transports": {transport: {"median": medians[transport], "lowest": min(samples), "highest": max(samples),
                                   "samples": samples} for transport, samples in values.items()},
    }
    if OURS in medians:
        figure["times_better"] = {other: times_better(METRICS[metric], medians[OURS], medians[other])
                                  for other in medians if other != OURS}
    return figure


def write_json(path, results, summary):
    """summary: what is made of the figures, and what is known beside them."""
    everything = {
        **summary, "figures": results.figures(),
        "ring_bytes": sum(results.carried),
        "left_out": [{"what": what, "why": why} for what, why in results.left_out],
        "failures": [{"what": what, "why": why} for what, why in results.failures],
    }
    path.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


def write_csv(path, results):
    with open(path, "w", newline="", encoding="utf-8") as output:
        writer = csv.writer(output)
        writer.writerow(["figure", "experiment", "metric", "unit", "point", "transport", "repetition", "value"])
        for experiment, metric, point, transport, repetition, value in results.samples:
            text = " ".join(f"{key}={one}" for key, one in point)
            writer.writerow([experiment.figure, experiment.name, metric, METRICS[metric].unit, text, transport, repetition, value])
