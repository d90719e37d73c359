"""How round trips are spread, to the 99.9th percentile, while other processes keep the processors busy.

settings: bytes, seconds, most_seconds (where there are few round trips). Points: busy_per_core (processes that compute, as a
multiple of the processors), gap_us (a pause before each message, so that both sides sleep), spin_us (of Xylem).
"""
import os
from contextlib import contextmanager

from harness.bench import lines_of
from tools.exchange import exchange

KINDS = {"tcp", "socket", "shared"}
NEEDS = {}
METRICS = {"spread"}
PERCENTILES = (50, 90, 99, 99.9)  # those beyond which there are ten round trips at least


@contextmanager
def busy_processes(bench, count):
    processes = []
    try:
        with open(os.devnull, "wb") as nothing:
            for _ in range(count):
                processes.append(bench.processes.start(["/bin/sh", "-c", "while :; do :; done"], None, nothing))
        yield
    finally:
        for process in processes:
            bench.processes.stop(process)


def measure(bench, transport, point, settings):
    count = round(point.get("busy_per_core", 0) * len(os.sched_getaffinity(0)))
    words = [str(settings["bytes"]), str(settings["seconds"]), str(point.get("gap_us", 0)), str(settings["most_seconds"])]
    with busy_processes(bench, count):
        said = exchange(bench, transport, "spread", words, settings["most_seconds"])
    for percentile, value in lines_of(said, "percentile"):
        yield "spread", {"percentile": float(percentile)}, float(value)
