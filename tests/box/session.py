"""What the tests of sessions share: a session for each test, the shells it may have, and gates to hold commands at."""

import os
import select
import tempfile

from case import BoxCase
from client import DBusError
from rig import eventually

# "ash" in a folder of its own: busybox goes by the name that it was called by.
SHELLS = {"dash": "/bin/dash", "bash": "/bin/bash", "busybox": "/run/shells/ash"}
PREPARE = "mkdir /run/shells && ln -s $(command -v busybox) /run/shells/ash"
# What a shell makes of its own accord, not the command in it.
SHELLS_OWN = {"PWD", "OLDPWD", "SHLVL", "_"}


class Gate:
    """A FIFO that both sides see. A command waits at it (gate.wait is the shell line for that) until the test opens it;
    the other way, a command says something (gate.say) and the test hears it."""

    def __init__(self, folder):
        self.path = tempfile.mktemp(prefix="gate-", dir=folder)
        os.mkfifo(self.path)
        os.chmod(self.path, 0o666)
        self.fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.heard = b""
        self.wait = f"read -r gate <{self.path}; unset gate"

    def say(self, word):
        return f"echo {word} >{self.path}"

    def open(self, times=1):
        os.write(self.fd, b"go\n" * times)

    def hear(self, timeout=30):
        """The next line that a command said."""
        while b"\n" not in self.heard:
            if not select.select([self.fd], [], [], timeout)[0]:
                raise AssertionError(f"nothing was said at {self.path} within {timeout} s; so far {self.heard!r}")
            self.heard += os.read(self.fd, 4096)
        line, self.heard = self.heard.split(b"\n", 1)
        return line.decode()

    def silent(self):
        return not self.heard and not select.select([self.fd], [], [], 0)[0]

    def close(self):
        os.close(self.fd)
        os.unlink(self.path)


class SessionCase(BoxCase):
    """self.name is a session of the test's own; all that it opens are closed after it."""

    shell = None
    opened = 0

    def setUp(self):
        self.name = self.open()

    def tearDown(self):
        """Sessions first: they may hold Runs that are still to come."""
        if self.reeve.alive():
            for name in self.bus.sessions():
                if name not in ("default", "system"):
                    try:
                        self.bus.close_session(name, TimeoutStopUSec=0)
                    except DBusError as e:
                        if not e.name.endswith("NoSuchSession"):
                            raise
        super().tearDown()

    def open(self, **options):
        """A new session; its name."""
        type(self).opened += 1
        name = f"s{self.opened}"
        if self.shell:
            options.setdefault("Shell", self.shell)
        self.bus.open_session(name, **options)
        return name

    def gate(self):
        gate = Gate(self.reeve.shared)
        self.addCleanup(gate.close)
        return gate

    # Of the test's own session

    def run_it(self, command, **options):
        return self.bus.run(self.name, command, **options)

    def says(self, command, **options):
        """What the command says; it must end well, and without a word on stderr."""
        outcome = self.run_it(command, **options)
        self.assertEqual((outcome.result, outcome.exit_code, outcome.stderr), ("success", 0, b""), (command, outcome))
        return outcome.stdout.decode("utf-8", "surrogateescape")

    def kept(self, command, **options):
        """Runs it; details must say that its state was kept."""
        outcome = self.run_it(command, **options)
        self.assertIs(outcome.details.get("StateKept"), True, (command, outcome))
        return outcome

    def not_kept(self, command, **options):
        outcome = self.run_it(command, **options)
        self.assertIs(outcome.details.get("StateKept"), False, (command, outcome))
        return outcome

    def state(self, name=None):
        """(directory, umask, the environment) as a command of the session finds it, without the shell's own."""
        name = name or self.name
        out = self.bus.exec(["/bin/sh", "-c", "/bin/pwd; umask; env -0"], Session=name).stdout
        directory, umask, rest = out.split(b"\n", 2)
        env = dict(item.split(b"=", 1) for item in rest.split(b"\0") if item)
        for key in ("REEVE_JOB", "REEVE_SESSION", *SHELLS_OWN):
            env.pop(key.encode(), None)
        return directory.decode("utf-8", "surrogateescape"), umask.decode(), env

    def directory(self):
        return self.says("pwd").removesuffix("\n")

    def variable(self, name):
        """Its value in a new Run; None if it is not set."""
        out = self.says(f'printf %s "${{{name}+set}}:${{{name}-}}"')
        is_set, value = out.split(":", 1)
        return value if is_set else None

    def living(self, name=None):
        """The session's jobs of which something lives."""
        return [job["Id"] for job in self.bus.jobs(Session=name or self.name) if job["Running"]]

    def eventually_running(self, count, name=None):
        eventually(lambda: len(self.living(name)) == count, 10, lambda: f"{count} live: {self.living(name)}")


def each_shell(namespace, mixin):
    """Classes TestXDash, TestXBash, TestXBusybox of the tests in the class X, put into a module's namespace."""
    for shell, path in SHELLS.items():
        name = f"Test{mixin.__name__}{shell.capitalize()}"
        namespace[name] = type(name, (mixin, SessionCase), {
            "shell": path, "options": {"prepare": PREPARE}, "__module__": namespace["__name__"], "__doc__": mixin.__doc__})
