"""A server of two processes that share a listener; clients are repeated.py's.

    workers.py serve WAY ADDRESS PORT_FILE      WAY: one_by_one: a worker ends with a connection before the next;
                                                epoll, poll: it waits for its listener and its connections at once
                                                The workers' process ids are the second line of PORT_FILE.
SIGTERM makes a worker close its listener, and nothing else.
"""
import contextlib
import os
import select
import signal
import socket
import sys

from repeated import talk


class Waiter:
    """poll or epoll."""

    def __init__(self, way):
        self._waiter = select.epoll() if way == "epoll" else select.poll()

    def add(self, file):
        self._waiter.register(file, select.POLLIN)

    def remove(self, file):
        self._waiter.unregister(file)

    def ready(self):
        return [fd for fd, _ in self._waiter.poll()]


def accept(listener):
    """None: the other worker was faster."""
    with contextlib.suppress(BlockingIOError):
        connection, _ = listener.accept()
        connection.setblocking(True)
        return connection
    return None


def close_on_sigterm(listener, waiter):
    def close(*_):
        waiter.remove(listener)
        listener.close()

    signal.signal(signal.SIGTERM, close)


def work(way, listener, parent):
    waiter = Waiter(way)
    waiter.add(listener)
    waiter.add(parent)
    close_on_sigterm(listener, waiter)
    number = listener.fileno()
    connections = {}
    while True:
        for fd in waiter.ready():
            if fd == parent:
                os._exit(0)
            connection = connections.pop(fd, None)
            if connection is not None:
                waiter.remove(connection)
            elif fd == number == listener.fileno():
                connection = accept(listener)
                if connection is not None and way != "one_by_one":
                    connections[connection.fileno()] = connection
                    waiter.add(connection)
                    continue
            if connection is not None:
                with contextlib.suppress(OSError, AssertionError), connection:
                    talk(connection)


def serve(way, address, port_file):
    listener = socket.create_server((address, 0))
    listener.setblocking(False)
    ends_with_parent, held = os.pipe()
    workers = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            os.close(held)
            work(way, listener, ends_with_parent)
        workers.append(child)
    with open(port_file + "~", "w", encoding="ascii") as file:
        print(listener.getsockname()[1], file=file)
        print(*workers, file=file)
    os.rename(port_file + "~", port_file)
    listener.close()
    signal.pause()


if __name__ == "__main__":
    serve(*sys.argv[2:])
