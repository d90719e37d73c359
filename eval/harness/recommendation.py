"""The ring size for this machine, from the figures of the experiment `ring_size`, and why it is not the same everywhere."""
from harness.results import OURS

EXPERIMENT = "ring_size"
NEARLY = 0.95  # of the best throughput: the smallest ring that has so much
YASMIN_BYTES = 512 << 10  # YASMIN's optimum on the machine of its paper


def throughput_by_size(figures):
    """{ring size: the least of all message sizes, as a part of the best ring's}"""
    found = {}
    for figure in figures:
        if figure["experiment"] == EXPERIMENT and figure["metric"] == "throughput" and OURS in figure["transports"]:
            by_ring = found.setdefault(figure["point"]["bytes"], {})
            by_ring[figure["point"]["ring_bytes"]] = figure["transports"][OURS]["median"]
    parts = {}
    for by_ring in found.values():
        best = max(by_ring.values())
        for ring_bytes, median in by_ring.items():
            parts.setdefault(ring_bytes, []).append(median / best if best else 0)
    return {ring_bytes: min(values) for ring_bytes, values in parts.items()}


def recommend(figures, caches):
    """{"ring_bytes", "part_of_best", "part_of_best_at_512_kib", "why"}; None: the experiment was not played."""
    parts = throughput_by_size(figures)
    fitting = [ring_bytes for ring_bytes, part in parts.items() if part >= NEARLY]
    if not fitting:
        return None
    ring_bytes = min(fitting)
    return {"ring_bytes": ring_bytes, "part_of_best": parts[ring_bytes], "part_of_best_at_512_kib": parts.get(YASMIN_BYTES),
            "why": why(ring_bytes, caches)}


def why(ring_bytes, caches):
    """What pulls the size up and down, and what the processor of this machine has for it."""
    known = ", ".join(f"{name} {size}" for name, size in caches.items()) or "unknown"
    if ring_bytes == YASMIN_BYTES:
        found = "It is what YASMIN found on its machine."
    else:
        found = f"It is {'more' if ring_bytes > YASMIN_BYTES else 'less'} than the 512 KiB that YASMIN found on its machine."
    return (f"{found} A larger ring lets each side go on for longer before it must wait for the other, so that waits and "
            "wake-ups, which take longer in a virtual machine, are shared out over more bytes; and the writer does not write where "
            "the reader's processor has its lines still. A ring that is larger than the caches which the two processors share "
            f"makes each byte go out to memory and back. Where the two meet depends on the processor (caches here: {known}), on "
            "what a wake-up costs, and on the message size.")
