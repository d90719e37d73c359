"""What the memory itself does, in one process: the four loops of STREAM, and memcpy over its length.

settings: array_mib, of each of STREAM's three arrays; several times the last cache.
"""
from harness.bench import lines_of

KINDS = {"machine"}
NEEDS = {}


def measure(bench, transport, _point, settings):
    said = bench.client(transport, [bench.workload("memory"), str(settings["array_mib"])], 60)
    for loop, value in lines_of(said, "bandwidth"):
        yield "bandwidth", {"loop": loop}, float(value)
    for size, value in lines_of(said, "memcpy"):
        yield "memcpy", {"length_bytes": int(size)}, float(value)
