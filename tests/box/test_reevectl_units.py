"""reevectl unit …, and reevectl reload."""

import os
import subprocess

import completion
from rig import eventually, reevectl_binary, write_file
from session import Gate
from test_notify import PYTHON, SAY
from test_reevectl import Ctl

# Of a simple one it would not be known when it is executing.
STAYS = "Type=exec\nExecStart=/bin/sleep 1000\n"


class CtlUnits(Ctl):
    """Unit files of each test's own, in a folder that both sides see."""

    options = {"args": ["--units=/run/units"], "prepare": "mkdir -p {shared}/units && ln -s {shared}/units /run/units"}

    def setUp(self):
        self.folder = f"{self.reeve.shared}/units"
        for name in os.listdir(self.folder):
            os.unlink(f"{self.folder}/{name}")
        self.ctl("reload")

    def write(self, name, service, unit=""):
        write_file(f"{self.folder}/{name}.service", f"[Unit]\n{unit}\n[Service]\n{service}\n")

    def units(self, **units):
        """name: lines of [Service], or of [Unit] and [Service]."""
        for name, text in units.items():
            self.write(name, *(text if isinstance(text, tuple) else (text,)))
        self.assertEqual(self.ctl("reload"), "")

    def listed(self, name):
        for unit in self.json("unit", "list"):
            if unit["Name"] == f"{name}.service":
                return unit
        return None

    def active(self, name):
        return self.listed(name)["ActiveState"]

    def gate(self):
        gate = Gate(self.reeve.shared)
        self.addCleanup(gate.close)
        return gate


class TestOrders(CtlUnits):

    def test_start_and_stop(self):
        self.units(web=STAYS)
        self.assertEqual(self.ctl("unit", "start", "web"), "web.service\n")
        self.assertEqual(self.bus.property("State", "web.service"), "running")
        self.assertEqual(self.ctl("unit", "start", "web.service"), "web.service\n")
        self.assertEqual(self.active("web"), "active")
        self.assertEqual(self.ctl("unit", "stop", "web"), "stopped web.service\n")
        self.assertEqual(self.active("web"), "inactive")
        self.assertEqual(self.ctl("unit", "stop", "web"), "stopped web.service\n")

    def test_several(self):
        self.units(a=STAYS, b=STAYS, c=STAYS)
        self.assertEqual(self.ctl("unit", "start", "a", "b", "c"), "a.service\nb.service\nc.service\n")
        self.assertEqual(self.json("unit", "stop", "a", "b"), {"units": ["a.service", "b.service"]})
        self.assertEqual([self.active(name) for name in "abc"], ["inactive", "inactive", "active"])
        self.assertEqual(self.json("unit", "start", "a"), {"units": ["a.service"], "unmet": []})

    def test_restart(self):
        self.units(web=STAYS)
        self.ctl("unit", "start", "web")
        pid = self.bus.property("PID", "web.service")
        self.assertEqual(self.ctl("unit", "restart", "web"), "web.service\n")
        self.assertNotEqual(self.bus.property("PID", "web.service"), pid)
        self.ctl("unit", "stop", "web")
        self.assertEqual(self.json("unit", "restart", "web"), {"units": ["web.service"], "unmet": []})

    def test_what_is_required(self):
        self.units(db=STAYS, web=(STAYS, "Requires=db.service\nAfter=db.service"))
        self.ctl("unit", "start", "web")
        self.assertEqual(self.active("db"), "active")
        self.ctl("unit", "stop", "db")
        self.assertEqual(self.active("web"), "inactive")

    def test_instances(self):
        self.write("echo@", "Type=oneshot\nExecStart=/bin/echo it is %i")
        self.ctl("reload")
        self.assertEqual(self.ctl("unit", "start", "echo@one"), "echo@one.service\n")
        self.assertEqual(self.ctl("logs", "-o", "raw", "--stdout", "echo@one.service"), "it is one\n")

    def test_reload_of_a_unit(self):
        gate = self.gate()
        self.units(web=f"ExecStart=/bin/sh -c 'trap \"{gate.say('again')}\" HUP; {gate.say('up')}; while :; do sleep 0.1; done'\n"
                       "ExecReload=/bin/kill -HUP $MAINPID", no=STAYS)
        self.ctl("unit", "start", "web", "no")
        self.assertEqual(gate.hear(), "up")
        self.assertEqual(self.ctl("unit", "reload", "web"), "reloaded web.service\n")
        self.assertEqual(gate.hear(), "again")
        self.ctl("unit", "reload", "no", status=1)
        self.assertIn("ExecReload", self.err)


