"""NetPIPE (NPtcp) as it is: latency one way, and the throughput of its ping-pong, over message size.

settings: ranges = [[from_bytes, to_bytes, repeats], ...]. Fixed repeats, because NPtcp's own choice takes a minute a run;
both ends must be told the same. NPtcp also measures three bytes beside each size: only the sizes themselves are kept.
"""
from harness.processes import ProgramFailed, free_port

KINDS = {"tcp"}
NEEDS = {"NPtcp": "netpipe-tcp"}
METRICS = {"one_way", "throughput"}


def measure(bench, transport, _point, settings):
    for first, last, repeats in settings["ranges"]:
        for size, seconds in run_range(bench, transport, first, last, repeats):
            if is_kept(size):
                yield "one_way", {"bytes": size}, seconds
                yield "throughput", {"bytes": size}, size / seconds


def run_range(bench, transport, first, last, repeats):
    result = bench.folder / "netpipe.out"
    result.unlink(missing_ok=True)
    port = free_port()
    command = ["NPtcp", "-P", str(port), "-l", str(first), "-u", str(last), "-n", str(repeats)]
    with bench.server(transport, [*command, "-o", "/dev/null"], port):
        bench.client(transport, [*command, "-h", transport.server_address, "-o", str(result)], 60)
    rows = [line.split() for line in result.read_text(encoding="ascii").splitlines()]
    if not rows:
        raise ProgramFailed("NPtcp wrote no result")
    return [(int(row[0]), float(row[2])) for row in rows]


def is_kept(size):
    """Powers of two, and one and a half times those."""
    third, rest = divmod(size, 3)
    return size & (size - 1) == 0 or (rest == 0 and third & (third - 1) == 0)
