#!/usr/bin/python3
"""Programs that are measured: all that they have started ends with them, whatever ends them."""
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path
from unittest import mock

from scripted import ROOT, eventually
from harness import processes, sessions


class Stopping(unittest.TestCase):
    def setUp(self):
        patch = mock.patch.object(processes, "TERM_GRACE_SECONDS", 0.2)
        patch.start()
        self.addCleanup(patch.stop)
        self.processes = processes.Processes()
        self.addCleanup(self.processes.stop_all)

    def start(self, script):
        return self.processes.start(["/bin/sh", "-c", script], None, subprocess.DEVNULL)

    def test_what_it_started_ends_with_it(self):
        process = self.start("sleep 60 & wait")
        self.assertTrue(eventually(lambda: len(sessions.members(process.pid)) == 2))
        self.processes.stop(process)
        self.assertFalse(sessions.is_alive(process.pid))

    def test_what_it_left_behind_ends_as_well(self):
        process = self.start("sleep 60 & exit 0")
        self.assertTrue(eventually(lambda: process.poll() is not None))
        self.assertTrue(sessions.is_alive(process.pid))
        self.processes.stop(process)
        self.assertTrue(eventually(lambda: not sessions.is_alive(process.pid)))

    def test_what_does_not_listen_is_killed(self):
        process = self.start("trap '' TERM; while :; do sleep 0.01; done")
        self.assertTrue(eventually(lambda: sessions.members(process.pid)))
        time.sleep(0.1)  # for its trap
        self.processes.stop(process)
        self.assertEqual(process.returncode, -signal.SIGKILL)
        self.assertEqual(self.processes.running, [])

    def test_what_it_started_ends_where_it_is_killed_itself(self):
        script = (f"import subprocess, sys, time; sys.path.insert(0, {str(ROOT / 'eval')!r}); sys.dont_write_bytecode = True\n"
                  "from harness.processes import Processes\n"
                  "print(Processes().start(['/bin/sleep', '60'], None, subprocess.DEVNULL).pid, flush=True)\ntime.sleep(60)\n")
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as runner:
            pid = int(runner.stdout.readline())
            self.assertTrue(sessions.is_alive(pid))
            runner.kill()
        self.assertTrue(eventually(lambda: not sessions.is_alive(pid)))

    def test_a_bound_child_ends_with_a_parent_that_is_killed(self):
        program = Path(os.environ.get("XYLEM_BUILD", ROOT / "build" / "release")) / "eval" / "workloads" / "shared_exchange"
        if not program.exists():
            self.skipTest(f"{program} has not been built")
        process = self.processes.start([str(program), "ring", "4096", "load", "60"], None, subprocess.DEVNULL)
        self.assertTrue(eventually(lambda: len(sessions.members(process.pid)) == 2))
        process.kill()
        self.assertTrue(eventually(lambda: not sessions.is_alive(process.pid)))


class Signals(unittest.TestCase):
    def play(self, before):
        script = (f"import os, signal, sys; sys.path.insert(0, {str(ROOT / 'eval')!r}); sys.dont_write_bytecode = True\n{before}\n"
                  "from harness.processes import Processes, Stopped\nProcesses().stop_on(signal.SIGHUP)\n"
                  "try:\n    os.kill(os.getpid(), signal.SIGHUP)\nexcept Stopped as stopped:\n    sys.exit(stopped.exit_code)\n")
        return subprocess.run([sys.executable, "-c", script], check=False).returncode

    def test_a_signal_stops_and_one_that_nohup_has_it_ignore_does_not(self):
        self.assertEqual(self.play("signal.signal(signal.SIGHUP, signal.SIG_DFL)"), 128 + signal.SIGHUP)
        self.assertEqual(self.play("signal.signal(signal.SIGHUP, signal.SIG_IGN)"), 0)


class Ports(unittest.TestCase):
    def test_servers_that_run_at_once_get_different_ones(self):
        with mock.patch.object(processes, "free_port", side_effect=[10001, 10002, 10001, 10002, 10003]):
            self.assertEqual(sorted(processes.free_ports(3)), [10001, 10002, 10003])


if __name__ == "__main__":
    unittest.main()
