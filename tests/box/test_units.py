"""Units: what StartUnit, StopUnit, RestartUnit and ListUnits do with each kind of unit, and with what is wrong."""

import time

from client import job_path
from rig import eventually
from units import UnitsCase

SLEEP = "ExecStart=/bin/sleep 1000"


class TestKinds(UnitsCase):

    def test_simple(self):
        self.unit("plain", "ExecStart=" + self.sh("echo out; echo err >&2; exec sleep 1000"), unit="Description=a plain one")
        self.assertEqual(self.reload(), [])
        state = self.state("plain")
        self.assertEqual((state["Description"], state["LoadState"], state["ActiveState"], state["Result"], state["NRestarts"],
                          state["Path"]),
                         ("a plain one", "loaded", "inactive", "success", 0, f"{self.folder.path}/plain.service"))
        self.assertEqual(self.start("plain"), job_path("plain.service"))
        self.bus.wait_for_output("plain.service", b"err")
        eventually(lambda: self.bus.property("State", "plain.service") == "running", 30, "it is executed")
        state = self.state("plain")
        self.assertEqual((state["ActiveState"], state["Job"], state["Result"]), ("active", "plain.service", "success"))
        p = self.bus.properties("plain.service")
        self.assertEqual((p["Id"], p["Unit"], p["Session"], p["State"], p["Running"], p["Description"]),
                         ("plain.service", "plain.service", "system", "running", True, "a plain one"))
        self.assertEqual(self.bus.job_ids(Unit="plain.service"), ["plain.service"])
        out, err, _ = self.bus.output("plain.service")
        self.assertEqual((out, err), (b"out\n", b"err\n"))
        self.stop("plain")
        self.assertEqual(self.active("plain"), "inactive")
        self.assert_all_reaped()
        self.assertEqual(self.bus.property("Signal", "plain.service"), 15)

    def test_started_twice_is_started_once(self):
        self.unit("one", SLEEP)
        self.reload()
        self.assertEqual(self.start("one"), self.start("one"))
        self.assert_processes(1)
        self.stop("one")
        self.stop("one")
        self.assertEqual(self.active("one"), "inactive")

    def test_restarted_is_another_process(self):
        self.unit("again", SLEEP)
        self.reload()
        self.restart("again")
        pid = self.bus.property("PID", "again.service")
        self.assertEqual(self.restart("again"), job_path("again.service"))
        self.assertNotEqual(self.bus.property("PID", "again.service"), pid)
        self.assert_ended(pid)
        self.assertEqual(self.active("again"), "active")

    def test_fails_at_once(self):
        """A simple one and an exec have been started, as far as can be seen at the time; a oneshot has not."""
        for kind in ("simple", "exec", "oneshot"):
            self.unit(f"fails-{kind}", f"Type={kind}", "ExecStart=/bin/false")
        self.reload()
        for kind in ("simple", "exec"):
            self.attempt(f"fails-{kind}")
        self.assert_error("StartFailed", "exit-code", call=lambda: self.start("fails-oneshot"))
        for kind in ("simple", "exec", "oneshot"):
            with self.subTest(kind=kind):
                state = self.wait(f"fails-{kind}", "failed", "exit-code")
                self.assertEqual(state["NRestarts"], 0)
                p = self.bus.properties(f"fails-{kind}.service")
                self.assertEqual((p["Result"], p["ExitCode"], p["State"]), ("exit-code", 1, "finished"))

    def test_no_such_program(self):
        for kind in ("exec", "oneshot"):
            self.unit(f"nothing-{kind}", f"Type={kind}", "ExecStart=/nonexistent/program")
        self.reload()
        for kind in ("exec", "oneshot"):
            with self.subTest(kind=kind):
                self.assert_error("StartFailed", call=lambda: self.start(f"nothing-{kind}"))
                self.assertEqual(self.active(f"nothing-{kind}"), "failed")

    def test_oneshot_is_waited_for(self):
        self.unit("steps", "Type=oneshot", *["ExecStart=" + self.note(f"step {i}") for i in range(4)])
        self.reload()
        for _ in range(2):
            self.start("steps")
            self.assertEqual(self.active("steps"), "inactive")
        self.assertEqual(self.said(), [f"step {i}" for i in range(4)] * 2)

    def test_oneshot_stops_at_the_step_that_fails(self):
        self.unit("steps", "Type=oneshot", "ExecStart=" + self.note("one"), "ExecStart=-/bin/false",
                  "ExecStart=" + self.note("two"), "ExecStart=" + self.sh("exit 7"), "ExecStart=" + self.note("three"))
        self.reload()
        self.assert_error("StartFailed", "exit-code", call=lambda: self.start("steps"))
        self.assertEqual(self.said(), ["one", "two"])
        self.assertEqual(self.bus.property("ExitCode", "steps.service"), 7)

    def test_remain_after_exit(self):
        self.unit("set-up", "Type=oneshot", "RemainAfterExit=yes", "ExecStart=" + self.note("up"), "ExecStop=" + self.note("down"))
        self.unit("simple", "RemainAfterExit=yes", "ExecStart=/bin/true")
        self.unit("bad", "RemainAfterExit=yes", "ExecStart=/bin/false")
        self.reload()
        for name in ("set-up", "set-up", "simple"):
            self.start(name)
        self.attempt("bad")
        self.wait("bad", "failed", "exit-code")
        self.assert_all_reaped()
        self.assertEqual((self.active("set-up"), self.active("simple")), ("active", "active"))
        self.assertEqual(self.said(), ["up"])
        self.stop("set-up")
        self.stop("simple")
        self.assertEqual(self.said(), ["up", "down"])
        self.assertEqual((self.active("set-up"), self.active("simple")), ("inactive", "inactive"))
        self.restart("set-up")
        self.restart("set-up")
        self.assertEqual(self.said(), ["up", "down", "up", "down", "up"])

    def test_only_a_stop(self):
        self.unit("down", "Type=oneshot", "RemainAfterExit=yes", "ExecStop=" + self.note("down"))
        self.reload()
        self.start("down")
        self.assertEqual(self.active("down"), "active")
        self.stop("down")
        self.assertEqual(self.said(), ["down"])

    def test_ignores_sigterm(self):
        for name, lines in {"deaf": ["TimeoutStopSec=300ms"], "hit": ["KillSignal=SIGKILL"],
                            "hinted": ["KillSignal=SIGUSR1"]}.items():
            self.unit(name, *lines, "ExecStart=" + self.sh('trap "" TERM; trap "exit 0" USR1; echo up; '
                                                           "while :; do sleep 0.05; done"))
        self.reload()
        for name in ("deaf", "hit", "hinted"):
            self.start(name)
            self.bus.wait_for_output(f"{name}.service", b"up\n")
        begun = time.monotonic()
        calls = [self.later("StopUnit", name) for name in ("deaf", "hit", "hinted")]
        for call in calls:
            call.result(60)
        self.assertGreaterEqual(time.monotonic() - begun, 0.3)
        self.assertEqual(self.bus.property("Result", "deaf.service"), "timeout")
        self.assertEqual(self.state("deaf")["Result"], "timeout")
        self.assertEqual(self.active("deaf"), "failed")
        self.assertEqual(self.bus.property("Signal", "hit.service"), 9)
        self.assertEqual((self.active("hinted"), self.bus.property("ExitCode", "hinted.service")), ("inactive", 0))

    def test_start_takes_too_long(self):
        self.unit("slow", "Type=oneshot", "TimeoutStartSec=200ms", "ExecStart=/bin/sleep 1000",
                  "ExecStopPost=" + self.note("post $SERVICE_RESULT"))
        self.unit("slow-pre", "TimeoutStartSec=200ms", "ExecStartPre=/bin/sleep 1000", "ExecStart=" + self.note("never"))
        self.unit("slow-post", "TimeoutStartSec=200ms", "ExecStart=/bin/sleep 1000", "ExecStartPost=/bin/sleep 1000")
        self.reload()
        for name in ("slow", "slow-pre", "slow-post"):
            with self.subTest(name=name):
                self.assert_error("StartFailed", "timeout", call=lambda: self.start(name))
                self.assertEqual((self.active(name), self.state(name)["Result"]), ("failed", "timeout"))
        self.assert_all_reaped()
        self.assertEqual(self.said(), ["post timeout"])

    def test_conditions(self):
        here, gone = "/proc/self", "/nonexistent"
        cases = ((True, here), (False, gone), (True, f"!{gone}"), (False, f"!{here}"), (True, here, f"!{gone}"), (False, here, gone),
                 (True, f"|{gone}", f"|{here}"), (False, f"|{gone}", f"|!{here}"), (True, f"|!{gone}", here),
                 (False, f"|{here}", gone))
        for i, (_, *conditions) in enumerate(cases):
            self.unit(f"if{i}", "Type=oneshot", "RemainAfterExit=yes", "ExecStart=" + self.note(i),
                      unit=[f"ConditionPathExists={c}" for c in conditions])
        self.reload()
        for i, (holds, *conditions) in enumerate(cases):
            with self.subTest(conditions):
                self.assertEqual(self.start(f"if{i}"), job_path(f"if{i}.service") if holds else "/")
                self.assertEqual(self.active(f"if{i}"), "active" if holds else "inactive")
                if not holds:
                    self.assertEqual(self.state(f"if{i}")["Result"], "condition")
        self.assertEqual(self.said(), [str(i) for i, case in enumerate(cases) if case[0]])

    def test_a_condition_is_looked_at_each_time(self):
        path = f"{self.reeve.shared}/there"
        self.unit("if", "Type=oneshot", "ExecStart=" + self.note("ran"), unit=f"ConditionPathExists={path}")
        self.reload()
        self.assertEqual(self.start("if"), "/")
        self.bus.sh(f": >{path}")
        self.assertEqual(self.start("if"), job_path("if.service"))
        self.bus.sh(f"rm {path}")
        self.assertEqual(self.start("if"), "/")
        self.assertEqual(self.said(), ["ran"])


