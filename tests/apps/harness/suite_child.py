#!/usr/bin/python3
"""Runs one module of CPython's own tests, and writes what becomes of each test as it happens.

    suite_child.py MODULE VERDICTS SECONDS [PATTERN...]

VERDICTS gets a line `start ID` when a test begins and `ID<tab>VERDICT<tab>REASON` when it has ended. Tests that the
file knows already are left out, so a run that was cut off by a crash or a hang is continued by running it again.
A test that takes longer than SECONDS is a hang: the stacks of all threads are printed and the process ends.
PATTERN, as of a shell, selects tests by their whole id; with ! before it, it leaves tests out.
"""
import faulthandler
import fnmatch
import sys
import unittest

from test import support

# All but what needs much of the machine. `network` lets some modules reach out of it: only to one that does not.
RESOURCES = ["cpu", "subprocess", "walltime"]
NETWORK_WITHIN = ("test.test_socketserver",)


def known_tests(path):
    with open(path, encoding="utf-8") as verdicts:
        return {line.rstrip("\n").split("\t")[0] for line in verdicts if not line.startswith("start ")}


class Verdicts(unittest.TextTestResult):
    """One verdict a test: of a test with several parts, the worst."""

    path = None
    seconds = 0

    def startTest(self, test):
        faulthandler.dump_traceback_later(self.seconds, exit=True)
        self.verdict = ("ok", "")
        self.say(f"start {test.id()}")
        super().startTest(test)

    def stopTest(self, test):
        super().stopTest(test)
        faulthandler.cancel_dump_traceback_later()
        self.say("\t".join((test.id(), *self.verdict)))

    def say(self, line):
        with open(self.path, "a", encoding="utf-8") as verdicts:
            verdicts.write(line.encode("ascii", "backslashreplace").decode() + "\n")

    def note(self, test, verdict, reason):
        reason = " ".join(str(reason).split())[:200]
        if isinstance(test, unittest.TestCase):
            self.verdict = (verdict, reason)
        else:  # setUpModule or setUpClass
            self.say("\t".join((test.id(), verdict, reason)))

    def addError(self, test, err):
        super().addError(test, err)
        self.note(test, "error", repr(err[1]))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note(test, "fail", repr(err[1]))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.note(test, "fail", repr(err[1]))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.note(test, "skip", reason)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.note(test, "fail", "unexpected success")


def tests_of(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_of(item)
        else:
            yield item


def is_chosen(name, patterns):
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    unwanted = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return ((not wanted or any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted))
            and not any(fnmatch.fnmatchcase(name, pattern) for pattern in unwanted))


def main():
    module, Verdicts.path, seconds, *patterns = sys.argv[1:]
    Verdicts.seconds = float(seconds)
    support.use_resources = RESOURCES + (["network"] if module in NETWORK_WITHIN else [])
    known = known_tests(Verdicts.path)
    loaded = tests_of(unittest.TestLoader().loadTestsFromName(module))
    chosen = [test for test in loaded if test.id() not in known and is_chosen(test.id(), patterns)]
    unittest.TextTestRunner(verbosity=2, resultclass=Verdicts).run(unittest.TestSuite(chosen))
    Verdicts.say(Verdicts, "end\tok\t")


if __name__ == "__main__":
    main()
