"""StandardInput "pipe" and "data", and WriteInput: every byte accepted is one that arrives, and nobody waits."""

import hashlib
import os

from bb import Gate, settled_fds, write_all_input, write_input
from case import BoxCase, FreshCase, Stopwatch
from client import DBusError, V
from rig import eventually

MIB = 1 << 20


class TestPipe(BoxCase):

    def cat(self, **options):
        return self.bus.start(["cat"], StandardInput="pipe", **options)

    def test_what_goes_in_comes_out(self):
        job = self.cat()
        self.assertEqual(write_input(self.bus, job.id, b"hello\n"), 6)
        self.bus.wait_for_output(job.id, b"hello\n")
        self.assertEqual(write_input(self.bus, job.id, b"world\n", True), 6)
        reached, details = self.bus.wait(job.id)
        self.assertEqual((reached, details["ExitCode"], self.bus.output(job.id)[0]), ("Finished", 0, b"hello\nworld\n"))

    def test_all_bytes(self):
        data = bytes(range(256)) * 8
        job = self.cat()
        write_all_input(self.bus, job.id, data, True)
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[0], data)

    def test_nothing_is_no_end(self):
        job = self.cat()
        self.assertEqual(write_input(self.bus, job.id, b""), 0)
        self.assertEqual(write_input(self.bus, job.id, b"x\n"), 2)
        self.bus.wait_for_output(job.id, b"x\n")
        self.assertEqual(write_input(self.bus, job.id, b"", True), 0)
        self.bus.wait(job.id)

    def test_it_stays_open_without_anybody_writing(self):
        """EOF comes when it is sent, not when a connection goes."""
        with self.reeve.connect() as other:
            job = other.start(["cat"], StandardInput="pipe")
            write_input(other, job.id, b"first\n")
        write_input(self.bus, job.id, b"second\n", True)
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[0], b"first\nsecond\n")

    def test_with_exec(self):
        pending = self.bus.exec_later(["sort"], StandardInput="pipe", Id="sorted")
        self.bus.wait_manager_signal("JobNew", "sorted")
        write_input(self.bus, "sorted", b"b\na\n")
        write_input(self.bus, "sorted", b"c\n", True)
        self.assertEqual(pending.result().stdout, b"a\nb\nc\n")

    def test_it_is_a_pipe_and_no_other_ends_are_there(self):
        outcome_script = "readlink /proc/self/fd/0; ls /proc/self/fd | wc -l; exec cat >/dev/null"
        job = self.bus.start_sh(outcome_script, StandardInput="pipe")
        out = self.bus.wait_for_output(job.id, b"4\n")
        self.assertTrue(out.startswith(b"pipe:["), out)
        write_input(self.bus, job.id, b"", True)
        self.bus.wait(job.id)

    def test_large_to_a_fast_reader(self):
        data = os.urandom(6 * MIB)
        job = self.bus.start(["md5sum"], StandardInput="pipe")
        for i in range(0, len(data), MIB):
            write_all_input(self.bus, job.id, data[i:i + MIB], i + MIB == len(data))
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[0].split()[0].decode(), hashlib.md5(data).hexdigest())


