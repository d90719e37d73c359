"""A server and a client that connect again and again, one after the other: the ways in which a server may wait.

    repeated.py serve WAY ADDRESS PORT_FILE     WAY: accept, select, poll, epoll, edge, oneshot, nested, threads;
                                                forks: has a child now and then; spawns: another program answers;
                                                patient: does not mind callers that die
    repeated.py answer                          that other program
    repeated.py call ADDRESS PORT_FILE COUNT [GO_FILE]
                                                prints how many answers were right; with GO_FILE says `half` in the
                                                middle and goes on when that file is there
    repeated.py become ADDRESS PORT_FILE        calls a few times, and once more as the program that it becomes
"""
import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time


def talk(connection):
    """Eight bytes there, the caller's port and they back, and the end."""
    data = connection.recv(8, socket.MSG_WAITALL)
    connection.sendall(b"%05d" % connection.getpeername()[1] + data)
    assert connection.recv(1) == b""


def answer(listener):
    connection, peer = listener.accept()
    with connection:
        assert connection.getpeername() == peer
        talk(connection)


def answer_patiently(listener):
    with contextlib.suppress(OSError, AssertionError):
        answer(listener)


def fork_and_answer(listener):
    answer(listener)
    child = os.fork()
    if child == 0:
        os._exit(0)
    answer(listener)
    os.waitpid(child, 0)


def spawn_answer(listener):
    for _ in range(3):
        answer(listener)
    connection, _ = listener.accept()
    with connection:
        subprocess.run([sys.executable, __file__, "answer"], stdin=connection, check=True)


def wait_by_select(listener):
    def wait():
        select.select([listener], [], [])

    return wait


def wait_by_poll(listener):
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return poll.poll


def wait_by_epoll(flags, listener):
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN | flags)

    def wait():
        assert epoll.poll() == [(listener.fileno(), select.EPOLLIN)]
        if flags & select.EPOLLONESHOT:
            epoll.modify(listener, select.EPOLLIN | flags)

    return wait


def wait_nested(listener):
    inner, outer = select.epoll(), select.epoll()
    inner.register(listener, select.EPOLLIN)
    outer.register(inner, select.EPOLLIN)

    def wait():
        outer.poll()
        inner.poll()

    return wait


WAYS = {
    "select": wait_by_select,
    "poll": wait_by_poll,
    "epoll": lambda listener: wait_by_epoll(0, listener),
    "edge": lambda listener: wait_by_epoll(select.EPOLLET, listener),
    "oneshot": lambda listener: wait_by_epoll(select.EPOLLONESHOT, listener),
    "nested": wait_nested,
}


def serve(way, address, port_file):
    listener = socket.create_server((address, 0))
    with open(port_file + "~", "w", encoding="ascii") as file:
        print(listener.getsockname()[1], file=file)
    os.rename(port_file + "~", port_file)
    alone = {"accept": answer, "patient": answer_patiently, "forks": fork_and_answer, "spawns": spawn_answer}
    while way in alone:
        alone[way](listener)
    if way == "threads":
        def work():
            while True:
                answer(listener)

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    wait = WAYS[way](listener)
    while True:
        wait()
        answer(listener)


def name_in(address, port_file):
    while not os.path.exists(port_file):
        time.sleep(0.02)
    with open(port_file, encoding="ascii") as file:
        return address, int(file.readline())


def ask(connection, number):
    """Whether the answer is right."""
    sent = b"%08d" % number
    connection.sendall(sent)
    got = connection.recv(13, socket.MSG_WAITALL)
    return got == b"%05d" % connection.getsockname()[1] + sent


def call(address, port_file, count, go_file=None):
    name = name_in(address, port_file)
    right = 0
    for i in range(count):
        if go_file is not None and i == count // 2:
            print("half", flush=True)
            while not os.path.exists(go_file):
                time.sleep(0.02)
        with socket.create_connection(name) as connection:
            right += ask(connection, i)
    print(right)


def become(address, port_file):
    name = name_in(address, port_file)
    for i in range(20):
        with socket.create_connection(name) as connection:
            assert ask(connection, i)
        time.sleep(0.01)
    connection = socket.create_connection(name)
    connection.set_inheritable(True)
    os.dup2(connection.fileno(), 0)
    os.execv(sys.executable, [sys.executable, __file__, "became"])


def main(what, *words):
    if what == "serve":
        serve(*words)
    elif what == "call":
        call(words[0], words[1], int(words[2]), *words[3:])
    elif what == "become":
        become(*words)
    elif what == "became":
        print(int(ask(socket.socket(fileno=0), 7)))
    else:
        talk(socket.socket(fileno=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
