"""Sessions by the Manager's methods and their own: opened, found, changed, closed."""

from case import BoxCase
from client import ERROR, MSEC, PROPERTIES, SESSION, V, session_path
from session import SessionCase
from rig import eventually

PROPERTY_NAMES = {"Name", "WorkingDirectory", "EnvironmentNames", "User", "Shell", "Jobs", "CreatedTimestamp", "ControlGroup", "Frozen",
                  "TasksCurrent", "CPUUsageNSec", "MemoryCurrent", "MemoryPeak"}
LIMITS = {"MemoryMax": 1 << 30, "MemoryHigh": 1 << 30, "MemorySwapMax": 0, "TasksMax": 100, "CPUQuotaPerSecUSec": 500000, "CPUWeight": 50,
          "IOWeight": 50}
CONTROLLER = {"M": "memory", "T": "pids", "C": "cpu", "I": "io"}


class TestOpen(SessionCase):

    def test_path(self):
        self.assertEqual(self.bus.open_session("web-1.x"), "/org/reeve1/session/web_2d1_2ex")
        self.assertEqual(session_path("web-1.x"), "/org/reeve1/session/web_2d1_2ex")
        self.assertEqual(self.bus.manager("GetSession", "s", "web-1.x"), ("/org/reeve1/session/web_2d1_2ex",))
        self.assertEqual(self.bus.session_property("web-1.x", "Name"), "web-1.x")

    def test_what_is_there_from_the_start(self):
        self.assertTrue({"default", "system"} <= set(self.bus.sessions()))
        for name in ("default", "system"):
            self.assertEqual(self.bus.manager("GetSession", "s", name), (session_path(name),))
            self.assertEqual(self.bus.session_property(name, "WorkingDirectory"), "/")

    def test_properties(self):
        p = self.bus.session_properties(self.name)
        self.assertEqual(set(p), PROPERTY_NAMES)
        self.assertEqual((p["Name"], p["WorkingDirectory"], p["Shell"], p["Jobs"], p["Frozen"], p["TasksCurrent"]),
                         (self.name, "/", "/bin/sh", [], False, 0))
        self.assertIn("PATH", p["EnvironmentNames"])
        self.assertTrue(p["ControlGroup"] == "" or p["ControlGroup"].endswith(f"/{self.name}.slice"), p["ControlGroup"])
        for name in PROPERTY_NAMES - {"TasksCurrent", "CPUUsageNSec", "MemoryCurrent", "MemoryPeak"}:
            self.assertEqual(self.bus.session_property(self.name, name), p[name], name)

    def test_list(self):
        other = self.open(WorkingDirectory="/usr", User="box")
        listed = self.bus.sessions()
        self.assertEqual((listed[other]["WorkingDirectory"], listed[other]["User"]), ("/usr", "box"))
        self.assertEqual(listed[self.name]["WorkingDirectory"], "/")
        for name, session in listed.items():
            self.assertTrue(set(session) <= PROPERTY_NAMES, (name, set(session) - PROPERTY_NAMES))
            for key in ("Name", "WorkingDirectory", "User", "Shell", "CreatedTimestamp"):
                self.assertEqual(session[key], self.bus.session_property(name, key))

    def test_created(self):
        before = int(self.bus.sh("date +%s%N").stdout) // 1000
        name = self.open()
        after = int(self.bus.sh("date +%s%N").stdout) // 1000
        self.assert_between(before, self.bus.session_property(name, "CreatedTimestamp"), after)

    def test_options(self):
        name = self.open(WorkingDirectory="/usr", Environment=["A=1", "B=x y", "A=2"], User="box", Group="crate", UMask=0o27,
                         Shell="/bin/bash")
        p = self.bus.session_properties(name)
        self.assertEqual((p["WorkingDirectory"], p["User"], p["Shell"]), ("/usr", "box", "/bin/bash"))
        self.assertTrue({"A", "B"} <= set(p["EnvironmentNames"]))
        script = 'pwd; echo "$A/$B"; id -u; id -g; umask'
        for outcome in (self.bus.run(name, script), self.bus.sh(script, Session=name)):
            out = outcome.stdout.decode().split("\n")
            self.assertEqual(out[:4], ["/usr", "2/x y", "4242", "4243"])
            self.assertEqual(int(out[4], 8), 0o27)

    def test_environment_of_its_user(self):
        """The session begins with it; what a command makes of it is kept."""
        name = self.open(User="box")
        self.assertTrue({"HOME", "USER", "LOGNAME", "SHELL"} <= set(self.bus.session_property(name, "EnvironmentNames")))
        self.assertEqual(self.bus.run(name, 'echo "$HOME $USER $LOGNAME $SHELL"; export HOME=/tmp; unset LOGNAME').stdout,
                         b"/home/box box box /bin/bash\n")
        for outcome in (self.bus.run(name, 'echo "$HOME ${LOGNAME-none}"'), self.bus.sh('echo "$HOME ${LOGNAME-none}"', Session=name)):
            self.assertEqual(outcome.stdout, b"/tmp none\n")

    def test_clean_environment(self):
        name = self.open(CleanEnvironment=True, Environment=["ONLY=1"])
        self.assertEqual(self.bus.session_property(name, "EnvironmentNames"), ["ONLY"])
        self.assertEqual(self.bus.session_property(name, "WorkingDirectory"), "/")
        env = set(self.bus.exec(["env"], Session=name).stdout.decode().split())
        self.assertEqual({item.split("=")[0] for item in env}, {"ONLY", "PATH", "REEVE_JOB", "REEVE_SESSION"})

    def test_not_clean(self):
        name = self.open(CleanEnvironment=False)
        self.assertIn("PATH", self.bus.session_property(name, "EnvironmentNames"))

    def test_same_options_again(self):
        options = {"WorkingDirectory": "/usr", "Environment": ["A=1"], "User": "box", "UMask": 0o27, "Shell": "/bin/bash",
                   "CleanEnvironment": True}
        path = self.bus.open_session("again", **options)
        created = self.bus.session_property("again", "CreatedTimestamp")
        self.bus.run("again", "cd /tmp; export B=2")
        # Also in another order, and when the session has moved on since.
        for again in (options, dict(reversed(options.items()))):
            self.assertEqual(self.bus.open_session("again", **again), path)
        self.assertEqual(self.bus.session_property("again", "CreatedTimestamp"), created)
        self.assertEqual(self.bus.session_property("again", "WorkingDirectory"), "/tmp")

    def test_other_options(self):
        options = {"WorkingDirectory": "/usr", "Environment": ["A=1"]}
        self.bus.open_session("taken", **options)
        for other in ({}, {"WorkingDirectory": "/usr"}, {**options, "UMask": 0o22}, {**options, "Environment": ["A=2"]},
                      {**options, "WorkingDirectory": "/tmp"}, {**options, "Shell": "/bin/bash"}, {**options, "User": "box"},
                      {**options, "CleanEnvironment": True}):
            with self.subTest(other=other):
                self.assert_error("SessionExists", "taken", call=lambda other=other: self.bus.open_session("taken", **other))
        self.assertEqual(self.bus.session_property("taken", "WorkingDirectory"), "/usr")
        self.bus.close_session("taken")
        self.bus.open_session("taken")

    def test_eight_at_once(self):
        since = len(self.bus.signals)
        with self.reeve.connect() as other:
            pending = [connection.send("/org/reeve1", "org.reeve1.Manager", "OpenSession", "sa{sv}", "eight", {})
                       for connection in (self.bus, other) * 4]
            self.assertEqual({p.result() for p in pending}, {(session_path("eight"),)})
        self.bus.ping()
        self.assertEqual([s.body for s in self.bus.signals[since:] if s.member == "SessionNew"], [("eight", session_path("eight"))])

    def test_bad_names(self):
        before = set(self.bus.sessions())
        for name in ("", "a/b", "a b", "ä", "x" * 300, "a\n", "../up", "/"):
            with self.subTest(name=name):
                self.assert_error("InvalidArgs", call=lambda name=name: self.bus.open_session(name))
                self.assert_error("InvalidArgs", "Session", call=lambda name=name: self.bus.exec(["true"], Session=name))
        self.assertEqual(set(self.bus.sessions()), before)

    def test_awkward_names(self):
        """Whatever is let in is a folder of its own in the tree, and nobody else's."""
        for name in ("init.scope", "-", "_", "0", "a.slice", "cgroup.procs", "X" * 64, ".", ".."):
            with self.subTest(name=name):
                try:
                    path = self.bus.open_session(name)
                except Exception as e:      # pylint: disable=broad-except
                    self.assertEqual(getattr(e, "name", e), "org.freedesktop.DBus.Error.InvalidArgs")
                    continue
                self.assertEqual(path, session_path(name))
                self.assertEqual(self.bus.run(name, "echo hi").stdout, b"hi\n")
                job = self.bus.start(["sleep", "1000"], Session=name)
                ids, pids, remaining = self.bus.close_session(name)
                self.assertEqual((job.id in ids, pids, remaining), (True, [job.pid], 0))

    def test_wrong_options(self):
        before = set(self.bus.sessions())
        for key, values in {
                "UMask": (V("i", 0), V("u", 0o1000)), "Environment": (V("s", "A=1"), V("as", ["1A=x"]), V("as", ["=x"]), V("as", ["A"])),
                "WorkingDirectory": (V("ay", b"/"), V("s", "")), "User": (V("u", 0), V("s", "")), "Group": (V("u", 0),),
                "CleanEnvironment": (V("s", "yes"), V("u", 1)), "Shell": (V("as", ["/bin/sh"]), V("s", "")),
                "MemoryMax": (V("s", "1G"), V("u", 1)), "TasksMax": (V("i", 1),), "NoSuchKey": (V("b", True),), "Id": (V("s", "x"),),
                "Restart": (V("s", "no"),), "StandardInput": (V("s", "null"),), "umask": (V("u", 0),),
        }.items():
            for value in values:
                with self.subTest(key=key, value=value):
                    self.assert_error("InvalidArgs", key, call=lambda key=key, value=value: self.bus.open_session("wrong", **{key: value}))
        self.assertEqual(set(self.bus.sessions()), before)

    def test_unknown_users(self):
        for key in ("User", "Group"):
            self.assert_error("NoSuchUser", "nix", call=lambda key=key: self.bus.open_session("nobodys", **{key: "nix"}))
        self.assertNotIn("nobodys", self.bus.sessions())

    def test_limits_without_controllers(self):
        controllers = self.bus.property("Controllers")
        for key, value in LIMITS.items():
            if CONTROLLER[key[0]] in controllers:
                continue
            with self.subTest(key=key):
                self.assert_error("NotSupported", key, call=lambda key=key, value=value: self.bus.open_session("limits", **{key: value}))
                self.assert_error("NotSupported", key, call=lambda key=key, value=value: self.bus.session(
                    self.name, "SetProperties", "a{sv}", {key: ("t", value)}))
        self.assertNotIn("limits", self.bus.sessions())

    def test_wrong_is_said_before_impossible(self):
        self.assert_error("InvalidArgs", "UMask", call=lambda: self.bus.open_session("x", MemoryMax=1 << 30, UMask=0o7777))
        self.assert_error("InvalidArgs", "NoSuchKey", call=lambda: self.bus.open_session("x", TasksMax=10, NoSuchKey=V("b", True)))
        self.assertNotIn("x", self.bus.sessions())

    def test_by_naming_it(self):
        since = len(self.bus.signals)
        self.bus.exec(["true"], Session="by-exec")
        self.bus.start(["sleep", "1000"], Session="by-start")
        self.assertTrue({"by-exec", "by-start"} <= set(self.bus.sessions()))
        for name in ("by-exec", "by-start"):
            self.bus.wait_signal(lambda s, name=name: s.member == "SessionNew" and s.body == (name, session_path(name)), 10, since)
            # As if opened without options.
            self.assertEqual(self.bus.open_session(name), session_path(name))
            self.assert_error("SessionExists", call=lambda name=name: self.bus.open_session(name, UMask=0))
            self.assertEqual(self.bus.run(name, "cd /usr; pwd").stdout, b"/usr\n")
            self.assertEqual(self.bus.exec(["pwd"], Session=name).stdout, b"/usr\n")

    def test_a_refused_request_makes_none(self):
        for options in ({"Nice": 99}, {"UMask": 0o7777}, {"NoSuchKey": V("b", True)}, {"TasksMax": V("s", "x")}):
            self.assert_error("InvalidArgs", call=lambda options=options: self.bus.exec(["true"], Session="never", **options))
            self.assert_error("InvalidArgs", call=lambda options=options: self.bus.start(["true"], Session="never", **options))
        self.assertNotIn("never", self.bus.sessions())


