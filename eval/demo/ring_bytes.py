"""How many bytes the rings carried, as the agents say: proof that a run did not quietly fall back to TCP."""
import json
import subprocess
import threading

SAMPLE_SECONDS = 0.5  # rare enough not to cost the measured programs a core
QUERY_TIMEOUT_SECONDS = 10


class RingBytes:
    """Adds up what every connection end of every domain has sent, from its birth to its last sample.

    With the agents' own total of ended connections (`ring_bytes_total` of `xylem stat`) the figure is exact;
    from samples alone it misses what went through after the last look.
    """

    def __init__(self, xylem):
        self.xylem = xylem
        self.sent_bytes = {}  # (domain, boot id, end id) -> bytes
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.total_before = 0

    def __enter__(self):
        self.total_before = self.agents_total() or 0
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def watch(self):
        while not self.stopping.wait(SAMPLE_SECONDS):
            self.sample()

    def ask(self, verb):
        answer = subprocess.run([str(self.xylem.command), verb, "--json", "--all"], env=self.xylem.environment,
                                stdin=subprocess.DEVNULL, capture_output=True, timeout=QUERY_TIMEOUT_SECONDS,
                                check=False)
        return json.loads(answer.stdout)["domains"] if answer.returncode == 0 else []

    def sample(self):
        for report in self.ask("ls"):
            for socket in report["sockets"]:
                if socket["transport"] == "ring" and socket.get("end_id") is not None:
                    key = (report["domain"], report["boot_id"], socket["end_id"])
                    self.sent_bytes[key] = max(self.sent_bytes.get(key, 0), socket["tx_bytes"] or 0)

    def agents_total(self):
        totals = [report.get("ring_bytes_total", report["counters"].get("ring_bytes_total"))
                  for report in self.ask("stat")]
        known = [total for total in totals if total is not None]
        return sum(known) if known else None

    def carried(self):
        """Bytes since the with-block began."""
        sampled = sum(self.sent_bytes.values())
        total = self.agents_total()
        return sampled if total is None else max(sampled, total - self.total_before)
