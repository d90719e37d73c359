#!/usr/bin/python3
"""Runs the suites of tests/suites.ini (its head explains the fields) and ends with one line:

    N passed, N failed, N skipped

Suites run one after the other, so that timing-sensitive ones have the machine to themselves. Every test runs
in a session of its own, which is killed when the suite's time is over. Exit code 0: nothing failed.
"""
import argparse
import configparser
import glob
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import test_output

ROOT = Path(__file__).resolve().parent.parent
SUITES = ROOT / "tests" / "suites.ini"
HEARTBEAT_SECONDS = 60
TERM_GRACE_SECONDS = 3

running = set()
running_lock = threading.Lock()


def say(line):
    # One write, so that lines of parallel tests stay whole.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def kill_session(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def stop_everything():
    with running_lock:
        for process in running:
            kill_session(process, signal.SIGKILL)


def wait_until(process, deadline, name, start):
    """Waits for the process; False if the deadline came first. Says now and then that it still runs."""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        try:
            process.wait(min(left, HEARTBEAT_SECONDS))
            return True
        except subprocess.TimeoutExpired:
            if left > HEARTBEAT_SECONDS:
                say(f"       {name}: still running after {time.monotonic() - start:.0f} s")


class Suite:
    def __init__(self, name, fields, context):
        self.name = name
        self.kind = fields["kind"]
        self.optional = fields.getboolean("optional")
        self.jobs = fields.getint("jobs")
        self.variants = fields["variants"].split()
        self.fields = fields
        self.context = context
        self.outcome = test_output.Outcome()

    def tests(self):
        """(name, command) of each test."""
        build = str(self.context.build)
        run = self.fields["run"]
        if "tests" not in self.fields:
            command = run.format(build=build, path="", stem="").split()
            # An optional binary without sources has not been built.
            return [(Path(command[0]).name, command)] if os.path.exists(command[0]) else []
        paths = sorted(p for pattern in self.fields["tests"].split() for p in glob.glob(pattern, root_dir=ROOT))
        return [(Path(p).stem, run.format(build=build, path=p, stem=Path(p).stem).split()) for p in paths]

    def limit_seconds(self, count):
        extra = os.environ.get(self.fields["timeout_per_test"], "0")
        return self.fields.getint("timeout_seconds") + count * int(extra)

    def run(self):
        start = self.start = time.monotonic()
        tests = self.tests()
        say(f"RUN    {self.name}")
        if not tests:
            self.nothing_to_run()
        deadline = start + self.limit_seconds(len(tests))
        with ThreadPoolExecutor(self.jobs) as pool:
            pending = [pool.submit(self.run_test, name, command, deadline) for name, command in tests]
            try:
                for future in pending:
                    future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                stop_everything()
                raise
        if tests and self.outcome.total() == 0:
            self.outcome.failed.append((self.name, "the suite ran no tests"))
        verdict = "FAILED" if self.outcome.failed else "OK" if self.outcome.passed else "SKIP"
        say(f"{verdict:<6} {self.name}: {self.outcome.line()} ({time.monotonic() - start:.1f} s)")
        return self.outcome

    def nothing_to_run(self):
        reason = "no such tests in this tree: " + self.fields.get("tests", self.fields["run"])
        if self.optional:
            self.outcome.skipped.append((self.name, reason))
        else:
            self.outcome.failed.append((self.name, reason))

    def run_test(self, name, command, deadline):
        start = time.monotonic()
        log = self.context.log_folder / self.name / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        report = log.with_suffix(".json")
        report.unlink(missing_ok=True)
        if self.kind == "gtest":
            command = [*command, f"--gtest_output=json:{report}"]
        reports = Sanitizer(self.context.variant, log)
        code, ended = self.execute(command, log, deadline, reports.environment)
        text = log.read_text(encoding="utf-8", errors="replace")
        if self.kind == "gtest":
            outcome = test_output.from_gtest(name, text, report, code, ended)
        else:
            outcome = test_output.from_script(name, text, code, ended)
        for path in reports.move_into(log):
            outcome.failed.append((name, f"a sanitizer's report: {path.name}, at the end of {log.name}"))
        self.report_test(name, outcome, log, time.monotonic() - start)

    def execute(self, command, log, deadline, extra_environment):
        """Exit code, and in words how the command ended. The output goes to the log."""
        start = time.monotonic()
        if command[0].endswith(".sh") and not os.access(ROOT / command[0], os.X_OK):
            command = ["bash", *command]
        with open(log, "wb") as output:
            try:
                with running_lock:
                    process = subprocess.Popen(command, cwd=ROOT, stdout=output,
                                               env=self.context.environment | extra_environment,
                                               stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                               start_new_session=True)
                    running.add(process)
            except OSError as error:
                output.write(f"cannot run {command[0]}: {error.strerror}\n".encode())
                return 127, "could not be started"
            finished = wait_until(process, deadline, f"{self.name} {log.stem}", start)
            if not finished:
                kill_session(process, signal.SIGTERM)
                wait_until(process, time.monotonic() + TERM_GRACE_SECONDS, log.stem, start)
            # Also what a test left behind in the background.
            kill_session(process, signal.SIGKILL)
            code = process.wait()
        with running_lock:
            running.discard(process)
        if not finished:
            return -signal.SIGKILL, f"still ran when the suite's {deadline - self.start:.0f} s were over"
        return code, test_output.ending(code)

    def report_test(self, name, outcome, log, seconds):
        with running_lock:
            self.outcome.add(outcome)
        if "tests" in self.fields:
            say(f"       {name}: {outcome.line()} ({seconds:.1f} s)")
        for skipped, reason in outcome.skipped:
            say(f"       skipped {skipped}: {reason}")
        if not outcome.failed:
            return
        for failed, reason in outcome.failed:
            say(f"       failed {failed}: {reason}")
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        say(f"       ---- from {log}")
        for line in test_output.telling(lines):
            say(f"       | {line}")


