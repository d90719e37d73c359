"""Several pairs of domains that exchange data at once, a connection each: bytes a second together.

All are connected before any begins. settings: seconds. Points: pairs.
"""
from contextlib import ExitStack

from harness.bench import lines_of
from harness.processes import ProgramFailed, free_ports, wait_until_it_says

KINDS = {"tcp"}
NEEDS = {}
METRICS = {"throughput"}
MESSAGE_BYTES = 64 << 10


def together(loads):
    """Bytes a second. loads: (bytes, start, end) of each pair, times of one clock."""
    return sum(moved for moved, _, _ in loads) / (max(end for *_, end in loads) - min(start for _, start, _ in loads))


def measure(bench, transport, point, settings):
    program, seconds = bench.workload("socket_exchange"), settings["seconds"]
    places = [(transport.pair(number), str(port), number) for number, port in enumerate(free_ports(point["pairs"]))]
    with bench.gate() as gate, ExitStack() as servers:
        words = [str(seconds), str(MESSAGE_BYTES), str(gate.path)]
        for pair, port, number in places:
            command = [program, "answer", pair.server_address, port]
            servers.enter_context(bench.server(pair, command, int(port), f"server-{number}"))
        clients = [bench.start_client(pair, [program, "load", pair.server_address, port, *words], f"client-{number}")
                   for pair, port, number in places]
        for client, log in clients:
            wait_until_it_says("ready", client, program, log)
        with gate.open():
            said = [bench.finish(client, program, log, seconds) for client, log in clients]
    loads = [tuple(map(float, words)) for text in said for words in lines_of(text, "load")]
    if len(loads) != len(places):
        raise ProgramFailed(f"{len(loads)} of {len(places)} pairs printed a result")
    yield "throughput", {}, together(loads)
