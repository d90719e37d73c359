#!/usr/bin/python3
"""The order of runs, and how long the rest will take."""
import unittest

from scripted import Carrier, experiment_of
from harness.plan import Plan

A, B = Carrier("a"), Carrier("b")


class Order(unittest.TestCase):
    def test_transports_take_turns_within_each_repetition(self):
        plan = Plan([experiment_of("one", repetitions=2, vary={"connections": [1, 2]})], lambda _: [A, B])
        self.assertEqual([(turn.repetition, turn.point, turn.transport.name) for turn in plan.turns],
                         [(repetition, (("connections", count),), name)
                          for repetition in (0, 1) for count in (1, 2) for name in "ab"])

    def test_an_experiment_without_transports_has_no_turns(self):
        plan = Plan([experiment_of("none"), experiment_of("some")], lambda one: [A] if one.name == "some" else [])
        self.assertEqual([turn.text() for turn in plan.turns], ["some A"])


class TimeLeft(unittest.TestCase):
    def setUp(self):
        self.plan = Plan([experiment_of("one", repetitions=2, expected_seconds=5)], lambda _: [A, B])

    def test_before_any_run_it_is_what_the_experiment_expects(self):
        self.assertEqual(self.plan.seconds_left(0), 20)

    def test_a_transport_that_was_seen_takes_as_long_again_and_another_as_long_as_the_experiment_so_far(self):
        self.plan.finished(self.plan.turns[0], 1)
        self.assertEqual(self.plan.seconds_left(1), 3)
        self.plan.finished(self.plan.turns[1], 3)
        self.assertEqual(self.plan.seconds_left(2), 4)
        self.assertEqual(self.plan.seconds_left(4), 0)


if __name__ == "__main__":
    unittest.main()
