"""What carries bytes between emulated machines, by the benchmarks that boot them: make bench-xen, make bench-rdma.

settings: target (of make), log (its lines, below the build folder), options. Ratios count there; absolute times are those
of an emulator.
"""
import os
from collections import namedtuple
from pathlib import Path

from harness.processes import ProgramFailed
from lines import read_figures

KINDS = {"machine"}
NEEDS = {"qemu-system-x86_64": "qemu-system-x86"}
METRICS = {"latency", "throughput"}
MOST_SECONDS = 1800
ROOT = Path(__file__).resolve().parent.parent.parent
MAKE_VARIABLES = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}  # of a make that started the evaluation
Sample = namedtuple("Sample", "metric point value transport")


def measure(bench, _transport, _point, settings):
    log = bench.log(settings["target"])
    command = ["make", "--no-print-directory", "-C", str(ROOT), f"VARIANT={bench.build.name}", settings["target"],
               f"BENCH_OPTIONS={settings['options']}"]
    environment = {key: value for key, value in os.environ.items() if key not in MAKE_VARIABLES}
    with open(log, "wb") as output:
        make = bench.processes.start(command, environment, output)
    bench.finish(make, f"make {settings['target']}", log, MOST_SECONDS)
    lines = (bench.build.parent / settings["log"]).read_text(encoding="utf-8", errors="replace").splitlines()
    figures = read_figures(lines)
    if not figures:
        raise ProgramFailed(f"make {settings['target']} left no figures")
    for (metric, size), transports in figures.items():
        for name, values in transports.items():
            for value in values:
                yield Sample(metric, {"bytes": size}, value, name)
