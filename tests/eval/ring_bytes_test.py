#!/usr/bin/python3
"""What proves that rings carried a run: what agents say before and after it, and what no answer of theirs means."""
import socket
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import scripted  # noqa: F401  (it makes the evaluation's modules importable)
from harness import ring_bytes, transports
from harness.processes import ProgramFailed
from harness.ring_bytes import RingBytes


def report(domain, sent, boot_id="a", **tcp):
    return {"domain": domain, "boot_id": boot_id, "counters": {"tx_bytes": sent}, "connections": {"ring": 1, "tcp": tcp}}


class Agents:
    """Answer one after the other what they are to say; the last answer again and again."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def ask(self, _verb):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Proof(unittest.TestCase):
    def setUp(self):
        for name, value in (("PATIENCE_SECONDS", 0.05), ("POLL_SECONDS", 0.001)):
            patch = mock.patch.object(ring_bytes, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def proven(self, *answers):
        return RingBytes(Agents(*answers)).proven()

    def test_it_is_what_all_agents_sent_meanwhile(self):
        self.assertEqual(self.proven([report(1, 100), report(2, 10)], [report(1, 150), report(2, 30)]), 70)

    def test_an_agent_that_is_new_began_at_nothing(self):
        self.assertEqual(self.proven([], [report(1, 50)]), 50)
        self.assertEqual(self.proven([report(1, 100)], [report(1, 30, boot_id="b")]), 30)

    def test_it_is_taken_once_it_no_longer_grows(self):
        self.assertEqual(self.proven([report(1, 0)], [report(1, 0)], [report(1, 5)], [report(1, 9)]), 9)

    def test_nothing_is_no_proof(self):
        for before, after in ((100, 100), (0, 0)):
            with self.assertRaisesRegex(ProgramFailed, "no ring carried a byte"):
                self.proven([report(1, before)], [report(1, after)])

    def test_one_connection_over_tcp_spoils_it(self):
        with self.assertRaisesRegex(ProgramFailed, r"2 of its connections went over TCP \(no_listener 2;"):
            self.proven([report(1, 0, no_listener=3)], [report(1, 1 << 30, no_listener=5)])

    def test_those_of_earlier_runs_do_not(self):
        self.assertEqual(self.proven([report(1, 0, no_listener=3)], [report(1, 7, no_listener=3)]), 7)


class Asking(unittest.TestCase):
    """A command in the place of `xylem`, which says what the test wants."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name in ("xylem", "xylemd", "libxylem.so"):
            (self.folder / name).touch()
        patch = mock.patch.object(transports, "MACHINE_FOLDER", self.folder / "etc")
        patch.start()
        self.addCleanup(patch.stop)

    def xylem(self, script="exit 3"):
        (self.folder / "xylem").write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        (self.folder / "xylem").chmod(0o755)
        return transports.Xylem(self.folder, self.folder)

    def test_agents_answer_or_there_is_none(self):
        self.assertEqual(self.xylem("""echo '{"domains": [1]}'""").ask("stat"), [1])
        self.assertEqual(self.xylem("echo no agent >&2; exit 3").ask("stat"), [])

    def test_whatever_else_is_a_failure(self):
        for script in ("exit 1", "kill -9 $$", """echo '{"domains": []}'; echo an agent hung up >&2"""):
            with self.assertRaisesRegex(ProgramFailed, "xylem stat ended"):
                self.xylem(script).ask("stat")

    def test_an_agent_that_listens_and_does_not_answer_is_one(self):
        xylem = self.xylem("exit 3")
        door = xylem.runtime_dir / "dom-1" / "door"
        door.mkdir(parents=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as agent:
            agent.bind(str(door / "agent.sock"))
            agent.listen()
            with self.assertRaises(ProgramFailed):
                xylem.ask("stat")

    def test_files_of_this_machine_are_replaced_and_what_cannot_be_is_named(self):
        self.assertEqual((self.xylem().options, self.xylem().configuration()), ([], None))
        (self.folder / "etc").mkdir()
        for name in ("hosts", "policy", "xylemd.conf"):
            (self.folder / "etc" / name).touch()
        found = self.xylem()
        run = found.runtime_dir
        self.assertEqual(found.options, ["--hosts", str(run / "hosts"), "--policy", str(run / "policy")])
        self.assertIn("127.44.0.2 dom:2\n", (run / "hosts").read_text(encoding="ascii"))
        self.assertEqual((run / "policy").read_text(encoding="ascii"), "")
        self.assertEqual(found.configuration(), str(self.folder / "etc" / "xylemd.conf"))


if __name__ == "__main__":
    unittest.main()
