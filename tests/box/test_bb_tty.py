"""TTY: a terminal of the job's own, with all that a terminal does."""

import hashlib
import os
import re
import signal

from bb import Gate, follow, parse_json, settled_fds, story, wait_until, write_all_input, write_input
from case import BoxCase, FreshCase, Stopwatch
from client import SEC, V
from rig import eventually

MIB = 1 << 20


class TtyCase(BoxCase):

    def resize(self, id, rows, columns):
        self.bus.job(id, "ResizeTTY", "qq", rows, columns)

    def type(self, id, data):
        write_all_input(self.bus, id, data)

    def shell(self, argv=("bash", "--norc", "--noprofile", "-i"), **options):
        """An interactive shell with a prompt that says so."""
        options.setdefault("Environment", ["PS1=[ready]", "HISTFILE=/dev/null"])
        job = self.bus.start(list(argv), TTY=True, **options)
        self.bus.wait_for_output(job.id, b"[ready]")
        return job

    def after(self, id, typed, needle, cursor=None):
        """Types, and waits until needle comes after that."""
        cursor = cursor or self.bus.property("LogCursor", id)
        self.type(id, typed)
        with follow(self.bus, id, cursor, Format="raw") as follower:
            return follower.wait_for(needle)


class TestTerminal(TtyCase):

    def test_all_three_are_one_terminal(self):
        outcome = self.bus.sh("tty; for fd in 0 1 2; do readlink /proc/self/fd/$fd; test -t $fd || exit 9; done", TTY=True)
        self.assert_outcome(outcome, "success")
        self.assertRegex(outcome.stdout, rb"^(/dev/pts/\d+)\r\n\1\r\n\1\r\n\1\r\n$")

    def test_it_is_the_controlling_terminal(self):
        outcome = self.bus.sh("echo through >/dev/tty; ps -o pid=,pgid=,sid=,tpgid= -p $$", TTY=True)
        words = outcome.stdout.split()
        self.assertEqual(words[0], b"through")
        self.assertEqual(set(words[1:5]), {str(outcome.details["PID"]).encode()}, "leader of session and foreground group")

    def test_everything_is_stdout(self):
        """Both of the command's streams, with the terminal's line ends, in the log like any other output."""
        outcome = self.bus.sh("echo out; echo err >&2; exit 3", TTY=True)
        self.assert_outcome(outcome, "exit-code", 3)
        self.assertEqual((outcome.stdout, outcome.stderr), (b"out\r\nerr\r\n", b""))
        self.bus.wait(outcome.id)
        records = [r for r in self.bus.log(outcome.id).records if r.stream != 3]
        self.assertEqual([(r.stream, r.data) for r in records], [(1, b"out\r\n"), (1, b"err\r\n")])
        p = self.bus.properties(outcome.id)
        self.assertEqual((p["LogBytes"], p["Running"]), (10, False))

    def test_merge_output_is_no_contradiction(self):
        self.assertEqual(self.bus.sh("echo x", TTY=True, MergeOutput=True).stdout, b"x\r\n")

    def test_size(self):
        outcome = self.bus.sh("stty size", TTY=True, TTYRows=33, TTYColumns=211)
        self.assertEqual(outcome.stdout, b"33 211\r\n")
        rows, columns = map(int, self.bus.sh("stty size", TTY=True).stdout.split())
        self.assertTrue(rows > 0 and columns > 0, "without being asked for a terminal of some size is useful")

    def test_term(self):
        self.assertEqual(self.bus.sh("echo $TERM", TTY=True, Term="vt100").stdout, b"vt100\r\n")
        self.assertRegex(self.bus.sh("echo $TERM", TTY=True).stdout, rb"^\S+\r\n$")
        self.assertEqual(self.bus.sh("echo $TERM", TTY=True, Term="vt100", Environment=["TERM=mine"]).stdout, b"mine\r\n")
        self.assertEqual(self.bus.sh("echo [$TERM]").stdout, b"[]\n", "no terminal, no TERM")

    def test_term_of_the_session_or_not(self):
        """The issue's order: TERM with a TTY comes before the options' Environment."""
        self.assertEqual(self.bus.exec(["env"], TTY=True, Term="linux").stdout.count(b"TERM="), 1)

    def test_results(self):
        for script, result, code, number in (("exit 0", "success", 0, 0), ("exit 77", "exit-code", 77, 0),
                                             ("kill -TERM $$", "signal", -1, 15), ("kill -HUP $$", "signal", -1, 1)):
            with self.subTest(script=script):
                self.assert_outcome(self.bus.sh(script, TTY=True), result, code, number)

    def test_a_command_that_is_not_there(self):
        before = settled_fds(self.reeve)
        self.assert_error("CommandNotFound", call=lambda: self.bus.exec(["/nonexistent"], TTY=True))
        self.assert_fds_back(before)

    def test_as_another_user(self):
        """Who gets a terminal may use it, and open it by its name."""
        outcome = self.bus.sh('echo a >/dev/tty; echo b >"$(tty)"; stat -c %U "$(tty)"', TTY=True, User="box")
        self.assertEqual(outcome.stdout, b"a\r\nb\r\nbox\r\n")

    def test_much_output(self):
        """Every byte, with and without the terminal's own changes; flow is the kernel's."""
        size = MIB
        outcome = self.bus.sh(f"stty -opost; exec {' '.join(self.reeve.payload('pattern', size))}", TTY=True, LogMaxBytes=8 * MIB,
                              OutputMaxBytes=4 * MIB)
        want = b"".join(b"%015d\n" % i for i in range(size // 16))
        self.assertTrue(outcome.stdout == want, (len(outcome.stdout), size))
        outcome = self.bus.sh("seq 1 50000", TTY=True, OutputMaxBytes=4 * MIB)
        self.assertTrue(outcome.stdout == b"".join(b"%d\r\n" % i for i in range(1, 50001)))

    def test_the_last_byte(self):
        for i in range(30):
            self.assertEqual(self.bus.sh(f"printf {i}END", TTY=True).stdout, b"%dEND" % i)

    def test_many_come_back(self):
        before = settled_fds(self.reeve)
        pending = [self.bus.exec_later(["sh", "-c", f"tty; exit {i}"], TTY=True) for i in range(50)]
        for i, p in enumerate(pending):
            self.assertEqual(p.result().exit_code, i)
        self.assert_fds_back(before)

    def test_follow(self):
        outcome = self.bus.sh("echo x; exit 4", TTY=True)
        with follow(self.bus, outcome.id, Format="json") as follower:
            told = story(parse_json(follower.wait_end()))
        self.assertEqual([(e["MESSAGE"], e["REEVE_STREAM"], e["PRIORITY"]) for e in told.records if e["REEVE_STREAM"] != b"note"],
                         [(b"x\r", b"stdout", b"6")])
        self.assertEqual(told.end["REEVE_EXIT_CODE"], b"4")


class TestTyping(TtyCase):

    def test_echo(self):
        job = self.bus.start(["cat"], TTY=True)
        self.type(job.id, b"hello\n")
        self.bus.wait_for_output(job.id, b"hello\r\nhello\r\n")

    def test_line_editing(self):
        job = self.bus.start_sh("stty -echo; echo ready; cat", TTY=True)
        self.bus.wait_for_output(job.id, b"ready\r\n")
        self.type(job.id, b"wrong\x15he11\x7f\x7fllo\n")
        self.bus.wait_for_output(job.id, b"ready\r\nhello\r\n")

    def test_interrupt(self):
        job = self.bus.start_sh("echo ready; exec sleep 1000", TTY=True)
        self.bus.wait_for_output(job.id, b"ready")
        self.type(job.id, b"\x03")
        _, details = self.bus.wait(job.id)
        self.assertEqual((details["Result"], details["Signal"]), ("signal", signal.SIGINT))

    def test_quit(self):
        job = self.bus.start_sh("ulimit -c 0; echo ready; exec sleep 1000", TTY=True)
        self.bus.wait_for_output(job.id, b"ready")
        self.type(job.id, b"\x1c")
        self.assertEqual(self.bus.wait(job.id)[1]["Signal"], signal.SIGQUIT)

    def test_end_of_file(self):
        """On a terminal it is a character: who reads next may read on."""
        job = self.bus.start_sh("stty -echo; echo ready; cat; echo between; cat; echo end; exit 6", TTY=True)
        self.bus.wait_for_output(job.id, b"ready")
        self.assertEqual(write_input(self.bus, job.id, b"one\n", True), 4)
        self.bus.wait_for_output(job.id, b"one\r\nbetween\r\n")
        self.assertEqual(write_input(self.bus, job.id, b"two\n", False), 4)
        self.bus.wait_for_output(job.id, b"two\r\n")
        self.assertEqual(write_input(self.bus, job.id, b"", True), 0)
        self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 6)
        self.assertEqual(self.bus.output(job.id)[0], b"ready\r\none\r\nbetween\r\ntwo\r\nend\r\n")

    def test_end_of_file_is_the_terminals_own_character(self):
        job = self.bus.start_sh("stty -echo eof ^G; echo ready; cat; echo end", TTY=True)
        self.bus.wait_for_output(job.id, b"ready")
        write_input(self.bus, job.id, b"x\n", True)
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[0], b"ready\r\nx\r\nend\r\n")

    def test_no_end_of_file_character(self):
        """A terminal that was told to have none cannot send it; that is said, not passed over."""
        job = self.bus.start_sh("stty eof undef; echo ready; exec sleep 1000", TTY=True)
        self.bus.wait_for_output(job.id, b"ready")
        self.assert_error("NotSupported", call=lambda: write_input(self.bus, job.id, b"", True))

    def test_all_bytes_through_a_raw_terminal(self):
        data = bytes(range(256)) * 4
        job = self.bus.start_sh(f"stty raw -echo; echo ready; head -c {len(data)}", TTY=True)
        self.bus.wait_for_output(job.id, b"ready\n")
        self.type(job.id, data)
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[0], b"ready\n" + data)

    def test_a_job_that_does_not_read(self):
        """How much was taken is exact here, too, and PID 1 does not wait."""
        data = os.urandom(MIB)
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"stty raw -echo; echo ready; {gate.read}; head -c {len(data)} | md5sum", TTY=True)
            self.bus.wait_for_output(job.id, b"ready")
            with Stopwatch() as watch:
                accepted = write_input(self.bus, job.id, data)
                self.assertEqual(self.bus.sh("exit 3").exit_code, 3)
            self.assertLess(watch.seconds, 10)
            self.assertLess(accepted, len(data))
            gate.open()
            write_all_input(self.bus, job.id, data[accepted:])
        self.bus.wait(job.id)
        self.assertEqual(self.bus.output(job.id)[0].split()[1].decode(), hashlib.md5(data).hexdigest())

    def test_a_finished_job(self):
        outcome = self.bus.sh("echo x", TTY=True)
        self.bus.wait(outcome.id)
        self.assert_error("InputClosed", call=lambda: write_input(self.bus, outcome.id, b"x"))

    def test_two_clients(self):
        """Both see all, both may type."""
        one, two = self.reeve.connect(), self.reeve.connect()
        job = one.start_sh("stty -echo; echo ready; while read line; do echo got $line; done; exit 8", TTY=True)
        with follow(one, job.id, Format="raw") as first, follow(two, job.id, Format="raw") as second:
            first.wait_for(b"ready")
            write_input(one, job.id, b"from one\n")
            second.wait_for(b"got from one\r\n")
            write_input(two, job.id, b"from two\n")
            first.wait_for(b"got from two\r\n")
            # One goes: the terminal stays.
            one.close()
            write_input(two, job.id, b"still here\n")
            second.wait_for(b"got still here\r\n")
            write_input(two, job.id, b"", True)
            self.assertEqual(second.wait_end(), b"ready\r\ngot from one\r\ngot from two\r\ngot still here\r\n")
        self.assertEqual(two.wait(job.id)[1]["ExitCode"], 8)
        two.close()