class TestWhatFails(CtlUnits):

    def test_no_such_unit(self):
        self.units(web=STAYS)
        for verb in ("start", "stop", "restart", "reload", "status"):
            self.ctl("unit", verb, "nix", status=1)
            self.assertIn("nix.service", self.err)
            self.assertIn("reevectl unit list", self.err)
        self.assertEqual(self.ctl("unit", "start", "nix", "web", status=1), "web.service\n")
        self.assertEqual(self.json("unit", "start", "nix", "web", status=1), {"units": ["web.service"], "unmet": []})
        self.assertIn("NoSuchUnit", self.err)

    def test_the_reason_and_the_log(self):
        self.units(bad="Type=oneshot\nExecStart=/bin/sh -c 'echo the disk is full >&2; exit 3'")
        self.assertEqual(self.ctl("unit", "start", "bad", status=1), "")
        self.assertIn("bad.service: exit-code", self.err)
        self.assertRegex(self.err, r"(?m)^20.*: the disk is full$")
        self.ctl("--json", "unit", "start", "bad", status=1)
        self.assertEqual(len(self.err.splitlines()), 1, "an error, and no log, for programs")

    def test_notes_are_shown(self):
        self.units(bad="ExecStartPre=/bin/sh -c 'exit 3'\n" + STAYS)
        self.ctl("unit", "start", "bad", status=1)
        self.assertIn("ExecStartPre=/bin/sh: exit-code 3", self.err)

    def test_a_program_that_is_not_there(self):
        self.units(bad="Type=exec\nExecStart=/nix")
        self.ctl("unit", "start", "bad", status=1)
        self.assertIn("/nix", self.err)

    def test_what_is_required_is_named(self):
        self.units(bad="Type=oneshot\nExecStart=/bin/false", web=(STAYS, "Requires=bad.service\nAfter=bad.service"))
        self.ctl("unit", "start", "web", status=1)
        self.assertIn("web.service: dependency", self.err)

    def test_a_refused_one(self):
        self.write("bad", STAYS + "Nice=x")
        self.assertRegex(self.ctl("reload", status=1), r"^/run/units/bad\.service:6: Nice: .*\n$")
        self.ctl("unit", "start", "bad", status=1)
        self.assertIn("/run/units/bad.service:6: Nice", self.err)
        self.assertIn("InvalidArgs", self.err)

    def test_a_condition_is_no_failure(self):
        self.units(web=(STAYS, "ConditionPathExists=/nix"))
        self.assertEqual(self.ctl("unit", "start", "web"), "")
        self.assertIn("web.service is not started", self.err)
        self.assertEqual(self.json("unit", "start", "web"), {"units": [], "unmet": ["web.service"]})
        self.assertEqual(self.listed("web")["Result"], "condition")

    def test_mistakes(self):
        for args in (("unit",), ("unit", "nix"), ("unit", "start"), ("unit", "status"), ("unit", "list", "a"), ("reload", "a"),
                     ("unit", "start", "--nix", "a")):
            self.ctl(*args, status=2)
            self.assertIn("Try: reevectl", self.err)
        self.assertIn("unit start", self.ctl("unit", "--help"))


