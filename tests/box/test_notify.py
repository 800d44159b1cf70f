"""The notify socket of a job: who is heard, and what comes of it. Real senders, of all kinds."""

import os
import re
import signal
import unittest

from case import BoxCase, FreshCase
from client import JOB, PROPERTIES, SEC, job_path
from rig import eventually

PYTHON = "/usr/bin/python3"

# say(text, *fds) to $NOTIFY_SOCKET, or to the address given.
SAY = """
import array, os, socket, sys, time
def say(text, *fds, to=None):
    address = to or os.environ["NOTIFY_SOCKET"]
    if isinstance(text, str):
        text = text.encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect("\\0" + address[1:] if address[0] == "@" else address)
        s.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
def barrier():
    r, w = os.pipe()
    say("BARRIER=1", w)
    os.close(w)
    return os.read(r, 1)
def ask():
    for line in sys.stdin:
        exec(line, globals())
        print("done", flush=True)
"""


class NotifyCase(BoxCase):

    def python(self, script, **options):
        return self.bus.start([PYTHON, "-c", SAY + script], **options).id

    def talker(self, **options):
        """A job that does what it is told: tell()."""
        options.setdefault("NotifyAccess", "main")
        id = self.python("ask()", StandardInput="pipe", **options)
        self.told = getattr(self, "told", {})
        self.told[id] = 0
        return id

    def tell(self, id, line):
        """It runs the line of Python, and has done so when this returns."""
        self.bus.feed(id, (line + "\n").encode(), eof=False)
        self.told[id] += 1
        wanted = self.told[id]
        eventually(lambda: self.bus.output(id)[0].count(b"done\n") >= wanted, 20,
                   lambda: f"{line}: {self.bus.output(id)}")

    def of(self, id, name):
        return self.bus.property(name, id)

    def becomes(self, id, name, value, timeout=20):
        eventually(lambda: self.of(id, name) == value, timeout, lambda: f"{name} is {value!r}: {self.of(id, name)!r}")

    def stays(self, id, name, value):
        """Once all that was sent before was handled."""
        self.assertEqual(self.of(id, name), value)

    def is_logged(self, *words, timeout=20):
        eventually(lambda: any(all(word in line for word in words) for line in self.reeve.log().splitlines()), timeout,
                   lambda: f"{words} is in the log:\n{self.reeve.log()}")


