"""A leader that ends while others live on: "done" is three moments, and nothing gets away."""

import time

from bb import Gate
from case import BoxCase, Stopwatch
from client import MSEC, SEC
from rig import eventually

HOW = ("plain", "setsid", "double", "ignore")


class TestBackground(BoxCase):

    def hold(self, how, msec=30000, **options):
        return self.bus.exec(self.reeve.payload("hold", how, msec, 3), **options)

    def test_exec_answers_when_the_pipe_is_silent(self):
        for how in HOW:
            with self.subTest(how=how):
                with Stopwatch() as watch:
                    outcome = self.hold(how)
                self.assertLess(watch.seconds, 10)
                self.assert_outcome(outcome, "exit-code", 3)
                self.assertEqual((outcome.stdout, outcome.details["TasksRemaining"]), (b"left\n", 1))
                properties = self.bus.properties(outcome.id)
                self.assertEqual((properties["State"], properties["Running"], properties["Result"], properties["ExitCode"],
                                  properties["PID"], properties["TasksCurrent"]), ("exited", True, "exit-code", 3, 0, 1))
                self.assertEqual(properties["FinishTimestamp"], 0)
                self.assertGreater(properties["ExitTimestamp"], 0)

    def test_shell_background(self):
        """The line of the issue, and its kin."""
        for script in ("sleep 30 & exit 0", "setsid sleep 30 & exit 0", "(sleep 30 &) ; exit 0", "nohup sleep 30 & exit 0",
                       "nohup setsid sleep 30 </dev/null & exit 0", "(setsid sh -c 'trap \"\" TERM HUP; sleep 30; :' &) ; exit 0"):
            with self.subTest(script=script):
                with Stopwatch() as watch:
                    outcome = self.bus.sh(script)
                self.assertLess(watch.seconds, 10)
                self.assert_outcome(outcome, "success")
                self.assertGreaterEqual(outcome.details["TasksRemaining"], 1)
                self.assertTrue(self.bus.property("Running", outcome.id))
                _, pids, remaining = self.bus.stop({"Id": outcome.id}, TimeoutStopUSec=500 * MSEC)
                self.assertGreaterEqual(len(pids), 1)
                self.assertEqual(remaining, 0)
                self.assertFalse(self.bus.property("Running", outcome.id))
                self.assert_all_reaped()

    def test_the_drain_timeout_is_counted_from_the_last_output(self):
        """Whoever writes on is heard, as long as each pause is shorter than that."""
        script = "(for i in 1 2 3 4 5 6 7 8; do sleep 0.5; echo $i; done; sleep 30) & exit 0"
        outcome = self.bus.sh(script, DrainTimeoutUSec=3 * SEC)
        self.assertEqual(outcome.stdout, b"1\n2\n3\n4\n5\n6\n7\n8\n")

    def test_a_long_drain_timeout(self):
        with Stopwatch() as watch:
            outcome = self.hold("setsid", DrainTimeoutUSec=1 * SEC)
        self.assert_between(1, watch.seconds, 10)
        self.assertEqual(outcome.stdout, b"left\n")

    def test_no_drain_timeout_at_all(self):
        """0: what was written before the leader ended is there nevertheless."""
        for _ in range(20):
            outcome = self.hold("plain", DrainTimeoutUSec=0)
            self.assertEqual(outcome.stdout, b"left\n")

    def test_a_child_that_ends_in_time(self):
        """Both pipes at EOF: no waiting for the drain timeout."""
        with Stopwatch() as watch:
            outcome = self.hold("setsid", 200, DrainTimeoutUSec=20 * SEC)
        self.assertLess(watch.seconds, 10)
        self.assertEqual(outcome.stdout, b"left\nheld\n")

    def test_a_child_without_the_pipe(self):
        """It holds nothing up, even with a long drain timeout."""
        with Stopwatch() as watch:
            outcome = self.bus.sh("sleep 30 >/dev/null 2>&1 & exit 0", DrainTimeoutUSec=20 * SEC)
        self.assertLess(watch.seconds, 10)
        self.assertEqual(outcome.details["TasksRemaining"], 1)
        self.assertEqual(self.bus.property("State", outcome.id), "exited")
        self.bus.wait(outcome.id, "Drained")
        self.assert_error("Timeout", call=lambda: self.bus.wait_later(outcome.id, "Finished", 0).result())

    def test_later_output_goes_to_the_log(self):
        with Gate(self.reeve) as gate:
            outcome = self.bus.sh(f"(({gate.read}; echo held) &); echo left")
            self.assertEqual(outcome.stdout, b"left\n")
            gate.open()
            self.bus.wait(outcome.id, "Finished")
        self.assertEqual(self.bus.output(outcome.id)[0], b"left\nheld\n")

    def test_finished_comes_with_the_end_of_the_last(self):
        with Gate(self.reeve) as gate:
            outcome = self.bus.sh(f"setsid sh -c '{gate.read}' & exit 3")
            reached, details = self.bus.wait(outcome.id, "Exited")
            self.assertEqual((reached, details["ExitCode"], details["State"]), ("Exited", 3, "exited"))
            self.assert_error("Timeout", call=lambda: self.bus.wait_later(outcome.id, "Finished", 0).result())
            opened = time.time()
            gate.open()
            reached, details = self.bus.wait(outcome.id, "Finished")
        self.assertEqual((reached, details["State"], details["Result"]), ("Finished", "finished", "exit-code"))
        properties = self.bus.properties(outcome.id)
        self.assertEqual((properties["Running"], properties["State"], properties["ExitCode"]), (False, "finished", 3))
        self.assertTrue(properties["ExitTimestamp"] <= opened * 1e6 <= properties["FinishTimestamp"], (opened, properties))

    def test_waits_of_all_three_kinds_at_once(self):
        job = self.bus.start_sh("sleep 0.3; (sleep 0.4; exec >&- 2>&-; sleep 0.4) & exit 2")
        waits = {until: self.bus.wait_later(job.id, until) for until in ("Exited", "Drained", "Finished")}
        for until, wait in waits.items():
            self.assertEqual(wait.result()[0], until)
        self.assertLess(waits["Exited"].arrived, waits["Drained"].arrived)
        self.assertLess(waits["Drained"].arrived, waits["Finished"].arrived)

    def test_wait_for_any_of_them(self):
        outcome = self.hold("plain", 30000)
        self.assertEqual(self.bus.wait(outcome.id, "Exited Finished")[0], "Exited")
        self.assertEqual(self.bus.wait(outcome.id, "Drained Exited")[0], "Exited")

    def test_stop_of_what_was_left(self):
        for how in HOW:
            with self.subTest(how=how):
                outcome = self.hold(how)
                with Stopwatch() as watch:
                    ids, pids, remaining = self.bus.stop({"Id": outcome.id}, TimeoutStopUSec=300 * MSEC)
                self.assertEqual((ids, len(pids), remaining), ([outcome.id], 1, 0))
                self.assertLess(watch.seconds, 10)
                self.assert_ended(pids[0])
                # What is known of the leader does not change for what became of its children.
                self.assertEqual(self.bus.properties(outcome.id)["Result"], "exit-code")
                self.assertEqual(self.bus.properties(outcome.id)["ExitCode"], 3)

    def test_kill_on_exit(self):
        for how in HOW:
            with self.subTest(how=how):
                with Stopwatch() as watch:
                    outcome = self.hold(how, KillOnExit=True, TimeoutStopUSec=200 * MSEC)
                    self.bus.wait(outcome.id, "Finished")
                self.assertLess(watch.seconds, 10)
                self.assert_outcome(outcome, "exit-code", 3)
                self.assert_all_reaped()
                self.assertEqual(self.bus.output(outcome.id)[0], b"left\n")

    def test_without_kill_on_exit_they_live(self):
        outcome = self.hold("setsid", KillOnExit=False)
        self.assertEqual(len(self.reeve.processes()), 1)
        self.assertEqual(self.bus.property("TasksCurrent", outcome.id), 1)

    def test_get_job_by_pid_of_an_orphan(self):
        outcome = self.hold("double")
        orphan = self.reeve.inner_pid(self.reeve.processes()[0])
        self.assertEqual(self.bus.manager("GetJobByPID", "u", orphan), (f"/org/reeve1/job/{outcome.id}",))

    def test_exited_signal_before_finished_signal(self):
        outcome = self.hold("setsid", 300)
        exited = self.bus.wait_manager_signal("JobExited", outcome.id)
        self.assertEqual(exited.body, (outcome.id, "exit-code", 3, 0))
        finished = self.bus.wait_manager_signal("JobFinished", outcome.id)
        self.assertEqual(finished.body, (outcome.id, "exit-code"))
        members = [s.member for s in self.bus.signals if s.interface == "org.reeve1.Manager" and s.body[0] == outcome.id]
        self.assertEqual(members, ["JobNew", "JobExited", "JobFinished"])

    def test_many_jobs_with_orphans(self):
        """Fifty at once, each leaves one; one Stop of the session ends them all."""
        pending = [self.bus.exec_later(self.reeve.payload("hold", HOW[i % 4], 30000, i), Session="crowd") for i in range(50)]
        for i, p in enumerate(pending):
            self.assertEqual(p.result().exit_code, i)
        self.assertEqual(len(self.bus.job_ids(Session="crowd", State="exited")), 50)
        ids, pids, remaining = self.bus.stop({"Session": "crowd"}, TimeoutStopUSec=500 * MSEC)
        self.assertEqual((len(ids), len(pids), remaining), (50, 50, 0))


