#!/usr/bin/python3
"""Programs of our own that measure: what they say about messages that a scripted peer has seen."""
import os
import socket
import struct
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from scripted import ROOT
from tools import spread

PROGRAM = Path(os.environ.get("XYLEM_BUILD", ROOT / "build" / "release")) / "eval" / "workloads" / "socket_exchange"
RUN = struct.Struct("=IIQ")  # of eval/workloads/exchange.hpp
END, LATENCY = 0, 1
TIMEOUT_SECONDS = 60


class Peer(threading.Thread):
    """Answers one connection as `socket_exchange answer` does, and keeps count."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.runs = []  # (workload, bytes of a message, messages)

    def run(self):
        with self.listener, self.listener.accept()[0] as connection:
            while (run := RUN.unpack(self.read(connection, RUN.size)))[0] != END:
                workload, size, messages = run
                self.runs.append(run)
                if workload == LATENCY:
                    for _ in range(messages):
                        connection.sendall(self.read(connection, size))
                else:
                    self.read(connection, size * messages)
                    connection.sendall(b"x")

    def read(self, connection, size):
        found = bytearray(size)
        view = memoryview(found)
        while view:
            view = view[connection.recv_into(view):]
        return found


@unittest.skipUnless(PROGRAM.exists(), f"{PROGRAM} has not been built")
class Exchange(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.peer = Peer(str(self.folder / "socket"))
        self.peer.start()

    def start(self, verb, *words):
        return subprocess.Popen([PROGRAM, verb, self.folder / "socket", "0", *words], stdout=subprocess.PIPE, text=True)

    def said(self, process):
        text = process.communicate(timeout=TIMEOUT_SECONDS)[0]
        self.assertEqual(process.returncode, 0)
        self.peer.join(TIMEOUT_SECONDS)
        return [line.split() for line in text.splitlines()]

    def test_a_load_counts_all_that_it_moved_in_all_of_its_time(self):
        [[word, moved, start, end]] = self.said(self.start("load", "0.2", "64"))
        self.assertEqual(word, "load")
        self.assertEqual(int(moved), sum(size * messages for _, size, messages in self.peer.runs))
        self.assertGreaterEqual(float(end) - float(start), 0.2)

    def test_a_load_waits_at_its_gate_for_the_others(self):
        gate = self.folder / "gate"
        os.mkfifo(gate)
        process = self.start("load", "0.05", "64", gate)
        self.assertEqual(process.stdout.readline(), "ready\n")
        self.assertEqual(self.peer.runs, [])
        opened = os.open(gate, os.O_RDWR)
        self.addCleanup(os.close, opened)
        self.assertEqual(self.said(process)[0][0], "load")
        self.assertTrue(self.peer.runs)

    def percentiles(self, *words):
        return [float(percentile) for _, percentile, _ in self.said(self.start("spread", "1", *words))]

    def messages(self):
        return sum(messages for _, _, messages in self.peer.runs)

    def test_a_spread_goes_on_until_every_percentile_counts(self):
        self.assertEqual(self.percentiles("0.01", "0", str(TIMEOUT_SECONDS)), list(spread.PERCENTILES))
        self.assertEqual(self.messages(), 10_000)

    def test_a_percentile_that_hardly_any_was_beyond_is_left_out(self):
        self.assertEqual(self.percentiles("0", "1", "0.000001"), [50, 90])
        self.assertEqual(self.messages(), 100)

    def test_a_run_that_is_too_short_is_repeated_with_more_messages(self):
        said = self.said(self.start("ask", "latency:1"))
        counts = [messages for _, _, messages in self.peer.runs]
        self.assertEqual(counts, sorted(counts))
        self.assertEqual(said[1], ["messages", str(sum(counts))])


if __name__ == "__main__":
    unittest.main()
