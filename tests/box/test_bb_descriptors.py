"""Descriptors that a caller passes in: the job's own from then on, and nobody else's."""

import array
import contextlib
import fcntl
import os
import select
import signal
import socket
import tempfile
import time

from jeepney.low_level import HeaderFields

from bb import Follower, all_log, close_end, pipe, read_to_end, settled_fds, unread
from case import BoxCase, Stopwatch
from client import DBUS, DBusError, MANAGER, ROOT, V, authenticate, connect, method_call, variants
from rig import eventually

MIB = 1 << 20


class TestOutput(BoxCase):

    def test_a_file(self):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            outcome = self.bus.sh("echo out; echo err >&2; exit 3", StandardOutputFileDescriptor=out.fileno(),
                                  StandardErrorFileDescriptor=err.fileno())
            self.assert_outcome(outcome, "exit-code", 3)
            out.seek(0)
            err.seek(0)
            self.assertEqual((out.read(), err.read()), (b"out\n", b"err\n"))
        # Instead of the log.
        self.bus.wait(outcome.id)
        self.assertEqual((outcome.stdout, outcome.stderr, self.bus.property("LogBytes", outcome.id)), (b"", b"", 0))
        self.assertEqual([r for r in self.bus.log(outcome.id).records if r.stream != 3], [])

    def test_one_of_them(self):
        with tempfile.TemporaryFile() as out:
            outcome = self.bus.sh("echo out; echo err >&2", StandardOutputFileDescriptor=out.fileno())
            out.seek(0)
            self.assertEqual((out.read(), outcome.stdout, outcome.stderr), (b"out\n", b"", b"err\n"))
        with tempfile.TemporaryFile() as err:
            outcome = self.bus.sh("echo out; echo err >&2", StandardErrorFileDescriptor=err.fileno())
            err.seek(0)
            self.assertEqual((err.read(), outcome.stdout, outcome.stderr), (b"err\n", b"out\n", b""))

    def test_a_file_at_its_offset(self):
        """It is the caller's open file, not another one of that name."""
        with tempfile.TemporaryFile() as out:
            out.write(b"before\n")
            out.flush()
            self.bus.sh("echo one; echo two >&2", StandardOutputFileDescriptor=out.fileno(), StandardErrorFileDescriptor=out.fileno())
            self.assertEqual(out.tell(), len(b"before\none\ntwo\n"))
            out.seek(0)
            self.assertEqual(out.read(), b"before\none\ntwo\n")

    def test_a_pipe_ends_with_the_job(self):
        """reeve keeps no copy: the reader sees the end as soon as the job is gone, and no sooner."""
        for how in ("exit", "kill", "stop"):
            with self.subTest(how=how), pipe() as ends:
                job = self.bus.start_sh("echo out; echo err >&2; " + ("exit 0" if how == "exit" else "exec sleep 1000"),
                                        StandardOutputFileDescriptor=ends[1], StandardErrorFileDescriptor=ends[1])
                close_end(ends, 1)
                if how == "kill":
                    self.bus.kill(9, Id=job.id)
                elif how == "stop":
                    self.bus.stop({"Id": job.id})
                data = read_to_end(ends[0])
                self.assertTrue(b"out\nerr\n".startswith(data), data)
                if how == "exit":
                    self.assertEqual(data, b"out\nerr\n")

    def test_a_pipe_that_nobody_reads_stops_the_job_alone(self):
        """As in a shell: the command waits for its reader; PID 1 and the others do not."""
        with pipe() as ends:
            job = self.bus.start(self.reeve.payload("pattern", MIB), StandardOutputFileDescriptor=ends[1])
            close_end(ends, 1)
            with Stopwatch() as watch:
                self.assertEqual(self.bus.sh("exit 3").exit_code, 3)
            self.assertLess(watch.seconds, 10)
            self.assert_error("Timeout", call=lambda: self.bus.wait_later(job.id, "Exited", 0).result())
            self.assertEqual(len(read_to_end(ends[0])), MIB)
            self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 0)

    def test_a_socketpair_in_both_directions(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            job = self.bus.start(["cat"], StandardInputFileDescriptor=theirs.fileno(), StandardOutputFileDescriptor=theirs.fileno())
            theirs.close()
            ours.settimeout(10)
            ours.sendall(b"there and back\n")
            self.assertEqual(ours.recv(100), b"there and back\n")
            ours.shutdown(socket.SHUT_WR)
            self.assertEqual(ours.recv(100), b"", "cat ended, and with it the other end")
        self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 0)

    def test_flags_of_the_open_file_are_left_alone(self):
        with pipe() as ends:
            before = fcntl.fcntl(ends[1], fcntl.F_GETFL)
            self.bus.exec(["true"], StandardOutputFileDescriptor=ends[1])
            self.assertEqual(fcntl.fcntl(ends[1], fcntl.F_GETFL), before)

    def test_the_job_has_no_others(self):
        with pipe() as ends, open(os.devnull, "rb") as null:
            self.bus.exec(self.reeve.payload("fds"), StandardOutputFileDescriptor=ends[1], StandardInputFileDescriptor=null.fileno())
            close_end(ends, 1)
            self.assertEqual(read_to_end(ends[0]).split(), [b"0", b"1", b"2"])

    def test_start_and_what_it_prints_first(self):
        with pipe() as ends:
            job = self.bus.start_sh("echo out; echo err >&2", StandardOutputFileDescriptor=ends[1], InitialOutputUSec=5000000)
            self.assertEqual((job.details["InitialStdout"], job.details["InitialStderr"]), (b"", b"err\n"))

    def test_as_another_user(self):
        with tempfile.TemporaryFile() as out:
            self.assert_outcome(self.bus.sh("id -un", User="box", StandardOutputFileDescriptor=out.fileno()), "success")
            out.seek(0)
            self.assertEqual(out.read(), b"box\n")


