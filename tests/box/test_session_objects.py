"""Sessions as objects: signals, introspection, freezing, accounting, bounds."""

import os
import struct
import xml.etree.ElementTree as xml

from case import BoxCase, FreshCase, Stopwatch
from client import DBusError, ERROR, JOB, MANAGER, PROPERTIES, ROOT, SESSION, job_path, method_call, session_path, variants
from rig import SOURCE, eventually
from session import SessionCase

MIB = 1 << 20


class TestSignals(SessionCase):

    def since(self):
        self.bus.ping()
        return len(self.bus.signals)

    def changes(self, key, since, name=None):
        """The values of a session's property that PropertiesChanged told, in order."""
        with self.bus.lock:
            signals = self.bus.signals[since:]
        told = [s for s in signals if s.member == "PropertiesChanged" and s.path == session_path(name or self.name)
                and s.body[0] == SESSION]
        return [s.body[1][key][1] for s in told if key in s.body[1]] + [None for s in told if key in s.body[2]]

    def told(self, key, value, since):
        def is_so():
            changes = self.changes(key, since)
            return changes and (changes[-1] == value or (changes[-1] is None and self.bus.session_property(self.name, key) == value))
        eventually(is_so, 5, lambda: f"{key} is told to be {value}: {self.changes(key, since)}")

    def test_new_and_removed(self):
        since = self.since()
        self.bus.open_session("come", WorkingDirectory="/usr")
        self.bus.close_session("come")
        self.bus.wait_signal(lambda s: s.member == "SessionRemoved", 5, since)
        self.bus.wait_signal(lambda s: s.member == "InterfacesRemoved", 5, since)
        mine = [s for s in self.bus.signals[since:] if s.member.startswith("Session")]
        self.assertEqual([(s.path, s.interface, s.member, s.body) for s in mine],
                         [(ROOT, MANAGER, "SessionNew", ("come", session_path("come"))),
                          (ROOT, MANAGER, "SessionRemoved", ("come", session_path("come")))])
        objects = [s for s in self.bus.signals[since:] if s.member.startswith("Interfaces")]
        self.assertEqual([(s.path, s.member, s.body[0]) for s in objects],
                         [(ROOT, "InterfacesAdded", session_path("come")), (ROOT, "InterfacesRemoved", session_path("come"))])
        self.assertEqual(objects[0].body[1][SESSION]["Name"], ("s", "come"))
        self.assertEqual(objects[0].body[1][SESSION]["WorkingDirectory"], ("s", "/usr"))
        self.assertIn(SESSION, objects[1].body[1])

    def test_the_same_again_is_not_new(self):
        since = self.since()
        self.bus.open_session(self.name)
        self.bus.exec(["true"], Session=self.name)
        self.bus.ping()
        self.assertEqual([s for s in self.bus.signals[since:] if s.member == "SessionNew"], [])

    def test_working_directory(self):
        since = self.since()
        self.kept("cd /usr")
        self.told("WorkingDirectory", "/usr", since)
        since = self.since()
        self.bus.set_directory(self.name, "/tmp")
        self.told("WorkingDirectory", "/tmp", since)
        since = self.since()
        self.kept("true")
        self.bus.ping()
        self.assertEqual(self.changes("WorkingDirectory", since), [])

    def test_jobs(self):
        since = self.since()
        job = self.bus.start(["sleep", "1000"], Session=self.name)
        eventually(lambda: self.changes("Jobs", since), 5, "Jobs is told")
        self.assertIn(job.id, self.bus.session_property(self.name, "Jobs"))
        self.bus.stop({"Id": job.id})
        since = self.since()
        self.bus.job(job.id, "Forget")
        self.bus.ping()
        self.assertNotIn(job.id, self.bus.session_property(self.name, "Jobs"))

    def test_every_connection_hears(self):
        others = [self.reeve.connect() for _ in range(3)]
        self.bus.open_session("heard")
        for other in others:
            other.wait_signal(lambda s: s.member == "SessionNew" and s.body[0] == "heard")
            other.close()

    def test_jobs_of_others_are_not_listed(self):
        mine = self.bus.start(["sleep", "1000"], Session=self.name)
        theirs = self.bus.start(["sleep", "1000"], Session=self.open())
        jobs = self.bus.session_property(self.name, "Jobs")
        self.assertIn(mine.id, jobs)
        self.assertNotIn(theirs.id, jobs)


