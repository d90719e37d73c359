"""iperf3 as it is: bytes a second that arrived, and the processor time that a gigabyte took.

settings: seconds, write_bytes, cost = true for processor time. Points: connections, direction ("forward", "reverse"),
target_gbyte_per_s (as fast as that together, instead of as fast as it goes).
"""
import json

from harness.processes import NotReached, ProgramFailed, free_port

KINDS = {"tcp"}
NEEDS = {"iperf3": "iperf3"}
METRICS = {"throughput", "cpu_per_gb", "cpu"}
DIRECTIONS = {"forward": [], "reverse": ["-R"]}


def measure(bench, transport, point, settings):
    connections, seconds = point.get("connections", 1), settings["seconds"]
    target = point.get("target_gbyte_per_s")
    port = free_port()
    client = ["iperf3", "-c", transport.server_address, "-p", str(port), "-l", str(settings["write_bytes"]), "-t", str(seconds),
              "-P", str(connections), "-J", *DIRECTIONS[point.get("direction", "forward")]]
    if target is not None:
        client += ["-b", str(int(target * 8e9 / connections))]
    with bench.server(transport, ["iperf3", "-s", "-1", "-p", str(port)], port) as server:
        with bench.cost() as cost:
            said = bench.client(transport, client, seconds)
            bench.finish(server, "iperf3 -s", bench.log("server"))
    moved, rate = results_of(said)
    if target is None:
        yield "throughput", {}, rate
    elif rate < 0.9 * target * 1e9:
        raise NotReached(f"only {rate / 1e9:.2f} of {target} GB/s arrived")
    if settings.get("cost"):
        yield "cpu_per_gb", {}, cost.cpu_seconds / (moved / 1e9)
    if target is not None:
        yield "cpu", {}, cost.cpu_seconds / seconds


def results_of(said):
    try:
        end = json.loads(said)["end"]["sum_received"]
        return end["bytes"], end["bits_per_second"] / 8
    except (ValueError, KeyError) as error:
        raise ProgramFailed(f"iperf3 printed no result ({error})") from error
