"""Session.Run against the shell itself: what `SHELL -c COMMAND` does is what Run does, to the last byte; the capture of
directory, environment and umask shows nowhere."""

import re

from client import MSEC
from rig import eventually
from session import SHELLS_OWN, SessionCase, each_shell

# Commands that say what they have to say on stdout, and whose stderr is empty or of their own making.
QUIET = (
    "", " ", "\n", "\n\n\n", "# a comment", "# a comment\necho after", "\necho newline first", "   echo blanks first",
    "#!/bin/false\necho hash bang", "echo a;", "echo a &&\necho b", "echo trailing # comment", "echo trailing\\\n newline", ":",
    "echo out; echo err >&2", "printf 'no newline'", "printf 'no newline' >&2", "printf '\\0\\1\\377'",
    "echo \"quotes 'in' quotes\"", "echo 'quotes \"in\" quotes'", "echo $# $*", "echo $?", "true", "false", "exit", "exit 0",
    "exit 1", "exit 255", "exit 256", "false; exit", "(exit 3)", "(exit 3); true", "! true", "true && false",
    "false || (exit 9)", "exit 3; echo no", "(exit 5) | true", "true | (exit 5)", "sh -c 'kill -9 $$'; exit $?",
    "set -e; false; echo no", "set -e; (exit 4); echo no", "set -e; false || true; echo yes",
    "set -e; f() { false; echo no; }; f; echo no", "f() { return 4; }; f", "set -f; echo *", "set -f; echo /*",
    "cd /; echo /us*", "cat", "cat; echo end", "read x; echo \"$?$x\"",
    "cat <<EOF\nhere $((1+1)) 'single' \"double\" \\$HOME\nEOF", "cat <<'EOF'\nhere $HOME `date` 'single' \"double\" \\\\\nEOF",
    "cat <<-EOF\n\ttabs\n\tEOF", "cat <<A; cat <<B\na\nA\nb\nB\necho after", "cat <<EOF\nunfinished\nEOF",
    "cat <<''\nto the empty line\n\necho after", "x='a\nb'; echo \"$x\"", "echo 'a\\nb'", "echo a\\\\b", "echo ä€𝄞",
    "for i in 1 2 3; do\necho $i\ndone", "case x in x) echo x;; esac", "if true\nthen echo yes\nfi", "f() {\necho f\n}\nf",
    "i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i", "echo $(echo $(echo nested))", "echo `echo back`",
    "set -- a 'b c'; echo $# \"$2\"", "sleep 0.05 & wait; echo done", "sleep 0.05 & wait $!; echo $?",
    "(echo a; echo b) | sort -r", "{ echo a; echo b; } | wc -l", "eval 'echo a; exit 4'", "eval exit 3",
    "trap 'echo t' USR1; kill -USR1 $$; echo after", "exec echo replaced", "exec sh -c 'exit 6'", "exec >&2; echo err",
    "exec 2>&1; echo err >&2", "exec >&-; true", "exec 2>&-; exit 5", "exec <&-; true", "exec <&-; exec >&-; exec 2>&-; exit 8",
    "ls /proc/self/fd; true", "ls /proc/self/fd | cat", "(ls /proc/self/fd; true)", "echo $(ls /proc/self/fd; true)",
    "ls /proc/self/fd & wait", "f() { ls /proc/self/fd; }; f", "nohup ls /proc/self/fd 2>/dev/null; true",
    "sh -c 'ls /proc/self/fd; true'; true", "kill -TERM $$", "kill -KILL $$", "kill -HUP $$",
    "trap '' TERM; kill -TERM $$; echo alive", "umask 077; umask", "unset HOME; echo \"${HOME-unset}\"", "readonly X=1; echo $X",
    "alias", "alias ll='ls -l'; alias ll", "ulimit -c; exit 2", "export -p | grep -c -i -e capture -e state",
    "exit 3 # and a comment", "exit 3\n# and a comment", "echo a; # comment '", "echo a # (",
)
# With complaints of the shell: "NAME: LINE: what".
LOUD = (
    "if", "fi", "echo 'unfinished", 'echo "unfinished', "echo $(", "echo before\nif", "echo before\n)\necho after", "case x in",
    "{ echo", "nosuchcommand", "/nonexistent", "/etc/passwd", "/etc", "nosuchcommand; exit 3", "exec nosuchcommand",
    "exec /nonexistent; echo no", "set -u; echo $NOSUCH; echo no", "cd /nonexistent", "cd /nonexistent || exit 4",
    "echo ${X?message}; echo no", "readonly R=1; R=2; echo no", "set -x; echo a; exit 3", "set -x; cd /tmp; export A=1; false",
    "set -x; f() { echo f; }; f; (exit 2)", "set -ex; true; false; echo no", "set -v; echo a", "set -v\necho a\nexit 3",
    "set -xv\necho a\nexit 3", "set -x\n:\nexit 0", "PS4='> '; set -x; true", "exit nonsense", "shift 5; echo $?",
    ". /nonexistent; echo no", "cat </nonexistent", "kill -0 999999", "umask 999", "echo a >&9", "\n\nnosuchcommand",
    "nosuchcommand\n\n\nnosuchcommand2", "\n\n\n)", "set -o nosuchoption; echo no",
)


