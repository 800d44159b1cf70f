"""A connection may be as quiet as it likes, and for as long, once its messages are whole: only half a message is given up on."""

import time

from case import BoxCase
from client import DBUS, MANAGER, ROOT, authenticate, connect, method_call

HALF_SENT_SECONDS = 30      # after which the contract's bounds give up on the rest of a message


class TestPatience(BoxCase):

    weight = 3

    def peer(self):
        s = connect(self.reeve.address)
        self.addCleanup(s.close)
        authenticate(s)
        s.sendall(method_call("/org/freedesktop/DBus", DBUS, "Hello", destination=DBUS, serial=1))
        s.recv(4096)
        return s

    @staticmethod
    def ping(serial):
        return method_call(ROOT, "org.freedesktop.DBus.Peer", "Ping", serial=serial)

    @staticmethod
    def wait(serial):
        return method_call(ROOT, MANAGER, "Exec", "asa{sv}", [["sleep", "1000"], {}], serial=serial)

    def lives(self, s):
        """Whether a call is still answered; what was answered before is read, too."""
        s.settimeout(5)
        try:
            s.sendall(self.ping(0x7abcdef0))
            got = b""
            while b"\x05\x01u\x00\xf0\xde\xbc\x7a" not in got:
                chunk = s.recv(65536)
                if not chunk:
                    return False
                got += chunk
            return True
        except OSError:
            return False

    def test_after_bursts(self):
        """Many calls in one write; many that wait; one in two halves; one and a half, and the rest: and then silence."""
        peers = {}
        for count in (2, 10, 31, 32, 33, 64, 100, 400, 1000):
            peers[f"{count} pings"] = s = self.peer()
            s.sendall(b"".join(self.ping(i) for i in range(2, 2 + count)))
        for count in (2, 40, 200):
            peers[f"{count} that wait"] = s = self.peer()
            s.sendall(b"".join(self.wait(i) for i in range(2, 2 + count)))
        for name, data, cut in (("half", self.ping(2), 30), ("one and a half", self.ping(2) + self.ping(3), len(self.ping(2)) + 30),
                                ("a header", self.wait(2), 16), ("a byte", self.ping(2), 1)):
            peers[name] = s = self.peer()
            s.sendall(data[:cut])
            self.bus.ping()
            s.sendall(data[cut:])
        peers["nothing"] = self.peer()
        peers["always in the middle of one"] = s = self.peer()
        s.sendall(self.ping(2)[:30])
        for i in range(3, 3 + HALF_SENT_SECONDS + 2):
            time.sleep(1)       # the passing of that time is what is tested
            try:
                s.sendall(self.ping(i - 1)[30:] + self.ping(i)[:30])
            except OSError:
                break
        try:
            s.sendall(self.ping(i)[30:])
        except OSError:
            pass        # that is told by what comes
        self.assertEqual([name for name, s in peers.items() if not self.lives(s)], [])
