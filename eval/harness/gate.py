"""A FIFO at which programs wait for each other, so that they begin together."""
import os
from contextlib import contextmanager


class Gate:
    """Who opens it for reading waits until it is open, and reads its end when it is closed again."""

    def __init__(self, path):
        self.path = path

    @contextmanager
    def open(self):
        opened = os.open(self.path, os.O_RDWR)
        try:
            yield
        finally:
            os.close(opened)


@contextmanager
def gate_at(path):
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    try:
        yield Gate(path)
    finally:
        path.unlink(missing_ok=True)
