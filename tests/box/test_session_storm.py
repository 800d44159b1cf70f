"""Sessions at bad moments: closed, killed, frozen, asked and changed while a Run begins, runs and ends; and all of it at once."""

import random
import threading
import time

from case import BoxCase, FreshCase
from client import ERROR, DBusError, MSEC
from rig import eventually
from session import SessionCase

# What may be answered when somebody else closes, kills or ends what one asks for.
FAIR = {ERROR + name for name in ("NoSuchSession", "NoSuchJob", "NoSuchProcess", "SessionExists", "BadWorkingDirectory")} | {
    "org.freedesktop.DBus.Error.UnknownObject", "org.freedesktop.DBus.Error.LimitsExceeded"}


def is_fair(e):
    """Also: it was ended before its exec; then there is no job."""
    return getattr(e, "name", "") in FAIR or (getattr(e, "name", "") == ERROR + "StartFailed" and "stopped before" in e.message)


class TestMoments(SessionCase):

    weight = 2

    def answered(self, *pending):
        """Each is answered, well or with a fair error; the answers."""
        out = []
        for p in pending:
            self.assertTrue(p.event.wait(30), f"{p.what} is never answered")
            if p.error:
                self.assertTrue(is_fair(p.error), p.error)
            out.append(None if p.error else p.result())
        return out

    def test_close(self):
        for i in range(60):
            name = self.open()
            runs = [self.bus.run_later(name, "cd /usr; sleep 1000 & exit 3") for _ in range(3)]
            time.sleep(i * 0.0004)      # the moment is what is varied
            closing = self.bus.close_session_later(name, TimeoutStopUSec=500 * MSEC)
            *_, closed = self.answered(*runs, closing)
            self.assertEqual(closed[2], 0)
            self.assertNotIn(name, self.bus.sessions())
        eventually(lambda: not self.reeve.processes(), 5, lambda: self.reeve.describe(self.reeve.processes()))

    def test_kill(self):
        for i in range(60):
            first, second = self.bus.run_later(self.name, "cd /usr; exit 3"), self.bus.run_later(self.name, "pwd")
            time.sleep(i * 0.0003)      # the moment is what is varied
            self.bus.kill(9, Session=self.name)
            one, two = self.answered(first, second)
            self.assertIn((one.exit_code, one.signal, one.details["StateKept"]), ((3, 0, True), (-1, 9, False), (3, 0, False)))
            if two.exit_code == 0:
                self.assertEqual(two.stdout, b"/usr\n" if one.details["StateKept"] else b"/\n")
            self.bus.set_directory(self.name, "/")

    def test_stop(self):
        for i in range(40):
            first, second = self.bus.run_later(self.name, "sleep 1000"), self.bus.run_later(self.name, "echo second")
            time.sleep(i * 0.0003)      # the moment is what is varied
            self.bus.stop({"Session": self.name}, TimeoutStopUSec=0)
            eventually(lambda: first.done() or self.bus.stop({"Session": self.name}, TimeoutStopUSec=0) is None, 10, "the first is ended")
            self.answered(first, second)

    def test_freeze(self):
        for i in range(40):
            first, second = self.bus.run_later(self.name, "export A=1; exit 3"), self.bus.run_later(self.name, "echo $A")
            time.sleep(i * 0.0003)      # the moment is what is varied
            self.bus.session(self.name, "Freeze")
            self.bus.ping()
            self.bus.session(self.name, "Thaw")
            one, two = self.answered(first, second)
            self.assertEqual((one.exit_code, two.stdout), (3, b"1\n"))

    def test_changes(self):
        """What is set while a Run is under way is not lost, and neither is what the Run leaves."""
        for i in range(40):
            first = self.bus.run_later(self.name, f"export R{i}=1")
            time.sleep(i * 0.0003)      # the moment is what is varied
            self.bus.set_environment(self.name, [f"S{i}=1"])
            self.answered(first)
        names = set(self.bus.session_property(self.name, "EnvironmentNames"))
        self.assertEqual({f"{kind}{i}" for kind in "RS" for i in range(40)} - names, set())

    def test_timeouts(self):
        """The time is up when the command ends: one or the other, and the session agrees with what was said."""
        for i in range(40):
            outcome = self.run_it("cd /usr; sleep 0.02", RuntimeMaxUSec=10 * MSEC + i * 1000)
            self.assertIn((outcome.result, outcome.details["StateKept"]), (("success", True), ("timeout", False), ("success", False)))
            self.assertEqual(self.directory(), "/usr" if outcome.details["StateKept"] else "/")
            self.bus.set_directory(self.name, "/")

    def test_detach(self):
        for i in range(30):
            name = self.open()
            job = self.bus.start(["sleep", "0.02"], Session=name)
            time.sleep(i * 0.001)       # the moment is what is varied
            self.bus.job(job.id, "Detach")
            self.bus.close_session(name, TimeoutStopUSec=0)
            self.bus.wait(job.id)
            self.assertEqual(self.bus.property("ExitCode", job.id), 0)


