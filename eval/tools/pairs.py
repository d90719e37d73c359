"""Several pairs of domains that exchange data at once, a connection each: bytes a second together.

settings: seconds. Points: pairs.
"""
from contextlib import ExitStack

from harness.bench import lines_of
from harness.processes import free_port

KINDS = {"tcp"}
NEEDS = {}


def measure(bench, transport, point, settings):
    program, seconds = bench.workload("socket_exchange"), settings["seconds"]
    total = 0
    with ExitStack() as servers:
        clients = []
        for number in range(point["pairs"]):
            pair, port = transport.pair(number), free_port()
            server = bench.server(pair, [program, "answer", pair.server_address, str(port)], port, f"server-{number}")
            servers.enter_context(server)
            clients.append(bench.start_client(pair, [program, "load", pair.server_address, str(port), str(seconds)],
                                              f"client-{number}"))
        for client, log in clients:
            for moved, took in lines_of(bench.finish(client, program, log, seconds), "load"):
                total += float(moved) / float(took)
    yield "throughput", {}, total
