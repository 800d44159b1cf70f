"""Work by way of the bus in a container with docker's defaults: no cgroup tree to write."""

import hashlib
import json
import time
import unittest

from podman import Container, eventually


class Jobs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = Container()

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

    def test_podman_exec_reevectl(self):
        done = self.box.exec("reevectl", "exec", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (7, b"out\n", b"err\n"))

    def test_podman_exec_reevectl_with_input(self):
        data = bytes(range(256)) * 4000
        done = self.box.exec("reevectl", "exec", "-i", "--", "sha256sum", input=data)
        self.assertEqual(done.stdout.split()[0].decode(), hashlib.sha256(data).hexdigest())

    def test_it_says_that_there_are_no_cgroups(self):
        self.assertEqual(json.loads(self.box.ctl("--json", "version"))["containment"], "process-tree")
        self.assertIn("No cgroup tree can be written", self.box.logs()[1])

    def test_a_limit_is_not_supported(self):
        done = self.box.ctl("exec", "-p", "MemoryMax=64M", "--", "true", check=False)
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"MemoryMax", done.stderr)

    def test_another_user_is_turned_away(self):
        done = self.box.exec("reevectl", "list", options=["--user=4242"])
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"ermission", done.stderr)

    def test_a_job_as_another_user(self):
        out = self.box.ctl("exec", "--user=daemon", "--", "sh", "-c", "id -un; grep NoNewPrivs /proc/self/status")
        self.assertEqual(out, "daemon\nNoNewPrivs:\t0\n")

    def test_background_work(self):
        self.box.ctl("start", "--id=server", "--", "sh", "-c", "echo up; exec sleep 300")
        eventually(lambda: self.box.ctl("logs", "-o", "raw", "server") == "up\n", 5)
        jobs = json.loads(self.box.ctl("--json", "list"))
        self.assertEqual([(job["Id"], job["State"]) for job in jobs], [("server", "running")])
        self.box.ctl("stop", "server")
        self.assertEqual(json.loads(self.box.ctl("--json", "status", "server"))["Signal"], 15)

    def test_a_group_is_stopped_whole(self):
        self.box.ctl("start", "--id=group", "--", "bash", "-c",
                     "for i in 1 2 3; do (trap '' TERM; sleep 300; :) & done; trap '' TERM; echo up; wait")
        eventually(lambda: self.box.ctl("logs", "-o", "raw", "group") == "up\n", 5)
        stopped = json.loads(self.box.ctl("--json", "stop", "--timeout=100ms", "group"))
        self.assertEqual((stopped["ids"], stopped["remaining"]), (["group"], 0))
        eventually(lambda: not self.box.processes(), 5, self.box.describe)

    def test_a_child_that_holds_the_pipe_holds_up_nobody(self):
        begun = time.monotonic()
        self.assertEqual(self.box.ctl("exec", "--", "sh", "-c", "sleep 300 & setsid sleep 1 & echo out"), "out\n")
        self.assertLess(time.monotonic() - begun, 30)

    def test_a_timeout(self):
        done = self.box.ctl("exec", "--timeout=200ms", "-p", "TimeoutStopSec=200ms", "--", "bash", "-c",
                            "trap '' TERM; sleep 300 & echo out; while :; do wait; done", check=False)
        self.assertEqual((done.returncode, done.stdout), (137, b"out\n"))

    def test_much_output(self):
        out = self.box.ctl("exec", "--", "seq", "200000")
        self.assertEqual(out, "".join(f"{n}\n" for n in range(1, 200001)))


class Orphans(unittest.TestCase):
    """Whatever loses its parent is PID 1's to reap, whoever has made it."""

    MESS = "i=0; while [ $i -lt 300 ]; do (sleep 0.0$((i % 7)) & ) ; i=$((i + 1)); done"

    def settled(self, box, count):
        def look():
            return not box.processes() and json.loads(box.ctl("--json", "status"))["NOrphansReaped"] >= count
        eventually(look, 20, lambda: f"{count} reaped, none left: {box.ctl('--json', 'status')} {box.describe()}")

    def test_those_of_podman_exec(self):
        with Container() as box:
            for _ in range(2):
                self.assertEqual(box.exec("sh", "-c", self.MESS).returncode, 0)
            self.settled(box, 600)
            self.assertEqual(box.zombies(), [])

    def test_those_of_a_job(self):
        with Container() as box:
            self.assertEqual(box.ctl("exec", "--", "sh", "-c", self.MESS), "")
            self.settled(box, 300)

    def test_those_of_the_main_job(self):
        with Container("sh", "-c", f"{self.MESS}; echo done; exec sleep 300") as box:
            eventually(lambda: box.logs()[0] == "done\n", 20)
            eventually(lambda: len(box.processes()) == 1, 10, box.describe)
            self.assertEqual(box.zombies(), [])
