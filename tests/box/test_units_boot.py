"""Units from the boot to the end: which start by themselves, beside a main job as well, and how all are stopped."""

import signal
import time

from rig import eventually, read_file, write_file
from units import FreshUnitsCase

SLEEP = "ExecStart=/bin/sleep 1000"


class TestBoot(FreshUnitsCase):

    def test_those_that_are_wanted(self):
        reeve = self.prepared()
        f = reeve.folder
        f.unit("wanted", "ExecStartPre=" + f.note("wanted"), SLEEP, unit=["After=first.service", "Requires=helper.service"], boot=True)
        f.unit("first", "Type=oneshot", "RemainAfterExit=yes", "ExecStart=" + f.sh(f"sleep 0.1; echo first >>{f.diary}"), boot=True)
        f.unit("helper", SLEEP)
        f.unit("not", SLEEP)
        f.unit("fails", "ExecStart=/bin/false", boot=True)
        f.unit("bad", SLEEP, "Nice=x", boot=True)
        f.unit("off", SLEEP, unit="ConditionPathExists=/nonexistent", boot=True)
        f.unit("t@", SLEEP, boot=True)
        for name, alias in (("target", "default.target"), ("multi", "multi-user.target")):
            f.file(f"{name}.service", f"[Service]\n{SLEEP}\n[Install]\nWantedBy={alias}\n")
        f.file("graphical.service", f"[Service]\n{SLEEP}\n[Install]\nWantedBy=graphical.target\n")
        self.boot(reeve)
        for name in ("wanted", "first", "helper", "target", "multi"):
            reeve.units.wait(name, "active")
        reeve.units.wait("fails", "failed", "exit-code")
        self.assertEqual(f.said(), ["first", "wanted"])
        for name in ("not", "bad", "off", "graphical"):
            self.assertNotIn(reeve.units.active(name), ("active", "activating"), name)
        self.assertEqual(reeve.bus.property("State"), "running")
        self.assertIn("bad.service", reeve.log())
        self.assertEqual(reeve.stop(), 0)
        reeve.no_leftovers()

    def test_beside_a_main_job(self):
        reeve = self.prepared("--", "/bin/sh", "-c", "trap 'exit 7' USR1; trap 'echo hup >/tmp/hup' HUP; : >/tmp/up; "
                                                     "while :; do sleep 0.02; done")
        f = reeve.folder
        f.unit("beside", SLEEP, "ExecStop=" + f.note("stopped"), boot=True)
        self.boot(reeve)
        reeve.units.wait("beside", "active")
        eventually(lambda: "main" in reeve.bus.job_ids(), 30, "the main job runs")
        self.assertEqual(set(reeve.bus.job_ids()), {"main", "beside.service"})
        eventually(lambda: reeve.bus.sh("test -e /tmp/up").exit_code == 0, 30)
        f.unit("later", SLEEP)
        reeve.signal(signal.SIGHUP)
        eventually(lambda: reeve.bus.sh("test -e /tmp/hup").exit_code == 0, 30, "the HUP is the main job's")
        self.assertNotIn("later.service", reeve.units.list())
        reeve.units.reload()
        self.assertIn("later.service", reeve.units.list())
        reeve.signal(signal.SIGUSR1)
        self.assertEqual(reeve.wait_exit(), 7)
        self.assertEqual(f.said(), ["stopped"])
        reeve.no_leftovers()

    def test_a_failing_unit_ends_nothing(self):
        reeve = self.prepared("--no-bus", "--", "/bin/sh", "-c", "sleep 0.3; exit 5", address=None)
        for i in range(5):
            reeve.folder.unit(f"fails{i}", "ExecStart=/bin/false", "Restart=always", "RestartSec=1ms", boot=True)
        reeve.start()
        self.assertEqual(reeve.wait_exit(), 5)
        reeve.no_leftovers()


