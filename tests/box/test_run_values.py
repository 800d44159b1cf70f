"""Session.Run with the values and the directories that shells and people find difficult."""

from client import V
from session import SessionCase, each_shell

VALUES = {
    "EMPTY": "", "SPACE": " ", "SPACES": "  two  words  ", "NEWLINE": "\n", "LINES": "one\ntwo\n\nfour", "TRAILING": "x\n\n\n",
    "LEADING": "\n\nx", "EQUALS": "a=b=c", "EQUAL": "=", "SINGLE": "it's", "DOUBLE": 'say "hi"', "BOTH": "'\"'\"",
    "BACKSLASH": "\\", "BACKSLASHES": "a\\nb\\\\c\\", "DOLLAR": "$HOME $(id) ${x} $$", "BACKQUOTE": "`id`", "TAB": "\t\tx\t",
    "RETURN": "a\r\nb\r", "ESCAPE": "\x1b[31mred\x1b[0m", "BELL": "\x07\x01\x7f", "UNICODE": "ä€𝄞 \u202e \ufeff",
    "GLOB": "* ? [a-z] ~ {1..3}", "SEMICOLON": "; exit 9 & | > < ( ) #", "HASH": "# not a comment",
    "EXPORT": "export A='1'\nexport B=2", "ASSIGN": "x\nA=1\nPATH=/tmp", "FUNCTION": "() { :; }", "PERCENT": "%s %d %%",
    "DASH": "-n", "BANG": "!x !! ^x^y",
}


class Values:
    """What an environment may hold."""

    def check(self, values):
        for key, value in values.items():
            outcome = self.run_it(f'printf %s "${key}"')
            self.assertEqual((outcome.stdout, outcome.stderr, outcome.exit_code), (value, b"", 0), key)

    def test_set_from_outside(self):
        self.bus.set_environment(self.name, [f"{key}={value}" for key, value in VALUES.items()])
        values = {key: value.encode() for key, value in VALUES.items()}
        self.check(values)
        # A Run went over each of them; they are what they were, and Exec has them too.
        found = dict(item.split(b"=", 1) for item in self.bus.exec(["env", "-0"], Session=self.name).stdout.split(b"\0") if item)
        self.assertEqual({key: found.get(key.encode()) for key in VALUES}, values)

    def test_set_by_a_command(self):
        for key, value in VALUES.items():
            self.kept(f"export {key}='" + value.replace("'", "'\\''") + "'")
        self.check({key: value.encode() for key, value in VALUES.items()})
        self.assertTrue(set(VALUES) <= set(self.bus.session_property(self.name, "EnvironmentNames")))

    def test_changed_by_a_command(self):
        self.bus.set_environment(self.name, [f"{key}={value}" for key, value in VALUES.items()])
        self.kept("; ".join(f'{key}="<${key}>"' for key in VALUES))
        self.check({key: f"<{value}>".encode() for key, value in VALUES.items()})

    def test_bytes_that_are_no_text(self):
        """D-Bus strings could not hold them; an environment can."""
        self.kept("export B=\"$(printf '\\377\\001\\200x')\" C=text")
        self.check({"B": b"\xff\x01\x80x", "C": b"text"})
        self.assertIn("B", self.bus.session_property(self.name, "EnvironmentNames"))
        self.kept("cd /tmp")
        self.check({"B": b"\xff\x01\x80x"})

    def test_one_large_value(self):
        size = 120000
        self.kept(f"export BIG=\"$(head -c {size} /dev/zero | tr '\\0' b)\"; cd /tmp")
        self.assertEqual(self.says("echo ${#BIG}; pwd"), f"{size}\n/tmp\n")
        self.kept("BIG=\"${BIG}more\"")
        self.assertEqual(self.says("echo ${#BIG}"), f"{size + 4}\n")
        self.assertEqual(self.bus.exec(["sh", "-c", "echo ${#BIG}"], Session=self.name).stdout, b"%d\n" % (size + 4))

    def test_128_kib_of_many(self):
        """64 variables of 2 KiB and more, with newlines: all there, after Runs that change one of them."""
        self.kept("i=0; p=\"$(head -c 2048 /dev/zero | tr '\\0' '\\n'; echo x)\"; "
                  "while [ $i -lt 70 ]; do export \"W$i=$i$p\"; i=$((i+1)); done; cd /tmp")
        script = "n=0; i=0; while [ $i -lt 70 ]; do eval \"v=\\${#W$i}\"; n=$((n+v)); i=$((i+1)); done; echo $n; pwd"
        due = sum(2049 + len(str(i)) for i in range(70))
        self.assertEqual(self.says(script), f"{due}\n/tmp\n")
        self.kept("W0=changed")
        self.assertEqual(self.says(script), f"{due - 2050 + 7}\n/tmp\n")

    def test_thousands_of_names(self):
        self.kept("i=0; while [ $i -lt 4000 ]; do export N$i=$i; i=$((i+1)); done")
        self.assertEqual(self.says("echo $N0 $N2000 $N3999; env | grep -c '^N[0-9]*='"), "0 2000 3999\n4000\n")
        self.kept("i=0; while [ $i -lt 4000 ]; do unset N$i; i=$((i+1)); done")
        self.assertEqual([name for name in self.bus.session_property(self.name, "EnvironmentNames") if name[0] == "N"], [])

    def test_more_than_a_program_can_be_given(self):
        """A command that leaves an environment with which nothing could be started must not wedge the session."""
        for size, count in ((3000000, 1), (100000, 40)):
            with self.subTest(size=size):
                outcome = self.run_it(f"v=\"$(head -c {size} /dev/zero | tr '\\0' x)\"; i=0; "
                                      f"while [ $i -lt {count} ]; do export \"X$i=$v\"; i=$((i+1)); done; exit 3")
                self.assertEqual(outcome.exit_code, 3)
                self.assertEqual(self.says("echo next"), "next\n")
                self.assertEqual(self.bus.sh("echo exec", Session=self.name).stdout, b"exec\n")

    def test_environment_of_the_options(self):
        values = [f"{key}={value}" for key, value in VALUES.items()]
        outcome = self.kept("env -0", Environment=values)
        self.assertTrue({value.encode() for value in values} <= set(outcome.stdout.split(b"\0")))
        self.assertEqual(set(VALUES) & set(self.bus.session_property(self.name, "EnvironmentNames")), set())


