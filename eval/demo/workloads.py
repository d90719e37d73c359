"""The unmodified programs that are measured, one run each: iperf3 and NetPIPE (NPtcp)."""
import json

from processes import ProgramFailed, free_port, wait_for, wait_for_listener

START_SECONDS = 20
SLACK_SECONDS = 60


class Iperf3:
    """One stream from client to server in writes of 128 KiB. Result: bytes per second that arrived."""
    name = "iperf3"
    title = "iperf3"
    write_size = "128K"

    def __init__(self, seconds):
        self.seconds = seconds
        self.expected_seconds = seconds + 1

    def run(self, transport, processes, folder):
        port = str(free_port())
        server_log = folder / f"iperf3-server-{transport.name}.log"
        client_log = folder / f"iperf3-client-{transport.name}.log"
        with open(server_log, "wb") as server_out, open(client_log, "wb") as client_out:
            server = processes.start(transport.server(["iperf3", "-s", "-1", "-p", port]),
                                     transport.environment, server_out)
            wait_for_listener(int(port), server, START_SECONDS, "iperf3 -s", server_log)
            client = processes.start(
                transport.client(["iperf3", "-c", transport.server_address, "-p", port, "-l", self.write_size,
                                  "-t", str(self.seconds), "-J"]), transport.environment, client_out)
            wait_for(client, self.seconds + SLACK_SECONDS, "iperf3 -c", client_log)
        processes.stop(server)
        processes.stop(client)
        return {"bytes_per_second": self.read(client_log)}

    @staticmethod
    def read(log):
        try:
            report = json.loads(log.read_text(encoding="utf-8"))
            return report["end"]["sum_received"]["bits_per_second"] / 8
        except (ValueError, KeyError) as error:
            raise ProgramFailed(f"iperf3 printed no result ({error}), see {log}") from error


class Netpipe:
    """Ping-pong over message sizes up to 4 MiB. Result: seconds one way by message size.

    Two ranges with fixed repeat counts, because NPtcp's own choice takes a minute a run. Both ends must be
    told the same range and count.
    """
    name = "netpipe"
    title = "NetPIPE"
    expected_seconds = 16
    ranges = (("-l", "1", "-u", "16384", "-n", "2000"), ("-l", "16384", "-u", "4194304", "-n", "50"))

    def run(self, transport, processes, folder):
        seconds_by_size = {}
        for options in self.ranges:
            seconds_by_size.update(self.run_range(options, transport, processes, folder))
        return {"seconds_by_size": seconds_by_size}

    @staticmethod
    def run_range(options, transport, processes, folder):
        port = str(free_port())
        result = folder / f"netpipe-{transport.name}.out"
        result.unlink(missing_ok=True)
        log = folder / f"netpipe-{transport.name}.log"
        command = ["NPtcp", "-P", port, *options]
        with open(log, "wb") as output:
            receiver = processes.start(transport.server([*command, "-o", "/dev/null"]), transport.environment, output)
            wait_for_listener(int(port), receiver, START_SECONDS, "NPtcp", log)
            transmitter = processes.start(
                transport.client([*command, "-h", transport.server_address, "-o", str(result)]),
                transport.environment, output)
            wait_for(transmitter, SLACK_SECONDS, "NPtcp -h", log)
        processes.stop(receiver)
        processes.stop(transmitter)
        rows = [line.split() for line in result.read_text(encoding="ascii").splitlines()]
        if not rows:
            raise ProgramFailed(f"NPtcp wrote no result, see {log}")
        return {int(row[0]): float(row[2]) for row in rows}
