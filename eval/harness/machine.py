"""What the machine is that figures were taken on."""
import os
import platform
import subprocess
from pathlib import Path


def text_of(path):
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def first_line_of(command):
    try:
        answer = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, check=False)
    except OSError:
        return "not here"
    return (answer.stdout.splitlines() or ["unknown"])[0]


def processor():
    for line in text_of("/proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def caches():
    """{"L1 Data": "32K", ...} of the first processor."""
    found = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind = text_of(folder / "type")
        name = f"L{text_of(folder / 'level')}" + (f" {kind}" if kind != "Unified" else "")
        found[name] = text_of(folder / "size")
    return found


def hypervisor():
    """By the names that the kernel and the firmware show."""
    if kind := text_of("/sys/hypervisor/type"):
        return kind
    if "hypervisor" in text_of("/proc/cpuinfo"):
        return text_of("/sys/class/dmi/id/sys_vendor") or "one that does not say its name"
    return "none"


def describe(programs):
    """programs: {name: command that prints its version}"""
    return {
        "processor": processor(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "caches": caches(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "governor": text_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "none shown",
        "hypervisor": hypervisor(),
        "huge_pages": text_of("/sys/kernel/mm/transparent_hugepage/enabled") or "none",
        "load_average": list(os.getloadavg()),
        "programs": {name: first_line_of(command) for name, command in programs.items()},
    }
