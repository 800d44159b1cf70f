"""Output is always taken, into a bounded ring: exact bytes, exact loss, exact ends."""

import hashlib

from bb import in_turn
from case import BoxCase, Stopwatch
from client import MSEC, SEC
from rig import eventually, sanitized

MIB = 1 << 20


def pattern(first, last):
    """Bytes first to last of what the payload's pattern writes."""
    lines = b"".join(b"%015d\n" % i for i in range(first // 16, (last + 15) // 16))
    return lines[first % 16:first % 16 + last - first]


class TestBytes(BoxCase):

    def test_random_bytes_on_both_streams(self):
        script = ("head -c 700000 /dev/urandom | tee /tmp/o & head -c 500000 /dev/urandom | tee /tmp/e >&2; wait;"
                  " md5sum /tmp/o /tmp/e >/tmp/sums")
        outcome = self.bus.sh(script, LogMaxBytes=8 * MIB)
        sums = self.bus.exec(["cat", "/tmp/sums"]).stdout.split()[::2]
        self.assertEqual([hashlib.md5(outcome.stdout).hexdigest(), hashlib.md5(outcome.stderr).hexdigest()],
                         [word.decode() for word in sums])
        # The same from the log, records put together.
        streams = {1: b"", 2: b""}
        cursor, eof = "", False
        while not eof:
            log = self.bus.log(outcome.id, cursor)
            for record in log.records:
                streams[record.stream] += record.data
            cursor, eof = log.next, log.eof
        self.assertTrue((streams[1], streams[2]) == (outcome.stdout, outcome.stderr))

    def test_all_bytes(self):
        data = bytes(range(256)) * 10
        outcome = self.bus.exec(["cat"], StandardInput="data", StandardInputData=data)
        self.assertEqual(outcome.stdout, data)

    def test_character_written_byte_by_byte(self):
        """Slower than the 100 ms after which an unfinished line is given out: still whole."""
        characters = "é€😀"
        argv = self.reeve.payload("dribble", 130, *[f"{byte:02x}" for byte in characters.encode()])
        outcome = self.bus.exec(argv, Text=True)
        self.assertEqual(outcome.details["StdoutText"], characters)
        self.assertEqual(self.bus.output(outcome.id, Text=True)[2]["StdoutText"], characters)
        records = [record.data for record in self.bus.log(outcome.id).records if record.stream == 1]
        self.assertEqual(b"".join(records), characters.encode())
        for data in records:
            self.assertEqual(data.decode("utf-8", "replace").count("\ufffd"), 0, f"a character was cut: {records}")

    def test_character_across_writes(self):
        argv = self.reeve.payload("dribble", 0, *[f"{byte:02x}" for byte in ("ß€" * 200).encode()])
        self.assertEqual(self.bus.exec(argv, Text=True).details["StdoutText"], "ß€" * 200)

    def test_broken_characters_stay_bytes(self):
        outcome = self.bus.exec(self.reeve.payload("dribble", 130, "e2", "82", "41", "ff", "0a"))
        self.assertEqual(outcome.stdout, b"\xe2\x82A\xff\n")


class TestRing(BoxCase):

    def total(self, id):
        p = self.bus.properties(id)
        return p["LogBytes"], p["LogLostBytes"]

    def test_100_mb_through_a_small_ring(self):
        """The newest bytes exactly, the lost exactly counted, memory flat."""
        self.bus.exec(self.reeve.payload("pattern", 4 * MIB), LogMaxBytes=MIB)
        memory = self.reeve.memory()
        size = 100 * 1000 * 1000
        outcome = self.bus.exec(self.reeve.payload("pattern", size), LogMaxBytes=MIB, timeout=60)
        self.assert_outcome(outcome, "success")
        self.assert_memory(memory, 4 * MIB)
        self.assertEqual((outcome.details["StdoutBytes"], outcome.details["Truncated"]), (size, True))
        out, err, details = self.bus.output(outcome.id, MaxBytes=16 * MIB)
        self.assertEqual(err, b"")
        self.assertGreater(len(out), 200000)
        self.assertLessEqual(len(out), MIB)
        self.assertTrue(out == pattern(size - len(out), size), "not the newest bytes")
        self.assertEqual((details["LostBytes"] + len(out), details["CutBytes"], details["EOF"]), (size, 0, True))
        self.assertTrue(outcome.stdout == pattern(size - len(outcome.stdout), size))
        self.assertEqual(self.total(outcome.id), (size, details["LostBytes"]))
        log = self.bus.log(outcome.id, "", MaxBytes=8 * MIB)
        self.assertEqual((log.lost, log.eof), (details["LostBytes"], True))
        data = b"".join(record.data for record in log.records if record.stream == 1)
        self.assertTrue(data == out, "ReadLog and GetOutput differ")
        sequence = [record.seq for record in log.records]
        self.assertEqual(sequence, list(range(sequence[0], sequence[0] + len(sequence))))
        notes = [record for record in log.records if record.stream == 3]
        self.assertEqual(self.bus.property("LogLostRecords", outcome.id) + len(sequence) - len(notes), size // 16)

    def test_loss_since_a_cursor(self):
        """What a reader missed is counted from its own place, not from the beginning."""
        self.bus.sh("mkfifo /tmp/loss")
        payload = " ".join(self.reeve.payload("pattern", 10 * MIB))
        job = self.bus.start_sh(f"echo first; read x </tmp/loss; exec {payload}", LogMaxBytes=MIB)
        self.bus.wait_for_output(job.id, b"first\n")
        cursor = self.bus.property("LogCursor", job.id)
        self.bus.sh("echo go >/tmp/loss")
        self.bus.wait(job.id, "Drained")
        log = self.bus.log(job.id, cursor, MaxBytes=8 * MIB)
        data = b"".join(record.data for record in log.records if record.stream == 1)
        self.assertEqual(log.lost + len(data), 10 * MIB)
        self.assertTrue(data == pattern(10 * MIB - len(data), 10 * MIB))
        log = self.bus.log(job.id, "", MaxBytes=8 * MIB)
        self.assertEqual(log.lost + len(data), 10 * MIB + 6)

    def test_lost_bytes_of_two_streams(self):
        outcome = self.bus.exec(self.reeve.payload("both", 3000 * 1000), LogMaxBytes=MIB)
        out, err, details = self.bus.output(outcome.id, MaxBytes=16 * MIB)
        self.assertEqual(len(out) + len(err) + details["LostBytes"] + details["CutBytes"], 6000 * 1000)
        self.assertEqual(set(out), set(b"o\n"))
        self.assertEqual(set(err), set(b"e\n"))

    def test_line_of_a_gigabyte(self):
        """Never a newline: memory flat, every byte counted."""
        self.bus.exec(self.reeve.payload("blob", 4 * MIB), LogMaxBytes=MIB)
        memory = self.reeve.memory()
        job = self.bus.start(self.reeve.payload("blob", 10 ** 9), LogMaxBytes=MIB)
        waiting = self.bus.wait_later(job.id, "Drained")
        most = 0
        while not waiting.done():
            most = max(most, self.reeve.memory())
        waiting.result()
        if not sanitized():
            self.assertLess(most - memory, 4 * MIB)
        out, _, details = self.bus.output(job.id)
        self.assertEqual((len(out) + details["LostBytes"] + details["CutBytes"], set(out)), (10 ** 9, {ord("x")}))
        sizes = [len(record.data) for record in self.bus.log(job.id).records if record.stream == 1]
        self.assertLessEqual(max(sizes), 32 << 10)

    def test_two_million_lines_for_a_reader_that_keeps_up(self):
        job = self.bus.start(["seq", "1", "2000000"], LogMaxBytes=192 * MIB)
        digest, cursor, eof, lost, next_seq = hashlib.sha256(), "", False, 0, 1
        while not eof:
            log = self.bus.log(job.id, cursor, MaxBytes=8 * MIB, WaitUSec=5 * SEC)
            numbers = [record.seq for record in log.records]
            self.assertEqual(numbers, list(range(next_seq, next_seq + len(numbers))))
            next_seq += len(numbers)
            digest.update(b"".join(record.data for record in log.records))
            cursor, eof, lost = log.next, log.eof, lost + log.lost
        want = b"".join(b"%d\n" % i for i in range(1, 2000001))
        self.assertEqual((lost, digest.hexdigest()), (0, hashlib.sha256(want).hexdigest()))
        self.assertEqual(self.bus.property("LogBytes", job.id), len(want))
        self.bus.wait(job.id)
        self.bus.job(job.id, "Forget")

    def test_a_reader_that_does_not_keep_up_knows_what_it_missed(self):
        job = self.bus.start(["seq", "1", "1000000"], LogMaxBytes=64 << 10)
        seen, lost, cursor, eof = 0, 0, "", False
        while not eof:
            log = self.bus.log(job.id, cursor, MaxBytes=1000, WaitUSec=5 * SEC)
            seen += sum(len(record.data) for record in log.records if record.stream != 3)
            cursor, eof, lost = log.next, log.eof, lost + log.lost
        self.assertEqual(seen + lost, self.bus.property("LogBytes", job.id))
        self.assertEqual(seen + lost, sum(len("%d\n" % i) for i in range(1, 1000001)))

    def test_nobody_waits_for_a_reader(self):
        """Ten floods that nobody reads: each runs at its own pace, and one Ping after the other is answered."""
        jobs = [self.bus.start(self.reeve.payload("flood"), LogMaxBytes=64 << 10) for _ in range(10)]
        memory = self.reeve.memory()
        times = []
        for _ in range(200):
            with Stopwatch() as watch:
                self.bus.ping()
            times.append(watch.seconds)
        times.sort()
        self.assertLess(times[len(times) // 2], 0.5)
        self.assertLess(times[-1], 10)
        for job in jobs:
            before = self.bus.property("LogBytes", job.id)
            eventually(lambda job=job, before=before: self.bus.property("LogBytes", job.id) > before + MIB, 10,
                       f"{job.id} goes on")
        self.assert_outcome(self.bus.sh("exit 3"), "exit-code", 3)
        self.assert_memory(memory, 8 * MIB)

    def test_the_last_byte_is_there_before_finished(self):
        """At each of the three moments that say so, and in the very next call."""
        for i in range(60):
            job = self.bus.start_sh(f"head -c {i * 3000} /dev/zero; printf END{i}; printf ERR{i} >&2")
            if i % 3 == 0:
                self.bus.wait_manager_signal("JobFinished", job.id)
            elif i % 3 == 1:
                self.bus.wait(job.id, "Finished")
            else:
                self.bus.wait(job.id, "Drained")
            out, err, details = self.bus.output(job.id)
            self.assertEqual((len(out), out[-5:].endswith(b"END%d" % i), err, details["EOF"]),
                             (i * 3000 + len(f"END{i}"), True, b"ERR%d" % i, True))
            self.assertEqual((details["LostBytes"], details["CutBytes"]), (0, 0))

    def test_exec_has_the_last_byte(self):
        pending = [self.bus.exec_later(["sh", "-c", f"head -c {i * 1111} /dev/zero; printf END"]) for i in range(100)]
        for i, p in enumerate(pending):
            out = p.result().stdout
            self.assertEqual((len(out), out[-3:]), (i * 1111 + 3, b"END"))


class TestGetOutput(BoxCase):

    def setUp(self):
        script = "for i in 1 2 3; do echo out$i; echo err$i >&2; sleep 0.02; done; printf last"
        self.one = self.bus.sh(script).id

    def get(self, **options):
        out, err, details = self.bus.output(self.one, **options)
        return out, err, details["LostBytes"], details["CutBytes"]

    def test_all(self):
        self.assertEqual(self.get(), (b"out1\nout2\nout3\nlast", b"err1\nerr2\nerr3\n", 0, 0))

    def test_max_bytes(self):
        self.assertEqual(self.get(MaxBytes=6), (b"3\nlast", b"\nerr3\n", 0, 13 + 9))
        self.assertEqual(self.get(MaxBytes=0), (b"", b"", 0, 34))

    def test_streams(self):
        self.assertEqual(self.get(Streams=["stdout"])[:2], (b"out1\nout2\nout3\nlast", b""))
        self.assertEqual(self.get(Streams=["stderr"])[:2], (b"", b"err1\nerr2\nerr3\n"))
        self.assertEqual(self.get(Streams=["stderr", "stdout"]), self.get())

    def test_lines(self):
        """The newest lines, an unfinished one counts."""
        out, err, lost, cut = self.get(Lines=1, Streams=["stdout"])
        self.assertEqual((out, err, lost), (b"last", b"", 0))
        self.assertEqual(self.get(Lines=2, Streams=["stdout"])[0], b"out3\nlast")
        self.assertEqual(self.get(Lines=2, Streams=["stderr"])[1], b"err2\nerr3\n")
        self.assertEqual(self.get(Lines=100), self.get())
        self.assertGreater(cut, 0)

    def test_since(self):
        times = {record.data: record.realtime for record in self.bus.log(self.one).records}
        self.assertEqual(self.get(SinceUSec=times[b"out3\n"], Streams=["stdout"])[0], b"out3\nlast")
        self.assertEqual(self.get(SinceUSec=2 ** 62)[:2], (b"", b""))
        self.assertEqual(self.get(SinceUSec=0), self.get())

    def test_text(self):
        out, err, details = self.bus.output(self.one, Text=True)
        self.assertEqual((out, err), (b"", b""))
        self.assertEqual((details["StdoutText"], details["StderrText"]), ("out1\nout2\nout3\nlast", "err1\nerr2\nerr3\n"))

    def test_eof_and_cursor(self):
        details = self.bus.output(self.one)[2]
        self.assertEqual((details["EOF"], details["LogCursor"]), (True, self.bus.property("LogCursor", self.one)))
        job = self.bus.start_sh("echo x; sleep 100")
        self.bus.wait_for_output(job.id, b"x\n")
        out, _, details = self.bus.output(job.id)
        self.assertEqual((out, details["EOF"]), (b"x\n", False))
        self.assertEqual(self.bus.log(job.id, details["LogCursor"]).records, [])

    def test_unfinished_line_of_a_running_job(self):
        job = self.bus.start_sh("printf prompt; sleep 100")
        self.bus.wait_for_output(job.id, b"prompt")
        self.assertEqual(self.bus.output(job.id)[0], b"prompt")


class TestReadLog(BoxCase):

    def setUp(self):
        self.one = in_turn(self.reeve, self.bus, "out1", "err1", "out2", "err2", "out3", "err3")

    def data(self, log):
        return [record.data for record in log.records if record.stream != 3]

    def test_records(self):
        log = self.bus.log(self.one)
        records = [record for record in log.records if record.stream != 3]
        self.assertEqual([(record.stream, record.data) for record in records],
                         [(1, b"out1\n"), (2, b"err1\n"), (1, b"out2\n"), (2, b"err2\n"), (1, b"out3\n"), (2, b"err3\n")])
        self.assertEqual([record.seq for record in log.records], list(range(1, len(log.records) + 1)))
        p = self.bus.properties(self.one)
        for key in ("realtime", "monotonic"):
            times = [getattr(record, key) for record in records]
            self.assertEqual(times, sorted(times))
        self.assertTrue(p["StartTimestamp"] <= records[0].realtime <= records[-1].realtime <= p["FinishTimestamp"])
        self.assertEqual((log.lost, log.eof, log.next), (0, True, p["LogCursor"]))

    def test_one_at_a_time(self):
        cursor, got = "", []
        for _ in range(20):
            log = self.bus.log(self.one, cursor, MaxBytes=1)
            if not log.records:
                break
            self.assertEqual(len(log.records), 1, "one record at least, and no more than MaxBytes allow")
            got += self.data(log)
            self.assertNotEqual(cursor, log.next)
            cursor = log.next
        self.assertEqual(got, [b"out1\n", b"err1\n", b"out2\n", b"err2\n", b"out3\n", b"err3\n"])
        self.assertTrue(log.eof)

    def test_strictly_after(self):
        log = self.bus.log(self.one, self.bus.log(self.one).next)
        self.assertEqual((log.records, log.lost, log.eof), ([], 0, True))

    def test_tail(self):
        log = self.bus.log(self.one, "tail")
        self.assertEqual((log.records, log.lost, log.eof), ([], 0, True))
        self.bus.sh("mkfifo /tmp/tail")
        job = self.bus.start_sh("echo before; read x </tmp/tail; echo after")
        self.bus.wait_for_output(job.id, b"before\n")
        pending = self.bus.log_later(job.id, "tail", WaitUSec=10 * SEC)
        self.bus.ping()
        self.bus.sh("echo go >/tmp/tail")
        self.assertEqual(self.data(pending.result()), [b"after\n"])

    def test_streams_and_their_cursor(self):
        log = self.bus.log(self.one, "", Streams=["stderr"])
        self.assertEqual(self.data(log), [b"err1\n", b"err2\n", b"err3\n"])
        log = self.bus.log(self.one, "", Streams=["stdout"])
        self.assertEqual(self.data(log), [b"out1\n", b"out2\n", b"out3\n"])
        # past what Streams left out: err3 came after out3, and is not to come again.
        self.assertEqual(self.bus.log(self.one, log.next).records, [])
        self.assertTrue(log.eof)

    def test_lines(self):
        self.assertEqual(self.data(self.bus.log(self.one, "", Lines=2)), [b"out3\n", b"err3\n"])
        self.assertEqual(self.data(self.bus.log(self.one, "", Lines=2, Streams=["stdout"])), [b"out2\n", b"out3\n"])
        self.assertEqual(len(self.data(self.bus.log(self.one, "", Lines=1000))), 6)

    def test_lines_after_a_cursor(self):
        """The newest of those that come after it; what Lines leaves out is not lost."""
        cursor = self.bus.log(self.one, "", Lines=1000, MaxBytes=1).next
        self.assertEqual(self.data(self.bus.log(self.one, cursor, Lines=100)), [b"err1\n", b"out2\n", b"err2\n", b"out3\n",
                                                                               b"err3\n"])
        log = self.bus.log(self.one, cursor, Lines=2)
        self.assertEqual((self.data(log), log.lost, log.eof), ([b"out3\n", b"err3\n"], 0, True))

    def test_lines_are_not_records(self):
        """A line of 100 KiB spans records; the newest line is all of them."""
        outcome = self.bus.sh("echo short; head -c 100000 /dev/zero; echo; echo end")
        records = self.data(self.bus.log(outcome.id))
        self.assertEqual(records[0], b"short\n")
        self.assertEqual([len(r) for r in records[1:-1]], [32768, 32768, 32768, 100001 - 3 * 32768])
        self.assertEqual([r[-1:] == b"\n" for r in records[1:-1]], [False, False, False, True])
        lines = self.data(self.bus.log(outcome.id, "", Lines=2))
        self.assertEqual(b"".join(lines), b"\0" * 100000 + b"\nend\n")

    def test_since(self):
        records = self.bus.log(self.one).records
        want = [r.data for r in records[3:]]
        self.assertEqual([r.data for r in self.bus.log(self.one, "", SinceUSec=records[3].realtime).records], want)

    def test_unfinished_line_comes_after_a_while(self):
        """100 ms without a newline: it is given out, and its rest is a record of its own."""
        self.bus.sh("mkfifo /tmp/unfinished")
        job = self.bus.start_sh("printf begin; read x </tmp/unfinished; echo end")
        with Stopwatch() as watch:
            log = self.bus.log(job.id, "", WaitUSec=10 * SEC)
        self.assertEqual(self.data(log), [b"begin"])
        self.assertLess(watch.seconds, 10)
        self.bus.sh("echo go >/tmp/unfinished")
        log = self.bus.log(job.id, log.next, WaitUSec=10 * SEC)
        self.assertEqual(self.data(log), [b"end\n"])
        # Put together it is one line.
        self.assertEqual(self.bus.output(job.id, Lines=1)[0], b"beginend\n")

    def test_wait_for_a_record(self):
        self.bus.sh("mkfifo /tmp/wait-record")
        job = self.bus.start_sh("read x </tmp/wait-record; echo now; sleep 100")
        pending = self.bus.log_later(job.id, "", WaitUSec=20 * SEC)
        self.bus.ping()
        self.assertFalse(pending.done())
        with Stopwatch() as watch:
            self.bus.sh("echo go >/tmp/wait-record")
            log = pending.result()
        self.assertEqual(([r[4] for r in log.records], log.eof), ([b"now\n"], False))
        self.assertLess(watch.seconds, 10)

    def test_wait_for_eof(self):
        job = self.bus.start_sh("sleep 0.3")
        with Stopwatch() as watch:
            log = self.bus.log(job.id, "", WaitUSec=20 * SEC)
        self.assertEqual((log.records, log.eof), ([], True))
        self.assertLess(watch.seconds, 10)

    def test_wait_in_vain(self):
        job = self.bus.start_sh("sleep 100")
        with Stopwatch() as watch:
            log = self.bus.log(job.id, "", WaitUSec=400 * MSEC)
        self.assertEqual((log.records, log.eof, log.lost), ([], False, 0))
        self.assert_between(0.4, watch.seconds, 10)
        # And without waiting it is the same, at once.
        with Stopwatch() as watch:
            self.assertEqual(self.bus.log(job.id, log.next).records, [])
        self.assertLess(watch.seconds, 10)

    def test_waiting_for_one_stream(self):
        """What Streams leaves out does not end the wait."""
        self.bus.sh("mkfifo /tmp/one-stream /tmp/other-stream")
        job = self.bus.start_sh("echo noise; read x </tmp/one-stream; echo more; read x </tmp/other-stream; echo signal >&2; sleep 100")
        pending = self.bus.log_later(job.id, "", WaitUSec=20 * SEC, Streams=["stderr"])
        self.bus.wait_for_output(job.id, b"noise\n")
        self.bus.sh("echo go >/tmp/one-stream")
        self.bus.wait_for_output(job.id, b"more\n")
        self.assertFalse(pending.done())
        self.bus.sh("echo go >/tmp/other-stream")
        self.assertEqual([(r[3], r[4]) for r in pending.result().records], [(2, b"signal\n")])

    def test_many_readers(self):
        """Each has its own place."""
        job = self.bus.start_sh("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.05; done")
        connections = [self.reeve.connect() for _ in range(10)]
        got = []
        for i, connection in enumerate(connections):
            data, cursor, eof = b"", "", False
            while not eof:
                log = connection.log(job.id, cursor, WaitUSec=5 * SEC, MaxBytes=i + 1)
                data, cursor, eof = data + b"".join(self.data(log)), log.next, log.eof
            got.append(data)
            connection.close()
        self.assertEqual(set(got), {b"1\n2\n3\n4\n5\n6\n7\n8\n"})

    def test_a_wait_ends_with_the_job_forgotten(self):
        """A reader that waits at the moment in which the record goes gets an answer."""
        outcome = self.bus.exec(self.reeve.payload("hold", "plain", 30000))
        pending = self.bus.log_later(outcome.id, "tail", WaitUSec=30 * SEC)
        self.bus.stop({"Id": outcome.id}, TimeoutStopUSec=0)
        self.assertTrue(pending.result(10).eof)
        self.bus.job(outcome.id, "Forget")
