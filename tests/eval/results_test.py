#!/usr/bin/python3
"""From samples to figures: medians, spread and ratios, and the ring size that follows from them."""
import csv
import json
import tempfile
import unittest
from pathlib import Path

from scripted import experiment_of, results_of
from harness import recommendation, results
from harness.metrics import METRICS, times_better

ONE = experiment_of("transports")
KIB = 1 << 10


class Figures(unittest.TestCase):
    def test_a_figure_has_the_median_and_the_spread_of_each_transport(self):
        [figure] = results_of(ONE, "latency", [({"bytes": 64}, {"tcp": [3, 1, 2], "xylem": [0.5]})]).figures()
        self.assertEqual(figure["point"], {"bytes": 64})
        self.assertEqual(figure["transports"]["tcp"], {"median": 2, "lowest": 1, "highest": 3, "samples": [3, 1, 2]})
        self.assertEqual(figure["times_better"], {"tcp": 4})

    def test_more_is_better_for_throughput_and_less_for_time(self):
        self.assertEqual(times_better(METRICS["throughput"], 10, 2), 5)
        self.assertEqual(times_better(METRICS["latency"], 10, 2), 0.2)

    def test_there_is_no_ratio_to_nothing(self):
        [figure] = results_of(ONE, "cpu", [({}, {"tcp": [0], "xylem": [0.5]})]).figures()
        self.assertEqual(figure["times_better"], {"tcp": None})
        [figure] = results_of(ONE, "cpu", [({}, {"tcp": [0.5], "xylem": [0]})]).figures()
        self.assertEqual(figure["times_better"], {"tcp": None})

    def test_without_xylem_there_is_no_ratio(self):
        [figure] = results_of(ONE, "bandwidth", [({}, {"machine": [1]})]).figures()
        self.assertNotIn("times_better", figure)


class Files(unittest.TestCase):
    def test_json_has_the_figures_and_csv_every_sample(self):
        found = results_of(ONE, "latency", [({"bytes": 64}, {"tcp": [3, 1], "xylem": [0.5, 0.25]})])
        found.carried += [10, 20]
        found.failures.append(("a run", "why"))
        with tempfile.TemporaryDirectory() as folder:
            results.write_json(Path(folder) / "results.json", found, {"machine": {"cores": 2}})
            results.write_csv(Path(folder) / "samples.csv", found)
            read = json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))
            with open(Path(folder) / "samples.csv", newline="", encoding="utf-8") as lines:
                rows = list(csv.DictReader(lines))
        self.assertEqual((read["machine"]["cores"], read["ring_bytes"]), (2, 30))
        self.assertEqual(read["failures"], [{"what": "a run", "why": "why"}])
        self.assertEqual(read["figures"], json.loads(json.dumps(found.figures())))
        self.assertEqual([(row["transport"], row["repetition"], float(row["value"])) for row in rows],
                         [("tcp", "0", 3), ("tcp", "1", 1), ("xylem", "0", 0.5), ("xylem", "1", 0.25)])


class Recommendation(unittest.TestCase):
    def recommend(self, by_ring, message=64 * KIB):
        samples = [({"ring_bytes": size, "bytes": message}, {"xylem": [value]}) for size, value in by_ring.items()]
        return recommendation.recommend(results_of(experiment_of("ring_size"), "throughput", samples).figures(), {"L2": "1M"})

    def test_it_is_the_smallest_ring_that_comes_near_the_best(self):
        found = self.recommend({256 * KIB: 50, 512 * KIB: 90, 1024 * KIB: 96, 2048 * KIB: 100})
        self.assertEqual((found["ring_bytes"], found["part_of_best"], found["part_of_best_at_512_kib"]), (1024 * KIB, 0.96, 0.9))
        self.assertIn("more than the 512 KiB", found["why"])
        self.assertIn("L2 1M", found["why"])

    def test_smaller_rings_than_yasmins_may_win(self):
        self.assertIn("less than the 512 KiB", self.recommend({4 * KIB: 100, 512 * KIB: 80})["why"])

    def test_without_the_experiment_there_is_none(self):
        self.assertIsNone(recommendation.recommend([], {}))


if __name__ == "__main__":
    unittest.main()