class AsTheShell:
    """The same command by Exec of [shell, -c, command] in the same session, and by Run."""

    def reference(self, command, **options):
        return self.bus.exec([self.shell, "-c", command], Session=self.name, **options)

    def compare(self, command, convert=lambda text: text, **options):
        name = self.name
        due = self.reference(command, **options)
        got = self.bus.run(name, command, **options)
        # cd, export and umask of Run are kept: the next command begins anew.
        self.bus.close_session(name)
        self.name = self.open()
        for what in ("result", "exit_code", "signal", "stdout"):
            self.assertEqual(getattr(got, what), getattr(due, what), f"{what} of {command!r}; {got}")
        self.assertEqual(convert(got.stderr), convert(due.stderr), f"stderr of {command!r}")

    def test_quiet(self):
        for command in QUIET:
            with self.subTest(command=command):
                self.compare(command, lambda text: re.sub(rb"line \d+:  *\d+ Killed", b"line N: PID Killed", text))

    def shown(self, text):
        """Lines of stderr without the name that the shell goes by and the number of the line."""
        lines = []
        for line in text.decode("utf-8", "replace").splitlines():
            line = re.sub(r"^[\w/.-]+: (line )?\d+: ", "SHELL: ", line)
            line = re.sub(r"^[\w/.-]+: -c: (line \d+: )?", "SHELL: ", line)
            line = re.sub(r"^([\w/.-]+: [\w.]+): line \d+: ", r"\1: ", line)
            lines.append(re.sub(rf"^{self.shell}: ", "SHELL: ", line))
        return lines

    def without_words(self, text):
        """Of what goes before and after the command bash may show a word and the one line under "set -v"."""
        return [line for line in self.shown(text) if " " in line and "--session-report" not in line]

    def test_loud(self):
        for command in LOUD:
            with self.subTest(command=command):
                verbose = self.shell.endswith("bash") and re.match("set -x?v", command)
                self.compare(command, self.without_words if verbose else self.shown)

    def test_the_numbers_of_lines(self):
        """Where the shell says what is wrong in which line, that is the line of the command, or all count from 2."""
        def numbers(outcome):
            return [int(number) for number in re.findall(rb"(?:: line |: |^)(\d+)(?::|$)", outcome.stdout + outcome.stderr, re.M)]
        for command in ("nosuchcommand", "\n\nnosuchcommand", "echo a\n\n\nnosuchcommand; true", "echo $LINENO\n\necho $LINENO"):
            with self.subTest(command=command):
                due = numbers(self.reference(command))
                self.assertIn(numbers(self.run_it(command)), (due, [number + 1 for number in due]))

    def test_data_on_its_input(self):
        for command in ("cat", "read -r x; echo \"got $x\"; cat", "cat >/dev/null; exit 3", "wc -c", "head -n 1; true"):
            with self.subTest(command=command):
                self.compare(command, StandardInput="data", StandardInputData=b"first\nsecond\n" * 5000)

    def test_merged_output(self):
        self.compare("for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done", MergeOutput=True)

    def test_environment_of_children(self):
        """env says of Run what it says of Exec."""
        def env(outcome):
            found = dict(item.split(b"=", 1) for item in outcome.stdout.split(b"\0") if item)
            self.assertIn(b"REEVE_JOB", found)
            self.assertEqual(found[b"REEVE_JOB"].decode(), outcome.id)
            self.assertEqual(found[b"REEVE_SESSION"].decode(), self.name)
            return {key: value for key, value in found.items() if key.decode() not in SHELLS_OWN | {"REEVE_JOB"}}
        for command in ("env -0; true", "env -0 & wait", "(env -0; true)", "cd /tmp; export A=1; env -0; true"):
            with self.subTest(command=command):
                due, got = env(self.reference(command)), env(self.run_it(command))
                self.assertEqual(got, due)

    def test_variables_and_functions_of_the_shell(self):
        """Nothing of ours among what `set` lists, not a function, not an alias."""
        def names(outcome):
            return {name for name in re.findall(rb"^([A-Za-z_][A-Za-z_0-9]*)(?==|\s*\(\))", outcome.stdout, re.M)
                    if not name.startswith((b"BASH", b"REEVE_", b"PIPESTATUS"))}
        due, got = names(self.reference("set; true")), names(self.run_it("set; true"))
        self.assertEqual({name.decode() for name in got - due} - SHELLS_OWN, set())

    def test_descriptors_of_children(self):
        """They have 0, 1 and 2, and ls the folder that it reads; also those that outlive the command."""
        self.assertEqual(self.says("ls /proc/self/fd; true").split(), ["0", "1", "2", "3"])
        outcome = self.run_it("(sleep 0.3; ls /proc/self/fd; sleep 1000) & exit 3")
        self.assertEqual(outcome.exit_code, 3)
        self.assertEqual(self.bus.wait_for_output(outcome.id, b"3\n").split(), [b"0", b"1", b"2", b"3"])

    def test_background_processes_are_the_commands_own(self):
        """No helper stands beside the shell: it has no children that it did not make, and its parent is PID 1."""
        self.assertEqual(self.says("read -r c </proc/$$/task/$$/children; wait; jobs; echo \"[$c]$PPID\""), "[]1\n")

    def test_command_line_that_is_listed(self):
        """A person finds there what was asked for, and nothing else."""
        gate = self.gate()
        pending = self.bus.run_later(self.name, f"echo 'find me'; {gate.wait}")
        self.eventually_running(1)
        job, = self.bus.jobs(Session=self.name, Pattern="find me")
        self.assertEqual(job["Command"], [self.shell, "-c", f"echo 'find me'; {gate.wait}"])
        gate.open()
        self.assertEqual(pending.result().exit_code, 0)

    def test_long_commands(self):
        for size in (1000, 65536, 100000):
            command = "echo " + "x" * size + " | wc -c; cd /tmp; exit 3"
            outcome = self.kept(command)
            self.assertEqual((outcome.exit_code, outcome.stdout), (3, b"%d\n" % (size + 1)))
            self.assertEqual(self.directory(), "/tmp")

    def test_many_lines(self):
        outcome = self.kept("\n".join(f"export L{i}={i}" for i in range(3000)) + "\nexit 4")
        self.assertEqual((outcome.exit_code, outcome.stderr), (4, b""))
        self.assertEqual(self.variable("L2999"), "2999")

    def test_output_after_the_capture_would_be_too_late(self):
        """Much output in the end: all of it there, and nothing mixed in."""
        outcome = self.kept("cd /tmp; head -c 900000 /dev/zero | tr '\\0' o; head -c 900000 /dev/zero | tr '\\0' e >&2",
                            OutputMaxBytes=1 << 20)
        self.assertEqual((outcome.stdout, outcome.stderr), (b"o" * 900000, b"e" * 900000))

    def test_closed_output_while_it_writes(self):
        outcome = self.kept("cd /tmp; exec >&-; echo lost; exit 3")
        self.assertEqual((outcome.exit_code, outcome.stdout), (3, b""))
        self.assertEqual(self.directory(), "/tmp")

    def test_time_of_one_that_runs_out(self):
        """After each way of being ended the next Run is what it was."""
        for command in ("sleep 1000", "while :; do :; done", "cat /dev/zero >/dev/null", "exec sleep 1000",
                        "trap '' TERM HUP INT; sleep 1000", "sleep 1000 & wait", "kill -STOP $$",
                        "(trap '' TERM; sleep 1000) & wait", "yes"):
            with self.subTest(command=command):
                outcome = self.run_it(f"cd /tmp; export A=1; {command}", RuntimeMaxUSec=200 * MSEC,
                                      TimeoutStopUSec=200 * MSEC)
                self.assertEqual((outcome.result, outcome.details["StateKept"]), ("timeout", False))
                self.assertEqual(self.says('pwd; echo "${A-none}"'), "/\nnone\n")
                eventually(lambda: not self.living(), 5, "SIGKILL has come to what was left")


