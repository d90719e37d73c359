#!/usr/bin/python3
"""Experiments: what their files may say, and what is made of the quick form."""
import tempfile
import unittest
from pathlib import Path

from scripted import ROOT
from harness import experiment

GOOD = """
figure = "e"
title = "t"
question = "q"
tool = "exchange"
transports = ["tcp", "xylem"]
repetitions = 3
[settings]
seconds = 2
bytes = 64
[vary]
connections = [1, 2]
direction = ["forward", "reverse"]
[quick]
repetitions = 1
settings = { seconds = 1 }
vary = { connections = [1] }
"""


class Loading(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "one.toml"

    def load(self, text, is_quick=False):
        self.path.write_text(text, encoding="utf-8")
        return experiment.load(self.path, is_quick)

    def assert_bad(self, text, complaint):
        with self.assertRaises(experiment.BadExperiment) as caught:
            self.load(text)
        self.assertIn(str(self.path), str(caught.exception))
        self.assertIn(complaint, str(caught.exception))

    def test_its_name_is_the_file_s_and_its_points_are_all_combinations(self):
        found = self.load(GOOD)
        self.assertEqual((found.name, found.repetitions, found.settings), ("one", 3, {"seconds": 2, "bytes": 64}))
        self.assertEqual(found.points(), [{"connections": count, "direction": way} for count in (1, 2)
                                          for way in ("forward", "reverse")])

    def test_without_anything_that_varies_there_is_one_point(self):
        self.assertEqual(self.load(GOOD.split("[vary]")[0]).points(), [{}])

    def test_the_quick_form_replaces_what_it_names_and_leaves_the_rest(self):
        found = self.load(GOOD, is_quick=True)
        self.assertEqual((found.repetitions, found.settings), (1, {"seconds": 1, "bytes": 64}))
        self.assertEqual(found.vary, {"connections": [1], "direction": ["forward", "reverse"]})

    def test_only_a_quick_evaluation_skips(self):
        text = GOOD.split("[quick]")[0] + "[quick]\nskip = true\n"
        self.assertFalse(self.load(text).skip)
        self.assertTrue(self.load(text, is_quick=True).skip)

    def test_what_is_wrong_is_named_with_the_file(self):
        self.assert_bad(GOOD.replace("tool =", "tol ="), "unknown: tol")
        self.assert_bad(GOOD.replace('tool = "exchange"\n', ""), "missing: tool")
        self.assert_bad(GOOD.replace("[quick]\nrepetitions", "[quick]\nrepeat"), "unknown in [quick]: repeat")
        self.assert_bad(GOOD.replace("repetitions = 3", "repetitions = 0"), "repetitions must be")
        self.assert_bad(GOOD.replace("repetitions = 1", "repetitions = 'x'"), "repetitions must be")
        self.assert_bad(GOOD.replace("[1, 2]", "[]"), "vary.connections must be a list")
        self.assert_bad(GOOD.replace("connections = [1] }", "pairs = [1] }"), "quick.vary has what vary has not: pairs")
        self.assert_bad("figure = ", "one.toml")

    def test_what_is_of_another_kind_is_named_too(self):
        self.assert_bad(GOOD.replace('figure = "e"', "figure = 1"), "figure must be a word")
        self.assert_bad(GOOD.replace('["tcp", "xylem"]', "5"), "transports must be a list of words")
        self.assert_bad(GOOD.replace("[1, 2]", "[[1], 2]"), "vary.connections must be a list of values")
        self.assert_bad(GOOD.split("[vary]")[0].replace("repetitions = 3", "repetitions = 3\nvary = 5"), "vary must be a table")
        self.assert_bad(GOOD.replace("settings = { seconds = 1 }", "settings = 1"), "settings must be a table")
        self.assert_bad(GOOD.replace("repetitions = 3", "repetitions = 3\nexpected_seconds = 'x'"), "expected_seconds must be a number")
        self.assert_bad(GOOD.split("[quick]")[0] + "[settings.x]\n[quick]\nvary = 1\n", "vary must be a table")
        self.assert_bad(GOOD.replace("repetitions = 3", "repetitions = true"), "repetitions must be")


CONNECTIONS = {"connections": {1, 2, 4, 8, 16}, "direction": {"forward", "reverse"}}
FEW = {"connections": {1, 2, 4, 8, 12}}
BUSY = {"busy_per_core": {0, 1, 2}}
# What each figure must have: {experiment: (transports, {what varies: values})}
REQUIRED = {
    "a": {"netpipe": ({"tcp", "xylem"}, {})},
    "b": {"iperf": ({"tcp", "xylem"}, CONNECTIONS), "iperf3": ({"tcp", "xylem"}, CONNECTIONS)},
    "c": {"ring_size": ({"ring", "xylem"}, {"ring_bytes": {4 << 10, 512 << 10, 2 << 20, 64 << 20}})},
    "d": {"memory": ({"machine"}, {})},
    "e": {"transports": ({"tcp", "unix", "vsock", "pipe", "ring", "xylem"}, {}), "xen": ({"machine"}, {}),
          "nodes": ({"machine"}, {})},
    "f": {"connections": ({"tcp", "xylem"}, {"connections": {1, 4096}}), "pairs": ({"tcp", "xylem"}, {"pairs": {1, 2, 4}}),
          "connection_rate": ({"tcp", "xylem"}, {})},
    "g": {"cost": ({"tcp", "xylem"}, FEW), "cost_at_target": ({"tcp", "xylem"}, {}), "held_few": ({"tcp", "xylem"}, FEW)},
    "h": {"http": ({"tcp", "xylem"}, {}), "redis": ({"tcp", "xylem"}, {}), "video": ({"tcp", "xylem"}, {})},
    "i": {"spread": ({"tcp", "xylem"}, BUSY), "spread_spin": ({"xylem"}, {**BUSY, "spin_us": {"default", 0}}),
          "wakeup": ({"machine"}, {})},
}
MOST_SECONDS = 30 * 60


class TheProjectsOwn(unittest.TestCase):
    FOLDER = ROOT / "eval" / "experiments"

    def test_every_figure_has_its_points(self):
        found = {one.name: one for one in experiment.load_all(self.FOLDER)}
        for figure, experiments in REQUIRED.items():
            for name, (transports, vary) in experiments.items():
                self.assertEqual(found[name].figure, figure)
                self.assertLessEqual(transports, set(found[name].transports), name)
                for key, values in vary.items():
                    self.assertLessEqual(values, set(found[name].vary[key]), (name, key))
        self.assertTrue(found["memory"].settings["between_bytes"])
        self.assertGreaterEqual(found["video"].settings["frames"], 500)

    def test_all_of_it_takes_less_than_half_an_hour(self):
        runs = [(one, one.repetitions * len(one.points()) * len(one.transports)) for one in experiment.load_all(self.FOLDER)]
        self.assertLess(sum(count * one.expected_seconds for one, count in runs), MOST_SECONDS)

    def test_all_load_in_both_forms_and_every_figure_is_there(self):
        for is_quick in (False, True):
            found = experiment.load_all(self.FOLDER, is_quick=is_quick)
            self.assertEqual({one.figure for one in found}, set("abcdefghi"))

    def test_a_name_or_a_figure_picks_some_and_an_unknown_one_is_an_error(self):
        found = experiment.load_all(self.FOLDER, ["i", "netpipe"])
        self.assertEqual([one.name for one in found], ["netpipe", "spread", "spread_spin", "wakeup"])
        with self.assertRaisesRegex(experiment.BadExperiment, "no experiment is called nothing; there are: .*netpipe"):
            experiment.load_all(self.FOLDER, ["nothing"])


if __name__ == "__main__":
    unittest.main()
