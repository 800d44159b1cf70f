"""--capture: the main job's output goes into its log and, byte by byte, to where reeve writes; who does not read there holds up
the main job, and nobody else."""

import hashlib
import os
import signal
import subprocess
import threading
import time

from case import FreshCase
from rig import eventually, read_file

PIPE = subprocess.PIPE
SIZE = 50_000_000
# Blocks of every length, and lines of two bytes: what the log makes many records of.
WRITER = ("import sys, random; r = random.Random(7); left = {size}\n"
          "while left > 0:\n"
          "    b = b'y\\n' * 5000 if r.random() < .3 else r.randbytes(r.choice((1, 100, 4096, 70000, 300000)))\n"
          "    b = b[:left]; left -= len(b); sys.stdout.buffer.write(b); sys.stdout.buffer.flush()\n"
          "sys.stderr.write('done'); sys.exit(6)")


class TestCapture(FreshCase):

    def capture(self, *argv, args=(), **options):
        options.setdefault("stdout", PIPE)
        options.setdefault("stderr", PIPE)
        box = self.box("--capture", *args, "--", *argv, **options)
        for stream in (box.process.stdout, box.process.stderr):
            if stream:
                self.addCleanup(stream.close)
        return box

    def test_both_streams_and_the_status(self):
        box = self.capture("sh", "-c", "printf 'a\\0b'; printf err >&2; exit 7", wait=False)
        out, err = box.process.communicate(timeout=60)
        self.assertEqual((box.process.returncode, out, err), (7, b"a\0b", b"err"))

    def test_it_is_in_the_log(self):
        box = self.capture("sh", "-c", "echo out; echo err >&2; sleep 1000")
        box.bus.wait_for_output("main", b"err")
        box.bus.wait_for_output("main", b"out")
        self.assertEqual(sorted(box.reevectl("logs", "-o", "raw", "main").stdout.split()), [b"err", b"out"])
        self.assertEqual(box.process.stdout.readline(), b"out\n")
        self.assertEqual(box.process.stderr.readline(), b"err\n")
        box.signal(signal.SIGTERM)
        self.assertEqual(box.wait_exit(60), 143)

    def flood(self, size, slowly=False):
        box = self.capture("python3", "-c", WRITER.format(size=size), wait=False)
        digest, total = hashlib.sha256(), 0
        err = []
        reader = threading.Thread(target=lambda: err.append(box.process.stderr.read()))
        reader.start()
        while data := os.read(box.process.stdout.fileno(), 1000 if slowly else 1 << 16):
            digest.update(data)
            total += len(data)
        reader.join(60)
        self.assertEqual((box.wait_exit(60), total, err), (6, size, [b"done"]))
        return digest.hexdigest()

    def test_much_of_it(self):
        done = subprocess.run(["python3", "-c", WRITER.format(size=SIZE)],
                              stdout=PIPE, stderr=subprocess.DEVNULL, check=False)
        self.assertEqual(self.flood(SIZE), hashlib.sha256(done.stdout).hexdigest())

    def test_a_slow_reader(self):
        size = 3_000_000
        done = subprocess.run(["python3", "-c", WRITER.format(size=size)],
                              stdout=PIPE, stderr=subprocess.DEVNULL, check=False)
        self.assertEqual(self.flood(size, slowly=True), hashlib.sha256(done.stdout).hexdigest())

    def test_a_reader_that_hangs_holds_up_the_main_job_alone(self):
        box = self.capture("sh", "-c", "yes; echo never", args=("--stop-timeout=1s",))
        yes = eventually(lambda: [p for p in box.processes() if read_file(f"/proc/{p}/cmdline", "").startswith("yes")], 30)[0]
        eventually(lambda: "pipe" in read_file(f"/proc/{yes}/wchan", ""), 60,
                   lambda: f"it waits for its pipe: {read_file(f'/proc/{yes}/wchan', '')}")

        def quiet():
            before = box.wakeups()
            time.sleep(0.5)     # the measure itself
            return box.wakeups() == before
        eventually(quiet, 30, "reeve waits for that, too, and does nothing else")
        for _ in range(20):
            self.assertEqual(box.bus.sh("exit 3").exit_code, 3)
        box.signal(signal.SIGTERM)
        self.assertEqual(box.wait_exit(60), 143)      # and nobody waits for that reader longer than the limit
        self.assertIn(b"could not be written", box.process.stderr.read())

    def test_a_reader_that_has_gone(self):
        """As without reeve: SIGPIPE."""
        box = self.capture("sh", "-c", "yes 2>/dev/null; [ $? = 141 ] && exit 5", wait=False, stderr=None)
        self.assertEqual(box.process.stdout.read(2), b"y\n")
        box.process.stdout.close()
        self.assertEqual(box.wait_exit(60), 5)

    def test_nobody_waits_for_strangers_with_a_copy(self):
        """A process outside of the scope holds the pipe; all that the job wrote is there."""
        box = self.capture("sh", "-c", "setsid sleep 1000 & echo out; exit 4", wait=False, read_only_cgroup=True,
                           args=("--stop-timeout=4s",))
        out, _ = box.process.communicate(timeout=60)
        self.assertEqual((box.process.returncode, out), (4, b"out\n"))

    def test_one_file_for_both_keeps_the_order(self):
        ours, theirs = os.pipe()
        box = self.capture("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do echo $i; echo -$i >&2; done", wait=False,
                           stdout=theirs, stderr=theirs)
        os.close(theirs)
        with os.fdopen(ours, "rb") as f:
            self.assertEqual(f.read().split(), [w for i in range(1, 10) for w in (b"%d" % i, b"-%d" % i)])
        self.assertEqual(box.wait_exit(60), 0)

    def test_input_is_the_containers(self):
        box = self.capture("cat", wait=False, stdin=PIPE)
        out, _ = box.process.communicate(b"in\0put", timeout=60)
        self.assertEqual((box.process.returncode, out), (0, b"in\0put"))

    def test_a_command_that_is_not_there(self):
        box = self.capture("no-such-command", wait=False)
        out, err = box.process.communicate(timeout=60)
        self.assertEqual((box.process.returncode, out), (127, b""))
        self.assertIn(b"no-such-command", err)
