"""The memory that open connections hold, in their programs, the agents and the kernel: more than before they were open.

Each has carried a piece of 16 KiB. Programs and agents are new in each run: what earlier ones have left in their heaps would
hide what these need. settings: seconds, before and while they are open. Points: connections.
"""
import time

from harness.processes import free_port, wait_until_it_says
from tools.connections import allow_files

KINDS = {"tcp"}
NEEDS = {}
METRICS = {"memory"}


def settled_memory(bench, server, client, settings):
    """Once the kernel has given back what was used in passing."""
    time.sleep(settings["seconds"] / 2)
    return bench.memory_of(server, client)


def measure(bench, transport, point, settings):
    count = point["connections"]
    allow_files(count)
    bench.end_agents()
    program, place = bench.workload("connections"), [transport.server_address, str(free_port())]
    with bench.server(transport, [program, "receive", *place], int(place[1])) as server:
        client, log = bench.start_client(transport, [program, "hold", *place, str(count), str(settings["seconds"])])
        wait_until_it_says("met", client, program, log)
        before = settled_memory(bench, server, client, settings)
        wait_until_it_says("open", client, program, log)
        held = settled_memory(bench, server, client, settings) - before
        bench.finish(client, program, log, 2 * settings["seconds"])
    yield "memory", {}, held / count
