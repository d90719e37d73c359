"""The memory that processes and their sockets hold, as far as the kernel tells."""
from pathlib import Path

# Caches of slabinfo(5) that an open connection has objects in, over TCP or over Xylem; the kernel merges none of them with
# others. Their objects count in whole slabs of a processor, tens of KiB: many connections have to be looked at together.
CACHES = {"TCP", "sock_inode_cache", "filp", "eventpoll_epi", "skbuff_head_cache", "skbuff_small_head", "shmem_inode_cache",
          "vm_area_struct"}


def of(pids):
    """What they have mapped, shared pages once, the tables of those pages, and the kernel's objects, all other processes' too."""
    return sum(bytes_in(f"/proc/{pid}/smaps_rollup", "Pss") + bytes_in(f"/proc/{pid}/status", "VmPTE") for pid in pids) \
        + kernel_bytes()


def kernel_bytes(slabinfo=Path("/proc/slabinfo")):
    """Of those caches; of all where they may not be read."""
    try:
        rows = [line.split() for line in slabinfo.read_text(encoding="ascii").splitlines()]
    except OSError:
        return bytes_in("/proc/meminfo", "Slab")
    return sum(int(row[1]) * int(row[3]) for row in rows if row[0] in CACHES)


def bytes_in(path, name):
    """The value of a line `NAME: N kB` of a file of proc(5); 0 where there is none."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))