class TestWrong(UnitsCase):

    def test_names(self):
        self.unit("t@", SLEEP)
        self.unit("a", SLEEP)
        self.reload()
        for name in ("", "a", ".service", "@.service", "@x.service", "../x.service", "/a.service", "a/b.service", "a b.service",
                     "x" * 300 + ".service", "t@.service", "a.socket", "a.service.service", "no.service", "a.service\n",
                     "\x7f.service", "é.service", "t@" + "i" * 300 + ".service", "a@b.service", "%n.service", "-.service"):
            for member in ("StartUnit", "StopUnit", "RestartUnit", "ReloadUnit"):
                with self.subTest(name=name, member=member):
                    with self.assertRaises(Exception) as caught:
                        self.bus.manager(member, "s", name)
                    self.assertIn(getattr(caught.exception, "name", caught.exception),
                                  ("org.reeve1.Error.NoSuchUnit", "org.freedesktop.DBus.Error.InvalidArgs"))
        self.assert_all_reaped()
        self.assertEqual(set(self.units.list()) - {"t@.service"}, {"a.service"})

    def test_a_refused_one(self):
        self.unit("bad", SLEEP, "RestartSec=soon")
        self.unit("good", SLEEP)
        self.unit("warned", SLEEP, "PrivateTmp=yes")
        problems = self.reload()
        path = self.folder.path
        self.assertEqual([p[:2] for p in problems], [(f"{path}/bad.service", 4), (f"{path}/warned.service", 4)])
        self.assertIn("RestartSec", problems[0][2])
        self.assertIn("PrivateTmp", problems[1][2])
        self.assertEqual({name: unit["LoadState"] for name, unit in self.units.list().items()},
                         {"bad.service": "bad-setting", "good.service": "loaded", "warned.service": "loaded"})
        for call in (self.start, self.restart):
            self.assert_error("InvalidArgs", f"{path}/bad.service:4", "RestartSec", call=lambda: call("bad"))
        self.start("good")
        self.start("warned")

    def test_each_refusal_is_its_own(self):
        texts = {"no-exec": "[Service]\n", "no-section": "ExecStart=/bin/true\n",
                 "forking": "[Service]\nType=forking\nExecStart=/bin/true\n",
                 "two": "[Service]\nExecStart=/bin/true\nExecStart=/bin/true\n", "quote": '[Service]\nExecStart=/bin/echo "x\n',
                 "nul": b"[Service]\nExecStart=/bin/true\0\n", "bom": b"\xef\xbb\xbf[Service]\nExecStart=/bin/true\n",
                 "latin": b"[Service]\nExecStart=/bin/echo \xe4\n",
                 "requires": "[Unit]\nRequires=nix.service\n[Service]\nExecStart=/bin/true\n",
                 "percent": "[Service]\nExecStart=/bin/echo %z\n", "bang": "[Service]\nExecStart=!/bin/true\n",
                 "long": "[Service]\nExecStart=/bin/echo " + "x" * 70000 + "\n", "rel": "[Service]\nExecStart=./true\n"}
        for name, text in texts.items():
            self.file(f"{name}.service", text)
        self.unit("good", "Type=oneshot", "ExecStart=/bin/true")
        problems = self.reload()
        for name in texts:
            with self.subTest(name=name):
                self.assertTrue(any(p[0].endswith(f"/{name}.service") and p[2] for p in problems), problems)
                self.assert_error("InvalidArgs", f"{name}.service", call=lambda: self.start(name))
                self.assertEqual(self.state(name)["LoadState"], "bad-setting")
        self.assertEqual(self.start("good"), job_path("good.service"))

    def test_masked(self):
        self.file("empty.service", "")
        self.unit("real", SLEEP)
        self.bus.sh(f"ln -s /dev/null {self.folder.path}/null.service")
        self.reload()
        for name in ("empty", "null"):
            self.assert_error("NoSuchUnit", call=lambda: self.start(name))
        self.assertEqual(set(self.units.list()), {"real.service"})

    def test_a_job_has_the_name(self):
        """A caller's job may not take a unit's Id for itself while the unit runs, nor stand in its way."""
        self.unit("name", SLEEP)
        self.reload()
        self.start("name")
        self.assert_error("JobExists", call=lambda: self.bus.start(["sleep", "1000"], Id="name.service"))
        self.stop("name")
        self.start("name")
        self.assertEqual(self.bus.property("Unit", "name.service"), "name.service")

    def test_a_callers_job_that_is_named_as_a_unit(self):
        self.unit("taken", SLEEP)
        self.reload()
        self.bus.start(["sleep", "1000"], Id="taken.service")
        with self.assertRaises(Exception):
            self.start("taken")
        self.assertNotEqual(self.active("taken"), "active")
        self.bus.stop({"Id": "taken.service"})
