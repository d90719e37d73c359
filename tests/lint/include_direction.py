#!/usr/bin/python3
"""Checks that each folder includes only what lies below it. The table is the project's layering."""
import re
import subprocess
import sys
from pathlib import Path

# folder -> folders it may include, besides itself. The longest matching folder decides what a file belongs to.
ALLOWED = {
    "vsock-transport": [],
    "hosts-map": ["vsock-transport/base"],
    "control/protocol": ["vsock-transport/base"],
    "guest-lib": ["vsock-transport", "control/protocol"],
    "control": ["vsock-transport", "control/protocol", "hosts-map"],
    "container-shim": ["vsock-transport", "control/protocol"],
    "rdma-bridge": ["vsock-transport", "control/protocol"],
    "eval": [],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def folder_of(path):
    inside = [folder for folder in ALLOWED if path.startswith(folder + "/")]
    return max(inside, key=len, default=None)


def violations(path):
    folder = folder_of(path)
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if folder is None or not match:
            continue
        target = match.group(1)
        if not Path(target).exists() and (Path(path).parent / target).exists():
            yield f"{path}:{number}: write {target} with its path from the root of the tree"
            continue
        allowed = [folder, *ALLOWED[folder]]
        # `control` may not be reached from inside control/protocol, though its name begins so.
        inside_allowed = any(target.startswith(name + "/") for name in allowed)
        if not inside_allowed:
            yield f"{path}:{number}: {folder} includes {target}; it may include only {', '.join(allowed)}"


def main():
    command = ["git", "ls-files", "-co", "--exclude-standard", "--", "*.cpp", "*.hpp", "*.h", "*.c", "*.def"]
    files = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    found = [v for path in files if path and Path(path).exists() for v in violations(path)]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
