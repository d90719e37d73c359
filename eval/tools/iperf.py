"""iperf 2 as it is, with a thread for each connection: bytes a second.

settings: seconds, write_bytes. Points: connections.
"""
from harness.processes import ProgramFailed, free_port

KINDS = {"tcp"}
NEEDS = {"iperf": "iperf"}
SUM = "-1"  # in the place of a connection's number; not all versions print one
FIELDS = 9  # of a line of `-y C`: ..., its connection, the interval, bytes, bits a second


def measure(bench, transport, point, settings):
    connections, seconds, port = point.get("connections", 1), settings["seconds"], free_port()
    common = ["-p", str(port), "-l", str(settings["write_bytes"])]
    with bench.server(transport, ["iperf", "-s", *common], port):
        said = bench.client(transport, ["iperf", "-c", transport.server_address, *common, "-t", str(seconds),
                                        "-P", str(connections), "-y", "C"], seconds)
    rows = [fields for line in said.splitlines() if len(fields := line.split(",")) == FIELDS and fields[8].isdigit()]
    if len(ours := [fields for fields in rows if fields[5] != SUM]) != connections:
        raise ProgramFailed(f"iperf printed {len(ours)} results of {connections} connections")
    yield "throughput", {}, sum(int(fields[8]) for fields in ours) / 8
