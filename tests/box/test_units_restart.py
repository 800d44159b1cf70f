"""Restart= of units: when, how often, after which pauses; what ends it; and the log that goes on over all of it."""

import os

from client import MSEC
from rig import eventually, write_file
from units import LONG, UnitsCase

LIMITLESS = ("StartLimitIntervalSec=0",)


class TestRestart(UnitsCase):

    def counting(self, script):
        """A command in which $n is how often it ran before."""
        return self.sh(f"c={self.reeve.shared}/count-$REEVE_JOB; n=$(cat $c 2>/dev/null || echo 0); echo $((n + 1)) >$c; " + script)

    def setUp(self):
        super().setUp()
        self.bus.sh(f"rm -f {self.reeve.shared}/count-* {self.reeve.shared}/go")

    def test_until_it_is_well(self):
        self.unit("well", "Restart=on-failure", "RestartSec=1ms", "ExecStart=" + self.counting("echo run $n; [ $n = 3 ] || exit 3"),
                  unit=LIMITLESS)
        self.reload()
        self.attempt("well")
        state = self.wait("well", "inactive", "success")
        self.assertEqual(state["NRestarts"], 3)
        self.assertEqual(self.bus.output("well.service")[0], b"run 0\nrun 1\nrun 2\nrun 3\n")
        self.assertEqual(self.bus.property("NRestarts", "well.service"), 3)
        self.assertEqual(len([n for n in self.notes("well") if "estart" in n]), 3, self.notes("well"))

    def test_when(self):
        endings = {"zero": ("exit 0", {"always", "on-success"}), "three": ("exit 3", {"always", "on-failure"}),
                   "kill": ("kill -KILL $$", {"always", "on-failure", "on-abnormal"}),
                   "term": ("kill -TERM $$", {"always", "on-success"})}
        for name, (script, _) in endings.items():
            for when in ("no", "on-success", "on-failure", "on-abnormal", "always"):
                self.unit(f"{name}-{when}", f"Restart={when}", "RestartSec=1ms",
                          "ExecStart=" + self.counting(f"[ $n = 0 ] || exec sleep 1000; {script}"))
        self.reload()
        for name, (script, those) in endings.items():
            for when in ("no", "on-success", "on-failure", "on-abnormal", "always"):
                with self.subTest(script=script, when=when):
                    self.attempt(f"{name}-{when}")
                    if when in those:
                        eventually(lambda: self.state(f"{name}-{when}")["NRestarts"] == 1, 30, f"{name}-{when} is started again")
                        self.wait(f"{name}-{when}", "active")
                    else:
                        self.wait(f"{name}-{when}", "inactive" if name in ("zero", "term") else "failed")
                        self.assertEqual(self.state(f"{name}-{when}")["NRestarts"], 0)

    def test_prevented(self):
        self.unit("code", "Restart=always", "RestartSec=1ms", "RestartPreventExitStatus=3 SIGKILL", "ExecStart=" + self.sh("exit 3"))
        self.unit("signal", "Restart=always", "RestartSec=1ms", "RestartPreventExitStatus=3 SIGKILL",
                  "ExecStart=" + self.sh("kill -KILL $$"))
        self.unit("pre", "Restart=on-failure", "RestartSec=1ms", "ExecStartPre=" + self.counting("[ $n = 2 ]"),
                  "ExecStart=/bin/sleep 1000",
                  unit=LIMITLESS)
        self.reload()
        for name, result in (("code", "exit-code"), ("signal", "signal")):
            self.attempt(name)
            self.assertEqual(self.wait(name, "failed", result)["NRestarts"], 0)
        self.attempt("pre")
        self.assertEqual(self.wait("pre", "active")["NRestarts"], 2)

    def test_a_start_waits_for_the_run_that_works(self):
        """And so does what requires it; until it is not tried again."""
        self.unit("late", "Restart=on-failure", "RestartSec=1ms", "ExecStartPre=" + self.counting("[ $n = 2 ]"),
                  "ExecStart=/bin/sleep 1000", unit=LIMITLESS)
        self.unit("never", "Restart=on-failure", "RestartSec=1ms", "ExecStartPre=/bin/false", "ExecStart=/bin/sleep 1000",
                  unit=["StartLimitBurst=3", "StartLimitIntervalSec=1h"])
        for name in ("late", "never"):
            self.unit(f"needs-{name}", "ExecStart=/bin/sleep 1000", unit=[f"Requires={name}.service", f"After={name}.service"])
        self.reload()
        self.start("needs-late")
        self.assertEqual((self.active("late"), self.state("late")["NRestarts"]), ("active", 2))
        self.assert_error("StartFailed", "dependency", call=lambda: self.start("needs-never"))
        self.assertEqual(self.state("never")["Result"], "start-limit-hit")

    def test_dies_after_10_ms_for_ever(self):
        self.unit("dies", "Restart=always", "RestartSec=1ms", "ExecStart=/bin/sleep 0.01",
                  unit=["StartLimitBurst=4", "StartLimitIntervalSec=1h"])
        self.reload()
        self.attempt("dies")
        state = self.wait("dies", "failed", "start-limit-hit")
        self.assertEqual(state["NRestarts"], 3)
        p = self.bus.properties("dies.service")
        self.assertEqual((p["State"], p["Result"], p["Running"]), ("finished", "start-limit-hit", False))

    def pauses(self, name, starts):
        """From each run to the next, in the times of the log: no less than the pause between them."""
        eventually(lambda: len(self.runs(name)) >= starts, 60, lambda: f"{starts} runs: {self.runs(name)}")
        times = self.runs(name)
        return [b - a for a, b in zip(times, times[1:])]

    def runs(self, name):
        if f"{name}.service" not in self.bus.job_ids():
            return []
        return [r.monotonic for r in self.bus.log(f"{name}.service").records if r.data == b"run\n"]

    def assert_pauses(self, pauses, least):
        for i, (pause, low) in enumerate(zip(pauses, least)):
            self.assertGreaterEqual(pause, low * MSEC, (i, pauses))

    def test_back_off(self):
        """A run that lasts as long as the longest pause has them forgotten: that is an hour here."""
        run = "ExecStart=/bin/sh -c 'echo run; exit 3'"
        self.unit("doubles", "Restart=always", "RestartSec=20ms", "RestartMaxDelaySec=1h", run, unit=LIMITLESS)
        self.unit("steps", "Restart=always", "RestartSec=1ms", "RestartMaxDelaySec=1h", "RestartSteps=8", run, unit=LIMITLESS)
        self.unit("even", "Restart=always", "RestartSec=30ms", run, unit=LIMITLESS)
        # Twenty pauses that double from 1 ms on are a quarter of an hour.
        self.unit("capped", "Restart=always", "RestartSec=1ms", "RestartMaxDelaySec=20ms", run, unit=LIMITLESS)
        self.reload()
        for name in ("doubles", "steps", "even", "capped"):
            self.later("StartUnit", name)
        self.assert_pauses(self.pauses("doubles", 5), (20, 40, 80, 160))
        self.assert_pauses(self.pauses("steps", 5), (1, 6, 43, 287))
        self.assert_pauses(self.pauses("even", 4), (30, 30, 30))
        self.pauses("capped", 21)
        for name in ("doubles", "steps", "even", "capped"):
            self.stop(name)

    def test_stop_ends_the_pause(self):
        self.unit("waits", "Restart=always", "RestartSec=1h", "ExecStart=/bin/false")
        for how in ("StopUnit", "Job.Stop", "Manager.Stop"):
            with self.subTest(how=how):
                self.reload()
                self.later("StartUnit", "waits")     # which may be answered, or wait for the next run, too
                eventually(lambda: self.bus.job_ids(State="restarting") == ["waits.service"], 30)
                self.assertEqual(self.active("waits"), "activating")
                if how == "StopUnit":
                    self.stop("waits")
                elif how == "Job.Stop":
                    self.bus.job("waits.service", "Stop", "a{sv}", {})
                else:
                    self.bus.stop({"Unit": "waits.service"})
                self.assertIn(self.active("waits"), ("inactive", "failed"))
                self.assertEqual(self.bus.property("State", "waits.service"), "finished")

    def test_start_ends_the_pause(self):
        """Who asks for a start does not wait for the pause."""
        self.unit("waits", "Restart=always", "RestartSec=1h", "ExecStart=" + self.counting("[ $n = 0 ] && exit 3; exec sleep 1000"))
        self.reload()
        self.later("StartUnit", "waits")     # which may be answered, or wait for the next run, too
        eventually(lambda: self.bus.job_ids(State="restarting") == ["waits.service"], 30)
        self.start("waits")
        self.assertEqual(self.active("waits"), "active")

    def test_start_ends_the_pause_of_one_that_is_waited_for(self):
        self.unit("waits", "Restart=always", "RestartSec=1h", "ExecStartPre=" + self.counting("[ $n != 0 ]"), "ExecStart=/bin/sleep 1000")
        self.reload()
        first = self.later("StartUnit", "waits")
        eventually(lambda: self.bus.job_ids(State="restarting") == ["waits.service"], 30)
        self.start("waits")
        first.result(LONG)
        self.assertEqual(self.active("waits"), "active")

    def test_a_stopped_one_stays_so(self):
        self.unit("always", "Restart=always", "RestartSec=1ms",
                  "ExecStart=" + self.sh('trap "exit 3" TERM; echo up; while :; do sleep 0.02; done'))
        self.reload()
        for how in ("StopUnit", "Job.Stop", "Manager.Stop"):
            with self.subTest(how=how):
                self.start("always")
                self.bus.wait_for_output("always.service", b"up\n")
                if how == "StopUnit":
                    self.stop("always")
                elif how == "Job.Stop":
                    self.bus.job("always.service", "Stop", "a{sv}", {})
                else:
                    self.bus.stop({"Id": "always.service"})
                self.assertIn(self.active("always"), ("inactive", "failed"))
                self.assertEqual(self.state("always")["NRestarts"], 0)
                self.assert_all_reaped()

    def test_a_killed_one_is_started_again(self):
        self.unit("always", "Restart=on-failure", "RestartSec=1ms", "ExecStart=/bin/sleep 1000")
        self.reload()
        self.start("always")
        for i, kill in enumerate((lambda: self.bus.kill(9, Id="always.service"), lambda: self.bus.kill(9, Unit="always.service"),
                                  lambda: self.bus.job("always.service", "Kill", "si", "main", 9))):
            eventually(lambda: self.bus.property("State", "always.service") == "running", 30)
            kill()
            eventually(lambda: self.state("always")["NRestarts"] == i + 1, 30)
        self.wait("always", "active")

    def test_the_log_goes_on(self):
        """Over restarts, over a stop and a start; for who reads from a cursor, and for who follows."""
        self.unit("log", "Restart=on-failure", "RestartSec=1ms", "ExecStart=" + self.counting(
            "echo run $n; [ $n = 1 ] && exec sleep 1000; [ $n = 3 ] && exit 0; exit 3"), unit=LIMITLESS)
        self.reload()
        self.attempt("log")
        self.bus.wait_for_output("log.service", b"run 1\n")
        cursor = self.bus.log("log.service").next
        self.stop("log")
        self.attempt("log")
        self.wait("log", "inactive", "success")
        self.assertEqual(self.bus.output("log.service")[0], b"run 0\nrun 1\nrun 2\nrun 3\n")
        after = self.bus.log("log.service", cursor)
        self.assertEqual(b"".join(r.data for r in after.records if r.stream == 1), b"run 2\nrun 3\n")
        self.assertEqual(after.lost, 0)
        seqs = [r.seq for r in self.bus.log("log.service").records]
        self.assertEqual(seqs, list(range(1, len(seqs) + 1)))
        with os.fdopen(self.bus.follow("log.service", Format="raw"), "rb") as f:
            self.assertEqual(f.read(), b"run 0\nrun 1\nrun 2\nrun 3\n")

    def test_followers_see_all_runs(self):
        self.unit("seen", "Restart=on-failure", "RestartSec=20ms", "ExecStart=" + self.counting(
            f"echo run $n; [ $n = 0 ] && while ! [ -e {self.reeve.shared}/go2 ]; do sleep 0.02; done; [ $n = 2 ] || exit 3"),
                  unit=LIMITLESS)
        self.reload()
        self.start("seen")
        with os.fdopen(self.bus.follow("seen.service", Format="raw"), "rb") as f:
            write_file(f"{self.reeve.shared}/go2", "")
            self.assertEqual(f.read(), b"run 0\nrun 1\nrun 2\n")

    def test_what_is_left_behind_goes_first(self):
        self.unit("left", "Restart=on-failure", "RestartSec=1ms", "ExecStart=" + self.counting(
            "[ $n = 1 ] && exec sleep 1000; setsid -f sleep 999 </dev/null >/dev/null 2>&1; exit 3"))
        self.reload()
        self.attempt("left")
        eventually(lambda: self.state("left")["NRestarts"] == 1, 30)
        self.wait("left", "active")
        self.bus.wait("left.service", "Ready")
        self.assert_processes(1)

    def test_restart_unit_begins_anew(self):
        self.unit("new", "Restart=on-failure", "RestartSec=1ms", "ExecStart=" + self.counting("[ $n = 0 ] && exit 3; exec sleep 1000"))
        self.reload()
        self.attempt("new")
        eventually(lambda: self.state("new")["NRestarts"] == 1, 30)
        self.restart("new")
        self.assertEqual(self.state("new")["ActiveState"], "active")

    def test_post_runs_after_each(self):
        self.unit("post", "Restart=on-failure", "RestartSec=1ms", "ExecStart=" + self.counting("[ $n = 2 ] || exit 3"),
                  "ExecStartPre=" + self.note("pre"), "ExecStopPost=" + self.note("post $SERVICE_RESULT"), unit=LIMITLESS)
        self.reload()
        self.attempt("post")
        self.wait("post", "inactive", "success")
        self.assertEqual(self.said(), ["pre", "post exit-code", "pre", "post exit-code", "pre", "post success"])


