"""Units as jobs: what the words for jobs do to one, and what a unit is to who looks at jobs only."""

from client import job_path
from rig import eventually, write_file
from units import FreshUnitsCase, LONG, UnitsCase

SLEEP = "ExecStart=/bin/sleep 1000"


class TestJobs(UnitsCase):

    def up(self, name, *lines, **options):
        self.unit(name, *(lines or (SLEEP,)), **options)
        self.reload()
        self.start(name)

    def test_what_is_said_of_it(self):
        self.bus.signals.clear()
        self.up("told")
        self.assertEqual(self.bus.wait_manager_signal("JobNew", "told.service").body[1], job_path("told.service"))
        self.assertIn(job_path("told.service"), self.bus.managed_objects())
        self.assertIn("told.service", [job["Id"] for job in self.bus.jobs(Session="system")])
        self.stop("told")
        self.bus.wait_manager_signal("JobExited", "told.service")
        self.bus.wait_manager_signal("JobFinished", "told.service")

    def test_words_for_the_leader(self):
        self.up("led")
        pid = self.bus.property("PID", "led.service")
        self.assertEqual(self.bus.manager("GetJobByPID", "u", pid), (job_path("led.service"),))
        self.assertEqual(self.bus.job("led.service", "Kill", "si", "main", 18), ([pid],))
        self.assertEqual(self.bus.kill(18, Unit="led.service"), (["led.service"], [pid]))
        self.assert_error("JobRunning", call=lambda: self.bus.job("led.service", "Forget"))
        self.assert_error("InputClosed", call=lambda: self.bus.write_input("led.service", b"x"))

    def test_wait(self):
        self.unit("waited", "ExecStart=" + self.sh("echo up; exec sleep 1000"))
        self.reload()
        self.start("waited")
        self.assertEqual(self.bus.wait("waited.service", "Ready")[0], "Ready")
        self.bus.wait_for_output("waited.service", b"up\n")
        later = self.bus.wait_later("waited.service", "Finished")
        self.stop("waited")
        self.assertEqual(later.result(LONG)[0], "Finished")

    def test_stop_of_the_job_is_a_stop_of_the_unit(self):
        """With its ExecStop= and ExecStopPost=, whichever word it was."""
        self.unit("word", SLEEP, "ExecStop=" + self.note("stop"), "ExecStopPost=" + self.note("post"))
        self.reload()
        for call in (lambda: self.bus.stop({"Id": "word.service"}), lambda: self.bus.job("word.service", "Stop", "a{sv}", {}),
                     lambda: self.bus.stop({"Session": "system"})):
            self.start("word")
            call()
            self.assertEqual(self.wait("word", "inactive")["Result"], "success")
            self.assert_all_reaped()
        self.assertEqual(self.said().count("post"), 3)

    def test_frozen(self):
        """A frozen unit is stopped all the same."""
        self.up("cold", SLEEP, "TimeoutStopSec=300ms")
        self.bus.job("cold.service", "Freeze")
        self.assertTrue(self.bus.property("Frozen", "cold.service"))
        self.stop("cold")
        self.assertIn(self.active("cold"), ("inactive", "failed"))
        self.start("cold")
        self.assertFalse(self.bus.property("Frozen", "cold.service"))

    def test_detach(self):
        """Of a unit: whatever it answers, the unit is still there to be stopped and started."""
        self.up("free")
        try:
            self.bus.job("free.service", "Detach")
        except Exception as e:
            self.assertTrue(hasattr(e, "name"), repr(e))
        self.assertEqual(self.active("free"), "active")
        self.stop("free")
        self.start("free")
        self.assertEqual(self.active("free"), "active")

    def test_runtime_max(self):
        self.up("brief", SLEEP, "RuntimeMaxSec=100ms")
        self.assertEqual(self.wait("brief", "failed")["Result"], "timeout")

    def test_kill_mode(self):
        self.unit("mixed", "KillMode=mixed", "ExecStart=" + self.sh(
            f'trap "echo leader >>{self.folder.diary}; exit 0" TERM; (trap "echo child >>{self.folder.diary}" TERM; echo up; '
            "while :; do sleep 0.02; done) & echo up; while :; do sleep 0.02; done"))
        self.reload()
        self.start("mixed")
        self.bus.wait_for_output("mixed.service", b"up\nup\n")
        self.stop("mixed")
        self.assertEqual(self.said(), ["leader"])
        self.assert_all_reaped()

    def test_oneshots_output_is_one_log(self):
        self.unit("log", "Type=oneshot", "ExecStartPre=/bin/echo pre", "ExecStart=/bin/echo one", "ExecStart=/bin/echo two",
                  "ExecStartPost=/bin/echo post", "ExecStopPost=/bin/echo last", "LogMaxBytes=128K")
        self.reload()
        self.start("log")
        eventually(lambda: b"last" in self.bus.output("log.service")[0], 30)
        self.assertEqual(self.bus.output("log.service")[0], b"pre\none\ntwo\npost\nlast\n")

    def test_reevectl(self):
        self.unit("ctl", SLEEP)
        self.reload()
        self.start("ctl")
        listed = self.reeve.reevectl("list")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertIn(b"ctl.service", listed.stdout)


