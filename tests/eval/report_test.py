#!/usr/bin/python3
"""The report's words, axes and tables."""
import unittest

from scripted import experiment_of, results_of
from harness.metrics import METRICS
from report import plot, report, words

ONE = experiment_of("one")


class Words(unittest.TestCase):
    def test_sizes_are_said_in_binary_units(self):
        said = [words.size(size) for size in (1, 1023, 1024, 1536, 1 << 20)]
        self.assertEqual(said, ["1 B", "1023 B", "1 KiB", "1.5 KiB", "1 MiB"])

    def test_numbers_are_named_and_have_their_unit_and_words_speak_for_themselves(self):
        self.assertEqual(words.named("gap_us", 1000), "pause 1000 us")
        self.assertEqual(words.named("connections", 4), "connections 4")
        self.assertEqual(words.named("direction", "forward"), "forward")
        self.assertEqual(words.named("spin_us", "default"), "spin default")

    def test_ratios_have_three_digits_and_none_is_empty(self):
        self.assertEqual([words.ratio(times) for times in (None, 0.12345, 12.345, 1234.5)], ["", "0.123", "12.3", "1234"])

    def test_figures_are_shown_in_their_unit(self):
        self.assertEqual(METRICS["latency"].text(12.34e-6), "12.3")
        self.assertEqual(METRICS["throughput"].text(123.4e9), "123")


class Axes(unittest.TestCase):
    def test_the_axis_is_what_has_an_order_and_three_values(self):
        samples = [({"direction": way, "connections": count}, {"tcp": [1]})
                   for way in ("forward", "reverse") for count in (1, 2, 4)]
        self.assertEqual(plot.x_key_of(results_of(ONE, "throughput", samples).figures()), "connections")
        self.assertIsNone(plot.x_key_of(results_of(ONE, "throughput", samples[:2]).figures()))

    def test_of_one_transport_what_varies_beside_the_axis_makes_the_lines(self):
        samples = [({"spin_us": spin, "percentile": part}, {"xylem": [1]}) for spin in ("default", 0) for part in (50, 90, 99)]
        figures = plot.lines_of(results_of(ONE, "spread", samples).figures(), "percentile")
        self.assertEqual(plot.columns_of(figures), ["spin default", "spin 0 us"])
        self.assertEqual([figure["point"] for figure in figures], [{"percentile": part} for part in (50, 90, 99)])

    def test_every_shape_of_figures_becomes_a_picture(self):
        for metric, samples in (("latency", [({"bytes": 1 << power}, {"tcp": [1, 2], "xylem": [0.01]}) for power in range(23)]),
                                ("spread", [({"percentile": part}, {"tcp": [1], "xylem": [1]}) for part in (50, 90, 99)]
                                 + [({"percentile": 99.9}, {"tcp": [1]})]),
                                ("rate", [({}, {"tcp": [1], "xylem": [0]})]),
                                ("bandwidth", [({"loop": loop}, {"machine": [1]}) for loop in ("copy", "add")])):
            self.assertTrue(plot.draw(results_of(ONE, metric, samples).figures(), METRICS[metric]).startswith(b"\x89PNG"))


class Tables(unittest.TestCase):
    def test_ratios_come_first_then_medians_with_their_spread(self):
        figures = results_of(ONE, "latency", [({"bytes": 64}, {"tcp": [4e-6, 2e-6, 3e-6], "xylem": [1e-6]}),
                                              ({"bytes": 128}, {"tcp": [5e-6]})]).figures()
        header, rows = report.table_of(figures, METRICS["latency"])
        self.assertEqual(header, ["message", "times TCP loopback", "TCP loopback, us", "Xylem, us"])
        self.assertEqual(report.cell(METRICS["latency"], figures[0]["transports"]["tcp"], 5), "3.00 (2.00 to 4.00), of 3 of 5 runs")
        self.assertEqual(rows, [["64 B", "3", "3.00 (2.00 to 4.00)", "1.00"], ["128 B", "", "5.00", ""]])


if __name__ == "__main__":
    unittest.main()
