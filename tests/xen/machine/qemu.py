"""One emulated machine with Xen on it. QEMU lives as long as the `with` block, whatever happens in there."""
import subprocess

# What does not survive emulation is off: with SMAP dom0 crashes at its first iret, AVX and rdtscp kill PVH guests. Fast
# string operations are none in an emulator, which does them byte by byte. SVM and nested paging are what PVH guests run
# on; of the larger model's further features of a host one loses them now and then, of the plain model's none does.
PROCESSOR_OF_PV = "max,-smap,-smep,-pku,-la57,-umip,-rdtscp,-avx,-avx2,-xsave,-erms,-fsrm"
PROCESSOR_OF_PVH = "qemu64,+pdpe1gb,+svm,+npt,+nrip-save,-rdtscp"
HYPERVISOR_OPTIONS = ("dom0_mem={dom0}M,max:{dom0}M com1=115200 console=com1 dom0_max_vcpus=1 sched=credit "
                      "spec-ctrl=no xpti=no conring_size=4M")
# Commas divide what -initrd names, so there must be none in here.
DOM0_OPTIONS = "console=hvc0 mitigations=off loglevel=4"
END_SECONDS = 5


def command(images, initramfs, memory, kinds, serials):
    """`kinds` of its guests; `serials`: QEMU's names for the machine's two serial ports, the console and the report."""
    processor = PROCESSOR_OF_PVH if "pvh" in kinds else PROCESSOR_OF_PV
    ports = [word for serial in serials for word in ("-serial", serial)]
    return [
        # The machine must not outlive its runner, even if that is killed.
        "setpriv", "--pdeathsig", "KILL",
        "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", processor, "-smp", "2",
        "-m", str(memory), "-nodefaults", "-nographic", "-no-reboot", "-net", "none",
        "-kernel", str(images / "xen"), "-append", HYPERVISOR_OPTIONS.format(dom0=1024),
        "-initrd", f"{images / 'vmlinuz'} {DOM0_OPTIONS},{initramfs}", *ports]


class Machine:
    """A machine whose console goes to a file, and whose report is `lines`."""

    def __init__(self, images, initramfs, memory, kinds, console):
        self.command = command(images, initramfs, memory, kinds, [f"file:{console}", "stdio"])

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
