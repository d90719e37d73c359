"""A server that leaves its connection to a child, as servers do that fork for each of them, and its caller. Both go on
when a file of the step's name is in the directory, and say what they did.

    forking.py serve|call ADDRESS DIRECTORY

serve: listens; `accept`; `fork`; `close`: the parent closes its descriptor. The child sends back all that it gets up to a
       newline, and closes. The parent then ends at `quit`.
call:  connects; `talk`: sends a line and says whether it came back and what came after it ("end" or an errno's name).
"""
import errno
import os
import socket
import sys
import time

LINE = bytes(range(1, 10)) * 20_000 + b"\n"


def say(*words):
    print(*words, flush=True)


def wait_for(step):
    while not os.path.exists(step):
        time.sleep(0.01)


def give_back(connection):
    data = b""
    while not data.endswith(b"\n"):
        data = connection.recv(1 << 16)
        if not data:
            break
        connection.sendall(data)
    connection.close()


def serve(address):
    listener = socket.create_server((address, 0))
    with open("port~", "w", encoding="ascii") as file:
        print(listener.getsockname()[1], file=file)
    os.rename("port~", "port")
    wait_for("accept")
    connection, _ = listener.accept()
    say("accepted")
    wait_for("fork")
    child = os.fork()
    if child == 0:
        listener.close()
        give_back(connection)
        return
    say("forked")
    wait_for("close")
    connection.close()
    say("closed")
    wait_for("quit")
    os.waitpid(child, 0)


def call(address):
    wait_for("port")
    with open("port", encoding="ascii") as file:
        caller = socket.create_connection((address, int(file.readline())))
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, (30).to_bytes(8, "little") + bytes(8))
    say("connected")
    wait_for("talk")
    got = b""
    try:
        caller.sendall(LINE)
        while data := caller.recv(1 << 16):
            got += data
        what = "end"
    except OSError as error:
        what = errno.errorcode[error.errno]
    say("all" if got == LINE else f"{len(got)} bytes", what)


os.chdir(sys.argv[3])
{"serve": serve, "call": call}[sys.argv[1]](sys.argv[2])
