"""reeve on a message bus: what the private socket answers, by way of dbus-daemon and dbus-broker."""

import json
import os
import signal
import subprocess
import tempfile

from case import BoxCase, Stopwatch
from client import (Connection, DBUS, DBusError, JOB, MANAGER, NAME, PROPERTIES, ROOT, SESSION, V, authenticate, connect,
                    job_path, method_call)
from messagebus import MessageBus, wait_on_bus
from rig import Reeve, eventually, sanitized

MIB = 1 << 20
EXEC = ["call", "--", NAME, ROOT, MANAGER, "Exec", "asa{sv}"]


class MessageBusTests:
    """self.bus is a connection to the private socket, self.remote one by way of the message bus."""

    kind = None
    message_bus = None

    @classmethod
    def setUpClass(cls):
        cls.reeve = Reeve()
        cls.message_bus = MessageBus(cls.reeve, cls.kind)
        cls.reeve.args.append(f"--bus={cls.message_bus.address}")
        try:
            cls.reeve.start()
            cls.bus = cls.reeve.connect()
            cls.message_bus.start()
            wait_on_bus(cls.message_bus)
        except BaseException:
            cls.reeve.dump()
            cls.message_bus.kill()
            cls.reeve.destroy()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.message_bus.kill()
        super().tearDownClass()

    def setUp(self):
        self.before = self.reeve.fds()
        self.remote = Connection(self.message_bus.address)
        self.addCleanup(self.remote.close)

    def busctl(self, *args, user=None, ok=True):
        command = ["busctl", f"--address={self.message_bus.address}", *args]
        if user is not None:
            command = ["setpriv", f"--reuid={user}", "--clear-groups", *command]
        done = subprocess.run(command, capture_output=True, timeout=20, check=False, stdin=subprocess.DEVNULL, text=True)
        if ok:
            self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
            return done.stdout
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

    # -- the same as on the private socket

    def test_busctl(self):
        self.assertRegex(self.busctl("list"), rf"{NAME} +1 +[^ ]+ +root")
        self.assertIn("UID=0", self.busctl("status", NAME))
        answer = json.loads(self.busctl("--json=short", *EXEC, "3", "sh", "-c", "echo out; echo err >&2; exit 7", "1",
                                        "Text", "b", "true"))
        self.assertEqual(answer["data"][1:4], [7, 0, "exit-code"])
        self.assertEqual(answer["data"][6]["StderrText"]["data"], "err\n")
        self.assertEqual(self.busctl("get-property", NAME, ROOT, MANAGER, "State"), 's "running"\n')
        job = self.bus.start_sh("sleep 100")
        self.assertIn(job.path, self.busctl("tree", "--list", NAME).split())
        self.assertRegex(self.busctl("introspect", NAME, job.path), r'\.State +property +s +"running"')

    def test_introspection_is_that_of_the_socket(self):
        job = self.bus.start_sh("sleep 100")
        for path in (ROOT, f"{ROOT}/job", job.path):
            call = path, "org.freedesktop.DBus.Introspectable", "Introspect"
            self.assertEqual(self.remote.call(*call), self.bus.call(*call))
        self.assertEqual(self.remote.managed_objects().keys(), self.bus.managed_objects().keys())

    def test_calls(self):
        outcome = self.remote.sh("cat; exit 3", StandardInput="data", StandardInputData=b"\0\xff" * 1000)
        self.assert_outcome(outcome, "exit-code", 3)
        self.assertEqual(outcome.stdout, b"\0\xff" * 1000)
        self.assertEqual(self.remote.property("ExitCode", outcome.id), 3)
        self.remote.set_property("LogMaxBytes", "t", 48 * MIB)
        self.assertEqual(self.bus.property("LogMaxBytes"), 48 * MIB)
        job = self.remote.start_sh("sleep 100 & echo in the log; wait")
        self.remote.wait_for_output(job.id, b"in the log\n")
        ids, pids, remaining = self.remote.stop({"Id": job.id})
        self.assertEqual((ids, len(pids), remaining), ([job.id], 2, 0))

    def test_errors_keep_name_and_text(self):
        for call in ((ROOT, MANAGER, "GetJob", "s", "nix"),
                     (ROOT, MANAGER, "Exec", "asa{sv}", ["/no/such"], {}),
                     (ROOT, MANAGER, "Exec", "asa{sv}", ["true"], {"Nice": ("s", "much")}),
                     (ROOT, MANAGER, "Exec", "s", "true"),
                     (ROOT, MANAGER, "Frobnicate"),
                     (job_path("nix"), JOB, "Forget"),
                     ("/nowhere", MANAGER, "ListJobs", "a{sv}", {})):
            errors = []
            for connection in (self.bus, self.remote):
                with self.assertRaises(DBusError) as caught:
                    connection.call(*call)
                errors.append((caught.exception.name, caught.exception.message))
            self.assertEqual(*errors)

    def test_signals_are_those_of_the_socket(self):
        seen = []
        job = self.remote.start_sh("read x; exit 4", Id="told", StandardInput="null")
        for connection in (self.bus, self.remote):
            connection.wait_manager_signal("JobFinished", "told")
        self.bus.job("told", "Forget")
        for connection in (self.bus, self.remote):
            connection.wait_manager_signal("JobRemoved", "told")
            seen.append([s for s in list(connection.signals)
                         if s.path == job.path or (s.body and s.body[0] in ("told", job.path))])
        self.assertEqual(*seen)
        self.assertEqual([s.member for s in seen[0] if s.interface == MANAGER],
                         ["JobNew", "JobExited", "JobFinished", "JobRemoved"])
        self.assertIn("PropertiesChanged", [s.member for s in seen[1]])

    def test_by_its_unique_name(self):
        owner, = self.remote.call("/org/freedesktop/DBus", DBUS, "GetNameOwner", "s", NAME, destination=DBUS)
        self.remote.call(ROOT, "org.freedesktop.DBus.Peer", "Ping", destination=owner)

    def test_the_driver_of_the_socket_is_not_there(self):
        self.assert_error("UnknownObject", call=lambda: self.remote.call("/org/freedesktop/DBus", DBUS, "GetId"))
        self.assert_error("UnknownObject", call=lambda: self.remote.call(
            "/org/freedesktop/DBus", DBUS, "AddMatch", "s", "type='signal'"))

    def test_no_reply_expected(self):
        with connect(self.message_bus.address) as s:
            authenticate(s)
            s.sendall(method_call("/org/freedesktop/DBus", DBUS, "Hello", destination=DBUS, serial=1))
            s.recv(4096)
            s.sendall(method_call(ROOT, MANAGER, "Exec", "asa{sv}", (["true"], {"Id": ("s", "unasked")}), serial=2, flags=1))
            self.bus.wait_manager_signal("JobFinished", "unasked")

    def test_big_endian_caller(self):
        from jeepney.low_level import Endianness
        with connect(self.message_bus.address) as s:
            authenticate(s)
            s.sendall(method_call("/org/freedesktop/DBus", DBUS, "Hello", destination=DBUS, serial=1))
            s.recv(4096)
            s.sendall(method_call(ROOT, MANAGER, "Exec", "asa{sv}",
                                  (["cat"], {"Id": ("s", "swapped"), "Nice": ("i", 3), "StandardInput": ("s", "data"),
                                             "StandardInputData": ("ay", b"bytes")}),
                                  serial=2, endianness=Endianness.big))
            self.bus.wait_manager_signal("JobFinished", "swapped")
        self.assertEqual(self.bus.output("swapped")[0], b"bytes")

    # -- who may

    def test_other_users_are_denied(self):
        jobs = self.bus.job_ids()
        for _ in range(3):
            self.assertIn("Access denied", self.busctl(*EXEC, "1", "true", "0", user=4242, ok=False))
        # On one connection: the first call is kept while the bus is asked, the second is not.
        script = ("import sys; sys.path.insert(0, sys.argv[1])\n"
                  "from client import *\n"
                  "c = Connection(sys.argv[2])\n"
                  "for _ in range(3):\n"
                  "    try: c.ping()\n"
                  "    except DBusError as e: print(e.name, e.message)\n")
        done = subprocess.run(["setpriv", "--reuid=4242", "--clear-groups", "/usr/bin/python3", "-B", "-c", script,
                               os.path.dirname(__file__), self.message_bus.address],
                              capture_output=True, timeout=20, check=False, text=True)
        self.assertEqual(done.stdout.splitlines(),
                         ["org.freedesktop.DBus.Error.AccessDenied User 4242 may not call reeve"] * 3, done.stderr)
        self.assertEqual(self.bus.job_ids(), jobs)

    # -- many, much, and gone

    def test_200_calls_at_once(self):
        pending = [self.remote.exec_later(["sh", "-c", f"echo {i}"]) for i in range(200)]
        for i, p in enumerate(pending):
            self.assertEqual(p.result(60).stdout, b"%d\n" % i)

    def test_callers_at_once(self):
        callers = [Connection(self.message_bus.address, match=False) for _ in range(150)]
        try:
            pending = [caller.exec_later(["sh", "-c", f"echo {i}"]) for i, caller in enumerate(callers)]
            for i, p in enumerate(pending):
                self.assertEqual(p.result(60).stdout, b"%d\n" % i)
            self.assertGreater(self.reeve.fds(), self.before + 150)
        finally:
            for caller in callers:
                caller.close()
        self.check_descriptors_are_back()

    def test_more_callers_than_connections(self):
        """255 and the one that collects signals are all there may be; the private socket makes do with what is left."""
        callers = [Connection(self.message_bus.address, match=False) for _ in range(270)]
        denied = 0
        try:
            for caller in callers:
                try:
                    caller.ping()
                except DBusError as e:
                    self.assertTrue(e.name.endswith("LimitsExceeded"), e)
                    denied += 1
            self.assert_between(10, denied, 30)
            self.bus.ping()
        finally:
            for caller in callers:
                caller.close()
        self.check_descriptors_are_back()
        self.remote.ping()

    def test_large_messages(self):
        data = os.urandom(3 * MIB)
        outcome = self.remote.exec(["cat"], StandardInput="data", StandardInputData=data, LogMaxBytes=8 * MIB,
                                   OutputMaxBytes=8 * MIB)
        self.assertEqual(outcome.stdout, data)

    def test_much_from_a_stranger(self):
        """What the bus tells of him comes behind all that he has sent: no more than a part of that is held."""
        memory, peak = self.reeve.memory(), 0
        data = method_call(ROOT, MANAGER, "Nothing", "ay", [bytes(8 * MIB)], flags=1, serial=1000)
        self.reeve.signal(signal.SIGSTOP)
        try:
            for _ in range(4 if sanitized() else 40):
                self.remote.socket.sendall(data)
            last = self.remote.send(ROOT, "org.freedesktop.DBus.Peer", "Ping")
        finally:
            self.reeve.signal(signal.SIGCONT)
        while not last.done():
            peak = max(peak, self.reeve.memory())
        self.assertEqual(last.result(), ())
        if not sanitized():
            self.assertLess(peak, memory + 200 * MIB)

    def test_caller_that_vanishes(self):
        job = self.bus.start_sh("sleep 100")
        with Connection(self.message_bus.address) as other:
            waiting = [other.wait_later(job.id, "Finished") for _ in range(20)]
            other.ping()
            self.assertGreater(self.reeve.fds(), self.before)
            self.assertFalse(any(w.done() for w in waiting))
        self.bus.stop({"Id": job.id})
        self.bus.job(job.id, "Forget")
        self.check_descriptors_are_back()
        self.remote.ping()

    def test_too_many_calls_wait(self):
        job = self.bus.start_sh("sleep 100")
        waiting = [self.remote.wait_later(job.id, "Finished") for _ in range(1024)]
        self.assert_error("LimitsExceeded", call=lambda: self.remote.wait_later(job.id, "Finished").result(20))
        self.bus.stop({"Id": job.id}, TimeoutStopUSec=0)
        for w in waiting:
            self.assertEqual(w.result(20)[0], "Finished")

    def test_descriptor(self):
        """Not understood where none is due, and not kept."""
        fd = os.open("/dev/null", os.O_RDONLY)
        try:
            with self.assertRaises(DBusError):
                self.remote.exec(["true"], Description=V("h", fd))
        finally:
            os.close(fd)
        self.remote.ping()
        self.check_descriptors_are_back()

    def test_descriptors_both_ways(self):
        """A job's input and output, and a follower's pipe, through the bus; nothing of them stays with reeve."""
        self.remote.ping()
        with tempfile.TemporaryFile() as source:
            source.write(b"from a file\n")
            source.seek(0)
            out, into = os.pipe()
            outcome = self.remote.sh("cat; echo err >&2", StandardInputFileDescriptor=source.fileno(),
                                     StandardOutputFileDescriptor=into)
            os.close(into)
        with open(out, "rb") as f:
            self.assertEqual(f.read(), b"from a file\n")
        self.assertEqual((outcome.stdout, outcome.stderr), (b"", b"err\n"))
        job = self.remote.start_sh("echo one; read x; echo two", StandardInput="pipe")
        with open(self.remote.follow(job.id, Format="raw"), "rb", 0) as f:
            self.assertEqual(f.read(100), b"one\n")
            self.remote.job(job.id, "WriteInput", "ayb", b"x\n", True)
            self.assertEqual(f.read(100), b"two\n")
            self.assertEqual(f.read(100), b"")
        self.check_descriptors_are_back()

    def held_for(self, caller):
        """How many descriptors reeve holds for ten calls that wait, each with one."""
        caller.ping()
        before = self.reeve.fds()
        with open("/dev/null", "rb") as f:
            waiting = [caller.exec_later(["sleep", "100"], StandardInputFileDescriptor=f.fileno()) for _ in range(10)]
        eventually(lambda: len(self.bus.jobs(State="running")) == 10, 10, "all of them run")
        held = self.reeve.fds() - before
        self.bus.stop({"All": True}, TimeoutStopUSec=0)
        self.assertEqual([w.result().signal for w in waiting], [9] * 10)
        return held

    def test_descriptors_are_held_once(self):
        direct = self.held_for(self.bus)
        self.assertEqual(self.held_for(self.remote), direct)

    def test_jobs_that_end_with_their_caller(self):
        with Connection(self.message_bus.address) as other:
            job = other.start(["sleep", "100"], KillOnDisconnect=True)
            stays = other.start(["sleep", "100"])
        self.bus.wait_manager_signal("JobFinished", job.id)
        self.assertEqual(self.bus.job_ids(State="running"), [stays.id])

    def test_sessions(self):
        path, = self.remote.call(ROOT, MANAGER, "OpenSession", "sa{sv}", "by-bus", {})
        code, = self.remote.call(path, SESSION, "Run", "sa{sv}", "cd /tmp; exit 3", {})[1:2]
        self.assertEqual(code, 3)
        self.assertEqual(self.remote.call(path, PROPERTIES, "Get", "ss", SESSION, "WorkingDirectory")[0][1], "/tmp")
        self.bus.call(ROOT, MANAGER, "CloseSession", "sa{sv}", "by-bus", {})

    def forget_all(self):
        for id in self.bus.job_ids(State="finished"):
            try:
                self.bus.job(id, "Forget")
            except DBusError as e:
                if not e.name.endswith("UnknownObject"): # its time was over
                    raise

    def check_descriptors_are_back(self):
        """But for those of self.remote, if it has called, and of the logs of jobs that are kept."""
        self.remote.close()
        self.forget_all()
        eventually(lambda: self.reeve.fds() <= self.before, 10, lambda: f"{self.before} descriptors: {self.reeve.fds()}")
        self.remote = Connection(self.message_bus.address)
        self.addCleanup(self.remote.close)

    # -- a bus with troubles of its own

    def test_stopped_bus(self):
        """It reads nothing for a while: PID 1 goes on, and is no larger for it; then the bus goes on, and nothing is missing."""
        memory = self.reeve.memory()
        late = [self.remote.exec_later(["true"]) for _ in range(5)]
        self.message_bus.signal(signal.SIGSTOP)
        try:
            pending = [self.bus.exec_later(["true"], Description="y" * 1000) for _ in range(600)]
            for p in pending:
                self.assertEqual(p.result(60).exit_code, 0)
            with Stopwatch() as watch:
                self.bus.ping()
            self.assertLess(watch.seconds, 10)
        finally:
            self.message_bus.signal(signal.SIGCONT)
        self.forget_all()
        self.assert_memory(memory, 32 * MIB, timeout=10)
        wait_on_bus(self.message_bus)
        for p in late:
            self.assertEqual(p.result(30).exit_code, 0)
        self.bus.exec(["true"], Id="after")
        self.remote.wait_manager_signal("JobFinished", "after", timeout=20)
        with Connection(self.message_bus.address) as c:
            self.assertEqual(c.sh("exit 5").exit_code, 5)

    def test_zz_restarted_bus(self):
        """The last one: it takes the connections of the class along."""
        for _ in range(2):
            self.message_bus.kill()
            eventually(lambda: self.reeve.fds() < self.before, 10, "the connections are closed")
            self.assertEqual(self.bus.sh("exit 3").exit_code, 3)
            self.message_bus.start()
            wait_on_bus(self.message_bus)
            with Connection(self.message_bus.address) as c:
                self.assertEqual(c.sh("exit 5").exit_code, 5)


class TestDbusDaemon(MessageBusTests, BoxCase):
    kind = "dbus-daemon"


class TestDbusBroker(MessageBusTests, BoxCase):
    kind = "dbus-broker"
