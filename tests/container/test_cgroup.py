"""A privileged container that mounts cgroup2: a tree that can be written."""

import json
import unittest

from podman import Container, eventually

# Whatever podman has mounted there (version 1 on a hybrid machine) makes room.
MOUNT = "umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup"

RUNAWAY = "trap '' TERM; " \
          "for i in 1 2 3; do setsid sh -c '(setsid nohup sleep 300 >/dev/null 2>&1 &); exec sleep 301' & done; " \
          "echo up; exec sleep 302"


class Cgroup(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = Container(options=["--privileged", "--cgroupns=private"], script=MOUNT)

    @classmethod
    def tearDownClass(cls):
        cls.box.remove()

    def setUp(self):
        if not self.box.alive():    # which another test is the failure of
            self.tearDownClass()
            self.setUpClass()

    def tearDown(self):
        self.box.ctl("stop", "--all", "--timeout=0")
        eventually(lambda: not self.box.processes(), 10, lambda: f"nothing is left: {self.box.describe()}")

    def test_it_is_used(self):
        self.assertEqual(json.loads(self.box.ctl("--json", "version"))["containment"], "cgroup")
        out = self.box.ctl("exec", "--id=here", "--", "grep", "^0:", "/proc/self/cgroup")
        self.assertEqual(out, "0::/default.slice/here.scope\n")
        self.assertEqual(self.box.exec("grep", "^0:", "/proc/1/cgroup").stdout, b"0::/init.scope\n")

    def test_a_runaway_tree_is_stopped_whole(self):
        self.box.ctl("start", "--id=tree", "--", "sh", "-c", RUNAWAY)
        eventually(lambda: self.box.ctl("logs", "-o", "raw", "tree") == "up\n", 10)
        eventually(lambda: len(self.box.processes()) == 7, 10, self.box.describe)
        stopped = json.loads(self.box.ctl("--json", "stop", "--timeout=100ms", "tree"))
        self.assertEqual((stopped["ids"], len(stopped["pids"]), stopped["remaining"]), (["tree"], 7, 0))
        eventually(lambda: not self.box.processes(), 5, self.box.describe)
        self.assertEqual(self.box.exec("ls", "-d", "/sys/fs/cgroup/default.slice/tree.scope").returncode, 2)

    def test_by_podman_exec_too(self):
        done = self.box.exec("reevectl", "exec", "--", "sh", "-c", "setsid sleep 300 & echo out; exit 7")
        self.assertEqual((done.returncode, done.stdout), (7, b"out\n"))
        self.assertEqual(len(json.loads(self.box.ctl("--json", "list"))), 1, "its sleep lives on")

    def test_podman_exec_is_in_no_job(self):
        """Whether the runtime puts it into init.scope or beside it: it may give orders, and is nobody's to stop."""
        done = self.box.exec("grep", "^0:", "/proc/self/cgroup")
        self.assertNotIn(b"default.slice", done.stdout)
        done = self.box.exec("sh", "-c", "reevectl stop --all --timeout=0; echo alive")
        self.assertIn(b"alive\n", done.stdout)

    def test_kill_1_in_a_job_stops_nothing(self):
        for number in (15, 2):
            out = self.box.ctl("exec", "--", "sh", "-c", f"kill -{number} 1; (kill -{number} 1; sleep 0.3); echo alive")
            self.assertEqual(out, "alive\n")
        self.assertIn('"State":"running"', self.box.ctl("--json", "status"))


class Ends(unittest.TestCase):
    def test_the_leaders_end_ends_all(self):
        """In the host's cgroup namespace, where reeve finds itself deep in the tree."""
        with Container("sh", "-c", f"{RUNAWAY.replace('exec sleep 302', 'exit 3')}",
                       options=["--privileged", "--cgroupns=host"], script=MOUNT, wait=False) as box:
            self.assertEqual(box.wait(20), 3)
            self.assertEqual(box.logs()[0], "up\n")

    def test_podman_stop(self):
        with Container(options=["--privileged", "--cgroupns=private"], script=MOUNT) as box:
            box.ctl("start", "--id=tree", "-p", "TimeoutStopSec=300ms", "--", "sh", "-c", RUNAWAY)
            eventually(lambda: box.ctl("logs", "-o", "raw", "tree") == "up\n", 10)
            box.stop()
            self.assertEqual(box.wait(), 0)
