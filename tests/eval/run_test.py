#!/usr/bin/python3
"""The runner: what it leaves when it is stopped, and what it takes for a run over Xylem."""
import json
import signal
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from scripted import experiment_of, results_of
import run
from harness.plan import Turn
from harness.processes import Processes, ProgramFailed, Stopped
from harness.products import PARTS, Changed, Products
from harness.results import Results

MEMORY = experiment_of("memory", figure="d", tool="memory", transports=["machine"])


class Stopping(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        xylem = mock.Mock(runtime_dir=self.folder, configuration=lambda: None)
        products = mock.Mock(digest=lambda: "0123456789abcdef")
        self.evaluation = mock.Mock(xylem=xylem, products=products, results=results_of(MEMORY, "bandwidth", [({"loop": "add"}, {"machine": [1]})]))
        for name, value in (("Evaluation", lambda *_: self.evaluation), ("VERSIONS", {}), ("print", lambda *_, **__: None)):
            patch = mock.patch.object(run, name, value, create=True)
            patch.start()
            self.addCleanup(patch.stop)

    def evaluate(self):
        options = mock.Mock(experiments=["memory"], quick=True, list=False, repetitions=None, output=self.folder / "out")
        with mock.patch("harness.machine.LOOK_SECONDS", 0):
            return run.evaluate(options, Processes())

    def left(self):
        return json.loads((self.folder / "out" / "results.json").read_text(encoding="utf-8"))

    def test_what_there_is_when_it_is_stopped_is_written(self):
        self.evaluation.run.side_effect = Stopped(signal.SIGHUP)
        with self.assertRaises(Stopped):
            self.evaluate()
        self.assertEqual(self.left()["figures"][0]["transports"]["machine"]["samples"], [1])
        self.assertEqual(self.left()["failures"], [{"what": "the evaluation", "why": "stopped by SIGHUP before it was over"}])
        report = (self.folder / "out" / "report.html").read_text(encoding="utf-8")
        self.assertIn("stopped by SIGHUP", report)
        self.assertIn("Each figure is of one run", report)

    def test_programs_that_are_built_anew_end_it_and_what_there_is_is_written(self):
        self.evaluation.run.side_effect = Changed("xylem changed meanwhile")
        self.assertEqual(self.evaluate(), 1)
        self.assertEqual(self.left()["failures"], [{"what": "the evaluation", "why": "xylem changed meanwhile"}])
        self.assertEqual(self.left()["figures"][0]["transports"]["machine"]["samples"], [1])

    def test_the_load_is_that_before_the_first_run(self):
        loads = [0.5, 0, 0]
        self.evaluation.run.side_effect = lambda: loads.insert(0, 9)
        with mock.patch("os.getloadavg", lambda: tuple(loads)):
            self.assertEqual(self.evaluate(), 0)
        self.assertEqual(self.left()["machine"]["load_average"], [0.5, 0, 0])


class TheProducts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = Path(folder.name)
        for part in PARTS:
            (self.build / part).write_text(part, encoding="ascii")

    def test_they_must_be_there_and_stay_what_they_are(self):
        products = Products(self.build)
        products.check()
        digest = products.digest()
        (self.build / PARTS[1]).write_text("another", encoding="ascii")
        with self.assertRaisesRegex(Changed, PARTS[1]):
            products.check()
        self.assertNotEqual(Products(self.build).digest(), digest)
        (self.build / PARTS[0]).unlink()
        with self.assertRaisesRegex(FileNotFoundError, "build it first"):
            Products(self.build)


class Taking(unittest.TestCase):
    def setUp(self):
        self.evaluation = run.Evaluation.__new__(run.Evaluation)
        self.evaluation.results, self.evaluation.xylem = Results(), mock.Mock()
        self.evaluation.bench = mock.Mock(carried=[1])
        self.turn = Turn(MEMORY, self.evaluation.xylem, (), 0)

    def take(self, carried):
        def measure(bench, *_):
            bench.carried += carried
            yield "bandwidth", {}, 1

        with mock.patch.object(run, "tool_of", lambda _: mock.Mock(measure=measure)):
            self.evaluation.take(self.turn)

    def test_a_run_over_xylem_counts_with_its_proof_only(self):
        self.take([20, 30])
        self.assertEqual((self.evaluation.results.carried, len(self.evaluation.results.samples)), ([20, 30], 1))
        with self.assertRaisesRegex(ProgramFailed, "nothing proves"):
            self.take([])
        self.assertEqual(len(self.evaluation.results.samples), 1)

    def test_others_need_none(self):
        self.turn = Turn(MEMORY, mock.Mock(), (), 0)
        self.take([])
        self.assertEqual((self.evaluation.results.carried, len(self.evaluation.results.samples)), ([], 1))


if __name__ == "__main__":
    unittest.main()
