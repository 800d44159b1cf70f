"""The commands of units: what they are told in variables, what a failure of each does, and what they leave behind."""

from rig import eventually
from units import UnitsCase

SLEEP = "ExecStart=/bin/sleep 1000"
TOLD = "$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS"


class TestCommands(UnitsCase):

    def test_in_their_order(self):
        self.unit("all", *[f"{key}=" + self.note(f"{key} {i}") for key in ("ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost")
                           for i in (1, 2)], SLEEP)
        self.reload()
        self.start("all")
        self.assertEqual(self.said(), ["ExecStartPre 1", "ExecStartPre 2", "ExecStartPost 1", "ExecStartPost 2"])
        self.stop("all")
        self.assertEqual(self.said()[4:], ["ExecStop 1", "ExecStop 2", "ExecStopPost 1", "ExecStopPost 2"])
        self.assertEqual(self.active("all"), "inactive")

    def test_pre_fails(self):
        self.unit("bad", "ExecStartPre=" + self.note("one"), "ExecStartPre=" + self.sh("exit 4"), "ExecStartPre=" + self.note("two"),
                  "ExecStart=" + self.note("main"), "ExecStop=" + self.note("stop"), "ExecStopPost=" + self.note("post $SERVICE_RESULT"))
        self.unit("killed", "ExecStartPre=" + self.sh("kill -KILL $$"), SLEEP, "ExecStopPost=" + self.note("post2 $SERVICE_RESULT"))
        self.unit("gone", "ExecStartPre=/nonexistent", SLEEP)
        self.reload()
        self.assert_error("StartFailed", "exit-code", call=lambda: self.start("bad"))
        self.assertEqual(self.said(), ["one", "post exit-code"])
        self.assert_error("StartFailed", "signal", call=lambda: self.start("killed"))
        self.assertEqual(self.said()[2:], ["post2 signal"])
        self.assert_error("StartFailed", call=lambda: self.start("gone"))
        for name in ("bad", "killed", "gone"):
            self.assertEqual(self.active(name), "failed")
        self.assertTrue(any("ExecStartPre" in note for note in self.notes("bad")), self.notes("bad"))

    def test_pre_may_fail(self):
        self.unit("fine", "ExecStartPre=-/bin/false", "ExecStartPre=-/nonexistent", "ExecStartPre=-" + self.sh("kill -KILL $$"),
                  "ExecStartPost=-/bin/false", "ExecStart=/bin/sleep 1000", "ExecStop=-/bin/false", "ExecStopPost=-/bin/false")
        self.reload()
        self.start("fine")
        self.assertEqual(self.active("fine"), "active")
        self.stop("fine")
        self.assertEqual((self.active("fine"), self.state("fine")["Result"]), ("inactive", "success"))

    def test_main_may_fail(self):
        self.unit("fine", "Type=oneshot", "ExecStart=-/bin/false", "ExecStart=-/nonexistent", "ExecStart=" + self.note("last"))
        self.unit("simple", "ExecStart=-/bin/false", "Restart=on-failure")
        self.reload()
        self.start("fine")
        self.start("simple")
        self.assertEqual(self.said(), ["last"])
        self.wait("simple", "inactive", "success")

    def test_post_fails(self):
        """Then the main process is stopped again; ExecStop is not for what has not been up."""
        self.unit("bad", "ExecStart=/bin/sleep 1000", "ExecStartPost=" + self.sh("exit 4"), "ExecStop=" + self.note("stop"),
                  "ExecStopPost=" + self.note("post $SERVICE_RESULT"))
        self.reload()
        self.assert_error("StartFailed", "exit-code", call=lambda: self.start("bad"))
        self.assertEqual((self.active("bad"), self.said()), ("failed", ["post exit-code"]))
        self.assert_all_reaped()

    def test_what_they_are_told(self):
        self.unit("told", "ExecStartPre=" + self.note("pre [$MAINPID] [$SERVICE_RESULT]"),
                  "ExecStart=" + self.sh("echo $$ >>" + self.folder.diary + "; exec sleep 1000"),
                  "ExecStartPost=" + self.sh(f"until grep -q ^[0-9] {self.folder.diary}; do sleep 0.02; done; "
                                             f"echo post $MAINPID >>{self.folder.diary}"),
                  "ExecReload=" + self.note("reload $MAINPID [$SERVICE_RESULT]"),
                  "ExecStop=" + self.note("stop $MAINPID [$SERVICE_RESULT] [$EXIT_CODE$EXIT_STATUS]"),
                  "ExecStopPost=" + self.note(f"stop-post [$MAINPID] {TOLD}"))
        self.reload()
        self.start("told")
        pid = self.bus.property("PID", "told.service")
        self.assertEqual(self.said(), ["pre [] []", str(pid), f"post {pid}"])
        self.bus.manager("ReloadUnit", "s", "told.service")
        self.stop("told")
        said = self.said()[3:]
        self.assertEqual(said[0], f"reload {pid} []")
        self.assertEqual(said[1], f"stop {pid} [success] []")
        self.assertEqual(said[2].split("] ")[1], "success killed TERM")

    def test_how_it_ended(self):
        cases = {"clean": ("exit 0", "success exited 0", "inactive"), "code": ("exit 3", "exit-code exited 3", "failed"),
                 "signal": ("kill -KILL $$", "signal killed KILL", "failed"), "usr1": ("kill -USR1 $$", "signal killed USR1", "failed"),
                 "term": ("kill -TERM $$", "success killed TERM", "inactive"),
                 "hup": ("kill -HUP $$", "success killed HUP", "inactive"), "rt": ("kill -s 36 $$", "signal killed RTMIN+2", "failed")}
        for name, (script, _, _) in cases.items():
            self.unit(name, "LimitCORE=0", "ExecStart=" + self.sh(script), "ExecStopPost=" + self.note(f"{name} {TOLD}"))
        self.reload()
        for name, (_, told, state) in cases.items():
            with self.subTest(name=name):
                self.attempt(name)
                self.wait(name, state, told.split()[0])
                self.assertIn(f"{name} {told}", self.said(), self.notes(name))

    def test_the_last_commands_are_waited_for(self):
        """Also where the main process dies at any moment of its start."""
        names = [f"dies{i}" for i in range(20)]
        for i, name in enumerate(names):
            self.unit(name, "ExecStart=" + ("/bin/false" if i % 2 else self.sh("kill -KILL $$")),
                      "ExecStopPost=" + self.sh(f"sleep 0.1; echo {name} >>{self.folder.diary}"))
        self.reload()
        for name in names:
            self.later("StartUnit", name)
        for name in names:
            self.wait(name, "failed")
            self.assertIn(name, self.said())

    def test_a_command_that_is_cut_short(self):
        """What asks a daemon to end is no clean end of a command."""
        self.unit("steps", "Type=oneshot", "ExecStart=" + self.sh("kill -TERM $$"), "ExecStart=" + self.note("second"))
        self.unit("named", "Type=oneshot", "ExecStart=" + self.sh("kill -TERM $$"), "SuccessExitStatus=SIGTERM")
        self.unit("pre", "ExecStartPre=" + self.sh("kill -TERM $$"), SLEEP)
        self.unit("code", "ExecStartPre=" + self.sh("exit 3"), SLEEP, "SuccessExitStatus=3")
        self.reload()
        self.start("named")
        self.assertEqual(self.active("named"), "inactive")
        for name, result in (("steps", "signal"), ("pre", "signal"), ("code", "exit-code")):
            with self.subTest(name=name):
                self.assert_error("StartFailed", result, call=lambda: self.start(name))
                self.assertEqual((self.active(name), self.state(name)["Result"]), ("failed", result))
        self.assertEqual(self.said(), [])

    def test_what_counts_as_success(self):
        cases = {"code": ("SuccessExitStatus=3 7", "exit 7"), "name": ("SuccessExitStatus=TEMPFAIL", "exit 75"),
                 "signal": ("SuccessExitStatus=SIGUSR1", "kill -USR1 $$")}
        for name, (line, script) in cases.items():
            self.unit(name, line, "Restart=on-failure", "ExecStart=" + self.sh(script),
                      "ExecStopPost=" + self.note(f"{name} $SERVICE_RESULT"))
        self.unit("oneshot", "Type=oneshot", "SuccessExitStatus=3", "ExecStart=" + self.sh("exit 3"), "ExecStart=" + self.note("second"))
        self.reload()
        for name in cases:
            with self.subTest(name=name):
                self.start(name)
                self.wait(name, "inactive", "success")
                self.assertIn(f"{name} success", self.said())
        self.start("oneshot")
        self.assertIn("second", self.said())

    def test_stop_does_it_itself(self):
        """A main process that ExecStop has ended needs no signal, and one that it has not gets its own."""
        self.unit("polite", "ExecStart=" + self.sh(f'trap "exit 0" USR1; trap "echo term >>{self.folder.diary}" TERM; echo up; '
                                                   "while :; do sleep 0.02; done"),
                  "ExecStop=" + self.sh("kill -USR1 $MAINPID; while kill -0 $MAINPID; do sleep 0.02; done"))
        self.unit("not", "ExecStart=" + self.sh(
            f'trap "echo term >>{self.folder.diary}; exit 0" TERM; echo up; while :; do sleep 0.02; done'),
                  "ExecStop=/bin/false")
        self.reload()
        for name, said in (("polite", []), ("not", ["term"])):
            self.start(name)
            self.bus.wait_for_output(f"{name}.service", b"up\n")
            self.stop(name)
            self.assertEqual(self.said(), said)
        self.assertEqual((self.active("polite"), self.active("not")), ("inactive", "failed"))

    def test_stop_hangs(self):
        """Each of them within TimeoutStopSec."""
        self.unit("slow", SLEEP, "ExecStop=/bin/sleep 1000", "TimeoutStopSec=200ms", "ExecStopPost=" + self.note("post"))
        self.unit("slow-post", SLEEP, "ExecStopPost=/bin/sleep 1000", "TimeoutStopSec=200ms")
        self.reload()
        for name in ("slow", "slow-post"):
            self.start(name)
            self.stop(name)
            self.assertEqual((self.active(name), self.state(name)["Result"]), ("failed", "timeout"))
        self.assert_all_reaped()
        self.assertEqual(self.said(), ["post"])

    def test_reload(self):
        self.unit("able", SLEEP, "ExecReload=" + self.note("one"), "ExecReload=" + self.note("two"))
        self.unit("failing", SLEEP, "ExecReload=/bin/false", "ExecReload=" + self.note("never"))
        self.unit("unable", SLEEP)
        self.reload()
        reload = lambda name: self.bus.manager("ReloadUnit", "s", f"{name}.service")    # noqa: E731
        self.assert_error("InvalidArgs", call=lambda: reload("able"))
        for name in ("able", "failing", "unable"):
            self.start(name)
        reload("able")
        self.assertEqual(self.said(), ["one", "two"])
        self.assert_error("NotSupported", call=lambda: reload("unable"))
        with self.assertRaises(Exception):
            reload("failing")
        for name in ("able", "failing", "unable"):
            self.assertEqual(self.active(name), "active")
        self.assertEqual(self.said(), ["one", "two"])

    def test_what_they_leave_behind(self):
        """What a command leaves behind in a session of its own is the unit's, and ends with it."""
        for key in ("ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"):
            main = [SLEEP] if key != "ExecStart" else []
            self.unit(f"leaves-{key}", *main, f"{key}=" + self.sh("setsid -f sleep 999 </dev/null >/dev/null 2>&1"
                                                                  + ("; exec sleep 1000" if key == "ExecStart" else "")))
        self.reload()
        for key in ("ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"):
            name = f"leaves-{key}"
            with self.subTest(key=key):
                self.start(name)
                self.assertEqual(self.active(name), "active")
                if key == "ExecReload":
                    self.bus.manager("ReloadUnit", "s", f"{name}.service")
                self.stop(name)
                self.assertEqual(self.active(name), "inactive")
                self.assert_all_reaped()
                eventually(lambda: not self.reeve.scopes(), 30, lambda: self.reeve.scopes())

    def test_what_the_main_process_leaves_behind(self):
        for i, line in enumerate(("Type=simple", "Type=oneshot", "RemainAfterExit=yes")):
            self.unit(f"left{i}", line, "ExecStart=" + self.sh("setsid -f sleep 999 </dev/null >/dev/null 2>&1"))
        self.reload()
        for i in range(2):
            self.start(f"left{i}")
            self.wait(f"left{i}", "inactive", "success")
            self.assert_all_reaped()
        self.start("left2")
        self.assertEqual(self.active("left2"), "active")
        self.stop("left2")
        self.assert_all_reaped()

    def test_prefixes(self):
        self.unit("pre", "Type=oneshot", "Environment=A=1", 'ExecStart=:/bin/echo ${A} $A', 'ExecStart=/bin/echo ${A} $A $$A',
                  "ExecStart=@/bin/sh other -c 'echo $$0'", "ExecStart=/bin/echo a ; /bin/echo b \\; c", "User=nobody",
                  "ExecStart=+/usr/bin/id -u", "ExecStart=/usr/bin/id -u", "ExecStart=-:@/bin/sh zero -c 'echo $0; exit 1'",
                  'Environment="W=x  y" E=', 'ExecStart=/bin/echo $W "${W}" $E "${E}" z${A}z')
        self.assertEqual(self.reload(), [])
        self.start("pre")
        self.assertEqual(self.bus.output("pre.service")[0].decode().splitlines(),
                         ["${A} $A", "1 1 $A", "other", "a", "b ; c", "0", "65534", "zero", "x y x  y  z1z"])
