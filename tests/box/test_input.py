"""Input over WriteInput, and descriptors that the caller gives."""

import fcntl
import hashlib
import os
import pty
import socket
import threading
import time

from case import BoxCase
from client import V
from rig import eventually


def blob(size):
    """Bytes in which no piece is like another."""
    return b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(size // 32 + 1))[:size]


class TestPipe(BoxCase):

    def cat(self, **options):
        return self.bus.start(["cat"], StandardInput="pipe", **options).id

    def test_what_is_written_is_read(self):
        id = self.cat()
        self.assertEqual(self.bus.write_input(id, b"one\n\0\xff"), 6)
        self.assertEqual(self.bus.write_input(id), 0)
        self.assertEqual(self.bus.write_input(id, b"two\n", True), 4)
        self.bus.wait(id)
        self.assertEqual(self.bus.output(id)[0], b"one\n\0\xfftwo\n")

    def test_eof_alone(self):
        id = self.cat()
        self.assertEqual(self.bus.write_input(id, b"", True), 0)
        self.bus.wait(id)
        self.assertEqual(self.bus.properties(id)["Result"], "success")

    def test_the_job_waits_for_it(self):
        id = self.bus.start_sh("read x; echo $x; read y; echo $y", StandardInput="pipe").id
        self.bus.write_input(id, b"a\n")
        self.bus.wait_for_output(id, b"a\n")
        self.assertEqual(self.bus.property("State", id), "running")
        self.bus.write_input(id, b"b\n")
        self.bus.wait(id)
        self.assertEqual(self.bus.output(id)[0], b"a\nb\n")

    def test_after_eof(self):
        id = self.bus.start_sh("cat; sleep 100", StandardInput="pipe").id
        self.bus.write_input(id, b"x\n", True)
        self.bus.wait_for_output(id, b"x\n")
        for data, eof in ((b"y", False), (b"", True), (b"", False)):
            self.assert_error("InputClosed", call=lambda data=data, eof=eof: self.bus.write_input(id, data, eof))

    def test_child_that_closed_its_input(self):
        id = self.bus.start_sh("exec <&-; echo closed; exec sleep 100", StandardInput="pipe").id
        self.bus.wait_for_output(id, b"closed\n")
        fds = self.reeve.fds()
        self.assert_error("InputClosed", call=lambda: self.bus.write_input(id, b"x"))
        self.assert_error("InputClosed", call=lambda: self.bus.write_input(id, b"x"))
        self.assertEqual(self.reeve.fds(), fds - 1)

    def test_no_input(self):
        for options in ({}, {"StandardInput": "null"}, {"StandardInput": "data", "StandardInputData": b"x"}):
            id = self.bus.start(["sleep", "100"], **options).id
            self.assert_error("InputClosed", call=lambda id=id: self.bus.write_input(id, b"x"))

    def test_finished(self):
        id = self.cat()
        self.bus.write_input(id, b"", True)
        self.bus.wait(id)
        self.assert_error("InputClosed", call=lambda: self.bus.write_input(id, b"x"))
        fds = self.reeve.fds()
        id = self.bus.start(["true"], StandardInput="pipe").id
        self.bus.wait(id)
        self.assert_error("InputClosed", call=lambda: self.bus.write_input(id, b"x"))
        self.assert_fds_back(fds)

    def test_reader_that_outlives_the_leader(self):
        id = self.bus.start_sh("exec 3<&0; cat <&3 & exit 3", StandardInput="pipe").id
        self.bus.wait(id, "Exited")
        self.bus.write_input(id, b"still here\n", True)
        self.bus.wait(id)
        self.assertEqual(self.bus.output(id)[0], b"still here\n")

    def test_slow_reader(self):
        """Nothing is taken twice or lost, and PID 1 answers others meanwhile."""
        data = blob(3 << 20)
        id = self.bus.start(["md5sum"], StandardInput="pipe").id
        accepted = sizes = 0
        slowest = 0
        rest = data
        while rest:
            n = self.bus.write_input(id, rest, True)
            self.assertLessEqual(n, len(rest))
            accepted += n
            sizes += 1
            rest = rest[n:]
            before = time.monotonic()
            self.bus.ping()
            slowest = max(slowest, time.monotonic() - before)
        self.assertEqual(accepted, len(data))
        self.assertGreater(sizes, 2, "a pipe does not hold 3 MiB")
        self.bus.wait(id)
        self.assertEqual(self.bus.output(id)[0].split()[0].decode(), hashlib.md5(data).hexdigest())
        self.assertLess(slowest, 10)

    def test_reader_that_does_not_read(self):
        id = self.bus.start(["sleep", "100"], StandardInput="pipe").id
        first = self.bus.write_input(id, bytes(1 << 20))
        self.assert_between(4096, first, 1 << 20)
        self.assertEqual(self.bus.write_input(id, b"x" * 1000, True), 0)     # nothing fits: and so no end of it, either
        self.bus.ping()
        self.bus.stop({"Id": id}, TimeoutStopUSec=0)
        self.assert_error("InputClosed", call=lambda: self.bus.write_input(id, b"x"))

    def test_exec_reads_what_another_connection_writes(self):
        pending = self.bus.exec_later(["cat"], StandardInput="pipe", Id="fed")
        self.bus.wait_manager_signal("JobNew", "fed")
        with self.reeve.connect() as other:
            other.feed("fed", b"from another\n")
        self.assertEqual(pending.result().stdout, b"from another\n")

    def test_as_another_user(self):
        """The pipe is the user's: /dev/stdin can be opened."""
        id = self.bus.start(["cat", "/dev/stdin"], StandardInput="pipe", User="nobody").id
        self.bus.write_input(id, b"mine\n", True)
        self.bus.wait(id)
        self.assertEqual(self.bus.output(id)[:2], (b"mine\n", b""))

    def test_argument_types(self):
        id = self.cat()
        self.assert_error("InvalidArgs", call=lambda: self.bus.job(id, "WriteInput", "sb", "x", True))
        self.assert_error("NotATTY", call=lambda: self.bus.job(id, "ResizeTTY", "qq", 10, 10))


class TestDescriptors(BoxCase):
    """The job's 0, 1, 2 are what was given, and nobody else keeps a copy."""

    def setUp(self):
        self.fds = self.reeve.fds()

    def test_pipes(self):
        in_read, in_write = os.pipe()
        out_read, out_write = os.pipe()
        job = self.bus.start_sh("cat; echo end >&2", StandardInputFileDescriptor=in_read,
                                StandardOutputFileDescriptor=out_write)
        os.close(in_read)
        os.close(out_write)
        os.write(in_write, b"through\n")
        self.assertEqual(os.read(out_read, 100), b"through\n")
        os.close(in_write)
        self.assertEqual(os.read(out_read, 100), b"")       # reeve holds no copy of it
        os.close(out_read)
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[:2], (b"", b"end\n"))
        self.assert_error("InputClosed", call=lambda: self.bus.write_input(job.id, b"x"))
        self.assert_fds_back(self.fds)

    def test_file(self):
        path = "/tmp/reeve-descriptor-test"
        with open(path, "w+b") as file:
            file.write(b"before\n")
            file.flush()
            outcome = self.bus.sh("echo out; echo err >&2", StandardOutputFileDescriptor=file,
                                  StandardErrorFileDescriptor=file)
            self.assertEqual((outcome.stdout, outcome.stderr), (b"", b""))
            self.assertEqual(outcome.details["StdoutBytes"], 0)
            file.seek(0)
            self.assertEqual(file.read(), b"before\nout\nerr\n")
        os.unlink(path)
        self.assert_fds_back(self.fds)

    def test_socket(self):
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                job = self.bus.start(["cat"], StandardInputFileDescriptor=theirs, StandardOutputFileDescriptor=theirs)
            ours.sendall(b"both ways\n")
            self.assertEqual(ours.recv(100), b"both ways\n")
            ours.shutdown(socket.SHUT_WR)
            self.assertEqual(ours.recv(100), b"")
        self.bus.wait(job.id)
        self.assert_fds_back(self.fds)

    def test_terminal(self):
        """It is a terminal, but not the job's controlling one: that is the caller's."""
        master, slave = pty.openpty()
        outcome = self.bus.sh("test -t 0 && test -t 1 && test -t 2 && echo three; : </dev/tty",
                              StandardInputFileDescriptor=slave, StandardOutputFileDescriptor=slave,
                              StandardErrorFileDescriptor=slave)
        os.close(slave)
        self.assertTrue(os.read(master, 1000).startswith(b"three\r\n"))
        self.assertNotEqual(outcome.exit_code, 0)
        os.close(master)
        self.assert_fds_back(self.fds)

    def test_one_for_both(self):
        out_read, out_write = os.pipe()
        self.bus.sh("echo 1; echo 2 >&2; echo 3", MergeOutput=True, StandardOutputFileDescriptor=out_write)
        os.close(out_write)
        self.assertEqual(os.read(out_read, 100), b"1\n2\n3\n")
        os.close(out_read)

    def test_flags_are_the_callers(self):
        """Neither blocking nor anything else of the open file is changed."""
        out_read, out_write = os.pipe()
        before = fcntl.fcntl(out_write, fcntl.F_GETFL)
        self.bus.sh("echo x", StandardOutputFileDescriptor=out_write)
        self.assertEqual(fcntl.fcntl(out_write, fcntl.F_GETFL), before)
        os.close(out_read)
        os.close(out_write)

    def test_same_id_is_another_request(self):
        out_read, out_write = os.pipe()
        options = {"Id": "with-fd", "StandardOutputFileDescriptor": out_write}
        self.bus.start(["sleep", "100"], **options)
        self.assert_error("JobExists", "with-fd", call=lambda: self.bus.start(["sleep", "100"], **options))
        self.assert_error("JobExists", "with-fd", call=lambda: self.bus.start(["sleep", "100"], Id="with-fd"))
        os.close(out_read)
        os.close(out_write)
        self.bus.stop({"Id": "with-fd"}, TimeoutStopUSec=0)
        self.assert_fds_back(self.fds)

    def test_refused_requests_keep_none(self):
        out_read, out_write = os.pipe()
        key = "StandardOutputFileDescriptor"
        for options in ({"Nice": 77}, {"Nix": V("s", "")}, {"TTY": True}, {"User": "nobody-of-that-name"},
                        {"WorkingDirectory": "/nowhere"}):
            with self.subTest(options=options):
                with self.assertRaises(Exception):
                    self.bus.exec(["true"], **{key: out_write}, **options)
                with self.assertRaises(Exception):
                    self.bus.exec(["true"], **options, **{key: out_write})
        self.assert_error("CommandNotFound", call=lambda: self.bus.exec(["/nowhere"], **{key: out_write}))
        self.assert_error("InvalidArgs", key, call=lambda: self.bus.manager(
            "Exec", "asa{sv}", ["true"], [(key, ("h", out_write)), (key, ("h", out_write))]))
        os.close(out_write)
        self.assertEqual(os.read(out_read, 1), b"")
        os.close(out_read)
        self.assert_fds_back(self.fds)

    def test_a_number_without_a_descriptor(self):
        """What the message says to carry and does not is its maker's mistake."""
        with self.assertRaises(Exception):
            self.bus.exec(["true"], StandardOutputFileDescriptor=V("u", 5))
        self.bus.ping()


