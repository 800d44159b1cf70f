"""What a coding agent does with a command that runs: stories from the first call to the last."""

import os
import select
import socket
import threading
import time
import urllib.request

from bb import Gate, follow, follow_fd, free_port, lost_bytes, parse_json, size_of, story, wait_until
from case import BoxCase, Stopwatch
from client import SEC

ASLEEP = float(os.environ.get("REEVE_TEST_ASLEEP", "8"))    # seconds; the story says 60

SERVER = """
import http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello from the server")
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print("listening", flush=True)
server.serve_forever()
"""

TICKER = """
import sys, time
for i in range(1, int(sys.argv[1]) + 1):
    print(i, time.monotonic_ns(), flush=True)
    time.sleep(0.01)
"""

# Bursts of lines, each with its number and the moment in which its burst is written; on stdout, and on a pipe of the
# test's own, which shows what the machine itself makes of 50 ms.
FLOOD = """
import os, sys, time
seconds, control = float(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY)
number, begun = 0, time.monotonic()
while time.monotonic() < begun + seconds:
    now = time.monotonic_ns()
    lines = b"".join(b"%d %d %s\\n" % (number + i, now, b"f" * 70) for i in range(100))
    number += 100
    os.write(1, lines)
    os.write(control, b"%d\\n" % now)
    time.sleep(0.01)
"""


class TestALongServer(BoxCase):

    def fetch(self, port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/page", timeout=10) as page:
            return page.read()

    def test_from_its_start_to_its_end(self):
        port = free_port()
        client = self.reeve.connect()

        # It starts in the background; the reply comes at once, with what it printed in the first two seconds.
        gate = Gate(self.reeve)
        script = f"echo starting on {port}; {gate.read}; exec python3 -c '{SERVER}' {port}"
        with Stopwatch() as watch:
            job = client.start_sh(script, InitialOutputUSec=2 * SEC)
        self.assert_between(2, watch.seconds, 20)
        self.assertEqual((job.details["InitialStdout"], job.details["InitialStderr"]), (b"starting on %d\n" % port, b""))
        self.assertEqual(job.details["State"], "running")
        with gate:
            gate.open()

        # Its port is waited for, and a page fetched from it.
        reached, details = wait_until(client, job.id, Port=port)
        self.assertEqual((reached, details["Port"]), ("Port", port))
        self.assertEqual(client.property("ListeningPorts", job.id), [port])
        self.assertEqual(self.fetch(port), b"hello from the server")

        # The line that it logs of this request is there.
        reached, details = wait_until(client, job.id, LogPattern='"GET /page HTTP/1.1" 200', LogStreams=["stderr"])
        self.assertEqual(reached, "LogPattern")
        self.assertIn(b"127.0.0.1 - - [", bytes(details["Line"]))

        # The client goes: it serves on.
        client.close()
        self.assertEqual(self.fetch(port), b"hello from the server")
        self.assertEqual(self.bus.property("State", job.id), "running")
        self.assertTrue(self.bus.property("Running", job.id))

        # It is stopped: its port is free.
        self.assertEqual(self.bus.stop({"Id": job.id})[2], 0)
        self.assertEqual(self.bus.property("ListeningPorts", job.id), [])
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5)
        with socket.create_server(("127.0.0.1", port)):
            pass


