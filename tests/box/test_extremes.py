"""Large things, frozen things, and things in the wrong moment."""

import signal

from case import BoxCase, FreshCase, Stopwatch
from client import DBusError, ERROR, INFINITY, MANAGER, MSEC, ROOT, SEC
from rig import eventually, write_file

MIB = 1 << 20


class TestLarge(BoxCase):

    def test_large_environment(self):
        environment = [f"NAME_{i}={'v' * 50}" for i in range(5000)]
        outcome = self.bus.exec(["env"], Environment=environment)
        self.assertEqual(sum(line.startswith(b"NAME_") for line in outcome.stdout.split(b"\n")), 5000)

    def test_many_labels(self):
        labels = {f"key{i}": "v" * 100 for i in range(500)}
        job = self.bus.start(["sleep", "1000"], Labels=labels)
        self.assertEqual(self.bus.property("Labels", job.id), labels)
        self.assertEqual(self.bus.job_ids(Label="key499=" + "v" * 100), [job.id])

    def test_answer_larger_than_an_array_may_be(self):
        """150 MiB are held; an array carries 64 MiB at most, or the client hangs up."""
        size = 150 * MIB
        outcome = self.bus.exec(self.reeve.payload("blob", size), LogMaxBytes=200 * MIB, timeout=60)
        for most in (63 * MIB, 64 * MIB, 65 * MIB, 1 << 40, INFINITY):
            with self.subTest(most=most):
                try:
                    out, _, details = self.bus.output(outcome.id, MaxBytes=most)
                except DBusError as e:
                    self.assertTrue(e.name.endswith((".InvalidArgs", ".LimitsExceeded")), e)
                    self.assertGreater(most, 16 * MIB)
                    continue
                self.assertLessEqual(len(out), 64 * MIB)
                self.assertEqual(len(out) + details["CutBytes"] + details["LostBytes"], size)
        self.bus.ping()
        self.bus.job(outcome.id, "Forget")

    def test_text_that_grows(self):
        """Each byte becomes a U+FFFD of three."""
        outcome = self.bus.sh("head -c 16777216 /dev/zero | tr '\\0' '\\377'", OutputMaxBytes=16 * MIB, LogMaxBytes=32 * MIB,
                              Text=True, timeout=60)
        self.assertEqual(outcome.details["StdoutText"].strip("\ufffd"), "")
        self.assertEqual(len(outcome.details["StdoutText"]), 16 * MIB)
        self.bus.job(outcome.id, "Forget")

    def test_long_log_by_records(self):
        """8 MiB an answer, until all of 40 MiB were read."""
        outcome = self.bus.exec(self.reeve.payload("blob", 40 * MIB), LogMaxBytes=64 * MIB)
        cursor, size, eof = "", 0, False
        while not eof:
            log = self.bus.log(outcome.id, cursor, MaxBytes=8 * MIB)
            got = sum(len(record.data) for record in log.records)
            self.assertLessEqual(got, 8 * MIB)
            size, cursor, eof = size + got, log.next, log.eof
        self.assertEqual(size, 40 * MIB)
        self.bus.job(outcome.id, "Forget")

    def test_list_of_many_jobs(self):
        """A thousand records with long command lines, in one answer."""
        bus = self.reeve.connect(match=False)
        pending = [bus.exec_later(["/bin/true", "x" * 2000]) for _ in range(300)]
        for p in pending:
            p.result(60)
        jobs = self.bus.jobs(Usage=True)
        self.assertGreaterEqual(len(jobs), 300)
        self.assertGreaterEqual(len(self.bus.managed_objects()), 300)


