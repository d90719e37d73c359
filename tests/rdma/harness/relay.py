#!/usr/bin/python3
"""The network between two nodes: relay.py LISTEN FROM TO PORT carries TCP connections made to LISTEN on to TO, which sees
them come from FROM.

SIGUSR1 cuts all of them: resets on both sides, and what was under way is lost. SIGUSR2 does, too, and refuses new ones
until the next SIGUSR1.
"""
import select
import signal
import socket
import struct
import sys

PIECE_BYTES = 64 << 10
UNDER_WAY_BYTES = 256 << 10


class Relay:
    def __init__(self, listen, source, target, port):
        self.source, self.target, self.port = source, target, port
        self.listener = socket.create_server((listen, port), backlog=64)
        self.is_open = True
        self.other = {}    # the socket at the far end of the same connection
        self.pending = {}  # what a socket has still to be sent

    def cut(self, is_open):
        self.is_open = is_open
        while self.other:
            self.close(next(iter(self.other)))

    def close(self, end):
        for each in (end, self.other[end]):
            # A reset.
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            each.close()
            del self.other[each], self.pending[each]

    def accept(self):
        near, _ = self.listener.accept()
        if not self.is_open:
            near.close()
            return
        try:
            far = socket.create_connection((self.target, self.port), source_address=(self.source, 0))
        except OSError:
            near.close()
            return
        self.other |= {near: far, far: near}
        for end in (near, far):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a network does not wait for more
            self.pending[end] = b""

    def read(self, end):
        piece = end.recv(PIECE_BYTES)
        if not piece:
            raise ConnectionError("closed")
        self.pending[self.other[end]] += piece

    def write(self, end):
        self.pending[end] = self.pending[end][end.send(self.pending[end]):]

    def turn(self, wake_up):
        readers = [end for end in self.other if len(self.pending[self.other[end]]) < UNDER_WAY_BYTES]
        writers = [end for end in self.other if self.pending[end]]
        readable, writable, _ = select.select([self.listener, wake_up, *readers], writers, [])
        if wake_up in readable:
            return wake_up.recv(1)[0]
        if self.listener in readable:
            self.accept()
        for ends, act in ((writable, self.write), (readable, self.read)):
            for end in ends:
                try:
                    if end in self.other:
                        act(end)
                except OSError:
                    self.close(end)
        return 0


def main():
    relay = Relay(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
    wake_up, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda *_: None)
    print("ready", flush=True)
    while True:
        number = relay.turn(wake_up)
        if number:
            relay.cut(is_open=number == signal.SIGUSR1)


if __name__ == "__main__":
    main()
