"""The Xylem that is measured: what it is at the start it has to be to the end, or figures would be of two."""
import hashlib

PARTS = ("xylem", "xylemd", "libxylem.so")


class Changed(Exception):
    """The text says what was built anew."""


class Products:
    def __init__(self, build):
        self.paths = [build / part for part in PARTS]
        for path in self.paths:
            if not path.exists():
                raise FileNotFoundError(f"{path} is not there: build it first (make)")
        self.seen = self.look()

    def digest(self):
        """Of all of them, for the report."""
        found = hashlib.sha256()
        for path in self.paths:
            found.update(path.read_bytes())
        return found.hexdigest()[:16]

    def look(self):
        """{path: what changes with each build}"""
        states = ((path, path.stat()) for path in self.paths)
        return {path: (state.st_ino, state.st_mtime_ns, state.st_size) for path, state in states}

    def check(self):
        now = self.look()
        if changed := [str(path) for path in self.paths if now[path] != self.seen[path]]:
            raise Changed(f"{', '.join(changed)} changed meanwhile: what comes now would be figures of another Xylem")
