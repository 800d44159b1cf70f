"""What is kept of the finished: so many records, so many bytes of logs; never at the cost of a running job."""

from case import BoxCase
from client import job_path
from rig import eventually

MIB = 1 << 20


class TestMaxFinished(BoxCase):

    options = {"args": ["--max-finished=5"]}

    def test_the_oldest_go(self):
        running = [self.bus.start(["sleep", "1000"]).id for _ in range(8)]
        held = self.bus.exec(self.reeve.payload("hold", "plain", 100000)).id
        ids = [self.bus.exec(["true"]).id for _ in range(12)]
        for id in ids[-5:]:
            self.bus.wait(id)
        eventually(lambda: self.bus.job_ids(State="finished") == ids[-5:], 5, lambda: self.bus.job_ids(State="finished"))
        self.assertEqual(self.bus.job_ids(State="running"), running)
        self.assertEqual(self.bus.job_ids(State="exited"), [held])
        self.assert_error("NoSuchJob", call=lambda: self.bus.manager("GetJob", "s", ids[0]))
        self.assert_error("UnknownObject", call=lambda: self.bus.properties(ids[0]))
        self.assertEqual(self.bus.wait_manager_signal("JobRemoved", ids[0]).body, (ids[0], job_path(ids[0])))
        self.assertNotIn(job_path(ids[0]), self.bus.managed_objects())

    def test_finished_in_another_order(self):
        """It is the time of their end that counts, not of their start: the newest results are the ones wanted."""
        first = self.bus.start(["sleep", "1000"], Id="first-born")
        for _ in range(5):
            self.bus.wait(self.bus.exec(["true"]).id)
        self.bus.stop({"Id": first.id})
        self.assertIn("first-born", self.bus.job_ids(State="finished"))

    def test_an_id_that_went_is_free(self):
        self.bus.exec(["echo", "1"], Id="again")
        for _ in range(8):
            self.bus.wait(self.bus.exec(["true"]).id)
        self.assert_error("NoSuchJob", call=lambda: self.bus.manager("GetJob", "s", "again"))
        self.assertEqual(self.bus.exec(["echo", "2"], Id="again").stdout, b"2\n")

    def test_a_waiting_caller_gets_its_answer(self):
        """Twenty at once, five kept: each Exec and each Wait is answered with its own."""
        pending = [self.bus.exec_later(["sh", "-c", f"echo {i}; exit {i}"]) for i in range(20)]
        self.assertEqual([(p.result().exit_code, p.result().stdout) for p in pending],
                         [(i, b"%d\n" % i) for i in range(20)])

    def test_descriptors(self):
        """They go with the records."""
        def ten():
            for _ in range(10):
                self.bus.wait(self.bus.sh("echo x").id)
            eventually(lambda: len(self.bus.job_ids()) == 5, 5, "five are left")
        ten()
        before = self.reeve.fds()
        ten()
        self.assert_fds_back(before)


class TestNoneKept(BoxCase):

    options = {"args": ["--max-finished=0"]}

    def test_exec(self):
        outcome = self.bus.sh("echo hi; exit 3")
        self.assertEqual((outcome.exit_code, outcome.stdout), (3, b"hi\n"))
        eventually(lambda: not self.bus.job_ids(), 5, "it is forgotten")
        job = self.bus.start(["sleep", "1000"])
        self.assertEqual(self.bus.job_ids(), [job.id])
        waiting = self.bus.wait_later(job.id, "Finished")
        self.bus.stop({"Id": job.id})
        self.assertEqual(waiting.result()[0], "Finished")


class TestDefault(BoxCase):

    weight = 2

    def test_a_thousand(self):
        bus = self.reeve.connect(match=False)
        pending = [bus.exec_later(["/bin/true"]) for _ in range(1100)]
        ids = [p.result(60).id for p in pending]
        eventually(lambda: not self.bus.property("NRunning"), 10, "all ended")
        self.assertEqual(len(self.bus.job_ids()), 1000)
        self.assertEqual(self.bus.property("NJobs"), 1000)
        self.assertTrue(set(self.bus.job_ids()) <= set(ids))


class TestForget(BoxCase):

    def test_forget(self):
        fds = self.reeve.fds()
        outcome = self.bus.sh("echo x")
        self.bus.wait(outcome.id)
        self.assertEqual(self.bus.job(outcome.id, "Forget"), ())
        self.assert_error("NoSuchJob", call=lambda: self.bus.manager("GetJob", "s", outcome.id))
        self.assert_error("UnknownObject", call=lambda: self.bus.job(outcome.id, "Forget"))
        self.assertNotIn(outcome.id, self.bus.job_ids())
        self.assert_fds_back(fds)

    def test_the_id_again_at_once(self):
        for i in range(100):
            self.assertEqual(self.bus.exec(["echo", str(i)], Id="again").stdout, b"%d\n" % i)
            self.bus.wait("again")
            self.bus.job("again", "Forget")

    def test_job_running(self):
        job = self.bus.start(["sleep", "1000"])
        self.assert_error("JobRunning", job.id, call=lambda: self.bus.job(job.id, "Forget"))
        outcome = self.bus.exec(self.reeve.payload("hold", "plain", 100000))
        self.assert_error("JobRunning", call=lambda: self.bus.job(outcome.id, "Forget"))
        self.assertTrue(self.bus.property("Running", outcome.id))

    def test_memory_of_the_log_goes(self):
        before = self.bus.property("LogBytes")
        outcome = self.bus.exec(["head", "-c", str(20 * MIB), "/dev/zero"], LogMaxBytes=32 * MIB)
        self.assertGreaterEqual(self.bus.property("LogBytes") - before, 20 * MIB)
        memory = self.reeve.memory()
        self.bus.wait(outcome.id)
        self.bus.job(outcome.id, "Forget")
        self.assertEqual(self.bus.property("LogBytes"), before)
        self.assert_memory(memory, -16 * MIB)