class Directories:
    """Where a session may be."""

    def there(self, directory):
        """cd to a new directory of that name, given as shell words in quotes; the next Run and Exec are there."""
        quoted = "'" + directory.replace("'", "'\\''") + "'"
        self.kept(f"rm -rf -- {quoted}; mkdir -p -- {quoted} && cd -- {quoted}")
        self.assertEqual(self.says("pwd"), directory + "\n")
        self.assertEqual(self.bus.exec(["/bin/pwd"], Session=self.name).stdout.decode(), directory + "\n")
        self.assertEqual(self.bus.session_property(self.name, "WorkingDirectory"), directory)
        self.kept("true")
        self.assertEqual(self.says("pwd"), directory + "\n")

    def test_names(self):
        for name in ("with space", "  spaces  ", "new\nline", "trailing newline\n", "\n", "quote's", 'double"', "back\\slash", "$HOME",
                     "`id`", "*",
                     "ä€𝄞", "-n", "a=b", ";exit 9", "x (deleted)", "tab\t", "x" * 255, "#", "~", "~root", ".hidden", "..."):
            with self.subTest(name=name):
                self.there(f"/tmp/d/{name}")

    def test_deep(self):
        self.there("/tmp/" + "/".join(["deep" * 10] * 60))

    def test_bytes_that_are_no_text(self):
        """The next Run is there; and no property, list or signal breaks of it."""
        self.kept("d=\"/tmp/$(printf 'x\\377y')\"; mkdir -p \"$d\" && cd \"$d\"")
        self.assertEqual(self.run_it("/bin/pwd").stdout, b"/tmp/x\xffy\n")
        self.assertIn("WorkingDirectory", self.bus.session_properties(self.name))
        self.assertIn(self.name, self.bus.sessions())
        self.bus.managed_objects()
        self.bus.jobs(Session=self.name)
        self.assertEqual(self.kept("cd /usr").exit_code, 0)
        self.assertEqual(self.directory(), "/usr")

    def test_symlinks(self):
        self.kept("mkdir -p /tmp/real/sub; ln -sfn /tmp/real /tmp/link; cd /tmp/link")
        self.assertEqual(self.says("pwd -P"), "/tmp/real\n")
        self.assertIn(self.bus.session_property(self.name, "WorkingDirectory"), ("/tmp/link", "/tmp/real"))
        self.kept("cd sub")
        self.assertEqual(self.says("pwd -P"), "/tmp/real/sub\n")

    def test_symlinks_by_their_name(self):
        """As in a shell that lives on: pwd says the way that was taken, and cd .. goes it back."""
        self.kept("mkdir -p /tmp/elsewhere/r; ln -sfn /tmp/elsewhere/r /tmp/l; cd /tmp/l")
        self.assertEqual(self.says("pwd"), "/tmp/l\n")
        self.kept("cd ..")
        self.assertEqual(self.says("pwd"), "/tmp\n")

    def test_a_link_by_property(self):
        self.kept("mkdir -p /tmp/real2; ln -sfn /tmp/real2 /tmp/link2")
        self.bus.set_directory(self.name, "/tmp/link2")
        self.assertEqual(self.says("pwd -P"), "/tmp/real2\n")

    def gone(self):
        self.kept("rm -rf /tmp/gone; mkdir /tmp/gone; cd /tmp/gone")
        self.bus.sh("rmdir /tmp/gone")

    def check_gone(self):
        self.bus.sh("rm -f /tmp/ran")
        for _ in range(2):
            self.assert_error("BadWorkingDirectory", "/tmp/gone", call=lambda: self.run_it("touch /tmp/ran"))
        self.assert_error("BadWorkingDirectory", "/tmp/gone", call=lambda: self.bus.exec(["true"], Session=self.name))
        self.assert_error("BadWorkingDirectory", "/tmp/gone", call=lambda: self.bus.start(["true"], Session=self.name))
        self.assertEqual(self.bus.session_property(self.name, "WorkingDirectory"), "/tmp/gone")
        self.assertEqual(self.bus.sh("rm /tmp/ran").exit_code, 1)

    def test_gone_until_the_property_is_set(self):
        self.gone()
        self.check_gone()
        self.bus.set_directory(self.name, "/usr")
        self.assertEqual(self.directory(), "/usr")

    def test_gone_until_it_is_there_again(self):
        self.gone()
        self.check_gone()
        self.bus.sh("mkdir /tmp/gone")
        self.assertEqual(self.directory(), "/tmp/gone")

    def test_gone_until_a_command_goes_elsewhere(self):
        self.gone()
        self.assertEqual(self.run_it("pwd", WorkingDirectory="/").stdout, b"/\n")
        self.check_gone()
        self.assertEqual(self.run_it("cd /usr", WorkingDirectory="/").exit_code, 0)
        self.assertEqual(self.directory(), "/usr")

    def test_gone_by_its_own_hand(self):
        self.run_it("rm -rf /tmp/gone; mkdir /tmp/gone; cd /tmp/gone; rmdir /tmp/gone")
        self.check_gone()

    def test_gone_and_a_file_in_its_place(self):
        self.gone()
        self.bus.sh("touch /tmp/gone")
        self.assert_error("BadWorkingDirectory", "/tmp/gone", call=lambda: self.run_it("true"))
        self.bus.sh("rm /tmp/gone")

    def test_gone_while_another_waits_for_its_turn(self):
        gate = self.gate()
        self.kept("rm -rf /tmp/gone; mkdir /tmp/gone; cd /tmp/gone")
        first = self.bus.run_later(self.name, f"rmdir /tmp/gone; {gate.wait}")
        second, third = self.bus.run_later(self.name, "true"), self.bus.run_later(self.name, "cd /usr", WorkingDirectory="/")
        fourth = self.bus.run_later(self.name, "pwd")
        self.eventually_running(1)
        gate.open()
        self.assertEqual(first.result().exit_code, 0)
        self.assert_error("BadWorkingDirectory", call=second.result)
        self.assertEqual((third.result().exit_code, fourth.result().stdout), (0, b"/usr\n"))

    def test_closed_to_the_user(self):
        self.bus.sh("mkdir -p /tmp/shut; chmod 700 /tmp/shut")
        name = self.open(User="box", WorkingDirectory="/tmp")
        self.bus.set_directory(name, "/tmp/shut")
        self.assert_error("BadWorkingDirectory", "/tmp/shut", call=lambda: self.bus.run(name, "true"))
        self.bus.set_directory(name, "/tmp")
        self.assertEqual(self.bus.run(name, "pwd").stdout, b"/tmp\n")