class TestIntrospection(SessionCase):

    def introspect(self, path):
        text, = self.bus.call(path, "org.freedesktop.DBus.Introspectable", "Introspect")
        return xml.fromstring(text)

    @staticmethod
    def members(interface):
        out = {}
        for node in interface:
            if node.tag == "property":
                out["property", node.get("name")] = (node.get("type"), node.get("access"))
            elif node.tag in ("method", "signal"):
                out[node.tag, node.get("name")] = tuple(
                    (arg.get("name"), arg.get("direction") or ("out" if node.tag == "signal" else "in"), arg.get("type"))
                    for arg in node.findall("arg"))
        return out

    def test_session(self):
        contract = xml.parse(f"{SOURCE}/src/bus/{SESSION}.xml").getroot().find("interface")
        served = self.introspect(session_path(self.name)).find(f"interface[@name='{SESSION}']")
        self.assertIsNotNone(served)
        self.assertEqual(self.members(served), self.members(contract))

    def test_sessions_are_children_of_their_folder(self):
        def names():
            return {node.get("name") for node in self.introspect(f"{ROOT}/session").findall("node")}
        self.assertTrue({"default", "system", self.name} <= names(), names())
        self.bus.close_session(self.name)
        self.assertNotIn(self.name, names())

    def test_managed_objects(self):
        objects = self.bus.managed_objects()
        self.assertEqual({path for path in objects if path.startswith(f"{ROOT}/session/")}, set(map(session_path, self.bus.sessions())))
        self.assertEqual({key: value[1] for key, value in objects[session_path(self.name)][SESSION].items()
                          if key in ("Name", "WorkingDirectory", "Shell")},
                         {"Name": self.name, "WorkingDirectory": "/", "Shell": "/bin/sh"})

    def test_unknown_members(self):
        self.assert_error("UnknownMethod", call=lambda: self.bus.session(self.name, "NoSuchMethod"))
        self.assert_error("UnknownProperty", call=lambda: self.bus.session_property(self.name, "NoSuchProperty"))
        self.assert_error("InvalidArgs", call=lambda: self.bus.session(self.name, "Run", "s", "true"))
        self.assertEqual(self.says("echo hi"), "hi\n")


