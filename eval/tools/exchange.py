"""Round trips and one-way transfers by message size, with a program of our own over any transport.

settings: asked = ["latency:64", ...]. Points may have ring_bytes and spin_us.
"""
from harness.bench import lines_of
from harness.processes import free_port

KINDS = {"tcp", "socket", "shared"}
NEEDS = {}
METRICS = {"latency", "throughput"}


def exchange(bench, transport, verb, words, seconds=0):
    """What the asking side printed. words: behind the verb, as eval/workloads/exchange.hpp has them."""
    if transport.kind == "shared":
        return bench.client(transport, [bench.workload("shared_exchange"), *transport.words, verb, *words], seconds)
    program, port = bench.workload("socket_exchange"), free_port()
    place = [transport.server_address, str(port)]
    # Of other sockets it waits for the server by itself.
    with bench.server(transport, [program, "answer", *place], port if transport.kind == "tcp" else None):
        return bench.client(transport, [program, verb, *place, *words], seconds)


def measure(bench, transport, _point, settings):
    said = exchange(bench, transport, "ask", settings["asked"], 60)
    for metric in sorted(METRICS):
        for size, value in lines_of(said, metric):
            yield metric, {"bytes": int(size)}, float(value)
