"""Detach, and KillOnDisconnect: whose life a job's hangs on."""

import time

from case import FreshCase, Stopwatch
from client import MSEC, ROOT
from rig import eventually
from session import SessionCase


class TestDetach(SessionCase):

    def detached(self, *argv, **options):
        job = self.bus.start(list(argv) or ["sleep", "1000"], Session=self.name, **options)
        self.assertEqual(self.bus.job(job.id, "Detach"), ())
        return job

    def test_it_leaves_its_session(self):
        stays = self.bus.start(["sleep", "1000"], Session=self.name)
        group = f"{self.bus.session_property(self.name, 'ControlGroup')}"
        job = self.detached()
        p = self.bus.properties(job.id)
        self.assertEqual((p["Session"], p["State"], p["ControlGroup"]), ("", "running", f"{group}/{job.id}.scope"))
        self.assertEqual(self.bus.job_ids(Session=self.name), [stays.id])
        self.assertNotIn(job.id, self.bus.session_property(self.name, "Jobs"))
        self.assertIn(job.id, self.bus.job_ids())
        self.assertEqual(self.bus.jobs(Id=job.id)[0]["Session"], "")

    def test_it_outlives_it(self):
        stays = self.bus.start(["sleep", "1000"], Session=self.name)
        job = self.detached()
        ids, pids, remaining = self.bus.close_session(self.name)
        self.assertEqual((ids, pids, remaining), ([stays.id], [stays.pid], 0))
        self.assertNotIn(self.name, self.bus.sessions())
        self.assertEqual(self.bus.property("State", job.id), "running")
        # It is a job like any other.
        self.assertEqual(self.bus.manager("GetJobByPID", "u", job.pid), (job.path,))
        self.assertEqual(self.bus.property("TasksCurrent", job.id), 1)
        self.assertEqual(self.bus.stop({"Id": job.id}), ([job.id], [job.pid], 0))

    def test_selectors_by_the_session_pass_it_by(self):
        job = self.detached()
        self.assertEqual(self.bus.kill(15, Session=self.name), ([], []))
        self.assertEqual(self.bus.stop({"Session": self.name}), ([], [], 0))
        self.assertEqual(self.bus.kill(28, PID=job.pid), ([job.id], [job.pid]))
        self.assertEqual(self.bus.kill(28, Session=self.name, Id=job.id), ([], []))
        self.assertEqual(self.bus.stop({"All": True}), ([job.id], [job.pid], 0))

    def test_session_of_that_name_again(self):
        """The new one has nothing to do with it, though its scope is where it was."""
        job = self.detached()
        for _ in range(3):
            self.bus.close_session(self.name)
            self.bus.open_session(self.name)
            other = self.bus.start(["sleep", "1000"], Session=self.name)
            self.assertEqual(self.bus.job_ids(Session=self.name, State="running"), [other.id])
        self.assertEqual(self.bus.close_session(self.name), ([other.id], [other.pid], 0))
        self.assertEqual(self.bus.property("State", job.id), "running")
        self.bus.stop({"Id": job.id})
        eventually(lambda: not self.reeve.scopes(), 5, "its scope is removed")

    def test_of_the_default_session(self):
        job = self.bus.start(["sleep", "1000"])
        self.bus.job(job.id, "Detach")
        self.assertEqual(self.bus.close_session("default"), ([], [], 0))
        self.assertEqual(self.bus.property("State", job.id), "running")

    def test_of_what_a_run_left(self):
        outcome = self.run_it("sleep 1000 & echo $!")
        self.bus.job(outcome.id, "Detach")
        self.assertEqual(self.bus.close_session(self.name), ([], [], 0))
        self.assertTrue(self.bus.property("Running", outcome.id))
        self.assertEqual(self.bus.stop({"PID": int(outcome.stdout)})[0], [outcome.id])

    def test_of_a_run_under_way(self):
        """Its state is the session's all the same; and the next one waits for it, or not: but none is lost."""
        gate, there = self.gate(), self.gate()
        first = self.bus.run_later(self.name, f"{there.say('here')}; {gate.wait}; echo end")
        self.assertEqual(there.hear(), "here")
        id, = self.living()
        self.bus.job(id, "Detach")
        second = self.bus.run_later(self.name, "echo second")
        gate.open()
        self.assertEqual(first.result().stdout, b"end\n")
        self.assertEqual(second.result().stdout, b"second\n")

    def test_twice_and_finished(self):
        job = self.detached()
        try:
            self.bus.job(job.id, "Detach")
        finally:
            self.assertEqual(self.bus.property("Session", job.id), "")
        self.bus.stop({"Id": job.id})
        self.assertEqual(self.bus.property("State", job.id), "finished")
        self.bus.job(job.id, "Forget")
        self.assert_error("UnknownObject", call=lambda: self.bus.job(job.id, "Detach"))

    def test_its_output_goes_on(self):
        gate = self.gate()
        job = self.detached("sh", "-c", f"while read -r line; do echo \"got $line\"; done <{gate.path}")
        self.bus.close_session(self.name)
        gate.open()
        self.bus.wait_for_output(job.id, b"got go\n")

    def test_ended_with_reeve(self):
        """Nothing outlives that: checked by the end of the class."""
        self.detached()


