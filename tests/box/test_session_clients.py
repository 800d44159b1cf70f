"""Sessions by the tools that people have: busctl and gdbus, from outside and as docker exec comes in."""

import json
import subprocess

from client import MANAGER, NAME, ROOT, SESSION, session_path
from session import SessionCase


class TestTools(SessionCase):

    def tool(self, *command, inside=False, status=0):
        if inside:
            done = self.reeve.run_inside(command)
        else:
            done = subprocess.run(command, capture_output=True, timeout=20, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, (command, done.stdout, done.stderr))
        return done.stdout.decode() if status == 0 else done.stderr.decode()

    def busctl(self, *args, **options):
        return self.tool("busctl", f"--address={self.reeve.address}", "--json=short", *args, **options)

    def run_by_busctl(self, command, *options, **where):
        text = self.busctl("call", "--", NAME, session_path(self.name), SESSION, "Run", "sa{sv}", command, *(options or ("0",)), **where)
        answer = json.loads(text)
        self.assertEqual(answer["type"], "siisayaya{sv}")
        return answer["data"]

    def test_busctl_tells_the_story(self):
        for inside in (False, True):
            self.run_by_busctl("cd /usr; export A=1", inside=inside)
            _, code, signal, result, out, err, details = self.run_by_busctl('pwd; echo "$A"; exit 3', inside=inside)
            self.assertEqual((code, signal, result, bytes(out), bytes(err)), (3, 0, "exit-code", b"/usr\n1\n", b""))
            self.assertEqual(details["StateKept"], {"type": "b", "data": True})
            self.run_by_busctl("cd /; unset A", inside=inside)

    def test_busctl_text(self):
        *_, details = self.run_by_busctl("echo schön", "1", "Text", "b", "true")
        self.assertEqual(details["StdoutText"], {"type": "s", "data": "schön\n"})

    def test_busctl_opens_and_closes(self):
        path = json.loads(self.busctl("call", NAME, ROOT, MANAGER, "OpenSession", "sa{sv}", "tool", "2", "WorkingDirectory", "s", "/usr",
                                      "UMask", "u", "23"))["data"]
        self.assertEqual(path, [session_path("tool")])
        self.assertIn(session_path("tool"), self.tool("busctl", f"--address={self.reeve.address}", "tree", "--list", NAME))
        value = json.loads(self.busctl("get-property", NAME, session_path("tool"), SESSION, "WorkingDirectory"))
        self.assertEqual(value, {"type": "s", "data": "/usr"})
        self.busctl("set-property", NAME, session_path("tool"), SESSION, "WorkingDirectory", "s", "/tmp")
        self.assertEqual(self.bus.run("tool", "pwd; umask").stdout.split(), [b"/tmp", b"0027"])
        listed = json.loads(self.busctl("call", NAME, ROOT, MANAGER, "ListSessions"))["data"][0]
        self.assertIn("tool", [session["Name"]["data"] for session in listed])
        self.assertEqual(json.loads(self.busctl("call", NAME, ROOT, MANAGER, "CloseSession", "sa{sv}", "tool", "0"))["data"], [[], [], 0])
        message = self.busctl("call", NAME, ROOT, MANAGER, "GetSession", "s", "tool", status=1)
        self.assertIn("tool", message)

    def test_busctl_introspects(self):
        text = self.tool("busctl", f"--address={self.reeve.address}", "introspect", NAME, session_path(self.name))
        for member in (".Run", ".SetEnvironment", ".SetProperties", ".Freeze", ".Thaw", ".WorkingDirectory", ".EnvironmentNames", ".Jobs"):
            self.assertIn(member, text)

    def test_caller_that_is_killed(self):
        """A busctl that dies in the middle of its call leaves the session as it is, and the Run goes on."""
        gate = self.gate()
        command = ["busctl", f"--address={self.reeve.address}", "call", NAME, session_path(self.name), SESSION, "Run", "sa{sv}",
                   f"cd /usr; {gate.wait}; export A=1", "0"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as tool:
            self.eventually_running(1)
            tool.kill()
        gate.open()
        self.assertEqual(self.says('pwd; echo "$A"'), "/usr\n1\n")

    def test_gdbus(self):
        text = self.tool("gdbus", "call", "--address", self.reeve.address, "--dest", NAME, "--object-path", session_path(self.name),
                         "--method", f"{SESSION}.Run", "echo hi; exit 4", "{'Text': <true>}")
        self.assertIn("4, 0, 'exit-code'", text)
        self.assertIn("'StdoutText': <'hi\\n'>", text)
