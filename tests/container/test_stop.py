"""The end: podman stop and podman kill, with and without a main job, with all that can be in the way."""

import signal
import unittest

import podman
from podman import Container, eventually

STUBBORN = "trap '' TERM INT; echo ready; while :; do sleep 0.05; done"


def until_said(box, job, text="ready\n"):
    eventually(lambda: box.ctl("logs", "-o", "raw", job) == text, 10, lambda: box.ctl("logs", "-o", "raw", job))


class WithoutMainJob(unittest.TestCase):
    def test_podman_stop(self):
        with Container() as box:
            box.stop()
            self.assertEqual(box.wait(), 0)

    def test_every_signal_that_orders_it(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGPWR, 34 + 3):
            with self.subTest(signal=number), Container() as box:
                box.kill(number)
                self.assertEqual(box.wait(5), 0)

    def test_jobs_are_told_and_may_finish(self):
        with Container(options=["--tmpfs=/data"]) as box:
            box.ctl("start", "--id=job", "--", "sh", "-c",
                    "trap 'echo bye >/proc/1/fd/2; exit' TERM; echo ready; while :; do sleep 0.05; done")
            until_said(box, "job")
            box.stop()
            self.assertEqual(box.wait(), 0)
            self.assertIn("bye\n", box.logs()[1])

    def test_the_limit_is_an_option(self):
        with Container(args=["--stop-timeout=1s"]) as box:
            box.ctl("start", "--id=job", "--", "sh", "-c", STUBBORN)
            until_said(box, "job")
            box.stop()
            self.assertEqual(box.wait(), 0)

    def test_a_second_order_kills_what_is_left(self):
        with Container(args=["--stop-timeout=100s"]) as box:
            box.ctl("start", "--id=job", "--", "sh", "-c", STUBBORN)
            until_said(box, "job")
            box.kill(signal.SIGTERM)
            eventually(lambda: "stopping" in box.ctl("--json", "status"), 3)
            box.kill(signal.SIGTERM)
            self.assertEqual(box.wait(3), 0)

    def test_what_came_by_podman_exec_is_no_hindrance(self):
        with Container(args=["--stop-timeout=3s"]) as box:
            for argv in (["sleep", "300"], ["sh", "-c", STUBBORN], ["sh", "-c", "setsid sleep 301 & sleep 302"]):
                podman.podman("exec", "--detach", box.name, *argv)
            eventually(lambda: len(box.processes()) >= 4, 10, box.describe)
            box.stop()
            self.assertEqual(box.wait(), 0)

    def test_shutdown_over_the_bus(self):
        with Container() as box:
            podman.busctl(box.socket, "call", podman.NAME, podman.PATH, podman.MANAGER, "Shutdown", "si", "exit", "9")
            self.assertEqual(box.wait(5), 9)


class Stubborn(unittest.TestCase):
    def test_docker_stops_ten_seconds_are_enough(self):
        """Both side by side: a job, and a main job, that do not heed SIGTERM. Nobody has to kill PID 1."""
        with Container() as idle, Container("sh", "-c", STUBBORN) as main:
            idle.ctl("start", "--id=job", "--", "sh", "-c", STUBBORN)
            until_said(idle, "job")
            eventually(lambda: main.logs()[0] == "ready\n", 10)
            for process in [box.begin_stop(10) for box in (idle, main)]:
                Container.end_stop(process)
            self.assertEqual(idle.wait(), 0)
            self.assertEqual(main.wait(), 137, "the main job was killed, not PID 1")


class FromInside(unittest.TestCase):
    """Who may end a container by a signal to PID 1. Each sender lives on for a while, so that it can be placed."""

    def test_podman_exec_may(self):
        with Container() as box:
            box.exec("sh", "-c", "kill -TERM 1; sleep 5")
            self.assertEqual(box.wait(5), 0)

    def test_a_job_may_not(self):
        with Container() as box:
            done = box.ctl("exec", "--", "sh", "-c", "kill -TERM 1; kill -INT 1; sleep 0.3; echo alive", check=False)
            self.assertEqual((done.returncode, done.stdout), (0, b"alive\n"), done.stderr)
            self.assertIn('"State":"running"', box.ctl("--json", "status"))

    def test_nor_a_child_of_one(self):
        with Container() as box:
            done = box.ctl("exec", "--", "sh", "-c", "(kill -TERM 1; sleep 0.3; echo alive); exit 0", check=False)
            self.assertEqual((done.returncode, done.stdout), (0, b"alive\n"), done.stderr)
            self.assertIn('"State":"running"', box.ctl("--json", "status"))

    def test_nobody_kills_it_with_9(self):
        with Container() as box:
            script = "kill -9 1; kill -STOP 1; kill -SEGV 1; sleep 0.1; echo alive"
            done = box.ctl("exec", "--", "sh", "-c", script, check=False)
            self.assertEqual((done.returncode, done.stdout), (0, b"alive\n"), done.stderr)
            self.assertEqual(box.exec("sh", "-c", "kill -9 1; kill -STOP 1").returncode, 0)
            self.assertEqual(box.ctl("exec", "--", "echo", "out"), "out\n")