class TestReady(NotifyCase):

    def test_ready_comes_with_exec_without(self):
        id = self.bus.start_sh("sleep 1000").id
        self.assertTrue(self.of(id, "Ready"))
        self.assertEqual(self.bus.wait(id, "Ready")[0], "Ready")

    def test_no_socket_without(self):
        for options in ({}, {"NotifyAccess": "none"}):
            outcome = self.bus.sh("echo $NOTIFY_SOCKET,$WATCHDOG_PID,$WATCHDOG_USEC", **options)
            self.assertEqual(outcome.stdout, b",,\n")

    def test_ready_is_said(self):
        id = self.talker()
        waiter = self.bus.wait_later(id, "Ready")
        self.assertFalse(self.of(id, "Ready"))
        self.assertEqual(self.of(id, "StatusText"), "")
        self.tell(id, "say('READY=1\\nSTATUS=serving')")
        self.assertEqual(waiter.result(20)[0], "Ready")
        self.assertTrue(self.of(id, "Ready"))
        self.assertEqual(self.of(id, "StatusText"), "serving")
        self.tell(id, "say('RELOADING=1'); barrier()")
        self.assertFalse(self.of(id, "Ready"))
        self.tell(id, "say('READY=1'); barrier()")
        self.assertTrue(self.of(id, "Ready"))
        self.tell(id, "say('STOPPING=1\\nSTATUS='); barrier()")
        self.assertFalse(self.of(id, "Ready"))
        self.assertEqual(self.of(id, "StatusText"), "")
        self.assertEqual(self.of(id, "State"), "running")

    def test_watchers_are_told(self):
        id = self.talker()
        watcher = self.reeve.connect()

        def change(s):
            return (s.member == "PropertiesChanged" and s.path == job_path(id) and s.interface == PROPERTIES
                    and s.body[0] == JOB and s.body[1].get("Ready") == ("b", True)
                    and s.body[1].get("StatusText") == ("s", "up"))
        watcher.ping()
        self.tell(id, "say('READY=1\\nSTATUS=up')")
        watcher.wait_signal(change, 20)

    def test_an_end_before_ready(self):
        id = self.bus.start_sh("exit 3", NotifyAccess="main").id
        self.assertEqual(self.bus.wait(id, "Ready")[0], "Finished")
        self.assertFalse(self.of(id, "Ready"))

    def test_the_last_word_is_heard(self):
        """However fast the end follows it."""
        for number in range(20):
            id = self.python(f"say('READY=1\\nSTATUS=end {number}'); os._exit(0)", NotifyAccess="main")
            self.bus.wait(id, "Finished", timeout=30)
            self.assertTrue(self.of(id, "Ready"))
            self.assertEqual(self.of(id, "StatusText"), f"end {number}")

    def test_exec_and_run(self):
        outcome = self.bus.exec([PYTHON, "-c", SAY + "say('READY=1'); print(os.environ['NOTIFY_SOCKET'])"], NotifyAccess="all")
        self.assertRegex(outcome.stdout, rb"^@reeve-notify-[0-9a-f]{32}\n$")
        self.bus.open_session("notifies")
        outcome = self.bus.run("notifies", "echo $NOTIFY_SOCKET $WATCHDOG_USEC", NotifyAccess="all", WatchdogUSec=60 * SEC)
        self.assertRegex(outcome.stdout, rb"^@reeve-notify-[0-9a-f]{32} 60000000\n$")
        # Nothing of it is kept for the next.
        self.assertEqual(self.bus.run("notifies", "echo $NOTIFY_SOCKET,$WATCHDOG_PID,$WATCHDOG_USEC").stdout, b",,\n")
        self.bus.close_session("notifies")

    def test_reevectl(self):
        id = self.talker()
        self.tell(id, "say('READY=1\\nSTATUS=serving 7 clients'); barrier()")
        out = self.bus.exec([f"{self.reeve.shared}/bin/reevectl", f"--address={self.reeve.address}", "status", id]).stdout.decode()
        self.assertIn("Status: serving 7 clients", out)
        out = self.bus.exec([f"{self.reeve.shared}/bin/reevectl", f"--address={self.reeve.address}", "wait", "--until=ready", id])
        self.assertEqual(out.exit_code, 0, out.stderr)


