"""The D-Bus clients that people have: busctl, dbus-send, gdbus, jeepney; outside of the PID namespace and inside."""

import json
import os
import re
import subprocess
import xml.etree.ElementTree as xml

from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection

from case import BoxCase
from client import (DBUS, DBUS_ERROR, DBusError, Endianness, JOB, MANAGER, NAME, ROOT, authenticate, connect,
                    method_call)
from rig import SOURCE, eventually, socket_mode

# The "--" is busctl's: without it "-c" is taken for an option of its own.
EXEC = ["call", "--", NAME, ROOT, MANAGER, "Exec", "asa{sv}", "3", "sh", "-c"]


class Clients(BoxCase):

    def busctl(self, *args, inside=False, timeout=20):
        command = ["busctl", f"--address={self.reeve.address}", *args]
        if inside:
            done = self.reeve.run_inside(command, timeout)
        else:
            done = subprocess.run(command, capture_output=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, f"{command}: {done.stderr.decode()}")
        return done.stdout.decode()


class TestBusctl(Clients):

    def check_exec(self, inside):
        text = self.busctl("--json=short", *EXEC, "echo out; echo err >&2; exit 7", "0", inside=inside)
        answer = json.loads(text)
        self.assertEqual(answer["type"], "siisayaya{sv}")
        id, code, signal, result, out, err, details = answer["data"]
        self.assertRegex(id, r"^j[0-9]+$")
        self.assertEqual((code, signal, result), (7, 0, "exit-code"))
        self.assertEqual((bytes(out), bytes(err)), (b"out\n", b"err\n"))
        self.assertEqual(details["StdoutBytes"], {"type": "t", "data": 4})

    def test_exec_from_outside(self):
        self.check_exec(inside=False)

    def test_exec_from_inside(self):
        self.check_exec(inside=True)

    def test_exec_plain_text(self):
        """The very line of the documents, with busctl's own output."""
        text = self.busctl(*EXEC, "echo out; echo err >&2; exit 7", "0")
        self.assertRegex(text, r'^siisayaya\{sv\} "j[0-9]+" 7 0 "exit-code" 4 111 117 116 10 4 101 114 114 10 ')

    def test_exec_text(self):
        text = self.busctl(*EXEC, "echo schön; echo schade >&2", "1", "Text", "b", "true")
        self.assertIn('"StdoutText" s "schön\\n"', text.replace("sch\\303\\266n", "schön"))
        self.assertIn('"StderrText" s "schade\\n"', text)

    def test_tree(self):
        job = self.bus.start_sh("sleep 100")
        paths = self.busctl("tree", "--list", NAME).split()
        self.assertIn(ROOT, paths)
        self.assertIn(job.path, paths)

    def test_list(self):
        self.assertIn(NAME, self.busctl("list"))

    def test_introspect(self):
        text = self.busctl("introspect", NAME, ROOT)
        for line in (r"org\.reeve1\.Manager +interface", r"\.Exec +method +asa\{sv\} +siisayaya\{sv\}",
                     r"\.JobFinished +signal +ss", r"\.Containment +property +s +\"cgroup\"",
                     r"\.LogMaxBytes +property +t +\d+ .*writable", r"org\.freedesktop\.DBus\.ObjectManager +interface",
                     r"org\.freedesktop\.DBus\.Peer +interface", r"org\.freedesktop\.DBus\.Properties +interface"):
            self.assertRegex(text, line)
        job = self.bus.start_sh("sleep 100")
        text = self.busctl("introspect", NAME, job.path)
        for line in (r"org\.reeve1\.Job +interface", r"\.GetOutput +method +a\{sv\} +ayaya\{sv\}",
                     r"\.State +property +s +\"running\"", r"\.PID +property +u +\d+"):
            self.assertRegex(text, line)

    def test_get_property(self):
        self.assertEqual(self.busctl("get-property", NAME, ROOT, MANAGER, "State"), 's "running"\n')
        outcome = self.bus.sh("exit 3")
        path = f"{ROOT}/job/{outcome.id}"
        self.assertEqual(self.busctl("get-property", NAME, path, JOB, "Result", "ExitCode"), 's "exit-code"\ni 3\n')

    def test_set_property(self):
        before = self.bus.property("LogMaxBytes")
        self.addCleanup(self.bus.set_property, "LogMaxBytes", "t", before)
        self.busctl("set-property", NAME, ROOT, MANAGER, "LogMaxBytes", "t", "33554432")
        self.assertEqual(self.bus.property("LogMaxBytes"), 33554432)

    def test_monitor(self):
        """busctl monitor shows signals as they come, and ends with us, not before."""
        monitor = subprocess.Popen(["busctl", f"--address={self.reeve.address}", "--json=short", "monitor"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            os.set_blocking(monitor.stdout.fileno(), False)
            seen = b""
            def more():
                nonlocal seen
                self.bus.sh("true", Description="for the monitor")
                seen += monitor.stdout.read() or b""
                return b'"member":"JobFinished"' in seen
            eventually(more, 10, lambda: f"the monitor sees JobFinished: {seen[-1000:]}")
            self.assertIsNone(monitor.poll())
        finally:
            monitor.kill()
            monitor.communicate()

    def test_wait_for_signal_of_a_job(self):
        """A monitor with a match."""
        monitor = subprocess.Popen(["busctl", f"--address={self.reeve.address}", "--json=short", "monitor",
                                    "--match=type='signal',member='JobNew'"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            os.set_blocking(monitor.stdout.fileno(), False)
            seen = b""
            def more():
                nonlocal seen
                self.bus.sh("true")
                seen += monitor.stdout.read() or b""
                return b'"member":"JobNew"' in seen
            eventually(more, 10, lambda: f"the monitor sees JobNew: {seen[-1000:]}")
        finally:
            monitor.kill()
            monitor.communicate()

    def test_errors_are_readable(self):
        done = subprocess.run(["busctl", f"--address={self.reeve.address}", "call", NAME, ROOT, MANAGER, "GetJob", "s", "nix"],
                              capture_output=True, timeout=20, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"nix", done.stderr)

    def test_system_bus_address(self):
        """With DBUS_SYSTEM_BUS_ADDRESS no --address= is needed."""
        done = subprocess.run(["busctl", "get-property", NAME, ROOT, MANAGER, "Version"], timeout=20, check=True,
                              capture_output=True, env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.reeve.address))
        self.assertEqual(done.stdout.decode(), f's "{self.bus.property("Version")}"\n')


class TestDbusSend(Clients):

    def dbus_send(self, *args, how="--bus", inside=False):
        command = ["dbus-send", f"{how}={self.reeve.address}", f"--dest={NAME}", "--print-reply", "--type=method_call",
                   "--reply-timeout=10000", *args]
        if inside:
            return self.reeve.run_inside(command)
        return subprocess.run(command, capture_output=True, timeout=20, check=False)

    def test_forty_in_a_row(self):
        """What a lost first message after BEGIN looks like is a hang, in a third of all runs."""
        for i in range(40):
            done = self.dbus_send(ROOT, "org.freedesktop.DBus.Properties.Get", f"string:{MANAGER}", "string:State")
            self.assertEqual(done.returncode, 0, f"run {i}: {done.stderr.decode()}")
            self.assertIn(b'string "running"', done.stdout)

    def test_forty_in_a_row_with_peer(self):
        for i in range(40):
            done = self.dbus_send(ROOT, "org.freedesktop.DBus.Peer.Ping", how="--peer")
            self.assertEqual(done.returncode, 0, f"run {i}: {done.stderr.decode()}")

    def test_forty_at_once_with_address(self):
        command = ["dbus-send", f"--address={self.reeve.address}", f"--dest={NAME}", "--print-reply",
                   "--reply-timeout=10000", ROOT, "org.freedesktop.DBus.Peer.Ping"]
        many = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(40)]
        for one in many:
            _, err = one.communicate(timeout=30)
            self.assertEqual(one.returncode, 0, err.decode())

    def test_inside(self):
        done = self.dbus_send(ROOT, "org.freedesktop.DBus.Peer.GetMachineId", inside=True)
        # There may be no machine id in a container: an answer it must be, and at once.
        self.assertIn(done.returncode, (0, 1), done.stderr.decode())
        self.assertNotIn(b"NoReply", done.stderr)
        done = self.dbus_send(ROOT, f"{MANAGER}.GetJobByPID", "uint32:1", inside=True)
        self.assertIn(b"NoSuchProcess", done.stderr)


class TestGdbus(Clients):

    def gdbus(self, verb, *args):
        return subprocess.run(["gdbus", verb, "--address", self.reeve.address, "-d", NAME, *args],
                              capture_output=True, timeout=20, check=False)

    def test_call(self):
        done = self.gdbus("call", "-o", ROOT, "-m", f"{MANAGER}.Exec", "['sh', '-c', 'echo hello; exit 3']", "{'Text': <true>}")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertRegex(done.stdout.decode(), r"^\('j\d+', 3, 0, 'exit-code', ")
        self.assertIn("'StdoutText': <'hello\\n'>", done.stdout.decode())

    def test_introspect(self):
        done = self.gdbus("introspect", "-o", ROOT, "--recurse")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn(b"interface org.reeve1.Manager", done.stdout)

    def test_monitor(self):
        """gdbus drops signals without the sender that it asked for."""
        monitor = subprocess.Popen(["gdbus", "monitor", "--address", self.reeve.address, "-d", NAME],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            os.set_blocking(monitor.stdout.fileno(), False)
            seen = b""
            def more():
                nonlocal seen
                self.bus.sh("true")
                seen += monitor.stdout.read() or b""
                return b"org.reeve1.Manager.JobFinished" in seen
            eventually(more, 10, lambda: f"gdbus monitor shows JobFinished: {seen[-1000:]}")
        finally:
            monitor.kill()
            monitor.communicate()


class TestJeepney(Clients):

    def test_call(self):
        with open_dbus_connection(self.reeve.address) as connection:
            manager = DBusAddress(ROOT, bus_name=NAME, interface=MANAGER)
            message = new_method_call(manager, "Exec", "asa{sv}", (["sh", "-c", "echo out; exit 9"], {}))
            reply = connection.send_and_get_reply(message, timeout=10)
            self.assertEqual(reply.body[1:5], (9, 0, "exit-code", b"out\n"))


class TestDirectConnection(Clients):
    """What a message bus would do for its clients."""

    def driver(self, member, signature="", *args):
        return self.bus.call("/org/freedesktop/DBus", DBUS, member, signature, *args, destination=DBUS)

    def test_driver(self):
        self.assertRegex(self.bus.unique_name, r"^:[0-9]+\.[0-9]+$|^:[A-Za-z0-9._-]+$")
        names, = self.driver("ListNames")
        self.assertIn(NAME, names)
        self.assertIn(DBUS, names)
        self.assertEqual(self.driver("NameHasOwner", "s", NAME), (True,))
        self.assertEqual(self.driver("NameHasOwner", "s", "org.example.Nobody"), (False,))
        self.assertTrue(self.driver("GetNameOwner", "s", NAME)[0].startswith(":"))
        self.assert_error("NameHasNoOwner", call=lambda: self.driver("GetNameOwner", "s", "org.example.Nobody"))
        self.assertRegex(self.driver("GetId")[0], "^[0-9a-f]{32}$")

    def test_two_connections_have_two_names(self):
        with self.reeve_connection() as other:
            self.assertNotEqual(other.unique_name, self.bus.unique_name)

    def reeve_connection(self):
        return self.reeve.connect()

    def test_sender_of_signals_is_the_owner_of_the_name(self):
        owner, = self.driver("GetNameOwner", "s", NAME)
        # By its unique name it answers, too.
        self.bus.call(ROOT, "org.freedesktop.DBus.Peer", "Ping", destination=owner)

    def test_request_name_is_refused(self):
        with self.assertRaises(DBusError):
            self.driver("RequestName", "su", "org.example.Mine", 0)

    def test_no_destination(self):
        self.bus.call(ROOT, "org.freedesktop.DBus.Peer", "Ping", destination=None)

    def test_foreign_destination(self):
        self.assert_error("ServiceUnknown", call=lambda: self.bus.call(
            ROOT, MANAGER, "ListJobs", "a{sv}", {}, destination="org.example.Other"))

    def test_forged_sender(self):
        for sender in ("org.freedesktop.DBus", ":1.0", ":1.424242", NAME):
            jobs, = self.bus.send(ROOT, MANAGER, "ListJobs", "a{sv}", {}, sender=sender).result(10)
            self.assertIsInstance(jobs, list)

    def test_unknown_things(self):
        self.assert_error("UnknownObject", call=lambda: self.bus.call("/nowhere", MANAGER, "ListJobs", "a{sv}", {}))
        self.assert_error("UnknownMethod", call=lambda: self.bus.call(ROOT, MANAGER, "Frobnicate"))
        with self.assertRaises(DBusError) as caught:
            self.bus.call(ROOT, "org.example.Iface", "Frobnicate")
        self.assertIn(caught.exception.name, (DBUS_ERROR + "UnknownInterface", DBUS_ERROR + "UnknownMethod"))
        self.assert_error("InvalidArgs", call=lambda: self.bus.call(ROOT, MANAGER, "Exec", "s", "true"))

    def test_hello_in_the_read_of_begin(self):
        """A client that pipelines everything, from AUTH to its call, in one write."""
        with connect(self.reeve.address) as s:
            s.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"
                      + method_call("/org/freedesktop/DBus", DBUS, "Hello", destination=DBUS, serial=1)
                      + method_call(ROOT, "org.freedesktop.DBus.Peer", "Ping", serial=2))
            data = b""
            # Two replies: each carries its own reply serial in a field (5, signature u).
            while not all(b"\x05\x01u\x00" + bytes([n, 0, 0, 0]) in data for n in (1, 2)):
                chunk = s.recv(65536)
                self.assertTrue(chunk, f"hung up after {data}")
                data += chunk

    def test_big_endian_client(self):
        with connect(self.reeve.address) as s:
            authenticate(s)
            for serial, message in enumerate((("/org/freedesktop/DBus", DBUS, "Hello", "", (), DBUS),
                                              (ROOT, MANAGER, "Exec", "asa{sv}", (["true"], {"Nice": ("i", 3)}), NAME)), 1):
                path, interface, member, signature, body, destination = message
                s.sendall(method_call(path, interface, member, signature, body, destination=destination, serial=serial,
                                      endianness=Endianness.big))
            data = b""
            while b"success\0" not in data:
                chunk = s.recv(65536)
                self.assertTrue(chunk, f"hung up after {data}")
                data += chunk

    def test_no_reply_expected(self):
        """Then none comes; the command runs."""
        with connect(self.reeve.address) as s:
            authenticate(s)
            s.sendall(method_call("/org/freedesktop/DBus", DBUS, "Hello", destination=DBUS, serial=1))
            s.recv(4096)
            s.sendall(method_call(ROOT, MANAGER, "Exec", "asa{sv}", (["true"], {"Id": ("s", "quiet")}), serial=2, flags=1))
            s.sendall(method_call(ROOT, MANAGER, "GetJob", "s", ("nix",), serial=3, flags=1))
            self.bus.wait_manager_signal("JobFinished", "quiet")
            s.sendall(method_call(ROOT, "org.freedesktop.DBus.Peer", "Ping", serial=4))
            data = s.recv(65536)
            for serial, there in ((2, False), (3, False), (4, True)):
                self.assertEqual(b"\x05\x01u\x00" + bytes([serial, 0, 0, 0]) in data, there, serial)

    def test_anonymous_of_an_allowed_uid(self):
        """A client in another PID namespace is refused EXTERNAL by some: ANONYMOUS has to do; its uid is the kernel's word."""
        with connect(self.reeve.address) as s:
            self.assertRegex(authenticate(s, "ANONYMOUS " + b"box test".hex())[0], "^[0-9a-f]{32}$")


class TestSocket(Clients):

    def test_mode(self):
        path = self.reeve.address.split("=", 1)[1]
        self.assertEqual(socket_mode(path), 0o600)

    def test_other_users_stay_out(self):
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "busctl",
                               f"--address={self.reeve.address}", "call", NAME, ROOT, "org.freedesktop.DBus.Peer", "Ping"],
                              capture_output=True, timeout=20, check=False)
        self.assertNotEqual(done.returncode, 0)


