#!/usr/bin/python3
"""Runs modules of CPython's own tests over kernel TCP and over rings, and compares the verdicts of each test.

    suite_compare.py [--agent-loss] DIRECTORY DOMAIN MODULE[:PATTERN...]...

Prints TAP without a plan, one point a module: what passes over TCP passes over rings, and rings carried connections
and bytes. A module with the word `quiet` among its patterns makes no TCP connections and only has to pass.
With --agent-loss somebody kills the domain's agent meanwhile and starts it again, so it is not asked for figures.
What a run in the same DIRECTORY has found out about a module over TCP is not found out again.
A test that fails over rings gets two more attempts, as these tests measure time and the machine may be busy; what
passes only then is named. Logs and verdicts are left in DIRECTORY, and a table in DIRECTORY/table.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HARNESS = Path(__file__).resolve().parents[2] / "guest-lib" / "harness"
CHILD = Path(__file__).with_name("suite_child.py")
TEST_SECONDS = 90
SILENT_SECONDS = 2 * TEST_SECONDS  # nothing was heard of any test for so long: it hangs outside of one
ATTEMPTS = 3
PASSED = ("ok", "skip")

# Tests that are left out, and why. What is known to differ over rings is reported as skipped.
OPEN = {
    "*.test_sendfile_close_peer_in_the_middle_of_receiving":
        "SO_SNDBUF and SO_RCVBUF do not bound what a ring holds, so the whole file is in it before the peer closes",
}
NOT_HERE = {
    "*VSOCK*": "hangs over the kernel's transport where the machine has no vsock loopback",
}


def statistics(domain):
    command = [HARNESS / "agent_query.py", domain, "statistics"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def live_ends(domain):
    command = [HARNESS / "agent_query.py", domain, "sockets",
               "sum(s['kind'] == 'connection' and s['transport'] == 'ring' for s in report['sockets'])"]
    return int(subprocess.run(command, check=True, capture_output=True).stdout)


def read_verdicts(path):
    """{test: (verdict, reason)}, and the test that began but never ended."""
    verdicts, started = {}, None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("start "):
            started = line[len("start "):]
            continue
        test, verdict, reason = line.split("\t", 2)
        verdicts[test] = (verdict, reason)
        started = None if test == started else started
    return verdicts, started


def run_child(where, domain, module, patterns, log):
    """The exit code, None if nothing was heard of it. Whatever the tests left running is stopped."""
    verdicts = where / "verdicts"
    command = [HARNESS / "in_domain.sh", domain, "/usr/bin/python3", "-X", "faulthandler", CHILD, module,
               verdicts, str(TEST_SECONDS), *patterns]
    with subprocess.Popen(command, cwd=where, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                          start_new_session=True) as child:
        heard = verdicts.stat().st_size
        silent_since = time.monotonic()
        try:
            while time.monotonic() - silent_since < SILENT_SECONDS:
                try:
                    return child.wait(1)
                except subprocess.TimeoutExpired:
                    size = verdicts.stat().st_size
                    if size != heard:
                        heard, silent_since = size, time.monotonic()
            return None
        finally:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def run_module(where, domain, module, patterns):
    """Verdicts of all tests. A crash or a hang is the verdict of the test in which it happened."""
    where.mkdir(parents=True, exist_ok=True)
    verdicts_path = where / "verdicts"
    verdicts_path.touch()
    with open(where / "log", "ab") as log:
        while "end" not in read_verdicts(verdicts_path)[0]:
            code = run_child(where, domain, module, patterns, log)
            verdicts, started = read_verdicts(verdicts_path)
            if "end" in verdicts:
                break
            if started is None:
                return {**verdicts, module: ("crash", f"ended with {code} outside of any test")}
            how = ("hang", "") if code in (None, 1) else ("crash", f"ended with {code}")
            with open(verdicts_path, "a", encoding="utf-8") as file:
                file.write("\t".join((started, *how)) + "\n")
    verdicts, _ = read_verdicts(verdicts_path)
    del verdicts["end"]
    return verdicts


class Module:
    does = "does over rings what it does over TCP"
    label = "ring"

    def __init__(self, where, domain, words):
        self.name, *patterns = words.split(":")
        self.is_quiet = "quiet" in patterns
        self.patterns = [pattern for pattern in patterns if pattern != "quiet"]
        self.patterns += ["!" + pattern for pattern in [*OPEN, *NOT_HERE]]
        self.where = where / self.name
        self.domain = domain
        self.seconds = {}

    def run(self, label, domain, patterns):
        start = time.monotonic()
        verdicts = run_module(self.where / label, domain, self.name, patterns)
        self.seconds[label] = time.monotonic() - start
        return verdicts

    def compare(self):
        self.tcp = self.run("tcp", "tcp", self.patterns)
        before = statistics(self.domain)
        self.run_over_rings()
        self.count(before, statistics(self.domain))
        self.leaked = self.ends_that_stay()

    def run_over_rings(self):
        self.ring = self.run(self.label, self.domain, self.patterns)
        self.late = {}
        for attempt in range(2, ATTEMPTS + 1):
            failing = [test for test in self.differences() if test in self.ring and test.startswith("test.")]
            if not failing:
                break
            for test, verdict in self.run(f"{self.label}-{attempt}", self.domain, failing).items():
                if verdict[0] == self.tcp.get(test, ("",))[0]:
                    self.late[test] = self.ring[test]
                    self.ring[test] = verdict

    def count(self, before, after):
        def grown(name):
            return after["counters"][name] - before["counters"][name]

        self.connections = grown("connects_ring") + grown("uses_again")
        self.bytes = grown("tx_bytes")
        self.failed_connects = {reason: count - before["connects_failed"].get(reason, 0)
                                for reason, count in after["connects_failed"].items()
                                if count > before["connects_failed"].get(reason, 0)}

    def ends_that_stay(self):
        deadline = time.monotonic() + 20
        while (count := live_ends(self.domain)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return count

    def differences(self):
        """Tests that pass over TCP and do not over rings, and those that one of both does not know."""
        tests = sorted(self.tcp.keys() | self.ring.keys())
        missing = ("missing", "")
        return [test for test in tests
                if self.tcp.get(test, missing)[0] != self.ring.get(test, missing)[0]
                and (self.tcp.get(test, missing)[0] in PASSED or test not in self.ring)]

    def complaints(self):
        for test in self.differences():
            verdict, reason = self.ring.get(test, ("missing", ""))
            yield f"{test}: {self.tcp.get(test, ('missing', ''))[0]} over TCP, {verdict} over rings: {reason}"
        if not any(verdict == "ok" for verdict, _ in self.ring.values()):
            yield "no test of it passes"
        yield from self.complaints_of_rings()

    def complaints_of_rings(self):
        if not self.is_quiet and (self.connections == 0 or self.bytes == 0):
            yield "the rings carried nothing"
        if self.leaked:
            yield f"{self.leaked} ends are left"

    def notes(self):
        for test, (verdict, reason) in self.late.items():
            yield f"{test}: {verdict} over rings at first, then as over TCP: {reason}"
        for test, (verdict, reason) in self.tcp.items():
            if verdict not in PASSED:
                yield f"{test}: {verdict} over TCP ({reason}), {self.ring.get(test, ('missing',))[0]} over rings"

    def row(self):
        passed = sum(verdict == "ok" for verdict, _ in self.ring.values())
        over_tcp = sum(verdict == "ok" for verdict, _ in self.tcp.values())
        tcp_why = " ".join(f"{reason}:{count}" for reason, count in sorted(self.failed_connects.items()))
        return (f"{self.name.removeprefix('test.'):38} {over_tcp:5} {passed:5} {self.connections:6} {self.bytes:12} "
                f"{self.seconds['tcp']:6.1f} {self.seconds['ring']:6.1f}  {tcp_why}")


class ModuleThatLosesItsAgent(Module):
    """Figures are for whoever kills the agent to add up."""

    does = "does what it does over TCP while its agent is killed"
    label = "loss"

    def compare(self):
        self.tcp = self.run("tcp", "tcp", self.patterns)
        self.run_over_rings()

    def complaints_of_rings(self):
        return ()

    def row(self):
        passed = sum(verdict == "ok" for verdict, _ in self.ring.values())
        return f"{self.name}: {passed} tests passed in {self.seconds[self.label]:.1f} s"


HEADING = (f"{'module':38} {'tcp':>5} {'ring':>5} {'conns':>6} {'bytes':>12} {'tcp s':>6} {'ring s':>6}  "
           "connects that went to TCP")


def say_what_is_left_out(kind):
    for pattern, reason in OPEN.items() if kind is Module else ():
        print(f"ok - {pattern.strip('*.')} # SKIP {reason}")
    for pattern, reason in NOT_HERE.items():
        print(f"# left out: {pattern}: {reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent-loss", dest="kind", action="store_const", const=ModuleThatLosesItsAgent, default=Module)
    parser.add_argument("where", type=Path)
    parser.add_argument("domain")
    parser.add_argument("modules", nargs="+")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the tests' processes are stopped on the way out
    table = [HEADING] if arguments.kind is Module else []
    failed = 0
    for words in arguments.modules:
        module = arguments.kind(arguments.where, arguments.domain, words)
        module.compare()
        complaints = list(module.complaints())
        failed += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} - {module.name} {module.does}")
        for line in [module.row(), *complaints, *module.notes()]:
            print(f"# {line}", flush=True)
        table.append(module.row())
    say_what_is_left_out(arguments.kind)
    (arguments.where / f"table-{arguments.kind.label}").write_text("\n".join(table) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