class TestInput(BoxCase):

    def test_a_file(self):
        with tempfile.TemporaryFile() as f:
            f.write(b"skipped\nread\n")
            f.seek(len(b"skipped\n"))
            self.assertEqual(self.bus.exec(["cat"], StandardInputFileDescriptor=f.fileno()).stdout, b"read\n")

    def test_a_pipe(self):
        with pipe() as ends:
            pending = self.bus.exec_later(["cat"], StandardInputFileDescriptor=ends[0], Id="reads")
            self.bus.wait_manager_signal("JobNew", "reads")
            close_end(ends, 0)
            os.write(ends[1], b"through\n")
            close_end(ends, 1)
            self.assertEqual(pending.result().stdout, b"through\n")

    def test_the_writer_sees_the_job_go(self):
        """reeve keeps no copy of this end either."""
        with pipe() as ends:
            job = self.bus.start(["sleep", "1000"], StandardInputFileDescriptor=ends[0])
            close_end(ends, 0)
            os.write(ends[1], b"x")
            self.bus.stop({"Id": job.id})

            def broken():
                poll = select.poll()
                poll.register(ends[1], 0)
                return any(events & select.POLLERR for _, events in poll.poll(0))
            eventually(broken, 5, "nobody holds the other end")

    def test_write_input_is_not_for_these(self):
        with pipe() as ends:
            job = self.bus.start(["cat"], StandardInputFileDescriptor=ends[0])
            self.assert_error("InputClosed", call=lambda: self.bus.job(job.id, "WriteInput", "ayb", b"x", False))

    def test_input_output_and_error(self):
        with pipe() as a, pipe() as b, pipe() as c:
            self.bus.start_sh("cat; echo err >&2", StandardInputFileDescriptor=a[0], StandardOutputFileDescriptor=b[1],
                              StandardErrorFileDescriptor=c[1])
            for ends, i in ((a, 0), (b, 1), (c, 1)):
                close_end(ends, i)
            os.write(a[1], b"in\n")
            close_end(a, 1)
            self.assertEqual((read_to_end(b[0]), read_to_end(c[0])), (b"in\n", b"err\n"))


