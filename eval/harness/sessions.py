"""What runs in a session, by proc(5): each program that is measured leads one, so these are it and all that it has started."""
import os
from collections import namedtuple
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
DEAD = ("Z", "X")  # it waits for its parent to ask after it
Process = namedtuple("Process", "pid session state seconds")


def process(folder):
    """None: it is gone. seconds: of the processors, its ended children's included."""
    try:
        text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return Process(int(folder.name), int(fields[3]), fields[0], sum(map(int, fields[11:15])) / TICKS_A_SECOND)


def members(session):
    found = (process(folder) for folder in Path("/proc").glob("[0-9]*"))
    return [one for one in found if one is not None and one.session == session]


def is_alive(session):
    return any(one.state not in DEAD for one in members(session))


def cpu_seconds(session):
    return sum(one.seconds for one in members(session))
