"""Streams at their bounds: no descriptors left, much going on, and what is no fair descriptor."""

import os
import pty
import socket
import tempfile

from bb import Gate, all_log, follow, follow_fd, settled_fds, wait_until_later, write_all_input, write_input
from case import BoxCase, FreshCase, Stopwatch
from client import DBusError, INFINITY
from rig import eventually

MIB = 1 << 20


class TestFewDescriptors(FreshCase):
    """A reeve with little room refuses what does not fit, and forgets nothing of what does."""

    def until_refused(self, call):
        """Calls until it is refused; what the calls answered."""
        answers = []
        while len(answers) < 500:
            try:
                answers.append(call())
            except DBusError as e:
                self.assertFalse(e.name.endswith((".UnknownObject", ".InvalidArgs", ".NoSuchJob")), e)
                return answers
        self.fail("never refused")

    def test_followers(self):
        box = self.box(rlimits={"nofile": "70:70"})
        job = box.bus.start_sh("echo x; exec sleep 1000")
        before = settled_fds(box)
        fds = self.until_refused(lambda: follow_fd(box.bus, job.id, Format="raw"))
        self.assertGreater(len(fds), 5)
        box.bus.ping()
        for fd in fds:
            os.close(fd)
        eventually(lambda: box.fds() == before, 10, lambda: f"{before} descriptors are open again: {box.fds()}")
        with follow(box.bus, job.id, Format="raw") as follower:
            follower.wait_for(b"x\n")
        self.assertEqual(box.bus.sh("exit 3").exit_code, 3)
        self.assertEqual(box.stop(), 0)

    def test_terminals_and_pipes(self):
        for options in ({"TTY": True}, {"StandardInput": "pipe"}):
            box = self.box(rlimits={"nofile": "70:70"})
            before = settled_fds(box)
            jobs = self.until_refused(lambda box=box, options=options: box.bus.start(["cat"], **options))
            self.assertGreater(len(jobs), 5)
            self.assertEqual(len(box.bus.job_ids()), len(jobs), "what was refused is no job")
            write_input(box.bus, jobs[0].id, b"still served\n")
            box.bus.wait_for_output(jobs[0].id, b"still served")
            box.bus.stop({"All": True})
            eventually(lambda: box.fds() == before, 10, lambda: f"{before} descriptors are open again: {box.fds()}")
            self.assertEqual(box.bus.sh("exit 3", **options).exit_code, 3)
            self.assertEqual(box.stop(), 0)


class TestMuchAtOnce(BoxCase):

    def test_pings_among_followers_of_floods(self):
        """Five floods, each with eight followers that read as fast as they can in one process, one of them never."""
        memory = self.reeve.memory()
        jobs = [self.bus.start(self.reeve.payload("flood"), LogMaxBytes=256 << 10) for _ in range(5)]
        fds = [follow_fd(self.bus, job.id, Format=("raw", "json", "short", "export")[i % 4]) for job in jobs for i in range(8)]
        times = []
        try:
            for _ in range(100):
                for fd in fds[1:]:
                    os.read(fd, 65536)
                with Stopwatch() as watch:
                    self.bus.ping()
                times.append(watch.seconds)
            self.assertLess(sorted(times)[50], 0.5)
            self.assertLess(max(times), 10)
            self.assert_memory(memory, 16 * MIB)
        finally:
            for fd in fds:
                os.close(fd)

    def test_everything_at_once_and_a_client_that_goes(self):
        """Follows, writes, waits and types; then its connection is cut: all of its own is given back."""
        before = settled_fds(self.reeve)
        other = self.reeve.connect()
        fds = []
        jobs = [other.start(["cat"], **options) for options in [{"TTY": True}, {"StandardInput": "pipe"}] * 10]
        running = settled_fds(self.reeve)
        for job in jobs:
            write_input(other, job.id, b"hello\n")
            fds += [follow_fd(other, job.id, Format=f) for f in ("raw", "json")]
            wait_until_later(other, job.id, INFINITY, Port=9)
        other.ping()
        other.close()
        for fd in fds:
            os.close(fd)
        self.assertLessEqual(eventually(lambda: self.reeve.fds() < running and self.reeve.fds(), 10, "its own is given back"), running)
        for job in jobs:
            self.bus.wait_for_output(job.id, b"hello")
            self.assertEqual(self.bus.property("State", job.id), "running")
        self.bus.stop({"All": True}, TimeoutStopUSec=0)
        self.assert_fds_back(before)

    def test_a_hundred_interactive_jobs(self):
        jobs = [self.bus.start_sh("stty -echo; while read line; do echo got $line; done; exit 9", TTY=True) for _ in range(100)]
        for i, job in enumerate(jobs):
            write_all_input(self.bus, job.id, b"%d\n" % i)
        for i, job in enumerate(jobs):
            self.bus.wait_for_output(job.id, b"got %d\r\n" % i)
            write_input(self.bus, job.id, b"", True)
        for job in jobs:
            self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 9)