class TestInEachOthersWay(UnitsCase):

    def gate(self, name):
        return self.sh(f"echo begin {name} >>{self.folder.diary}; while ! [ -e {self.reeve.shared}/{name}-gate ]; do sleep 0.02; done")

    def open(self, name):
        write_file(f"{self.reeve.shared}/{name}-gate", "")

    def test_conflict_with_one_that_starts(self):
        self.unit("old", "ExecStartPre=" + self.gate("old"), SLEEP)
        self.unit("new", SLEEP, unit=["Conflicts=old.service", "After=old.service"])
        self.reload()
        old = self.later("StartUnit", "old")
        self.wait_said("begin old")
        self.start("new")
        self.assert_error("Overtaken", call=lambda: old.result(LONG))
        self.assertEqual((self.active("new"), self.active("old")), ("active", "inactive"))

    def test_stop_of_what_another_waits_for(self):
        self.unit("base2", "ExecStartPre=" + self.gate("base2"), SLEEP)
        self.unit("top2", SLEEP, unit=["Requires=base2.service", "After=base2.service"])
        self.reload()
        top = self.later("StartUnit", "top2")
        self.wait_said("begin base2")
        self.stop("base2")
        error = self.assertRaises(Exception, top.result, LONG)
        self.assertIsNone(error)
        self.assertNotIn(self.active("top2"), ("active", "activating"))
        self.assertNotIn(self.active("base2"), ("active", "activating"))

    def test_stop_of_one_that_waits(self):
        self.unit("base3", "ExecStartPre=" + self.gate("base3"), SLEEP)
        self.unit("top3", SLEEP, unit=["Requires=base3.service", "After=base3.service"])
        self.reload()
        top = self.later("StartUnit", "top3")
        self.wait_said("begin base3")
        self.stop("top3")
        self.assert_error("Overtaken", call=lambda: top.result(LONG))
        self.open("base3")
        self.wait("base3", "active")
        self.assertEqual(self.active("top3"), "inactive")

    def test_start_while_what_it_needs_stops(self):
        self.unit("base4", SLEEP, "ExecStartPre=" + self.note("start"), "ExecStop=" + self.gate("base4"))
        self.unit("top4", SLEEP, unit=["Requires=base4.service", "After=base4.service"])
        self.reload()
        self.start("base4")
        stop = self.later("StopUnit", "base4")
        self.wait_said("begin base4")
        top = self.later("StartUnit", "top4")
        self.bus.ping()
        self.open("base4")
        stop.result(LONG)
        top.result(LONG)
        self.assertEqual((self.active("base4"), self.active("top4")), ("active", "active"))
        self.assertEqual(self.said().count("start"), 2)

    def test_a_required_one_that_dies_later(self):
        """It failing by itself is not stopping it: what requires it stays, as in systemd."""
        self.unit("base5", SLEEP)
        self.unit("top5", SLEEP, unit=["Requires=base5.service", "After=base5.service"])
        self.reload()
        self.start("top5")
        self.bus.kill(9, Id="base5.service")
        self.wait("base5", "failed", "signal")
        self.assertEqual(self.active("top5"), "active")

    def test_a_reload_that_hangs(self):
        """Is ended by a stop, and by its time."""
        self.unit("hangs", SLEEP, "ExecReload=" + self.gate("hangs"))
        self.unit("times", SLEEP, "ExecReload=/bin/sleep 1000", "TimeoutStartSec=200ms")
        self.reload()
        self.start("hangs")
        reload = self.later("ReloadUnit", "hangs")
        self.wait_said("begin hangs")
        self.assertEqual(self.active("hangs"), "active")
        self.stop("hangs")
        self.assertRaises(Exception, reload.result, LONG)
        self.assert_all_reaped()
        self.start("times")
        self.assertRaises(Exception, self.later("ReloadUnit", "times").result, LONG)
        self.assert_processes(1)
        self.assertEqual(self.active("times"), "active")

    def test_the_main_process_dies_during_post_and_reload(self):
        self.unit("post", "ExecStart=" + self.sh(f"until grep -q begin {self.folder.diary}; do sleep 0.02; done; exit 3"),
                  "ExecStartPost=" + self.gate("post"))
        self.unit("reload", SLEEP, "ExecReload=" + self.gate("reload"))
        self.reload()
        call = self.later("StartUnit", "post")
        self.wait_said("begin post")
        eventually(lambda: self.bus.property("ExitCode", "post.service") == 3, 30, "the main process has ended")
        self.open("post")
        self.assertRaises(Exception, call.result, LONG)
        self.assertEqual(self.wait("post", "failed")["Result"], "exit-code")
        self.start("reload")
        call = self.later("ReloadUnit", "reload")
        self.wait_said("begin reload")
        self.bus.job("reload.service", "Kill", "si", "main", 9)
        self.open("reload")
        self.wait("reload", "failed", "signal")
        self.assert_all_reaped()