class TestTee(BoxCase):
    """The log and the descriptor both."""

    def setUp(self):
        self.fds = self.reeve.fds()

    def read_all(self, fd):
        got = b""
        while chunk := os.read(fd, 65536):
            got += chunk
        os.close(fd)
        return got

    def notes(self, id):
        return b"".join(r.data for r in self.bus.log(id, Streams=["note"]).records)

    def test_file(self):
        """What Exec answered is in the file by then."""
        for i in range(20):
            with open("/tmp/reeve-tee-test", "w+b") as file:
                outcome = self.bus.sh(f"echo {i}; echo err >&2; seq 10000", Tee=True, StandardOutputFileDescriptor=file)
                with open("/tmp/reeve-tee-test", "rb") as again:
                    self.assertEqual(again.read(), outcome.stdout)
            self.assertTrue(outcome.stdout.startswith(b"%d\n1\n2\n" % i))
            self.assertEqual(outcome.stderr, b"err\n")
            self.assertEqual(self.notes(outcome.id), b"")
        os.unlink("/tmp/reeve-tee-test")
        self.assert_fds_back(self.fds)

    def test_pipe_with_a_slow_reader(self):
        """It gets every byte, though the pipe holds few of them."""
        size = 1 << 20
        out_read, out_write = os.pipe()
        job = self.bus.start(self.reeve.payload("pattern", size), Tee=True, StandardOutputFileDescriptor=out_write,
                             LogMaxBytes=4 << 20)
        os.close(out_write)
        got = b""
        while chunk := os.read(out_read, 20000):
            got += chunk
            time.sleep(0.002)
        os.close(out_read)
        self.assertEqual(len(got), size)
        self.assertTrue(got.endswith(b"%015d\n" % (size // 16 - 1)))
        self.bus.wait(job.id)
        self.assertEqual(self.notes(job.id), b"")
        self.assert_fds_back(self.fds)

    def test_both_streams(self):
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        outcome = self.bus.sh("echo out; echo err >&2", Tee=True, StandardOutputFileDescriptor=out_write,
                              StandardErrorFileDescriptor=err_write)
        os.close(out_write)
        os.close(err_write)
        self.assertEqual((self.read_all(out_read), self.read_all(err_read)), (b"out\n", b"err\n"))
        self.assertEqual((outcome.stdout, outcome.stderr), (b"out\n", b"err\n"))

    def test_socket_and_terminal(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self.bus.sh("echo socket", Tee=True, StandardOutputFileDescriptor=theirs)
            self.assertEqual(ours.recv(100), b"socket\n")
        master, slave = pty.openpty()
        self.bus.sh("echo terminal", Tee=True, StandardOutputFileDescriptor=slave)
        self.assertEqual(os.read(master, 100), b"terminal\r\n")
        os.close(slave)
        os.close(master)
        self.assert_fds_back(self.fds)

    def test_merged(self):
        out_read, out_write = os.pipe()
        outcome = self.bus.sh("echo 1; echo 2 >&2; echo 3", Tee=True, MergeOutput=True, StandardOutputFileDescriptor=out_write)
        os.close(out_write)
        self.assertEqual(self.read_all(out_read), b"1\n2\n3\n")
        self.assertEqual(outcome.stdout, b"1\n2\n3\n")

    def test_flood_that_nobody_reads(self):
        """The job is not held up, PID 1 answers, and what was not taken is counted."""
        size = 64 << 20
        out_read, out_write = os.pipe()
        job = self.bus.start(self.reeve.payload("pattern", size), Tee=True, StandardOutputFileDescriptor=out_write)
        os.close(out_write)
        slowest = 0
        while self.bus.property("PID", job.id):
            before = time.monotonic()
            self.bus.ping()
            slowest = max(slowest, time.monotonic() - before)
        self.assertLess(slowest, 10)
        self.bus.wait(job.id)
        self.assertEqual(self.bus.property("LogBytes", job.id), size)
        taken = len(self.read_all(out_read))
        self.assertGreater(taken, 4095)
        notes = self.notes(job.id)
        self.assertIn(b"%d of %d bytes were not taken by StandardOutputFileDescriptor\n" % (size - taken, size), notes)
        self.assert_fds_back(self.fds)
        eventually(lambda: not self.reeve.processes(), 5, "the process that wrote has gone")

    def test_falling_behind_is_noted_when_it_happens(self):
        out_read, out_write = os.pipe()
        script = " ".join(self.reeve.payload("pattern", 500000)) + "; sleep 100"
        job = self.bus.start_sh(script, Tee=True, StandardOutputFileDescriptor=out_write, LogMaxBytes=1 << 20)
        eventually(lambda: b"StandardOutputFileDescriptor does not keep up" in self.notes(job.id), 10, "it is noted")
        os.close(out_read)
        os.close(out_write)

    def test_short_output_that_nobody_reads(self):
        """Exec answers in time, and the job ends soon after."""
        out_read, out_write = os.pipe()
        os.set_blocking(out_write, False)
        while True:
            try:
                os.write(out_write, bytes(4096))
            except BlockingIOError:
                break
        os.set_blocking(out_write, True)
        outcome = self.bus.sh("echo x", Tee=True, StandardOutputFileDescriptor=out_write)
        self.assertEqual(outcome.stdout, b"x\n")
        self.bus.wait(outcome.id)
        self.assertIn(b"2 of 2 bytes were not taken by StandardOutputFileDescriptor\n", self.notes(outcome.id))
        self.assertTrue(os.get_blocking(out_write))
        os.close(out_read)
        os.close(out_write)
        self.assert_fds_back(self.fds)

    def test_reader_that_goes(self):
        out_read, out_write = os.pipe()
        job = self.bus.start_sh("echo one; read x; echo two; read x; echo three", StandardInput="pipe", Tee=True,
                                StandardOutputFileDescriptor=out_write)
        os.close(out_write)
        self.assertEqual(os.read(out_read, 100), b"one\n")
        os.close(out_read)
        self.bus.write_input(job.id, b"\n")
        eventually(lambda: b"takes no more: Broken pipe (32 EPIPE)" in self.notes(job.id), 5, "it is noted")
        self.bus.write_input(job.id, b"\n")
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[0], b"one\ntwo\nthree\n")
        self.assertIn(b"10 of 14 bytes were not taken", self.notes(job.id))
        self.assert_fds_back(self.fds)

    def test_full_disk(self):
        with open("/dev/full", "wb", buffering=0) as full:
            outcome = self.bus.sh("echo x", Tee=True, StandardOutputFileDescriptor=full)
        self.bus.wait(outcome.id)
        self.assertEqual(outcome.stdout, b"x\n")
        self.assertIn(b"takes no more: No space left on device (28 ENOSPC)", self.notes(outcome.id))

    def test_not_for_writing(self):
        with open("/dev/null", "rb") as null:
            self.assert_error("InvalidArgs", "StandardErrorFileDescriptor", "writing", call=lambda: self.bus.exec(
                ["true"], Tee=True, StandardErrorFileDescriptor=null))
        self.assert_fds_back(self.fds)

    def test_stop(self):
        out_read, out_write = os.pipe()
        job = self.bus.start(self.reeve.payload("flood"), Tee=True, StandardOutputFileDescriptor=out_write)
        os.close(out_write)
        os.read(out_read, 1)
        self.assertEqual(self.bus.stop({"Id": job.id}, TimeoutStopUSec=0)[2], 0)
        self.bus.wait(job.id)
        os.close(out_read)
        self.assert_fds_back(self.fds)

    def test_orphans_are_not_counted(self):
        before = self.bus.property("NOrphansReaped")
        self.test_both_streams()
        eventually(lambda: not self.reeve.processes(), 5, "the processes that wrote have gone")
        self.assertEqual(self.bus.property("NOrphansReaped"), before)


class TestThreads(BoxCase):

    def test_many_at_once(self):
        """Twenty writers, twenty jobs."""
        ids = [self.bus.start(["md5sum"], StandardInput="pipe").id for _ in range(20)]
        data = [blob(100000 + i) for i in range(20)]
        threads = [threading.Thread(target=self.bus.feed, args=pair) for pair in zip(ids, data)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for id, sent in zip(ids, data):
            self.bus.wait(id)
            self.assertEqual(self.bus.output(id)[0].split()[0].decode(), hashlib.md5(sent).hexdigest())
