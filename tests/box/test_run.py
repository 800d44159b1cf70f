"""Session.Run: what a command leaves of directory, environment and umask is the session's from then on, in every shell."""

from client import MSEC, SEC
from session import SessionCase, each_shell


class Kept:
    """What is kept."""

    def test_directory(self):
        self.assertEqual(self.kept("cd /tmp").exit_code, 0)
        self.assertEqual(self.says("pwd"), "/tmp\n")
        self.assertEqual(self.bus.session_property(self.name, "WorkingDirectory"), "/tmp")
        self.kept("cd ../usr/bin")
        self.assertEqual(self.says("pwd"), "/usr/bin\n")

    def test_export(self):
        self.kept("export A=1 B='two words'; C=3; export C")
        self.assertEqual(self.says('echo "$A/$B/$C"'), "1/two words/3\n")
        self.kept("A=4")    # of an exported variable the new value counts
        self.assertEqual(self.variable("A"), "4")

    def test_unset(self):
        self.kept("export A=1 B=2")
        self.kept("unset A")
        self.assertIsNone(self.variable("A"))
        self.assertEqual(self.variable("B"), "2")
        self.assertNotIn("A", self.bus.session_property(self.name, "EnvironmentNames"))

    def test_unset_of_what_the_container_gave(self):
        self.kept("unset PATH")
        self.assertNotIn("PATH", self.bus.session_property(self.name, "EnvironmentNames"))
        # A job has one all the same: the default.
        self.assertEqual(self.bus.exec(["sh", "-c", "echo $PATH"], Session=self.name).stdout,
                         b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n")

    def test_umask(self):
        self.kept("umask 027")
        self.assertEqual(int(self.says("umask"), 8), 0o27)
        self.assertEqual(self.says("rm -f /tmp/masked; : >/tmp/masked; stat -c %a /tmp/masked"), "640\n")
        self.kept("umask 0")
        self.assertEqual(int(self.says("umask"), 8), 0)
        self.kept("umask 777")
        self.assertEqual(int(self.says("umask"), 8), 0o777)

    def test_all_at_once_and_over_many_runs(self):
        for i in range(10):
            self.kept(f"mkdir -p /tmp/deep/{i} && cd /tmp/deep/{i} && export V{i}=x{i} && umask 0{i % 8}")
            self.assertEqual(self.says(f'echo "$PWD $V0 $V{i}"; umask').split(),
                             [f"/tmp/deep/{i}", "x0", f"x{i}", self.says("umask").strip()])
        self.assertEqual(int(self.says("umask"), 8), 1)

    def test_when_it_fails(self):
        for i, (ending, code) in enumerate((("exit 3", 3), ("false", 1), ("(exit 7)", 7), ("nosuchcommand", 127), ("/etc/passwd", 126),
                                            ("exit 300", 44), ("false; exit", 1), ("set -e; false; exit 9", 1), ("sh -c 'exit 255'", 255),
                                            ("set -e; (exit 4); exit 9", 4), ("f() { exit 6; }; f; exit 9", 6))):
            with self.subTest(ending=ending):
                outcome = self.kept(f"mkdir -p /tmp/f{i}; cd /tmp/f{i}; export N={i}; umask 0{i % 7}; {ending}")
                self.assert_outcome(outcome, "exit-code", code)
                self.assertEqual(self.directory(), f"/tmp/f{i}")
                self.assertEqual(self.variable("N"), str(i))
                self.assertEqual(int(self.says("umask"), 8), i % 7)

    def test_unset_variable_under_set_u(self):
        outcome = self.kept("cd /usr; export A=1; set -u; echo $NOSUCH; echo not reached")
        self.assertNotEqual(outcome.exit_code, 0)
        self.assertEqual((outcome.result, outcome.stdout), ("exit-code", b""))
        self.assertEqual((self.directory(), self.variable("A")), ("/usr", "1"))

    def test_a_signal_that_it_catches(self):
        outcome = self.kept("trap 'export CAUGHT=yes; exit 5' TERM; cd /usr; kill $$; sleep 10 & wait; exit 6")
        self.assert_outcome(outcome, "exit-code", 5)
        self.assertEqual((self.directory(), self.variable("CAUGHT")), ("/usr", "yes"))

    def test_trap_of_term(self):
        self.kept("trap '' TERM; cd /usr")
        self.assertEqual(self.directory(), "/usr")
        # Dispositions are not the session's: the next one dies of it again.
        self.assert_outcome(self.not_kept("kill $$"), "signal", signal=15)

    def test_its_streams_closed(self):
        for i, closing in enumerate(("exec 2>&-", "exec >&-", "exec <&-", "exec <&- >&- 2>&-", "exec >/dev/null 2>&1", "exec 2>&1",
                                     "exec >/tmp/other", "exec 3>/tmp/three 4>&3")):
            with self.subTest(closing=closing):
                outcome = self.kept(f"mkdir -p /tmp/c{i}; cd /tmp/c{i}; export C={i}; {closing}; (exit 4)")
                self.assert_outcome(outcome, "exit-code", 4)
                self.assertEqual((outcome.stdout, outcome.stderr), (b"", b""))
                self.assertEqual((self.directory(), self.variable("C")), (f"/tmp/c{i}", str(i)))

    def test_shell_options(self):
        """None of them hurts, none is kept."""
        for i, option in enumerate(("set -e", "set -u", "set -f", "set -C", "set -b", "set -eu", "IFS=,", "IFS=/", "IFS=abcdefgh0123456789",
                                    "set -- a b c", "LC_ALL=C", "cd .")):
            with self.subTest(option=option):
                self.kept(f"mkdir -p /tmp/o{i}; {option}; cd /tmp/o{i}; export O='{i} * ?'; umask 023")
                self.assertEqual((self.directory(), self.variable("O")), (f"/tmp/o{i}", f"{i} * ?"))
                self.assertEqual(int(self.says("umask"), 8), 0o23)
                self.assertEqual(self.says("false; echo $NOSUCH *.nothing $#"), "*.nothing 0\n")

    def test_allexport(self):
        before = set(self.bus.session_property(self.name, "EnvironmentNames"))
        self.kept("set -a; A1=x; A2=y; cd /tmp")
        names = set(self.bus.session_property(self.name, "EnvironmentNames"))
        self.assertEqual(names - before - {"PWD", "OLDPWD"}, {"A1", "A2"})

    def test_path_that_holds_nothing(self):
        self.kept("export PATH=/nonexistent; cd /tmp; export A=1; umask 077")
        self.assertEqual(self.says('pwd; echo "$A $PATH"; umask').split()[:3], ["/tmp", "1", "/nonexistent"])
        self.kept("PATH=/usr/bin:/bin")
        self.assertEqual(self.says("ls -d /tmp"), "/tmp\n")

    def test_functions_by_the_names_of_commands(self):
        outcome = self.kept("pwd() { echo /etc; }; umask() { echo 0000; }; env() { echo A=b; }; printf() { echo p; }; echo() { :; }; "
                            "cat() { exit 9; }; test() { return 1; }; read() { return 1; }; kill() { :; }; true() { return 5; }; "
                            "cd /tmp; command umask 027; export A=1")
        self.assertEqual((outcome.exit_code, outcome.stdout, outcome.stderr), (0, b"", b""))
        self.assertEqual(self.directory(), "/tmp")
        self.assertEqual(int(self.says("umask"), 8), 0o27)
        self.assertEqual(self.variable("A"), "1")

    def test_aliases_by_the_names_of_commands(self):
        outcome = self.kept("alias exec='echo exec' export='echo export' trap='echo trap' umask='echo umask' cd='echo cd' exit='echo exit' "
                            "command='echo command' set='echo set'\n\\cd /usr; \\export A=1; (\\exit 3)")
        self.assertEqual((outcome.exit_code, outcome.stdout, outcome.stderr), (3, b"", b""))
        self.assertEqual((self.directory(), self.variable("A")), ("/usr", "1"))

    def test_readonly(self):
        self.kept("readonly R=1; export R; cd /tmp")
        self.assertEqual(self.variable("R"), "1")
        self.kept("export R=2")
        self.assertEqual(self.variable("R"), "2")

    def test_by_another_user(self):
        name = self.open(User="box", WorkingDirectory="/tmp")
        self.assertEqual(self.bus.run(name, "id -u; cd /usr; export A=1; umask 077").stdout, b"4242\n")
        self.assertEqual(self.bus.run(name, "id -u; pwd; echo $A; umask").stdout.split()[:3], [b"4242", b"/usr", b"1"])
        outcome = self.run_it("cd /usr; export A=2", User="box")
        self.assertIs(outcome.details["StateKept"], True)
        self.assertEqual((self.directory(), self.variable("A")), ("/usr", "2"))


class NotKept:
    """What is not, and what the command's end makes of it."""

    def setUp(self):
        super().setUp()
        self.kept("cd /usr; export A=old; umask 022")

    def check_as_before(self):
        self.assertEqual(self.says('pwd; echo "$A"; umask').split(), ["/usr", "old", self.says("umask").strip()])
        self.assertEqual(int(self.says("umask"), 8), 0o22)
        self.assertEqual(self.bus.session_property(self.name, "WorkingDirectory"), "/usr")

    CHANGE = "cd /tmp; export A=new; umask 077; "

    def test_functions_aliases_and_variables(self):
        self.kept("f() { echo f; }; alias g='echo g'; H=h")
        for command in ("f", "g"):
            self.assertEqual(self.run_it(command).exit_code, 127)
        self.assertIsNone(self.variable("H"))
        self.assertNotIn("H", self.bus.session_property(self.name, "EnvironmentNames"))

    def test_subshells(self):
        self.kept("(cd /tmp; export A=1; umask 077; exit 3); echo $(cd /tmp; export A=2; umask 077); "
                  "cd /tmp | cat; sh -c 'cd /tmp; export A=3'; { cd /tmp; export A=4; } & wait")
        self.check_as_before()

    def test_a_subshell_that_fails_last(self):
        self.assertEqual(self.kept("(cd /tmp; export A=1; exit 3)").exit_code, 3)
        self.check_as_before()

    def test_exec(self):
        outcome = self.not_kept(self.CHANGE + "exec sh -c 'echo other; exit 7'")
        self.assert_outcome(outcome, "exit-code", 7)
        self.assertEqual(outcome.stdout, b"other\n")
        self.check_as_before()
        outcome = self.not_kept(self.CHANGE + "exec sleep 0.2")
        self.assert_outcome(outcome, "success")
        self.check_as_before()

    def test_exec_of_what_is_not_there(self):
        outcome = self.run_it(self.CHANGE + "exec /nonexistent")
        self.assert_outcome(outcome, "exit-code", 127)
        self.check_consistent(outcome)

    def check_consistent(self, outcome):
        """Where the contract leaves open whether the state was kept: either, but as it was said."""
        if outcome.details["StateKept"]:
            self.assertEqual(self.says('pwd; echo "$A"'), "/tmp\nnew\n")
            self.assertEqual(int(self.says("umask"), 8), 0o77)
        else:
            self.check_as_before()

    def test_signals(self):
        for number in (1, 2, 6, 9, 13, 14, 15):
            with self.subTest(signal=number):
                outcome = self.not_kept(self.CHANGE + f"kill -{number} $$; sleep 10")
                self.assertEqual((outcome.signal, outcome.exit_code), (number, -1))
                self.assertIn(outcome.result, ("signal", "core-dump"))
                self.check_as_before()

    def test_timeout(self):
        outcome = self.not_kept(self.CHANGE + "sleep 1000", RuntimeMaxUSec=300 * MSEC)
        self.assertEqual(outcome.result, "timeout")
        self.check_as_before()

    def test_timeout_of_one_that_leaves_in_order(self):
        outcome = self.not_kept(self.CHANGE + "trap 'exit 0' TERM; while :; do sleep 0.05; done", RuntimeMaxUSec=2 * SEC)
        self.assert_outcome(outcome, "timeout", 0)
        self.check_as_before()

    def test_timeout_of_a_deaf_one(self):
        outcome = self.not_kept(self.CHANGE + "trap '' TERM; while :; do sleep 0.05; done", RuntimeMaxUSec=2 * SEC,
                                TimeoutStopUSec=300 * MSEC)
        self.assert_outcome(outcome, "timeout", signal=9)
        self.check_as_before()

    def test_exit_trap_of_its_own(self):
        outcome = self.not_kept(self.CHANGE + "trap 'echo bye; exit 4' EXIT; echo hi")
        self.assert_outcome(outcome, "exit-code", 4)
        self.assertEqual(outcome.stdout, b"hi\nbye\n")
        self.check_as_before()

    def test_exit_trap_undone(self):
        outcome = self.run_it(self.CHANGE + "trap - EXIT; exit 3")
        self.assert_outcome(outcome, "exit-code", 3)
        self.check_consistent(outcome)

    def test_syntax_errors(self):
        for command in ("if", "echo 'unfinished", "echo $(", "fi", "{ echo", "case x in", 'echo "', "echo one; )"):
            for text in (command, f"echo first\n{self.CHANGE}\n{command}\necho last"):
                with self.subTest(text=text):
                    outcome = self.run_it(text)
                    self.assertEqual((outcome.result, outcome.signal), ("exit-code", 0))
                    self.assertNotEqual(outcome.stderr, b"")
                    self.assertNotIn(b"last", outcome.stdout)
                    if self.CHANGE in text:
                        self.check_consistent(outcome)
                    else:
                        self.check_as_before()
                    self.run_it("cd /usr; export A=old; umask 022")

    def test_limits_of_its_own(self):
        """What takes from the shell the means to tell: the exit code is still right."""
        for limit in ("ulimit -f 0", "ulimit -n 5", "ulimit -f 0; trap '' XFSZ"):
            with self.subTest(limit=limit):
                outcome = self.run_it(self.CHANGE + f"{limit}; (exit 3)")
                self.assert_outcome(outcome, "exit-code", 3)
                self.assertEqual((outcome.stdout, outcome.stderr), (b"", b""))
                self.check_consistent(outcome)
                self.run_it("cd /usr; export A=old; umask 022")

    def test_every_descriptor_closed(self):
        outcome = self.run_it(self.CHANGE + "for i in 3 4 5 6 7 8 9; do eval \"exec $i>&- $i<&-\"; done; (exit 3)")
        self.assert_outcome(outcome, "exit-code", 3)
        self.assertEqual((outcome.stdout, outcome.stderr), (b"", b""))
        self.check_consistent(outcome)

    def test_every_descriptor_written_to(self):
        """Whatever the command writes into what it may have inherited: it does no harm."""
        outcome = self.run_it(self.CHANGE + "for i in 3 4 5 6 7 8 9; do { eval \"echo junk >&$i\"; } 2>/dev/null; done; (exit 3)")
        self.assert_outcome(outcome, "exit-code", 3)
        self.assertEqual(outcome.stdout, b"")
        self.check_consistent(outcome)

    def test_environment_of_one_run(self):
        outcome = self.kept('echo "$A $B"', Environment=["A=once", "B=only"])
        self.assertEqual(outcome.stdout, b"once only\n")
        self.assertIsNone(self.variable("B"))
        self.check_as_before()

    def test_environment_of_one_run_that_the_command_changed(self):
        self.kept('export B="$B more"; unset C; export A', Environment=["A=once", "B=only", "C=x", "D=y"])
        self.assertEqual((self.variable("A"), self.variable("B"), self.variable("C"), self.variable("D")),
                         ("old", "only more", None, None))

    def test_unset_in_one_run_what_an_option_gave(self):
        self.kept("unset A", Environment=["A=once"])
        self.assertIsNone(self.variable("A"))

    def test_unset_environment_of_one_run(self):
        self.assertEqual(self.kept('echo "${A-none}"', UnsetEnvironment=["A"]).stdout, b"none\n")
        self.check_as_before()
        self.kept("export A=anew", UnsetEnvironment=["A"])
        self.assertEqual(self.variable("A"), "anew")

    def test_directory_of_one_run(self):
        self.assertEqual(self.kept("pwd", WorkingDirectory="/tmp").stdout, b"/tmp\n")
        self.check_as_before()
        self.assertEqual(self.kept("pwd", WorkingDirectory="bin").stdout, b"/usr/bin\n")
        self.check_as_before()
        self.assertEqual(self.kept("cd bin; pwd", WorkingDirectory="/usr").stdout, b"/usr/bin\n")
        self.assertEqual(self.directory(), "/usr/bin")

    def test_umask_of_one_run(self):
        self.assertEqual(int(self.kept("umask", UMask=0o77).stdout, 8), 0o77)
        self.check_as_before()
        self.kept("umask 007", UMask=0o77)
        self.assertEqual(int(self.says("umask"), 8), 0o07)

    def test_user_of_one_run(self):
        """Nor what it brings with it."""
        before = self.state()
        self.assertEqual(self.kept("id -u; echo $HOME", User="box").stdout, b"4242\n/home/box\n")
        self.assertEqual(self.state(), before)

    def test_term_and_job_names(self):
        before = set(self.bus.session_property(self.name, "EnvironmentNames"))
        self.kept("true")
        self.assertEqual(set(self.bus.session_property(self.name, "EnvironmentNames")) - {"PWD"}, before - {"PWD"})
        self.kept("cd /tmp; export NEW=1")
        self.assertEqual(set(self.bus.session_property(self.name, "EnvironmentNames")) - {"PWD", "OLDPWD"},
                         (before | {"NEW"}) - {"PWD", "OLDPWD"})


each_shell(globals(), Kept)
each_shell(globals(), NotKept)


# Speaks at the place where shells say what they leave, and never ends.
CHATTER = r"""
import os, re, socket, sys
words = open(f"/proc/{os.getppid()}/cmdline", "rb").read()
address = b"\0" + re.search(rb"unix:abstract=([^']+)", words).group(1)
said = []
for _ in range(200):
    said.append(socket.socket(socket.AF_UNIX))
    said[-1].connect(address)
print("here", file=open(sys.argv[1], "w"))
open(sys.argv[2]).readline()
"""


class TestManyVoices(SessionCase):

    def test_one_job_leaves_room_for_others(self):
        here, end = self.gate(), self.gate()
        with open(f"{self.reeve.shared}/chatter", "w", encoding="ascii") as f:
            f.write(CHATTER)
        pending = self.bus.run_later(self.open(), f"cd /usr; /usr/bin/python3 {f.name} {here.path} {end.path}; true")
        self.assertEqual(here.hear(), "here")
        self.assertIs(self.run_it("cd /usr").details["StateKept"], True)
        end.open()
        self.assertIs(pending.result().details["StateKept"], True)


class TestBashOnly(SessionCase):

    shell = "/bin/bash"

    def test_exported_functions(self):
        self.kept("f() { echo f; }; export -f f; export A=1")
        self.assertEqual(self.run_it("f").exit_code, 127)
        self.assertEqual([name for name in self.bus.session_property(self.name, "EnvironmentNames") if "f" in name and "%" in name], [])
        self.assertEqual(self.variable("A"), "1")

    def test_functions_by_the_names_of_special_commands(self):
        outcome = self.kept("cd /usr; for f in exec export trap unset set command builtin; do "
                            "eval \"$f() { echo $f; }\"; done; (exit 3)")
        self.assertEqual((outcome.exit_code, outcome.stdout, outcome.stderr), (3, b"", b""))
        self.assertEqual(self.directory(), "/usr")

    def test_no_process_left_to_make(self):
        """Then it ends as the shell says about that, nothing is kept, and the next has its processes again."""
        name = self.open(User="box", WorkingDirectory="/tmp", Shell="/bin/dash")
        outcome = self.bus.run(name, "cd /usr; ulimit -p 0; exit 3")
        self.assertNotEqual(outcome.exit_code, 0)
        self.assertIs(outcome.details["StateKept"], False)
        self.assertEqual(self.bus.run(name, "env pwd").stdout, b"/tmp\n")

    def test_shlvl(self):
        """It does not count the Runs."""
        self.assertEqual(len({self.says("echo $SHLVL") for _ in range(4)}), 1)

    def test_exported_shell_options(self):
        """They are the shell's own, and not kept; so nothing of ours is traced in the next Run."""
        self.kept("set -x; export SHELLOPTS BASHOPTS A=1")
        outcome = self.run_it("echo $A")
        self.assertEqual((outcome.stdout, outcome.stderr), (b"1\n", b""))
        self.assertEqual({"SHELLOPTS", "BASHOPTS"} & set(self.bus.session_property(self.name, "EnvironmentNames")), set())

    def test_posix_mode(self):
        self.kept("export POSIXLY_CORRECT=1; cd /tmp")
        self.kept("cd /usr; export A=1")
        self.assertEqual((self.directory(), self.variable("A")), ("/usr", "1"))

    def test_other_ways_of_leaving(self):
        for i, ending in enumerate(("set -o pipefail; false | true", "[[ -e /nonexistent ]]", "trap 'cd /etc' ERR; false",
                                    "trap 'B=2' DEBUG; B=1; (exit 1)", "declare -x V=1; (exit 1)", "shopt -s expand_aliases; (exit 1)",
                                    "set -E; set -T; (exit 1)", "enable -n printf; (exit 1)")):
            with self.subTest(ending=ending):
                self.assertEqual(self.kept(f"cd /usr; export N={i}; {ending}").exit_code, 1)
                self.assertEqual(self.variable("N"), str(i))

    def test_lastpipe_and_process_substitution(self):
        self.assertEqual(self.says("cat <(echo a) <(echo b); shopt -s lastpipe; echo /usr | read -r d; cd \"$d\""), "a\nb\n")
        self.assertEqual(self.directory(), "/usr")
