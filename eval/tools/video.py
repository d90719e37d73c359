"""ffmpeg sends a video that it has made to another ffmpeg over a TCP socket: frames a second, and processor time.

The time is that from the sender's start to the receiver's end. settings: frames (as fast as it goes), live_frames (at their
pace), size ("1280x720"), frames_per_second. Points: codec ("rawvideo", "mpeg4"), pace ("free", "live").
A live stream cannot be faster than its pace: there processor time is the figure.
"""
import re

from harness.processes import ProgramFailed, free_port

KINDS = {"tcp"}
NEEDS = {"ffmpeg": "ffmpeg"}
METRICS = {"frames", "cpu"}
FRAMES = re.compile(r"frame=\s*(\d+)")
MOST_SECONDS = 60


def measure(bench, transport, point, settings):
    port, live = free_port(), point["pace"] == "live"
    wanted = settings["live_frames" if live else "frames"]
    place = f"tcp://{transport.server_address}:{port}"
    quiet = ["ffmpeg", "-hide_banner", "-nostdin", "-y", "-loglevel", "info"]
    receiver = [*quiet, "-f", "nut", "-i", f"{place}?listen=1", "-f", "null", "-"]
    source = f"testsrc2=size={settings['size']}:rate={settings['frames_per_second']}"
    sender = [*quiet, *(["-re"] if live else []), "-f", "lavfi", "-i", source, "-frames:v", str(wanted), "-pix_fmt", "yuv420p",
              "-c:v", point["codec"], "-f", "nut", place]
    with bench.server(transport, receiver, port) as server:
        with bench.cost() as cost:
            bench.client(transport, sender, MOST_SECONDS)
            got = bench.finish(server, "ffmpeg", bench.log("server"))
    frames = [int(count) for count in FRAMES.findall(got)]
    if not frames or frames[-1] < wanted - 1:
        raise ProgramFailed(f"{frames[-1] if frames else 0} of {wanted} frames arrived")
    if live:
        yield "cpu", {}, cost.cpu_seconds / cost.seconds
    else:
        yield "frames", {}, frames[-1] / cost.seconds
