"""Jobs with a terminal of their own."""

import hashlib
import time

from case import BoxCase, FreshCase
from client import SEC
from rig import eventually


class Terminal(BoxCase):

    def tty(self, script, **options):
        return self.bus.start_sh(script, TTY=True, **options).id

    def shell(self, *argv, **options):
        return self.bus.start(list(argv), TTY=True, **options).id

    def type(self, id, text):
        self.bus.feed(id, text, eof=False)

    def see(self, id, needle, timeout=10):
        return self.bus.wait_for_output(id, needle, timeout)


class TestTerminal(Terminal):

    def test_all_three_are_one(self):
        outcome = self.bus.sh("test -t 0 && test -t 1 && test -t 2 && echo yes; tty; : </dev/tty && echo mine; echo err >&2",
                              TTY=True)
        self.assert_outcome(outcome, "success")
        self.assertRegex(outcome.stdout, rb"\Ayes\r\n/dev/pts/\d+\r\nmine\r\nerr\r\n\Z")
        self.assertEqual(outcome.stderr, b"")

    def test_leader_of_session_and_foreground(self):
        outcome = self.bus.sh("ps -o pid=,pgid=,sid=,tpgid= -p $$", TTY=True)
        numbers = set(outcome.stdout.split())
        self.assertEqual(len(numbers), 1, outcome.stdout)

    def test_size(self):
        self.assertEqual(self.bus.exec(["stty", "size"], TTY=True).stdout, b"24 80\r\n")
        self.assertEqual(self.bus.exec(["stty", "size"], TTY=True, TTYRows=7).stdout, b"7 80\r\n")
        self.assertEqual(self.bus.exec(["stty", "size"], TTY=True, TTYRows=50, TTYColumns=132).stdout, b"50 132\r\n")

    def test_term(self):
        def term(**options):
            return self.bus.sh("echo $TERM", TTY=True, **options).stdout
        self.assertEqual(term(), b"xterm-256color\r\n")
        self.assertEqual(term(Term="vt100"), b"vt100\r\n")
        self.assertEqual(term(Term="vt100", Environment=["TERM=dumb"]), b"dumb\r\n")
        self.assertEqual(term(UnsetEnvironment=["TERM"]), b"\r\n")

    def test_owner(self):
        outcome = self.bus.sh("stat -L -c '%U %a' $(tty)", TTY=True, User="nobody")
        self.assertEqual(outcome.stdout, b"nobody 600\r\n")

    def test_echo_and_a_line(self):
        id = self.tty("read x; echo got $x")
        self.type(id, b"words\n")
        self.bus.wait(id)
        self.assertEqual(self.bus.output(id)[0], b"words\r\ngot words\r\n")

    def test_echo_does_not_wait_for_its_line(self):
        id = self.tty("echo ready; cat")
        self.see(id, b"ready")
        times = []
        for key in (b"a", b"b", b"c", b"d", b"e"):
            log = self.bus.log(id, "tail")
            before = time.monotonic()
            self.type(id, key)
            log = self.bus.log(id, log.next, WaitUSec=5 * SEC)
            times.append(time.monotonic() - before)
            self.assertEqual(b"".join(r.data for r in log.records), key)
        self.assertLess(min(times), 0.06, times)

    def test_end_of_file(self):
        id = self.tty("cat; echo rest; cat; echo out")
        self.assertEqual(self.bus.write_input(id, b"line\n", True), 5)
        self.see(id, b"rest")
        self.assertEqual(self.bus.write_input(id, b"", True), 0)
        self.bus.wait(id)
        self.assertIn(b"line\r\nline\r\nrest\r\n", self.bus.output(id)[0])

    def test_end_of_file_is_the_terminals_own(self):
        id = self.tty("stty eof '%'; echo set; cat; echo out; stty eof undef; echo unset; read x")
        self.see(id, b"set\r\n")
        self.bus.write_input(id, b"", True)
        self.see(id, b"unset")
        self.assert_error("NotSupported", "eof", call=lambda: self.bus.write_input(id, b"", True))
        self.type(id, b"\n")
        self.bus.wait(id)

    def test_interrupt(self):
        id = self.shell("cat")
        self.type(id, b"x\n")
        self.see(id, b"x\r\nx\r\n")      # by now it is cat: a shell might just be between two commands
        self.type(id, b"\x03")
        self.bus.wait(id)
        p = self.bus.properties(id)
        self.assertIn((p["Result"], p["Signal"]), [("signal", 2)])

    def test_resize(self):
        id = self.tty("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
        self.see(id, b"ready")
        self.bus.job(id, "ResizeTTY", "qq", 33, 99)
        self.see(id, b"33 99\r\n")
        for rows, columns in ((0, 1), (1, 0)):
            self.assert_error("InvalidArgs", call=lambda r=rows, c=columns: self.bus.job(id, "ResizeTTY", "qq", r, c))

    def test_no_terminal(self):
        id = self.bus.start(["sleep", "100"]).id
        self.assert_error("NotATTY", call=lambda: self.bus.job(id, "ResizeTTY", "qq", 10, 10))
        id = self.tty("true")
        self.bus.wait(id)
        self.assert_error("NotATTY", call=lambda: self.bus.job(id, "ResizeTTY", "qq", 10, 10))
        self.assert_error("InputClosed", call=lambda: self.bus.write_input(id, b"x"))

    def test_last_words(self):
        """What the leader wrote last is there when it is told that it ended."""
        fds = self.reeve.fds()
        for _ in range(50):
            outcome = self.bus.exec(self.reeve.payload("pattern", 8000), TTY=True)
            self.assertEqual(len(outcome.stdout), 8000 + 500)
            self.assertTrue(outcome.stdout.endswith(b"%014d\r\n" % 499) or outcome.stdout.endswith(b"%015d\r\n" % 499),
                            outcome.stdout[-40:])
        self.assert_fds_back(fds)

    def test_flood(self):
        outcome = self.bus.exec(self.reeve.payload("pattern", 4 << 20), TTY=True, LogMaxBytes=16 << 20, OutputMaxBytes=8 << 20)
        size = 4 << 20
        self.assertEqual(len(outcome.stdout), size + size // 16)

    def test_input_that_is_not_read(self):
        """A terminal holds a little, and then takes no more; PID 1 goes on."""
        id = self.tty("stty raw -echo; echo ready; sleep 100")
        self.see(id, b"ready")
        n = self.bus.write_input(id, b"x" * 200000)
        self.assert_between(1, n, 199999)
        eventually(lambda: self.bus.write_input(id, b"x" * 20000) == 0, 10, "it is full")
        self.bus.ping()

    def test_input_that_is_read_slowly(self):
        data = b"".join(b"%07d\n" % i for i in range(20000))
        id = self.tty("stty -echo; echo ready; md5sum")
        self.see(id, b"ready")
        self.bus.feed(id, data)
        self.bus.wait(id)
        self.assertIn(hashlib.md5(data).hexdigest().encode(), self.bus.output(id)[0])

    def test_stop(self):
        id = self.tty("sleep 100")
        ids, pids, remaining = self.bus.stop({"Id": id})
        self.assertEqual((ids, remaining), ([id], 0))

    def test_merged_is_what_it_is(self):
        self.assertEqual(self.bus.sh("echo 1; echo 2 >&2; echo 3", TTY=True, MergeOutput=True).stdout, b"1\r\n2\r\n3\r\n")


class TestTwoClients(Terminal):

    def test_both_write_and_both_see(self):
        id = self.tty("while read x; do echo got $x; done")
        with self.reeve.connect() as other:
            self.type(id, b"from one\n")
            self.see(id, b"got from one\r\n")
            other.feed(id, b"from two\n", eof=False)
            for bus in (self.bus, other):
                bus.wait_for_output(id, b"got from two\r\n")
        self.type(id, b"one again\n")       # the other has gone, and the job does not care
        self.see(id, b"got one again\r\n")
        self.assertEqual(self.bus.property("State", id), "running")


class TestJobControl(Terminal):

    def control(self, *shell):
        id = self.shell(*shell, Environment=["PS1=$ ", "HOME=/nowhere"])
        self.see(id, b"$ ")
        self.type(id, b"sleep 1000\n")
        eventually(lambda: self.foreground(id) == "sleep", 10, "sleep is in the foreground")
        self.type(id, b"\x1a")
        self.see(id, b"topped")
        self.type(id, b"jobs; echo st''ill here\n")
        self.see(id, b"still here\r\n")
        self.type(id, b"fg\n")
        self.see(id, b"sleep 1000\r\n")
        eventually(lambda: self.foreground(id) == "sleep", 10, "sleep is in the foreground again")
        self.type(id, b"\x03")
        eventually(lambda: self.bus.property("TasksCurrent", id) == 1, 10, "sleep was interrupted")
        self.type(id, b"echo out=$?\n")
        out = self.see(id, b"out=130\r\n")
        self.assertNotIn(b"no job control", out)
        self.assertNotIn(b"can't access tty", out)
        self.type(id, b"exit 7\n")
        self.bus.wait(id)
        self.assertEqual(self.bus.property("ExitCode", id), 7)

    def foreground(self, id):
        """The command that leads the foreground of the job's terminal, once it runs."""
        script = f"ps -o comm=,stat= -p $(ps -o tpgid= -p {self.bus.property('PID', id)})"
        command, _, state = self.bus.sh(script).stdout.decode().partition(" ")
        return command if "T" not in state else None

    def test_bash(self):
        self.control("bash", "--norc", "--noprofile", "-i")

    def test_dash(self):
        self.control("dash", "-i")


class TestAfterTheLeader(Terminal):

    def test_child_that_keeps_it(self):
        """It writes and reads on; the job is finished when it has gone."""
        fds = self.reeve.fds()
        id = self.tty("trap '' HUP; exec 3<&0; (sleep 0.3; echo later; read x <&3; echo got $x; sleep 100) & exit 4")
        self.bus.wait(id, "Exited")
        self.assertEqual(self.bus.properties(id)["ExitCode"], 4)
        self.see(id, b"later\r\n")
        self.assertEqual(self.bus.property("State", id), "exited")
        self.type(id, b"this\n")
        self.see(id, b"got this\r\n")
        self.bus.job(id, "ResizeTTY", "qq", 10, 10)
        self.bus.stop({"Id": id}, TimeoutStopUSec=0)
        self.bus.wait(id)
        self.assert_fds_back(fds)

    def test_exec_does_not_wait_for_it(self):
        outcome = self.bus.sh("trap '' HUP; sleep 100 & echo done", TTY=True)
        self.assert_outcome(outcome, "success")
        self.assertEqual(outcome.stdout, b"done\r\n")
        self.assertEqual(outcome.details["TasksRemaining"], 1)

    def test_leader_that_closes_its_own(self):
        """While it lives the terminal is there, though nobody has it open: it can be opened again, and is not hung up."""
        id = self.tty("exec <&- >&- 2>&-; sleep 0.2; echo back >/dev/tty; sleep 0.2; echo again >/dev/tty")
        self.bus.wait(id)
        self.assertEqual(self.bus.output(id)[0], b"back\r\nagain\r\n")
        self.assertEqual(self.bus.property("Result", id), "success")


class TestWithoutATree(FreshCase):
    """Where no cgroup tree can be written a terminal is the same."""

    def test_shell(self):
        reeve = self.box(read_only_cgroup=True)
        id = reeve.bus.start(["bash", "--norc", "--noprofile", "-i"], TTY=True, Environment=["PS1=prompt> "]).id
        reeve.bus.wait_for_output(id, b"prompt> ")
        reeve.bus.feed(id, b"echo st''art; sleep 1000\n", eof=False)
        reeve.bus.wait_for_output(id, b"start\r\n")
        reeve.bus.job(id, "ResizeTTY", "qq", 10, 20)
        self.assertEqual(reeve.bus.stop({"Id": id}, TimeoutStopUSec=0)[2], 0)
        eventually(lambda: not reeve.processes(), 5, lambda: reeve.describe(reeve.processes()))
        self.assertEqual(reeve.bus.property("State", id), "finished")
