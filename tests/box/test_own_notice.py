"""What reeve says at its own $NOTIFY_SOCKET, to who started it."""

import os
import socket
import unittest

from case import FreshCase
from rig import Reeve, eventually


class TestOwnNotice(FreshCase):

    def reeve(self, *args, address=None, **options):
        reeve = Reeve(args, **options)
        self.boxes.append(reeve)
        self.path = f"{reeve.shared}/notify"
        reeve.env["NOTIFY_SOCKET"] = address or self.path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o777)
        self.socket.settimeout(30)
        return reeve

    def next(self):
        return self.socket.recv(4096).decode().split("\n")

    def nothing_more(self):
        self.socket.setblocking(False)
        self.assertRaises(BlockingIOError, self.socket.recv, 4096)

    def test_without_a_main_job(self):
        reeve = self.reeve().start(wait=False)
        self.assertIn("READY=1", self.next())
        bus = reeve.connect()    # it listens by then
        self.assertEqual(bus.property("State"), "running")
        self.assertEqual(bus.sh("echo $NOTIFY_SOCKET.").stdout, b".\n")
        self.assertEqual(reeve.stop(), 0)
        self.assertIn("STOPPING=1", self.next())
        self.assertEqual(self.next(), ["EXIT_STATUS=0"])
        self.nothing_more()

    def test_with_a_main_job(self):
        reeve = self.reeve("--", "sh", "-c", "echo $NOTIFY_SOCKET. >/tmp/socket; read line </tmp/wait; exit 7",
                           prepare="/usr/bin/mkfifo /tmp/wait").start()
        self.assertIn("READY=1", self.next())
        bus = reeve.connect()
        self.assertEqual(bus.sh("until [ -s /tmp/socket ]; do :; done; cat /tmp/socket").stdout, b".\n")
        bus.sh("echo go >/tmp/wait")
        self.assertEqual(reeve.wait_exit(30), 7)
        self.assertIn("STOPPING=1", self.next())
        self.assertEqual(self.next(), ["EXIT_STATUS=7"])
        self.nothing_more()

    def test_a_main_job_that_is_not_there(self):
        reeve = self.reeve("--", "/nonexistent").start(wait=False)
        self.assertEqual(reeve.wait_exit(30), 127)
        self.assertIn("STOPPING=1", self.next())
        self.assertEqual(self.next(), ["EXIT_STATUS=127"])
        self.nothing_more()

    def test_nobody_is_there(self):
        """Wrong addresses cost a line in the log."""
        for address in ("/nowhere/notify", "@nobody-listens-here", "relative", "vsock:2:1234", "/" + "x" * 300):
            with self.subTest(address=address):
                reeve = self.reeve(address=address).start()
                self.assertEqual(reeve.connect().exec(["true"]).exit_code, 0)
                self.assertEqual(reeve.stop(), 0)
                self.assertIn("NOTIFY_SOCKET=", reeve.log())
                self.nothing_more()

    def test_nobody_reads(self):
        """A socket that is full is tried again, and holds up nothing."""
        reeve = self.reeve()
        filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(filler.close)
        filler.setblocking(False)
        n = 0
        try:
            while True:
                filler.sendto(b"X=1", self.path)
                n += 1
        except BlockingIOError:
            pass
        reeve.start()
        bus = reeve.connect()
        self.assertEqual(bus.exec(["true"]).exit_code, 0)
        for _ in range(n):
            self.assertEqual(self.next(), ["X=1"])
        self.assertIn("READY=1", self.next())
        self.assertEqual(reeve.stop(), 0)

    def test_as_a_subreaper(self):
        reeve = self.reeve("--", "sleep", "0.1", pid_namespace=False).start(wait=False)
        self.assertIn("READY=1", self.next())
        self.assertEqual(reeve.wait_exit(30), 0)
        self.assertIn("STOPPING=1", self.next())
        self.assertEqual(self.next(), ["EXIT_STATUS=0"])
        eventually(lambda: not reeve.alive(), 10)


if __name__ == "__main__":
    unittest.main()
