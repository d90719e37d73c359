#!/usr/bin/python3
"""The tool that plays the benchmarks between emulated machines: what it makes of their log, without booting any."""
import os
import stat
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from scripted import ROOT
from harness.bench import Bench
from harness.processes import Processes, ProgramFailed
from tools import emulated

SETTINGS = {"target": "bench-xen", "log": "xen/run/pv/guest-b.log", "options": "rounds=1"}
LOG = """some line
figure netfront 1 latency 64 0.002
figure xylem 1 latency 64 0.0005
carried xylem 123
figure xylem 1 throughput 1024 5000
"""


class Emulated(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.bench = Bench(Processes(), self.folder, self.folder / "build" / "release", None)
        self.log = self.folder / "build" / SETTINGS["log"]
        self.log.parent.mkdir(parents=True)
        environment = {"PATH": f"{self.folder}:{os.environ['PATH']}", "MAKEFLAGS": "-j9"}
        patch = mock.patch.dict(os.environ, environment)
        patch.start()
        self.addCleanup(patch.stop)

    def play(self, make):
        script = self.folder / "make"
        script.write_text(f"#!/bin/sh\n{make}\n", encoding="ascii")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return list(emulated.measure(self.bench, None, {}, SETTINGS))

    def test_every_line_of_the_log_becomes_a_sample_of_its_transport(self):
        found = self.play(f"cat >{self.log} <<'LOG'\n{LOG}LOG")
        self.assertEqual([tuple(sample) for sample in found],
                         [("latency", {"bytes": 64}, 0.002, "netfront"), ("latency", {"bytes": 64}, 0.0005, "xylem"),
                          ("throughput", {"bytes": 1024}, 5000, "xylem")])

    def test_make_gets_the_target_the_options_and_the_variant_and_nothing_of_the_make_around_it(self):
        self.play(f"echo \"figure xylem 1 latency 1 1\" >{self.log}; echo \"$*\" \"[$MAKEFLAGS]\" >{self.folder}/said")
        said = (self.folder / "said").read_text(encoding="ascii")
        self.assertIn(f"-C {ROOT} VARIANT=release bench-xen BENCH_OPTIONS=rounds=1 []", said)

    def test_a_benchmark_that_fails_or_leaves_nothing_is_a_failure(self):
        for make, complaint in (("exit 3", "make bench-xen ended with exit code 3"), (f">{self.log}", "left no figures")):
            with self.assertRaisesRegex(ProgramFailed, complaint):
                self.play(make)


if __name__ == "__main__":
    unittest.main()
