"""Where reeve is not PID 1, and where the cgroup tree can't be written: it says so, and does what it can."""

import os
import signal

from case import FreshCase, Stopwatch
from client import MSEC
from rig import eventually


class TestSubreaper(FreshCase):
    """Not as PID 1: for development, tests, and under a host's systemd with Delegate=yes."""

    def setUp(self):
        super().setUp()
        self.reeve = self.box(pid_namespace=False)
        self.bus = self.reeve.bus

    def test_works(self):
        self.assert_outcome(self.bus.sh("echo out; exit 3"), "exit-code", 3)
        self.assertEqual(self.bus.property("Containment"), "cgroup")
        self.assertEqual(len([line for line in self.reeve.log().splitlines() if "subreaper" in line]), 1, self.reeve.log())

    def test_orphans_come_back(self):
        outcome = self.bus.exec(self.reeve.payload("spray", 100, 5, 50))
        self.assertEqual(outcome.exit_code, 5)
        self.bus.wait(outcome.id)
        self.assertGreaterEqual(self.bus.property("NOrphansReaped"), 100)
        outcome = self.bus.exec(self.reeve.payload("hold", "double", 100000))
        self.assertEqual(outcome.details["TasksRemaining"], 1)
        self.assertEqual(self.bus.stop({"Id": outcome.id})[2], 0)

    def test_stays_in_its_own_cgroup(self):
        """And touches nothing outside of it."""
        with open(f"/proc/{self.reeve.pid}/cgroup", encoding="utf-8") as f:
            mine = f.read().splitlines()[-1]
        self.assertIn(os.path.basename(self.reeve.cgroup), mine)

    def test_stops(self):
        job = self.bus.start(self.reeve.payload("on-term", 0))
        self.bus.wait_for_output(job.id, b"ready")
        self.assertEqual(self.reeve.stop(), 0)
        self.reeve.no_leftovers()


class TestReadOnlyTree(FreshCase):
    """docker's and Kubernetes' default: cgroups are there to read, and we may not mount."""

    def setUp(self):
        super().setUp()
        self.reeve = self.box(read_only_cgroup=True)
        self.bus = self.reeve.bus

    def test_says_so(self):
        self.assertEqual(self.bus.property("Containment"), "process-tree")
        self.assertTrue(self.reeve.log().strip(), "nothing was said")
        for _ in range(10):
            self.bus.exec(["true"])
        self.assertEqual(len([line for line in self.reeve.log().splitlines() if "cgroup" in line]), 1, self.reeve.log())

    def test_commands(self):
        outcome = self.bus.sh("echo out; echo err >&2; exit 7")
        self.assert_outcome(outcome, "exit-code", 7)
        self.assertEqual((outcome.stdout, outcome.stderr), (b"out\n", b"err\n"))
        self.assert_outcome(self.bus.sh("kill -9 $$"), "signal", signal=9)
        self.assert_error("CommandNotFound", call=lambda: self.bus.exec(["nix"]))
        self.assertEqual(self.bus.wait(outcome.id, "Finished")[0], "Finished")

    def test_many_at_once(self):
        pending = [self.bus.exec_later(self.reeve.payload("spray", 5, i, 50)) for i in range(100)]
        self.assertEqual([p.result(60).exit_code for p in pending], list(range(100)))
        eventually(lambda: not self.reeve.processes(), 10, "all are reaped")

    def test_background(self):
        with Stopwatch() as watch:
            outcome = self.bus.exec(self.reeve.payload("hold", "plain", 100000, 3))
        self.assertLess(watch.seconds, 10)
        self.assert_outcome(outcome, "exit-code", 3)
        self.assertEqual(outcome.stdout, b"left\n")

    def test_stop_of_a_process_group(self):
        job = self.bus.start(self.reeve.payload("tree", 3))
        self.bus.wait_for_output(job.id, b"ready")
        _, _, remaining = self.bus.stop({"Id": job.id})
        self.assertEqual(remaining, 0)
        eventually(lambda: not self.reeve.processes(), 5, lambda: self.reeve.describe(self.reeve.processes()))
        self.assertEqual(self.bus.property("State", job.id), "finished")

    def test_stop_of_a_deaf_group(self):
        payload = " ".join(self.reeve.payload("deaf"))
        job = self.bus.start_sh(f"{payload} & exec {payload}")
        self.bus.wait_for_output(job.id, b"ready\nready\n")
        self.assertEqual(self.bus.stop({"Id": job.id}, TimeoutStopUSec=300 * MSEC)[2], 0)
        eventually(lambda: not self.reeve.processes(), 5, lambda: self.reeve.describe(self.reeve.processes()))

    def test_kill(self):
        job = self.bus.start(["sleep", "1000"])
        self.assertEqual(self.bus.kill(signal.SIGUSR2, Id=job.id), ([job.id], [job.pid]))
        self.assertEqual(self.bus.wait(job.id)[1]["Signal"], signal.SIGUSR2)

    def test_timeout(self):
        outcome = self.bus.exec(self.reeve.payload("deaf"), RuntimeMaxUSec=300 * MSEC, TimeoutStopUSec=300 * MSEC)
        self.assert_outcome(outcome, "timeout", signal=9)

    def test_shutdown(self):
        self.bus.exec(self.reeve.payload("hold", "setsid", 1000000))
        self.bus.start(self.reeve.payload("deaf"))
        self.assertEqual(self.reeve.stop(), 0)
        self.reeve.no_leftovers()

    def test_properties_are_there(self):
        job = self.bus.start(["sleep", "1000"])
        p = self.bus.properties(job.id)
        self.assertEqual((p["State"], p["PID"]), ("running", job.pid))
        self.assertEqual(self.bus.manager("GetJobByPID", "u", job.pid), (job.path,))