class TestRecords(FreshUnitsCase):

    def test_a_forgotten_record_is_not_the_unit(self):
        """Units are there however few finished jobs are kept."""
        reeve = self.prepared("--max-finished=2")
        for i in range(5):
            reeve.folder.unit(f"u{i}", "Type=oneshot", "ExecStart=/bin/echo ran",
                              "ExecStart=/bin/false" if i == 4 else "ExecStart=/bin/true")
        self.boot(reeve)
        for _ in range(2):
            for i in range(5):
                reeve.units.attempt(f"u{i}")
            for _ in range(5):
                reeve.bus.exec(["true"])
        self.assertEqual([reeve.units.active(f"u{i}") for i in range(5)], ["inactive"] * 4 + ["failed"])
        self.assertLessEqual(reeve.bus.property("NJobs"), 7)
        self.assertEqual(reeve.stop(), 0)

    def test_without_cgroups(self):
        """The same where there are no scopes."""
        reeve = self.prepared(read_only_cgroup=True)
        f = reeve.folder
        f.unit("t@", "ExecStartPre=" + f.note("pre %i"), SLEEP,
               "ExecStop=" + f.note("stop"), "ExecStopPost=" + f.note("post $SERVICE_RESULT"))
        f.unit("dies", "ExecStart=/bin/sleep 0.01", "Restart=always", "RestartSec=1ms",
               unit=["StartLimitBurst=3", "StartLimitIntervalSec=1h"], boot=True)
        self.boot(reeve)
        self.assertEqual(reeve.bus.property("Containment"), "process-tree")
        reeve.units.start("t@a")
        reeve.units.stop("t@a")
        self.assertEqual(reeve.units.wait("dies", "failed")["Result"], "start-limit-hit")
        eventually(lambda: not reeve.processes(), 30, lambda: reeve.describe(reeve.processes()))
        self.assertEqual([w.split()[0] for w in f.said()], ["pre", "stop", "post"])
        self.assertEqual(reeve.stop(), 0)
