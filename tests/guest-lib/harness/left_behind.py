"""Programs whose agent is killed, and their peers. Each side first sends a byte and gets one, so that the connection has
been used, and then says "ready".

    left_behind.py serve|call ADDRESS PORT_FILE DEED

DEED: wait      says how its connection ended: "end" or an errno's name, after what it got
      sleep     makes no call on its connection, ever
      doze      sleeps for eight seconds, sends "awake", and then does as `wait`
      answer    sends back what it gets, and says how its connection ended
      inherit   as `sleep`, and so does a child that it forked; says the child's process id
      listen    (serve) never accepts
      queued    (call) as `wait`, but nobody accepts it
      hold N    (call) N connections, and then `sleep`
      count N   (serve) N connections, of several callers; says after each end how many ended by now, and of which
                callers (the byte that they sent): "ended 2 of a"
"""
import errno
import os
import select
import signal
import socket
import sys
import time
from collections import Counter

NAP_SECONDS = 8


def say(*words):
    print(*words, flush=True)


def listener_at(address, port_file):
    listener = socket.create_server((address, 0), backlog=512)
    with open(port_file + "~", "w", encoding="ascii") as file:
        print(listener.getsockname()[1], file=file)
    os.rename(port_file + "~", port_file)
    return listener


def connect(address, port_file, byte):
    while not os.path.exists(port_file):
        time.sleep(0.02)
    with open(port_file, encoding="ascii") as file:
        caller = socket.create_connection((address, int(file.readline())))
    caller.sendall(byte)
    return caller


def end_of(connection, answer=lambda data: None):
    got = b""
    try:
        while data := connection.recv(100):
            got += data
            answer(data)
    except OSError as error:
        return got.decode() + errno.errorcode[error.errno]
    return got.decode() + "end"


def act(connection, deed):
    if deed == "inherit":
        child = os.fork()
        if child == 0:
            signal.pause()
        say(child)
    say("ready")
    if deed == "doze":
        time.sleep(NAP_SECONDS)
        connection.sendall(b"awake")
    if deed in ("doze", "wait"):
        say(end_of(connection))
    elif deed == "answer":
        say(end_of(connection, connection.sendall))
    else:
        signal.pause()


def count_ends(listener, number):
    poll = select.poll()
    callers = {}
    for _ in range(number):
        connection, _ = listener.accept()
        callers[connection.fileno()] = connection, connection.recv(1).decode()
        connection.sendall(b"x")
        poll.register(connection, select.POLLIN)
    say("ready")
    ended = Counter()
    while callers:
        for fd, _ in poll.poll():
            poll.unregister(fd)
            connection, caller = callers.pop(fd)
            end_of(connection)
            connection.close()
            ended[caller] += 1
            say("ended", *(f"{count} of {name}" for name, count in sorted(ended.items())))


def serve(address, port_file, deed, number="1"):
    listener = listener_at(address, port_file)
    if deed == "listen":
        signal.pause()
    if deed == "count":
        count_ends(listener, int(number))
        return
    connection, _ = listener.accept()
    listener.close()
    connection.recv(1)
    connection.sendall(b"x")
    act(connection, deed)


def call(address, port_file, deed, number="1", name="a"):
    callers = [connect(address, port_file, name.encode()) for _ in range(int(number))]
    if deed == "queued":
        act(callers[0], "wait")
        return
    for caller in callers:
        caller.recv(1)
    act(callers[0], deed)


if __name__ == "__main__":
    {"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])