class TestBudget(BoxCase):

    options = {"args": [f"--log-max={8 * MIB}"]}

    def setUp(self):
        for id in self.bus.job_ids():
            self.bus.job(id, "Forget")
        self.bus.set_property("LogMaxBytes", "t", 8 * MIB)

    def write(self, size, **options):
        """The id of a finished job that wrote so much, in long records: what their headers take is next to nothing."""
        outcome = self.bus.exec(self.reeve.payload("blob", size), **options)
        self.bus.wait(outcome.id)
        return outcome.id

    def held(self, id):
        out, _, details = self.bus.output(id, MaxBytes=16 * MIB)
        self.assertEqual(len(out) + details["LostBytes"] + details["CutBytes"], self.bus.property("LogBytes", id))
        self.assertEqual(self.bus.property("LogLostBytes", id), details["LostBytes"])
        return len(out)

    def test_the_oldest_finished_rings_go_first(self):
        size = 1500 * 1024
        ids = [self.write(size, LogMaxBytes=4 * MIB) for _ in range(8)]
        self.assertLessEqual(self.bus.property("LogBytes"), 8 * MIB)
        held = [self.held(id) for id in ids]
        self.assertEqual((held[0], held[-1]), (0, size))
        self.assertEqual(held, sorted(held), "an older one is held and a newer one is not")
        # The record is still there, and says what was lost.
        p = self.bus.properties(ids[0])
        self.assertEqual((p["State"], p["LogBytes"], p["LogLostBytes"]), ("finished", size, size))
        log = self.bus.log(ids[0])
        self.assertEqual(([r for r in log.records if r.stream != 3], log.lost, log.eof), ([], size, True))

    def test_a_running_job_keeps_its_log(self):
        job = self.bus.start_sh(f"{' '.join(self.reeve.payload('blob', 2 * MIB))}; echo ready; exec sleep 1000",
                                LogMaxBytes=4 * MIB)
        self.bus.wait_for_output(job.id, b"ready")
        for _ in range(8):
            self.write(2 * MIB, LogMaxBytes=4 * MIB)
        self.assertEqual(self.held(job.id), 2 * MIB + 6)
        self.assertLessEqual(self.bus.property("LogBytes"), 8 * MIB)

    def test_less_by_property(self):
        first, second, third = [self.write(2000 * 1000, LogMaxBytes=4 * MIB) for _ in range(3)]
        self.assertEqual([self.held(id) for id in (first, second, third)], [2000 * 1000] * 3)
        self.bus.set_property("LogMaxBytes", "t", 4 * MIB)
        self.assertEqual(self.bus.property("LogMaxBytes"), 4 * MIB)
        self.assertLessEqual(self.bus.property("LogBytes"), 4 * MIB)
        self.assertEqual((self.held(first), self.held(third)), (0, 2000 * 1000))

    def test_more_by_property(self):
        self.bus.set_property("LogMaxBytes", "t", 32 * MIB)
        ids = [self.write(3 * MIB, LogMaxBytes=8 * MIB) for _ in range(4)]
        self.assertEqual([self.held(id) for id in ids], [3 * MIB] * 4)

    def test_the_change_is_told(self):
        self.bus.set_property("LogMaxBytes", "t", 16 * MIB)
        self.assertEqual(self.bus.properties()["LogMaxBytes"], 16 * MIB)

    def test_a_ring_larger_than_the_budget(self):
        self.assert_error("InvalidArgs", "LogMaxBytes", call=lambda: self.bus.exec(["true"], LogMaxBytes=9 * MIB))

    def test_many_running_ones_together(self):
        """Ten floods, each with a ring of 1 MiB, and a budget of 8: the budget holds."""
        for _ in range(10):
            self.bus.start(self.reeve.payload("flood"))
        eventually(lambda: min(job["LogBytes"] for job in self.bus.jobs(State="running")) > 4 * MIB, 20, "all have written")
        self.assertLessEqual(self.bus.property("LogBytes"), 8 * MIB)
        self.assertEqual(self.bus.sh("echo still; exit 3").stdout, b"still\n")
        self.assertLessEqual(self.bus.property("LogBytes"), 8 * MIB)
