"""States in which there is nothing to do: then nothing is done, however long they last."""

import os
import time

from bb import Gate, follow, follow_fd, parse_json, pipe, settled_fds, story, wait_until_later, whole_lines, write_input
from case import BoxCase
from client import DBUS, INFINITY, JOB, DBusError, authenticate, connect, job_path, method_call
from rig import eventually, read_file
from wire import read_line

MIB = 1 << 20


class QuietCase(BoxCase):

    def ticks(self):
        """The CPU time of PID 1, in clock ticks."""
        fields = read_file(f"/proc/{self.reeve.pid}/stat").rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def check(self, what):
        """No wakeup in a second; a loop that never sleeps would show as time of the processor."""
        def quiet():
            before, ticks = self.reeve.wakeups(), self.ticks()
            time.sleep(1)       # the measure itself
            return self.reeve.wakeups() == before and self.ticks() - ticks <= 1
        eventually(quiet, 8, lambda: f"nothing happens: {what}; wakeups {self.reeve.wakeups()}, ticks {self.ticks()}")


class TestInput(QuietCase):

    def test_a_child_that_closed_its_input(self):
        for options in ({"StandardInput": "pipe"}, {"StandardInput": "data", "StandardInputData": b"x" * MIB}):
            job = self.bus.start_sh("exec <&-; echo closed; exec sleep 1000", **options)
            self.bus.wait_for_output(job.id, b"closed")
        self.check("input that nobody has open")

    def test_a_child_that_does_not_read(self):
        job = self.bus.start(["sleep", "1000"], StandardInput="pipe")
        write_input(self.bus, job.id, b"x" * (4 * MIB))
        self.bus.start(["sleep", "1000"], StandardInput="data", StandardInputData=b"x" * (4 * MIB))
        terminal = self.bus.start_sh("stty raw -echo; echo ready; exec sleep 1000", TTY=True)
        self.bus.wait_for_output(terminal.id, b"ready")
        write_input(self.bus, terminal.id, b"x" * MIB)
        self.check("full pipes and a full terminal")

    def test_input_that_was_ended(self):
        job = self.bus.start(["sleep", "1000"], StandardInput="pipe")
        write_input(self.bus, job.id, b"x" * MIB, False)
        write_input(self.bus, job.id, b"", True)
        self.check("an end behind a full pipe")


class TestTerminal(QuietCase):

    def test_closed_by_all_who_had_it(self):
        """Its other end hangs up; the job lives, and is not told of any hangup either."""
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"echo x; exec </dev/null >/dev/null 2>&1; {gate.read}; exit 4", TTY=True)
            self.bus.wait_for_output(job.id, b"x")
            self.check("a terminal without anybody")
            gate.open()
            self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 4)

    def test_kept_after_the_leader(self):
        self.bus.sh("trap '' HUP; sleep 1000 & exit 3", TTY=True)
        self.check("a terminal that a child keeps")


class TestFollowers(QuietCase):

    def test_full_pipes(self):
        """Somebody sleeps on megabytes of a job that is done, of one that is silent, and of one that was forgotten."""
        outcome = self.bus.exec(self.reeve.payload("pattern", MIB), LogMaxBytes=8 * MIB)
        forgotten = self.bus.exec(self.reeve.payload("pattern", MIB), LogMaxBytes=8 * MIB)
        job = self.bus.start_sh(f"{' '.join(self.reeve.payload('pattern', MIB))}; echo done >&2; exec sleep 1000", LogMaxBytes=8 * MIB)
        self.bus.wait_for_output(job.id, b"done\n")
        ids = [outcome.id, job.id, forgotten.id]
        fds = [follow_fd(self.bus, id, Format=f) for id in ids for f in ("raw", "short", "json", "export")]
        self.bus.job(forgotten.id, "Forget")
        try:
            self.check("followers that do not read")
        finally:
            for fd in fds:
                os.close(fd)
        self.check("followers that are gone")


class TestTee(QuietCase):

    def test_a_pipe_that_is_full(self):
        with pipe() as ends:
            job = self.bus.start_sh(f"{' '.join(self.reeve.payload('pattern', MIB))}; echo done >&2; exec sleep 1000",
                                    StandardOutputFileDescriptor=ends[1], Tee=True, LogMaxBytes=8 * MIB)
            self.bus.wait_for_output(job.id, b"done\n", 30)
            self.check("a full pipe beside the log")


