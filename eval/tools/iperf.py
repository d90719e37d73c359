"""iperf 2 as it is, with a thread for each connection: bytes a second that arrived, as the receiving side says.

settings: seconds, write_bytes. Points: connections, direction ("forward", "reverse").
"""
import time

from harness.processes import POLL_SECONDS, ProgramFailed, free_port

KINDS = {"tcp"}
NEEDS = {"iperf": "iperf"}
METRICS = {"throughput"}
DIRECTIONS = {"forward": [], "reverse": ["-R"]}
SUM = "-1"  # in the place of a connection's number; not all versions print one
FIELDS = 9  # of a line of `-y C`: ..., its connection, the interval, bytes, bits a second
SERVER_SECONDS = 5  # for its lines, after the client has ended


def measure(bench, transport, point, settings):
    connections, seconds, port = point.get("connections", 1), settings["seconds"], free_port()
    direction = point.get("direction", "forward")
    common = ["-p", str(port), "-l", str(settings["write_bytes"]), "-y", "C"]
    with bench.server(transport, ["iperf", "-s", *common], port) as server:
        said = bench.client(transport, ["iperf", "-c", transport.server_address, *common, "-t", str(seconds),
                                        "-P", str(connections), *DIRECTIONS[direction]], seconds)
        rows = rows_of(said) if direction == "reverse" else server_rows(bench.log("server"), connections)
        server.kill()  # it would take a second to end when it is asked to
    if len(rows) != connections:
        raise ProgramFailed(f"iperf printed {len(rows)} results of {connections} connections")
    yield "throughput", {}, together(rows)


def rows_of(text):
    """[(bytes, bits a second), ...] of each connection."""
    rows = [fields for line in text.splitlines() if len(fields := line.split(",")) == FIELDS and fields[8].isdigit()]
    return [(int(fields[7]), int(fields[8])) for fields in rows if fields[5] != SUM]


def server_rows(log, connections):
    """It goes on, and prints a connection's line when that has ended."""
    deadline = time.monotonic() + SERVER_SECONDS
    while True:
        rows = rows_of(log.read_text(encoding="utf-8", errors="replace"))
        if len(rows) >= connections or time.monotonic() > deadline:
            return rows
        time.sleep(POLL_SECONDS)


def together(rows):
    """Over the time of the connection that took longest: they begin at once."""
    if any(rate == 0 for _, rate in rows):
        raise ProgramFailed("a connection of iperf moved nothing")
    return sum(moved for moved, _ in rows) / max(8 * moved / rate for moved, rate in rows)
