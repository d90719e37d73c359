#!/usr/bin/python3
"""Boots two machines with soft-RoCE devices under QEMU, runs a payload's tests at both, and ends with one line:

    N passed, N failed, N skipped

tests/rdma/README.md says what a payload is. Logs: build/rdma/run/node-a.log, node-b.log. Exit code 0: nothing failed.
"""
import argparse
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "xen"), str(ROOT / "tests" / "rdma" / "machine")]

import test_output  # noqa: E402  (it lies a folder above)
from machine import initramfs, runs  # noqa: E402
from machine.report import MARK, Report  # noqa: E402
from machine.runs import say  # noqa: E402
from nodes import Nodes  # noqa: E402

KERNEL_FELL = "Fatal exception in interrupt"  # README.md, What to know; an init that ends or memory that is short is no such fault


def build(arguments, folder, tests):
    """The image, and behind it what this run adds."""
    scratch = folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(arguments.payload, scratch / "payload", symlinks=True)
    settings = {"mode": "check", "tests": tests, "seconds": arguments.test_seconds}
    initramfs.write_settings(scratch / "payload" / "settings", settings)
    archive = folder / "initramfs"
    shutil.copy(arguments.image, archive)
    initramfs.pack(scratch, archive)
    shutil.rmtree(scratch)
    return archive


def boot(arguments, folder, start, tests):
    """Two machines, and what they reported of those tests."""
    report = Report(folder, say, "node")
    lock = threading.Lock()

    def line(name, text):
        with lock:
            if KERNEL_FELL in text:
                report.line(f"event|lost {name}")
            report.line(f"{name}|{text}")
            if (mark := MARK.search(text)) and mark.group(1) == "end":
                say(f"       node {name}: {mark.group(2)} {mark.group(3)} ({time.monotonic() - start:.0f} s)")

    with Nodes(arguments.images, build(arguments, folder, tests), arguments.memory, folder, line) as machines:
        why = machines.wait(arguments.seconds, lambda name: report.guests[name].finished, lambda: report.failed)
    report.done = all(guest.finished for guest in report.guests.values())
    report.close()
    report.ended(why)
    return report


def run(arguments):
    start = time.monotonic()
    say("RUN    rdma")
    folder = arguments.images.parent / "rdma" / "run"
    folder.mkdir(parents=True, exist_ok=True)
    runs.forget_lost(folder)
    names = runs.names_of(arguments.payload, arguments.tests)
    report, outcome = runs.over_losses(names, lambda tests: boot(arguments, folder, start, " ".join(tests) or arguments.tests),
                                       lambda report, tests: report.outcome("rdma", tests), "a node's kernel fell over")
    outcome.add(report.outcome("rdma"))
    if outcome.total() == 0:
        outcome.failed.append(("rdma", f"no test ran; pattern {arguments.tests}"))
    for name, reason in outcome.failed:
        say(f"       failed {name}: {reason}")
    if outcome.failed:
        runs.show_logs(sorted(folder.glob("node-*.log")))
    verdict = "FAILED" if outcome.failed else "OK"
    say(f"{verdict:<6} rdma: {outcome.line()} ({time.monotonic() - start:.1f} s)")
    return outcome


def arguments_of_command_line():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="folder of the kernel, build/xen")
    parser.add_argument("--image", type=Path, required=True, help="the initramfs of nodes")
    parser.add_argument("--payload", type=Path, required=True, help="folder that becomes /payload at both nodes")
    parser.add_argument("--tests", default="*", help="patterns of names in the payload's folder tests")
    parser.add_argument("--memory", type=int, default=1536, help="MiB of a machine")
    parser.add_argument("--seconds", type=int, default=3600, help="limit for one pair of machines")
    parser.add_argument("--test-seconds", type=int, default=600, help="limit for one test that has none of its own")
    return parser.parse_args()


def main():
    arguments = arguments_of_command_line()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return runs.close(run(arguments))


if __name__ == "__main__":
    sys.exit(main())