class TestSlowReader(BoxCase):

    def stuffed(self, gate, data):
        """A job that does not read yet, given as much of data as was accepted: the job, how much."""
        job = self.bus.start_sh(f"echo ready; {gate.read}; exec md5sum", StandardInput="pipe")
        self.bus.wait_for_output(job.id, b"ready")
        sent = 0
        while sent < len(data):
            block = data[sent:sent + MIB // 2]
            with Stopwatch() as watch:
                accepted = write_input(self.bus, job.id, block)
            self.assertLess(watch.seconds, 10, "how much was taken now, not later")
            self.assertLessEqual(accepted, len(block))
            sent += accepted
            if accepted < len(block) and write_input(self.bus, job.id, data[sent:sent + 1]) == 0:
                return job, sent
        self.fail(f"all of {len(data)} bytes were accepted, though nobody reads")

    def test_accepted_counts_what_was_taken(self):
        data, memory = os.urandom(6 * MIB), self.reeve.memory()
        with Gate(self.reeve) as gate:
            job, sent = self.stuffed(gate, data)
            self.assertGreater(sent, 0)
            self.assertLessEqual(sent, 4 * MIB, "bounded")
            for _ in range(5):
                self.assertEqual(write_input(self.bus, job.id, data[sent:sent + 100]), 0)
            # PID 1 does not wait, others are served, and its memory is bounded.
            with Stopwatch() as watch:
                self.assertEqual(self.bus.sh("exit 3").exit_code, 3)
            self.assertLess(watch.seconds, 10)
            self.assert_memory(memory, 8 * MIB)
            gate.open()
            write_all_input(self.bus, job.id, data[sent:-1000])
            write_all_input(self.bus, job.id, data[-1000:], True)
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[0].split()[1].decode(), hashlib.md5(data).hexdigest())

    def test_eof_with_what_was_there_before(self):
        """The end stands behind all that was accepted."""
        data = os.urandom(6 * MIB)
        with Gate(self.reeve) as gate:
            job, sent = self.stuffed(gate, data)
            write_input(self.bus, job.id, b"", True)
            self.assert_error("InputClosed", call=lambda: write_input(self.bus, job.id, b"more"))
            gate.open()
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[0].split()[1].decode(), hashlib.md5(data[:sent]).hexdigest())

    def test_eof_with_data_that_does_not_fit(self):
        """The rest may be written again: the input is closed after data, that is after all of it."""
        data = os.urandom(2 * MIB)
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"{gate.read}; exec md5sum", StandardInput="pipe")
            accepted = write_input(self.bus, job.id, data, True)
            self.assertLess(accepted, len(data))
            gate.open()
            write_all_input(self.bus, job.id, data[accepted:], True, block=len(data))
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[0].split()[0].decode(), hashlib.md5(data).hexdigest())

    def test_a_byte_at_a_time_by_many(self):
        """Several clients write to one job: each byte accepted arrives once."""
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"{gate.read}; exec wc -c", StandardInput="pipe")
            accepted = 0
            clients = [self.reeve.connect() for _ in range(5)]
            for _ in range(40):
                for i, connection in enumerate(clients):
                    accepted += write_input(connection, job.id, b"x" * (1 + i * 5000))
            gate.open()
            write_input(self.bus, job.id, b"", True)
            self.bus.wait(job.id)
            self.assertEqual(int(self.bus.output(job.id)[0]), accepted)
        for connection in clients:
            connection.close()

    def test_small_writes_are_whole(self):
        """Up to 4 KiB are taken whole or not at all: what several write into one pipe does not mix."""
        clients = [self.reeve.connect() for _ in range(4)]
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"{gate.read}; exec cat", StandardInput="pipe", LogMaxBytes=4 * MIB, OutputMaxBytes=2 * MIB)
            taken = [0] * 4
            for size in (4095, 100, 4095, 1, 3000):
                for _ in range(10):
                    for i, connection in enumerate(clients):
                        accepted = write_input(connection, job.id, b"%d" % i * size + b"\n")
                        self.assertIn(accepted, (0, size + 1))
                        taken[i] += accepted
            gate.open()
            write_input(self.bus, job.id, b"", True)
            self.bus.wait(job.id)
        out = self.bus.output(job.id, MaxBytes=2 * MIB)[0]
        self.assertEqual(len(out), sum(taken))
        for line in out.split(b"\n"):
            self.assertLessEqual(len(set(line)), 1, "one line, one writer")
        for connection in clients:
            connection.close()

    def test_a_job_that_never_reads_is_stopped(self):
        before = settled_fds(self.reeve)
        with Gate(self.reeve) as gate:
            job, _ = self.stuffed(gate, os.urandom(6 * MIB))
            self.assertEqual(self.bus.stop({"Id": job.id})[2], 0)
            self.assert_error("InputClosed", call=lambda: write_input(self.bus, job.id, b"x"))
        self.assert_fds_back(before)


class TestProperty(BoxCase):

    def test_what_the_input_is(self):
        with open("/dev/null", "rb") as null:
            for options, kind in (({}, "null"), ({"StandardInput": "null"}, "null"), ({"StandardInput": "pipe"}, "pipe"),
                                  ({"StandardInput": "data", "StandardInputData": b"x"}, "data"), ({"TTY": True}, "tty"),
                                  ({"StandardInputFileDescriptor": null.fileno()}, "fd")):
                job = self.bus.start(["sleep", "1000"], **options)
                self.assertEqual(self.bus.property("StandardInput", job.id), kind)


