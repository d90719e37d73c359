"""What a tool needs for one run: starts servers and clients over a transport, and takes what they cost."""
import resource
import time
from contextlib import contextmanager
from pathlib import Path

from harness import memory, sessions
from harness.gate import gate_at
from harness.processes import POLL_SECONDS, ProgramFailed, agents_of, end_agents, last_lines, wait_for, wait_for_listener

START_SECONDS = 20
OFFER_SECONDS = 10
SLACK_SECONDS = 60


class Bench:
    def __init__(self, processes, folder, build, xylem):
        self.processes = processes
        self.folder = folder
        self.build = build
        self.xylem = xylem
        self.carried = []  # bytes that rings carried, of each server and its clients over Xylem
        self.is_watched = False

    def workload(self, name):
        return str(self.build / "eval" / "workloads" / name)

    def log(self, name):
        return self.folder / f"{name}.log"

    def gate(self):
        """Within the block there is one (gate.py)."""
        return gate_at(self.folder / "gate")

    @contextmanager
    def server(self, transport, command, port=None, name="server"):
        """Runs it until the block ends. With a port: the block begins when clients reach it there over the transport."""
        log = self.log(name)
        with self.proof(transport):
            with open(log, "wb") as output:
                process = self.processes.start(transport.server(command), transport.environment, output)
            try:
                if port is not None:
                    wait_for_listener(port, process, START_SECONDS, command[0], log)
                    wait_for_offer(transport, port, command[0], log)
                yield process
            finally:
                self.processes.stop(process)

    @contextmanager
    def proof(self, transport):
        """All connections within the block must have gone over the transport. A block within it is a part of it."""
        watched = None if self.is_watched else transport.watch()
        if watched is None:
            yield
            return
        self.is_watched = True
        try:
            yield
        finally:
            self.is_watched = False
        self.carried.append(watched.proven())

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
        """The processor seconds of all that runs within the block, whether it ends there or not, and of agents meanwhile.

        It belongs behind the start of servers: their getting ready, and the questions that tell of it, are no work for clients.
        """
        taken = Cost()
        programs, agents, start = self.program_seconds(), self.agent_seconds(), time.monotonic()
        yield taken
        taken.seconds = time.monotonic() - start
        agents_now = self.agent_seconds()
        taken.cpu_seconds = self.program_seconds() - programs
        taken.cpu_seconds += sum(seconds - agents.get(pid, 0) for pid, seconds in agents_now.items())

    def program_seconds(self):
        """Of all that was ever started here."""
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime + sum(sessions.cpu_seconds(one.pid) for one in self.processes.running)

    def agent_seconds(self):
        """{pid: seconds}"""
        found = (sessions.process(Path(f"/proc/{pid}")) for pid in agents_of(self.xylem.runtime_dir))
        return {one.pid: one.seconds for one in found if one is not None}

    def memory_of(self, *processes):
        """What they and the agents have mapped, and the kernel's objects for sockets."""
        return memory.of([*(process.pid for process in processes), *agents_of(self.xylem.runtime_dir)])

    def end_agents(self):
        """The next run over Xylem starts new ones, whose memory no other run has shaped."""
        end_agents(self.xylem.runtime_dir)


def wait_for_offer(transport, port, name, log):
    """Whoever called earlier would go over TCP."""
    deadline = time.monotonic() + OFFER_SECONDS
    while not transport.is_offered(port):
        if time.monotonic() > deadline:
            raise ProgramFailed(f"{name} listens on port {port}, but clients reach it over TCP only{last_lines(log)}")
        time.sleep(POLL_SECONDS)


class Cost:
    cpu_seconds = 0.0
    seconds = 0.0


def lines_of(text, word):
    """The words behind `word`, of each line that begins so."""
    return [line.split()[1:] for line in text.splitlines() if line.split()[:1] == [word]]

