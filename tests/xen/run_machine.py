#!/usr/bin/python3
"""Boots Xen machines under QEMU, runs a payload's tests in both guests of each, and ends with one line:

    N passed, N failed, N skipped

README.md beside this says what a payload is. Logs and the grant tables: build/xen/run/KIND/. Exit code 0: nothing failed.
"""
import argparse
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import test_output  # noqa: E402  (it lies a folder above)
from machine import grants, initramfs, qemu, runs  # noqa: E402
from machine.report import Report  # noqa: E402
from machine.runs import say  # noqa: E402

# What guests a and b are.
KINDS = {"pv": ("pv", "pv"), "pvh": ("pvh", "pvh"), "mixed": ("pv", "pvh")}


def settings_of(arguments, kind, mode, tests):
    return {"kind_a": KINDS[kind][0], "kind_b": KINDS[kind][1], "mode": mode, "memory": arguments.guest_memory,
            "tests": tests, "seconds": arguments.test_seconds,
            "nap": arguments.nap_seconds, "network": "yes" if arguments.network else "no"}


def prepare(arguments, kind, mode, tests="*"):
    """The folder of the run, and the initramfs in it."""
    folder = arguments.images / "run" / kind
    folder.mkdir(parents=True, exist_ok=True)
    settings = settings_of(arguments, kind, mode, tests)
    return folder, initramfs.build(arguments.images, arguments.payload, settings, folder)


def follow(machine, report, limit_seconds):
    """Reads until the run is over; says in words why it ended early, if it did."""
    expired = threading.Event()

    def end_machine():
        expired.set()
        machine.process.kill()

    timer = threading.Timer(limit_seconds, end_machine)
    timer.start()
    try:
        for line in machine.process.stdout:
            report.line(line.decode(errors="replace").rstrip("\r\n"))
            if report.done or report.failed:
                break
    finally:
        timer.cancel()
    if expired.is_set():
        return f"the machine still ran after {limit_seconds} s and was ended"
    return report.failed or "the machine ended by itself"


def show_failures(outcome, folder, report):
    for name, reason in outcome.failed:
        say(f"       failed {name}: {reason}")
    runs.show_logs([*sorted(folder.glob("guest-*.log")), folder / "console.log"])
    if report.other:
        runs.show_tail("what else QEMU and dom0 said", report.other)


def boot(arguments, kind, tests):
    """One machine, and what it reported of those tests."""
    folder, archive = prepare(arguments, kind, "check", tests)
    report = Report(folder, say)
    with qemu.Machine(arguments.images, archive, arguments.memory, KINDS[kind], folder / "console.log") as machine:
        why = follow(machine, report, arguments.seconds)
    report.close()
    report.ended(why)
    if "pvh" not in KINDS[kind]:
        report.is_lost_in_test = False  # a PV guest has never been lost to the emulator (README.md, What to know)
    return report


def run(arguments, kind):
    start = time.monotonic()
    say(f"RUN    xen-{kind}")
    folder = arguments.images / "run" / kind
    runs.forget_lost(folder)
    names = runs.names_of(arguments.payload, arguments.tests)
    report, outcome = runs.over_losses(names, lambda tests: boot(arguments, kind, " ".join(tests) or arguments.tests),
                                       lambda report, tests: report.outcome(kind, tests), "the emulator lost a PVH guest")
    outcome.add(report.outcome(kind))
    for name, lines in (("grants", report.grants), ("cpu", report.cpu)):
        (folder / f"{name}.log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if report.done:
        outcome.add(grants.outcome(kind, report.grants, report.guests.values()))
    if outcome.total() == 0:
        outcome.failed.append((f"xen-{kind}", f"no test ran; pattern {arguments.tests}"))
    if outcome.failed:
        show_failures(outcome, folder, report)
    verdict = "FAILED" if outcome.failed else "OK"
    say(f"{verdict:<6} xen-{kind}: {outcome.line()} ({time.monotonic() - start:.1f} s)")
    return outcome


def shell(arguments, kind):
    _, archive = prepare(arguments, kind, "shell")
    command = qemu.command(arguments.images, archive, arguments.memory, KINDS[kind], ["mon:stdio", "null"])
    say("Booting; dom0's shell comes in about half a minute. Ctrl-a x ends the machine at any time.")
    return subprocess.run(command, check=False).returncode


def arguments_of_command_line():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="folder of the images, build/xen")
    parser.add_argument("--payload", type=Path, help="folder that becomes /payload in both guests")
    parser.add_argument("--tests", default="*", help="patterns of names in the payload's folder tests")
    parser.add_argument("--nap-seconds", type=float, default=0.1,
                        help="how often dom0 looks at the guests; more disturbs measurements less")
    parser.add_argument("--network", action="store_true", help="guests have interfaces, at a bridge in dom0")
    parser.add_argument("--shell", action="store_true", help="a shell in dom0 and in the guests; no tests")
    parser.add_argument("--memory", type=int, default=3072, help="MiB of the machine")
    parser.add_argument("--guest-memory", type=int, default=256, help="MiB of a guest")
    parser.add_argument("--seconds", type=int, default=5400, help="limit for one machine")
    parser.add_argument("--test-seconds", type=int, default=600, help="limit for one test in a guest that has none of its own")
    parser.add_argument("kinds", nargs="+", choices=KINDS, help="kinds of guests, a machine each")
    return parser.parse_args()


def main():
    arguments = arguments_of_command_line()
    if arguments.shell:
        return shell(arguments, arguments.kinds[0])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    total = test_output.Outcome()
    for kind in arguments.kinds:
        total.add(run(arguments, kind))
    return runs.close(total)


if __name__ == "__main__":
    sys.exit(main())