class TestWaits(QuietCase):

    def test_lines_that_do_not_come(self):
        job = self.bus.start_sh("printf unfinished; exec sleep 1000")
        self.bus.wait_for_output(job.id, b"unfinished")
        pending = [wait_until_later(self.bus, job.id, INFINITY, LogPattern=f"never{i}") for i in range(20)]
        self.bus.ping()
        self.check("waits for lines")
        self.assertFalse(any(wait.done() for wait in pending))


class TestHurry(BoxCase):
    """Callers that go at a bad moment."""

    def test_gone_before_its_descriptor_came(self):
        before = settled_fds(self.reeve)
        job = self.bus.start_sh("echo x; exec sleep 1000")
        running = settled_fds(self.reeve)
        for i in range(100):
            with connect(self.reeve.address) as s:
                authenticate(s)
                s.sendall(method_call("/org/freedesktop/DBus", DBUS, "Hello", destination=DBUS))
                for serial in range(2, 4 + i % 5):
                    s.sendall(method_call(job_path(job.id), JOB, "FollowLog", "sa{sv}", ("", {}), serial=serial))
                if i % 2:
                    s.recv(1)
        self.assert_fds_back(running)
        self.bus.stop({"Id": job.id})
        self.assert_fds_back(before)

    def test_one_who_takes_no_descriptors(self):
        """It did not agree to have any: an error, or the line is cut; nothing stays."""
        outcome = self.bus.sh("echo x")
        before = settled_fds(self.reeve)
        with connect(self.reeve.address) as s:
            s.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
            self.assertTrue(read_line(s).startswith(b"OK "))
            s.sendall(b"BEGIN\r\n" + method_call("/org/freedesktop/DBus", DBUS, "Hello", destination=DBUS))
            s.sendall(method_call(job_path(outcome.id), JOB, "FollowLog", "sa{sv}", ("", {}), serial=2))
            answer = b""
            while b"Error." not in answer and (chunk := s.recv(65536)):
                answer += chunk
        self.assert_fds_back(before)
        self.bus.ping()

    def test_memory_of_many_waits_on_a_long_line(self):
        """What a line may be is not held once for each who waits for it."""
        job = self.bus.start_sh("head -c 60000 /dev/zero | tr '\\0' x; exec sleep 1000")
        eventually(lambda: self.bus.property("LogBytes", job.id) == 60000, 10, "the line is there, without its end")
        other, memory = self.reeve.connect(), self.reeve.memory()
        pending = [wait_until_later(other, job.id, INFINITY, LogPattern=f"{i}y$") for i in range(500)]
        other.ping()
        self.assertFalse(any(wait.done() for wait in pending))
        self.assert_memory(memory, 16 * MIB)
        other.close()
        self.assert_memory(memory, 4 * MIB, timeout=10)

    def test_waits_for_lines_among_floods(self):
        jobs = [self.bus.start(self.reeve.payload("flood"), LogMaxBytes=256 << 10) for _ in range(3)]
        pending = [wait_until_later(self.bus, job.id, INFINITY, LogPattern=f"^(f|g)*{i}(.*x)*$") for job in jobs for i in range(20)]
        times = []
        for _ in range(50):
            begun = time.monotonic()
            self.bus.ping()
            times.append(time.monotonic() - begun)
        self.assertLess(sorted(times)[25], 0.5)
        self.assertLess(max(times), 10)
        self.assertFalse(any(wait.done() for wait in pending))

    def test_all_65535_ports(self):
        job = self.bus.start(["sleep", "1000"])
        memory = self.reeve.memory()
        try:
            wait_until_later(self.bus, job.id, 300000, Ports=list(range(1, 65536))).result()
            self.fail("nobody listens")
        except DBusError as e:
            self.assertTrue(e.name.endswith((".Timeout", ".InvalidArgs", ".LimitsExceeded")), e)
        self.assert_memory(memory, 4 * MIB)


class TestNoneKept(BoxCase):
    """Nothing is remembered of what has finished: who follows has it all, nevertheless."""

    options = {"args": ["--max-finished=0"]}

    def test_followers_of_a_job_that_goes_with_its_end(self):
        for _ in range(10):
            with Gate(self.reeve) as gate:
                job = self.bus.start_sh(f"echo first; {gate.read}; seq 1 2000; exit 5")
                followers = [follow(self.bus, job.id, Format="json") for _ in range(3)]
                gate.open()
                for follower in followers:
                    with follower:
                        told = story(parse_json(follower.wait_end()))
                    self.assertEqual((told.lost, told.end["REEVE_EXIT_CODE"]), ([], b"5"))
                    self.assertEqual(whole_lines(told.records), [b"first"] + [b"%d" % i for i in range(1, 2001)])