class TestShutdown(FreshUnitsCase):

    def up(self, reeve, *names):
        for name in names:
            reeve.units.wait(name, "active")

    def test_in_the_reverse_order(self):
        """Each one only when what was started after it is gone; those that stand in no order at the same time."""
        reeve = self.prepared("--stop-timeout=60s")
        f = reeve.folder
        for i in range(4):
            f.unit(f"u{i}", SLEEP, "ExecStop=" + f.sh(f"echo begin {i} >>{f.diary}; sleep 0.1; echo end {i} >>{f.diary}"),
                   "ExecStopPost=" + f.note(f"post {i}"), unit=f"After=u{i - 1}.service" if i else (), boot=True)
        self.boot(reeve)
        self.up(reeve, "u0", "u1", "u2", "u3")
        self.assertEqual(reeve.stop(60), 0)
        self.assertEqual(f.said(), [f"{word} {i}" for i in (3, 2, 1, 0) for word in ("begin", "end", "post")])
        reeve.no_leftovers()

    def test_by_a_call_as_well(self):
        reeve = self.prepared("--stop-timeout=60s")
        f = reeve.folder
        for i in range(2):
            f.unit(f"u{i}", SLEEP, "ExecStop=" + f.note(f"stop {i}"), unit=f"After=u{i - 1}.service" if i else (), boot=True)
        self.boot(reeve)
        self.up(reeve, "u0", "u1")
        reeve.bus.send("/org/reeve1", "org.reeve1.Manager", "Shutdown", "si", "exit", 9)
        self.assertEqual(reeve.wait_exit(60), 9)
        self.assertEqual(f.said(), ["stop 1", "stop 0"])

    def test_each_with_its_own_time(self):
        """A deaf one costs its own TimeoutStopSec, and holds up only what stands before it."""
        reeve = self.prepared("--stop-timeout=60s")
        f = reeve.folder
        deaf = "ExecStart=" + f.sh('trap "" TERM; echo up; while :; do sleep 0.05; done')
        f.unit("base", SLEEP, "ExecStop=" + f.note("base"), boot=True)
        f.unit("deaf", "TimeoutStopSec=300ms", deaf, "ExecStopPost=" + f.note("deaf $SERVICE_RESULT"),
               unit="After=base.service", boot=True)
        self.boot(reeve)
        self.up(reeve, "base", "deaf")
        reeve.bus.wait_for_output("deaf.service", b"up\n")
        begun = time.monotonic()
        self.assertEqual(reeve.stop(60), 0)
        self.assertGreaterEqual(time.monotonic() - begun, 0.3)
        self.assertEqual(f.said()[-1], "base")
        self.assertEqual(len(f.said()), 2)

    def test_all_of_it_within_the_whole_limit(self):
        reeve = self.prepared("--stop-timeout=1s")
        f = reeve.folder
        for i in range(3):
            f.unit(f"deaf{i}", "TimeoutStopSec=1h", "ExecStart=" + f.sh('trap "" TERM; echo up; while :; do sleep 0.05; done'),
                   "ExecStop=/bin/sleep 1000", "ExecStopPost=/bin/sleep 1000", unit=f"After=deaf{i - 1}.service" if i else (), boot=True)
        self.boot(reeve)
        for i in range(3):
            reeve.bus.wait_for_output(f"deaf{i}.service", b"up\n")
        self.assertEqual(reeve.stop(60), 0)
        reeve.no_leftovers()

    def test_a_second_signal(self):
        reeve = self.prepared("--stop-timeout=1h")
        f = reeve.folder
        f.unit("base", SLEEP, "ExecStop=" + f.note("base"), boot=True)
        f.unit("deaf", "TimeoutStopSec=1h", SLEEP, "ExecStop=" + f.sh(f"echo stop >>{f.diary}; setsid -f sleep 999; sleep 1000"),
               unit="After=base.service", boot=True)
        self.boot(reeve)
        self.up(reeve, "base", "deaf")
        reeve.signal(signal.SIGTERM)
        f.wait_said("stop")
        reeve.signal(signal.SIGTERM)
        self.assertEqual(reeve.wait_exit(60), 0)
        reeve.no_leftovers()

    def test_a_stop_ends_what_is_starting_and_pausing(self):
        reeve = self.prepared("--stop-timeout=60s")
        f = reeve.folder
        f.unit("pauses", "ExecStart=/bin/false", "Restart=always", "RestartSec=1h", boot=True)
        f.unit("dies", "ExecStart=/bin/sleep 0.01", "Restart=always", "RestartSec=1ms", unit="StartLimitIntervalSec=0", boot=True)
        f.unit("starts", "ExecStartPre=" + f.sh(f"echo pre >>{f.diary}; exec sleep 1000"), "ExecStart=" + f.note("never"), boot=True)
        f.unit("waits", "ExecStart=" + f.note("never"), unit="After=starts.service", boot=True)
        self.boot(reeve)
        f.wait_said("pre")
        eventually(lambda: "pauses.service" in reeve.bus.job_ids(State="restarting"), 30)
        eventually(lambda: reeve.units.state("dies")["NRestarts"] > 2, 30)
        self.assertEqual(reeve.stop(60), 0)
        self.assertEqual(f.said(), ["pre"])
        reeve.no_leftovers()

    def test_nothing_starts_any_more(self):
        reeve = self.prepared("--stop-timeout=60s")
        f = reeve.folder
        f.unit("slow", SLEEP, "ExecStop=" + f.sh(f"echo stop >>{f.diary}; while ! [ -e {reeve.shared}/on ]; do sleep 0.02; done"),
               boot=True)
        f.unit("other", "ExecStart=" + f.note("other"))
        self.boot(reeve)
        self.up(reeve, "slow")
        reeve.signal(signal.SIGTERM)
        f.wait_said("stop")
        for call in (reeve.units.start, reeve.units.restart):
            for name in ("other", "slow"):
                self.assert_error("ShuttingDown", call=lambda: call(name))
        stop = reeve.units.later("StopUnit", "slow")
        write_file(f"{reeve.shared}/on", "")
        self.assertEqual(reeve.wait_exit(60), 0)
        try:
            stop.result(10)
        except Exception:
            pass
        self.assertEqual(f.said(), ["stop"])

    def test_jobs_of_callers_are_told_at_once(self):
        """They do not wait for units, nor units for them."""
        reeve = self.prepared("--stop-timeout=60s")
        f = reeve.folder
        f.unit("slow", SLEEP, "ExecStop=" + f.sh(f"while ! grep -q job {f.diary}; do sleep 0.02; done; echo unit >>{f.diary}"), boot=True)
        self.boot(reeve)
        self.up(reeve, "slow")
        job = reeve.bus.start_sh(f"trap 'echo job >>{f.diary}; exit' TERM; echo up; while :; do sleep 0.02; done")
        reeve.bus.wait_for_output(job.id, b"up\n")
        self.assertEqual(reeve.stop(60), 0)
        self.assertEqual(f.said(), ["job", "unit"])

    def test_200_in_a_chain(self):
        reeve = self.prepared("--stop-timeout=60s")
        f = reeve.folder
        for i in range(200):
            f.unit(f"u{i}", "Type=oneshot", "RemainAfterExit=yes", "ExecStart=" + f.note(f"+{i}"), "ExecStop=" + f.note(f"-{i}"),
                   unit=f"After=u{i - 1}.service" if i else (), boot=True)
        self.boot(reeve)
        reeve.units.wait("u199", "active")
        self.assertEqual(reeve.stop(60), 0)
        self.assertEqual(f.said(), [f"+{i}" for i in range(200)] + [f"-{i}" for i in reversed(range(200))])

    def test_its_log_says_little(self):
        """Nothing went wrong: nothing is said at notice."""
        reeve = self.prepared("--stop-timeout=60s")
        reeve.folder.unit("fine", SLEEP, boot=True)
        self.boot(reeve)
        self.up(reeve, "fine")
        self.assertEqual(reeve.stop(60), 0)
        self.assertEqual([line for line in read_file(reeve.log_path).splitlines() if "fine.service" in line], [])
