"""Servers and callers of tests/guest-lib/lost_kicks.sh: what they see is said in one word a line.

  lost_kicks.py watch ADDRESS PORT       a server that waits for the bytes of one connection with epoll, level-triggered
  lost_kicks.py late ADDRESS PORT GO     its caller: sends once the file GO is there
  lost_kicks.py serve ADDRESS PORT       a server that answers one message a connection
  lost_kicks.py call ADDRESS PORT [GO]   calls it once, and again when the file GO is there
  lost_kicks.py anew ADDRESS PORT        a caller that disconnects, and connects again, while another thread sleeps in recv()
"""
import contextlib
import ctypes
import os
import select
import socket
import sys
import threading
import time

PATIENCE_SECONDS = 25


def say(word):
    print(word, flush=True)


def listener_at(place):
    listener = socket.socket()
    listener.bind(place)
    listener.listen()
    say("listens")
    return listener


def watch(place):
    connection, _ = listener_at(place).accept()
    connection.setblocking(False)
    with select.epoll() as watched:
        watched.register(connection, select.EPOLLIN)
        say("watches")
        say("told" if watched.poll(PATIENCE_SECONDS) else "not told")


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.01)


def late(place, go):
    with socket.create_connection(place) as connection:
        wait_for(go)
        connection.sendall(b"x")
        say("sent")
        connection.recv(1)


def serve(place):
    listener = listener_at(place)
    while True:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):  # some callers give up
            connection.sendall(connection.recv(1))
            connection.recv(1)


def call_once(place):
    with socket.create_connection(place) as connection:
        connection.settimeout(PATIENCE_SECONDS)
        connection.sendall(b"x")
        say("answered" if connection.recv(1) == b"x" else "ended")


def call(place, go=None):
    call_once(place)
    if go is not None:
        wait_for(go)
        call_once(place)


def anew(place):
    connection = socket.create_connection(place)

    def read():
        with contextlib.suppress(OSError):
            connection.recv(1)

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(0.2)
    libc = ctypes.CDLL(None, use_errno=True)
    unspecified = bytes(16)
    if libc.connect(connection.fileno(), unspecified, len(unspecified)) != 0:
        say("not disconnected")
    connection.connect(place)
    connection.sendall(b"x")
    say("answered" if connection.recv(1) == b"x" else "ended")
    reader.join()


if __name__ == "__main__":
    role, address, port, *rest = sys.argv[1:]
    {"watch": watch, "late": late, "serve": serve, "call": call, "anew": anew}[role]((address, int(port)), *rest)