class TestClose(SessionCase):

    def test_what_was_ended(self):
        a = self.bus.start(["sleep", "1000"], Session=self.name)
        b = self.bus.start(self.reeve.payload("tree", 3), Session=self.name)
        self.bus.wait_for_output(b.id, b"ready")
        left = self.run_it("sleep 1000 & setsid sleep 1000 & echo ok")
        done = self.bus.exec(["true"], Session=self.name)
        other = self.bus.start(["sleep", "1000"], Session=self.open())
        before = [self.reeve.inner_pid(pid) for pid in self.reeve.processes()]
        self.bus.wait(done.id)
        ids, pids, remaining = self.bus.close_session(self.name)
        self.assertEqual((sorted(ids), remaining), (sorted([a.id, b.id, left.id]), 0))
        self.assertEqual(sorted(pids), sorted(set(before) - {other.pid}))
        eventually(lambda: [self.reeve.inner_pid(pid) for pid in self.reeve.processes()] == [other.pid], 30, "all others are gone")
        self.assertNotIn(self.name, self.bus.sessions())
        self.assertEqual(self.bus.property("State", other.id), "running")
        # What is known of them is still known.
        self.assertEqual(self.bus.properties(a.id)["Signal"], 15)

    def test_it_is_gone(self):
        self.bus.close_session(self.name)
        self.assert_error("NoSuchSession", self.name, call=lambda: self.bus.manager("GetSession", "s", self.name))
        self.assert_error("NoSuchSession", self.name, call=lambda: self.bus.close_session(self.name))
        self.assert_error("NoSuchSession", self.name, call=lambda: self.bus.kill(15, Session=self.name))
        self.assert_error("NoSuchSession", self.name, call=lambda: self.bus.stop({"Session": self.name}))
        self.assert_error("UnknownObject", call=lambda: self.bus.session_properties(self.name))
        self.assert_error("UnknownObject", call=lambda: self.run_it("true"))

    def test_never_there(self):
        self.assert_error("NoSuchSession", "nix", call=lambda: self.bus.manager("GetSession", "s", "nix"))
        self.assert_error("NoSuchSession", "nix", call=lambda: self.bus.close_session("nix"))
        self.assert_error("UnknownObject", call=lambda: self.bus.session_properties("nix"))

    def test_open_again_is_new(self):
        self.kept("cd /usr; export A=1; umask 077")
        self.bus.close_session(self.name)
        self.bus.open_session(self.name)
        self.assertEqual(self.says('pwd; echo "${A-none}"'), "/\nnone\n")
        self.assertNotEqual(int(self.says("umask"), 8), 0o77)

    def test_deaf_jobs(self):
        deaf = self.bus.start(self.reeve.payload("deaf"), Session=self.name)
        self.bus.wait_for_output(deaf.id, b"ready")
        ids, pids, remaining = self.bus.close_session(self.name, TimeoutStopUSec=200 * MSEC)
        self.assertEqual((ids, pids, remaining), ([deaf.id], [deaf.pid], 0))
        self.assertEqual(self.bus.properties(deaf.id)["Signal"], 9)

    def test_signal_of_the_stop(self):
        gate = self.gate()
        job = self.bus.start_sh(f"trap 'exit 7' USR1; {gate.say('ready')}; while :; do sleep 0.05; done", Session=self.name)
        self.assertEqual(gate.hear(), "ready")
        self.bus.close_session(self.name, Signal=10)
        self.assertEqual(self.bus.properties(job.id)["ExitCode"], 7)

    def test_wrong_options(self):
        for key, value in (("TimeoutStopUSec", V("s", "1s")), ("NoSuchKey", V("b", True)), ("Signal", V("i", 65))):
            self.assert_error("InvalidArgs", key, call=lambda key=key, value=value: self.bus.close_session(self.name, **{key: value}))
        self.assertIn(self.name, self.bus.sessions())

    def test_system_stays(self):
        self.assert_error("AccessDenied", call=lambda: self.bus.close_session("system"))
        self.assertIn("system", self.bus.sessions())

    def test_default_is_reset(self):
        self.bus.run("default", "cd /usr; export A=1; umask 077")
        self.assertEqual(self.bus.run("default", "pwd; echo $A").stdout, b"/usr\n1\n")
        job = self.bus.start(["sleep", "1000"])
        ids, pids, remaining = self.bus.close_session("default")
        self.assertEqual((ids, pids, remaining), ([job.id], [job.pid], 0))
        self.assertIn("default", self.bus.sessions())
        self.assertEqual(self.bus.run("default", 'pwd; echo "${A-none}"').stdout, b"/\nnone\n")
        self.assertEqual(int(self.bus.run("default", "umask").stdout, 8), 0o22)
        self.assertEqual(self.bus.exec(["pwd"]).stdout, b"/\n")

    def test_default_keeps_nothing_of_a_run_that_was_stopped_for_it(self):
        gate = self.gate()
        command = f"trap 'cd /usr; export A=1; exit 0' TERM; {gate.say('here')}; while :; do sleep 0.01; done"
        pending = self.bus.run_later("default", command)
        self.assertEqual(gate.hear(), "here")
        self.bus.close_session("default")
        outcome = pending.result()
        self.assertEqual((outcome.result, outcome.details["StateKept"]), ("success", False))
        self.assertEqual(self.bus.run("default", 'pwd; echo "${A-none}"').stdout, b"/\nnone\n")

    def test_runs_that_are_under_way_and_queued(self):
        """The one that runs is answered with its end, those behind it with an error; none hangs."""
        gate = self.gate()
        first = self.bus.run_later(self.name, f"{gate.say('here')}; sleep 1000")
        queued = [self.bus.run_later(self.name, "echo never >/tmp/never") for _ in range(5)]
        self.assertEqual(gate.hear(), "here")
        ids, _, remaining = self.bus.close_session(self.name)
        outcome = first.result()
        self.assertEqual((ids, remaining, outcome.result, outcome.signal), ([outcome.id], 0, "signal", 15))
        for pending in queued:
            self.assert_error("NoSuchSession", call=pending.result)
        self.assertEqual(self.bus.sh("cat /tmp/never").exit_code, 1)

    def test_twice_at_once(self):
        deaf = self.bus.start(self.reeve.payload("deaf"), Session=self.name)
        self.bus.wait_for_output(deaf.id, b"ready")
        pending = [self.bus.close_session_later(self.name, TimeoutStopUSec=300 * MSEC) for _ in range(3)]
        for p in pending:
            self.assertTrue(p.event.wait(30), "a CloseSession is not answered")
            self.assertIn(p.error and p.error.name, (None, ERROR + "NoSuchSession"))
        self.assertIsNone(pending[0].error)
        self.assertNotIn(self.name, self.bus.sessions())
        self.assertFalse(self.bus.property("Running", deaf.id))

    def test_used_while_it_closes(self):
        """Nothing starts in it any more, and in the end the name can be had again."""
        deaf = self.bus.start(self.reeve.payload("deaf"), Session=self.name)
        self.bus.wait_for_output(deaf.id, b"ready")
        closing = self.bus.close_session_later(self.name, TimeoutStopUSec=1500 * MSEC)
        for call in (lambda: self.run_it("sleep 1000 & true"), lambda: self.bus.exec(["true"], Session=self.name),
                     lambda: self.bus.start(["sleep", "1000"], Session=self.name)):
            self.assert_error("NoSuchSession", call=call)
        self.assert_error("SessionExists", call=lambda: self.bus.open_session(self.name))
        self.assertFalse(closing.done())
        self.assertEqual(closing.result()[2], 0)
        self.assertNotIn(self.name, self.bus.sessions())
        eventually(lambda: not self.reeve.processes(), 5, lambda: self.reeve.describe(self.reeve.processes()))
        self.bus.open_session(self.name)
        self.assertEqual(self.says("echo hi"), "hi\n")

    def test_slices_go(self):
        before = self.bus.sh(f"ls -d {self.cgroups()}/*.slice 2>/dev/null | wc -l").stdout
        names = [self.open() for _ in range(20)]
        for name in names:
            self.bus.run(name, "true")
            self.bus.close_session(name)
        eventually(lambda: self.bus.sh(f"ls -d {self.cgroups()}/*.slice 2>/dev/null | wc -l").stdout == before, 5, "no more than before")

    def cgroups(self):
        return "/sys/fs/cgroup" + self.bus.property("ControlGroup").rstrip("/")


