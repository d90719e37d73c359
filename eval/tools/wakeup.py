"""What it takes to wake up a process that sleeps, over a pipe: what every hand-over costs that is not spun for. No settings."""
from harness.bench import lines_of

KINDS = {"machine"}
NEEDS = {}
METRICS = {"wakeup"}


def measure(bench, transport, _point, _settings):
    for (seconds,) in lines_of(bench.client(transport, [bench.workload("wakeup")]), "wakeup"):
        yield "wakeup", {}, float(seconds)