class TestOddDescriptors(BoxCase):
    """What a caller may pass, though it makes little sense. PID 1 must not wait for any of them."""

    def check(self, fd, **options):
        """A job that writes much there, without and with Tee, is no hindrance to others, and can be ended."""
        for tee in (False, True):
            job = self.bus.start(self.reeve.payload("pattern", MIB), StandardOutputFileDescriptor=fd, Tee=tee, LogMaxBytes=8 * MIB,
                                 **options)
            with Stopwatch() as watch:
                self.assertEqual(self.bus.sh("exit 3").exit_code, 3)
            self.assertLess(watch.seconds, 10)
            if tee:
                self.assertEqual(self.bus.wait(job.id, timeout=30)[1]["ExitCode"], 0, "with the log beside it the job goes on")
                self.assertEqual(self.bus.property("LogBytes", job.id), MIB)
                self.assertTrue([r for r in all_log(self.bus, job.id) if r.stream == 3], "what was not taken is said")
            self.assertEqual(self.bus.stop({"Id": job.id}, TimeoutStopUSec=0)[2], 0)

    def test_a_socket_that_nobody_reads(self):
        for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
            with self.subTest(kind=kind):
                ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
                with ours, theirs:
                    self.check(theirs.fileno())

    def test_a_terminal_that_nobody_reads(self):
        master, slave = pty.openpty()
        try:
            self.check(slave)
        finally:
            os.close(master)
            os.close(slave)

    def test_what_cannot_be_written_to(self):
        """The job meets what it would meet in a shell; reeve itself does not take what it could not write to."""
        with tempfile.NamedTemporaryFile() as f:
            for path, flags in (("/dev/null", os.O_RDONLY), ("/", os.O_RDONLY | os.O_DIRECTORY), (f.name, os.O_PATH)):
                with self.subTest(path=path, flags=flags):
                    fd = os.open(path, flags)
                    try:
                        outcome = self.bus.sh("echo x || exit 7", StandardOutputFileDescriptor=fd)
                        self.assertEqual(outcome.exit_code, 7)
                        self.assert_error("InvalidArgs", "StandardOutputFileDescriptor", call=lambda fd=fd: self.bus.sh(
                            "echo x", StandardOutputFileDescriptor=fd, Tee=True))
                    finally:
                        os.close(fd)

    def test_as_input(self):
        for path, flags in (("/", os.O_RDONLY | os.O_DIRECTORY), ("/dev/null", os.O_WRONLY), ("/", os.O_PATH)):
            with self.subTest(path=path, flags=flags):
                fd = os.open(path, flags)
                try:
                    self.assertNotEqual(self.bus.exec(["cat"], StandardInputFileDescriptor=fd).exit_code, 0)
                finally:
                    os.close(fd)

    def test_reeves_own_log_pipe(self):
        """A job that writes into the pipe of one that is followed: what FollowLog gives is for reading only."""
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"echo x; {gate.read}")
            fd = follow_fd(self.bus, job.id, Format="raw")
            try:
                outcome = self.bus.sh("echo into", StandardOutputFileDescriptor=fd)
                self.assertNotEqual(outcome.exit_code, 0)
                gate.open()
                self.bus.wait(job.id)
            finally:
                os.close(fd)
