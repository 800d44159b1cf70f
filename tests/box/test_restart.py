"""Restart= of jobs that callers start: the same job, the same log, run after run."""

import os

from case import BoxCase
from client import MSEC, SEC
from rig import eventually

# A run more each time: the n-th file that it makes is its number.
COUNT = 'n=$(ls /run/c-$REEVE_JOB 2>/dev/null | wc -l); mkdir -p /run/c-$REEVE_JOB; : >/run/c-$REEVE_JOB/$n; '


class TestRestart(BoxCase):

    def again(self, script, **options):
        options = {"Restart": "on-failure", "RestartUSec": 1000, "StartLimitBurst": 0, **options}
        return self.bus.start_sh(COUNT + script, **options)

    def finish(self, job):
        return self.bus.wait(job.id, timeout=60)[1]

    def notes(self, job):
        return [r.data.decode().strip() for r in self.bus.log(job.id).records if r.stream == 3]

    def test_until_it_is_well(self):
        job = self.again("echo run $n; [ $n = 3 ] || exit 3")
        self.assertEqual(self.finish(job)["Result"], "success")
        self.assertEqual(self.bus.output(job.id)[0], b"run 0\nrun 1\nrun 2\nrun 3\n")
        self.assertEqual(self.bus.property("NRestarts", job.id), 3)
        self.assertEqual(self.notes(job), ["Restarted (1)", "Restarted (2)", "Restarted (3)"])

    def test_what_is_asked_for_again(self):
        """result of a run; which Restart= runs it again."""
        cases = (("exit 0", {"always", "on-success"}), ("exit 3", {"always", "on-failure"}),
                 ("kill -KILL $$", {"always", "on-failure", "on-abnormal"}), ("kill -TERM $$", {"always", "on-success"}))
        for script, those in cases:
            for when in ("no", "on-success", "on-failure", "on-abnormal", "always"):
                with self.subTest(script=script, when=when):
                    # The second run ends the other way, so that it is the last.
                    other = "exit 3" if script in ("exit 0", "kill -TERM $$") else "exit 0"
                    if when == "always":
                        other = "exec sleep 1000"
                    job = self.again(f"[ $n = 0 ] || {other}; {script}", Restart=when)
                    if when == "always":
                        eventually(lambda: self.bus.property("NRestarts", job.id) == 1, 30, "it runs again")
                        self.bus.stop({"Id": job.id}, TimeoutStopUSec=0)
                    self.finish(job)
                    self.assertEqual(self.bus.property("NRestarts", job.id), int(when in those))

    def test_timeout_counts_as_abnormal(self):
        job = self.again("[ $n = 0 ] && exec sleep 1000; exit 0", Restart="on-abnormal", RuntimeMaxUSec=3 * SEC)
        self.assertEqual(self.finish(job)["Result"], "success")
        self.assertEqual(self.bus.property("NRestarts", job.id), 1)

    def test_too_often(self):
        job = self.again("exit 3", Restart="always", StartLimitBurst=3, StartLimitIntervalUSec=3600 * SEC)
        details = self.finish(job)
        self.assertEqual((details["Result"], details["ExitCode"]), ("start-limit-hit", 3))
        self.assertEqual(self.bus.property("NRestarts", job.id), 2)
        self.assertIn("3 runs within", self.notes(job)[-1])

    def test_pauses_double(self):
        """Seen in the log's own times: each pause is at least as long as it should be."""
        job = self.again("[ $n = 4 ] && exit 0; exit 3", RestartUSec=20 * MSEC, RestartMaxDelayUSec=80 * MSEC)
        self.finish(job)
        times = [r.monotonic for r in self.bus.log(job.id).records if r.stream == 3]
        pauses = [b - a for a, b in zip(times, times[1:])]
        self.assertEqual(len(pauses), 3)
        for pause, least in zip(pauses, (40 * MSEC, 80 * MSEC, 80 * MSEC)):
            self.assertGreaterEqual(pause, least)

    def test_stop_ends_the_pause(self):
        job = self.again("exit 3", RestartUSec=3600 * SEC)
        eventually(lambda: self.bus.property("State", job.id) == "restarting", 30, "it waits")
        p = self.bus.properties(job.id)
        self.assertEqual((p["Running"], p["PID"], p["Result"], p["ExitCode"]), (True, 0, "exit-code", 3))
        self.assertEqual(self.bus.job_ids(State="restarting"), [job.id])
        self.assertEqual(self.bus.stop({"Id": job.id}), ([job.id], [], 0))
        p = self.bus.properties(job.id)
        self.assertEqual((p["State"], p["Running"], p["Result"]), ("finished", False, "exit-code"))

    def test_stop_is_no_failure_to_be_mended(self):
        job = self.again("trap 'exit 3' TERM; echo up; while :; do sleep 0.1; done", Restart="always")
        self.bus.wait_for_output(job.id, b"up\n")
        self.bus.stop({"Id": job.id}, timeout=60)
        details = self.finish(job)
        self.assertEqual((details["Result"], details["ExitCode"]), ("exit-code", 3))
        self.assertEqual(self.bus.property("NRestarts", job.id), 0)

    def test_a_signal_of_a_caller_is(self):
        job = self.again("echo up $n; [ $n = 1 ] && exit 0; exec sleep 1000")
        self.bus.wait_for_output(job.id, b"up 0\n")
        self.bus.kill(9, Id=job.id)
        self.assertEqual(self.finish(job)["Result"], "success")
        self.assertEqual(self.bus.property("NRestarts", job.id), 1)

    def test_what_the_leader_leaves_behind_goes_first(self):
        job = self.again("[ $n = 1 ] && exit 0; setsid sleep 1000 & exit 3")
        self.assertEqual(self.finish(job)["Result"], "success")
        self.assert_all_reaped()

    def test_and_stays_when_there_is_no_other_run(self):
        job = self.again("setsid sleep 1000 >/dev/null 2>&1 & exit 0")
        self.bus.wait(job.id, "Drained", timeout=60)
        p = self.bus.properties(job.id)
        self.assertEqual((p["State"], p["Result"], p["Running"]), ("exited", "success", True))

    def test_followers_see_all_runs(self):
        job = self.again("echo run $n; [ $n = 2 ] || exit 3", RestartUSec=50 * MSEC)
        with os.fdopen(self.bus.follow(job.id, Format="raw"), "rb") as f:
            self.assertEqual(f.read(), b"run 0\nrun 1\nrun 2\n")

    def test_signals(self):
        job = self.again("[ $n = 2 ] && exit 0; exit 3", RestartUSec=50 * MSEC)
        self.bus.wait_manager_signal("JobFinished", job.id, 60)
        exits = [s.body[1:] for s in self.bus.signals if s.member == "JobExited" and s.body[0] == job.id]
        self.assertEqual(exits, [("exit-code", 3, 0), ("exit-code", 3, 0), ("success", 0, 0)])
        self.assertEqual([s.member for s in self.bus.signals if s.member == "JobNew" and s.body[0] == job.id], ["JobNew"])

    def test_a_later_start_that_fails(self):
        job = self.bus.start_sh("rm -r /run/dir; exit 3", Restart="on-failure", RestartUSec=1000, StartLimitBurst=2,
                                StartLimitIntervalUSec=3600 * SEC, WorkingDirectory=self.directory())
        self.assertEqual(self.finish(job)["Result"], "start-limit-hit")
        self.assertTrue(any("/run/dir" in note for note in self.notes(job)), self.notes(job))

    def directory(self):
        self.bus.sh("mkdir -p /run/dir")
        return "/run/dir"

    def test_the_first_start_that_fails_is_no_job(self):
        self.assert_error("CommandNotFound", call=lambda: self.bus.start(["/nix"], Restart="always", Id="nix"))
        self.assert_error("NoSuchJob", call=lambda: self.bus.manager("GetJob", "s", "nix"))

    def test_input_is_there_for_each_run(self):
        job = self.again("cat; [ $n = 1 ] || exit 3", StandardInput="data", StandardInputData=b"in\n")
        self.finish(job)
        self.assertEqual(self.bus.output(job.id)[0], b"in\nin\n")

    def test_a_descriptor_is_there_for_each_run(self):
        r, w = os.pipe()
        with os.fdopen(r, "rb") as f:
            job = self.again("echo run $n; [ $n = 1 ] || exit 3", StandardOutputFileDescriptor=w)
            os.close(w)
            self.assertEqual(f.read(), b"run 0\nrun 1\n")
        self.finish(job)

    def test_detached_it_goes_on_without_its_session(self):
        self.bus.open_session("s", Environment=["WHO=me"])
        job = self.again("echo $WHO $n; [ $n = 0 ] && exec sleep 1000; exit 0", Session="s")
        self.bus.wait_for_output(job.id, b"me 0\n")
        self.bus.job(job.id, "Detach")
        self.bus.close_session("s")
        self.bus.kill(9, Id=job.id)
        self.assertEqual(self.finish(job)["Result"], "success")
        self.assertEqual(self.bus.output(job.id)[0], b"me 0\nme 1\n")

    def test_the_same_request_is_the_same_job(self):
        a = self.again("exec sleep 1000", Id="same")
        b = self.again("exec sleep 1000", Id="same")
        self.assertEqual((b.id, b.details["Existing"]), (a.id, True))
        self.assert_error("JobExists", call=lambda: self.again("exec sleep 1000", Id="same", Restart="always"))
