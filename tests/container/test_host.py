"""A host that works in the container: its socket in a folder that both see."""

import os
import subprocess
import tempfile
import threading
import unittest

import podman
from podman import Container, busctl, eventually

EXEC = ["Exec", "asa{sv}", "3", "sh", "-c"]
WEB = ["/org/reeve1/job/web", "org.reeve1.Job"]


def call(path, *args):
    """A method of the manager. The "--" is busctl's: without it "-c" is taken for an option of its own."""
    return busctl(path, "call", "--", podman.NAME, podman.PATH, podman.MANAGER, *args)


class Socket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="reeve-socket-")
        cls.path = f"{cls.folder.name}/bus"
        cls.box = Container(options=[f"--volume={cls.folder.name}:/run/reeve"])

    @classmethod
    def tearDownClass(cls):
        cls.box.remove()
        cls.folder.cleanup()

    def call(self, *args):
        return call(self.path, *args)

    def test_exec(self):
        out = self.call(*EXEC, "echo out; echo err >&2; exit 7", "1", "Text", "b", "true")
        self.assertRegex(out, r'^siisayaya\{sv\} "\S+" 7 0 "exit-code" 0 0 ')
        self.assertIn('"StdoutText" s "out\\n" "StderrText" s "err\\n"', out)

    def test_look_around(self):
        self.call("Start", "asa{sv}", "2", "sleep", "300", "1", "Id", "s", "web")
        self.assertIn("/org/reeve1/job/web", busctl(self.path, "tree", "--list", podman.NAME).split())
        self.assertIn("ReadLog", busctl(self.path, "introspect", podman.NAME, "/org/reeve1/job/web"))
        self.assertEqual(busctl(self.path, "get-property", podman.NAME, *WEB, "State"), 's "running"\n')
        self.call("Stop", "a{sv}a{sv}", "1", "Id", "s", "web", "0")
        self.assertEqual(busctl(self.path, "get-property", podman.NAME, *WEB, "Signal"), "i 15\n")

    def test_reevectl_of_the_host(self):
        argv = [podman.reevectl_binary(), f"--address=unix:path={self.path}", "exec", "--", "cat", "/etc/hostname"]
        done = subprocess.run(argv, capture_output=True, timeout=20, check=True)
        self.assertEqual(done.stdout, self.box.exec("cat", "/etc/hostname").stdout)

    def test_only_root_may(self):
        """The caller is in no user namespace of its own here: its uid is what the container sees."""
        status = os.stat(self.path)
        self.assertEqual((status.st_mode & 0o777, status.st_uid), (0o600, 0))
        done = subprocess.run(["busctl", f"--address=unix:path={self.path}", "tree"], capture_output=True, timeout=20,
                              check=False, user=65534)
        self.assertNotEqual(done.returncode, 0)

    def test_many_at_once(self):
        answers = []

        def work(n):
            answers.append((n, self.call(*EXEC, f"exit {n}", "0").split()[2]))

        threads = [threading.Thread(target=work, args=[n]) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(answers), [(n, str(n)) for n in range(20)])


class Addresses(unittest.TestCase):
    def test_another_place_and_its_end(self):
        with tempfile.TemporaryDirectory(prefix="reeve-socket-") as folder:
            args = [f"--address=unix:path=/shared/{name}" for name in ("one", "two")]
            with Container(options=[f"--volume={folder}:/shared"], args=args, wait=False) as box:
                for name in ("one", "two"):
                    eventually(lambda name=name: os.path.exists(f"{folder}/{name}"), 10)
                    self.assertIn(" 5 0 ", call(f"{folder}/{name}", *EXEC, "exit 5", "0"))
                box.stop()
                self.assertEqual(box.wait(), 0)
            # The next container in that folder must be able to listen there.
            with Container(options=[f"--volume={folder}:/shared"], args=args, wait=False):
                eventually(lambda: self.answers(f"{folder}/one"), 10)

    @staticmethod
    def answers(path):
        return subprocess.run(["busctl", f"--address=unix:path={path}", "tree"], capture_output=True, timeout=20,
                              check=False).returncode == 0