class TestStorm(BoxCase):

    weight = 3
    options = {"args": ["--max-finished=50"]}

    def worker(self, seed, problems):
        chance = random.Random(seed)
        try:
            with self.reeve.connect(match=seed % 2 == 0) as bus:
                for _ in range(120):
                    try:
                        self.step(bus, chance)
                    except DBusError as e:
                        if not is_fair(e):
                            raise
        except BaseException as e:      # pylint: disable=broad-except
            problems.append((seed, repr(e)))

    def step(self, bus, chance):
        name = f"n{chance.randrange(4)}"
        kind = chance.randrange(14)
        if kind == 0:
            bus.open_session(name, **chance.choice(({}, {"UMask": 0o27}, {"Shell": "/bin/bash"})))
        elif kind == 1:
            bus.close_session(name, TimeoutStopUSec=chance.choice((0, 100 * MSEC)))
        elif kind < 6:
            bus.run(name, chance.choice((
                "cd /usr", "export A=1", "sleep 0.01 & exit 3", "kill -9 $$", "if", "mkdir -p /tmp/z; cd /tmp/z; rmdir /tmp/z",
                "sleep 1000 & exit 0", "exec true", "head -c 100000 /dev/zero", "cd /")), KillOnDisconnect=chance.random() < 0.5)
        elif kind == 6:
            for _ in range(chance.randrange(8)):
                bus.run_later(name, "echo x; cd /", RuntimeMaxUSec=chance.choice((1000, 10000, 10 ** 7)))
        elif kind == 7:
            bus.exec(["true"], Session=name)
        elif kind == 8:
            id = bus.start(["sleep", "1000"], Session=name, KillOnDisconnect=chance.random() < 0.5).id
            if chance.random() < 0.5:
                bus.job(id, "Detach")
        elif kind == 9:
            bus.kill(chance.choice((9, 15, 28)), Session=name)
        elif kind == 10:
            bus.stop({"Session": name, "Pattern": "sleep"}, TimeoutStopUSec=0)
        elif kind == 11:
            bus.session(name, "Freeze")
            bus.session(name, "Thaw")
        elif kind == 12:
            bus.set_directory(name, chance.choice(("/", "/tmp")))
            bus.set_environment(name, [f"V{chance.randrange(9)}=x"], [f"V{chance.randrange(9)}"])
        else:
            bus.sessions()
            bus.session_properties(name)
            bus.managed_objects()

    def test_all_at_once(self):
        problems = []
        threads = [threading.Thread(target=self.worker, args=(seed, problems)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(80)
        self.assertEqual([thread for thread in threads if thread.is_alive()], [], "some never got an answer")
        self.assertEqual(problems, [])
        for name in self.bus.sessions():
            if name != "system":
                self.assertEqual(self.bus.close_session(name, TimeoutStopUSec=0)[2], 0)
        self.bus.stop({"All": True}, TimeoutStopUSec=0)
        eventually(lambda: not self.reeve.processes(), 10, lambda: self.reeve.describe(self.reeve.processes()))
        self.assertEqual(set(self.bus.sessions()), {"default", "system"})
        self.assertEqual(self.bus.run("default", "cd /usr; pwd").stdout, b"/usr\n")


class TestElsewhere(FreshCase):
    """Sessions where reeve finds less than it would like."""

    def story(self, box):
        bus = box.bus
        bus.open_session("s", Environment=["A=1"])
        self.assertIs(bus.run("s", "cd /usr; export B=2; umask 077").details["StateKept"], True)
        self.assertEqual(bus.run("s", 'pwd; echo "$A$B"').stdout, b"/usr\n12\n")
        self.assertEqual(bus.run("s", "kill -9 $$").signal, 9)
        left = bus.run("s", "sleep 1000 & echo $!")
        self.assertTrue(bus.property("Running", left.id))
        self.assertIn(left.id, bus.close_session("s")[0])
        eventually(lambda: not bus.property("Running", left.id), 10, "what was left is ended")
        self.assertNotIn("s", bus.sessions())
        self.assertEqual(box.stop(), 0)
        box.no_leftovers()

    def test_no_cgroup_tree(self):
        box = self.box(read_only_cgroup=True)
        self.assertEqual(box.bus.property("Containment"), "process-tree")
        for member in ("Freeze", "Thaw"):
            self.assert_error("NotSupported", call=lambda member=member: box.bus.session("default", member))
        self.story(box)

    def test_not_as_pid_1(self):
        self.story(self.box(pid_namespace=False))

    def test_beside_a_main_job(self):
        """The main job's session is "system", and it stays what it is."""
        box = self.box("--", "/bin/sleep", "1000")
        self.assertEqual(box.bus.property("Session", "main"), "system")
        self.assertIn("main", box.bus.session_property("system", "Jobs"))
        self.assert_error("AccessDenied", call=lambda: box.bus.close_session("system"))
        box.bus.run("default", "cd /usr; sleep 1000 &")
        self.assertEqual(len(box.bus.close_session("default")[0]), 1)
        self.assertEqual(box.bus.property("State", "main"), "running")

    def test_little_room_for_descriptors(self):
        """Runs until there are no descriptors left: typed errors, and afterwards all is well."""
        box = self.box(rlimits={"nofile": "60:60"})
        box.bus.open_session("s")
        outcomes = []
        for _ in range(40):
            try:
                outcomes.append(box.bus.run("s", "sleep 1000 &").result)
            except DBusError as e:
                outcomes.append(e.name)
        self.assertIn("success", outcomes)
        self.assertTrue(set(outcomes) <= {"success", ERROR + "StartFailed", "org.freedesktop.DBus.Error.LimitsExceeded"}, set(outcomes))
        box.bus.stop({"All": True}, TimeoutStopUSec=0)
        for id in box.bus.job_ids(State="finished"):
            box.bus.job(id, "Forget")
        self.assertEqual(box.bus.run("s", "cd /usr; pwd").stdout, b"/usr\n")