class TestFreeze(SessionCase):

    def frozen_file(self, id):
        """Whether the kernel says that all of a job is frozen."""
        with open(f"{self.reeve.box}{self.bus.property('ControlGroup', id)}/cgroup.events", encoding="utf-8") as f:
            return "frozen 1" in f.read()

    def tearDown(self):
        if self.name in self.bus.sessions():
            self.bus.session(self.name, "Thaw")
        super().tearDown()

    def test_all_of_its_jobs(self):
        jobs = [self.bus.start(["sleep", "1000"], Session=self.name) for _ in range(3)]
        other = self.bus.start(["sleep", "1000"], Session=self.open())
        self.assertEqual(self.bus.session(self.name, "Freeze"), ())
        self.assertIs(self.bus.session_property(self.name, "Frozen"), True)
        self.assertEqual([self.frozen_file(job.id) for job in (*jobs, other)], [True, True, True, False])
        self.assertEqual(self.bus.session(self.name, "Thaw"), ())
        self.assertIs(self.bus.session_property(self.name, "Frozen"), False)
        self.assertEqual([self.frozen_file(job.id) for job in (*jobs, other)], [False] * 4)
        self.assertEqual(self.bus.sessions()[self.name]["Frozen"], False)

    def test_again_and_when_empty(self):
        for member in ("Thaw", "Freeze", "Freeze", "Thaw", "Thaw"):
            self.bus.session(self.name, member)
            self.assertEqual(self.bus.session_property(self.name, "Frozen"), member == "Freeze")

    def test_run_waits_for_the_thaw(self):
        self.bus.session(self.name, "Freeze")
        pending = self.bus.run_later(self.name, "cd /usr; echo thawed")
        self.assertEqual(self.bus.run(self.open(), "echo others").stdout, b"others\n")
        self.bus.ping()
        self.assertFalse(pending.done())
        self.bus.session(self.name, "Thaw")
        self.assertEqual(pending.result().stdout, b"thawed\n")
        self.assertEqual(self.directory(), "/usr")

    def test_overtaken(self):
        """Who waits for what the next one takes back is told so."""
        job = self.bus.start_sh("while :; do :; done", Session=self.name)
        for path, interface in ((session_path(self.name), SESSION), (job_path(job.id), JOB)):
            for _ in range(20):
                freeze, thaw = self.bus.send(path, interface, "Freeze"), self.bus.send(path, interface, "Thaw")
                try:
                    self.assertEqual(freeze.result(), ())
                except DBusError as e:
                    self.assertEqual(e.name, ERROR + "Overtaken")
                self.assertEqual(thaw.result(), ())

    def test_close_of_a_frozen_one(self):
        jobs = [self.bus.start(["sleep", "1000"], Session=self.name) for _ in range(2)]
        self.bus.session(self.name, "Freeze")
        ids, pids, remaining = self.bus.close_session(self.name, TimeoutStopUSec=300000)
        self.assertEqual((sorted(ids), sorted(pids), remaining),
                         (sorted(job.id for job in jobs), sorted(job.pid for job in jobs), 0))

    def test_reset_of_a_frozen_one(self):
        self.bus.session("default", "Freeze")
        self.bus.close_session("default", TimeoutStopUSec=0)
        self.assertIs(self.bus.session_property("default", "Frozen"), False)
        self.assertEqual(self.bus.exec(["echo", "hi"]).stdout, b"hi\n")

    def test_kill_of_a_frozen_one(self):
        job = self.bus.start(["sleep", "1000"], Session=self.name)
        self.bus.session(self.name, "Freeze")
        self.bus.kill(9, Session=self.name)
        self.assertEqual(self.bus.wait(job.id)[1]["Signal"], 9)

    def test_a_new_one_of_its_name_is_not_frozen(self):
        self.bus.session(self.name, "Freeze")
        self.bus.close_session(self.name)
        self.bus.open_session(self.name)
        self.assertIs(self.bus.session_property(self.name, "Frozen"), False)
        self.assertEqual(self.says("echo hi"), "hi\n")


    def test_time_is_up_in_the_cold(self):
        """RuntimeMaxUSec is wall time, frozen or not."""
        self.bus.session(self.name, "Freeze")
        runs = [self.bus.run_later(self.name, "sleep 1000", RuntimeMaxUSec=300000, TimeoutStopUSec=300000) for _ in range(2)]
        self.assertEqual([p.result().result for p in runs], ["timeout", "timeout"])
        self.assertIs(self.bus.session_property(self.name, "Frozen"), True)

    def test_callers_that_go(self):
        self.bus.session(self.name, "Freeze")
        with self.reeve.connect() as other:
            other.run_later(self.name, "sleep 1000", KillOnDisconnect=True, TimeoutStopUSec=300000)
            other.run_later(self.name, "sleep 1000", KillOnDisconnect=True)
            eventually(self.reeve.processes, 5, "the first has its process")
        eventually(lambda: not self.reeve.processes(), 5, lambda: self.reeve.describe(self.reeve.processes()))

    def test_close_with_runs_queued(self):
        self.bus.session(self.name, "Freeze")
        first, second = (self.bus.run_later(self.name, "sleep 1000") for _ in range(2))
        eventually(self.reeve.processes, 5, "the first has its process")
        self.assertEqual(self.bus.close_session(self.name, TimeoutStopUSec=300000)[2], 0)
        # It had not come to its exec.
        self.assert_error("StartFailed", call=first.result)
        self.assert_error("NoSuchSession", call=second.result)
        # Its start was known to have failed when its status pipe closed; it is reaped a moment later.
        eventually(lambda: not self.reeve.processes(), 5, lambda: self.reeve.describe(self.reeve.processes()))

    def test_what_was_detached_thaws_with_the_end_of_the_session(self):
        """Nobody could thaw it any more."""
        job = self.bus.start(["sleep", "1000"], Session=self.name)
        self.bus.session(self.name, "Freeze")
        self.bus.job(job.id, "Detach")
        self.bus.close_session(self.name)
        eventually(lambda: not self.frozen_file(job.id), 5, "it is thawed")
        self.bus.kill(15, Id=job.id)
        self.assertEqual(self.bus.wait(job.id)[1]["Signal"], 15)

    def test_a_job_of_its_own(self):
        """Frozen by itself, it stays so when the session thaws."""
        one, two = (self.bus.start(["sleep", "1000"], Session=self.name) for _ in range(2))
        self.bus.job(one.id, "Freeze")
        self.assertEqual([self.frozen_file(job.id) for job in (one, two)], [True, False])
        self.assertEqual(self.bus.property("Frozen", one.id), True)
        self.bus.session(self.name, "Freeze")
        self.bus.session(self.name, "Thaw")
        self.assertEqual([self.frozen_file(job.id) for job in (one, two)], [True, False])
        self.bus.job(one.id, "Thaw")
        self.assertEqual([self.frozen_file(job.id) for job in (one, two)], [False, False])
        self.assertEqual(self.bus.property("Frozen", one.id), False)