class TestWho(NotifyCase):

    KERNEL = tuple(int(n) for n in os.uname().release.split("-")[0].split(".")[:2])

    def address(self, id):
        with open(f"/proc/{self.reeve.host_pid(self.of(id, 'PID'))}/environ", "rb") as f:
            return re.search(rb"NOTIFY_SOCKET=([^\0]*)", f.read())[1].decode()

    def test_another_job(self):
        """Who knows the address is not heard for it."""
        one, other = self.talker(NotifyAccess="all"), self.talker(NotifyAccess="all")
        address = self.address(one)
        self.assertNotEqual(address, self.address(other))
        self.tell(other, f"say('READY=1\\nSTATUS=forged\\nMAINPID=%d' % os.getpid(), to='{address}')")
        self.tell(one, "barrier()")
        self.stays(one, "Ready", False)
        self.stays(one, "StatusText", "")
        self.is_logged(f"Job {one}:", "dropped notifications")

    def test_from_outside(self):
        id = self.talker(NotifyAccess="all")
        pid = self.reeve.host_pid(self.of(id, "PID"))
        self.assertTrue(pid)
        address = self.address(id)
        # Abstract names are of the network namespace, which the box shares with the test.
        scope = {}
        exec(SAY, scope)  # pylint: disable=exec-used
        scope["say"]("READY=1\nSTATUS=host", to=address)
        self.tell(id, "barrier()")
        self.stays(id, "Ready", False)
        self.stays(id, "StatusText", "")

    def test_main_and_all(self):
        child = "pid = os.fork()\nif pid == 0:\n    say('STATUS=child'); barrier(); os._exit(0)\nos.waitpid(pid, 0)\nask()"
        for access, status in (("main", ""), ("all", "child")):
            id = self.python(child, NotifyAccess=access, StandardInput="pipe")
            self.told = {id: 0}
            self.tell(id, "barrier()")
            self.stays(id, "StatusText", status)

    def test_systemd_notify(self):
        """The tool itself, from a shell; it waits until it was heard (BARRIER=1)."""
        id = self.bus.start_sh("systemd-notify --ready --status='by the tool' && echo said; sleep 1000", NotifyAccess="all").id
        self.bus.wait_for_output(id, b"said\n", 30)
        self.assertTrue(self.of(id, "Ready"))
        self.assertEqual(self.of(id, "StatusText"), "by the tool")

    def test_a_user_of_no_privileges(self):
        id = self.bus.start([PYTHON, "-c", SAY + "say('READY=1'); time.sleep(1000)"], NotifyAccess="main", User="box").id
        self.assertEqual(self.bus.wait(id, "Ready", 30)[0], "Ready")

    def test_orphans(self):
        """Children whose parents are gone are reeve's to reap: what they said last is heard before that."""
        script = ("for i in range(20):\n    if os.fork() == 0:\n        if os.fork() == 0:\n"
                  "            while os.getppid() != 1:\n                time.sleep(0.001)\n"
                  "            say('STATUS=orphan')\n            os._exit(0)\n        os._exit(0)\n    os.wait()\nask()")
        id = self.python(script, NotifyAccess="all", StandardInput="pipe")
        self.becomes(id, "StatusText", "orphan")
        eventually(lambda: len(self.reeve.processes()) == 1, 30, lambda: self.reeve.describe(self.reeve.processes()))
        self.assertNotIn(f"Job {id}: dropped", self.reeve.log())

    def test_a_child_that_is_gone(self):
        """Its parent has reaped it before reeve looked, perhaps: then it is heard all the same, or dropped and counted."""
        script = ("for i in range(200):\n    pid = os.fork()\n    if pid == 0:\n        say('STATUS=gone')\n        os._exit(0)\n"
                  "    os.waitpid(pid, 0)\nask()")
        id = self.python(script, NotifyAccess="all", StandardInput="pipe")
        self.told = {id: 0}
        self.tell(id, "barrier()")
        if self.KERNEL >= (6, 16):    # which keeps of the dead what cgroup they were in
            self.assertEqual(self.of(id, "StatusText"), "gone")
            self.assertNotIn(f"Job {id}: dropped", self.reeve.log())
        elif self.of(id, "StatusText") != "gone":
            self.is_logged(f"Job {id}:", "dropped notifications", "gone")

    def test_a_forged_pid(self):
        """Only root may lend himself another number; in the box even that is no way to another job's socket."""
        one, other = self.talker(NotifyAccess="main"), self.talker(NotifyAccess="main")
        self.tell(other, "import struct")
        self.tell(other, f"s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect('\\0' + '{self.address(one)[1:]}')")
        self.tell(other, "s.sendmsg([b'READY=1'], [(socket.SOL_SOCKET, 2, struct.pack('iii', os.getpid(), 0, 0))])")
        self.tell(one, "barrier()")
        self.stays(one, "Ready", False)


