"""Connections that wait in an accept queue.

    queued.py serve ADDRESS PORT_FILE GO_FILE COUNT     listens; accepts and answers when GO_FILE is there
    queued.py call ADDRESS PORT_FILE COUNT              makes all, says `connected`, then how many answers are right
"""
import contextlib
import os
import socket
import sys
import time

from repeated import name_in

BYTES = 100000


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.02)


def serve(address, port_file, go_file, count):
    listener = socket.create_server((address, 0))
    with open(port_file + "~", "w", encoding="ascii") as file:
        print(listener.getsockname()[1], file=file)
    os.rename(port_file + "~", port_file)
    wait_for(go_file)
    for _ in range(int(count)):
        connection, peer = listener.accept()
        with connection:
            data = connection.recv(BYTES, socket.MSG_WAITALL)
            connection.sendall(b"%5d%6d" % (peer[1], len(data)))
            assert connection.recv(1) == b""


def call(address, port_file, count):
    name = name_in(address, port_file)
    connections = [socket.create_connection(name) for _ in range(int(count))]
    for connection in connections:
        connection.sendall(b"x" * BYTES)
    print("connected", flush=True)
    right = 0
    for connection in connections:
        with connection, contextlib.suppress(ConnectionResetError):
            answer = connection.recv(11, socket.MSG_WAITALL)
            right += answer == b"%5d%6d" % (connection.getsockname()[1], BYTES)
    print(right)


if __name__ == "__main__":
    {"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])