class TestFrozenEnd(FreshCase):

    def test_shutdown(self):
        box = self.box()
        box.bus.open_session("ice")
        box.bus.start(["sleep", "1000"], Session="ice")
        box.bus.session("ice", "Freeze")
        box.bus.run_later("ice", "sleep 1000")
        box.bus.run_later("ice", "sleep 1000")
        box.bus.ping()
        with Stopwatch() as watch:
            self.assertEqual(box.stop(), 0)
        self.assertLess(watch.seconds, 9.9)
        box.no_leftovers()


class TestAccounting(SessionCase):

    def test_tasks(self):
        self.assertEqual(self.bus.session_property(self.name, "TasksCurrent"), 0)
        tree = self.bus.start(self.reeve.payload("tree", 3), Session=self.name)
        self.bus.wait_for_output(tree.id, b"ready")
        self.bus.start(["sleep", "1000"], Session=self.name)
        self.assertEqual(self.bus.session_property(self.name, "TasksCurrent"), 5)
        self.bus.stop({"Session": self.name})
        eventually(lambda: self.bus.session_property(self.name, "TasksCurrent") == 0, 5, "none is left")

    def test_cpu_of_what_is_gone(self):
        first = self.bus.session_property(self.name, "CPUUsageNSec")
        for _ in range(2):
            self.run_it(" ".join(self.reeve.payload("spin", 200)))
        used = self.bus.session_property(self.name, "CPUUsageNSec")
        self.assertGreaterEqual(used - first, 300 * 10 ** 6)
        self.assertEqual(self.bus.session_property(self.open(), "CPUUsageNSec"), 0)

    def test_memory_is_a_figure_or_not_known(self):
        self.bus.start(["sleep", "1000"], Session=self.name)
        for key in ("MemoryCurrent", "MemoryPeak"):
            value = self.bus.session_property(self.name, key)
            if "memory" in self.bus.property("Controllers"):
                self.assert_between(4096, value, 1 << 40)
            else:
                self.assertEqual(value, 2 ** 64 - 1)

    def test_control_group(self):
        job = self.bus.start(["sleep", "1000"], Session=self.name)
        group = self.bus.session_property(self.name, "ControlGroup")
        self.assertTrue(group.endswith(f"/{self.name}.slice"), group)
        self.assertEqual(self.bus.property("ControlGroup", job.id), f"{group}/{job.id}.scope")
        self.assertTrue(os.path.isdir(self.reeve.box + group))


