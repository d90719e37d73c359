"""How many bytes the rings carried, as the agents say: proof that a run did not quietly fall back to TCP."""
import time

from harness.processes import ProgramFailed

PATIENCE_SECONDS = 2  # an agent hears of a program's end a moment after we do
POLL_SECONDS = 0.05


class RingBytes:
    """Agents count what an end has sent when it is over, so a look before and one behind the run are enough."""

    def __init__(self, xylem):
        self.xylem = xylem
        self.before = self.sent_bytes()

    def sent_bytes(self):
        """{agent: bytes}. An agent that exits meanwhile, and comes again, is another one."""
        return {(report["domain"], report["boot_id"]): report["counters"]["tx_bytes"] for report in self.xylem.ask("stat")}

    def since(self):
        return sum(count - self.before.get(agent, 0) for agent, count in self.sent_bytes().items())

    def carried(self):
        """Bytes since this was made, once all agents have counted: until it is some, and no longer grows."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        now, last = self.since(), None
        while (now == 0 or now != last) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            now, last = self.since(), now
        return now

    def proven(self):
        """The same, of a run that makes no sense without."""
        if (carried := self.carried()) == 0:
            raise ProgramFailed("it ran, but no ring carried a byte: it went over TCP (see: xylem doctor)")
        return carried
