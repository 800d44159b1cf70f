"""Wait: for ports, for lines, for several things at once; and nothing at all while nobody waits."""

import os
import socket
import time
import urllib.request

from bb import Gate
from case import BoxCase, Stopwatch
from client import INFINITY, JOB, MSEC, SEC, V, job_path, plain, variants
from rig import eventually

PYTHON = "/usr/bin/python3"

# Listens on the given addresses after so many seconds, and says so.
LISTEN = """
import socket, sys, time
time.sleep(float(sys.argv[1]))
held = []
for word in sys.argv[2:]:
    host, port = word.rsplit(":", 1)
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if host == "::1":
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((host, int(port)))
    s.listen(5)
    held.append(s)
print("listening", flush=True)
time.sleep(1000)
"""


FORKS = """
import os
for _ in range(2):
    if os.fork():
        os._exit(0)
    os.setsid()
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listen(*addresses, after=0):
    return [PYTHON, "-c", LISTEN, str(after), *addresses]


class WaitCase(BoxCase):

    def later(self, id, timeout_usec=INFINITY, bus=None, **until):
        return (bus or self.bus).send(job_path(id), JOB, "Wait", "a{sv}t", variants(until), timeout_usec)

    def wait(self, id, timeout_usec=20 * SEC, **until):
        reached, details = self.later(id, timeout_usec, **until).result(30)
        return reached, plain(details)

    def ports(self, job):
        return self.bus.properties(job.id)["ListeningPorts"]

    def refused(self, *words, id, timeout_usec=0, **until):
        return self.assert_error("InvalidArgs", *words, call=lambda: self.wait(id, timeout_usec, **until))

    def times_out(self, id, timeout_usec=0, **until):
        self.assert_error("Timeout", call=lambda: self.wait(id, timeout_usec, **until))


class TestPorts(WaitCase):

    def test_server(self):
        """What everybody does: start it, wait for its port, fetch a page."""
        port = free_port()
        job = self.bus.start([PYTHON, "-m", "http.server", "--bind", "127.0.0.1", str(port)], WorkingDirectory="/etc")
        reached, details = self.wait(job.id, Port=port)
        self.assertEqual((reached, details["Port"], details["State"]), ("Port", port, "running"))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/hostname", timeout=10) as page:
            self.assertEqual(page.status, 200)
        self.assertEqual(self.bus.stop({"Id": job.id})[2], 0)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", port))

    def test_families(self):
        for address in ("127.0.0.1", "0.0.0.0", "::1", "::"):
            with self.subTest(address):
                port = free_port()
                job = self.bus.start(listen(f"{address}:{port}", after=0.05))
                self.assertEqual(self.wait(job.id, Port=port)[0], "Port")
                self.assertEqual(self.ports(job), [port])

    def test_open_already(self):
        port = free_port()
        job = self.bus.start(listen(f"127.0.0.1:{port}"))
        self.bus.wait_for_output(job.id, b"listening")
        self.assertEqual(self.wait(job.id, 0, Port=port)[0], "Port")
        self.assertEqual(self.wait(job.id, 0, Ports=[port])[0], "Ports")
        self.assertEqual(self.wait(job.id, 0, Ports=[port, port])[0], "Ports")
        self.times_out(job.id, Port=free_port())

    def test_port_of_another(self):
        """Neither another job's counts, nor one of the machine."""
        port = free_port()
        mine = self.bus.start(["sleep", "1000"])
        other = self.bus.start(listen(f"127.0.0.1:{port}"))
        self.assertEqual(self.wait(other.id, Port=port)[0], "Port")
        self.times_out(mine.id, Port=port)
        self.times_out(mine.id, 100 * MSEC, Port=port)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen(1)
            self.times_out(mine.id, Port=s.getsockname()[1])
            self.assertEqual(self.ports(mine), [])

    def test_child_of_a_child(self):
        port = free_port()
        job = self.bus.start([PYTHON, "-c", FORKS + LISTEN, "0.1", f"127.0.0.1:{port}"])
        reached, details = self.wait(job.id, Port=port)
        self.assertEqual((reached, details["State"]), ("Port", "exited"))
        self.assertEqual(self.ports(job), [port])

    def test_two_ports(self):
        one, two = free_port(), free_port()
        job = self.bus.start(listen(f"127.0.0.1:{one}", f"::1:{two}", after=0.05))
        self.assertEqual(self.wait(job.id, Ports=[one, two])[0], "Ports")
        self.times_out(job.id, Ports=[one, two, free_port()])
        self.assertEqual(self.wait(job.id, Ports=[one, free_port()], Port=two)[0], "Port")
        self.assertEqual(self.ports(job), sorted([one, two]))
        found, = (j for j in self.bus.jobs(Usage=True) if j["Id"] == job.id)
        self.assertEqual(found["ListeningPorts"], sorted([one, two]))
        self.assertNotIn("ListeningPorts", self.bus.jobs(Id=job.id)[0])

    def test_job_ends_first(self):
        job = self.bus.start_sh("sleep 0.1; exit 7")
        reached, details = self.wait(job.id, Port=free_port())
        self.assertEqual((reached, details["ExitCode"], details["Result"]), ("Finished", 7, "exit-code"))
        self.assertEqual(self.wait(job.id, 0, Port=free_port())[0], "Finished")
        # What was asked for beside it is told as what it is.
        job = self.bus.start_sh("sleep 0.1; sleep 1000 & exit 3")
        reached, details = self.wait(job.id, Port=free_port(), Exited=True)
        self.assertEqual((reached, details["ExitCode"]), ("Exited", 3))

    def test_time_out(self):
        job = self.bus.start(["sleep", "1000"])
        with Stopwatch() as watch:
            self.times_out(job.id, 150 * MSEC, Port=free_port())
        self.assert_between(0.15, watch.seconds, 10)

    def test_ready(self):
        job = self.bus.start(["sleep", "1000"])
        self.assertEqual(self.wait(job.id, 0, Ready=True)[0], "Ready")
        self.assertEqual(self.wait(job.id, 0, Port=free_port(), Ready=True)[0], "Ready")

    def test_what_is_wrong(self):
        job = self.bus.start(["sleep", "1000"])
        self.refused("Port", "0", id=job.id, Port=0)
        self.refused("Ports", "0", id=job.id, Ports=[80, 0])
        self.refused("Ports", "empty", id=job.id, Ports=[])
        self.refused("Ports", "64", id=job.id, Ports=list(range(1, 66)))
        self.refused("Port", id=job.id, Port=V("u", 80))
        self.refused("Ports", id=job.id, Ports=V("au", [80]))
        self.refused("until", id=job.id)
        self.times_out(job.id, Ports=list(range(1, 65)))


