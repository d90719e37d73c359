"""What can be measured: the unit of each figure, and whether less of it is better."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    title: str
    unit: str  # of samples, in SI
    shown_unit: str
    scale: float  # from the one to the other
    is_lower_better: bool

    def text(self, value):
        shown = value * self.scale
        digits = 0 if shown >= 100 else 1 if shown >= 10 else 2 if shown >= 0.1 else 4
        return f"{shown:.{digits}f}"


METRICS = {
    "latency": Metric("round trip", "s", "us", 1e6, True),
    "one_way": Metric("latency, one way", "s", "us", 1e6, True),
    "throughput": Metric("throughput", "B/s", "GB/s", 1e-9, False),
    "bandwidth": Metric("memory bandwidth", "B/s", "GB/s", 1e-9, False),
    "memcpy": Metric("memcpy", "B/s", "GB/s", 1e-9, False),
    "rate": Metric("connections a second", "1/s", "1/s", 1, False),
    "requests": Metric("requests a second", "1/s", "1/s", 1, False),
    "frames": Metric("frames a second", "1/s", "1/s", 1, False),
    "cpu_per_gb": Metric("processor seconds per GB", "s/GB", "s/GB", 1, True),
    "cpu_per_request": Metric("processor time of a request", "s", "us", 1e6, True),
    "cpu": Metric("processors busy", "s/s", "%", 100, True),
    "memory": Metric("memory of a connection", "B", "KiB", 1 / 1024, True),
    "wakeup": Metric("wake-up of a process that sleeps", "s", "us", 1e6, True),
    "spread": Metric("round trip, by percentile", "s", "us", 1e6, True),
}


def times_better(metric, ours, theirs):
    """How many times better ours is: above 1, ours is. None: there is no ratio to nothing."""
    if ours <= 0 or theirs <= 0:
        return None
    return theirs / ours if metric.is_lower_better else ours / theirs