class TestStartAndFollow(BoxCase):

    def test_lines_come_as_they_are_printed_and_the_follower_comes_back(self):
        count = 300
        job = self.bus.start(["python3", "-c", TICKER, str(count)])
        got, delays, cursor = [], [], ""
        for turn in range(6):
            last = turn == 5
            client = self.reeve.connect()
            with follow(client, job.id, cursor, Format="json") as follower:
                if last:
                    follower.wait_end()
                else:
                    # A while of it, then the follower goes away, in the middle of whatever is being written.
                    follower.wait(lambda data: data.count(b"\n") >= 25, what="25 lines")
                data, chunks = bytes(follower.data), list(follower.chunks)
            client.close()
            entries = parse_json(data[:data.rfind(b"\n") + 1])
            for chunk in chunks:
                for entry in (parse_json(chunk.data) if chunk.data.endswith(b"\n") else []):
                    if "REEVE_EVENT" not in entry and entry["REEVE_STREAM"] == b"stdout":
                        delays.append(chunk.when - int(entry["MESSAGE"].split()[1]) / 1e9)
            got += entries
            cursor = entries[-1]["__CURSOR"].decode()

        # Nothing twice, nothing missed.
        told = story(got)
        self.assertEqual(told.lost, [])
        numbers = [int(e["MESSAGE"].split()[0]) for e in told.records if e["REEVE_STREAM"] == b"stdout"]
        self.assertEqual(numbers, list(range(1, count + 1)))
        self.assertEqual((told.end["REEVE_RESULT"], told.end["REEVE_EXIT_CODE"]), (b"success", b"0"))
        # As they are printed: those that were not yet there when the follower came back are told within moments.
        self.assertLess(sorted(delays)[len(delays) // 10], 0.05)


class Reader:
    """Reads many pipes as soon as there is something; how old what it got was, for each."""

    def __init__(self, fds, control):
        self.buffers = {fd: b"" for fd in fds}
        self.numbers = {fd: 0 for fd in fds}
        self.delays = {fd: [] for fd in [*fds, control]}
        self.control, self.wrong = control, None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        open_fds = set(self.buffers)
        poll = select.poll()
        for fd in [*open_fds, self.control]:
            poll.register(fd, select.POLLIN)
        while open_fds:
            for fd, _ in poll.poll():
                data = os.read(fd, 1 << 20)
                now = time.monotonic_ns()
                if fd == self.control:
                    self.delays[fd] += [now - int(stamp) for stamp in data.split()]
                    continue
                if not data:
                    open_fds.discard(fd)
                    poll.unregister(fd)
                    continue
                *lines, self.buffers[fd] = (self.buffers[fd] + data).split(b"\n")
                for line in lines:
                    number, stamp, _ = line.split()
                    if int(number) != self.numbers[fd]:
                        self.wrong = self.wrong or f"line {number} came where {self.numbers[fd]} was due"
                    self.numbers[fd] = int(number) + 1
                    self.delays[fd].append(now - int(stamp))


class TestTenFollowers(BoxCase):

    def test_one_asleep_in_the_middle_of_a_flood(self):
        path = f"{self.reeve.shared}/control"
        os.mkfifo(path)
        control = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        keep = os.open(path, os.O_WRONLY | os.O_CLOEXEC)    # no POLLHUP before the job opens it, nor after its end
        job = self.bus.start(["python3", "-c", FLOOD, str(ASLEEP + 2), path])
        fds = [follow_fd(self.bus, job.id, Format="raw") for _ in range(9)]
        sleeper = follow_fd(self.bus, job.id, Format="json")
        try:
            reader = Reader(fds, control)

            # The tenth reads a little, falls asleep, and the flood goes on over its head.
            data = os.read(sleeper, 4096)
            self.assertTrue(data)
            asleep = time.monotonic()
            while time.monotonic() < asleep + ASLEEP and self.bus.property("State", job.id) == "running":
                with Stopwatch() as watch:
                    self.bus.ping()
                self.assertLess(watch.seconds, 10, "PID 1 does not wait for it")
                time.sleep(0.2)     # it is asleep, that is the story

            # It wakes up.
            chunks = [data]
            while chunk := os.read(sleeper, 1 << 20):
                chunks.append(chunk)
            self.bus.wait(job.id)

            # The nine have everything, and had it within 50 ms of it being written; all but a few on a machine that is busy.
            reader.thread.join(20)
            self.assertFalse(reader.thread.is_alive(), "the followers come to their end")
            self.assertIsNone(reader.wrong)
            self.assertEqual(set(reader.numbers.values()), {max(reader.numbers.values())})
            machine = sorted(reader.delays[control])
            for fd in fds:
                delays = sorted(reader.delays[fd])
                self.assertEqual(len(delays), reader.numbers[fd])
                for part, more in ((0.5, 50), (0.9, 500), (1, 10000)):
                    i, j = int(len(delays) * part) - 1, int(len(machine) * part) - 1
                    self.assertLess(delays[i] / 1e6, more + machine[j] / 1e6, f"ms, {part}; a bare pipe took {machine[j] / 1e6}")

            # And the tenth was told what it missed.
            told = story(parse_json(b"".join(chunks)))
            total = self.bus.property("LogBytes", job.id)
            self.assertEqual(sum(size_of(e) for e in told.records if e["REEVE_STREAM"] != b"note") + lost_bytes(told.lost), total)
            if ASLEEP >= 5:
                self.assertGreater(lost_bytes(told.lost), 0, f"{total} bytes were written while it slept")
        finally:
            for fd in [*fds, sleeper, control, keep]:
                os.close(fd)