class TestNoBlock(CtlUnits):

    def test_it_is_not_waited_for(self):
        told, gate = self.gate(), self.gate()
        self.units(slow=f"Type=oneshot\nExecStart=/bin/sh -c '{told.say('begun')}; {gate.wait}; echo done'")
        self.assertEqual(self.ctl("unit", "start", "--no-block", "slow"), "")
        self.assertEqual(told.hear(), "begun")
        self.assertEqual(self.active("slow"), "activating")
        gate.open()
        self.bus.wait_for_output("slow.service", b"done\n")

    def test_stop(self):
        self.units(web=STAYS)
        self.ctl("unit", "start", "web")
        self.assertEqual(self.json("unit", "stop", "--no-block", "web"), {"units": ["web.service"]})
        eventually(lambda: self.active("web") == "inactive", 30, "it stops")

    def test_what_is_wrong_at_once_is_said(self):
        self.units(web=STAYS)
        self.ctl("unit", "start", "--no-block", "nix", "web", status=1)
        self.assertIn("nix.service", self.err)
        eventually(lambda: self.active("web") == "active", 30, "the other one starts")


class TestWhatIsShown(CtlUnits):

    def test_list(self):
        self.write("bad", "ExecStart=/bin/true\nNice=x")
        self.write("web", STAYS, "Description=The web server")
        self.write("gone", "Type=oneshot\nExecStart=/bin/false")
        self.ctl("reload", status=1)
        self.ctl("unit", "start", "web")
        self.ctl("unit", "start", "gone", status=1)
        text = self.ctl("unit", "list")
        self.assertRegex(text, r"^UNIT +LOAD +ACTIVE +RESULT +RESTARTS +DESCRIPTION\n")
        self.assertRegex(text, r"(?m)^web\.service +loaded +active +success +0 +The web server$")
        self.assertRegex(text, r"(?m)^bad\.service +bad-setting +inactive ")
        self.assertRegex(text, r"(?m)^gone\.service +loaded +failed +exit-code ")
        self.assertEqual({unit["Name"] for unit in self.json("unit", "list")}, {"web.service", "bad.service", "gone.service"})
        self.assertEqual(self.listed("web")["Path"], "/run/units/web.service")

    def test_no_units(self):
        self.assertEqual(self.ctl("unit", "list"), "")
        self.assertIn("no units", self.err)
        self.assertEqual(self.json("unit", "list"), [])

    def test_status(self):
        self.write("web", "ExecStart=/bin/sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done; exec sleep 1000'",
                   "Description=The web server")
        self.ctl("reload")
        self.assertRegex(self.ctl("unit", "status", "web", status=3), r"(?m)^ +Active: inactive$")
        self.ctl("unit", "start", "web")
        self.bus.wait_for_output("web.service", b"line 12\n")
        text = self.ctl("unit", "status", "web")
        self.assertTrue(text.startswith("web.service\n"), text)
        for line in ("Description: The web server", "File: /run/units/web.service", "Active: active", "Result: success",
                     "Job: web.service", "State: running", f"PID: {self.bus.property('PID', 'web.service')}"):
            self.assertIn(line + "\n", text)
        self.assertEqual([line.rsplit(": ", 1)[1] for line in text.splitlines()[-10:]], [f"line {i}" for i in range(3, 13)])
        self.assertEqual(self.json("unit", "status", "web"), self.listed("web"))
        self.assertRegex(self.ctl("status", "web.service"), r"(?m)^ +Unit: web\.service$")

    def test_what_a_unit_says_of_itself(self):
        write_file(f"{self.reeve.shared}/say.py", SAY + "say('READY=1\\nSTATUS=12 clients'); time.sleep(1000)")
        self.units(web=f"Type=notify\nExecStart={PYTHON} {self.reeve.shared}/say.py")
        self.ctl("unit", "start", "web")
        for args in (("unit", "status", "web"), ("status", "web.service")):
            self.assertRegex(self.ctl(*args), r"(?m)^ +Status: 12 clients$")

    def test_status_of_several(self):
        self.units(a=STAYS, b=STAYS)
        self.ctl("unit", "start", "b")
        text = self.ctl("unit", "status", "a", "b", status=3)
        self.assertIn("\n\nb.service\n", text)
        self.assertIn("b.service", self.ctl("unit", "status", "nix", "b", status=1))

    def test_restarts(self):
        self.units(web="ExecStart=/bin/sh -c 'echo up; [ -e /run/second ] || { touch /run/second; exit 3; }; exec sleep 1000'\n"
                       "Restart=on-failure\nRestartSec=10ms")
        self.ctl("unit", "start", "web")
        eventually(lambda: [self.listed("web")[key] for key in ("NRestarts", "ActiveState")] == [1, "active"], 30, "it runs again")
        self.assertRegex(self.ctl("unit", "list"), r"(?m)^web\.service +loaded +active +success +1 ")
        self.assertRegex(self.ctl("unit", "status", "web"), r"(?m)^ +Restarts: 1$")
        self.assertRegex(self.ctl("status", "web.service"), r"(?m)^ +Restarts: 1$")

    def test_restart_of_a_command(self):
        """Which is no unit: -p Restart=."""
        id = self.ctl("start", "-p", "Restart=on-failure", "-p", "RestartSec=10ms", "--", "sh", "-c",
                      "[ -e /run/third ] || { touch /run/third; exit 3; }; exec sleep 1000").strip()
        eventually(lambda: self.bus.property("NRestarts", id) == 1, 30, "it runs again")
        self.assertRegex(self.ctl("status", id), r"(?m)^ +Restarts: 1$")