class TestSpans(BoxCase):
    """Spans that no clock can be advanced by: they are long, they do not wrap around."""

    def test_each(self):
        for span in (INFINITY, INFINITY - 1, 1 << 63, (1 << 63) - 1, 1 << 60):
            with self.subTest(span=span):
                self.assert_outcome(self.bus.sh("sleep 0.1; exit 3", RuntimeMaxUSec=span, TimeoutStopUSec=span), "exit-code", 3)
                outcome = self.bus.sh("(sleep 0.2; echo x) & exit 3", DrainTimeoutUSec=span)
                self.assertEqual(outcome.stdout, b"x\n")
                job = self.bus.start_sh("sleep 0.2; echo x", InitialOutputUSec=span)
                self.assertEqual(job.details["InitialStdout"], b"x\n")
                job = self.bus.start_sh("sleep 0.2; echo x")
                log = self.bus.log_later(job.id, "", WaitUSec=span)
                self.assertEqual(self.bus.wait_later(job.id, "Exited", span).result()[0], "Exited")
                self.assertEqual([record.data for record in log.result().records], [b"x\n"])
                job = self.bus.start_sh("trap 'sleep 0.2; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
                self.bus.wait_for_output(job.id, b"ready")
                self.assertEqual(self.bus.stop({"Id": job.id}, TimeoutStopUSec=span)[2], 0)
                self.assertEqual(self.bus.property("Result", job.id), "success")

    def test_a_stop_without_end_and_another(self):
        job = self.bus.start(self.reeve.payload("deaf"))
        self.bus.wait_for_output(job.id, b"ready")
        first = self.bus.stop_later({"Id": job.id}, TimeoutStopUSec=INFINITY)
        self.assert_error("Timeout", call=lambda: self.bus.wait_later(job.id, "Exited", 300 * MSEC).result())
        self.assertFalse(first.done())
        self.assertEqual(self.bus.stop({"Id": job.id}, TimeoutStopUSec=0)[2], 0)
        self.assertEqual(first.result()[2], 0)


class TestHostilePatterns(BoxCase):
    """An expression is answered, or refused; it never keeps PID 1 from its work, nor takes its memory."""

    def test_each(self):
        self.bus.exec(["/bin/true", "a" * 30000])
        memory = self.reeve.memory()
        for pattern in ("(((a{99}){99}){99}){99}", "((((((a*)*)*)*)*)*)*b", "(a|aa)+$", "(a|a)*(a|a)*(a|a)*b", "a{32767}",
                        "(" * 5000 + "a" + ")" * 5000, "x" * 100000, "(.*)(.*)(.*)(.*)(.*)\\1\\2\\3\\4\\5z", "[[:alpha:",
                        "a**", "(", "\\", "[z-a]"):
            with self.subTest(pattern=pattern[:40]):
                with Stopwatch() as watch:
                    try:
                        self.bus.jobs(Pattern=pattern)
                    except DBusError as e:
                        self.assertTrue(e.name.endswith(".InvalidArgs"), e)
                        self.assertIn("Pattern", e.message)
                self.assertLess(watch.seconds, 10)
        self.assert_memory(memory, 8 * MIB)


class TestLossAcrossEviction(BoxCase):

    options = {"args": [f"--log-max={4 * MIB}"]}

    def test_cursor_into_a_log_that_went(self):
        job = self.bus.start_sh(f"echo first; {' '.join(self.reeve.payload('blob', MIB))}", LogMaxBytes=3 * MIB)
        self.bus.wait_for_output(job.id, b"first\n")
        cursor = self.bus.log(job.id, "", MaxBytes=1).next
        self.bus.wait(job.id)
        for _ in range(3):
            self.bus.wait(self.bus.exec(self.reeve.payload("blob", 2 * MIB), LogMaxBytes=3 * MIB).id)
        self.assertEqual(self.bus.property("LogLostBytes", job.id), MIB + 6)
        log = self.bus.log(job.id, cursor)
        self.assertEqual((sum(len(r.data) for r in log.records if r.stream != 3), log.lost, log.eof), (0, MIB, True))
        self.assertEqual(self.bus.log(job.id, log.next).lost, 0)


class TestNoneKept(BoxCase):
    """Nothing is remembered: whoever waits at that moment is answered all the same."""

    options = {"args": ["--max-finished=0"]}

    def test_waiting_callers(self):
        for i in range(10):
            job = self.bus.start_sh("echo x; exec sleep 1000")
            self.bus.wait_for_output(job.id, b"x")
            waits = [self.bus.wait_later(job.id, until) for until in ("Exited", "Drained", "Finished")]
            log = self.bus.log_later(job.id, "tail", WaitUSec=60 * SEC)
            exec = self.bus.exec_later(["sleep", "1000"], Id=f"exec{i}")
            self.bus.wait_manager_signal("JobNew", f"exec{i}")
            self.bus.stop({"All": True})
            self.assertEqual([w.result()[0] for w in waits], ["Exited", "Drained", "Finished"])
            self.assertTrue(log.result().eof)
            self.assertEqual(exec.result().signal, 15)


class TestFrozen(FreshCase):
    """A slice that somebody froze: what starts in it does not come to its exec. PID 1 must not wait for it."""

    def frozen(self, *args):
        box = self.box(*args)
        anchor = box.bus.start(["sleep", "1000"], Session="ice")
        slice = box.box + box.bus.property("ControlGroup", anchor.id).rpartition("/")[0]
        write_file(f"{slice}/cgroup.freeze", "1")
        pending = box.bus.send(ROOT, MANAGER, "Start", "asa{sv}", ["sleep", "1000"],
                               {"Session": ("s", "ice"), "Id": ("s", "stuck")})
        box.bus.ping()
        return box, slice, pending

    def check_ended(self, box, pending):
        """A start that was stopped on its way: an error and no job, or a job that was killed."""
        try:
            pending.result()
            self.assertEqual(box.bus.wait("stuck")[1]["Signal"], 9)
        except DBusError as e:
            self.assertEqual(e.name, ERROR + "StartFailed")
            self.assert_error("NoSuchJob", call=lambda: box.bus.manager("GetJob", "s", "stuck"))

    def test_others_are_served(self):
        box, slice, pending = self.frozen()
        with Stopwatch() as watch:
            self.assertEqual(box.bus.sh("exit 3").exit_code, 3)
        self.assertLess(watch.seconds, 10)
        self.assertFalse(pending.done())
        write_file(f"{slice}/cgroup.freeze", "0")
        self.assertEqual(pending.result()[0], "stuck")
        self.assertEqual(box.bus.property("State", "stuck"), "running")
        self.assertEqual(box.stop(), 0)
        box.no_leftovers()

    def test_same_id_meanwhile(self):
        """The retry of an impatient caller: it waits with the first."""
        box, slice, pending = self.frozen()
        again = box.bus.send(ROOT, MANAGER, "Start", "asa{sv}", ["sleep", "1000"],
                             {"Session": ("s", "ice"), "Id": ("s", "stuck")})
        self.assert_error("JobExists", call=lambda: box.bus.start(["sleep", "1001"], Session="ice", Id="stuck"))
        self.assertFalse(again.done())
        write_file(f"{slice}/cgroup.freeze", "0")
        self.assertEqual(again.result()[:3], pending.result()[:3])

    def test_stop_of_the_session(self):
        box, _, pending = self.frozen()
        with Stopwatch() as watch:
            self.assertEqual(box.bus.stop({"Session": "ice"}, TimeoutStopUSec=300 * MSEC)[2], 0)
            self.check_ended(box, pending)
        self.assertLess(watch.seconds, 10)
        eventually(lambda: not box.processes(), 5, lambda: box.describe(box.processes()))
        eventually(lambda: not box.scopes(), 5, lambda: box.scopes())

    def test_stop_of_all(self):
        box, _, pending = self.frozen()
        self.assertEqual(box.bus.stop({"All": True}, TimeoutStopUSec=0)[2], 0)
        self.check_ended(box, pending)
        eventually(lambda: not box.processes(), 5, lambda: box.describe(box.processes()))

    def test_caller_that_goes(self):
        box, slice, _ = self.frozen()
        with box.connect() as other:
            other.exec_later(["true"], Session="ice")
            other.ping()
        write_file(f"{slice}/cgroup.freeze", "0")
        eventually(lambda: box.bus.property("NRunning") == 2, 5, "the two that sleep are left")

    def test_shutdown(self):
        box, _, _ = self.frozen("--stop-timeout=1s")
        with Stopwatch() as watch:
            self.assertEqual(box.stop(), 0)
        self.assertLess(watch.seconds, 10)
        box.no_leftovers()


class TestMoments(BoxCase):
    """Calls at the moment in which something else happens."""

    def test_kill_at_every_moment(self):
        """SIGKILL from outside after 0, 0.2, 0.4 … ms: exec has succeeded by the reply, so it is always a signal."""
        for i in range(40):
            job = self.bus.start(["sleep", "1000"], Id=f"moment{i}")
            self.bus.kill(signal.SIGKILL, Id=job.id)
            self.assertEqual(self.bus.wait(job.id)[1]["Signal"], 9)

    def test_stop_at_every_moment(self):
        """Stop is sent right behind Exec: whichever comes first, both are answered and nothing is left."""
        for i in range(40):
            exec = self.bus.exec_later(["sh", "-c", "echo x; sleep 1000"], Id=f"stop{i}")
            stop = self.bus.stop_later({"Id": f"stop{i}"}, TimeoutStopUSec=0)
            try:
                stop.result()
            except DBusError as e:
                self.assertTrue(e.name.endswith(".NoSuchJob"), e)
                self.bus.wait_manager_signal("JobNew", f"stop{i}")
                self.bus.stop({"Id": f"stop{i}"}, TimeoutStopUSec=0)
            try:
                self.assertEqual(exec.result().signal, 9)
            except DBusError as e:      # ended before its exec: then there is no job either
                self.assertTrue(e.name.endswith(".StartFailed"), e)
                self.assert_error("NoSuchJob", call=lambda i=i: self.bus.manager("GetJob", "s", f"stop{i}"))

    def test_forget_at_every_moment(self):
        """Right behind the end: JobRunning or gone, never half."""
        for _ in range(40):
            job = self.bus.start(["true"])
            while True:
                try:
                    self.bus.job(job.id, "Forget")
                    break
                except DBusError as e:
                    self.assertTrue(e.name.endswith(".JobRunning"), e)
            self.assert_error("NoSuchJob", call=lambda job=job: self.bus.manager("GetJob", "s", job.id))

    def test_disconnect_at_every_moment(self):
        for i in range(60):
            other = self.reeve.connect()
            other.exec_later(["sh", "-c", "echo x; exit 3"])
            if i % 3 == 0:
                other.ping()
            elif i % 3 == 1:
                other.start(["sleep", "0.01"])
            other.close()
        self.bus.ping()
        eventually(lambda: not self.bus.property("NRunning"), 10, "all ended")
