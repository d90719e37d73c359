#!/usr/bin/python3
"""Targets: against what figures are held, and what counts where there are several."""
import tempfile
import unittest
from pathlib import Path

from scripted import ROOT, experiment_of, results_of
from harness import experiment, targets

ONE, OTHER = experiment_of("iperf3"), experiment_of("transports")


def target_of(times, than, point=()):
    ours = {"experiment": "iperf3", "metric": "throughput", "transport": "xylem", "point": dict(point)}
    return {"title": "t", "ours": ours, "than": than, "times": times}


def than(name, transport, point=()):
    return {"experiment": name, "metric": "throughput", "transport": transport, "point": dict(point)}


class Judging(unittest.TestCase):
    def setUp(self):
        self.figures = results_of(ONE, "throughput", [({"connections": 1}, {"tcp": [2], "unix": [5], "xylem": [10]}),
                                                      ({"connections": 2}, {"tcp": [4], "xylem": [8]})]).figures()
        self.figures += results_of(OTHER, "throughput", [({"bytes": 1}, {"unix": [1]}), ({"bytes": 2}, {"unix": [4]})]).figures()

    def judge(self, *arguments):
        [judged] = targets.judge(self.figures, [target_of(*arguments)])
        return judged["reached"], judged["is_met"]

    def test_of_several_points_the_worst_counts_each_against_its_own(self):
        self.assertEqual(self.judge(3, [than("iperf3", "tcp")]), (2, False))
        self.assertEqual(self.judge(2, [than("iperf3", "tcp")]), (2, True))

    def test_a_point_may_be_asked_for(self):
        self.assertEqual(self.judge(5, [than("iperf3", "tcp")], {"connections": 1}), (5, True))

    def test_the_best_of_the_others_counts(self):
        self.assertEqual(self.judge(1, [than("iperf3", "tcp"), than("iperf3", "unix")], {"connections": 1}), (2, True))

    def test_of_another_experiment_the_best_of_all_points_counts(self):
        self.assertEqual(self.judge(1, [than("transports", "unix")], {"connections": 1}), (2.5, True))

    def test_what_was_not_measured_is_neither_met_nor_missed(self):
        self.assertEqual(self.judge(1, [than("iperf3", "vsock")]), (None, None))
        self.assertEqual(self.judge(1, [than("iperf3", "tcp")], {"connections": 3}), (None, None))

    def test_nothing_is_no_ratio(self):
        self.figures = results_of(ONE, "throughput", [({"connections": 1}, {"tcp": [0], "unix": [0], "xylem": [10]})]).figures()
        self.assertEqual(self.judge(1, [than("iperf3", "tcp"), than("iperf3", "unix")]), (None, None))


class Loading(unittest.TestCase):
    def assert_bad(self, text, complaint):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "targets.toml"
            path.write_text(text, encoding="utf-8")
            with self.assertRaisesRegex(targets.BadTarget, complaint):
                targets.load(path)

    def test_what_is_wrong_is_named(self):
        self.assert_bad('[[target]]\ntitle = "t"\n', "a target has ours, than, times, title: t")
        ours = 'ours = {experiment = "e", metric = "speed", transport = "x"}'
        self.assert_bad(f'[[target]]\ntitle = "t"\n{ours}\nthan = []\ntimes = 1\n', "t: not the figures of an experiment")
        self.assert_bad("[[target]", "targets.toml")

    def test_the_projects_own_ask_for_what_its_experiments_measure(self):
        found = {one.name: one for one in experiment.load_all(ROOT / "eval" / "experiments")}
        for target in targets.load(ROOT / "eval" / "targets.toml"):
            for wanted in (target["ours"], *target["than"]):
                one = found[wanted["experiment"]]
                self.assertIn(wanted["transport"], one.transports)
                for key, value in wanted.get("point", {}).items():
                    self.assertIn(value, one.vary.get(key, [value]), (target["title"], key))


if __name__ == "__main__":
    unittest.main()
