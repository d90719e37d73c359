"""What the memory itself does: in one process the four loops of STREAM, and memcpy over its length; and memcpy through two.

settings: array_mib, of each of STREAM's three arrays, several times the last cache; between_bytes, the lengths that go through
the bare ring: copied in by one process, out by another, and counted once.
"""
from harness.bench import lines_of
from harness.transports import BareRing
from tools.exchange import exchange

KINDS = {"machine"}
NEEDS = {}
METRICS = {"bandwidth", "memcpy"}


def measure(bench, transport, _point, settings):
    said = bench.client(transport, [bench.workload("memory"), str(settings["array_mib"])], 60)
    for loop, value in lines_of(said, "bandwidth"):
        yield "bandwidth", {"loop": loop}, float(value)
    for size, value in lines_of(said, "memcpy"):
        yield "memcpy", {"length_bytes": int(size)}, float(value)
    ring = BareRing()
    said = exchange(bench, ring, "ask", [f"throughput:{size}" for size in settings["between_bytes"]], 60)
    for size, value in lines_of(said, "throughput"):
        yield "memcpy", {"length_bytes": int(size)}, float(value), ring.name