class TestReload(CtlUnits):

    def test_warnings_are_no_failure(self):
        self.write("web", STAYS + "PrivateTmp=yes\nPrivateTemp=yes")
        self.assertEqual(self.ctl("reload"), "/run/units/web.service:6: PrivateTmp= of systemd is not there in reeve; ignored.\n"
                                             "/run/units/web.service:7: PrivateTemp= is not known in [Service]; ignored.\n")
        problems = self.json("reload")
        self.assertEqual([(p["file"], p["line"]) for p in problems], [("/run/units/web.service", 6), ("/run/units/web.service", 7)])
        self.assertIn("PrivateTmp=", problems[0]["message"])

    def test_a_unit_that_runs(self):
        """Goes on; that its file is refused now is said all the same."""
        self.units(web=STAYS)
        self.ctl("unit", "start", "web")
        pid = self.bus.property("PID", "web.service")
        self.write("web", STAYS + "Nice=x")
        self.ctl("reload", status=1)
        self.assertEqual((self.bus.property("PID", "web.service"), self.listed("web")["LoadState"]), (pid, "bad-setting"))
        self.write("web", STAYS, "Description=anew")
        self.ctl("reload")
        self.assertEqual(self.listed("web")["LoadState"], "loaded")
        self.ctl("unit", "restart", "web")
        self.assertEqual(self.listed("web")["Description"], "anew")


class TestAround(CtlUnits):

    def test_interrupted_it_goes_on(self):
        told, gate = self.gate(), self.gate()
        self.units(slow=f"Type=oneshot\nExecStart=/bin/sh -c '{told.say('begun')}; {gate.wait}; echo done'")
        with subprocess.Popen([reevectl_binary(), f"--address={self.reeve.address}", "unit", "start", "slow"]) as client:
            self.assertEqual(told.hear(), "begun")
            client.terminate()
        gate.open()
        self.bus.wait_for_output("slow.service", b"done\n")

    def test_completion(self):
        self.units(web=STAYS, db=STAYS)
        for complete in completion.shells():
            def words(*args, complete=complete):
                return complete(reevectl_binary(), *args, REEVE_ADDRESS=self.reeve.address)
            with self.subTest(shell=complete.__name__):
                for verb in ("start", "stop", "restart", "reload", "status"):
                    self.assertEqual(sorted(words("unit", verb, "")), ["db.service", "web.service"])
                self.assertEqual(words("unit", "start", "db", "we"), ["web.service"])
                self.assertEqual(words("unit", "start", "--no"), ["--no-block"])
                self.assertIn("reload", words("rel"))
                self.assertEqual(sorted(words("unit", "")), ["list", "reload", "restart", "start", "status", "stop"])


class TestWithoutUnits(Ctl):

    options = {"args": ["--no-units"]}

    def test_it_is_said(self):
        self.assertEqual(self.json("unit", "list"), [])
        self.ctl("unit", "start", "web", status=1)
        self.ctl("reload", status=1)
        self.assertIn("--no-units", self.err)
