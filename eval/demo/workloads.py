"""The unmodified programs that are measured: iperf3 and NetPIPE (NPtcp), by the tools of the evaluation."""
from dataclasses import dataclass

from tools import iperf3, netpipe


@dataclass
class Iperf3:
    """One stream from client to server in writes of 128 KiB. Result: bytes per second that arrived."""
    repetitions: int
    seconds: int
    name = "iperf3"
    title = "iperf3"

    @property
    def expected_seconds(self):
        return self.seconds + 1

    def points(self):
        return [{}]

    def run(self, bench, transport):
        settings = {"seconds": self.seconds, "write_bytes": 128 << 10}
        [(_, _, bytes_per_second)] = iperf3.measure(bench, transport, {}, settings)
        return {"bytes_per_second": bytes_per_second}


@dataclass
class Netpipe:
    """Ping-pong over message sizes up to 4 MiB. Result: seconds one way by message size."""
    repetitions: int
    name = "netpipe"
    title = "NetPIPE"
    expected_seconds = 16
    ranges = ((1, 16384, 2000), (16384, 4194304, 50))

    def points(self):
        return [{}]

    def run(self, bench, transport):
        seconds_by_size = {}
        for first, last, repeats in self.ranges:
            seconds_by_size.update(netpipe.run_range(bench, transport, first, last, repeats))
        return {"seconds_by_size": seconds_by_size}
