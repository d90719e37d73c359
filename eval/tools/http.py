"""nginx with as many workers as processors, and wrk: requests a second.

settings: seconds, connections. Points: file_bytes, connection ("keep-alive", "close").
"""
import os
import re

from harness.processes import ProgramFailed, free_port

KINDS = {"tcp"}
NEEDS = {"nginx": "nginx", "wrk": "wrk"}
METRICS = {"requests", "cpu_per_request"}
RATE = re.compile(r"Requests/sec:\s+([0-9.]+)")
FAILED = re.compile(r"Socket errors: .*|Non-2xx.*")
FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def configuration(folder, address, port):
    paths = "".join(f"  {name}_temp_path {folder}/{name};\n" for name in FOLDERS)
    # Else its workers could not read the folder when root starts it.
    user = "user root;\n" if os.geteuid() == 0 else ""
    return (f"{user}daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/nginx-error.log;\nworker_processes auto;\n"
            "events { worker_connections 1024; }\n"
            f"http {{\n  access_log off;\n{paths}  keepalive_requests 1000000;\n"
            f"  server {{ listen {address}:{port}; root {folder}/www; }}\n}}\n")


def measure(bench, transport, point, settings):
    port, folder = free_port(), bench.folder
    (folder / "www").mkdir(exist_ok=True)
    name = f"file-{point['file_bytes']}"
    (folder / "www" / name).write_bytes(os.urandom(point["file_bytes"]))
    (folder / "nginx.conf").write_text(configuration(folder, transport.server_address, port), encoding="ascii")
    load = ["wrk", "-t", "1", "-c", str(settings["connections"]), "-d", f"{settings['seconds']}s"]
    if point.get("connection") == "close":
        load += ["-H", "Connection: close"]
    with bench.server(transport, ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], port):
        with bench.cost() as cost:
            said = bench.client(transport, [*load, f"http://{transport.server_address}:{port}/{name}"], settings["seconds"])
    found = RATE.search(said)
    if not found or FAILED.search(said):
        raise ProgramFailed(f"wrk: {FAILED.search(said).group() if found else 'no result'}")
    yield "requests", {}, float(found.group(1))
    yield "cpu_per_request", {}, cost.cpu_seconds / (float(found.group(1)) * settings["seconds"])
