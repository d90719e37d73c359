"""Child processes that never outlive the measuring: each is known by its pid and ended by it, whatever happens."""
import contextlib
import ctypes
import os
import random
import signal
import socket
import struct
import subprocess
import time

from harness import sessions

TERM_GRACE_SECONDS = 3
POLL_SECONDS = 0.02
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    """Of a child, before it becomes the program: whoever measures may be killed, too."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class ProgramFailed(Exception):
    """A program that is measured did not do its part; the text says which and how."""


class NotReached(Exception):
    """The machine is too slow for a point; the text says how far it came. Not a failure."""


class Stopped(Exception):
    """A signal asked to end."""

    def __init__(self, number):
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.exit_code = 128 + number


class Processes:
    def __init__(self):
        self.running = []
        self.is_starting = False
        self.signal = None

    def stop_on(self, *numbers):
        """But for those that whoever started this has it ignore, as nohup does."""
        for number in numbers:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self.on_signal)

    def on_signal(self, number, _frame):
        """A program that is just being started is noted first, or nobody would stop it."""
        self.signal = number
        if not self.is_starting:
            raise Stopped(number)

    def start(self, command, environment, output):
        """Starts the command in a session of its own, so that Ctrl-C reaches only who measures."""
        self.is_starting = True
        try:
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=die_with_parent)
            self.running.append(process)
        except OSError as error:
            raise ProgramFailed(f"cannot run {command[0]}: {error.strerror}") from error
        finally:
            self.is_starting = False
        if self.signal is not None:
            raise Stopped(self.signal)
        return process

    def stop(self, process):
        """It and all that it has started, which may go on where it has ended by itself."""
        if process not in self.running:
            return
        signal_session(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + TERM_GRACE_SECONDS
        while (process.poll() is None or sessions.is_alive(process.pid)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        signal_session(process.pid, signal.SIGKILL)
        process.wait()
        self.running.remove(process)

    def stop_all(self):
        for process in list(self.running):
            self.stop(process)


def signal_session(session, number):
    """Nobody else has its number while any process of it lives. None may be left."""
    if sessions.is_alive(session):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(session, number)


def wait_for(process, seconds, name, log):
    """Waits for the process to end well."""
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise ProgramFailed(f"{name} did not end within {seconds} s{last_lines(log)}") from None
    if code != 0:
        raise ProgramFailed(f"{name} ended with exit code {code}{last_lines(log)}")


def wait_until_it_says(word, process, name, log, seconds=60):
    """Waits for the word among what the process prints."""
    deadline = time.monotonic() + seconds
    while word not in log.read_text(encoding="utf-8", errors="replace").split():
        if process.poll() is not None:
            raise ProgramFailed(f"{name} ended before it said: {word}{last_lines(log)}")
        if time.monotonic() > deadline:
            raise ProgramFailed(f"{name} did not say within {seconds} s: {word}{last_lines(log)}")
        time.sleep(POLL_SECONDS)


def last_lines(log, count=5):
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "".join(f"\n  | {line}" for line in lines[-count:]) + f"\n  (all of it: {log})"


def wait_for_listener(port, process, seconds, name, log):
    """Waits until something listens on the port. Looks instead of connecting: servers here serve once."""
    deadline = time.monotonic() + seconds
    while not listens(port):
        if process.poll() is not None:
            raise ProgramFailed(f"{name} ended before it listened{last_lines(log)}")
        if time.monotonic() > deadline:
            raise ProgramFailed(f"{name} does not listen on port {port}{last_lines(log)}")
        time.sleep(POLL_SECONDS)


def listens(port):
    wanted = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as lines:
                rows = [line.split() for line in lines][1:]
        except OSError:
            continue
        if any(row[1].endswith(wanted) and row[3] == "0A" for row in rows):
            return True
    return False


def free_port():
    """A port that nobody has, below those that the kernel gives to callers: nobody takes it before the server does."""
    while True:
        port = random.randrange(10000, 32000)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            with contextlib.suppress(OSError):
                probe.bind(("", port))
                return port


def free_ports(count):
    """So many different ones."""
    ports = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)


def agents_of(runtime_dir):
    """The process ids of its agents: the kernel says which process listens on each agent.sock."""
    for path in runtime_dir.glob("dom-*/door/agent.sock"):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as session:
                session.connect(str(path))
                credentials = session.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError:
            continue
        yield struct.unpack("3i", credentials)[0]


def stop_agents(runtime_dir):
    for pid in agents_of(runtime_dir):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def end_agents(runtime_dir):
    """Until they are gone."""
    stop_agents(runtime_dir)
    deadline = time.monotonic() + TERM_GRACE_SECONDS
    while any(agents_of(runtime_dir)):
        if time.monotonic() > deadline:
            raise ProgramFailed(f"an agent in {runtime_dir} does not end")
        time.sleep(POLL_SECONDS)
