"""Peers that misbehave: everybody else is served, memory is bounded, and nothing is left of them."""

import contextlib
import fcntl
import os
import socket
import struct
import termios
import time

from case import BoxCase, Stopwatch
from client import (DBUS, DBUS_ERROR, DBusError, Disconnected, HeaderFields, MANAGER, ROOT, authenticate, connect, job_path,
                    method_call)
from rig import eventually

MIB = 1 << 20


class TestPeers(BoxCase):

    def setUp(self):
        self.bus.exec(["true"])
        self.bus.ping()
        eventually(lambda: not self.reeve.scopes(), 5, "quiet")
        self.before = self.reeve.fds(), self.reeve.memory()

    def peer(self, authenticated=True):
        s = connect(self.reeve.address)
        self.addCleanup(s.close)
        if authenticated:
            authenticate(s)
        return s

    def hello(self):
        s = self.peer()
        s.sendall(method_call("/org/freedesktop/DBus", DBUS, "Hello", destination=DBUS, serial=1))
        s.recv(4096)
        return s

    def check_others_are_served(self):
        with Stopwatch() as watch:
            self.bus.ping()
            with self.reeve.connect() as new:
                outcome = new.sh("echo out; exit 3")
        self.assert_outcome(outcome, "exit-code", 3)
        self.assertLess(watch.seconds, 10)

    def check_bounded(self, limit=32 * MIB):
        self.assert_memory(self.before[1], limit)

    def check_all_is_back(self):
        """Descriptors exactly; one more is the log of a job that the checks themselves ran."""
        for id in self.bus.job_ids(State="finished"):
            self.bus.job(id, "Forget")
        eventually(lambda: self.reeve.fds() <= self.before[0], 10, lambda: f"{self.before[0]} fds: {self.reeve.fds()}")

    def test_never_reads_its_replies(self):
        """A thousand large answers, none of which it takes."""
        for i in range(50):
            self.bus.exec(["true"], Description="x" * 500)
        s = self.hello()
        s.settimeout(1)
        call = method_call(ROOT, MANAGER, "ListJobs", "a{sv}", [{}], serial=7)
        with contextlib.suppress(OSError):
            for _ in range(20000):
                s.sendall(call)
        self.check_others_are_served()
        self.check_bounded()
        s.close()
        self.check_all_is_back()

    def test_never_reads_its_signals(self):
        """Many thousand signals for somebody who does not listen: dropped, or bounded; never in our way."""
        peers = [self.hello() for _ in range(20)]
        for s in peers:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        pending = [self.bus.exec_later(["true"], Description="y" * 1000) for _ in range(600)]
        for p in pending:
            self.assertEqual(p.result(60).exit_code, 0)
        self.check_others_are_served()
        for id in self.bus.job_ids(State="finished"):
            self.bus.job(id, "Forget")
        self.check_bounded(96 * MIB)
        for s in peers:
            s.close()
        self.check_all_is_back()

    def test_never_reads_a_large_reply(self):
        """Each reply of 8 MiB; fifty asked for."""
        outcome = self.bus.exec(["head", "-c", str(8 * MIB), "/dev/zero"], LogMaxBytes=20 * MIB)
        before = self.reeve.memory()
        s = self.hello()
        s.settimeout(1)
        with contextlib.suppress(OSError):
            for i in range(50):
                s.sendall(method_call(job_path(outcome.id), "org.reeve1.Job", "GetOutput", "a{sv}",
                                      [{"MaxBytes": ("t", 8 * MIB)}], serial=i + 2))
        self.check_others_are_served()
        self.assert_memory(before, 100 * MIB)
        s.close()
        self.check_all_is_back()
        self.bus.ping()
        self.assert_memory(before, 24 * MIB, timeout=5)

    def test_garbage_instead_of_authentication(self):
        for data in (os.urandom(100000), b"\0" * 100000, b"GET / HTTP/1.1\r\n\r\n", b"\0AUTH\r\n" * 10000,
                     b"\0AUTH EXTERNAL zz\r\n", b"\0" + b"A" * 1000000, b"\0BEGIN\r\n", b"\xff", b"\r\n",
                     b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n" + os.urandom(4096)):
            s = self.peer(authenticated=False)
            with contextlib.suppress(OSError):
                s.sendall(data)
            self.check_others_are_served()
            s.close()
        self.check_bounded(8 * MIB)
        self.check_all_is_back()

    def test_garbage_after_authentication(self):
        for data in (os.urandom(100000), b"\0" * 100000, b"l" * 100000, b"BEGIN\r\n" * 100,
                     b"l\1\0\1" + b"\xff" * 12, b"B\1\0\1" + os.urandom(200), b"l\1\0\2" + b"\0" * 200,
                     b"l\0\0\1" + struct.pack("<III", 0, 1, 0)):
            s = self.hello()
            with contextlib.suppress(OSError):
                s.sendall(data)
            self.check_others_are_served()
            s.close()
        self.check_bounded(8 * MIB)
        self.check_all_is_back()

    def test_broken_messages(self):
        """Well-formed in the beginning: one flipped byte each. Refused, dropped or answered, but never the end."""
        good = method_call(ROOT, MANAGER, "Exec", "asa{sv}", [["true"], {"Nice": ("i", 1), "Labels": ("a{ss}", {"a": "b"})}],
                           serial=2)
        for i in range(len(good)):
            s = self.hello()
            bad = bytearray(good)
            bad[i] ^= 0xff
            with contextlib.suppress(OSError):
                s.sendall(bad)
                s.shutdown(socket.SHUT_WR)
            s.close()
        self.check_others_are_served()
        self.bus.stop({"All": True}, TimeoutStopUSec=0)
        self.check_all_is_back()

    def test_a_message_in_pieces(self):
        """Byte by byte is slow, not wrong."""
        s = self.hello()
        for c in method_call(ROOT, "org.freedesktop.DBus.Peer", "Ping", serial=9):
            s.sendall(bytes([c]))
            if c == 1:
                self.bus.ping()
        self.assertIn(b"\x05\x01u\x00\x09\x00\x00\x00", s.recv(4096))
        s.close()
        self.check_all_is_back()

    def test_announces_128_mib(self):
        """And sends nothing of it; forty at once."""
        header = bytearray(method_call(ROOT, MANAGER, "Exec", "asa{sv}", [["true"], {}], serial=2)[:144])
        header[4:8] = struct.pack("<I", (128 << 20) - 4096)
        peers = []
        for _ in range(40):
            s = self.hello()
            with contextlib.suppress(OSError):
                s.sendall(header)
            peers.append(s)
        self.check_others_are_served()
        self.check_bounded()
        for s in peers:
            s.close()
        self.check_all_is_back()

    def test_sends_a_large_message(self):
        """120 MiB for real: an error or the end of the connection, and the memory comes back."""
        s = self.hello()
        s.settimeout(5)
        header = bytearray(method_call(ROOT, MANAGER, "Exec", "asa{sv}", [["true"], {}], serial=2))
        header[4:8] = struct.pack("<I", 120 << 20)
        with contextlib.suppress(OSError):
            s.sendall(header)
            deadline = time.monotonic() + 10
            for _ in range(119):
                if time.monotonic() < deadline:
                    s.sendall(b"\0" * MIB)
        self.check_others_are_served()
        s.close()
        self.check_all_is_back()
        self.assert_memory(self.before[1], 16 * MIB, timeout=5)

    def test_a_large_but_fair_request(self):
        """8 MiB of arguments for the kernel to refuse: an error, and the connection lives."""
        with self.assertRaises(DBusError):
            self.bus.exec(["true"] + ["x" * 100000] * 80)
        self.check_others_are_served()

    def test_forges_its_sender(self):
        s = self.hello()
        for sender in ("org.freedesktop.DBus", ":1.0", self.bus.unique_name, "org.reeve1"):
            s.sendall(method_call(ROOT, MANAGER, "ListJobs", "a{sv}", [{}], sender=sender, serial=5))
            reply = s.recv(65536)
            self.assertIn(b"\x05\x01u\x00\x05\x00\x00\x00", reply, f"no reply to the one that sent it as {sender}")
        self.check_others_are_served()

    def test_sends_what_only_servers_send(self):
        """Replies nobody asked for, signals, errors: no effect."""
        s = self.hello()
        for kind in (2, 3, 4):
            message = bytearray(method_call(ROOT, MANAGER, "JobRemoved", "s", ["x"], serial=3))
            message[1] = kind
            with contextlib.suppress(OSError):
                s.sendall(message)
        self.check_others_are_served()
        s.close()
        self.check_all_is_back()

    def test_1_000_that_connect_and_do_nothing(self):
        idle = []
        with contextlib.suppress(OSError):
            for _ in range(1000):
                s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self.addCleanup(s.close)
                s.settimeout(2)
                idle.append(s)
                s.connect(self.reeve.address.split("=", 1)[1])
        self.check_others_are_served()
        self.check_bounded()
        for s in idle:
            s.close()
        self.check_others_are_served()
        self.check_all_is_back()

    def test_1_000_half_authenticated(self):
        idle = []
        for data in (b"\0", b"\0AUTH EXTERNAL 30\r\n", b"\0AUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\n", b"\0AUTH EX"):
            for _ in range(250):
                with contextlib.suppress(OSError):
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    self.addCleanup(s.close)
                    s.settimeout(2)
                    idle.append(s)
                    s.connect(self.reeve.address.split("=", 1)[1])
                    s.sendall(data)
        self.check_others_are_served()
        self.check_bounded()
        for s in idle:
            s.close()
        self.check_all_is_back()

    def test_300_that_said_hello(self):
        """More than the 256 that are let in: those too many hear so, or are hung up on; those within are served."""
        peers, refused = [], 0
        for _ in range(300):
            try:
                peers.append(self.reeve.connect(timeout=5))
            except (Disconnected, OSError, DBusError):
                refused += 1
        self.assertGreaterEqual(refused, 300 - 256)
        self.assertGreater(len(peers), 200)
        self.bus.ping()
        self.assertEqual(self.bus.sh("exit 4").exit_code, 4)
        self.assertEqual(peers[0].sh("exit 5").exit_code, 5)
        for peer in peers:
            peer.close()
        self.check_others_are_served()
        self.check_all_is_back()

    def test_comes_and_goes(self):
        """A thousand times, in every stage."""
        for i in range(1000):
            s = self.peer(authenticated=False)
            if i % 4 == 1:
                s.sendall(b"\0AUTH EXTERNAL 30\r\n")
            elif i % 4 == 2:
                authenticate(s)
            elif i % 4 == 3:
                authenticate(s)
                s.sendall(method_call("/org/freedesktop/DBus", DBUS, "Hello", destination=DBUS, serial=1))
            s.close()
        self.check_others_are_served()
        self.check_bounded(8 * MIB)
        self.check_all_is_back()

    def test_goes_while_its_calls_are_pending(self):
        """Exec, Wait, ReadLog, Stop: the caller is gone before the answer is there."""
        deaf = self.bus.start(self.reeve.payload("deaf"))
        self.bus.wait_for_output(deaf.id, b"ready")
        for _ in range(20):
            with self.reeve.connect() as other:
                other.exec_later(["sleep", "0.2"])
                other.wait_later(deaf.id, "Exited")
                other.log_later(deaf.id, "tail", WaitUSec=10 ** 9)
                other.stop_later({"Id": deaf.id}, TimeoutStopUSec=10 ** 9)
                other.ping()
        self.bus.stop({"Id": deaf.id}, TimeoutStopUSec=0)
        eventually(lambda: not self.bus.property("NRunning"), 10, "all ended")
        self.check_others_are_served()
        self.check_all_is_back()

    def test_too_many_pending_calls(self):
        """1 024 a connection, then LimitsExceeded: but the connection lives, and so do the others."""
        job = self.bus.start(["sleep", "1000"])
        with self.reeve.connect() as other:
            pending = [other.wait_later(job.id, "Exited") for _ in range(1200)]
            eventually(lambda: sum(p.done() for p in pending) >= 176, 10, "those too many are answered")
            for p in pending:
                if p.done():
                    self.assertEqual(p.error.name, DBUS_ERROR + "LimitsExceeded")
            self.check_others_are_served()
            self.bus.stop({"Id": job.id})
            self.assertEqual(sum(1 for p in pending if p.event.wait(30) and not p.error), 1024)
            other.ping()

    def pass_descriptors(self, s, n, data, times=1):
        """How many of the messages were taken; each with n descriptors, as far as the kernel lets us."""
        with open(os.devnull, "rb") as null:
            for i in range(times):
                try:
                    s.sendmsg([data(i)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                           struct.pack(f"{n}i", *[null.fileno()] * n))])
                except OSError:
                    return i
        return times

    @staticmethod
    def call_with(header, **options):
        return lambda i: method_call(options.get("path", ROOT), "org.freedesktop.DBus.Peer", "Ping", serial=i + 2,
                                     more=header)

    def test_passes_descriptors(self):
        """Nobody asked for them: they are closed with the message, and the connection lives on."""
        with self.reeve.connect() as other:
            self.assertTrue(other.takes_descriptors)
            fds = self.reeve.fds()
            with open(os.devnull, "rb") as null:
                for i in range(2000):
                    message = method_call(ROOT, "org.freedesktop.DBus.Peer", "Ping", serial=10000 + i,
                                          more={HeaderFields.unix_fds: 8})
                    other.socket.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                                      struct.pack("8i", *[null.fileno()] * 8))])
            other.ping()
            self.assert_fds_back(fds)
        self.check_all_is_back()

    def test_passes_descriptors_that_the_message_does_not_tell_of(self):
        """Too many, too few, none told, of messages that are none: PID 1 is rid of them at once."""
        malformed = method_call("/a", "org.freedesktop.DBus.Peer", "Ping", serial=2, more={HeaderFields.unix_fds: 4})
        malformed = malformed.replace(b"/a\0", b"a/\0")     # no object path
        signal = bytearray(method_call("/a", "a.b", "C", serial=2, more={HeaderFields.unix_fds: 4}))
        signal[1] = 4
        reply = bytearray(signal)
        reply[1] = 2
        for name, data in {
                "none told": self.call_with({}), "fewer told": self.call_with({HeaderFields.unix_fds: 3}),
                "more told": self.call_with({HeaderFields.unix_fds: 5}), "malformed": lambda i: malformed,
                "signal": lambda i: bytes(signal), "reply": lambda i: bytes(reply),
                "half of it": lambda i: self.call_with({HeaderFields.unix_fds: 4})(i)[:40],
                "first bytes": lambda i: b"l\1\0"}.items():
            with self.subTest(name):
                held = [self.hello() for _ in range(10)]
                fds = self.reeve.fds()
                for s in held:
                    self.pass_descriptors(s, 4, data, 50)
                self.check_others_are_served()
                # who did it is let go, or has at most what one message may have; its own go with it
                eventually(lambda: self.reeve.fds() <= fds + 10 * 16, 10, lambda: f"{fds} fds: {self.reeve.fds()}")
                for s in held:
                    s.close()
                self.check_all_is_back()

    def test_passes_descriptors_and_is_gone_before_the_message_is_understood(self):
        """Between PID 1's reading of the message and its next look at the connection, which has answers waiting."""
        job = self.bus.start_sh("head -c 1000000 /dev/zero; exec sleep 1000")
        self.bus.wait_for_output(job.id, bytes(1000000))
        asks = b"".join(method_call(job.path, "org.reeve1.Job", "GetOutput", "a{sv}", ({},), serial=i + 2) for i in range(24))
        fields = b"\x63\x01y\0x\0\0\0" * 16000  # a while's work; no word of descriptors
        message = method_call(ROOT, "org.freedesktop.DBus.Peer", "Ping", serial=1000)
        message = message[:12] + struct.pack("<I", len(message) - 16 + len(fields)) + message[16:] + fields
        for attempt in range(60):
            s = self.hello()
            s.sendall(asks)
            self.pass_descriptors(s, 16, lambda i: message)
            unread = struct.pack("i", 1)
            while struct.unpack("i", unread)[0]:
                unread = fcntl.ioctl(s, termios.TIOCOUTQ, unread)
            until = time.monotonic() + attempt * 1e-5
            while time.monotonic() < until:
                pass
            s.close()
        self.bus.stop({"Id": job.id}, TimeoutStopUSec=0)
        self.check_all_is_back()

    def test_floods_descriptors(self):
        """As many with a message as the kernel passes, and a message that never ends with some at each byte."""
        for _ in range(50):
            s = self.hello()
            self.pass_descriptors(s, 253, self.call_with({HeaderFields.unix_fds: 253}), 40)
            s.close()
        self.check_all_is_back()
        held = [self.hello() for _ in range(20)]
        endless = method_call(ROOT, "a.b", "C", "ay", (bytes(100000),), serial=2, more={HeaderFields.unix_fds: 9999})
        for s in held:
            s.settimeout(1)
            self.pass_descriptors(s, 10, lambda i: endless[i:i + 1], 200)
        self.check_others_are_served()
        eventually(lambda: self.reeve.fds() <= self.before[0] + 20 * 20, 10, "what was passed is bounded")
        for s in held:
            s.close()
        self.check_all_is_back()

    def test_keeps_calls_with_descriptors(self):
        """What came with calls that wait stays open as long as they: 1 024 descriptors, of all connections."""
        job = self.bus.start(["sleep", "1000"])
        path = "/org/reeve1/job/" + job.path.rsplit("/", 1)[1]
        with contextlib.ExitStack() as stack:
            for _ in range(4):
                other = stack.enter_context(self.reeve.connect())
                with open(os.devnull, "rb") as null:
                    for i in range(100):
                        message = method_call(path, "org.reeve1.Job", "Wait", "a{sv}t", ({"Exited": ("b", True)}, 2 ** 64 - 1),
                                              serial=1000 + i, more={HeaderFields.unix_fds: 8})
                        other.socket.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                                          struct.pack("8i", *[null.fileno()] * 8))])
                other.ping()
            self.assertLess(self.reeve.fds(), self.before[0] + 1024 + 100)
            self.assertGreater(self.reeve.fds(), self.before[0] + 1000)
        self.bus.stop({"Id": job.id})
        self.check_all_is_back()