class TestChange(SessionCase):

    def test_directory(self):
        self.bus.set_directory(self.name, "/usr")
        self.assertEqual(self.bus.session_property(self.name, "WorkingDirectory"), "/usr")
        self.assertEqual(self.directory(), "/usr")
        for outcome in (self.bus.exec(["pwd"], Session=self.name), self.bus.exec(["pwd"], Session=self.name, WorkingDirectory=".")):
            self.assertEqual(outcome.stdout, b"/usr\n")
        self.assertEqual(self.bus.exec(["pwd"], Session=self.name, WorkingDirectory="bin").stdout, b"/usr/bin\n")
        self.assertEqual(self.bus.exec(["pwd"]).stdout, b"/\n")

    def test_relative_directory(self):
        self.bus.set_directory(self.name, "/usr")
        self.bus.set_directory(self.name, "bin")
        self.assertEqual(self.directory(), "/usr/bin")
        self.bus.set_directory(self.name, "../lib")
        self.assertEqual(self.says("/bin/pwd"), self.bus.exec(["/bin/pwd"], WorkingDirectory="/usr/lib").stdout.decode())

    def test_wrong_directory(self):
        self.assert_error("InvalidArgs", call=lambda: self.bus.set_directory(self.name, ""))
        self.assertEqual(self.bus.session_property(self.name, "WorkingDirectory"), "/")

    def test_the_rest_is_read_only(self):
        for name in sorted(PROPERTY_NAMES - {"WorkingDirectory"}):
            value = self.bus.call(session_path(self.name), PROPERTIES, "Get", "ss", SESSION, name)[0]
            self.assert_error("PropertyReadOnly", call=lambda name=name, value=value: self.bus.call(
                session_path(self.name), PROPERTIES, "Set", "ssv", SESSION, name, value))

    def test_environment(self):
        self.bus.set_environment(self.name, ["A=1", "B=two\nlines 'and' \"quotes\"=x", "C=", "A=2"])
        self.assertEqual(self.says('printf "%s|" "$A" "$B" "${C-unset}"'), "2|two\nlines 'and' \"quotes\"=x||")
        self.assertTrue({"A", "B", "C"} <= set(self.bus.session_property(self.name, "EnvironmentNames")))
        self.bus.set_environment(self.name, ["A=3"], ["B", "NEVER_SET"])
        self.assertEqual(self.bus.sh('echo "$A${B-unset}"', Session=self.name).stdout, b"3unset\n")
        self.assertEqual(self.bus.sh('echo "${A-unset}"').stdout, b"unset\n")

    def test_wrong_environment(self):
        for assignments, unset in ((["OK=1", "1A=x"], []), (["OK=1", "A"], []), (["OK=1", "=x"], []), (["OK=1", "a-b=x"], []),
                                   (["OK=1", ""], []), (["OK=1"], [""]), (["OK=1"], ["A=B"])):
            with self.subTest(assignments=assignments, unset=unset):
                self.assert_error("InvalidArgs", call=lambda a=assignments, u=unset: self.bus.set_environment(self.name, a, u))
        self.assertIsNone(self.variable("OK"))

    def test_values_are_never_told(self):
        self.bus.set_environment(self.name, ["SECRET=hushhush"])
        self.run_it("export OTHER=hush$(printf hush)")
        for told in (self.bus.session_properties(self.name), self.bus.sessions(), self.bus.managed_objects(), self.bus.jobs()):
            self.assertNotIn("hushhush", str(told))

    def test_wrong_properties(self):
        for key, value in (("NoSuchKey", ("t", 1)), ("MemoryMax", ("s", "1G")), ("TasksMax", ("u", 1)), ("WorkingDirectory", ("u", 1))):
            self.assert_error("InvalidArgs", key, call=lambda key=key, value=value: self.bus.session(
                self.name, "SetProperties", "a{sv}", {key: value}))
        self.bus.session(self.name, "SetProperties", "a{sv}", {})

    def test_while_a_run_is_under_way(self):
        """What is set meanwhile is not lost when the Run ends and changed something else."""
        gate = self.gate()
        pending = self.bus.run_later(self.name, f"export R=1; {gate.wait}")
        self.eventually_running(1)
        self.bus.set_environment(self.name, ["S=2"])
        self.bus.set_directory(self.name, "/usr")
        gate.open()
        self.assertIs(pending.result().details["StateKept"], True)
        self.assertEqual((self.variable("R"), self.variable("S"), self.directory()), ("1", "2", "/usr"))


