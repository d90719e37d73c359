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
from machine import initramfs  # noqa: E402
from machine.report import Guest, outcome_of_test  # noqa: E402
from nodes import NAMES, Nodes  # noqa: E402

TAIL_LINES = 30


def say(line):
    print(line, flush=True)


def build(arguments, folder):
    """The image, and behind it what this run adds."""
    scratch = folder / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(arguments.payload, scratch / "payload", symlinks=True)
    settings = {"mode": "check", "tests": arguments.tests, "seconds": arguments.test_seconds}
    initramfs.write_settings(scratch / "payload" / "settings", settings)
    archive = folder / "initramfs"
    shutil.copy(arguments.image, archive)
    initramfs.pack(scratch, archive)
    shutil.rmtree(scratch)
    return archive


def outcome_of(nodes, why):
    total = test_output.Outcome()
    for node in nodes.values():
        is_done = node.ended()
        for name, text, code in node.tests:
            total.add(outcome_of_test(f"node {node.name}: {name}", text, code))
        if not is_done:
            total.failed.append((f"node {node.name}", f"did not come to the end of its tests ({why})"))
    if total.total() == 0:
        total.failed.append(("nodes", "no test ran"))
    return total


def run(arguments):
    start = time.monotonic()
    say("RUN    rdma")
    folder = arguments.images.parent / "rdma" / "run"
    folder.mkdir(parents=True, exist_ok=True)
    archive = build(arguments, folder)
    lock = threading.Lock()
    nodes = {name: Guest(name, open(folder / f"node-{name}.log", "w", encoding="utf-8")) for name in NAMES}

    def line(name, text):
        with lock:
            nodes[name].line(text)
            if "xylem: end" in text:
                say(f"       node {name}: {text.split('xylem: end ')[1]} ({time.monotonic() - start:.0f} s)")

    with Nodes(arguments.images, archive, arguments.memory, folder, line) as machines:
        why = machines.wait(arguments.seconds)
    for node in nodes.values():
        node.console.close()
    outcome = outcome_of(nodes, why)
    for name, reason in outcome.failed:
        say(f"       failed {name}: {reason}")
    if outcome.failed:
        for name in NAMES:
            log = folder / f"node-{name}.log"
            say(f"       ---- end of {log}")
            for text in log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]:
                say(f"       | {text.rstrip()}")
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
    parser.add_argument("--seconds", type=int, default=3600, help="limit for the machines")
    parser.add_argument("--test-seconds", type=int, default=600, help="limit for one test that has none of its own")
    return parser.parse_args()


def main():
    arguments = arguments_of_command_line()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    total = run(arguments)
    for name, reason in total.skipped:
        say(f"skipped {name}: {reason}")
    for name, reason in total.failed:
        say(f"failed {name}: {reason}")
    say(total.line())
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
