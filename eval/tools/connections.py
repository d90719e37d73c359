"""Many connections that are busy at once, between two processes: bytes a second together.

settings: seconds. Points: connections.
"""
import resource

from harness.bench import lines_of
from harness.processes import ProgramFailed, free_port

KINDS = {"tcp"}
NEEDS = {}
METRICS = {"throughput"}


def allow_files(count):
    """For this process and what it starts; a limit that stays lower shows as an error of the program."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 1024
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def measure(bench, transport, point, settings):
    allow_files(point["connections"])
    program, place = bench.workload("connections"), [transport.server_address, str(free_port())]
    with bench.server(transport, [program, "receive", *place], int(place[1])):
        said = bench.client(transport, [program, "send", *place, str(point["connections"]), str(settings["seconds"])],
                            settings["seconds"])
    moved = lines_of(said, "moved")
    if not moved:
        raise ProgramFailed("connections printed no result")
    yield "throughput", {}, float(moved[0][1])
