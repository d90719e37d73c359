#!/usr/bin/python3
"""What the runner makes of a machine's report, without a machine: failures must be seen and laid at the right door."""
import contextlib
import io
import sys
import tempfile
import types
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import test_output  # noqa: E402
from machine import grants, runs  # noqa: E402
from machine.report import Report  # noqa: E402

BOTH_CREATED = ["event|created a 1", "event|created b 2"]
BOTH_FINISHED = ["a|xylem: finished", "b|xylem: finished"]


def test_in(guest, *lines, code=0):
    return [f"{guest}|xylem: begin t", *(f"{guest}|{line}" for line in lines), f"{guest}|xylem: end t {code}"]


def outcome_of(lines, why="the machine ended by itself"):
    with tempfile.TemporaryDirectory() as folder:
        report = Report(Path(folder), lambda _: None)
        for line in lines:
            report.line(line)
        report.close()
    report.ended(why)
    return report.outcome("pv")


def table(granter, *mappers):
    entries = [f"(XEN) [0x00{n}]   {mapper} 0xb2802 0x00000002          0 0x0b2802 0x19"
               for n, mapper in enumerate(mappers)]
    return [f"(XEN) grant-table for remote d{granter} (v1)", "(XEN)   1 frames (64 max), 0 maptrack frames", *entries]


class ReportTest(unittest.TestCase):
    def check(self, outcome, passed, *failed):
        self.assertEqual((outcome.passed, [f"{name}: {why}" for name, why in outcome.failed]), (passed, [*failed]))

    def test_tap_lines_of_both_guests_count(self):
        lines = [*BOTH_CREATED, *test_in("a", "ok 1 - x", "1..1"), *test_in("b", "not ok 1 - y", code=1)]
        self.check(outcome_of([*lines, *BOTH_FINISHED, "event|done"]), 1, "pv guest b: t: y: not ok")

    def test_a_test_goes_on_in_the_next_life_of_its_guest(self):
        lines = [*BOTH_CREATED, "b|xylem: begin t", "b|ok 1 - x", "event|destroyed b", "event|created b 3",
                 *test_in("b", "ok 1 - y"), *BOTH_FINISHED, "event|destroyed a", "event|destroyed b", "event|done"]
        self.check(outcome_of(lines), 2)

    def test_a_guest_that_crashes_is_named_with_its_test(self):
        lines = [*BOTH_CREATED, "b|xylem: begin t", "event|lost b crashed", "a|xylem: finished", "event|destroyed a", "event|done"]
        self.check(outcome_of(lines), 0, "pv guest b: t: did not come to its end",
                   "pv guest b: crashed in test t")

    def test_what_came_before_a_loss_counts_without_it(self):
        lines = [*BOTH_CREATED, *test_in("a", "ok 1 - x", "1..1"), *test_in("b", "not ok 1 - y"), "b|xylem: begin u",
                 "event|lost b stood still"]
        with tempfile.TemporaryDirectory() as folder:
            report = Report(Path(folder), lambda _: None)
            for line in lines:
                report.line(line)
            report.close()
        report.ended("guest b was lost")
        self.assertEqual((report.is_lost_in_test, report.failed), (True, "guest b was lost"))
        self.assertFalse(report.is_done_by_all("u"))
        self.check(report.outcome("pvh", ["t"]), 1, "pvh guest b: t: y: not ok")

    def test_a_machine_that_ends_early_fails_all_that_had_not_finished(self):
        lines = [*BOTH_CREATED, "a|xylem: finished", "b|xylem: begin t"]
        self.check(outcome_of(lines, "too late"), 0, "pv guest b: t: did not come to its end",
                   "pv guest b: did not come to the end of its tests (too late)", "pv machine: too late")

    def test_a_test_that_was_killed_by_its_limit_fails(self):
        lines = [*BOTH_CREATED, *test_in("a", code=143), *BOTH_FINISHED, "event|done"]
        self.assertEqual(len(outcome_of(lines).failed), 1)

    def test_processor_times_are_kept_apart_from_the_tests(self):
        with tempfile.TemporaryDirectory() as folder:
            report = Report(Path(folder), lambda _: None)
            for line in [*BOTH_CREATED, "cpu|load Domain-0 2 10.5 10.7"]:
                report.line(line)
            report.close()
        self.assertEqual((report.cpu, report.other), (["load Domain-0 2 10.5 10.7"], []))


class LossesTest(unittest.TestCase):
    def runs_with(self, *lost):
        """The tests that each boot was asked for, and how many counted; the n-th boot loses a machine in the test lost[n]."""
        booted = []

        def boot(names):
            booted.append("".join(names))
            lost_in = lost[len(booted) - 1] if len(booted) <= len(lost) else ""
            done = names[:names.index(lost_in)] if lost_in else names
            return types.SimpleNamespace(is_lost_in_test=lost_in != "", is_done_by_all=lambda name: name in done,
                                         keep_logs=lambda number: None)

        with contextlib.redirect_stdout(io.StringIO()):
            _, before = runs.over_losses(["a", "b", "c"], boot, lambda _, names: test_output.Outcome(len(names)), "a loss")
        return booted, before.passed

    def test_a_new_machine_goes_on_from_the_first_test_that_was_running(self):
        self.assertEqual(self.runs_with("b", "c"), (["abc", "bc", "c"], 1 + 1))

    def test_a_test_gets_so_many_new_machines_and_no_more(self):
        more = runs.MACHINES_FOR_A_LOSS
        self.assertEqual(self.runs_with(*["b"] * (more + 2)), (["abc", *["bc"] * more], 1))


class GrantsTest(unittest.TestCase):
    def failures(self, *lines):
        with tempfile.TemporaryDirectory() as folder:
            report = Report(Path(folder), lambda _: None)
            for line in [*BOTH_CREATED, "event|created b 3"]:
                report.line(line)
            report.close()
        return [name for name, _ in grants.outcome("pv", lines, report.guests.values()).failed]

    def test_what_dom0_has_mapped_is_no_leak(self):
        self.assertEqual(self.failures(*table(1, 0, 0), *table(3, 0), "(XEN) gnttab_usage_print_all ] done"), [])

    def test_a_page_that_another_guest_has_mapped_is_a_leak_of_every_life(self):
        lines = [*table(1, 0, 0), *table(2, 0, 1), "(XEN) gnttab_usage_print_all ] done"]
        self.assertEqual(self.failures(*lines), ["pv guest b: no grants left"])

    def test_a_print_that_is_not_complete_proves_nothing(self):
        self.assertEqual(len(self.failures(*table(1, 0))), 2)


if __name__ == "__main__":
    unittest.main()
