"""What the machine is that figures were taken on."""
import os
import platform
import subprocess
import time
from pathlib import Path

IDLE_FIELDS = (3, 4)  # of proc(5)'s stat, behind the name: idle, and waiting for a device
LOOK_SECONDS = 1


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


def last_cache_bytes():
    """Of the first processor; 0 where the kernel does not say."""
    said = list(caches().values())[-1:]
    return int(said[0][:-1]) << 10 if said and said[0].endswith("K") else 0


def memory_bytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def hypervisor():
    """By the names that the kernel and the firmware show."""
    if kind := text_of("/sys/hypervisor/type"):
        return kind
    if "hypervisor" in text_of("/proc/cpuinfo"):
        return text_of("/sys/class/dmi/id/sys_vendor") or "one that does not say its name"
    return "none"


def processor_ticks():
    """(busy, all) of all processors since the machine began."""
    ticks = [int(word) for word in text_of("/proc/stat").split("\n", 1)[0].split()[1:9]]
    return sum(ticks) - sum(ticks[field] for field in IDLE_FIELDS), sum(ticks)


def busy_share():
    """Of all processors, from 0 to 1, over a short while."""
    before = processor_ticks()
    time.sleep(LOOK_SECONDS)
    busy, every = (now - then for now, then in zip(processor_ticks(), before))
    return busy / every if every else 0.0


def describe(programs):
    """Before anything is measured: load and busy share are what others do. programs: {name: command that prints its version}"""
    return {
        "processor": processor(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "caches": caches(),
        "memory_bytes": memory_bytes(),
        "kernel": platform.release(),
        "governor": text_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "none shown",
        "hypervisor": hypervisor(),
        "huge_pages": text_of("/sys/kernel/mm/transparent_hugepage/enabled") or "none",
        "load_average": list(os.getloadavg()),
        "busy_share": busy_share(),
        "programs": {name: first_line_of(command) for name, command in programs.items()},
    }