class TestResize(TtyCase):

    def test_the_job_is_told(self):
        job = self.bus.start_sh("trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done", TTY=True, TTYRows=24, TTYColumns=80)
        self.bus.wait_for_output(job.id, b"ready")
        self.resize(job.id, 50, 132)
        self.bus.wait_for_output(job.id, b"50 132\r\n")
        self.resize(job.id, 1, 65535)
        self.bus.wait_for_output(job.id, b"1 65535\r\n")

    def test_not_a_tty(self):
        for options in ({}, {"StandardInput": "pipe"}):
            job = self.bus.start(["sleep", "1000"], **options)
            self.assert_error("NotATTY", call=lambda job=job: self.resize(job.id, 24, 80))
        finished = self.bus.sh("true")
        self.bus.wait(finished.id)
        self.assert_error("NotATTY", call=lambda: self.resize(finished.id, 24, 80))
        self.assert_error("UnknownObject", call=lambda: self.resize("nosuch", 24, 80))

    def test_out_of_range(self):
        job = self.bus.start(["cat"], TTY=True, TTYRows=24, TTYColumns=80)
        for rows, columns in ((0, 0), (0, 80), (24, 0)):
            self.assert_error("InvalidArgs", call=lambda rows=rows, columns=columns: self.resize(job.id, rows, columns))
        self.assert_error("InvalidArgs", call=lambda: self.bus.job(job.id, "ResizeTTY", "uu", 24, 80))

    def test_a_terminal_that_has_gone(self):
        outcome = self.bus.sh("true", TTY=True)
        self.bus.wait(outcome.id)
        self.assert_error("NotATTY", call=lambda: self.resize(outcome.id, 24, 80))

    def test_options_without_a_terminal_are_named(self):
        for key, value in (("TTYRows", V("u", 1)), ("TTYRows", 24), ("TTYColumns", 80), ("Term", "vt100")):
            self.assert_error("InvalidArgs", key, call=lambda key=key, value=value: self.bus.exec(["true"], **{key: value}))


