"""redis-server and redis-benchmark as they are: requests a second.

settings: requests (of each place in a pipeline), clients. Points: test ("get", "set"), bytes (of a value), pipeline.
"""
import csv

from harness.processes import ProgramFailed, free_port

KINDS = {"tcp"}
NEEDS = {"redis-server": "redis-server", "redis-benchmark": "redis-tools"}
METRICS = {"requests", "cpu_per_request"}


def measure(bench, transport, point, settings):
    port, pipeline = free_port(), point.get("pipeline", 1)
    requests = settings["requests"] * pipeline
    server = ["redis-server", "--port", str(port), "--bind", transport.server_address, "--save", "", "--appendonly", "no",
              "--protected-mode", "no", "--dir", str(bench.folder)]
    client = ["redis-benchmark", "-h", transport.server_address, "-p", str(port), "-t", point["test"],
              "-n", str(requests), "-c", str(settings["clients"]), "-P", str(pipeline), "-d", str(point.get("bytes", 3)), "--csv"]
    with bench.server(transport, server, port):
        with bench.cost() as cost:
            said = bench.client(transport, client, 60)
    for row in csv.reader(said.splitlines()):
        if row and row[0].lower().startswith(point["test"]):
            yield "requests", {}, float(row[1])
            yield "cpu_per_request", {}, cost.cpu_seconds / requests
            return
    raise ProgramFailed("redis-benchmark printed no result")
