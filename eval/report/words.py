"""How a report says things: names of transports and of what varies, sizes, ratios."""
TRANSPORTS = {"tcp": "TCP loopback", "unix": "AF_UNIX", "vsock": "AF_VSOCK loopback", "pipe": "pipes", "ring": "bare ring",
              "xylem": "Xylem", "machine": "this machine", "netfront": "netfront", "vchan": "libxenvchan", "rsocket": "rsocket",
              "device": "the device alone"}
KEYS = {"bytes": "message", "length_bytes": "length", "ring_bytes": "ring", "file_bytes": "file", "gap_us": "pause",
        "spin_us": "spin", "target_gbyte_per_s": "target", "busy_per_core": "busy per processor"}
UNITS = {"gap_us": "us", "spin_us": "us", "target_gbyte_per_s": "GB/s"}
SIZES = {"bytes", "length_bytes", "ring_bytes", "file_bytes"}


def transport(name):
    return TRANSPORTS.get(name, name)


def label(name):
    return KEYS.get(name, name.replace("_", " "))


def key(name):
    """Of an axis or a column."""
    return f"{label(name)}, {UNITS[name]}" if name in UNITS else label(name)


def size(count):
    for factor, unit in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= factor:
            return f"{count / factor:g} {unit}"
    return f"{count:g} B"


def value(name, one):
    return size(one) if name in SIZES else f"{one:g}" if isinstance(one, (int, float)) else str(one)


def named(name, one):
    """A word says by itself what it is; a number does not."""
    if isinstance(one, str):
        return f"{label(name)} {one}" if name in UNITS else one
    return f"{label(name)} {value(name, one)} {UNITS.get(name, '')}".rstrip()


def ratio(times):
    """How many times better; below 1: worse."""
    if times is None:
        return ""
    return f"{times:.0f}" if times >= 100 else f"{times:.3g}"
