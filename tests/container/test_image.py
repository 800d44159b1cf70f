"""container/Containerfile, built from the source tree as its users do. That takes longest, so it goes on beside the
other tests, which leave most of the machine idle."""

import os
import subprocess
import tarfile
import unittest

import podman
from podman import Container, run

TARGETS = ("reeve", "demo")
NO_NETWORK = ("Temporary failure resolving", "Could not resolve", "Could not connect", "Unable to connect")


class Build:
    process = None
    log = None


def begin():
    """Both targets, one after the other: the second one finds the first one's layers."""
    Build.log = open(f"{podman.FOLDER}/build.log", "w+b")
    script = "".join(f'"$@" --target={name} -t localhost/reeve-{name} {podman.SOURCE} || exit 1; ' for name in TARGETS)
    Build.process = subprocess.Popen(
        ["nice", "sh", "-c", script, "sh", *podman.build_command("--network=host"),
         f"--file={podman.SOURCE}/container/Containerfile"],
        stdin=subprocess.DEVNULL, stdout=Build.log, stderr=Build.log, start_new_session=True)


def end():
    """Waits, or if nobody waits for it, ends it."""
    if Build.process and Build.process.poll() is None:
        os.killpg(Build.process.pid, 15)
        Build.process.wait()
    if Build.log:
        Build.log.close()


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        status = Build.process.wait(300)
        Build.log.seek(0)
        log = Build.log.read().decode(errors="replace")
        if status != 0:
            if any(words in log for words in NO_NETWORK):
                raise unittest.SkipTest("apt-get in a container reaches no archive")
            raise AssertionError(f"container/Containerfile does not build:\n{log[-4000:]}")

    def test_reeve_is_two_programs(self):
        podman.podman("create", "--name=bare", *podman.RUN, "localhost/reeve-reeve")
        podman.podman("export", f"--output={podman.FOLDER}/bare.tar", "bare")
        with tarfile.open(f"{podman.FOLDER}/bare.tar") as tar:
            files = {member.name: member for member in tar if member.isreg() and member.size}
        self.assertEqual(sorted(files), ["usr/bin/reeve", "usr/bin/reevectl"])
        for member in files.values():
            self.assertEqual((member.mode & 0o7777, member.uid), (0o755, 0))

    def test_the_demo_runs_a_command(self):
        done = run("sh", "-c", "echo out; exit 7", image="localhost/reeve-demo")
        self.assertEqual((done.returncode, done.stdout), (7, b"out\n"))

    def test_the_demo_waits_for_work(self):
        with Container(image="localhost/reeve-demo") as box:
            done = box.exec("reevectl", "exec", "--", "sh", "-c", "echo out; exit 7")
            self.assertEqual((done.returncode, done.stdout), (7, b"out\n"))
            box.stop()
            self.assertEqual(box.wait(), 0)
