"""Exit truth: results are what was observed."""

import signal
import time

from case import BoxCase, Stopwatch
from client import MSEC, SEC

IGNORED = {17, 18, 23, 28}      # SIGCHLD, SIGCONT, SIGURG, SIGWINCH
STOPPING = {19, 20, 21, 22}
CORE = {3, 4, 5, 6, 7, 8, 11, 24, 25, 31}


class TestExit(BoxCase):

    def test_every_exit_code(self):
        pending = [self.bus.exec_later(["sh", "-c", f"exit {code}"]) for code in range(256)]
        for code, p in enumerate(pending):
            self.assert_outcome(p.result(), "exit-code" if code else "success", code)

    def test_every_signal(self):
        pending = {number: self.bus.exec_later(self.reeve.payload("raise", number), LimitCORE=0)
                   for number in range(1, 65) if number not in STOPPING}
        for number, p in pending.items():
            with self.subTest(signal=number):
                outcome = p.result()
                if number in IGNORED:
                    self.assert_outcome(outcome, "exit-code", 42)
                else:
                    self.assertIn(outcome.result, ("signal", "core-dump") if number in CORE else ("signal",))
                    self.assertEqual((outcome.exit_code, outcome.signal), (-1, number))

    def test_every_signal_by_kill(self):
        """From outside, by Manager.Kill: signals 32 and 33, that libc keeps to itself, too."""
        for number in range(1, 65):
            if number in STOPPING or number in IGNORED:
                continue
            with self.subTest(signal=number):
                job = self.bus.start(["sleep", "100"], LimitCORE=0)
                self.assertEqual(self.bus.kill(number, Id=job.id), ([job.id], [job.pid]))
                details = self.bus.wait(job.id, "Exited")[1]
                self.assertEqual((details["ExitCode"], details["Signal"]), (-1, number))

    def test_137_is_a_code(self):
        self.assert_outcome(self.bus.sh("exit 137"), "exit-code", 137)
        self.assert_outcome(self.bus.sh("kill -9 $$"), "signal", signal=9)
        # A shell makes a code of its child's signal; that is what was observed.
        self.assert_outcome(self.bus.sh("sh -c 'kill -9 $$'; exit $?"), "exit-code", 137)

    def test_core_dump(self):
        script = "ulimit -c unlimited; kill -SEGV $$"
        control = self.reeve.run_inside(["bash", "-c", f"cd /tmp; bash -c '{script}'; ls /tmp | grep -c ^core"])
        if not control.stdout.strip().isdigit() or int(control.stdout) == 0:
            self.skipTest("this machine writes no core files")
        outcome = self.bus.exec(["bash", "-c", script], WorkingDirectory="/tmp")
        self.assert_outcome(outcome, "core-dump", signal=signal.SIGSEGV)
        outcome = self.bus.exec(["bash", "-c", "kill -SEGV $$"], WorkingDirectory="/tmp", LimitCORE=0)
        self.assert_outcome(outcome, "signal", signal=signal.SIGSEGV)

    def test_properties_after_the_end(self):
        outcome = self.bus.sh("exit 5")
        self.bus.wait(outcome.id)
        p = self.bus.properties(outcome.id)
        self.assertEqual((p["State"], p["Running"], p["Result"], p["ExitCode"], p["Signal"], p["PID"], p["NRestarts"]),
                         ("finished", False, "exit-code", 5, 0, 0, 0))
        self.assertTrue(0 < p["StartTimestamp"] <= p["ExitTimestamp"] <= p["FinishTimestamp"])

    def test_properties_before_the_end(self):
        job = self.bus.start(["sleep", "100"])
        p = self.bus.properties(job.id)
        self.assertEqual((p["State"], p["Running"], p["Result"], p["ExitTimestamp"], p["FinishTimestamp"]),
                         ("running", True, "", 0, 0))

    def test_stopped_is_not_ended(self):
        job = self.bus.start(["sleep", "100"])
        self.bus.kill(signal.SIGSTOP, Id=job.id)
        self.assert_error("Timeout", call=lambda: self.bus.wait_later(job.id, "Exited", 300 * MSEC).result())
        self.assertEqual(self.bus.property("State", job.id), "running")
        self.bus.kill(signal.SIGCONT, Id=job.id)
        self.bus.kill(signal.SIGTERM, Id=job.id)
        self.assertEqual(self.bus.wait(job.id)[1]["Signal"], 15)