class TestShutdown(FreshCase):

    def test_a_detached_job_ends_with_reeve(self):
        box = self.box()
        box.bus.open_session("x")
        job = box.bus.start(["sleep", "1000"], Session="x")
        box.bus.job(job.id, "Detach")
        box.bus.close_session("x")
        self.assertEqual(box.stop(), 0)
        box.no_leftovers()


class TestKillOnDisconnect(SessionCase):

    def gone(self, id, timeout=10):
        eventually(lambda: not self.bus.property("Running", id), timeout, f"{id} is ended")

    def test_start(self):
        with self.reeve.connect() as other:
            mine = other.start(["sleep", "1000"], KillOnDisconnect=True)
            stays = other.start(["sleep", "1000"])
            explicit = other.start(["sleep", "1000"], KillOnDisconnect=False)
            elsewhere = self.bus.start(["sleep", "1000"], KillOnDisconnect=True)
            self.assertEqual(self.bus.property("State", mine.id), "running")
        self.gone(mine.id)
        p = self.bus.properties(mine.id)
        self.assertEqual((p["State"], p["Result"], p["Signal"]), ("finished", "signal", 15))
        for job in (stays, explicit, elsewhere):
            self.assertEqual(self.bus.property("State", job.id), "running")

    def test_exec(self):
        gate = self.gate()
        with self.reeve.connect() as other:
            other.exec_later(["sh", "-c", f"{gate.say('mine')}; exec sleep 1001"], KillOnDisconnect=True)
            self.assertEqual(gate.hear(), "mine")
            other.exec_later(["sh", "-c", f"{gate.say('stays')}; exec sleep 1002"])
            self.assertEqual(gate.hear(), "stays")
        mine, = self.bus.jobs(Pattern="sleep 1001")
        stays, = self.bus.jobs(Pattern="sleep 1002")
        self.gone(mine["Id"])
        self.assertEqual(self.bus.property("Signal", mine["Id"]), 15)
        self.assertEqual(self.bus.property("State", stays["Id"]), "running")

    def test_run(self):
        gate = self.gate()
        with self.reeve.connect() as other:
            other.run_later(self.name, f"cd /usr; {gate.say('here')}; sleep 1001", KillOnDisconnect=True)
            self.assertEqual(gate.hear(), "here")
            id, = self.living()
        self.gone(id)
        self.assertEqual(self.directory(), "/")

    def test_what_was_left_in_the_background(self):
        """The command was answered long ago; its server goes with the caller."""
        with self.reeve.connect() as other:
            run = other.run(self.name, "sleep 1000 & cd /usr", KillOnDisconnect=True)
            exec = other.exec(self.reeve.payload("hold", "setsid", 1000000), KillOnDisconnect=True)
            stays = other.run(self.name, "sleep 1000 &")
        for outcome in (run, exec):
            self.gone(outcome.id)
        self.assertEqual(self.bus.property("Result", exec.id), "success" if exec.exit_code == 0 else "exit-code")
        self.assertTrue(self.bus.property("Running", stays.id))
        self.assertEqual(self.directory(), "/usr")

    def test_deaf_ones(self):
        with self.reeve.connect() as other:
            job = other.start(self.reeve.payload("deaf"), KillOnDisconnect=True, TimeoutStopUSec=300 * MSEC)
            other.wait_for_output(job.id, b"ready")
        with Stopwatch() as watch:
            self.gone(job.id)
        self.assertLess(watch.seconds, 8)
        self.assertEqual(self.bus.property("Signal", job.id), 9)

    def test_signal_of_its_own(self):
        with self.reeve.connect() as other:
            job = other.start(["sleep", "1000"], KillOnDisconnect=True, KillSignal=10)
        self.gone(job.id)
        self.assertEqual(self.bus.property("Signal", job.id), 10)

    def test_finished_ones_are_left_as_they_are(self):
        with self.reeve.connect() as other:
            outcome = other.exec(["sh", "-c", "echo x; exit 3"], KillOnDisconnect=True)
            other.wait(outcome.id)
        self.bus.ping()
        self.assertEqual((self.bus.property("ExitCode", outcome.id), self.bus.output(outcome.id)[0]), (3, b"x\n"))

    def test_another_connection_may_go(self):
        job = self.bus.start(["sleep", "1000"], KillOnDisconnect=True)
        with self.reeve.connect() as other:
            waiting = other.wait_later(job.id, "Finished")
            other.ping()
        self.assertFalse(waiting.done() and not waiting.error)
        with self.reeve.connect() as other:
            other.ping()
        self.assertEqual(self.bus.property("State", job.id), "running")

    def test_the_same_request_of_several(self):
        """The job lives as long as one of those who asked for it."""
        one, two, three = (self.reeve.connect() for _ in range(3))
        jobs = {c.start(["sleep", "1000"], Id="shared", KillOnDisconnect=True).id for c in (one, two)}
        pending = three.exec_later(["sleep", "1000"], Id="shared", KillOnDisconnect=True)
        three.ping()
        self.assertEqual(jobs, {"shared"})
        one.close()
        self.bus.ping()
        two.close()
        self.assert_error("Timeout", call=lambda: self.bus.wait_later("shared", "Exited", 500 * MSEC).result())
        self.assertFalse(pending.done())
        three.close()
        self.gone("shared")

    def test_many_of_one(self):
        with self.reeve.connect() as other:
            doomed = [other.start(["sleep", "1000"], KillOnDisconnect=True).id for _ in range(30)]
            kept = [other.start(["sleep", "1000"]).id for _ in range(5)]
        for id in doomed:
            self.gone(id)
        self.assertEqual(sorted(self.bus.job_ids(State="running")), sorted(kept))

    def test_at_every_moment(self):
        """Callers that go while their job is being made: it is never left behind."""
        for method in ("Exec", "Start"):
            for i in range(60):
                with self.reeve.connect(match=False) as other:
                    other.send(ROOT, "org.reeve1.Manager", method, "asa{sv}", ["sleep", "1000"], {"KillOnDisconnect": ("b", True)})
                    time.sleep(i * 0.0003)      # the moment is what is varied
        eventually(lambda: not self.bus.property("NRunning"), 10, lambda: self.bus.jobs(State="running"))
        eventually(lambda: not self.reeve.processes(), 5, lambda: self.reeve.describe(self.reeve.processes()))

    def test_many_callers_at_once(self):
        others = [self.reeve.connect(match=False) for _ in range(40)]
        jobs = [(other.start(["sleep", "1000"], KillOnDisconnect=True).id, other.start(["sleep", "1000"]).id) for other in others]
        for other in others[::2]:
            other.close()
        for doomed, _ in jobs[::2]:
            self.gone(doomed)
        due = [id for _, id in jobs] + [doomed for doomed, _ in jobs[1::2]]
        self.assertEqual(sorted(self.bus.job_ids(State="running")), sorted(due))
        for other in others[1::2]:
            other.close()
        for doomed, _ in jobs:
            self.gone(doomed)

    def test_fast(self):
        """Not at the next occasion, but at once."""
        with self.reeve.connect() as other:
            job = other.start(["sleep", "1000"], KillOnDisconnect=True)
        with Stopwatch() as watch:
            self.assertEqual(self.bus.wait(job.id)[0], "Finished")
        self.assertLess(watch.seconds, 10)
