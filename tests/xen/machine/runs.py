"""Runs of a payload's tests in machines: what run_machine.py and tests/rdma/run_nodes.py have in common."""
import collections

import test_output

TAIL_LINES = 30
MACHINES_FOR_A_LOSS = 9


def say(line):
    print(line, flush=True)


def names_of(payload, patterns):
    """The tests that the patterns select, in the order in which guests run them (tests/xen/guest/run_guest)."""
    if not payload:
        return []
    found = [path.name for pattern in patterns.split() for path in sorted((payload / "tests").glob(pattern))]
    return list(dict.fromkeys(found))


def over_losses(names, boot, counted, cause):
    """Boots machines for tests, and new ones from the test on in which one was lost, MACHINES_FOR_A_LOSS for a test at most.

    boot(names) returns the report of machines that run these tests; its is_lost_in_test means a loss that is not the test's
    fault, and `cause` says which. counted(report, names) is the outcome of these tests. Returns the last report, and the
    outcome of what came before it.
    """
    before, losses = test_output.Outcome(), collections.Counter()
    report = boot(names)
    while report.is_lost_in_test:
        first = next(number for number, name in enumerate(names) if not report.is_done_by_all(name))
        losses[names[first]] += 1
        if losses[names[first]] > MACHINES_FOR_A_LOSS:
            break
        say(f"       {cause} in {names[first]}: from there on once more, in a new machine")
        report.keep_logs(losses.total())
        before.add(counted(report, names[:first]))
        names = names[first:]
        report = boot(names)
    return report, before


def show_tail(title, lines):
    say(f"       ---- end of {title}")
    for line in lines[-TAIL_LINES:]:
        say(f"       | {line.rstrip()}")


def forget_lost(folder):
    """Logs of machines that an earlier run lost."""
    for log in folder.glob("*.lost-*.log"):
        log.unlink()


def show_logs(logs):
    for log in logs:
        show_tail(log, log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else [])


def close(total):
    """The closing lines of a program; returns its exit code."""
    for name, reason in total.skipped:
        say(f"skipped {name}: {reason}")
    for name, reason in total.failed:
        say(f"failed {name}: {reason}")
    say(total.line())
    return 1 if total.failed else 0
