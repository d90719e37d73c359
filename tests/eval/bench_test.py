#!/usr/bin/python3
"""What a tool needs for one run: a server that its clients reach, the proof of what carried them, and what they cost."""
import os
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from scripted import PATIENCE_SECONDS, eventually
from harness import sessions
from harness.bench import Bench
from harness.processes import Processes, ProgramFailed


class Benches(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        patch = mock.patch("harness.processes.TERM_GRACE_SECONDS", 0.2)
        patch.start()
        self.addCleanup(patch.stop)
        self.processes = Processes()
        self.addCleanup(self.processes.stop_all)
        self.bench = Bench(self.processes, Path(folder.name), None, mock.Mock(runtime_dir=Path(folder.name)))


class Serving(Benches):
    def setUp(self):
        super().setUp()
        watched = mock.Mock(proven=lambda: 5)
        self.carrier = mock.Mock(environment=None, server=lambda command: command, watch=lambda: watched)

    def serve(self, port=None):
        return self.bench.server(self.carrier, ["sleep", "60"], port)

    def test_a_listener_that_is_never_offered_is_a_failure(self):
        self.carrier.is_offered = lambda port: False
        with mock.patch("harness.bench.OFFER_SECONDS", 0.05), mock.patch("harness.bench.wait_for_listener"):
            with self.assertRaisesRegex(ProgramFailed, "sleep listens on port 5201, but clients reach it over TCP only"):
                with self.serve(5201):
                    self.fail("it began")

    def test_each_server_is_proven_when_its_block_ends_well(self):
        for _ in range(2):
            with self.serve():
                pass
        self.assertEqual(self.bench.carried, [5, 5])
        with self.assertRaises(ZeroDivisionError), self.serve():
            raise ZeroDivisionError
        self.assertEqual(self.bench.carried, [5, 5])

    def test_servers_at_once_have_one_proof(self):
        with self.serve(), self.serve():
            pass
        self.assertEqual(self.bench.carried, [5])


class Cost(Benches):
    BUSY = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; "

    def start(self, script):
        return self.processes.start(["/bin/sh", "-c", script], None, subprocess.DEVNULL)

    def test_of_a_program_that_runs_on_it_is_what_it_takes_meanwhile(self):
        server = self.start(f"{self.BUSY} kill -STOP $$; {self.BUSY} kill -STOP $$")
        self.assertTrue(eventually(lambda: self.is_stopped(server)))
        before = sessions.cpu_seconds(server.pid)
        with self.bench.cost() as nothing:
            pass
        with self.bench.cost() as cost:
            os.kill(server.pid, signal.SIGCONT)
            self.assertTrue(eventually(lambda: sessions.cpu_seconds(server.pid) > before and self.is_stopped(server)))
        self.assertLess(nothing.cpu_seconds, before)
        self.assertGreaterEqual(cost.cpu_seconds, sessions.cpu_seconds(server.pid) - before - 0.001)

    def test_of_a_program_that_ends_it_is_all(self):
        with self.bench.cost() as cost:
            self.assertEqual(self.start(self.BUSY).wait(PATIENCE_SECONDS), 0)
        self.assertGreater(cost.cpu_seconds, 0)

    def is_stopped(self, process):
        return [one.state for one in sessions.members(process.pid)] == ["T"]


if __name__ == "__main__":
    unittest.main()