class TestEnvironmentOfTheContainer(BoxCase):

    options = {"env": {"PATH": "/usr/bin:/bin", "FROM": "outside", "NOTIFY_SOCKET": "/run/x", "LISTEN_FDS": "0", "LISTEN_PID": "1",
                       "WATCHDOG_USEC": "5", "CREDENTIALS_DIRECTORY": "/x", "MAINPID": "7"}, "cwd": "/var",
               "command": "/usr/bin/env dotted.name=kept {reeve} {args}"}

    def test_it_is_the_sessions(self):
        self.bus.open_session("new")
        for name in ("default", "new", "system"):
            names = set(self.bus.session_property(name, "EnvironmentNames"))
            self.assertTrue({"PATH", "FROM"} <= names, names)
            self.assertEqual(names & {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC", "CREDENTIALS_DIRECTORY", "MAINPID"},
                             set())
            self.assertEqual(self.bus.session_property(name, "WorkingDirectory"), "/var")
        self.assertEqual(self.bus.run("new", "echo $FROM; pwd").stdout, b"outside\n/var\n")

    def test_clean_leaves_the_directory_alone(self):
        self.bus.open_session("clean", CleanEnvironment=True)
        self.assertEqual(self.bus.run("clean", 'echo "${FROM-none}"; pwd').stdout, b"none\n/var\n")
        self.bus.close_session("clean")

    def test_names_that_shells_do_not_know(self):
        """dash drops them for its children. The session does not, for its command did not touch them."""
        self.bus.open_session("dotted")
        for _ in range(2):
            self.assertIn(b"dotted.name=kept", self.bus.exec(["env"], Session="dotted").stdout.split())
            self.bus.run("dotted", "cd /tmp; export A=1")
        self.bus.close_session("dotted")
