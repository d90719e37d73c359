#!/usr/bin/python3
"""Runs unmodified iperf3 and NetPIPE over kernel TCP and over Xylem, in turn, and prints both side by side.

Two domains on this machine, no root, no set-up. Leaves build/demo/results.json and build/demo/netpipe.png.
Exit code 0: measured, and the rings carried the bytes; 1: something failed; 2: wrong usage.
"""
import argparse
import os
import shutil
import signal
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True  # the tree stays as it was

import figures
import plot
from processes import Processes, ProgramFailed, Stopped, stop_agents
from ring_bytes import RingBytes
from transports import Tcp, Xylem
from workloads import Iperf3, Netpipe

ROOT = Path(__file__).resolve().parent.parent.parent
NEEDED = {"iperf3": "iperf3", "NPtcp": "netpipe-tcp"}  # program -> Debian package


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=positive, default=5, metavar="N", help="iperf3 runs a transport; 5")
    parser.add_argument("--netpipe-repetitions", type=positive, default=3, metavar="N",
                        help="NetPIPE runs a transport; 3")
    parser.add_argument("--seconds", type=positive, default=3, metavar="S", help="length of an iperf3 run; 3")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "demo", metavar="DIR",
                        help="where the results go; build/demo")
    return parser.parse_args()


def positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


class Plan:
    """All runs in order, and how long the rest will take: as long as such runs took so far."""

    def __init__(self, workloads, transports):
        self.runs = [(workload, transport) for workload, repetitions in workloads for _ in range(repetitions)
                     for transport in transports]
        self.took = {}

    def expected(self, workload):
        took = self.took.get(workload.name)
        return sum(took) / len(took) if took else workload.expected_seconds

    def announce(self, index):
        workload, transport = self.runs[index]
        left = sum(self.expected(other) for other, _ in self.runs[index:])
        print(f"[{index + 1:>2}/{len(self.runs)}] {workload.title:<8} over {transport.label:<13} "
              f"about {max(left, 1):.0f} s left", end="", flush=True)

    def finished(self, index, seconds):
        self.took.setdefault(self.runs[index][0].name, []).append(seconds)


def measure(plan, processes, folder):
    """(samples, ring bytes of each Xylem run)"""
    samples, ring_bytes = {}, []
    for index, (workload, transport) in enumerate(plan.runs):
        plan.announce(index)
        start = time.monotonic()
        if isinstance(transport, Xylem):
            with RingBytes(transport) as ring:
                result = workload.run(transport, processes, folder)
            carried = ring.carried()
            ring_bytes.append(carried)
            print(f"  ring carried {carried / 1e9:.2f} GB", flush=True)
            if carried == 0:
                raise ProgramFailed(f"{workload.title} ran, but no ring carried a byte: it went over TCP "
                                    f"(see: xylem doctor)")
        else:
            result = workload.run(transport, processes, folder)
            print(flush=True)
        plan.finished(index, time.monotonic() - start)
        samples.setdefault(workload.name, {}).setdefault(transport.name, []).append(result)
    return samples, ring_bytes


def check_programs():
    missing = [package for program, package in NEEDED.items() if shutil.which(program) is None]
    if missing:
        raise ProgramFailed(f"programs are missing; install them with: apt-get install {' '.join(missing)}")


def run(options, processes):
    check_programs()
    options.output.mkdir(parents=True, exist_ok=True)
    folder = options.output.resolve()
    build = Path(os.environ.get("XYLEM_BUILD", ROOT / "build" / "release"))
    xylem = Xylem(build, folder)
    plan = Plan([(Iperf3(options.seconds), options.repetitions), (Netpipe(), options.netpipe_repetitions)],
                [Tcp(), xylem])
    try:
        samples, ring_bytes = measure(plan, processes, folder)
    finally:
        processes.stop_all()
        stop_agents(xylem.runtime_dir)
    rows = figures.figures_of(samples)
    figures.write_json(folder / "results.json", rows, samples, ring_bytes)
    plot.draw(folder / "netpipe.png", samples["netpipe"])
    print(f"\n{figures.table_text(rows)}\n\nMedian (lowest - highest). Rings carried {sum(ring_bytes) / 1e9:.1f} GB "
          f"in {len(ring_bytes)} runs.\n{folder / 'results.json'}\n{folder / 'netpipe.png'}")


def main():
    options = arguments()
    processes = Processes()
    processes.stop_on(signal.SIGINT, signal.SIGTERM)
    try:
        run(options, processes)
    except Stopped as stopped:
        print(f"\ndemo: {stopped}", file=sys.stderr)
        return stopped.exit_code
    except (ProgramFailed, OSError) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1
    finally:
        processes.stop_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