class TestContents(NotifyCase):

    def test_status_is_text(self):
        id = self.talker()
        self.tell(id, r"say(b'STATUS=gr\xc3\xb6\xc3\x9fer \xff \x1b[31m'); barrier()")
        self.stays(id, "StatusText", "größer \ufffd \x1b[31m")
        self.tell(id, "say('STATUS=' + 'x' * 4089); barrier()")
        self.stays(id, "StatusText", "x" * 4089)
        self.tell(id, "say('STATUS=' + 'y' * 4090); barrier()")
        self.tell(id, "say('STATUS=' + 'y' * 100000); barrier()")
        self.tell(id, "say(b'STATUS=y\\0z'); barrier()")
        self.stays(id, "StatusText", "x" * 4089)
        self.is_logged(f"Job {id}:", "too long, or no text")

    def test_garbage(self):
        id = self.talker()
        self.tell(id, "import random; r = random.Random(7)")
        self.tell(id, "[say(r.randbytes(r.randrange(5000))) for _ in range(500)]; barrier()")
        self.tell(id, "say(''); say('\\n\\n'); say('=' * 4000); say('MAINPID=1\\nMAINPID=-1\\nERRNO=x'); barrier()")
        self.tell(id, "say('READY=1\\nERRNO=99999999999999999999999\\nWATCHDOG_USEC=soon'); barrier()")
        self.stays(id, "Ready", True)

    def test_flood(self):
        """Ten thousand messages as fast as they go: nobody else waits, nothing grows, the last one counts."""
        id = self.talker()
        fds, memory = self.reeve.fds(), self.reeve.memory()
        self.bus.feed(id, b"for i in range(10000): say('STATUS=%d' % i)\n", eof=False)
        self.told[id] += 1
        for _ in range(50):
            self.bus.ping(timeout=10)
        self.tell(id, "barrier()")
        self.becomes(id, "StatusText", "9999")
        self.assert_fds_back(fds)
        self.assert_memory(memory, 4 << 20, timeout=10)

    def test_flood_by_many(self):
        ids = [self.python("while True: say('STATUS=x')", NotifyAccess="main") for _ in range(4)]
        for _ in range(20):
            self.assertEqual(self.bus.exec(["true"], timeout=60).exit_code, 0)
        _, _, remaining = self.bus.stop({"All": True}, timeout=60, TimeoutStopUSec=0)
        self.assertEqual(remaining, 0)
        for id in ids:
            self.assertEqual(self.of(id, "State"), "finished")

    def test_descriptors(self):
        """FDSTORE is refused, and whatever comes along is closed at once."""
        fds = self.reeve.fds()
        id = self.talker()
        self.tell(id, "r, w = os.pipe()")
        self.tell(id, "say('FDSTORE=1\\nFDNAME=mine', w, w, w); os.close(w); print(repr(os.read(r, 1)))")
        self.assertIn(b"b''\n", self.bus.output(id)[0])
        self.is_logged(f"Job {id}:", "FDSTORE=1")
        self.tell(id, "[say('STATUS=with', *[0] * 253) for _ in range(50)]; barrier()")
        self.stays(id, "StatusText", "with")
        self.bus.stop({"Id": id}, TimeoutStopUSec=0)
        self.assert_fds_back(fds)

    def test_lingering_socket(self):
        """The last close of a TCP socket that lingers waits for its data to be sent; reeve does not."""
        id = self.talker(TimeoutStopUSec=0)
        self.tell(id, "import struct; l = socket.socket(); l.bind(('127.0.0.1', 0)); l.listen(1)")
        self.tell(id, "s = socket.socket(); s.connect(l.getsockname()); s.setblocking(False)")
        self.tell(id, "import contextlib; g = globals()")
        self.tell(id, "exec('with contextlib.suppress(BlockingIOError):\\n while True: s.send(bytes(65536))', g)")
        self.tell(id, "s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 3600))")
        self.tell(id, "n = s.detach(); d = os.dup(n); os.close(d); say('STATUS=lingers', n)")
        self.tell(id, "os.close(n)")
        self.becomes(id, "StatusText", "lingers")
        self.bus.ping(timeout=20)