class TestStop(BoxCase):

    def started(self, *payload, **options):
        job = self.bus.start(self.reeve.payload(*payload), **options)
        self.bus.wait_for_output(job.id, b"ready")
        return job

    def end(self, id):
        p = self.bus.properties(id)
        return p["Result"], p["ExitCode"], p["Signal"], p["State"]

    def test_polite(self):
        job = self.bus.start(["sleep", "100"])
        with Stopwatch() as watch:
            ids, pids, remaining = self.bus.stop({"Id": job.id})
        self.assertLess(watch.seconds, 10)
        self.assertEqual((ids, pids, remaining), ([job.id], [job.pid], 0))
        self.assertEqual(self.end(job.id), ("signal", -1, 15, "finished"))

    def test_leader_that_exits_0_is_a_success(self):
        job = self.started("on-term", 0)
        self.bus.stop({"Id": job.id})
        self.assertEqual(self.end(job.id), ("success", 0, 0, "finished"))
        self.assertEqual(self.bus.output(job.id)[0], b"ready\nterm\n")

    def test_leader_that_exits_otherwise(self):
        job = self.started("on-term", 9)
        self.bus.stop({"Id": job.id})
        self.assertEqual(self.end(job.id), ("exit-code", 9, 0, "finished"))

    def test_deaf_leader(self):
        job = self.started("deaf", TimeoutStopUSec=600 * MSEC)
        with Stopwatch() as watch:
            self.bus.stop({"Id": job.id})
        self.assert_between(0.6, watch.seconds, 10)
        self.assertEqual(self.end(job.id), ("signal", -1, 9, "finished"))

    def test_timeout_of_the_call(self):
        job = self.started("deaf", TimeoutStopUSec=100 * SEC)
        with Stopwatch() as watch:
            self.bus.stop({"Id": job.id}, TimeoutStopUSec=300 * MSEC)
        self.assert_between(0.3, watch.seconds, 10)

    def test_at_once(self):
        job = self.started("on-term", 0)
        self.bus.stop({"Id": job.id}, TimeoutStopUSec=0)
        self.assertEqual(self.end(job.id), ("signal", -1, 9, "finished"))
        self.assertEqual(self.bus.output(job.id)[0], b"ready\n")

    def test_signal_of_the_job_and_of_the_call(self):
        job = self.bus.start(["sleep", "100"], KillSignal=signal.SIGINT)
        self.bus.stop({"Id": job.id})
        self.assertEqual(self.end(job.id)[2], signal.SIGINT)
        job = self.bus.start(["sleep", "100"], KillSignal=signal.SIGINT)
        self.bus.stop({"Id": job.id}, Signal=signal.SIGHUP)
        self.assertEqual(self.end(job.id)[2], signal.SIGHUP)

    def test_method_of_the_job(self):
        job = self.started("deaf")
        pids, remaining = self.bus.job(job.id, "Stop", "a{sv}", {"TimeoutStopUSec": ("t", 200 * MSEC)})
        self.assertEqual((pids, remaining), ([job.pid], 0))

    def test_state_is_stopping_meanwhile(self):
        job = self.started("deaf")
        stop = self.bus.stop_later({"Id": job.id}, TimeoutStopUSec=1500 * MSEC)
        self.bus.ping()
        self.assertEqual(self.bus.property("State", job.id), "stopping")
        self.assertTrue(self.bus.property("Running", job.id))
        self.assertFalse(stop.done())
        self.assertEqual(stop.result()[2], 0)

    def test_two_stops_at_once(self):
        """Both are answered; the more urgent one decides."""
        job = self.started("deaf")
        with Stopwatch() as watch:
            first = self.bus.stop_later({"Id": job.id}, TimeoutStopUSec=60 * SEC)
            second = self.bus.stop_later({"Id": job.id}, TimeoutStopUSec=0)
            self.assertEqual((first.result()[0], second.result()[0]), ([job.id], [job.id]))
        self.assertLess(watch.seconds, 10)

    def test_pids_are_all_that_were_there(self):
        job = self.started("tree", 5)
        _, pids, remaining = self.bus.stop({"Id": job.id})
        self.assertEqual((len(pids), len(set(pids)), remaining), (6, 6, 0))
        self.assertIn(job.pid, pids)

    def test_control_group_tells_all(self):
        """The children hear the signal, too."""
        job = self.bus.start_sh("(trap 'echo child; exit' TERM; echo ready; while :; do sleep 0.05; done) & "
                                "trap 'wait; echo leader; exit 0' TERM; wait")
        self.bus.wait_for_output(job.id, b"ready")
        self.bus.stop({"Id": job.id})
        self.assertEqual(self.bus.output(job.id)[0], b"ready\nchild\nleader\n")

    def test_mixed_tells_the_leader(self):
        """And kills the rest when it has gone; not before."""
        job = self.bus.start_sh("(trap 'echo child' TERM; echo ready; while :; do sleep 0.05; done) & "
                                "trap 'sleep 0.5; echo leader; exit 0' TERM; wait", KillMode="mixed")
        self.bus.wait_for_output(job.id, b"ready")
        with Stopwatch() as watch:
            _, pids, remaining = self.bus.stop({"Id": job.id}, TimeoutStopUSec=20 * SEC)
        self.assertLess(watch.seconds, 10)
        self.assertEqual(remaining, 0)
        self.assertGreaterEqual(len(pids), 2)
        self.assertEqual(self.bus.output(job.id)[0], b"ready\nleader\n")
        self.assertEqual(self.end(job.id), ("success", 0, 0, "finished"))

    def test_mixed_with_a_deaf_leader(self):
        job = self.started("deaf", KillMode="mixed")
        with Stopwatch() as watch:
            self.bus.stop({"Id": job.id}, TimeoutStopUSec=400 * MSEC)
        self.assert_between(0.4, watch.seconds, 10)
        self.assertEqual(self.end(job.id), ("signal", -1, 9, "finished"))

    def test_a_stopped_process_can_be_stopped(self):
        """One in SIGSTOP hears no SIGTERM before it is continued; SIGKILL reaches it."""
        job = self.bus.start(["sleep", "100"])
        self.bus.kill(signal.SIGSTOP, Id=job.id)
        with Stopwatch() as watch:
            self.assertEqual(self.bus.stop({"Id": job.id}, TimeoutStopUSec=500 * MSEC)[2], 0)
        self.assertLess(watch.seconds, 10)

    def test_a_machine_that_sleeps(self):
        """PID 1 is held up for longer than all its timers (a machine that is suspended, or much too busy): Stop is answered
        when the scope is empty all the same, not because time is up before anybody was killed."""
        job = self.started("deaf")
        stop = self.bus.stop_later({"Id": job.id}, TimeoutStopUSec=100 * MSEC)
        self.bus.ping()
        self.reeve.signal(signal.SIGSTOP)
        time.sleep(7)
        self.reeve.signal(signal.SIGCONT)
        self.assertEqual(stop.result(), ([job.id], [job.pid], 0))

    def test_pending_exec_is_answered(self):
        pending = self.bus.exec_later(self.reeve.payload("on-term", 4), Id="pending")
        self.bus.wait_manager_signal("JobNew", "pending")
        self.bus.wait_for_output("pending", b"ready")
        self.bus.stop({"Id": "pending"})
        self.assert_outcome(pending.result(), "exit-code", 4)

    def test_finished_job(self):
        outcome = self.bus.sh("exit 1")
        self.assertEqual(self.bus.stop({"Id": outcome.id}), ([], [], 0))
        self.assertEqual(self.end(outcome.id), ("exit-code", 1, 0, "finished"))


