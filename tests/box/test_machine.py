"""--machine: as far as a container can be a machine. Whole ones are in tests/vm."""

import signal
import subprocess

from case import BoxCase, FreshCase
from rig import reeve_binary


class TestToldToBeOne(FreshCase):

    def run_box(self, script):
        box = self.box("--machine=yes", "--no-bus", "--", "sh", "-c", script, wait=False, address=None)
        return box.wait_exit()

    def test_its_maker_learns_what_is_to_become_of_it(self):
        """As reboot(2) tells the parent of a PID namespace's init: SIGHUP is a reboot, SIGINT the rest."""
        self.assertEqual(self.run_box("exit 3"), -signal.SIGINT)
        for number, status in ((3, signal.SIGINT), (4, signal.SIGINT), (5, signal.SIGHUP)):
            with self.subTest(signal=f"SIGRTMIN+{number}"):
                self.assertEqual(self.run_box(f"kill -{signal.SIGRTMIN + number} 1; sleep 1000"), -status)

    def test_told_not_to_be_one(self):
        box = self.box("--machine=no", "--no-bus", "--", "sh", "-c", "exit 3", wait=False, address=None)
        self.assertEqual(box.wait_exit(), 3)


class TestCannotBeOne(BoxCase):

    def test_only_process_1_can(self):
        done = subprocess.run([reeve_binary(), "--machine=yes", "--no-bus", "--", "true"], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"only process 1", done.stderr)

    def test_what_it_takes(self):
        done = subprocess.run([reeve_binary(), "--machine=perhaps"], stdin=subprocess.DEVNULL, capture_output=True, timeout=20,
                              check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"--machine", done.stderr)

    def test_reevectl(self):
        for verb in ("poweroff", "reboot", "halt"):
            done = self.reeve.reevectl(verb)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"this is a container's", done.stderr)
        self.assertEqual(self.reeve.reevectl("exit", "256").returncode, 2)
        self.assertEqual(self.reeve.reevectl("exit", "-1").returncode, 2)
        self.assertEqual(self.bus.property("State"), "running")


class TestExit(FreshCase):

    def test_reevectl(self):
        for words, status in (((), 0), (("7",), 7)):
            box = self.box()
            box.bus.start(["sleep", "1000"])
            self.assertEqual(box.reevectl("exit", *words).returncode, 0)
            self.assertEqual(box.wait_exit(), status)
            box.no_leftovers()
