#!/usr/bin/python3
"""Measures Xylem beside what one would use instead, and writes a report: tables, pictures, JSON and CSV.

Experiments are the files of eval/experiments; a name (transports) or the letter of a figure (e) picks some.
Exit code 0: measured; 1: an experiment failed, or rings carried nothing; 2: wrong usage.
"""
import argparse
import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True  # the tree stays as it was

from harness import experiment, machine, recommendation, results, targets
from harness.bench import Bench
from harness.plan import Plan
from harness.processes import NotReached, Processes, ProgramFailed, Stopped
from harness.products import Changed, Products
from harness.transports import every_transport
from report import report

ROOT = Path(__file__).resolve().parent.parent
EXPERIMENTS = ROOT / "eval" / "experiments"
# Of one run, which the others outlive: a program's, the system's, and output that is not what it should be.
FAILURES = (ProgramFailed, OSError, subprocess.SubprocessError, ValueError, LookupError, ArithmeticError, TypeError, AttributeError)
VERSIONS = {"iperf3": ["iperf3", "--version"], "nginx": ["nginx", "-v"], "redis": ["redis-server", "--version"],
            "ffmpeg": ["ffmpeg", "-version"], "python": [sys.executable, "--version"]}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help="names or figures; without any all")
    parser.add_argument("--quick", action="store_true", help="fewer points, once each: whether it works, not how fast")
    parser.add_argument("--repetitions", type=int, metavar="N", help="of each run, instead of what experiments say")
    parser.add_argument("--list", action="store_true", help="show the experiments and end")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "eval", metavar="DIR",
                        help="where the report goes; build/eval")
    options = parser.parse_args()
    if options.repetitions is not None and options.repetitions < 1:
        parser.error("--repetitions must be at least 1")
    return options


def tool_of(one):
    try:
        return importlib.import_module(f"tools.{one.tool}")
    except ModuleNotFoundError as error:
        raise experiment.BadExperiment(f"{one.name}: there is no tool {one.tool} ({error})") from error


class Evaluation:
    def __init__(self, experiments, folder, build, processes):
        self.results = results.Results()
        self.products = Products(build)
        self.transports = every_transport(build, folder)
        self.xylem = self.transports["xylem"]
        self.bench = Bench(processes, folder, build, self.xylem)
        self.plan = Plan(experiments, self.available)

    def available(self, one):
        """Transports of the experiment that this machine has; what it lacks is noted with its reason."""
        if one.skip:
            return self.leave_out(one.title, "not part of a quick evaluation")
        tool = tool_of(one)
        missing = sorted({package for program, package in tool.NEEDS.items() if shutil.which(program) is None})
        if missing:
            return self.leave_out(one.title, f"apt-get install {' '.join(missing)}")
        found = []
        for name in one.transports:
            transport = self.transports.get(name)
            if transport is None or transport.kind not in tool.KINDS:
                raise experiment.BadExperiment(f"{one.name}: {one.tool} cannot be played over {name}")
            if why := transport.why_not():
                self.leave_out(f"{one.title}: {transport.label}", why)
            else:
                found.append(transport)
        return found

    def leave_out(self, what, why):
        if (what, why) not in self.results.left_out:
            self.results.left_out.append((what, why))
        return []

    def run(self):
        for index, turn in enumerate(self.plan.turns):
            minutes, seconds = divmod(round(self.plan.seconds_left(index)), 60)
            print(f"[{index + 1:>3}/{len(self.plan.turns)}] {turn.text():<64} about {minutes} min {seconds:2} s left", flush=True)
            self.products.check()
            start = time.monotonic()
            try:
                self.take(turn)
            except NotReached as reason:
                self.leave_out(turn.text(), str(reason))
            except FAILURES as error:
                self.results.failures.append((turn.text(), str(error) or repr(error)))
                print(f"          failed: {error!r}", flush=True)
            self.bench.processes.stop_all()
            self.plan.finished(turn, time.monotonic() - start)
        self.products.check()

    def take(self, turn):
        point = dict(turn.point)
        transport = turn.transport.at(point)
        self.bench.carried.clear()
        found = list(tool_of(turn.experiment).measure(self.bench, transport, point, turn.experiment.settings))
        if not found:
            raise ProgramFailed("it ran, but printed no figures")
        if turn.transport is self.xylem and not self.bench.carried:
            raise ProgramFailed("it ran, but nothing proves that rings carried it")
        self.results.carried += self.bench.carried
        for metric, extra, value, *carrier in found:
            self.results.add(turn, metric, extra, value, *carrier)


