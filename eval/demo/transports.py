"""The two things that are compared: kernel TCP over the loopback interface, and Xylem between two domains."""
import os
import shutil
import tempfile
from pathlib import Path

MAX_RUNTIME_PATH = 75  # a unix socket's path has 107 bytes, and dom-N/door/agent.sock comes behind it


class Tcp:
    name = "tcp"
    label = "TCP loopback"
    server_address = "127.0.0.1"

    def __init__(self):
        self.environment = clean_environment()

    def server(self, command):
        return command

    def client(self, command):
        return command


class Xylem:
    name = "xylem"
    label = "Xylem"
    server_address = "127.44.0.1"  # domain 1, by the zero-configuration map
    server_domain = "1"
    client_domain = "2"

    def __init__(self, build, folder):
        self.command = build / "xylem"
        for part in (self.command, build / "xylemd", build / "libxylem.so"):
            if not part.exists():
                raise FileNotFoundError(f"{part} is not there: build it first (make)")
        self.runtime_dir = make_runtime_dir(folder)
        self.environment = clean_environment()
        self.environment["XYLEM_RUNTIME_DIR"] = str(self.runtime_dir)
        self.options = []
        if Path("/etc/xylem/hosts").exists():
            self.options = ["--hosts", str(self.write_hosts())]

    def write_hosts(self):
        """This machine has a map of its own, so say what the zero-configuration map would."""
        hosts = self.runtime_dir / "hosts"
        hosts.write_text("127.44.0.1 dom:1\n127.44.0.2 dom:2\n", encoding="ascii")
        return hosts

    def server(self, command):
        return self.run_in(self.server_domain, command)

    def client(self, command):
        return self.run_in(self.client_domain, command)

    def run_in(self, domain, command):
        return [str(self.command), "run", "--domain", domain, *self.options, "--", *command]


def make_runtime_dir(folder):
    path = folder / "run"
    if len(str(path)) > MAX_RUNTIME_PATH:
        return Path(tempfile.mkdtemp(prefix="xylem-demo-"))
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700, parents=True)
    return path


def clean_environment():
    """Nothing of Xylem and nothing preloaded, whatever the shell has set."""
    return {k: v for k, v in os.environ.items() if not k.startswith("XYLEM_") and k != "LD_PRELOAD"}
