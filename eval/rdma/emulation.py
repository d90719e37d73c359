"""What must be said beside figures of two emulated machines."""

WHY_TIMES_SAY_LITTLE = """\
Times and rates are those of emulated machines, and aims that are missed here say little about real adapters: the soft-RoCE
device is a kernel thread, whose packets go through the same network stack, emulated interface and sockets as TCP's, and beside
that are copied and checksummed by it. What an adapter does by itself costs processor time here, and programs, bridge and device
share a node's two emulated processors. What carries over is how many operations a message takes."""