class TestRunaways(BoxCase):
    """Trees that change faster than anybody can list them."""

    def check_nothing_is_left(self, id):
        # The scope is empty when the kernel says so; zombies, of which PID 1 is the parent, may take a moment longer.
        eventually(lambda: not self.reeve.processes(), 5, lambda: self.reeve.describe(self.reeve.processes()))
        properties = self.bus.properties(id)
        self.assertEqual((properties["State"], properties["Running"], properties["TasksCurrent"]), ("finished", False, 0))

    def runaway(self, *payload, **options):
        job = self.bus.start(self.reeve.payload(*payload), **options)
        self.bus.wait_for_output(job.id, b"ready")
        return job

    def test_stop_of_a_runaway(self):
        for width, pause in ((1, 0), (4, 0), (8, 1), (32, 5)):
            with self.subTest(width=width):
                job = self.runaway("runaway", width, pause)
                with Stopwatch() as watch:
                    _, _, remaining = self.bus.stop({"Id": job.id}, TimeoutStopUSec=200 * MSEC)
                self.assertEqual(remaining, 0)
                self.assertLess(watch.seconds, 10)
                self.check_nothing_is_left(job.id)

    def test_kill_at_once(self):
        job = self.runaway("runaway", 16, 1)
        self.assertEqual(self.bus.job(job.id, "Stop", "a{sv}", {"TimeoutStopUSec": ("t", 0)})[1], 0)
        self.check_nothing_is_left(job.id)

    def test_one_kill_reaches_all(self):
        """Kill is once, and yet nothing that forks meanwhile gets away: "all" of SIGKILL is the scope."""
        job = self.runaway("runaway", 16, 1)
        self.bus.kill(9, Id=job.id)
        self.bus.wait(job.id, "Finished", 10)
        self.check_nothing_is_left(job.id)

    def test_fork_bomb(self):
        job = self.runaway("bomb", 500)
        self.assertGreater(self.bus.property("TasksCurrent", job.id), 50)
        with Stopwatch() as watch:
            _, pids, remaining = self.bus.stop({"Id": job.id}, TimeoutStopUSec=100 * MSEC)
        self.assertEqual(remaining, 0)
        self.assertGreater(len(pids), 50)
        self.assertLess(watch.seconds, 10)
        self.check_nothing_is_left(job.id)

    def test_others_are_served_meanwhile(self):
        job = self.runaway("runaway", 4, 1)
        for _ in range(10):
            self.assertEqual(self.bus.sh("exit 9").exit_code, 9)
        self.bus.stop({"Id": job.id}, TimeoutStopUSec=0)

    def test_the_leader_of_a_runaway_dies(self):
        """Its chains live on in the scope, and finished comes when the last is killed."""
        job = self.runaway("runaway", 2, 1)
        self.bus.kill(9, whom="main", Id=job.id)
        self.bus.wait(job.id, "Exited")
        properties = self.bus.properties(job.id)
        self.assertEqual((properties["State"], properties["Result"], properties["Signal"]), ("exited", "signal", 9))
        eventually(lambda: self.reeve.processes(), 5, "chains live on")
        self.bus.stop({"Id": job.id}, TimeoutStopUSec=0)
        self.check_nothing_is_left(job.id)
