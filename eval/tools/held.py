"""The memory that open connections hold, in their programs, the agents and the kernel: more than before they were open.

Each has carried a piece of 16 KiB. Programs and agents are new in each run: what earlier ones have left in their heaps would
hide what these need. settings: seconds, to settle before each look; pairs of programs that hold so many each, 1. Points:
connections.
"""
import time
from contextlib import ExitStack

from harness.processes import free_ports, wait_until_it_says
from tools.connections import allow_files

KINDS = {"tcp"}
NEEDS = {}
METRICS = {"memory"}


def settled_memory(bench, pairs, settings):
    """Once the kernel has given back what was used in passing."""
    time.sleep(settings["seconds"])
    return bench.memory_of(*(process for pair in pairs for process in pair))


def measure(bench, transport, point, settings):
    count, program = point["connections"], bench.workload("connections")
    allow_files(count)
    bench.end_agents()
    with bench.gate() as gate, ExitStack() as servers:
        places = [[transport.server_address, str(port)] for port in free_ports(settings.get("pairs", 1))]
        started = [servers.enter_context(bench.server(transport, [program, "receive", *place], int(place[1]), f"server-{number}"))
                   for number, place in enumerate(places)]
        clients = [bench.start_client(transport, [program, "hold", *place, str(count), str(gate.path)], f"client-{number}")
                   for number, place in enumerate(places)]
        pairs = [(server, client) for server, (client, _) in zip(started, clients)]
        wait_for_all("met", clients, program)
        before = settled_memory(bench, pairs, settings)
        with gate.open():
            wait_for_all("open", clients, program)
            held = settled_memory(bench, pairs, settings) - before
        for client, log in clients:
            bench.finish(client, program, log)
    yield "memory", {}, held / (count * len(pairs))


def wait_for_all(word, clients, program):
    for client, log in clients:
        wait_until_it_says(word, client, program, log)
