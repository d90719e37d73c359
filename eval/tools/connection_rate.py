"""Connections a second: connect, a byte there and back, close, one after the other. settings: seconds."""
from harness.bench import lines_of
from harness.processes import free_port

KINDS = {"tcp", "socket"}
NEEDS = {}
METRICS = {"rate"}


def measure(bench, transport, _point, settings):
    program, port = bench.workload("connection_rate"), free_port()
    place = [transport.server_address, str(port)]
    # Of other sockets it waits for the server by itself.
    with bench.server(transport, [program, "answer", *place], port if transport.kind == "tcp" else None):
        said = bench.client(transport, [program, "ask", *place, str(settings["seconds"])], settings["seconds"])
    for (rate,) in lines_of(said, "rate"):
        yield "rate", {}, float(rate)
