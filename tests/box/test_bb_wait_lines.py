"""Job.Wait for a line of the log: whole lines, however they were written, past or to come."""

from bb import Gate, wait_until, wait_until_later
from case import BoxCase, Stopwatch
from client import INFINITY, MSEC


class TestLines(BoxCase):

    def line(self, details):
        return bytes(details["Line"]).rstrip(b"\n")

    def not_so(self, id, **until):
        self.assert_error("Timeout", call=lambda: wait_until(self.bus, id, 0, **until))

    def test_past(self):
        job = self.bus.start_sh("echo one; echo two; echo three; exec sleep 1000")
        self.bus.wait_for_output(job.id, b"three\n")
        for pattern, line in (("two", b"two"), ("^t", b"two"), ("e$", b"one"), ("^three$", b"three"), ("(o|x)ne", b"one"),
                              (".{5}", b"three")):
            with self.subTest(pattern=pattern):
                reached, details = wait_until(self.bus, job.id, 0, LogPattern=pattern)
                self.assertEqual((reached, self.line(details)), ("LogPattern", line), "the first that matches")
        for pattern in ("four", "one.two", "^wo", "tw$", "one\ntwo", "TWO"):
            self.not_so(job.id, LogPattern=pattern)

    def test_to_come(self):
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"echo before; {gate.read}; echo server is listening; exec sleep 1000")
            pending = wait_until_later(self.bus, job.id, LogPattern="listen(ing|s)")
            self.bus.wait_for_output(job.id, b"before\n")
            self.assertFalse(pending.done())
            with Stopwatch() as watch:
                gate.open()
                reached, details = pending.result()
            self.assertEqual((reached, self.line(details)), ("LogPattern", b"server is listening"))
            self.assertLess(watch.seconds, 10)

    def test_the_cursor_goes_on_behind_the_line(self):
        job = self.bus.start_sh("seq 1 100; exec sleep 1000")
        self.bus.wait_for_output(job.id, b"100\n")
        details = wait_until(self.bus, job.id, 0, LogPattern="^50$")[1]
        records = self.bus.log(job.id, details["Cursor"]).records
        self.assertEqual([r.data for r in records if r.stream != 3], [b"%d\n" % i for i in range(51, 101)])

    def test_split_over_writes(self):
        """A line that takes its time is several records, and one line."""
        for pause in (0, 130):
            job = self.bus.start(self.reeve.payload("dribble", pause, *[f"{byte:02x}" for byte in b"a ready b\nx"]))
            reached, details = wait_until(self.bus, job.id, LogPattern="^a ready b$")
            self.assertEqual((reached, self.line(details)), ("LogPattern", b"a ready b"))

    def test_split_lines_of_both_streams_do_not_mix(self):
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"printf 'rea'; {gate.read}; printf 'no' >&2; {gate.read}; echo 'dy'; {gate.read}; echo 'pe' >&2; "
                                    "exec sleep 1000")
            for part in (b"rea", b"no", b"dy\n"):
                self.bus.wait_for_output(job.id, part)
                gate.open()
            for pattern, line, streams in (("^ready$", b"ready", ["stdout"]), ("^nope$", b"nope", ["stderr"]), ("^nope$", b"nope", None)):
                until = {"LogPattern": pattern, **({"LogStreams": streams} if streams else {})}
                self.assertEqual(self.line(wait_until(self.bus, job.id, **until)[1]), line)
            for pattern in ("reano", "nody", "readype"):
                self.not_so(job.id, LogPattern=pattern)

    def test_streams(self):
        job = self.bus.start_sh("echo out; echo err >&2; exec sleep 1000")
        self.bus.wait_for_output(job.id, b"err\n")
        self.bus.wait_for_output(job.id, b"out\n")
        self.assertEqual(wait_until(self.bus, job.id, LogPattern="err")[0], "LogPattern")
        self.assertEqual(wait_until(self.bus, job.id, LogPattern="err", LogStreams=["stderr"])[0], "LogPattern")
        self.assertEqual(wait_until(self.bus, job.id, LogPattern="out", LogStreams=["stderr", "stdout"])[0], "LogPattern")
        self.not_so(job.id, LogPattern="err", LogStreams=["stdout"])
        self.not_so(job.id, LogPattern="out", LogStreams=["stderr"])

    def test_stderr_to_come(self):
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"echo ready; {gate.read}; echo ready >&2; exec sleep 1000")
            pending = wait_until_later(self.bus, job.id, LogPattern="^ready$", LogStreams=["stderr"])
            self.bus.wait_for_output(job.id, b"ready\n")
            self.bus.ping()
            self.assertFalse(pending.done())
            gate.open()
            self.assertEqual(pending.result()[0], "LogPattern")

    def test_long_lines(self):
        """Across the records that a long line is cut into; of its first 64 KiB."""
        for before, found in ((100, True), (32768 - 3, True), (50000, True), (65536 - 6, True), (65536, False), (200000, False)):
            with self.subTest(before=before):
                job = self.bus.start_sh(f"head -c {before} /dev/zero | tr '\\0' x; echo needle; echo end")
                reached, details = wait_until(self.bus, job.id, LogPattern="needle", timeout_usec=INFINITY)
                self.assertEqual(reached, "LogPattern" if found else "Finished")
                if found:
                    self.assertTrue(bytes(details["Line"]).startswith(b"x" * min(before, 1000)))

    def test_a_long_line_is_told_up_to_64_kib(self):
        job = self.bus.start_sh("printf needle; head -c 200000 /dev/zero | tr '\\0' x; echo; exec sleep 1000")
        details = wait_until(self.bus, job.id, LogPattern="^needle")[1]
        self.assertEqual(bytes(details["Line"]), b"needle" + b"x" * (65536 - 6))
        self.assertEqual(details.get("LineLostBytes", 0), 0)

    def test_streams_without_a_pattern(self):
        job = self.bus.start(["sleep", "1000"])
        self.assert_error("InvalidArgs", "LogStreams", call=lambda: wait_until(self.bus, job.id, 0, Exited=True, LogStreams=["stderr"]))

    def test_the_line_after_a_long_one(self):
        job = self.bus.start_sh("head -c 300000 /dev/zero | tr '\\0' x; echo; echo needle; exec sleep 1000")
        self.assertEqual(self.line(wait_until(self.bus, job.id, LogPattern="^needle$")[1]), b"needle")

    def test_empty_lines_and_bytes(self):
        job = self.bus.start_sh("echo first; echo; printf 'a\\000b\\377c\\n'; printf 'gr\\303\\274n\\n'; exec sleep 1000")
        self.bus.wait_for_output(job.id, b"n\n")
        self.assertEqual(self.line(wait_until(self.bus, job.id, 0, LogPattern="^$")[1]), b"")
        self.assertEqual(self.line(wait_until(self.bus, job.id, 0, LogPattern="c$")[1]), b"a\0b\xffc")
        self.assertEqual(self.line(wait_until(self.bus, job.id, 0, LogPattern="grün")[1]), "grün".encode())

    def test_an_unfinished_line_at_the_end(self):
        """The last line of a job needs no newline to be one."""
        job = self.bus.start_sh("echo x; printf 'all done'")
        reached, details = wait_until(self.bus, job.id, LogPattern="^all done$")
        self.assertEqual((reached, self.line(details)), ("LogPattern", b"all done"))

    def test_an_unfinished_line_is_not_yet_whole(self):
        """What a pattern says of the end of a line is not so before the line has its end."""
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"printf 'err'; {gate.read}; echo 'or: 5'; exec sleep 1000")
            self.bus.wait_for_output(job.id, b"err")
            pending = wait_until_later(self.bus, job.id, LogPattern="^err$")
            second = wait_until_later(self.bus, job.id, LogPattern="^error: [0-9]+$")
            gate.open()
            self.assertEqual(self.line(second.result()[1]), b"error: 5")
            self.assertFalse(pending.done(), "there never was such a line")

    def test_a_finished_job(self):
        outcome = self.bus.sh("echo out; echo err >&2; exit 3")
        self.bus.wait(outcome.id)
        reached, details = wait_until(self.bus, outcome.id, 0, LogPattern="err")
        self.assertEqual((reached, self.line(details), details["ExitCode"]), ("LogPattern", b"err", 3))
        reached, details = wait_until(self.bus, outcome.id, 0, LogPattern="never")
        self.assertEqual((reached, details["ExitCode"]), ("Finished", 3))

    def test_the_last_words_come_before_the_end(self):
        """A line written just before the exit counts, as often as one tries."""
        for i in range(30):
            job = self.bus.start_sh(f"echo last {i}; exit 1")
            reached, _ = wait_until(self.bus, job.id, LogPattern=f"^last {i}$")
            self.assertEqual(reached, "LogPattern")

    def test_the_job_ends_without_it(self):
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"{gate.read}; echo other; exit 4")
            pending = wait_until_later(self.bus, job.id, INFINITY, LogPattern="^mine$")
            self.bus.ping()
            gate.open()
            reached, details = pending.result(10)
        self.assertEqual((reached, details["ExitCode"], details["Result"]), ("Finished", 4, "exit-code"))

    def test_timeout(self):
        job = self.bus.start_sh("while :; do echo noise; sleep 0.02; done")
        with Stopwatch() as watch:
            self.assert_error("Timeout", call=lambda: wait_until(self.bus, job.id, 300 * MSEC, LogPattern="signal"))
        self.assert_between(0.3, watch.seconds, 10)

    def test_in_a_flood(self):
        """The one line in 20 MiB, though the ring holds but 64 KiB: what comes is seen before it is overwritten."""
        with Gate(self.reeve) as gate:
            pattern = " ".join(self.reeve.payload("pattern", 10 << 20))
            job = self.bus.start_sh(f"{gate.read}; {pattern}; echo needle; {pattern}; exec sleep 1000", LogMaxBytes=64 << 10)
            pending = wait_until_later(self.bus, job.id, LogPattern="^needle$")
            self.bus.ping()
            gate.open()
            self.assertEqual(self.line(pending.result()[1]), b"needle")

    def test_what_is_no_longer_held_is_no_line(self):
        job = self.bus.start_sh(f"echo needle; {' '.join(self.reeve.payload('pattern', 1 << 20))}; echo end; exec sleep 1000",
                                LogMaxBytes=64 << 10)
        wait_until(self.bus, job.id, LogPattern="^end$")
        self.not_so(job.id, LogPattern="^needle$")

    def test_many_wait_for_many(self):
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"{gate.read}; seq 1 100; exec sleep 1000")
            pending = [wait_until_later(self.bus, job.id, LogPattern=f"^{i}$") for i in range(1, 101)]
            self.bus.ping()
            gate.open()
            for i, wait in enumerate(pending, 1):
                reached, details = wait.result()
                self.assertEqual((reached, self.line(details)), ("LogPattern", b"%d" % i))
