"""What a machine reports, line by line, and what came of it: the outcome of each test of each guest.

The protocol is explained where it is written: tests/xen/dom0/init, tests/xen/dom0/watch.sh, tests/xen/guest/run_guest.
"""
import re
from pathlib import Path

import test_output

MARK = re.compile(r"xylem: (begin|end|finished)\b ?(\S*) ?(\d*)")
KILLED_BY_TIMEOUT = (137, 143)


class Guest:
    """One guest over all its lives. A test during which the guest is created again goes on in the next life."""

    def __init__(self, name, console):
        self.name = name
        self.console = console
        self.domids = []
        self.finished = False
        self.destroyed = False  # because a test asked for it, or at the end
        self.lost = False
        self.test = None
        self.test_lines = []
        self.tests = []  # (name, text, exit code, or None where the test did not come to its end)

    def line(self, text):
        self.console.write(text + "\n")
        self.console.flush()
        mark = MARK.search(text)
        if not mark:
            self.test_lines.append(text)
        elif mark.group(1) == "begin":
            if self.test != mark.group(2):
                self.test, self.test_lines = mark.group(2), []
        elif mark.group(1) == "end" and self.test:
            self.end_test(int(mark.group(3)))
        elif mark.group(1) == "finished":
            self.finished = True

    def end_test(self, code):
        if self.test:
            self.tests.append((self.test, "\n".join(self.test_lines), code))
        self.test, self.test_lines = None, []

    def created(self, domid):
        self.domids.append(domid)
        self.finished = self.destroyed = False

    def ended(self):
        """No line will come any more. Says whether the guest did all that it should."""
        # A test that had its guest destroyed has ended well, if what it said until then was well.
        self.end_test(0 if self.destroyed and not self.lost else None)
        return self.finished or self.destroyed or self.lost


class Report:
    """`called`: what the guests are in names of logs and tests."""

    def __init__(self, folder, say, called="guest"):
        self.say = say
        self.folder = folder
        self.called = called
        self.files = [open(folder / f"{called}-{name}.log", "w", encoding="utf-8") for name in "ab"]
        self.guests = {name: Guest(name, file) for name, file in zip("ab", self.files)}
        self.grants = []
        self.cpu = []
        self.other = []
        self.failures = []
        self.done = False
        self.failed = ""  # in words, why dom0 goes no further
        self.is_lost_in_test = False

    def close(self):
        for file in self.files:
            file.close()

    def keep_logs(self, number):
        """Under names of their own, since the next machine's take their place."""
        for path in [*(Path(file.name) for file in self.files), self.folder / "console.log"]:
            if path.exists():
                path.rename(path.with_suffix(f".lost-{number}.log"))

    def line(self, line):
        source, _, text = line.partition("|")
        if source in self.guests:
            self.guests[source].line(text)
        elif source == "event":
            self.event(*text.split(maxsplit=1))
        elif source == "grants":
            self.grants.append(text)
        elif source == "cpu":
            self.cpu.append(text)
        else:
            self.other.append(line)

    def event(self, what, detail=""):
        name = detail.split(" ")[0]
        if what == "done":
            self.done = True
        elif what == "failed":
            self.failed = "dom0 gave up"
            self.failures.append(("dom0", detail))
        elif what == "created":
            self.guests[name].created(int(detail.split()[1]))
            self.say(f"       {self.called} {name} is domain {detail.split()[1]}")
        elif what == "destroyed":
            self.guests[name].destroyed = True
        elif what == "lost":
            self.guests[name].lost = True
            self.is_lost_in_test |= self.guests[name].test is not None
            where = f"in test {self.guests[name].test}" if self.guests[name].test else "between tests"
            self.failures.append((f"{self.called} {name}", f"{detail.partition(' ')[2]} {where}"))
            self.failed = f"{self.called} {name} was lost"
        elif what == "again":
            self.say(f"       {self.called} {name} did not come up and is started again")

    def ended(self, why):
        """Call when nothing more will come. `why` says in words why that is so, where the run was not completed."""
        for guest in self.guests.values():
            if not guest.ended():
                self.failures.append((f"{self.called} {guest.name}", f"did not come to the end of its tests ({why})"))
        if not self.done and not self.failed:
            self.failures.append(("machine", why))

    def is_done_by_all(self, test):
        return all(any(name == test and code is not None for name, _, code in guest.tests) for guest in self.guests.values())

    def outcome(self, kind, only=None):
        """Of all, or only of those tests, and then nothing of the machine."""
        total = test_output.Outcome()
        for guest in self.guests.values():
            for name, text, code in guest.tests:
                if only is None or name in only:
                    total.add(outcome_of_test(f"{kind} {self.called} {guest.name}: {name}", text, code))
        if only is None:
            total.failed += [(f"{kind} {where}", why) for where, why in self.failures]
        return total


def outcome_of_test(name, text, code):
    if code is None:
        return test_output.from_script(name, text, -1, "did not come to its end")
    if code in KILLED_BY_TIMEOUT:
        return test_output.from_script(name, text, code, f"killed, most likely since it ran too long (exit code {code})")
    return test_output.from_script(name, text, code, test_output.ending(code))
