#!/usr/bin/python3
"""What tools make of what programs print, without playing any."""
import itertools
import tempfile
import unittest
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import scripted  # noqa: F401  (it makes the evaluation's modules importable)
from harness import machine, memory
from harness.gate import gate_at
from harness.processes import ProgramFailed
from tools import held, iperf, memory as memory_tool, pairs, video


class ScriptedBench:
    """In the place of a bench: programs print what the test has them print; `done` says what was asked for, in its order."""

    def __init__(self, folder, says, server_says=""):
        self.folder, self.says = folder, says
        self.done = []
        self.memory = itertools.count(1000, 1000)
        self.log("server").write_text(server_says, encoding="ascii")

    def workload(self, name):
        return name

    def log(self, name):
        return self.folder / f"{name}.log"

    def gate(self):
        return gate_at(self.folder / "gate")

    @contextmanager
    def server(self, _transport, command, _port=None, name="server"):
        self.done.append(f"serve {name}")
        yield mock.Mock(poll=lambda: None)
        self.done.append(f"end {name}")

    def client(self, _transport, command, _seconds=0):
        self.done.append(command)
        return self.says[command[0]]

    def start_client(self, _transport, _command, name="client"):
        self.done.append(f"start {name}")
        self.log(name).write_text(self.says[name], encoding="ascii")
        return mock.Mock(poll=lambda: None), self.log(name)

    def finish(self, _process, name, log, _seconds=0):
        self.done.append(f"finish {log.stem}")
        return log.read_text(encoding="ascii")

    @contextmanager
    def cost(self):
        self.done.append("cost")
        yield mock.Mock(seconds=10, cpu_seconds=5)

    def end_agents(self):
        self.done.append("end agents")

    def memory_of(self, *_processes):
        return next(self.memory)


CARRIER = mock.Mock(server_address="127.0.0.1", kind="tcp")
CARRIER.pair = lambda number: CARRIER