each_shell(globals(), Values)
each_shell(globals(), Directories)


class TestScripts(SessionCase):
    """The command itself."""

    def test_longer_than_an_argument_may_be(self):
        """More than 128 KiB of script: run, or refused; either way the session is well."""
        for size in (131072, 200000, 2000000):
            command = "cd /tmp\n" + "# filling\n" * (size // 10) + "echo end\n"
            pending = self.bus.run_later(self.name, command)
            self.assertTrue(pending.event.wait(30), size)
            if pending.error:
                self.assertIn(pending.error.name.split(".")[-1], ("LimitsExceeded", "InvalidArgs", "StartFailed"))
            else:
                self.assertEqual(pending.result().stdout, b"end\n")
            self.bus.set_directory(self.name, "/")
            self.assertEqual(self.says("pwd"), "/\n")

    def test_input_is_not_the_script(self):
        self.assertEqual(self.says("cat; echo end"), "end\n")
        outcome = self.run_it("cat; cd /tmp", StandardInput="data", StandardInputData=b"echo not a command\n")
        self.assertEqual(outcome.stdout, b"echo not a command\n")

    def test_dollar_zero(self):
        outcome = self.run_it("cd /tmp; exec \"$0\" -c 'echo again'")
        self.assertEqual((outcome.exit_code, outcome.stdout), (0, b"again\n"))

    def test_it_finds_its_job(self):
        outcome = self.run_it('echo "$REEVE_JOB $REEVE_SESSION"')
        self.assertEqual(outcome.stdout.decode(), f"{outcome.id} {self.name}\n")
        outcome = self.run_it('export REEVE_JOB=x REEVE_SESSION=y')
        self.assertEqual(self.run_it('echo "$REEVE_SESSION"').stdout.decode(), f"{self.name}\n")

    def test_locales(self):
        self.kept("export LC_ALL=C.UTF-8 LANG=C; cd /tmp")
        self.assertEqual(self.says("echo $LC_ALL; pwd"), "C.UTF-8\n/tmp\n")

    def test_working_directory_of_the_wrong_type(self):
        self.assert_error("InvalidArgs", "WorkingDirectory", call=lambda: self.run_it("true", WorkingDirectory=V("ay", b"/")))


class TestNoRoom(SessionCase):

    options = {"prepare": "/bin/mount -o remount,size=8m /tmp && /bin/mount -o remount,size=8m /run"}

    def test_full_file_systems(self):
        """The capture needs no room in any of them."""
        self.kept("dd if=/dev/zero of=/tmp/full bs=1M 2>/dev/null; dd if=/dev/zero of=/run/full bs=1M 2>/dev/null; export A=1; cd /usr")
        try:
            self.kept("export B=2; cd /tmp")
            self.assertEqual(self.says('echo "$A$B"; pwd'), "12\n/tmp\n")
        finally:
            self.bus.exec(["rm", "-f", "/tmp/full", "/run/full"], WorkingDirectory="/")

    def test_read_only_root(self):
        """Nor is anything written there."""
        self.bus.sh("mkdir /tmp/empty; mount --bind /tmp/empty /tmp/empty && mount -o remount,bind,ro /tmp/empty")
        try:
            self.kept("cd /tmp/empty; export C=3")
            self.assertEqual(self.says('echo "$C"; pwd; ls -A'), "3\n/tmp/empty\n")
        finally:
            self.bus.sh("umount /tmp/empty")
