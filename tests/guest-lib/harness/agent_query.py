#!/usr/bin/python3
"""Asks an agent for a report (control/README.md) and prints it, or one value of it.

    agent_query.py DOMAIN sockets|statistics|map|health [EXPRESSION]

EXPRESSION is Python with `report` as the answer: `len(report["sockets"])`. Exit code 1: no agent answers.
The agent is found as a program finds it, in XYLEM_RUNTIME_DIR.
"""
import array
import json
import mmap
import os
import re
import socket
import struct
import sys
from pathlib import Path

HEADER = Path(__file__).resolve().parents[3] / "control" / "protocol" / "message_header.h"
MAGIC = 0x53535958
VERSION = int(re.search(r"kProtocolVersion = (\d+)", HEADER.read_text(encoding="ascii"))[1])
HELLO, QUERY, WELCOME, REPORT = 1, 13, 64, 70
KINDS = {"sockets": 1, "statistics": 2, "map": 3, "health": 4}
PATIENCE_SECONDS = 10


def message(kind, request, body):
    return struct.pack("=IHHII", MAGIC, VERSION, kind, 16 + len(body), request) + body


def answer(session, wanted):
    data, fds = b"", array.array("i")
    while True:
        data, ancillary, _, _ = session.recvmsg(512, socket.CMSG_SPACE(3 * 4))
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(content[: len(content) // 4 * 4])
        if not data:
            raise OSError("the agent hung up")
        kind = struct.unpack_from("=IHHII", data)[2]
        if kind != wanted:
            raise OSError(f"message {kind} instead of {wanted}")
        return data, fds


def ask(domain, kind):
    path = f"{os.environ['XYLEM_RUNTIME_DIR']}/dom-{domain}/door/agent.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as session:
        session.settimeout(PATIENCE_SECONDS)
        session.connect(path)
        session.send(message(HELLO, 1, struct.pack("=QII64s", 0, 0, 1, b"agent_query")))
        for fd in answer(session, WELCOME)[1]:
            os.close(fd)
        session.send(message(QUERY, 2, struct.pack("=II", KINDS[kind], 0) + bytes(32)))
        data, fds = answer(session, REPORT)
        size = struct.unpack_from("=Q", data, 16)[0]
        with mmap.mmap(fds[0], size, prot=mmap.PROT_READ) as text:
            return json.loads(text[:size])


def main():
    try:
        report = ask(sys.argv[1], sys.argv[2])
    except OSError as error:
        sys.exit(f"domain {sys.argv[1]}: {error}")
    if len(sys.argv) > 3:
        print(eval(sys.argv[3], {"report": report}))
    else:
        json.dump(report, sys.stdout, indent=1)
        print()


if __name__ == "__main__":
    main()