class TestContract(Clients):
    """The XML that is the contract, as far as this reeve claims to go, and what introspection says."""

    folder = f"{SOURCE}/src/bus"

    def introspect(self, path):
        text, = self.bus.call(path, "org.freedesktop.DBus.Introspectable", "Introspect")
        return xml.fromstring(text)

    @staticmethod
    def members(interface):
        """{(kind, name): its types}"""
        out = {}
        for node in interface:
            if node.tag == "property":
                out["property", node.get("name")] = (node.get("type"), node.get("access"))
            elif node.tag in ("method", "signal"):
                out[node.tag, node.get("name")] = tuple(
                    (arg.get("direction") or ("out" if node.tag == "signal" else "in"), arg.get("type"))
                    for arg in node.findall("arg"))
        return out

    def check(self, path, interface):
        there = {node.get("name"): self.members(node) for node in self.introspect(path).findall("interface")}
        self.assertIn(interface, there)
        contract = None
        for folder in (self.folder, f"{os.path.dirname(SOURCE)}/shared/interface"):
            if os.path.exists(f"{folder}/{interface}.xml"):
                contract = self.members(xml.parse(f"{folder}/{interface}.xml").getroot().find("interface"))
                break
        self.assertIsNotNone(contract, f"the XML of {interface} is nowhere")
        for key, types in there[interface].items():
            self.assertIn(key, contract, f"{interface} has what the contract has not")
            self.assertEqual(types, contract[key], f"{interface} {key}")
        return there[interface]

    def test_manager(self):
        there = self.check(ROOT, MANAGER)
        for name in "Exec Start ListJobs GetJob GetJobByPID Kill Stop Shutdown".split():
            self.assertIn(("method", name), there)
        for name in "JobNew JobExited JobFinished JobRemoved".split():
            self.assertIn(("signal", name), there)
        for name in ("Version State Containment ControlGroup Controllers NJobs NRunning NReaped NOrphansReaped LogBytes "
                     "LogMaxBytes StartTimestamp").split():
            self.assertIn(("property", name), there)

    def test_job(self):
        job = self.bus.start_sh("sleep 100")
        there = self.check(job.path, JOB)
        for name in "Kill Stop GetOutput ReadLog Wait Forget".split():
            self.assertIn(("method", name), there)
        for name in ("Id Session Unit Description Labels Command WorkingDirectory User State Running Frozen Result PID "
                     "ExitCode Signal NRestarts StartTimestamp ExitTimestamp FinishTimestamp ControlGroup TasksCurrent "
                     "CPUUsageNSec CPUUserNSec CPUSystemNSec MemoryCurrent MemoryPeak IOReadBytes IOWriteBytes OOMKills "
                     "LogBytes LogLostBytes LogLostRecords LogMaxBytes LogCursor").split():
            self.assertIn(("property", name), there)

    def test_jobs_are_children_of_their_folder(self):
        job = self.bus.start_sh("sleep 100")
        names = [node.get("name") for node in self.introspect(f"{ROOT}/job").findall("node")]
        self.assertIn(re.sub(".*/", "", job.path), names)