class TestAtOnce(UnitsCase):
    """Calls that meet each other."""

    def gated(self, name, *lines, **options):
        """One whose start waits for the file NAME-go."""
        self.bus.sh(f"rm -f {self.reeve.shared}/{name}-*")
        self.unit(name, "ExecStartPre=" + self.sh(f"echo begin {name} >>{self.folder.diary}; "
                                                  f"while ! [ -e {self.reeve.shared}/{name}-go ]; do sleep 0.02; done"),
                  "ExecStart=/bin/sleep 1000", *lines, **options)

    def go(self, name):
        write_file(f"{self.reeve.shared}/{name}-go", "")

    def test_two_starts(self):
        self.gated("two")
        self.reload()
        first, second = self.later("StartUnit", "two"), self.later("StartUnit", "two")
        self.wait_said("begin two")
        self.go("two")
        self.assertEqual(first.result(LONG), second.result(LONG))
        self.assertEqual(self.said(), ["begin two"])

    def test_stop_while_it_starts(self):
        self.gated("stopped", "ExecStopPost=" + self.note("post"))
        self.reload()
        start = self.later("StartUnit", "stopped")
        self.wait_said("begin stopped")
        self.stop("stopped")
        self.assert_error("Overtaken", call=lambda: start.result(LONG))
        self.assertEqual(self.active("stopped"), "inactive")
        self.assertEqual(self.said(), ["begin stopped", "post"])

    def test_start_while_it_stops(self):
        self.unit("slow", "ExecStart=/bin/sleep 1000", "ExecStartPre=" + self.note("start"), "ExecStop=" + self.sh(
            f"echo stop >>{self.folder.diary}; while ! [ -e {self.reeve.shared}/slow-go ]; do sleep 0.02; done"))
        self.reload()
        self.start("slow")
        stop = self.later("StopUnit", "slow")
        self.wait_said("stop")
        self.assertEqual(self.active("slow"), "deactivating")
        start = self.later("StartUnit", "slow")
        self.bus.ping()
        self.go("slow")
        stop.result(LONG)
        start.result(LONG)
        self.assertEqual(self.active("slow"), "active")
        self.assertEqual(self.said(), ["start", "stop", "start"])

    def test_stop_then_start_then_stop(self):
        self.unit("slow", "ExecStart=/bin/sleep 1000", "ExecStop=" + self.sh(
            f"echo stop >>{self.folder.diary}; while ! [ -e {self.reeve.shared}/slow-go3 ]; do sleep 0.02; done"))
        self.reload()
        self.start("slow")
        calls = [self.later("StopUnit", "slow")]
        self.wait_said("stop")
        start = self.later("StartUnit", "slow")
        calls.append(self.later("StopUnit", "slow"))
        self.bus.ping()
        write_file(f"{self.reeve.shared}/slow-go3", "")
        for call in calls:
            call.result(LONG)
        try:
            start.result(LONG)
        except Exception as e:
            self.assertEqual(e.name, "org.reeve1.Error.Overtaken")
        self.assertEqual(self.active("slow"), "inactive")
        self.assert_all_reaped()

    def test_two_stops_two_restarts(self):
        self.unit("two", "ExecStart=/bin/sleep 1000", "ExecStartPre=" + self.note("start"))
        self.reload()
        self.start("two")
        for call in [self.later("RestartUnit", "two") for _ in range(2)]:
            call.result(LONG)
        self.assertEqual(self.active("two"), "active")
        for call in [self.later("StopUnit", "two") for _ in range(2)]:
            call.result(LONG)
        self.assertEqual(self.active("two"), "inactive")

    def test_a_client_that_goes(self):
        self.gated("left")
        self.gated("left2")
        self.reload()
        for name, member in (("left", "StartUnit"), ("left2", "RestartUnit")):
            other = self.reeve.connect()
            other.send("/org/reeve1", "org.reeve1.Manager", member, "s", f"{name}.service")
            self.wait_said(f"begin {name}")
            other.close()
            self.reeve.connections.remove(other)
            self.go(name)
            self.wait(name, "active")

    def test_kill_of_one_that_starts(self):
        self.gated("killed")
        self.reload()
        start = self.later("StartUnit", "killed")
        self.wait_said("begin killed")
        ids, pids = self.bus.kill(9, Id="killed.service")
        self.assertEqual(ids, ["killed.service"])
        self.assert_error("StartFailed", "signal", call=lambda: start.result(LONG))
        self.assertEqual(self.active("killed"), "failed")

    def test_stop_of_its_job_while_it_starts(self):
        self.gated("job")
        self.reload()
        start = self.later("StartUnit", "job")
        self.wait_said("begin job")
        self.bus.stop({"Id": "job.service"})
        self.assert_error("Overtaken", call=lambda: start.result(LONG))
        self.assertIn(self.active("job"), ("inactive", "failed"))
        self.go("job")
        self.start("job")
        self.assertEqual(self.active("job"), "active")

    def test_a_forgotten_job(self):
        self.unit("short", "Type=oneshot", "ExecStart=" + self.note("ran"))
        self.reload()
        self.start("short")
        self.bus.job("short.service", "Forget")
        self.assertEqual(self.active("short"), "inactive")
        self.start("short")
        self.assertEqual(self.said(), ["ran", "ran"])