class TestTee(BoxCase):

    def test_a_file(self):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            outcome = self.bus.sh("seq 1 10000; echo err >&2", StandardOutputFileDescriptor=out.fileno(),
                                  StandardErrorFileDescriptor=err.fileno(), Tee=True)
            self.bus.wait(outcome.id)
            out.seek(0)
            err.seek(0)
            want = b"".join(b"%d\n" % i for i in range(1, 10001))
            self.assertEqual((outcome.stdout, outcome.stderr), (want, b"err\n"))
            self.assertEqual((out.read(), err.read()), (want, b"err\n"))

    def test_a_pipe_that_is_read(self):
        """A reader that takes what comes has all of it, and then the end."""
        size = MIB
        with pipe() as ends:
            job = self.bus.start(self.reeve.payload("pattern", size), StandardOutputFileDescriptor=ends[1], Tee=True,
                                 LogMaxBytes=8 * MIB)
            close_end(ends, 1)
            with Follower(os.dup(ends[0])) as reader:
                data = reader.wait_end(30)
        want = b"".join(b"%015d\n" % i for i in range(size // 16))
        self.assertTrue(data == want, (len(data), size))
        self.bus.wait(job.id)
        self.assertTrue(self.bus.output(job.id, MaxBytes=8 * MIB)[0] == want)

    def test_a_socketpair(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            outcome = self.bus.sh("echo x", StandardOutputFileDescriptor=theirs.fileno(), Tee=True)
            theirs.close()
            self.assertEqual((outcome.stdout, read_to_end(ours.fileno())), (b"x\n", b"x\n"))

    def test_one_of_them_only(self):
        with tempfile.TemporaryFile() as out:
            outcome = self.bus.sh("echo out; echo err >&2", StandardOutputFileDescriptor=out.fileno(), Tee=True)
            self.bus.wait(outcome.id)
            out.seek(0)
            self.assertEqual((outcome.stdout, outcome.stderr, out.read()), (b"out\n", b"err\n", b"out\n"))

    def test_nobody_reads(self):
        """Neither job nor PID 1 wait for ever; the log has all of it, and says what the descriptor did not get."""
        size, memory = 4 * MIB, self.reeve.memory()
        with pipe() as ends:
            job = self.bus.start(self.reeve.payload("pattern", size), StandardOutputFileDescriptor=ends[1], Tee=True,
                                 LogMaxBytes=8 * MIB)
            with Stopwatch() as watch:
                self.assertEqual(self.bus.sh("exit 3").exit_code, 3)
            self.assertLess(watch.seconds, 10)
            self.assertEqual(self.bus.wait(job.id, timeout=30)[1]["ExitCode"], 0)
            close_end(ends, 1)
            self.assertEqual(self.bus.property("LogBytes", job.id), size)
            got = unread(ends[0])
            notes = [r.data for r in all_log(self.bus, job.id) if r.stream == 3]
            self.assertTrue(notes, "a note says that not all was taken")
            self.assertTrue(any(str(size - got).encode() in note for note in notes), (size - got, notes))
            data = read_to_end(ends[0])
            self.assertEqual(data, b"".join(b"%015d\n" % i for i in range(size // 16))[:got])
        self.assert_memory(memory, 16 * MIB)

    def test_a_slow_reader(self):
        """It has all of it, or the log says how much it has not, whatever the pace."""
        size = 2 * MIB
        for pause in (0.0005, 0.01, 0.2):
            with self.subTest(pause=pause), pipe() as ends:
                job = self.bus.start(self.reeve.payload("pattern", size), StandardOutputFileDescriptor=ends[1], Tee=True,
                                     LogMaxBytes=16 * MIB)
                close_end(ends, 1)
                got, data = 0, b""
                while chunk := os.read(ends[0], 65536):
                    got += len(chunk)
                    data += chunk
                    time.sleep(pause)       # such is its pace
                self.bus.wait(job.id)
                notes = [int(r.data.split()[0]) for r in all_log(self.bus, job.id) if r.stream == 3 and b"not taken" in r.data]
                self.assertEqual(got + sum(notes), size)
                self.assertEqual(self.bus.property("LogBytes", job.id), size)
                numbers = [int(line) for line in data.split(b"\n") if len(line) == 15]
                self.assertEqual(numbers, sorted(set(numbers)))

    def test_contradictions(self):
        for options in ({"Tee": True}, {"Tee": True, "TTY": True}):
            self.assert_error("InvalidArgs", "Tee", call=lambda options=options: self.bus.exec(["true"], **options))

    def test_a_reader_that_goes(self):
        """The job is no victim of SIGPIPE, nor is reeve; the log is whole."""
        with pipe() as ends:
            job = self.bus.start_sh("read x; seq 1 100000; exit 4", StandardInput="pipe", StandardOutputFileDescriptor=ends[1],
                                    Tee=True, LogMaxBytes=4 * MIB)
            close_end(ends, 1)
            close_end(ends, 0)
            self.bus.job(job.id, "WriteInput", "ayb", b"go\n", False)
            self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 4)
        self.assertEqual(self.bus.output(job.id)[0], b"".join(b"%d\n" % i for i in range(1, 100001)))

    def not_taken(self, id):
        return sum(int(r.data.split()[0]) for r in all_log(self.bus, id) if r.stream == 3 and b"not taken" in r.data)

    def test_whoever_writes_it_is_killed(self):
        """By a root job that kills whatever it reaches: the job goes on, its log is whole, and what is missing is said."""
        code = "import os, time; print('one', flush=True); input(); os.kill(-1, 9); print('two'); exit(5)"
        with pipe() as ends:
            job = self.bus.start(["python3", "-c", code], StandardInput="pipe", StandardOutputFileDescriptor=ends[1], Tee=True)
            close_end(ends, 1)
            self.assertEqual(os.read(ends[0], 100), b"one\n")
            self.bus.job(job.id, "WriteInput", "ayb", b"go\n", False)
            got = 4 + len(read_to_end(ends[0]))
            self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 5)
        # Whether its last write came through is known only to the one that was killed.
        self.assertEqual(self.bus.output(job.id)[0], b"one\ntwo\n")
        self.assertIn(self.not_taken(job.id), (8 - got, 8))

    def test_whoever_writes_it_is_stopped(self):
        with pipe() as ends:
            job = self.bus.start_sh("echo one; read x; seq 1 1000; exit 5", StandardInput="pipe", StandardOutputFileDescriptor=ends[1],
                                    Tee=True)
            close_end(ends, 1)
            self.assertEqual(os.read(ends[0], 100), b"one\n")
            for pid in self.reeve.processes():
                if self.reeve.inner_pid(pid) != job.pid:
                    os.kill(pid, signal.SIGSTOP)
            self.bus.job(job.id, "WriteInput", "ayb", b"go\n", False)
            self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 5)
            got = 4 + len(read_to_end(ends[0]))
        total = self.bus.property("LogBytes", job.id)
        self.assertIn(self.not_taken(job.id), (total - got, total))

    def test_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            outcome = self.bus.sh("echo x; exit 5", StandardOutputFileDescriptor=full.fileno(), Tee=True)
        self.assertEqual((outcome.exit_code, outcome.stdout), (5, b"x\n"))

    def test_no_descriptor_stays(self):
        before = settled_fds(self.reeve)
        for _ in range(10):
            with pipe() as ends:
                job = self.bus.start_sh("echo x; echo y >&2", StandardOutputFileDescriptor=ends[1],
                                        StandardErrorFileDescriptor=ends[1], Tee=True)
                close_end(ends, 1)
                self.assertEqual(sorted(read_to_end(ends[0]).split()), [b"x", b"y"])
            self.bus.wait(job.id)
        self.assert_fds_back(before)


class TestRefused(BoxCase):

    def refused(self, name, *words, options, argv=("touch", "/tmp/never")):
        before = self.reeve.fds()
        with pipe() as ends:
            for member in ("Start", "Exec"):
                filled = {key: (ends[1] if value == "FD" else value) for key, value in options.items()}
                self.assert_error(name, *words, call=lambda member=member, filled=filled: self.bus.manager(
                    member, "asa{sv}", list(argv), variants(filled)))
            close_end(ends, 1)
            self.assertEqual(read_to_end(ends[0]), b"", "reeve has let go of it")
        self.assertEqual(self.bus.sh("test -e /tmp/never").exit_code, 1)
        self.assert_fds_back(before)

    def test_contradictions(self):
        for options, key in (({"StandardInput": "pipe", "StandardInputFileDescriptor": "FD"}, "StandardInput"),
                             ({"StandardInput": "data", "StandardInputData": b"x", "StandardInputFileDescriptor": "FD"}, "StandardInput"),
                             ({"TTY": True, "StandardInputFileDescriptor": "FD"}, "StandardInput"),
                             ({"TTY": True, "StandardOutputFileDescriptor": "FD"}, "StandardOutputFileDescriptor"),
                             ({"TTY": True, "StandardErrorFileDescriptor": "FD"}, "StandardErrorFileDescriptor"),
                             ({"StandardOutputFileDescriptor": "FD", "Tee": V("s", "yes")}, "Tee"),
                             ({"StandardOutputFileDescriptor": V("i", 1)}, "StandardOutputFileDescriptor"),
                             ({"StandardOutputFileDescriptor": "FD", "Nonsense": V("b", True)}, "Nonsense")):
            with self.subTest(options=options):
                self.refused("InvalidArgs", key, options=options)

    def test_a_start_that_fails(self):
        self.refused("CommandNotFound", options={"StandardOutputFileDescriptor": "FD"}, argv=["/nonexistent"])
        self.refused("BadWorkingDirectory", options={"StandardOutputFileDescriptor": "FD", "WorkingDirectory": "/nonexistent"})

    def test_the_same_id(self):
        """With descriptors no two requests are the same."""
        with pipe() as ends, pipe() as others:
            options = {"StandardOutputFileDescriptor": ends[1], "Id": "once"}
            self.bus.start(["sleep", "1000"], **options)
            self.assert_error("JobExists", call=lambda: self.bus.start(["sleep", "1000"], **options))
            options["StandardOutputFileDescriptor"] = others[1]
            self.assert_error("JobExists", call=lambda: self.bus.start(["sleep", "1000"], **options))
            self.assert_error("JobExists", call=lambda: self.bus.start(["sleep", "1000"], Id="once"))
            close_end(others, 1)
            self.assertEqual(read_to_end(others[0]), b"")
            self.bus.stop({"Id": "once"})
            self.assert_error("JobExists", call=lambda: self.bus.exec(["sleep", "1000"], StandardOutputFileDescriptor=ends[1],
                                                                      Id="once"))


class TestMessages(BoxCase):
    """Descriptors that nobody asked for, and indices that lead nowhere."""

    def hello(self):
        s = connect(self.reeve.address)
        authenticate(s)
        s.sendall(method_call("/org/freedesktop/DBus", DBUS, "Hello", destination=DBUS))
        self.assertTrue(s.recv(65536))
        return s

    def send(self, s, fds, signature, body, serial, announced):
        message = method_call(ROOT, MANAGER, "Start", signature, body, serial=serial, more={HeaderFields.unix_fds: announced})
        s.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])

    def test_unasked_ones_do_not_pile_up(self):
        before = settled_fds(self.reeve)
        with open(os.devnull, "rb") as null, self.hello() as s:
            for i in range(2, 60):
                self.send(s, [null.fileno()] * 10, "asa{sv}", (["true"], {}), i, 10)
            eventually(lambda: self.bus.property("NRunning") == 0 and len(self.bus.jobs()) >= 58, 15, "all have run")
            self.assertLess(settled_fds(self.reeve), before + 20)
        self.assert_fds_back(before)

    def test_the_job_does_not_get_them(self):
        with pipe() as ends, self.hello() as s:
            self.send(s, [ends[1]] * 3, "asa{sv}", (["sleep", "1000"], {"Id": ("s", "clean")}), 2, 3)
            self.bus.wait_manager_signal("JobNew", "clean")
            self.bus.ping()
            close_end(ends, 1)
            self.assertEqual(read_to_end(ends[0]), b"")

    def test_an_index_without_a_descriptor(self):
        """Refused or hung up on; never another one's descriptor, and never the end of reeve."""
        before = settled_fds(self.reeve)
        for index in (1, 7, 2 ** 31, 2 ** 32 - 1):
            with self.subTest(index=index), open(os.devnull, "wb") as null, self.hello() as s:
                body = (["sleep", "1000"], {"StandardOutputFileDescriptor": ("u", index)})
                message = method_call(ROOT, MANAGER, "Start", "asa{sv}", body, serial=2, more={HeaderFields.unix_fds: 1})
                head, tail = message.rsplit(b"\x01u\0", 1)     # the variant's signature
                message = head + b"\x01h\0" + tail
                s.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null.fileno()]))])
                s.settimeout(10)
                answer = b""
                with contextlib.suppress(ConnectionResetError):
                    while b"Error." not in answer and (chunk := s.recv(65536)):
                        answer += chunk
                self.assertNotIn(b"/org/reeve1/job", answer)
                self.bus.ping()
        self.assertEqual(self.bus.property("NRunning"), 0)
        self.assert_fds_back(before)

    def test_none_at_all(self):
        try:
            self.bus.manager("Start", "asa{sv}", ["true"], {"StandardOutputFileDescriptor": ("u", 0)})
            self.fail("a number is no descriptor")
        except DBusError as e:
            self.assertTrue(e.name.endswith(".InvalidArgs"), e)
            self.assertIn("StandardOutputFileDescriptor", e.message)