each_shell(globals(), AsTheShell)


class TestDefaultShell(SessionCase):

    def test_it_is_sh(self):
        self.assertEqual(self.bus.session_property(self.name, "Shell"), "/bin/sh")
        self.assertEqual(self.says("readlink /proc/$$/exe"), "/usr/bin/dash\n")

    def test_bash(self):
        self.assertEqual(self.bus.run(self.open(Shell="/bin/bash"), "echo ${BASH_VERSION:+bash} $'a\\tb'").stdout, b"bash a\tb\n")

    def test_a_shell_that_is_not_there(self):
        """Said when the session is opened, or by each Run; and it wedges nothing."""
        try:
            name = self.open(Shell="/nonexistent/sh")
        except Exception as e:      # pylint: disable=broad-except
            self.assertIn(getattr(e, "name", ""), ("org.reeve1.Error.CommandNotFound", "org.freedesktop.DBus.Error.InvalidArgs"))
            return
        for _ in range(2):
            self.assert_error("CommandNotFound", "/nonexistent/sh", call=lambda: self.bus.run(name, "echo hi"))

    def test_a_shell_that_is_none(self):
        """A program that takes no commands: its exit status is the answer, the session is as before."""
        outcome = self.bus.run(self.open(Shell="/bin/false"), "echo hi")
        self.assert_outcome(outcome, "exit-code", 1)
        self.assertIs(outcome.details["StateKept"], False)
