"""reevectl with a terminal: exec -t, start -t, attach."""

import fcntl
import hashlib
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

from case import BoxCase
from rig import Reeve, eventually, reevectl_binary


class Window:
    """A terminal with reevectl on it."""

    def __init__(self, reeve, *args, rows=30, columns=100, term="vt220", stdout=None, program=None):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.shown = b""
        env = dict(os.environ, TERM=term, REEVE_ADDRESS=reeve.address, REEVECTL=reevectl_binary())
        self.process = subprocess.Popen([program or reevectl_binary(), *args], stdin=self.slave, stderr=self.slave, env=env,
                                        stdout=self.slave if stdout is None else stdout, preexec_fn=self._own)

    def _own(self):
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text)

    def _read(self, timeout):
        if not select.select([self.master], [], [], timeout)[0]:
            return False
        try:
            self.shown += os.read(self.master, 65536)
        except OSError:
            return False
        return True

    def see(self, needle, timeout=10, since=0):
        deadline = time.monotonic() + timeout
        pattern = needle if isinstance(needle, re.Pattern) else re.compile(re.escape(needle))
        while not pattern.search(self.shown, since):
            if not self._read(deadline - time.monotonic() if time.monotonic() < deadline else 0) and \
                    time.monotonic() >= deadline:
                raise AssertionError(f"{needle!r} was not shown within {timeout} s: {self.shown!r}")
        return self.shown

    def raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def status(self, timeout=10):
        """Its exit status, with all that it showed read."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"reevectl did not end within {timeout} s: {self.shown!r}")
            self._read(0.02)
        while self._read(0):
            pass
        return self.process.returncode

    def unchanged(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.slave)
        if self.master >= 0:
            os.close(self.master)


class Windows(BoxCase):

    def setUp(self):
        self.windows = []

    def tearDown(self):
        for window in self.windows:
            window.close()
        super().tearDown()

    def window(self, *args, **options):
        window = Window(self.reeve, *args, **options)
        self.windows.append(window)
        return window

    def assert_ends(self, window, status):
        self.assertEqual(window.status(), status, window.shown)
        self.assertTrue(window.unchanged(), "the terminal is not what it was")


class TestExec(Windows):

    def test_like_at_home(self):
        window = self.window("exec", "-t", "--", "sh", "-c", "stty size; echo $TERM; tty; read x; echo got $x; exit 7")
        window.see(b"30 100\r\nvt220\r\n/dev/pts/")
        eventually(window.raw, 5, "raw mode")
        window.type(b"words\r")
        window.see(b"got words\r\n")
        self.assert_ends(window, 7)

    def test_status(self):
        for script, status in (("exit 0", 0), ("exit 200", 200), ("kill -9 $$", 137), ("kill -TERM $$", 143)):
            self.assert_ends(self.window("exec", "-t", "sh", "-c", script), status)
        self.assert_ends(self.window("exec", "-t", "no-such-command"), 127)
        self.assert_ends(self.window("exec", "-t", "/etc/passwd"), 126)
        self.assert_ends(self.window("exec", "-t", "-p", "StandardInput=null", "true"), 125)
        self.assert_ends(self.window("exec", "-t", "-i", "true"), 125)

    def test_verbose(self):
        window = self.window("exec", "-v", "-t", "--id=told", "sh", "-c", "trap '' HUP; sleep 100 & exit 3")
        self.assert_ends(window, 3)
        self.assertRegex(window.shown, rb"(?s)told: exit-code 3 after .*told: 1 process of it lives on; .*stop told\r\n")

    def test_all_of_the_output(self):
        window = self.window("exec", "-t", "sh", "-c", "seq 20000; echo the end")
        self.assert_ends(window, 0)
        self.assertTrue(window.shown.endswith(b"20000\r\nthe end\r\n"), window.shown[-100:])
        self.assertEqual(len(window.shown.split(b"\r\n")), 20002)

    def test_keys(self):
        """^C, ^Z and ^\\ are the command's, not reevectl's."""
        window = self.window("exec", "-t", "sh", "-c", "stty -isig -icanon -echo; echo ready; head -c 4 | od -An -tx1")
        window.see(b"ready")
        eventually(window.raw, 5, "raw mode")
        window.type(b"\x03\x1a\x1c\x1d")
        window.see(b"03 1a 1c 1d")
        self.assert_ends(window, 0)

    def test_interrupt(self):
        window = self.window("exec", "-t", "cat")
        eventually(window.raw, 5, "raw mode")
        window.type(b"x\r")
        window.see(b"x\r\nx\r\n")
        window.type(b"\x03")
        self.assert_ends(window, 130)

    def test_window_size(self):
        window = self.window("exec", "-t", "sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
        window.see(b"ready")
        window.resize(40, 120)
        window.see(b"40 120\r\n")
        window.type(b"\x03")
        window.status()
        self.assertTrue(window.unchanged())

    def test_killed(self):
        """The terminal is given back, and the job goes on."""
        for sig in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            window = self.window("exec", "-t", "--id", f"kept-{sig}", "sh", "-c", "echo ready; sleep 100")
            window.see(b"ready")
            eventually(window.raw, 5, "raw mode")
            window.process.send_signal(sig)
            self.assert_ends(window, 128 + sig)
            self.assertIn(f"reevectl attach kept-{sig}".encode(), window.shown)
            self.assertEqual(self.bus.property("State", f"kept-{sig}"), "running")

    def test_stopped_and_continued(self):
        window = self.window("exec", "-t", "sh", "-c", "echo ready; read x; echo got $x")
        window.see(b"ready")
        eventually(window.raw, 5, "raw mode")
        window.process.send_signal(signal.SIGTSTP)
        eventually(window.unchanged, 5, "the terminal is given back while reevectl is stopped")
        window.process.send_signal(signal.SIGCONT)
        eventually(window.raw, 5, "raw mode again")
        window.type(b"on\r")
        window.see(b"got on\r\n")
        self.assert_ends(window, 0)

    def test_background(self):
        """The terminal is the shell's until reevectl is brought to the front."""
        def stopped():
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                return f.read().split()[2] == "T"

        window = self.window("-i", program="/bin/dash")
        window.type(b"$REEVECTL exec -t sh -c 'echo ready; read x; echo got $x' & echo pid $!\n")
        pid = int(re.search(rb"pid (\d+)\r", window.see(re.compile(rb"pid \d+\r"))).group(1))
        for turn in range(2):
            eventually(stopped, 5, "reevectl is stopped")
            self.assertFalse(window.raw())
            window.type(b"bg %%1; echo and on %d\n" % turn)
            window.see(b"\nand on %d\r\n" % turn)
        eventually(stopped, 5, "reevectl is stopped")
        window.type(b"fg %1\n")
        eventually(window.raw, 5, "raw mode")
        window.see(b"ready")
        window.type(b"on\r")
        window.see(b"got on\r\n")
        eventually(window.unchanged, 5, "the terminal is given back")
        window.type(b"exit 5\n")
        self.assert_ends(window, 5)

    def test_reader_that_does_not_read(self):
        """reevectl exec -t … | sleep 1000: it can be ended all the same."""
        out_read, out_write = os.pipe()
        window = self.window("exec", "-t", "yes", stdout=out_write)
        eventually(lambda: not select.select([], [out_write], [], 0)[1], 10, "the pipe is full")
        eventually(window.raw, 5, "raw mode")
        window.process.send_signal(signal.SIGTERM)
        self.assert_ends(window, 143)
        os.close(out_read)
        os.close(out_write)

    def test_nobody_reads_the_output(self):
        """reevectl exec -t … | head -1: it ends, and gives the terminal back."""
        out_read, out_write = os.pipe()
        window = self.window("exec", "-t", "yes", stdout=out_write)
        os.close(out_write)
        self.assertEqual(os.read(out_read, 3), b"y\r\n")
        eventually(window.raw, 5, "raw mode")
        os.close(out_read)
        self.assert_ends(window, 141)

    def test_background_process_keeps_the_terminal(self):
        window = self.window("exec", "-t", "sh", "-c", "trap '' HUP; sleep 100 & echo done")
        self.assert_ends(window, 0)
        self.assertIn(b"done\r\n", window.shown)

    def test_shell_with_job_control(self):
        window = self.window("exec", "-t", "-E", "PS1=prompt> ", "-E", "HOME=/nowhere", "bash", "--norc", "--noprofile", "-i")
        window.see(b"prompt> ")
        eventually(window.raw, 5, "raw mode")
        window.type(b"echo be''gin; cat\r")
        window.see(b"begin\r\n")
        window.type(b"x\r")
        window.see(b"x\r\nx\r\n")
        window.type(b"\x1a")
        window.see(b"Stopped")
        window.type(b"fg\r")
        window.see(b"fg\r\n\x1b[?2004l\rcat\r\n")
        window.type(b"y\r")
        window.see(b"y\r\ny\r\n")
        window.type(b"\x04")
        window.see(b"prompt> ", since=window.shown.rindex(b"y\r\ny\r\n"))
        window.type(b"exit 5\r")
        self.assert_ends(window, 5)

    def test_input_that_is_no_terminal(self):
        done = self.reeve.reevectl("exec", "-t", "sh", "-c", "stty -echo; echo ready; cat", stdin=None, input=b"a\nb\n")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(done.stdout.endswith(b"a\r\nb\r\n"), done.stdout)

    def test_input_that_ends_within_a_line(self):
        for text in (b"unfinished", b"a line\nunfinished", b""):
            with self.subTest(text=text):
                done = self.reeve.reevectl("exec", "-t", "sh", "-c", "stty -echo; cat; echo .", stdin=None, input=text)
                self.assertEqual(done.returncode, 0)    # the terminal may have echoed some before stty
                self.assertTrue(done.stdout.endswith(text.replace(b"\n", b"\r\n") + b".\r\n"), done.stdout)

    def test_end_of_input_on_a_full_terminal(self):
        """As much as it holds, to the byte: the end waits until there is room for it."""
        line = b"x" * 63 + b"\n"
        job = self.bus.start(["sleep", "1000"], TTY=True)
        size, full = 0, 0
        while full < 20:
            piece = (line * 64)[size % 4096:]
            accepted = self.bus.write_input(job.id, piece)
            size += accepted
            full = 0 if accepted else full + 1
        self.bus.stop({"Id": job.id}, TimeoutStopUSec=0)
        script = "stty -echo; echo ready; sleep 0.3; wc -c"
        for n in range(size - 1, size + 2):
            done = self.reeve.reevectl("exec", "-t", "sh", "-c", script, stdin=None, input=(line * (n // 64 + 1))[:n - 1] + b"\n")
            self.assertEqual(done.stdout.splitlines()[-1], b"%d" % n)

    def test_large_paste(self):
        """More than a terminal holds, in lines that it can hold."""
        window = self.window("exec", "-t", "sh", "-c", "stty -echo; echo ready; head -n 5000 | md5sum")
        window.see(b"ready")
        eventually(window.raw, 5, "raw mode")
        data = b"".join(b"line %06d\n" % i for i in range(5000))
        thread = threading.Thread(target=lambda: [window.type(data[i:i + 1000]) for i in range(0, len(data), 1000)])
        thread.start()
        window.see(hashlib.md5(data).hexdigest().encode(), 20)
        thread.join()
        self.assert_ends(window, 0)

    def test_connection_lost(self):
        with Reeve() as reeve:
            window = Window(reeve, "exec", "-t", "sh", "-c", "echo ready; sleep 100")
            self.windows.append(window)
            window.see(b"ready")
            eventually(window.raw, 5, "raw mode")
            reeve.signal(signal.SIGKILL)
            self.assert_ends(window, 125)
            self.assertIn(b"lost", window.shown)


class TestAttach(Windows):

    def test_detach_and_come_back(self):
        window = self.window("exec", "-t", "--id=shell", "sh", "-c", "echo hello; while read x; do echo got $x; done")
        window.see(b"hello")
        eventually(window.raw, 5, "raw mode")
        window.type(b"\x1d\x1d\x1d")
        self.assert_ends(window, 0)
        self.assertIn(b"reevectl attach shell", window.shown)
        self.assertEqual(self.bus.property("State", "shell"), "running")
        window = self.window("attach", "shell", rows=20, columns=70)
        window.see(b"hello")
        self.assertEqual(self.bus.property("StandardInput", "shell"), "tty")
        eventually(window.raw, 5, "raw mode")
        window.type(b"again\r")
        window.see(b"got again\r\n")
        window.type(b"\x04")
        # The keys to detach went to the job: they are its first line.
        window.status()
        self.assertTrue(window.unchanged())

    def test_two_at_once(self):
        self.bus.start_sh("while read x; do echo got $x; done", TTY=True, Id="both")
        one, two = self.window("attach", "both"), self.window("attach", "both")
        eventually(lambda: one.raw() and two.raw(), 5, "raw mode")
        one.type(b"from one\r")
        for window in (one, two):
            window.see(b"got from one\r\n")
        two.type(b"from two\r")
        for window in (one, two):
            window.see(b"got from two\r\n")
        one.type(b"\x1d\x1d\x1d")
        self.assert_ends(one, 0)
        self.bus.stop({"Id": "both"}, TimeoutStopUSec=0)
        self.assert_ends(two, 137)

    def test_size(self):
        self.bus.start_sh("trap 'stty size' WINCH; while :; do sleep 0.05; done", TTY=True, Id="size")
        window = self.window("attach", "size", rows=12, columns=34)
        window.see(b"12 34\r\n")

    def test_pipes(self):
        """Its output, and lines of input, with the terminal as it is."""
        self.bus.start_sh("while read x; do echo got $x; echo err $x >&2; done; echo over; exit 3", StandardInput="pipe", Id="pipes")
        window = self.window("attach", "pipes")
        window.type(b"one\n")
        window.see(b"got one\r\n")
        window.see(b"err one\r\n")
        self.assertFalse(window.raw())
        window.type(b"\x04")
        window.see(b"over\r\n")
        self.assert_ends(window, 3)

    def test_no_input(self):
        self.bus.start_sh("echo there; exec sleep 100", Id="deaf")
        window = self.window("attach", "deaf")
        window.see(b"there\r\n")
        window.process.send_signal(signal.SIGINT)
        self.assert_ends(window, 130)
        self.assertEqual(self.bus.property("State", "deaf"), "running")

    def test_finished(self):
        self.bus.sh("echo was there; exit 4", Id="over")
        window = self.window("attach", "over")
        self.assert_ends(window, 4)
        self.assertIn(b"was there\r\n", window.shown)
        self.assert_ends(self.window("attach", "nobody"), 125)

    def test_tail(self):
        self.bus.start_sh("seq 100; echo end; exec sleep 100", Id="tail")
        self.bus.wait_for_output("tail", b"end\n")
        window = self.window("attach", "-n", "2", "tail")
        window.see(b"end\r\n")
        self.assertEqual(window.shown, b"100\r\nend\r\n")

    def test_start_with_a_terminal(self):
        window = self.window("start", "-t", "--id=later", "sh", "-c", "stty size; echo $TERM; sleep 100")
        self.assert_ends(window, 0)
        self.assertEqual(window.shown, b"later\r\n")
        self.assertIn(b"30 100\r\nvt220\r\n", self.bus.wait_for_output("later", b"vt220\r\n"))
