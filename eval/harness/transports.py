"""What carries the bytes: each says where a server is to listen, and how programs are started so that it carries them.

`kind` says which programs can use it: "tcp" programs (unmodified ones too), "socket" what a program for any socket takes,
"shared" what two processes of one parent share, "machine" no transport at all.
"""
import copy
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.processes import ProgramFailed, agents_of, end_agents
from harness.ring_bytes import RingBytes

MAX_RUNTIME_PATH = 75  # a unix socket's path has 107 bytes, and dom-N/door/agent.sock comes behind it
MOST_DOMAIN = 64
QUERY_TIMEOUT_SECONDS = 10
ASKED_AT_MOST = 3
DEFAULT_RING_BYTES = 2 << 20  # Xylem's own: vsock-transport/ring/geometry.hpp
VSOCK_LOCAL_CID = 1  # <linux/vm_sockets.h> VMADDR_CID_LOCAL
NO_AGENT = 3  # exit code of xylem: control/cli/failure.hpp
MACHINE_FOLDER = Path("/etc/xylem")  # of this machine's own agents; ours read it as well


class Transport:
    """What most have in common: nothing of Xylem, programs as they are."""
    kind = "tcp"

    def __init__(self):
        self.environment = clean_environment()

    def why_not(self):
        """Why this machine cannot have it; None: it can."""
        return None

    def server(self, command):
        return command

    def client(self, command):
        return command

    def is_offered(self, _port):
        """Whether clients reach its server, which listens already, over this transport."""
        return True

    def watch(self):
        """Watches what carries a run, for proof; None: there is only one way."""
        return None

    def at(self, _point):
        """With the options that a point names."""
        return self

    def pair(self, _number):
        """The same between two other domains."""
        return self


class Tcp(Transport):
    name = "tcp"
    label = "TCP loopback"
    server_address = "127.0.0.1"


class Unix(Transport):
    name = "unix"
    label = "AF_UNIX"
    kind = "socket"

    def __init__(self, folder):
        super().__init__()
        self.server_address = f"./{os.path.relpath(folder / 'exchange.sock')}"


class Vsock(Transport):
    name = "vsock"
    label = "AF_VSOCK loopback"
    kind = "socket"
    server_address = f"vsock:{VSOCK_LOCAL_CID}"

    def why_not(self):
        try:
            with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as probe:
                probe.bind((VSOCK_LOCAL_CID, socket.VMADDR_PORT_ANY))
        except OSError as error:
            return f"this kernel has no AF_VSOCK loopback ({error.strerror}); modprobe vsock_loopback may help"
        return None


class Pipe(Transport):
    name = "pipe"
    label = "pipes"
    kind = "shared"
    words = ("pipe",)


class BareRing(Transport):
    """Two copies and a hand-over by spinning: what the memory allows."""
    name = "ring"
    label = "bare ring"
    kind = "shared"

    def __init__(self, ring_bytes=DEFAULT_RING_BYTES):
        super().__init__()
        self.words = ("ring", str(ring_bytes))

    def at(self, point):
        return BareRing(point["ring_bytes"]) if "ring_bytes" in point else self


class Machine(Transport):
    name = "machine"
    label = "this machine"
    kind = "machine"


class Xylem(Transport):
    name = "xylem"
    label = "Xylem"
    server_address = "127.44.0.1"  # domain 1, by the zero-configuration map
    server_domain = 1
    client_domain = 2

    def __init__(self, build, folder):
        super().__init__()
        self.command = build / "xylem"
        self.runtime_dir = make_runtime_dir(folder)
        self.environment["XYLEM_RUNTIME_DIR"] = str(self.runtime_dir)
        self.options = [*self.instead_of("hosts", "".join(f"127.44.0.{one} dom:{one}\n" for one in range(1, MOST_DOMAIN))),
                        *self.instead_of("policy", "")]

    def remove_runtime_dir(self):
        """With its agents; of one that does not end the folder stays."""
        try:
            end_agents(self.runtime_dir)
        except ProgramFailed as error:
            print(f"left behind: {error}", file=sys.stderr)
        else:
            shutil.rmtree(self.runtime_dir, ignore_errors=True)

    def instead_of(self, name, text):
        """Where this machine has such a file: options that put one in its place which says what there is without any."""
        if not (MACHINE_FOLDER / name).exists():
            return []
        (self.runtime_dir / name).write_text(text, encoding="ascii")
        return [f"--{name}", str(self.runtime_dir / name)]

    def configuration(self):
        """The file of this machine that nothing here can take the place of, which agents read at their start; None: no such."""
        found = MACHINE_FOLDER / "xylemd.conf"
        return str(found) if found.exists() else None

    def server(self, command):
        return self.run_in(self.server_domain, command)

    def client(self, command):
        return self.run_in(self.client_domain, command)

    def run_in(self, domain, command):
        return [str(self.command), "run", "--domain", str(domain), *self.options, "--", *command]

    def ask(self, verb):
        """What its agents report, one by one; nothing where none runs. An agent that does not answer is a failure; one of
        another point, which nobody has used for a while, may end just when it is asked, and is not there the next time."""
        for _ in range(ASKED_AT_MOST):
            answer = subprocess.run([str(self.command), verb, "--json", "--all"], env=self.environment,
                                    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=QUERY_TIMEOUT_SECONDS,
                                    check=False)
            if answer.returncode == 0 and not answer.stderr:
                return json.loads(answer.stdout)["domains"]
            if answer.returncode == NO_AGENT and not any(agents_of(self.runtime_dir)):
                return []
        raise ProgramFailed(f"xylem {verb} ended with exit code {answer.returncode}: {answer.stderr.strip()}")

    def is_offered(self, port):
        """The kernel has a listener a moment before the agent does, and who calls in between gets the kernel's."""
        return any(one["state"] == "LISTEN" and one["transport"] == "ring" and one["local"]["port"] == port
                   for report in self.ask("ls") for one in report["sockets"])

    def watch(self):
        return RingBytes(self)

    def at(self, point):
        """The same agents, with the ring and the spin budget of a point; "default" is Xylem's own."""
        options = [word for key, option in (("ring_bytes", "--ring-size"), ("spin_us", "--spin"))
                   if point.get(key, "default") != "default" for word in (option, str(point[key]))]
        return self.with_changes(options=[*self.options, *options]) if options else self

    def pair(self, number):
        server = 1 + 2 * number
        return self.with_changes(server_domain=server, client_domain=server + 1, server_address=f"127.44.0.{server}")

    def with_changes(self, **changes):
        changed = copy.copy(self)
        changed.__dict__.update(changes)
        return changed


def every_transport(build, folder):
    """{name: transport}"""
    xylem = Xylem(build, folder)
    return {one.name: one for one in (Tcp(), Unix(xylem.runtime_dir), Vsock(), Pipe(), BareRing(), Machine(), xylem)}


def make_runtime_dir(folder):
    path = folder / "run"
    if len(str(path)) > MAX_RUNTIME_PATH:
        return Path(tempfile.mkdtemp(prefix="xylem-eval-"))
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700, parents=True)
    return path


def clean_environment():
    """Nothing of Xylem and nothing preloaded, whatever the shell has set."""
    return {k: v for k, v in os.environ.items() if not k.startswith("XYLEM_") and k != "LD_PRELOAD"}