class TestRuntimeMax(BoxCase):

    def check(self, argv, low, high, **options):
        with Stopwatch() as watch:
            outcome = self.bus.exec(argv, **options)
            self.bus.wait(outcome.id, "Finished")
        self.assert_between(low, watch.seconds, high)
        self.assertEqual(outcome.result, "timeout")
        self.assertEqual(self.bus.property("Result", outcome.id), "timeout")
        self.assert_all_reaped()
        return outcome

    def test_plain(self):
        outcome = self.check(["sleep", "100"], 0.5, 10, RuntimeMaxUSec=500 * MSEC)
        self.assert_outcome(outcome, "timeout", signal=15)

    def test_leader_that_exits_0(self):
        """Still a timeout; exit_code says what was seen."""
        outcome = self.check(self.reeve.payload("on-term", 0), 2, 20, RuntimeMaxUSec=2 * SEC)
        self.assert_outcome(outcome, "timeout", 0)

    def test_leader_that_exits_7(self):
        outcome = self.check(self.reeve.payload("on-term", 7), 2, 20, RuntimeMaxUSec=2 * SEC)
        self.assert_outcome(outcome, "timeout", 7)

    def test_deaf_leader(self):
        outcome = self.check(self.reeve.payload("deaf"), 2.5, 20, RuntimeMaxUSec=2 * SEC, TimeoutStopUSec=500 * MSEC)
        self.assert_outcome(outcome, "timeout", signal=9)

    def test_deaf_child(self):
        script = f"{self.reeve.payload('deaf')[0]} deaf & sleep 100"
        self.check(["sh", "-c", script], 2.5, 20, RuntimeMaxUSec=2 * SEC, TimeoutStopUSec=500 * MSEC)

    def test_deaf_child_in_another_session_that_holds_the_pipe(self):
        script = f"setsid {self.reeve.payload('deaf')[0]} deaf & sleep 100"
        self.check(["sh", "-c", script], 2.5, 20, RuntimeMaxUSec=2 * SEC, TimeoutStopUSec=500 * MSEC)

    def test_runaway(self):
        self.check(self.reeve.payload("runaway", 8, 1), 2.3, 20, RuntimeMaxUSec=2 * SEC, TimeoutStopUSec=300 * MSEC)

    def test_in_time(self):
        self.assert_outcome(self.bus.sh("exit 3", RuntimeMaxUSec=60 * SEC), "exit-code", 3)

    def test_none(self):
        for value in (0, 2 ** 64 - 1):
            self.assert_outcome(self.bus.sh("sleep 0.3; exit 3", RuntimeMaxUSec=value), "exit-code", 3)

    def test_kill_signal_is_used(self):
        outcome = self.check(["sleep", "100"], 0.3, 10, RuntimeMaxUSec=300 * MSEC, KillSignal=signal.SIGINT)
        self.assert_outcome(outcome, "timeout", signal=signal.SIGINT)

    def test_output_until_then_is_there(self):
        outcome = self.check(["sh", "-c", "echo before; sleep 100"], 2, 20, RuntimeMaxUSec=2 * SEC)
        self.assertEqual(outcome.stdout, b"before\n")

    def test_wall_time_while_stopped(self):
        """Frozen or not: time runs."""
        job = self.bus.start(["sleep", "100"], RuntimeMaxUSec=700 * MSEC, TimeoutStopUSec=300 * MSEC)
        self.bus.kill(signal.SIGSTOP, Id=job.id)
        self.assertEqual(self.bus.wait(job.id, "Finished")[1]["Result"], "timeout")

    def test_twenty_at_once(self):
        with Stopwatch() as watch:
            pending = [self.bus.exec_later(self.reeve.payload("deaf"), RuntimeMaxUSec=(300 + 20 * i) * MSEC,
                                           TimeoutStopUSec=300 * MSEC) for i in range(20)]
            for p in pending:
                self.assertEqual(p.result().result, "timeout")
        self.assertLess(watch.seconds, 10)
