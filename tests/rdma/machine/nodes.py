"""Two emulated machines with a network between them. QEMU lives as long as the `with` block, whatever happens in there."""
import subprocess
import threading
import time

KERNEL_OPTIONS = "console=ttyS0 quiet mitigations=off panic=-1 xylem.node={name}"
END_SECONDS = 5
LOOK_SECONDS = 0.2
NAMES = "ab"


def command(images, initramfs, memory, name, folder):
    """Node `name`; the network is a pair of sockets in `folder`, so that nothing else can reach it."""
    other = NAMES[1 - NAMES.index(name)]
    network = (f"dgram,id=net,local.type=unix,local.path={folder}/{name}.net,"
               f"remote.type=unix,remote.path={folder}/{other}.net")
    return [
        # A machine must not outlive its runner, even if that is killed.
        "setpriv", "--pdeathsig", "KILL",
        "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max,-la57", "-smp", "2", "-m", str(memory),
        "-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio", "-netdev", network,
        "-device", f"virtio-net-pci,netdev=net,host_mtu=9000,romfile=,mac=52:54:00:00:00:0{NAMES.index(name) + 1}",
        "-kernel", str(images / "vmlinuz"), "-append", KERNEL_OPTIONS.format(name=name), "-initrd", str(initramfs)]


class Nodes:
    """Both machines; `line(name, text)` is called for each line that one of them prints, by one thread for each."""

    def __init__(self, images, initramfs, memory, folder, line):
        for path in folder.glob("*.net"):
            path.unlink()
        self.commands = {name: command(images, initramfs, memory, name, folder) for name in NAMES}
        self.line = line
        self.processes = {}
        self.readers = []

    def __enter__(self):
        for name, words in self.commands.items():
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT)
            self.processes[name] = process
            reader = threading.Thread(target=self.read, args=(name, process), daemon=True)
            reader.start()
            self.readers.append(reader)
        return self

    def read(self, name, process):
        for line in process.stdout:
            self.line(name, line.decode(errors="replace").rstrip("\r\n"))

    def wait(self, limit_seconds, has_finished, failed):
        """Until both ended. Says in words why not: one ended before has_finished(name), failed() has words, or the time is over."""
        until = time.monotonic() + limit_seconds
        while running := [reader for reader in self.readers if reader.is_alive()]:
            for name, reader in zip(NAMES, self.readers):
                if not reader.is_alive() and not has_finished(name):
                    return f"node {name} ended by itself"  # the other would wait for it
            if failed():
                return failed()
            if time.monotonic() > until:
                return f"the nodes still ran after {limit_seconds} s and were ended"
            running[0].join(LOOK_SECONDS)
        return "the machine ended by itself"

    def __exit__(self, *_):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for reader in self.readers:
            reader.join()
