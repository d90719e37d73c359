"""What a tool needs for one run: starts servers and clients over a transport, and takes what they cost."""
import os
import resource
import time
from contextlib import contextmanager
from pathlib import Path

from harness.processes import POLL_SECONDS, agents_of, wait_for, wait_for_listener

START_SECONDS = 20
OFFER_SECONDS = 3
SLACK_SECONDS = 60
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Bench:
    def __init__(self, processes, folder, build, xylem):
        self.processes = processes
        self.folder = folder
        self.build = build
        self.xylem = xylem

    def workload(self, name):
        return str(self.build / "eval" / "workloads" / name)

    def log(self, name):
        return self.folder / f"{name}.log"

    @contextmanager
    def server(self, transport, command, port=None, name="server"):
        """Runs it until the block ends. With a port: the block begins when something listens there."""
        log = self.log(name)
        with open(log, "wb") as output:
            process = self.processes.start(transport.server(command), transport.environment, output)
        try:
            if port is not None:
                wait_for_listener(port, process, START_SECONDS, command[0], log)
                wait_for_offer(transport, port)
            yield process
        finally:
            self.processes.stop(process)

    def client(self, transport, command, seconds=0, name="client"):
        """What it printed. seconds: how long it is asked to work."""
        process, log = self.start_client(transport, command, name)
        return self.finish(process, command[0], log, seconds)

    def start_client(self, transport, command, name="client"):
        log = self.log(name)
        with open(log, "wb") as output:
            return self.processes.start(transport.client(command), transport.environment, output), log

    def finish(self, process, name, log, seconds=0):
        try:
            wait_for(process, seconds + SLACK_SECONDS, name, log)
        finally:
            self.processes.stop(process)
        return log.read_text(encoding="utf-8", errors="replace")

    @contextmanager
    def cost(self):
        """The processor seconds of all that was started and ended within the block, and of agents meanwhile."""
        taken = Cost()
        agents, children, start = self.agent_seconds(), child_seconds(), time.monotonic()
        yield taken
        taken.seconds = time.monotonic() - start
        taken.cpu_seconds = child_seconds() - children + self.agent_seconds() - agents

    def memory_of(self, *processes):
        """What they and the agents have mapped, shared pages once, and all objects of the kernel."""
        pids = [*(process.pid for process in processes), *agents_of(self.xylem.runtime_dir)]
        return sum(bytes_in(f"/proc/{pid}/smaps_rollup", "Pss") for pid in pids) + bytes_in("/proc/meminfo", "Slab")

    def agent_seconds(self):
        return sum(seconds_of(pid) for pid in agents_of(self.xylem.runtime_dir))


def wait_for_offer(transport, port):
    """Not for ever: whoever measures sees by the bytes whether they went over it."""
    deadline = time.monotonic() + OFFER_SECONDS
    while not transport.is_offered(port) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


class Cost:
    cpu_seconds = 0.0
    seconds = 0.0


def child_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def seconds_of(pid):
    """User and system time: fields 14 and 15 of proc(5)'s stat, the name in brackets may hold anything."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def bytes_in(path, name):
    """The value of a line `NAME: N kB` of a file of proc(5); 0 where there is none."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


def lines_of(text, word):
    """The words behind `word`, of each line that begins so."""
    return [line.split()[1:] for line in text.splitlines() if line.split()[:1] == [word]]