class TestJobControl(TtyCase):

    def check(self, job):
        """^Z, fg and ^C as everybody's fingers know them."""
        output = self.bus.wait_for_output(job.id, b"[ready]")
        self.assertNotIn(b"job control", output, "no complaint of the shell")
        self.after(job.id, b"sleep 1001\n", b"sleep 1001\r\n")
        sleep = eventually(lambda: [p for p in self.reeve.processes() if self.cmdline(p) == "sleep 1001"], 10, "it sleeps")[0]
        cursor = self.bus.property("LogCursor", job.id)
        self.after(job.id, b"\x1a", b"[ready]", cursor)
        state = [line for line in open(f"/proc/{sleep}/status", encoding="utf-8") if line.startswith("State")][0]
        self.assertIn("T (stopped)", state)
        self.after(job.id, b"fg\n", b"sleep 1001\r\n")
        eventually(lambda: "State:\tS" in open(f"/proc/{sleep}/status", encoding="utf-8").read(), 5, "it sleeps again")
        self.after(job.id, b"\x03", b"[ready]")
        self.after(job.id, b"echo status $?\n", b"status 130\r\n")
        self.assertEqual(self.bus.property("State", job.id), "running")
        self.type(job.id, b"exit 7\n")
        self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 7)

    def cmdline(self, pid):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as f:
                return f.read().replace("\0", " ").strip()
        except OSError:
            return ""

    def test_bash(self):
        self.check(self.shell())

    def test_dash(self):
        self.check(self.shell(("dash", "-i")))

    def test_end_of_file_ends_the_shell(self):
        job = self.shell()
        write_input(self.bus, job.id, b"", True)
        self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 0)

    def test_background_jobs_of_the_shell(self):
        job = self.shell()
        self.after(job.id, b"sleep 1002 &\n", b"[ready]")
        eventually(lambda: self.bus.property("TasksCurrent", job.id) == 2, 5, "two of them")
        self.after(job.id, b"jobs\n", b"Running")
        self.assertEqual(self.bus.stop({"Id": job.id}, TimeoutStopUSec=SEC // 2)[2], 0)

    def test_waiting_for_a_line_of_a_terminal(self):
        """The carriage return that the terminal adds is no hindrance to a pattern that ends where the line does."""
        job = self.bus.start_sh("echo listening on $((40 + 2)); exec sleep 1000", TTY=True)
        self.assertEqual(wait_until(self.bus, job.id, LogPattern="^listening on [0-9]+\r?$")[0], "LogPattern")


class TestKept(TtyCase):

    def test_a_child_keeps_the_terminal(self):
        """The leader ends; a child that does not mind the hangup writes on, and all of it is in the log."""
        with Gate(self.reeve) as gate:
            script = f"trap '' HUP; ({gate.read}; echo late; {gate.read}; echo latest) & echo early; exit 3"
            with Stopwatch() as watch:
                outcome = self.bus.sh(script, TTY=True)
            self.assertLess(watch.seconds, 10)
            self.assert_outcome(outcome, "exit-code", 3)
            self.assertEqual((outcome.stdout, outcome.details["TasksRemaining"] >= 1), (b"early\r\n", True))
            self.assertEqual(self.bus.property("State", outcome.id), "exited")
            gate.open()
            self.bus.wait_for_output(outcome.id, b"late\r\n")
            gate.open()
            self.bus.wait(outcome.id)
        self.assertEqual(self.bus.output(outcome.id)[0], b"early\r\nlate\r\nlatest\r\n")

    def test_one_in_a_session_of_its_own(self):
        with Gate(self.reeve) as gate:
            outcome = self.bus.sh(f"mkfifo /tmp/away; setsid sh -c 'echo >/tmp/away; {gate.read}; echo late' & read x </tmp/away; "
                                  "echo early; exit 3", TTY=True)
            self.assertEqual((outcome.exit_code, outcome.stdout), (3, b"early\r\n"))
            gate.open()
            self.bus.wait(outcome.id)
        self.assertEqual(self.bus.output(outcome.id)[0], b"early\r\nlate\r\n")

    def test_stop_of_the_keeper(self):
        before = settled_fds(self.reeve)
        outcome = self.bus.sh("trap '' HUP; sleep 1000 & echo early; exit 3", TTY=True)
        self.assertEqual(self.bus.property("State", outcome.id), "exited")
        self.assertEqual(self.bus.stop({"Id": outcome.id})[2], 0)
        self.assertEqual(self.bus.property("ExitCode", outcome.id), 3)
        self.assert_fds_back(before)

    def test_one_that_closes_and_opens_it_again(self):
        """No descriptor is open for a moment: that is no end of the output while the job lives."""
        with Gate(self.reeve) as gate:
            script = f'exec 9<"{gate.path}"; t=$(tty); echo one; exec 0<&- 1>&- 2>&-; read x <&9; echo two >"$t"; exit 4'
            job = self.bus.start_sh(script, TTY=True)
            self.bus.wait_for_output(job.id, b"one")
            gate.open()
            self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 4)
        out = self.bus.output(job.id)[0]
        self.assertTrue(re.fullmatch(rb"one\r\n(two\r\n)?", out), out)


class TestShutdown(FreshCase):

    def test_with_shells_open(self):
        box = self.box("--stop-timeout=1s")     # such a shell takes no notice of SIGTERM
        jobs = [box.bus.start(["bash", "--norc", "-i"], TTY=True, Environment=["PS1=[ready]"]) for _ in range(3)]
        for job in jobs:
            box.bus.wait_for_output(job.id, b"[ready]")
        with Stopwatch() as watch:
            self.assertEqual(box.stop(), 0)
        self.assertLess(watch.seconds, 10)
        box.no_leftovers()