class TestWatchdog(NotifyCase):

    def test_environment(self):
        outcome = self.bus.exec([PYTHON, "-c", "import os; e = os.environ; "
                                 "print(e['WATCHDOG_USEC'], e['WATCHDOG_PID'] == str(os.getpid()), e['NOTIFY_SOCKET'][0])"],
                                WatchdogUSec=30 * SEC)
        self.assertEqual(outcome.stdout, b"30000000 True @\n", outcome.stderr)
        outcome = self.bus.sh("[ $WATCHDOG_PID = $$ ] && exec sh -c '[ $WATCHDOG_PID = $$ ] && echo same'", WatchdogUSec=30 * SEC)
        self.assertEqual(outcome.stdout, b"same\n")

    def test_no_sign(self):
        id = self.bus.start_sh("exec sleep 1000", WatchdogUSec=SEC // 5).id
        self.assertTrue(self.of(id, "Ready"))
        self.bus.wait(id, "Finished", 30)
        self.assertEqual((self.of(id, "Result"), self.of(id, "Signal")), ("watchdog", signal.SIGABRT))
        notes = [r.data for r in self.bus.log(id).records if r.stream == 3]
        self.assertTrue(any(b"watchdog" in note for note in notes), notes)

    def test_signs(self):
        """Pings keep it alive for much longer than its time, which a slow machine stretches."""
        id = self.python("say('READY=1')\nfor i in range(110):\n    say('WATCHDOG=1'); time.sleep(0.1)\nsay('STATUS=end')\n",
                         WatchdogUSec=10 * SEC, NotifyAccess="main")
        self.bus.wait(id, "Finished", 60)
        self.assertEqual(self.of(id, "Result"), "success")
        self.assertEqual(self.of(id, "StatusText"), "end")

    def test_trigger_and_killed_in_time(self):
        id = self.talker(TimeoutStopUSec=SEC // 5)
        self.tell(id, "import signal; signal.signal(signal.SIGABRT, signal.SIG_IGN)")
        self.tell(id, "say('READY=1\\nWATCHDOG=trigger')")
        self.bus.wait(id, "Finished", 30)
        self.assertEqual((self.of(id, "Result"), self.of(id, "Signal")), ("watchdog", signal.SIGKILL))

    def test_set_by_the_job(self):
        id = self.talker()
        self.tell(id, "say('READY=1\\nWATCHDOG_USEC=100000')")
        self.bus.wait(id, "Finished", 30)
        self.assertEqual(self.of(id, "Result"), "watchdog")


class TestLeader(NotifyCase):

    HANDS_OVER = ("r, w = os.pipe()\npid = os.fork()\nif pid == 0:\n    os.close(w); os.read(r, 1)\n    say('STATUS=second')\n"
                  "    ask()\n    os._exit(7)\nsay('MAINPID=%d' % pid); barrier()\nos._exit(1)")

    def test_a_child_takes_over(self):
        id = self.python(self.HANDS_OVER, NotifyAccess="main", StandardInput="pipe")
        self.told = {id: 0}
        self.becomes(id, "StatusText", "second")
        self.assertEqual((self.of(id, "State"), self.of(id, "Result")), ("running", ""))
        self.tell(id, "print('pid', os.getpid()); say('READY=1'); barrier()")
        self.assertIn(f"pid {self.of(id, 'PID')}\n".encode(), self.bus.output(id)[0])
        self.assertTrue(self.of(id, "Ready"))
        self.bus.feed(id, b"", eof=True)
        self.bus.wait(id, "Finished", 30)
        self.assertEqual((self.of(id, "Result"), self.of(id, "ExitCode")), ("exit-code", 7))

    def test_anothers_child(self):
        """Its end is seen, though it is not reeve's to reap."""
        script = ("r, w = os.pipe()\nif os.fork() == 0:\n    pid = os.fork()\n    if pid == 0:\n        ask(); os._exit(7)\n"
                  "    os.write(w, b'%d\\n' % pid); os.waitpid(pid, 0); time.sleep(1000)\n"
                  "pid = int(os.read(r, 100)); say('MAINPID=%d\\nREADY=1' % pid); barrier(); os._exit(1)")
        id = self.python(script, NotifyAccess="main", StandardInput="pipe")
        self.told = {id: 0}
        self.assertEqual(self.bus.wait(id, "Ready", 30)[0], "Ready")
        self.tell(id, "print(os.getpid())")
        self.assertEqual(self.of(id, "State"), "running")
        self.bus.feed(id, b"", eof=True)
        self.bus.wait(id, "Exited", 30)
        self.assertEqual(self.of(id, "Result"), "success")

    def test_who_cannot_be_it(self):
        one, other = self.talker(), self.talker()
        pid = self.of(one, "PID")
        for wrong in (1, self.of(other, "PID"), 2 ** 31 - 1):
            self.tell(one, f"say('MAINPID={wrong}'); barrier()")
            self.stays(one, "PID", pid)
            self.is_logged(f"Job {one}: process {wrong} cannot be its leader")
        self.bus.kill(signal.SIGKILL, "main", Id=one)
        self.bus.wait(one, "Finished", 30)
        self.assertEqual(self.of(other, "State"), "running")


class TestRuns(NotifyCase):
    """Each run has a socket of its own, and its own readiness."""

    def test_readiness_is_a_runs(self):
        script = ("import signal\nfirst = not os.path.exists('/tmp/notify-run')\nopen('/tmp/notify-run', 'a').close()\n"
                  "print(os.environ['NOTIFY_SOCKET'], flush=True)\n"
                  "if first:\n    say('READY=1\\nSTATUS=first')\n    os._exit(1)\n"
                  "signal.sigwait([signal.SIGUSR1]); say('READY=1\\nSTATUS=second'); time.sleep(1000)")
        self.bus.exec(["rm", "-f", "/tmp/notify-run"])
        id = self.python("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n" + script,
                         NotifyAccess="main", Restart="on-failure", RestartUSec=1000)
        eventually(lambda: self.of(id, "NRestarts") == 1 and self.bus.output(id)[0].count(b"@") == 2, 30,
                   lambda: self.bus.output(id))
        self.assertFalse(self.of(id, "Ready"))
        self.assertEqual(self.of(id, "StatusText"), "")
        self.assertEqual(len(set(self.bus.output(id)[0].split())), 2, "addresses")
        self.bus.kill(signal.SIGUSR1, "main", Id=id)
        self.assertEqual(self.bus.wait(id, "Ready", 30)[0], "Ready")
        self.assertEqual(self.of(id, "StatusText"), "second")

    def test_a_watchdog_is_a_failure(self):
        id = self.bus.start_sh("exec sleep 1000", WatchdogUSec=SEC // 10, Restart="on-failure", RestartUSec=1000,
                               StartLimitBurst=3, StartLimitIntervalUSec=1000 * SEC).id
        self.bus.wait(id, "Finished", 60)
        self.assertEqual((self.of(id, "NRestarts"), self.of(id, "Signal")), (2, signal.SIGABRT))
        notes = [r.data for r in self.bus.log(id).records if r.stream == 3]
        self.assertEqual(sum(b"watchdog" in note and b"sign of life" in note for note in notes), 3, notes)


class TestTime(NotifyCase):

    def test_more_time_to_stop(self):
        """The deadline of a stop is moved by the job; without that it would be killed."""
        id = self.talker()
        self.tell(id, "import signal; signal.signal(signal.SIGTERM, lambda *_: say('EXTEND_TIMEOUT_USEC=100000000'))")
        pending = self.bus.stop_later({"Id": id}, TimeoutStopUSec=8 * SEC)
        self.becomes(id, "State", "stopping")
        self.tell(id, "barrier()")
        self.tell(id, "time.sleep(9)")    # longer than it had
        self.bus.feed(id, b"", eof=True)
        pending.result(60)
        self.assertEqual((self.of(id, "Result"), self.of(id, "Signal")), ("success", 0))


class TestWithoutTree(FreshCase):

    def test_session_of_the_leader(self):
        """Where no cgroup can be written the job is the session that its leader has made."""
        reeve = self.box(read_only_cgroup=True)
        self.assertEqual(reeve.bus.property("Containment"), "process-tree")
        child = "if os.fork() == 0:\n    say('READY=1'); barrier(); os._exit(0)\nos.wait(); print('heard', flush=True); time.sleep(1000)"
        id = reeve.bus.start([PYTHON, "-c", SAY + child], NotifyAccess="all").id
        reeve.bus.wait_for_output(id, b"heard\n", 30)
        self.assertTrue(reeve.bus.property("Ready", id))
        id = reeve.bus.start([PYTHON, "-c", SAY + child.replace("    say", "    os.setsid(); say")], NotifyAccess="all").id
        reeve.bus.wait_for_output(id, b"heard\n", 30)
        self.assertFalse(reeve.bus.property("Ready", id))


if __name__ == "__main__":
    unittest.main()
