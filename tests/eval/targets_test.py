#!/usr/bin/python3
"""Targets: against what figures are held, and what counts where there are several, or where some are missing."""
import importlib
import tempfile
import unittest
from pathlib import Path

from scripted import ROOT, experiment_of, results_of
from harness import experiment, targets

ONE, OTHER = experiment_of("iperf3", vary={"connections": [1, 2]}), experiment_of("transports")


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

    def verdict(self, *arguments, experiments=(ONE, OTHER)):
        [judged] = targets.judge(self.figures, [target_of(*arguments)], experiments)
        return judged

    def judge(self, *arguments):
        judged = self.verdict(*arguments)
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

    def test_that_the_runs_of_two_experiments_took_no_turns_is_said(self):
        self.assertIn("did not take turns", self.verdict(1, [than("transports", "unix")], {"connections": 1})["note"])
        self.assertEqual(self.verdict(1, [than("iperf3", "tcp")])["note"], "")

    def test_fewer_runs_than_there_were_to_be_are_said(self):
        self.figures[0]["runs"] = 3
        self.assertEqual(self.verdict(1, [than("iperf3", "tcp")], {"connections": 1})["note"],
                         "iperf3 xylem connections=1 of 1 of 3 runs; iperf3 tcp connections=1 of 1 of 3 runs")

    def test_what_was_not_measured_is_not_met_and_the_note_says_what_it_is(self):
        judged = self.verdict(1, [than("iperf3", "vsock")], {"connections": 1})
        self.assertEqual((judged["is_met"], judged["note"]), (None, "not measured: iperf3 vsock connections=1"))
        self.figures = self.figures[1:]
        judged = self.verdict(2, [than("iperf3", "tcp")])
        self.assertEqual((judged["reached"], judged["is_met"]), (2, None))
        self.assertEqual(judged["note"], "not measured: iperf3 xylem connections=1, iperf3 tcp connections=1")

    def test_one_of_several_others_that_is_missing_leaves_it_open(self):
        judged = self.verdict(1, [than("iperf3", "tcp"), than("iperf3", "unix")])
        self.assertEqual((judged["is_met"], judged["note"]), (None, "not measured: iperf3 unix connections=2"))
        judged = self.verdict(1, [than("transports", "unix", {"bytes": 3})], {"connections": 1})
        self.assertIsNone(judged["is_met"])
        self.assertIn("transports unix bytes=3", judged["note"])

    def test_a_miss_stays_one_whatever_is_missing_beside_it(self):
        self.figures = self.figures[:1]
        self.assertEqual(self.judge(6, [than("iperf3", "tcp")]), (5, False))

    def test_an_experiment_that_was_not_played_is_no_lack(self):
        judged = self.verdict(1, [than("iperf3", "tcp")], experiments=[OTHER])
        self.assertEqual((judged["is_met"], judged["note"]), (None, targets.NOT_PLAYED))
        self.assertEqual(self.verdict(1, [than("iperf3", "tcp")], {"connections": 3})["note"], targets.NOT_PLAYED)
        skipped = experiment_of("iperf3", skip=True)
        self.assertEqual(self.verdict(1, [than("iperf3", "tcp")], experiments=[skipped])["note"], targets.NOT_PLAYED)

    def test_there_is_no_ratio_to_nothing_but_nothing_of_ours_is_a_miss(self):
        point = {"connections": 1}
        self.figures = results_of(ONE, "throughput", [(point, {"tcp": [0], "xylem": [10]})]).figures()
        self.assertEqual(self.judge(1, [than("iperf3", "tcp")], point), (None, None))
        self.figures = results_of(ONE, "throughput", [(point, {"tcp": [10], "xylem": [0]})]).figures()
        self.assertEqual(self.judge(1, [than("iperf3", "tcp")], point), (0, False))


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
        self.assert_bad(f'[[target]]\ntitle = "t"\n{ours}\nthan = [5]\ntimes = 1\n', "t: not the figures of an experiment")
        self.assert_bad("[[target]", "targets.toml")
        self.assert_bad("[target]\n", "two brackets")
        whole = '[[target]]\ntitle = "t"\nours = {experiment = "e", metric = "latency", transport = "x"}\nthan = 1\ntimes = 1\n'
        self.assert_bad(whole, "t: than must be a list")
        self.assert_bad(whole.replace("times = 1", 'times = "5"'), "t: times must be a number")
        self.assert_bad(whole.replace("than = 1", "than = [5]"), "t: not the figures of an experiment: 5")
        self.assert_bad(whole.replace("than = 1", "than = [{experiment = 'e', metric = 'latency', transport = 'x', point = 5}]"),
                        "t: not the figures")


class TheProjectsOwn(unittest.TestCase):
    def added(self, one, metric):
        """{key: values} that the tool of an experiment adds to its points, for the metric."""
        tool = importlib.import_module(f"tools.{one.tool}")
        self.assertIn(metric, tool.METRICS, one.name)
        if one.tool == "exchange":
            asked = [word.split(":") for word in one.settings["asked"]]
            return {"bytes": [int(size) for workload, size in asked if workload == metric]}
        return {"percentile": tool.PERCENTILES} if one.tool == "spread" else {}

    def test_they_ask_for_what_its_experiments_measure(self):
        found = {one.name: one for one in experiment.load_all(ROOT / "eval" / "experiments")}
        for target in targets.load(ROOT / "eval" / "targets.toml"):
            for wanted in (target["ours"], *target["than"]):
                one = found[wanted["experiment"]]
                self.assertIn(wanted["transport"], one.transports)
                measured = {**one.vary, **self.added(one, wanted["metric"])}
                for key, value in wanted.get("point", {}).items():
                    self.assertIn(value, measured.get(key, []), (target["title"], key))


if __name__ == "__main__":
    unittest.main()