class TestClosed(BoxCase):

    def closed(self, id, data=b"x\n"):
        self.assert_error("InputClosed", call=lambda: write_input(self.bus, id, data))

    def test_after_eof(self):
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"cat; {gate.read}", StandardInput="pipe")
            write_input(self.bus, job.id, b"x\n", True)
            for data in (b"", b"y\n"):
                self.closed(job.id, data)
            self.assert_error("InputClosed", call=lambda: write_input(self.bus, job.id, b"", True))
            gate.open()
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[0], b"x\n")

    def test_a_job_that_takes_none(self):
        for options in ({}, {"StandardInput": "null"}, {"StandardInput": "data", "StandardInputData": b"abc"}):
            with self.subTest(options=options):
                job = self.bus.start(["sleep", "1000"], **options)
                self.closed(job.id)
                self.assert_error("InputClosed", call=lambda job=job: write_input(self.bus, job.id, b"", True))

    def test_a_job_that_is_finished(self):
        job = self.bus.start(["true"], StandardInput="pipe")
        self.bus.wait(job.id)
        self.closed(job.id)

    def test_a_child_that_closed_its_input(self):
        """As soon as nobody can read it any more; neither job nor reeve are hurt."""
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"exec <&-; echo closed; {gate.read}; exit 5", StandardInput="pipe")
            self.bus.wait_for_output(job.id, b"closed\n")

            def refused():
                try:
                    write_input(self.bus, job.id, b"x" * 1000)
                    return False
                except DBusError as e:
                    self.assertTrue(e.name.endswith(".InputClosed"), e)
                    return True
            eventually(refused, 5, "InputClosed")
            gate.open()
            self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 5)

    def test_a_leader_that_ends_and_a_child_that_reads_on(self):
        """The input is the job's, not the leader's."""
        outcome = self.bus.sh("exec 3<&0; (cat <&3; echo end) & exit 3", StandardInput="pipe")
        self.assertEqual(outcome.exit_code, 3)
        write_input(self.bus, outcome.id, b"late\n", True)
        self.bus.wait(outcome.id)
        self.assertEqual(self.bus.output(outcome.id)[0], b"late\nend\n")

    def test_no_such_job(self):
        self.assert_error("UnknownObject", call=lambda: write_input(self.bus, "nosuch", b"x"))

    def test_descriptors_come_back(self):
        before = settled_fds(self.reeve)
        for i in range(20):
            job = self.bus.start(["cat"], StandardInput="pipe")
            if i % 3 == 0:
                write_input(self.bus, job.id, b"x", True)
            elif i % 3 == 1:
                self.bus.kill(9, Id=job.id)
            else:
                self.bus.stop({"Id": job.id})
            self.bus.wait(job.id)
        self.assert_fds_back(before)


class TestData(BoxCase):

    def test_large_to_a_slow_reader(self):
        """The start does not wait for it, nor does anybody else."""
        data, memory = os.urandom(3 * MIB), self.reeve.memory()
        with Gate(self.reeve) as gate:
            with Stopwatch() as watch:
                job = self.bus.start_sh(f"{gate.read}; exec md5sum", StandardInput="data", StandardInputData=data)
                self.assertEqual(self.bus.sh("exit 3").exit_code, 3)
            self.assertLess(watch.seconds, 10)
            gate.open()
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[0].split()[0].decode(), hashlib.md5(data).hexdigest())
        self.bus.job(job.id, "Forget")
        self.assert_memory(memory, 12 * MIB, timeout=5)

    def test_empty(self):
        self.assertEqual(self.bus.exec(["wc", "-c"], StandardInput="data", StandardInputData=b"").stdout, b"0\n")

    def test_a_child_that_does_not_read_it(self):
        self.assert_outcome(self.bus.exec(["true"], StandardInput="data", StandardInputData=b"x" * MIB), "success")


class TestRefused(BoxCase):

    def refused(self, *words, **options):
        before = self.reeve.fds()
        for call in (self.bus.start, self.bus.exec):
            self.assert_error("InvalidArgs", *words, call=lambda call=call: call(["touch", "/tmp/never"], **options))
        self.assertEqual(self.bus.sh("test -e /tmp/never").exit_code, 1, "nothing is started")
        self.assert_fds_back(before)

    def test_each(self):
        self.refused("StandardInput", StandardInput="tty")
        self.refused("StandardInput", StandardInput="")
        self.refused("StandardInput", StandardInput=V("b", True))
        self.refused("StandardInputData", StandardInputData=b"x")
        self.refused("StandardInputData", StandardInput="pipe", StandardInputData=b"x")
        self.refused("StandardInputData", StandardInput="null", StandardInputData=b"x")
        self.refused("StandardInputData", StandardInput="data", StandardInputData=V("s", "x"))
        self.refused("StandardInput", TTY=True, StandardInput="pipe")
        self.refused("StandardInput", TTY=True, StandardInput="data", StandardInputData=b"x")
        self.refused("StandardInputData", TTY=True, StandardInputData=b"x")
        self.refused("TTY", TTY=V("s", "yes"))
        self.refused("TTYRows", TTY=True, TTYRows=V("u", 24))
        self.refused("TTYColumns", TTY=True, TTYColumns=V("s", "80"))
        self.refused("Term", TTY=True, Term=V("b", True))

    def test_write_input_by_type(self):
        job = self.bus.start(["cat"], StandardInput="pipe")
        self.assert_error("InvalidArgs", call=lambda: self.bus.job(job.id, "WriteInput", "sb", "x", False))
        self.assertEqual(write_input(self.bus, job.id, b"x\n", True), 2)


class TestShutdown(FreshCase):

    def test_with_input_that_nobody_reads(self):
        box = self.box("--stop-timeout=60s")
        job = box.bus.start(["sleep", "1000"], StandardInput="pipe")
        write_input(box.bus, job.id, b"x" * (2 * MIB))
        box.bus.start(["sleep", "1000"], StandardInput="data", StandardInputData=b"x" * (2 * MIB))
        with Stopwatch() as watch:
            self.assertEqual(box.stop(), 0)
        self.assertLess(watch.seconds, 20)
        box.no_leftovers()
