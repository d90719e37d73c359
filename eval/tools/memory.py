"""What the memory itself does: in one process the four loops of STREAM, and memcpy over its length; and memcpy through two.

settings: array_mib, of each of STREAM's three arrays, at least, and last_caches, how many times the last cache, as far as an
eighth of the memory goes for one; between_bytes, the lengths that go through
the bare ring: copied in by one process, out by another, and counted once.
"""
from harness import machine
from harness.bench import lines_of
from harness.transports import BareRing
from tools.exchange import exchange

KINDS = {"machine"}
NEEDS = {}
METRICS = {"bandwidth", "memcpy"}


def array_mib(settings):
    wanted = settings.get("last_caches", 0) * machine.last_cache_bytes() >> 20
    return max(settings["array_mib"], min(wanted, machine.memory_bytes() >> 23))


def measure(bench, transport, _point, settings):
    said = bench.client(transport, [bench.workload("memory"), str(array_mib(settings))], 60)
    for loop, value in lines_of(said, "bandwidth"):
        yield "bandwidth", {"loop": loop}, float(value)
    for size, value in lines_of(said, "memcpy"):
        yield "memcpy", {"length_bytes": int(size)}, float(value)
    ring = BareRing()
    said = exchange(bench, ring, "ask", [f"throughput:{size}" for size in settings["between_bytes"]], 60)
    for size, value in lines_of(said, "throughput"):
        yield "memcpy", {"length_bytes": int(size)}, float(value), ring.name
