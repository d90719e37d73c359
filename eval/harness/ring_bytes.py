"""What carried a run, as the agents say: proof that it did not quietly fall back to TCP, not even with one connection."""
import time
from collections import Counter

from harness.processes import ProgramFailed

PATIENCE_SECONDS = 2  # an agent hears of a program's end a moment after we do
POLL_SECONDS = 0.05


class RingBytes:
    """Agents count what an end has sent when it is over, so a look before and one behind the run are enough."""

    def __init__(self, xylem):
        self.xylem = xylem
        self.before = self.look()

    def look(self):
        """{agent: (bytes that rings carried, {reason: connections over TCP})}. An agent that was started anew is another one."""
        return {(report["domain"], report["boot_id"]): (report["counters"]["tx_bytes"], Counter(report["connections"]["tcp"]))
                for report in self.xylem.ask("stat")}

    def since(self):
        """The same of all agents together, since this was made."""
        total, over_tcp = 0, Counter()
        for agent, (sent, tcp) in self.look().items():
            sent_before, tcp_before = self.before.get(agent, (0, Counter()))
            total += sent - sent_before
            over_tcp += tcp - tcp_before
        return total, over_tcp

    def settled(self):
        """Once all agents have counted: when it is some, and no longer grows."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        now, last = self.since(), None
        while (now[0] == 0 or now != last) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            now, last = self.since(), now
        return now

    def proven(self):
        """The bytes that rings carried in a run all of whose connections they should have carried."""
        carried, over_tcp = self.settled()
        if over_tcp:
            reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(over_tcp.items()))
            raise ProgramFailed(f"it ran, but {over_tcp.total()} of its connections went over TCP ({reasons}; see: xylem doctor)")
        if carried <= 0:
            raise ProgramFailed("it ran, but no ring carried a byte: it went over TCP (see: xylem doctor)")
        return carried