class TestBounds(BoxCase):

    weight = 3

    def tearDown(self):
        for name in self.bus.sessions():
            if name not in ("default", "system"):
                self.bus.close_session(name, TimeoutStopUSec=0)
        super().tearDown()

    def test_sessions_without_end(self):
        """There is a bound, and at it those that are there work on."""
        self.bus.open_session("first")
        before = self.reeve.memory()
        refused, opened = None, 0
        while opened < 5000 and not refused:
            try:
                self.bus.open_session(f"n{opened}")
                opened += 1
            except DBusError as e:
                refused = e
        self.assertIsNotNone(refused, f"{opened} sessions were opened, and no end")
        self.assertEqual(refused.name, "org.freedesktop.DBus.Error.LimitsExceeded")
        self.assertEqual(len(self.bus.sessions()), 256)
        self.assert_memory(before, 64 * MIB)
        self.assertEqual(self.bus.run("first", "echo hi").stdout, b"hi\n")
        self.assert_error("LimitsExceeded", call=lambda: self.bus.exec(["true"], Session="one-more"))
        self.assertEqual(self.bus.open_session("first"), session_path("first"))
        self.bus.close_session("n0")
        self.bus.open_session("one-more")

    def test_an_environment_without_end(self):
        """100 KB a variable: refused some time, and the session works as before."""
        self.bus.open_session("large")
        before = self.reeve.memory()
        refused = None
        for i in range(2000):
            try:
                self.bus.set_environment("large", [f"V{i}=" + "x" * 100000])
            except DBusError as e:
                refused = e
                break
        self.assertIsNotNone(refused, "200 MB of environment were taken")
        self.assertEqual(refused.name, "org.freedesktop.DBus.Error.LimitsExceeded")
        self.assert_between(9, i, 10, "it is at 1 MiB that it is too much")
        self.assert_memory(before, 64 * MIB)
        self.assertEqual(self.bus.run("large", "echo ${#V0}").stdout, b"100000\n")

    def test_a_value_that_no_program_could_be_given(self):
        """exec takes 128 KiB a string. Refused; or else it can be taken back."""
        self.bus.open_session("wide")
        try:
            self.bus.set_environment("wide", ["V=" + "x" * 200000])
        except DBusError as e:
            self.assertIn(e.name.split(".")[-1], ("LimitsExceeded", "InvalidArgs"))
        else:
            self.assert_error("StartFailed", call=lambda: self.bus.run("wide", "echo hi"))
            self.bus.set_environment("wide", [], ["V"])
        self.assertEqual(self.bus.run("wide", 'echo "${V-none}"').stdout, b"none\n")

    def test_a_directory_without_end(self):
        self.bus.open_session("far")
        for directory in ("/" + "x" * 100000, "/" + "/".join("d" * 200 for _ in range(100))):
            try:
                self.bus.set_directory("far", directory)
            except DBusError as e:
                self.assertIn(e.name.split(".")[-1], ("LimitsExceeded", "InvalidArgs", "BadWorkingDirectory"))
            else:
                self.assert_error("BadWorkingDirectory", call=lambda: self.bus.run("far", "echo hi"))
                self.bus.set_directory("far", "/")
        self.assertEqual(self.bus.run("far", "pwd").stdout, b"/\n")

    def test_queued_runs_with_large_input(self):
        """16 MiB each: refused some time, and those that were taken are run."""
        self.bus.open_session("piped")
        first = self.bus.run_later("piped", "sleep 1000")
        options = {"StandardInput": "data", "StandardInputData": bytes(16 * MIB)}
        large = method_call(session_path("piped"), SESSION, "Run", "sa{sv}", ("wc -c", variants(options)))
        with self.reeve.connect() as other:
            for serial in range(1000, 1012):
                other.socket.sendall(large[:8] + struct.pack("<I", serial) + large[12:])
            other.ping()
            self.assert_error("LimitsExceeded", call=lambda: self.bus.run("piped", "wc -c", **options))
            last = self.bus.run_later("piped", "echo small")
            self.bus.stop({"Session": "piped"})
            self.assertEqual((first.result().result, last.result().stdout), ("signal", b"small\n"))
        self.bus.close_session("piped", TimeoutStopUSec=0)

    def test_an_opened_one_is_no_larger(self):
        for options in ({"Environment": ["A=" + "x" * MIB]}, {"WorkingDirectory": "/" + "x" * 4095}, {"Shell": "/" + "x" * 4095}):
            with self.assertRaises(DBusError) as caught:
                self.bus.open_session("huge", **options)
            self.assertIn(caught.exception.name.split(".")[-1], ("LimitsExceeded", "InvalidArgs"))
            self.assertIn(next(iter(options)), caught.exception.message)
        self.assertNotIn("huge", self.bus.sessions())

    def test_queued_runs(self):
        """1 024 waiting calls a connection, then LimitsExceeded; the session goes on with those that were taken."""
        self.bus.open_session("queue")
        with self.reeve.connect(match=False) as other:
            job = other.run_later("queue", "exec sleep 1000")
            eventually(lambda: self.bus.jobs(Session="queue"), 10, "the first runs")
            pending = [other.run_later("queue", "n=$((${n:-0}+1)); export n") for _ in range(1100)]
            eventually(lambda: sum(p.done() for p in pending) >= 77, 20, "those too many are answered")
            self.assertEqual({p.error.name for p in pending if p.done()}, {"org.freedesktop.DBus.Error.LimitsExceeded"})
            self.assertEqual(self.bus.sh("echo hi").stdout, b"hi\n")
            self.bus.kill(9, Session="queue")
            self.assertEqual(job.result().signal, 9)
            taken = [p for p in pending if p.event.wait(60) and not p.error]
            self.assertEqual(len(taken), 1023, {str(p.error) for p in pending})
            self.assertEqual(self.bus.run("queue", "echo $n").stdout, b"1023\n")

    def test_get_all_of_many(self):
        for i in range(50):
            self.bus.open_session(f"m{i}")
            self.bus.start(["sleep", "1000"], Session=f"m{i}", Id=f"m{i}")
        self.assertEqual(len(self.bus.sessions()), 52)
        for i in range(50):
            self.assertEqual(self.bus.session_property(f"m{i}", "Jobs"), [f"m{i}"])
            self.assertEqual(self.bus.property("Session", f"m{i}"), f"m{i}")

    def test_properties_interface(self):
        self.bus.open_session("p")
        value, = self.bus.call(session_path("p"), PROPERTIES, "Get", "ss", SESSION, "EnvironmentNames")
        self.assertEqual(value[0], "as")
