"""A message bus for the box tests: Debian's dbus-daemon or dbus-broker, with a configuration of the tests' own, on a
socket in the folder that both sides of a box see.

dbus-broker-launch wants what systemd gives it: the listening socket as descriptor 3, a journal to write to, and an
address at which it finds the bus that it has just started. This file, run as a program, is that for it.

usage: messagebus.py SOCKET CONFIGURATION
"""

import os
import shutil
import signal
import socket
import subprocess
import sys

try:
    from client import Connection, DBUS, DBusError, Disconnected, NAME
    from rig import eventually
except ImportError:     # as a program it stands alone
    pass

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="{destination}"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  {more}
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_connections_per_user">1024</limit>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
"""


class MessageBus:
    """A bus on SHARED/folder/bus of a reeve.

    kind     "dbus-daemon" or "dbus-broker"
    inside   in reeve's PID namespace; else in the machine's own
    policy   a file to include; then nothing else lets calls to org.reeve1 through
    """

    def __init__(self, reeve, kind, *, folder="message-bus", inside=True, policy=None):
        self.reeve = reeve
        self.kind = kind
        self.inside = inside
        self.folder = f"{reeve.shared}/{folder}"
        self.path = f"{self.folder}/bus"
        self.address = f"unix:path={self.path}"
        self.configuration = f"{reeve.shared}/{kind}.conf"
        self.policy = policy
        self.process = None

    def share(self, path):
        """A copy that a box sees, too: the sources may lie in /tmp, and it has one of its own."""
        copy = f"{self.reeve.shared}/{os.path.basename(path)}"
        shutil.copy(path, copy)
        return copy

    def configure(self):
        more = f"<include>{self.share(self.policy)}</include>" if self.policy else ""
        destination = "org.example.Nobody" if self.policy else "*"
        with open(self.configuration, "w", encoding="utf-8") as f:
            f.write(CONFIGURATION.format(path=self.path, more=more, destination=destination))

    def command(self):
        if self.kind == "dbus-daemon":
            return ["/usr/bin/dbus-daemon", f"--config-file={self.configuration}", "--nofork", "--nopidfile"]
        return ["/usr/bin/python3", "-B", self.share(__file__), self.path, self.configuration]

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        self.configure()
        enter = ["/usr/bin/nsenter", "-t", str(self.reeve.pid), "-m", "-p"] if self.inside else ["/usr/bin/unshare", "-m"]
        with open(f"{self.reeve.shared}/message-bus.log", "ab") as log:
            # A group of its own, so that all of it can be stopped and killed: the broker is three processes.
            self.process = subprocess.Popen([*enter, *self.command()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        return self

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def kill(self):
        """At once, with no good-bye: the socket stays where it was."""
        if self.process:
            self.signal(signal.SIGKILL)
            self.process.wait(10)
            self.process = None


def on_bus(address):
    """Whether org.reeve1 is there."""
    try:
        with Connection(address, match=False) as c:
            return c.call("/org/freedesktop/DBus", DBUS, "NameHasOwner", "s", NAME, destination=DBUS)[0]
    except (OSError, DBusError, Disconnected, TimeoutError):
        return False


def wait_on_bus(message_bus, timeout=30):
    eventually(lambda: on_bus(message_bus.address), timeout,
               lambda: f"org.reeve1 is on {message_bus.address}: {message_bus.reeve.log()}")


def wait_said(reeve, text, timeout=30):
    eventually(lambda: text in reeve.log(), timeout, lambda: f"{text!r} is said: {reeve.log()}")


def run_broker(path, configuration):
    os.makedirs("/run/systemd/journal", exist_ok=True)
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        os.unlink("/run/systemd/journal/socket")
    except FileNotFoundError:
        pass
    journal.bind("/run/systemd/journal/socket")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen(512)
    if os.fork() == 0:
        os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()), DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={path}")
        os.execv("/usr/bin/dbus-broker-launch", ["dbus-broker-launch", f"--config-file={configuration}", "--scope=system"])
    listener.close()
    while True:
        data = journal.recv(65536)
        sys.stderr.buffer.write(b"\n".join(x for x in data.split(b"\n") if x.startswith(b"MESSAGE=")) + b"\n")
        sys.stderr.flush()


if __name__ == "__main__":
    run_broker(*sys.argv[1:3])