class TestEmptyLists(WaitCase):

    def test_each(self):
        """An empty list is not the same as none."""
        job = self.bus.start(["sleep", "1000"])
        for call in (lambda: self.bus.log(job.id, Streams=[]), lambda: self.bus.output(job.id, Streams=[]),
                     lambda: self.bus.jobs(States=[])):
            self.assert_error("InvalidArgs", "empty", call=call)


class TestQuiet(WaitCase):

    def test_nobody_waits(self):
        """Looks for ports wake PID 1; when the last who waited is gone nothing does."""
        job = self.bus.start(["sleep", "1000"])
        with self.reeve.connect() as other:
            pending = self.later(job.id, bus=other, Port=free_port())
            before = self.reeve.wakeups()
            eventually(lambda: self.reeve.wakeups() > before + 5, 10, "it looks")
            self.assertFalse(pending.done())
        self.times_out(job.id, 50 * MSEC, Port=free_port())
        eventually(self.is_quiet, 20, "two seconds without a wakeup")

    def is_quiet(self):
        before = self.reeve.wakeups()
        with Stopwatch() as watch:
            while watch.start + 2 > time.monotonic():
                time.sleep(0.1)
                if self.reeve.wakeups() != before:
                    return False
        return True

    def test_looks_get_rarer(self):
        job = self.bus.start(["sleep", "1000"])
        pending = self.later(job.id, Port=free_port())
        time.sleep(1)       # what is measured is a pace: it takes time
        before = self.reeve.wakeups()
        time.sleep(1)
        self.assert_between(1, self.reeve.wakeups() - before, 15)
        self.assertFalse(pending.done())