def evaluate(options, processes):
    experiments = experiment.load_all(EXPERIMENTS, options.experiments, options.quick)
    if options.list:
        print("\n".join(f"{one.figure}  {one.name:<16} {one.title}" for one in experiments))
        return 0
    for one in experiments:
        one.repetitions = options.repetitions or one.repetitions
    asked = targets.load(ROOT / "eval" / "targets.toml")
    folder = options.output.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    build = Path(os.environ.get("XYLEM_BUILD", ROOT / "build" / "release")).resolve()
    evaluation = Evaluation(experiments, folder, build, processes)
    about = {**machine.describe(VERSIONS), "xylem_configuration": evaluation.xylem.configuration(),
             "xylem_digest": evaluation.products.digest()}
    if about["xylem_configuration"]:
        print(f"Xylem's agents do as {about['xylem_configuration']} says, and so figures may be others than without it")
    start, stopped = time.monotonic(), None
    try:
        evaluation.run()
    except Stopped as reason:
        stopped = reason
        evaluation.results.failures.append(("the evaluation", f"{reason} before it was over"))
    except Changed as reason:
        evaluation.results.failures.append(("the evaluation", str(reason)))
    finally:
        processes.stop_all()
        evaluation.xylem.remove_runtime_dir()
    exit_code = finish(evaluation.results, experiments, asked, about, folder, time.monotonic() - start)
    if stopped is not None:
        raise stopped
    return exit_code


def finish(found, experiments, asked, about, folder, seconds):
    figures = found.figures()
    judged = targets.judge(figures, asked, experiments)
    summary = {"machine": about, "seconds": seconds, "targets": judged,
               "recommendation": recommendation.recommend(figures, about["caches"])}
    results.write_json(folder / "results.json", found, summary)
    results.write_csv(folder / "samples.csv", found)
    report.write(folder / "report.html", found, experiments, summary)
    for target in judged:
        if target["is_met"] is not None:
            verdict = "met" if target["is_met"] else "MISSED"
            note = f" ({target['note']})" if target["note"] else ""
            print(f"{verdict:<7} {target['reached']:8.2f} times (asked: {target['times']:g})  {target['title']}{note}")
        elif target["note"] != targets.NOT_PLAYED:
            print(f"unknown {target['title']}: {target['note']}")
    for what, why in found.left_out:
        print(f"left out: {what}: {why}")
    for what, why in found.failures:
        print(f"FAILED: {what}: {why}", file=sys.stderr)
    print(f"{folder / 'report.html'}\n{folder / 'results.json'}\n{folder / 'samples.csv'}")
    return 1 if found.failures else 0


def main():
    options = arguments()
    processes = Processes()
    processes.stop_on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    try:
        return evaluate(options, processes)
    except Stopped as stopped:
        print(f"\neval: {stopped}", file=sys.stderr)
        return stopped.exit_code
    except (experiment.BadExperiment, targets.BadTarget) as error:
        print(f"eval: {error}", file=sys.stderr)
        return 2
    except (ProgramFailed, OSError) as error:
        print(f"eval: {error}", file=sys.stderr)
        return 1
    finally:
        processes.stop_all()


if __name__ == "__main__":
    sys.exit(main())
