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

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "eval"))

import figures  # noqa: E402  (so below: the path must be there first)
import plot  # noqa: E402
from harness.bench import Bench  # noqa: E402
from harness.plan import Plan  # noqa: E402
from harness.processes import Processes, ProgramFailed, Stopped  # noqa: E402
from harness.products import Products  # noqa: E402
from harness.transports import Tcp, Xylem  # noqa: E402
from workloads import Iperf3, Netpipe  # noqa: E402

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


def announce(plan, index):
    turn = plan.turns[index]
    print(f"[{index + 1:>2}/{len(plan.turns)}] {turn.experiment.title:<8} over {turn.transport.label:<13} "
          f"about {max(plan.seconds_left(index), 1):.0f} s left", end="", flush=True)


def measure(plan, bench):
    """(samples, ring bytes of each Xylem run)"""
    samples, ring_bytes = {}, []
    for index, turn in enumerate(plan.turns):
        announce(plan, index)
        start = time.monotonic()
        bench.carried.clear()
        result = turn.experiment.run(bench, turn.transport)
        if bench.carried:
            ring_bytes.append(sum(bench.carried))
            print(f"  ring carried {ring_bytes[-1] / 1e9:.2f} GB", end="")
        print(flush=True)
        plan.finished(turn, time.monotonic() - start)
        samples.setdefault(turn.experiment.name, {}).setdefault(turn.transport.name, []).append(result)
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
    Products(build)
    xylem = Xylem(build, folder)
    transports = [Tcp(), xylem]
    about = figures.machine_now()
    plan = Plan([Iperf3(options.repetitions, options.seconds), Netpipe(options.netpipe_repetitions)], lambda _: transports)
    try:
        samples, ring_bytes = measure(plan, Bench(processes, folder, build, xylem))
    finally:
        processes.stop_all()
        xylem.remove_runtime_dir()
    rows = figures.figures_of(samples)
    figures.write_json(folder / "results.json", rows, samples, ring_bytes, about)
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
