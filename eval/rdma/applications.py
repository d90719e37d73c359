#!/usr/bin/python3
"""Table of `make bench-rdma-apps`: applications.py FOLDER

FOLDER holds node-b.log (lines of eval/rdma/applications/side_by_side). Exit code 1: figures are missing, or bytes went elsewhere
than they should have. A ratio never fails.
"""
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from eval import lines as logs  # noqa: E402  (it lies two folders above)
from eval.rdma.emulation import WHY_TIMES_SAY_LITTLE  # noqa: E402

TRANSPORTS = ("tcp", "xylem")
# What is measured of applications: what it is, and what the device alone may be held against it.
TITLES = {
    ("throughput", "iperf3_1"): ("iperf3, one stream", 1 << 20),
    ("throughput", "iperf3_4"): ("iperf3, four streams", 1 << 20),
    ("latency", "netpipe_64"): ("NetPIPE, 64 B there and back", 64),
    ("throughput", "netpipe_65536"): ("NetPIPE, 64 KiB one way", 65536),
    ("rate", "redis_1"): ("redis-benchmark, 1 client", None),
    ("rate", "redis_20"): ("redis-benchmark, 20 clients, pipelines of 16", None),
    ("latency", "curl_small"): ("curl, 1 KB from nginx, one connection", 64),
    ("latency", "curl_connect"): ("curl, 1 KB from nginx, a connection each", 64),
    ("throughput", "curl_large"): ("curl, 4 MB from nginx", 1 << 20),
}
DEVICE = {("latency", 64): "ib_write_lat, 64 B there and back", ("throughput", 65536): "ib_write_bw, 64 KiB",
          ("throughput", 1 << 20): "ib_write_bw, 1 MiB"}
PACKET_BYTES = 4096  # the most that one of the device carries


def missing(figures):
    return [TITLES[key][0] for key in TITLES if any(not figures[key][name] for name in TRANSPORTS)] + \
        [DEVICE[key] for key in DEVICE if not figures[key]["device"]]


def table(figures):
    yield f"{'':46}{'TCP':>12}{'Xylem':>12}  times TCP  ahead   of the device alone"
    for key, (title, size) in TITLES.items():
        workload = key[0]
        medians = logs.medians_of(figures[key], TRANSPORTS)
        cells = "".join(f"{logs.value_text(workload, medians[name]):>12}" for name in TRANSPORTS)
        ratio = logs.times_better(workload, medians["xylem"], medians["tcp"])
        beside = ""
        if size is not None:
            device = logs.medians_of(figures[workload, size], ("device",))["device"]
            beside = f"{logs.times_better(workload, medians['xylem'], device):10.2f}"
        yield f"{title:<46}{cells}{ratio:11.2f}  {logs.aim_text(ratio >= 1):<8}{beside}".rstrip()
    for key, title in DEVICE.items():
        yield f"{title:<46}{'':12}{logs.value_text(key[0], logs.medians_of(figures[key], ('device',))['device']):>12}   the device alone"


def read_paths(lines):
    """{(transport, name): [bytes of the application, bytes of rings, packets, messages]}, sums of all rounds."""
    paths = defaultdict(lambda: [0, 0, 0, 0])
    for words in map(str.split, lines):
        if len(words) == 7 and words[0] == "path":
            paths[words[1], words[2]] = [before + int(now) for before, now in zip(paths[words[1], words[2]], words[3:])]
    return paths


def path_table(paths):
    yield f"{'':24}{'application':>14}{'rings':>14}{'of the device: packets':>24}{'messages':>10}"
    for (transport, name), (moved, rings, packets, messages) in paths.items():
        yield f"{transport:<8}{name:<16}{moved / 1e6:11.2f} MB{rings / 1e6:11.2f} MB{packets:24}{messages:10}"


def wrong_paths(paths):
    """Over Xylem both rings and device moved what the application did, over TCP neither."""
    for (transport, name), (moved, rings, packets, _) in paths.items():
        if transport == "xylem" and (rings < moved or packets * PACKET_BYTES < moved):
            yield f"{name} over Xylem: the application moved {moved} bytes, rings {rings}, the device {packets} packets"
        if transport == "tcp" and (rings > moved / 2 or packets * PACKET_BYTES > moved):
            yield f"{name} over TCP: the application moved {moved} bytes, rings {rings}, the device {packets} packets"


def main():
    lines = (Path(sys.argv[1]) / "node-b.log").read_text(encoding="utf-8", errors="replace").splitlines()
    figures, paths = logs.read_figures(lines), read_paths(lines)
    if lacking := missing(figures):
        print(f"figures are missing: {lacking}", file=sys.stderr)
        return 1
    applications = {key: figures[key] for key in TITLES}
    print(f"Applications between two emulated machines, medians of {logs.rounds_of(applications, TRANSPORTS)} rounds in turn.\n")
    print("\n".join(table(figures)))
    print(f"\n{WHY_TIMES_SAY_LITTLE}\n\nWhat carried them, as the asking node's agent and device count, all rounds together:\n")
    print("\n".join(path_table(paths)))
    wrong = list(wrong_paths(paths))
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