class Sanitizer:
    """Reports of all processes of a test, also of those whose exit code and output nobody looks at."""

    OPTIONS = {"asan": ("ASAN_OPTIONS", "UBSAN_OPTIONS"), "ubsan": ("UBSAN_OPTIONS",), "tsan": ("TSAN_OPTIONS",)}

    def __init__(self, variant, log):
        self.prefix = log.with_suffix(".sanitizer")
        for old in self.paths():
            old.unlink()
        names = self.OPTIONS.get(variant, ())
        self.environment = {n: f"{os.environ.get(n, '')}:log_path={self.prefix}" for n in names}
        if variant == "asan":
            # `xylem run` preloads the library as it would any day, without the runtime before it. And a runtime that
            # forbids core dumps does it through the library's setrlimit(), before the shadow memory is there.
            self.environment["ASAN_OPTIONS"] += ":verify_asan_link_order=0:disable_coredump=0"

    def paths(self):
        return sorted(self.prefix.parent.glob(f"{self.prefix.name}.*"))

    def move_into(self, log):
        paths = self.paths()
        with open(log, "a", encoding="utf-8") as output:
            for path in paths:
                output.write(f"---- {path.name}\n{path.read_text(encoding='utf-8', errors='replace')}")
                path.unlink()
        return paths


class Context:
    """What all suites share: where things are, and the environment of the tests."""

    def __init__(self, arguments):
        self.build = Path(arguments.build)
        self.variant = arguments.variant
        self.log_folder = self.build / "tests" / "log"
        self.environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        self.environment.update({
            "XYLEM_BUILD": arguments.build,
            "XYLEM_FUZZ_BUILD": arguments.fuzz_build,
            "XYLEM_VARIANT": arguments.variant,
            "XYLEM_STRESS": "short",
            "XYLEM_SANITIZER_RUNTIME": sanitizer_runtime(arguments.variant),
        })


def sanitizer_runtime(variant):
    if variant != "asan":
        return ""
    command = [os.environ.get("CXX", "g++"), "-print-file-name=libasan.so"]
    return os.path.realpath(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def selected_suites(arguments, context):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(SUITES.read_text(encoding="utf-8"), str(SUITES))
    unknown = [name for name in arguments.suites if name not in parser]
    if unknown:
        sys.exit(f"no suite {', '.join(unknown)} in {SUITES}; there are: {', '.join(parser.sections())}")
    suites = [Suite(name, parser[name], context) for name in parser.sections()]
    if arguments.suites:
        return [suite for suite in suites if suite.name in arguments.suites]
    return [suite for suite in suites if arguments.variant in suite.variants]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, help="absolute build folder of the variant")
    parser.add_argument("--fuzz-build", required=True, help="build folder of the fuzz targets")
    parser.add_argument("--variant", required=True)
    parser.add_argument("suites", nargs="*", help="names of suites; default: all of the variant")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    total = test_output.Outcome()
    for suite in selected_suites(arguments, Context(arguments)):
        total.add(suite.run())
    for name, reason in total.skipped:
        say(f"skipped {name}: {reason}")
    for name, reason in total.failed:
        say(f"failed {name}: {reason}")
    say(total.line())
    return 1 if total.failed or total.total() == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