class TestLines(WaitCase):

    def assert_line(self, answer, line):
        reached, details = answer
        self.assertEqual((reached, details["Line"]), ("LogPattern", line))
        return details

    def test_past(self):
        job = self.bus.start_sh("echo one; echo two; echo three; sleep 1000")
        self.bus.wait_for_output(job.id, b"three")
        details = self.assert_line(self.wait(job.id, 0, LogPattern="^t"), b"two")
        self.assertEqual([r.data for r in self.bus.log(job.id, details["Cursor"]).records], [b"three\n"])
        self.assert_line(self.wait(job.id, 0, LogPattern="thre+$"), b"three")
        self.times_out(job.id, LogPattern="^hree")
        self.times_out(job.id, 100 * MSEC, LogPattern="four")

    def test_to_come(self):
        job = self.bus.start_sh("mkfifo go; cat go", WorkingDirectory="/run")
        pending = self.later(job.id, LogPattern="^ready")
        other = self.later(job.id, LogPattern="never")
        self.bus.sh("printf 'not ready\\nready now\\nready again\\n' >/run/go; rm /run/go")
        reached, details = pending.result()
        self.assert_line((reached, plain(details)), b"ready now")
        self.assertEqual(other.result()[0], "Finished")

    def test_streams(self):
        job = self.bus.start_sh("echo on stdout; echo on stderr >&2; sleep 1000")
        self.assertEqual(self.wait(job.id, LogPattern="on stderr")[0], "LogPattern")
        self.assertEqual(self.wait(job.id, LogPattern="on stdout")[0], "LogPattern")
        self.assert_line(self.wait(job.id, 0, LogPattern="on stdo"), b"on stdout")
        self.assert_line(self.wait(job.id, 0, LogPattern="on std", LogStreams=["stderr"]), b"on stderr")
        self.times_out(job.id, LogPattern="on stderr", LogStreams=["stdout"])
        self.assert_line(self.wait(job.id, 0, LogPattern="err", LogStreams=["stdout", "stderr"]), b"on stderr")

    def test_split_writes(self):
        """Flushed in the middle, with more than the time after which a part becomes a record, and the other stream
        between."""
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"printf sta; {gate.read}; echo between >&2; {gate.read}; printf rt; {gate.read}; echo ed; sleep 1000")
            for part in (b"sta", b"between\n", b"rt"):
                self.bus.wait_for_output(job.id, part)
                gate.open()
        details = self.assert_line(self.wait(job.id, LogPattern="^started$"), b"started")
        self.assertEqual(self.bus.log(job.id, details["Cursor"]).records, [])
        self.assertGreater(len(self.bus.log(job.id).records), 2)

    def test_unfinished_last_line(self):
        job = self.bus.start_sh("printf half; sleep 1000")
        self.bus.wait_for_output(job.id, b"half")
        self.times_out(job.id, LogPattern="half")
        job = self.bus.start_sh("printf half; exit 3")
        details = self.assert_line(self.wait(job.id, LogPattern="^half$"), b"half")
        self.assertEqual(self.bus.log(job.id, details["Cursor"]).records, [])
        self.assert_line(self.wait(job.id, 0, LogPattern="^half$"), b"half")
        self.assertEqual(self.wait(job.id, 0, LogPattern="^alf")[0], "Finished")

    def test_long_line(self):
        job = self.bus.start_sh("echo before; (printf begin; head -c 200000 /dev/zero | tr '\\0' x; echo end); echo after; sleep 1000")
        reached, details = self.wait(job.id, LogPattern="^begin")
        self.assertEqual(reached, "LogPattern")
        self.assertEqual(details["Line"], b"begin" + b"x" * 65531)
        self.assertEqual(self.bus.log(job.id, details["Cursor"], WaitUSec=10 * SEC).records[0].data, b"after\n")
        self.times_out(job.id, LogPattern="xend")       # beyond the first 64 KiB
        self.assert_line(self.wait(job.id, 0, LogPattern="^begin.*x$"), details["Line"])

    def test_line_before_the_end(self):
        """A line that was there before the end is told, not the end."""
        job = self.bus.start_sh("echo listening; exit 3")
        self.bus.wait(job.id)
        reached, details = self.wait(job.id, 0, LogPattern="listening", Exited=True, Port=1)
        self.assertEqual((reached, details["ExitCode"], details["State"]), ("LogPattern", 3, "finished"))
        reached, details = self.wait(job.id, 0, LogPattern="nothing", Drained=True)
        self.assertEqual((reached, details["ExitCode"]), ("Drained", 3))
        reached, details = self.wait(job.id, LogPattern="nothing", Port=1)
        self.assertEqual((reached, details["ExitCode"], details["Result"]), ("Finished", 3, "exit-code"))

    def test_any_of_several(self):
        port = free_port()
        job = self.bus.start(listen(f"127.0.0.1:{port}", after=0.1))
        self.assertEqual(self.wait(job.id, Port=port, LogPattern="no such line", Finished=True)[0], "Port")
        self.assert_line(self.wait(job.id, Port=free_port(), LogPattern="^listening$"), b"listening")

    def test_what_is_wrong(self):
        job = self.bus.start(["sleep", "1000"])
        self.refused("LogPattern", id=job.id, LogPattern="(")
        self.refused("LogPattern", id=job.id, LogPattern="x" * 1025)
        self.refused("LogStreams", "LogPattern", id=job.id, LogStreams=["stdout"], Exited=True)
        self.refused("LogStreams", "stdin", id=job.id, LogPattern="x", LogStreams=["stdin"])
        self.refused("LogStreams", "note", id=job.id, LogPattern="x", LogStreams=["note"])
        self.refused("LogStreams", "empty", id=job.id, LogPattern="x", LogStreams=[])
        self.refused("LogPattern", id=job.id, LogPattern=V("ay", b"x"))

    def test_overtaken(self):
        """What the ring no longer holds is not found; what it holds is."""
        job = self.bus.start_sh("echo first; seq 1 30000; echo last; sleep 1000", LogMaxBytes=65536)
        self.assert_line(self.wait(job.id, LogPattern="^last$"), b"last")
        self.times_out(job.id, LogPattern="^first$")
        self.assert_line(self.wait(job.id, 0, LogPattern="^29999$"), b"29999")

    def test_flood_and_hostile_patterns(self):
        """Others are served quickly whatever is matched against whatever."""
        job = self.bus.start(self.reeve.payload("flood"))
        hostile = "((a|b|.)*x(.|y)*z?){1,20}[^a-q]{1,200}never"
        pendings = [self.later(job.id, LogPattern=pattern) for pattern in [hostile] * 10 + ["(.*.*.*.*){20}Q"] * 10]
        times = []
        for _ in range(50):
            with Stopwatch() as watch:
                self.bus.ping()
            times.append(watch.seconds)
        self.assertFalse(any(pending.done() for pending in pendings))
        self.assertLess(sorted(times)[len(times) // 2], 0.5)
        self.bus.stop({"Id": job.id}, TimeoutStopUSec=0)

    def test_caller_goes(self):
        before = self.reeve.fds()
        job = self.bus.start(["sleep", "1000"])
        self.bus.job(job.id, "Kill", "si", "all", 19)
        with self.reeve.connect() as other:
            for _ in range(50):
                self.later(job.id, bus=other, Port=free_port(), LogPattern="x")
            other.ping()
        self.bus.kill(18, Id=job.id)
        self.assertEqual(self.bus.stop({"Id": job.id})[2], 0)
        self.assert_fds_back(before)

    def test_record_goes(self):
        """Somebody waits while the job's record is let go."""
        job = self.bus.start_sh("exit 0")
        self.bus.wait(job.id)
        self.bus.job(job.id, "Forget")
        self.assert_error("UnknownObject", call=lambda: self.wait(job.id, LogPattern="x"))