class Tools(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_pairs_begin_once_all_are_connected_and_share_one_time(self):
        bench = ScriptedBench(self.folder, {"client-0": "ready\nload 3000 10.0 12.0\n", "client-1": "ready\nload 1000 11.0 14.0\n"})
        [(metric, _, value)] = pairs.measure(bench, CARRIER, {"pairs": 2}, {"seconds": 2})
        self.assertEqual((metric, value), ("throughput", 1000))
        self.assertEqual(bench.done[:6], ["serve server-0", "serve server-1", "start client-0", "start client-1", "finish client-0",
                                          "finish client-1"])

    def test_a_pair_without_a_result_is_a_failure(self):
        bench = ScriptedBench(self.folder, {"client-0": "ready\nload 3000 10.0 12.0\n", "client-1": "ready\n"})
        with self.assertRaisesRegex(ProgramFailed, "1 of 2 pairs"):
            list(pairs.measure(bench, CARRIER, {"pairs": 2}, {"seconds": 2}))

    def row(self, number, moved, rate):
        return f"0,127.0.0.1,5001,127.0.0.1,5002,{number},0.0-1.0,{moved},{rate}\n"

    def test_iperf_counts_what_the_receiver_reports_over_the_longest_time(self):
        sent, got = self.row(1, 9999, 99999), self.row(1, 1000, 8000) + self.row(2, 3000, 12000) + self.row(-1, 4000, 20000)
        settings = {"seconds": 1, "write_bytes": 1}
        for direction, says, server_says in (("forward", sent, got), ("reverse", got, sent)):
            bench = ScriptedBench(self.folder, {"iperf": says}, server_says)
            point = {"connections": 2, "direction": direction}
            self.assertEqual(list(iperf.measure(bench, CARRIER, point, settings)), [("throughput", {}, 2000)])
            self.assertEqual("-R" in bench.done[1], direction == "reverse")

    def test_iperf_must_report_every_connection_and_none_that_moved_nothing(self):
        for says, complaint in (("", "0 results of 1"), (self.row(1, 0, 0), "moved nothing")):
            with self.assertRaisesRegex(ProgramFailed, complaint):
                list(iperf.measure(ScriptedBench(self.folder, {"iperf": says}), CARRIER, {"direction": "reverse"},
                                   {"seconds": 1, "write_bytes": 1}))

    def test_agents_are_new_for_each_look_at_memory(self):
        bench = ScriptedBench(self.folder, {"client-0": "met\nopen\n"})
        found = list(held.measure(bench, CARRIER, {"connections": 4}, {"seconds": 0}))
        self.assertEqual(found, [("memory", {}, 250)])
        self.assertEqual(bench.done[0], "end agents")

    def test_of_several_pairs_the_memory_is_that_of_all_their_connections(self):
        bench = ScriptedBench(self.folder, {"client-0": "met\nopen\n", "client-1": "met\nopen\n"})
        found = list(held.measure(bench, CARRIER, {"connections": 4}, {"seconds": 0, "pairs": 2}))
        self.assertEqual(found, [("memory", {}, 125)])
        self.assertEqual(bench.done[1:5], ["serve server-0", "serve server-1", "start client-0", "start client-1"])
        self.assertFalse((self.folder / "gate").exists())

    def test_arrays_are_some_times_the_last_cache_as_far_as_memory_goes(self):
        settings = {"array_mib": 256, "last_caches": 4}
        for cache_mib, memory_gib, wanted in ((16, 64, 256), (300, 64, 1200), (300, 4, 512), (0, 64, 256)):
            with mock.patch.object(machine, "last_cache_bytes", lambda mib=cache_mib: mib << 20), \
                 mock.patch.object(machine, "memory_bytes", lambda gib=memory_gib: gib << 30):
                self.assertEqual(memory_tool.array_mib(settings), wanted)

    def test_a_copy_through_two_processes_stands_beside_one_within_a_process(self):
        bench = ScriptedBench(self.folder, {"memory": "bandwidth copy 5\nmemcpy 4096 7\n", "shared_exchange": "throughput 4096 3\n"})
        found = list(memory_tool.measure(bench, CARRIER, {}, {"array_mib": 1, "between_bytes": [4096]}))
        self.assertEqual(found, [("bandwidth", {"loop": "copy"}, 5), ("memcpy", {"length_bytes": 4096}, 7),
                                 ("memcpy", {"length_bytes": 4096}, 3, "ring")])
        self.assertEqual(bench.done[1][-2:], ["ask", "throughput:4096"])

    def test_frames_count_from_the_senders_start_to_the_receivers_end(self):
        bench = ScriptedBench(self.folder, {"ffmpeg": ""}, "frame= 250 \rframe= 500 \n")
        settings = {"frames": 500, "live_frames": 50, "size": "2x2", "frames_per_second": 25}
        found = list(video.measure(bench, CARRIER, {"pace": "free", "codec": "rawvideo"}, settings))
        self.assertEqual(found, [("frames", {}, 50)])
        self.assertEqual((bench.done[:2], bench.done[3]), (["serve server", "cost"], "finish server"))


class Memory(unittest.TestCase):
    def test_of_the_kernel_only_what_sockets_have_counts_where_it_may_be_read(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "slabinfo"
            path.write_text("slabinfo - version: 2.1\n# name <active_objs> <num_objs> <objsize>\n"
                            "TCP 3 13 2400 13 8\nsock_inode_cache 2 20 800 20 4\nbtrfs_inode 1000 1000 1000 1 1\n", encoding="ascii")
            self.assertEqual(memory.kernel_bytes(path), 3 * 2400 + 2 * 800)
            self.assertEqual(memory.kernel_bytes(Path(folder) / "none") % 1024, 0)


class Machine(unittest.TestCase):
    def test_the_busy_share_is_that_of_all_but_idle_ticks(self):
        looks = iter(["cpu 100 0 100 700 100 0 0 0 5 5\ncpu0 1", "cpu 200 0 100 900 200 0 0 0 9 9\ncpu0 1"])
        with mock.patch.object(machine, "text_of", lambda _: next(looks)), mock.patch.object(machine, "LOOK_SECONDS", 0):
            self.assertEqual(machine.busy_share(), 0.25)


if __name__ == "__main__":
    unittest.main()
