"""reevectl bridge: stdin and stdout for a connection, through sockets and through pipes."""

import json
import os
import signal
import socket
import subprocess
import threading

from case import BoxCase, FreshCase
from client import DBUS, JOB, MANAGER, NAME, ROOT, method_call
from rig import Reeve, eventually, reevectl_binary

# What docker exec -i is to busctl: a program whose stdin and stdout are carried to the bridge by pipes.
CARRIER = r"""#!/usr/bin/python3 -B
import os, select, subprocess, sys
bridge = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
ways = {0: bridge.stdin.fileno(), bridge.stdout.fileno(): 1}
os.set_blocking(1, True)
while bridge.stdout.fileno() in ways:
    for fd in select.select(list(ways), [], [])[0]:
        data = os.read(fd, 65536)
        while data:
            data = data[os.write(ways[fd], data):]
            if not data:
                break
        else:
            os.close(ways.pop(fd))
sys.exit(bridge.wait())
"""


class TestBridge(BoxCase):

    def busctl(self, *args, through=()):
        command = [*through, reevectl_binary(), f"--address={self.reeve.address}", "bridge"]
        # In an address "=" and the like are escaped.
        escape = lambda text: "".join(c if c.isalnum() or c in "-_/." else f"%{ord(c):02x}" for c in text)
        words = [f"argv{i}={escape(word)}" for i, word in enumerate(command[1:], 1)]
        address = "unixexec:" + ",".join([f"path={command[0]}", *words])
        done = subprocess.run(["busctl", f"--address={address}", "--json=short", *args], capture_output=True, timeout=30,
                              check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def bridge(self, **options):
        process = subprocess.Popen([reevectl_binary(), f"--address={self.reeve.address}", "bridge"],
                                   **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdin and process.stdin.close(),
                                 process.stdout and process.stdout.close(), process.stderr and process.stderr.close()))
        return process

    EXEC = ["call", "--", NAME, ROOT, MANAGER, "Exec", "asa{sv}", "3", "sh", "-c"]

    def check(self, through=()):
        answer = json.loads(self.busctl(*self.EXEC, "echo out; echo err >&2; exit 7", "1", "Text", "b", "true", through=through))
        self.assertEqual(answer["data"][1:4], [7, 0, "exit-code"])
        self.assertEqual(answer["data"][6]["StdoutText"]["data"], "out\n")
        large = json.loads(self.busctl(*self.EXEC, "head -c 900000 /dev/zero", "0", through=through))
        self.assertEqual(large["data"][4], [0] * 900000)
        self.assertIn('"running"', self.busctl("get-property", NAME, ROOT, MANAGER, "State", through=through))
        self.assertIn(NAME, self.busctl("list", through=through))

    def test_busctl_over_a_socket(self):
        self.check()

    def test_busctl_over_pipes(self):
        carrier = f"{self.reeve.shared}/carrier"
        with open(carrier, "w", encoding="utf-8") as f:
            f.write(CARRIER)
        os.chmod(carrier, 0o755)
        self.check(through=[carrier])

    def test_many_ends_leave_nothing(self):
        before = self.reeve.fds()
        for _ in range(10):
            process = self.bridge()
            process.stdin.write(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")
            process.stdin.close()
            self.assertEqual(process.wait(30), 0)
            self.assertIn(b"OK ", process.stdout.read())
        self.assert_fds_back(before)

    def talk(self, process, *messages):
        """Authentication, Hello, these: all at once. The connection stays open."""
        process.stdin.write(b"\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"
                            + method_call("/org/freedesktop/DBus", DBUS, "Hello", destination=DBUS, serial=1) + b"".join(messages))
        process.stdin.flush()

    def read_until(self, process, needle):
        data = b""
        while needle not in data:
            chunk = process.stdout.read1(65536)
            self.assertTrue(chunk, f"hung up after {data[-1000:]}")
            data += chunk
        return data

    def test_descriptors_are_declined(self):
        """A server hears of no wish for them, in whatever pieces it was said; all else comes as it was."""
        path = f"{self.reeve.shared}/server"
        said = b"\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\nNEGOTIATE_UNIX_FD\r\n" + b"x" * 100000
        heard = said.replace(b"NEGOTIATE_UNIX_FD", b"NEGOTIATE_NOTHING", 1)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            for size in (1, 7, 100, len(said)):
                process = subprocess.Popen([reevectl_binary(), f"--address=unix:path={path}", "bridge"], stdin=subprocess.PIPE)
                server, _ = listener.accept()
                with server:
                    for i in range(0, 120, size):
                        process.stdin.write(said[i:min(i + size, 120)] if size < len(said) else said)
                        process.stdin.flush()
                    if size < len(said):
                        process.stdin.write(said[min(-(-120 // size) * size, 120):])
                    process.stdin.close()
                    data = b""
                    while chunk := server.recv(1 << 20):
                        data += chunk
                self.assertEqual(data, heard)
                self.assertEqual(process.wait(30), 0)

    def test_what_needs_descriptors_is_refused(self):
        """FollowLog through a bridge: an error, and the connection lives."""
        job = self.bus.start_sh("sleep 100")
        process = self.bridge()
        self.talk(process, method_call(job.path, JOB, "FollowLog", "sa{sv}", ("", {}), serial=2),
                  method_call(ROOT, "org.freedesktop.DBus.Peer", "Ping", serial=3))
        self.assertIn(b"org.freedesktop.DBus.Error.NotSupported", self.read_until(process, b"\x05\x01u\x00\x03\0\0\0"))

    def test_words_of_the_handshake_in_messages(self):
        """After BEGIN nothing is looked at any more."""
        process = self.bridge()
        text = "NEGOTIATE_UNIX_FD\r\nx"
        self.talk(process, method_call(ROOT, MANAGER, "Exec", "asa{sv}", (["printf", "%s", text], {"Text": ("b", True)}), serial=2))
        self.assertIn(text.encode(), self.read_until(process, b"NEGOTIATE_"))

    def test_writer_that_does_not_read(self):
        """Calls that fill every buffer, before the first answer is taken: none is lost, nobody waits for the other."""
        process = self.bridge()
        data = os.urandom(1000).hex()
        n = 400

        def write():
            self.talk(process, *(method_call(ROOT, MANAGER, "Exec", "asa{sv}",
                                             (["cat"], {"StandardInput": ("s", "data"), "Text": ("b", True),
                                                        "StandardInputData": ("ay", (f"<{i}>" + data).encode())}), serial=i + 10)
                                 for i in range(n)))
        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        eventually(lambda: len(self.bus.job_ids(State="finished")) >= n or not writer.is_alive(), 60, "calls arrive")
        got = set()
        tail = b""
        while len(got) < n:
            tail = tail[-2000:] + process.stdout.read1(1 << 20)
            got |= {i for i in range(n) if f"<{i}>".encode() in tail}
        writer.join(10)
        self.assertFalse(writer.is_alive())

    def test_reader_is_gone(self):
        """Nobody takes the answers any more: it ends, without a word."""
        process = self.bridge()
        self.talk(process)
        self.read_until(process, b":1.")
        process.stdout.close()
        self.assertIn(process.wait(30), (141, -signal.SIGPIPE))
        self.assertEqual(process.stderr.read(), b"")

    def test_one_socket_for_both(self):
        ours, theirs = socket.socketpair()
        with ours:
            process = self.bridge(stdin=theirs, stdout=theirs)
            theirs.close()
            ours.sendall(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")
            ours.shutdown(socket.SHUT_WR)
            data = b""
            while chunk := ours.recv(4096):
                data += chunk
            self.assertIn(b"OK ", data)
            self.assertEqual(process.wait(30), 0)

    def test_standard_files_closed(self):
        done = subprocess.run(["/bin/sh", "-c", 'exec "$@" <&- >&-', "sh", reevectl_binary(),
                               f"--address={self.reeve.address}", "bridge"], timeout=20, check=False, capture_output=True)
        self.assertIn(done.returncode, (0, 141))

    def test_nobody_there(self):
        for address, text in ((f"unix:path={self.reeve.shared}/none", "cannot reach reeve"), ("tcp:host=x", "is no address")):
            done = subprocess.run([reevectl_binary(), f"--address={address}", "bridge"], timeout=20, check=False,
                                  capture_output=True, stdin=subprocess.DEVNULL, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn(text, done.stderr)


class TestBridgeAtTheEnd(FreshCase):

    def test_reeve_ends_first(self):
        reeve = self.box()
        process = subprocess.Popen([reevectl_binary(), f"--address={reeve.address}", "bridge"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(b"\0AUTH EXTERNAL\r\nDATA\r\n")
        process.stdin.flush()
        self.assertIn(b"OK ", process.stdout.read1(100))
        reeve.stop()
        out, err = process.communicate(timeout=30)
        self.assertEqual((process.returncode, b"closed the connection" in err), (1, True), err)
