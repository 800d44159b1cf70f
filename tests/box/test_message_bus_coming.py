"""How reeve gets onto a message bus and off it, and who is there to be met."""

import os
import re
import signal
import socket
import subprocess
import time

from case import FreshCase
from client import Connection, DBUS, Disconnected, NAME, ROOT
from messagebus import MessageBus, on_bus, wait_on_bus, wait_said
from rig import SOURCE, Reeve, eventually

MIB = 1 << 20


class TestComing(FreshCase):
    """How it gets onto the bus, and off it."""

    def started(self, *args, kind="dbus-daemon", folder="message-bus", **options):
        """A reeve that is to join a bus which is not there yet."""
        reeve = Reeve(args, **options.pop("reeve", {}))
        self.boxes.append(reeve)
        message_bus = MessageBus(reeve, kind, folder=folder, **options)
        reeve.args.insert(0, f"--bus={message_bus.address}")
        reeve.start()
        self.addCleanup(message_bus.kill)
        return reeve, message_bus

    def check(self, message_bus):
        wait_on_bus(message_bus)
        with Connection(message_bus.address) as c:
            self.assertEqual(c.sh("exit 5").exit_code, 5)

    def check_quiet(self, reeve, what=lambda: None):
        """Within a second of it, in which what() happens on the bus: no wakeup. It may have to settle first."""
        def quiet():
            before = reeve.wakeups()
            what()
            time.sleep(1)       # the measure itself
            return reeve.wakeups() == before
        eventually(quiet, 8, lambda: f"no wakeups: {reeve.wakeups()} by now")

    def test_bus_comes_later(self):
        """Its folder is not there either; while nothing happens reeve sleeps."""
        reeve, message_bus = self.started(folder="not/there/yet")
        wait_said(reeve, "No message bus at")
        with reeve.connect() as c:
            c.ping()
        self.check_quiet(reeve)
        os.mkdir(f"{reeve.shared}/not")
        os.mkdir(f"{reeve.shared}/other")
        message_bus.start()
        self.check(message_bus)
        # And on the bus, whatever others do there.
        with Connection(message_bus.address) as c:
            c.ping()

            def others():
                for _ in range(50):
                    with Connection(message_bus.address):
                        pass
            self.check_quiet(reeve, others)

    def test_bus_was_there(self):
        reeve = Reeve()
        self.boxes.append(reeve)
        message_bus = MessageBus(reeve, "dbus-daemon", inside=False).start()
        self.addCleanup(message_bus.kill)
        eventually(lambda: os.path.exists(message_bus.path), 10, "the bus listens")
        reeve.args.append(f"--bus={message_bus.address}")
        reeve.start()
        self.check(message_bus)

    def test_dead_socket(self):
        """Refused a few times, then waited for without a wakeup; the next bus makes a new socket."""
        reeve = Reeve()
        self.boxes.append(reeve)
        message_bus = MessageBus(reeve, "dbus-daemon")
        os.mkdir(message_bus.folder)
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(message_bus.path)
        reeve.args.append(f"--bus={message_bus.address}")
        reeve.start()
        self.addCleanup(message_bus.kill)
        wait_said(reeve, "Connection refused")
        message_bus.start()
        self.check(message_bus)

    def test_bus_of_another_pid_namespace(self):
        reeve, message_bus = self.started(inside=False)
        message_bus.start()
        self.check(message_bus)

    def test_abstract_socket(self):
        name = f"reeve-box-{os.getpid()}-{time.monotonic_ns()}"
        reeve = Reeve([f"--bus=unix:abstract={name}"])
        self.boxes.append(reeve)
        reeve.start()
        wait_said(reeve, "Connection refused")
        with socket.socket(socket.AF_UNIX) as s:
            s.bind("\0" + name)
            s.listen()
            s.settimeout(20)
            connection, _ = s.accept()
            with connection:
                self.assertEqual(connection.recv(5)[:5], b"\0AUTH")

    def test_sigusr1(self):
        """A socket that appears in a way that the kernel does not tell of: by a mount."""
        reeve, message_bus = self.started()
        wait_said(reeve, "No message bus at")
        os.mkdir(message_bus.folder)
        there = MessageBus(reeve, "dbus-daemon", folder="elsewhere").start()
        self.addCleanup(there.kill)
        eventually(lambda: os.path.exists(there.path), 10, "the bus listens")
        done = reeve.run_inside(["mount", "--bind", there.folder, message_bus.folder])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(on_bus(there.address))
        reeve.signal(signal.SIGUSR1)
        self.check(there)
        reeve.signal(signal.SIGUSR1)    # once more does no harm
        self.check(there)

    def test_sigusr1_is_the_main_jobs(self):
        reeve = Reeve(["--", "/bin/sh", "-c", "trap 'exit 17' USR1; echo ready; while :; do sleep 0.1; done"],
                      stdout=subprocess.PIPE)
        self.boxes.append(reeve)
        message_bus = MessageBus(reeve, "dbus-daemon")
        reeve.args.insert(0, f"--bus={message_bus.address}")
        reeve.start()
        self.assertEqual(reeve.process.stdout.readline(), b"ready\n")
        reeve.process.stdout.close()
        reeve.signal(signal.SIGUSR1)
        self.assertEqual(reeve.wait_exit(), 17)

    def test_name_is_taken(self):
        reeve = Reeve()
        self.boxes.append(reeve)
        message_bus = MessageBus(reeve, "dbus-daemon", inside=False).start()
        self.addCleanup(message_bus.kill)
        eventually(lambda: os.path.exists(message_bus.path), 10, "the bus listens")
        with Connection(message_bus.address) as other:
            result, = other.call("/org/freedesktop/DBus", DBUS, "RequestName", "su", NAME, 0, destination=DBUS)
            self.assertEqual(result, 1)
            reeve.args.append(f"--bus={message_bus.address}")
            reeve.start()
            wait_said(reeve, "Somebody else is org.reeve1")
        self.check(message_bus)
        self.assertIn("as org.reeve1", reeve.log())

    def test_system_bus(self):
        """--bus=system goes by the environment, as other clients do."""
        reeve = Reeve(["--bus=system"])
        self.boxes.append(reeve)
        message_bus = MessageBus(reeve, "dbus-daemon")
        reeve.env["DBUS_SYSTEM_BUS_ADDRESS"] = f"{message_bus.address},guid=0123456789abcdef0123456789abcdef"
        reeve.start()
        message_bus.start()
        self.addCleanup(message_bus.kill)
        self.check(message_bus)

    def test_policy_that_ships(self):
        """Root has the name and calls; another user is refused by the bus itself, and hears nothing."""
        for kind in ("dbus-daemon", "dbus-broker"):
            with self.subTest(kind):
                reeve, message_bus = self.started(kind=kind, policy=f"{SOURCE}/src/bus/org.reeve1.conf")
                message_bus.start()
                self.check(message_bus)
                command = ["setpriv", "--reuid=4242", "--clear-groups", "busctl", f"--address={message_bus.address}"]
                done = subprocess.run([*command, "call", NAME, ROOT, "org.freedesktop.DBus.Peer", "Ping"],
                                      capture_output=True, timeout=20, check=False)
                self.assertIn(b"Access denied", done.stderr)
                listener = ("import sys; sys.path.insert(0, sys.argv[1])\n"
                            "from client import *\n"
                            "c = Connection(sys.argv[2]); print('ready', flush=True); sys.stdin.read()\n"
                            "print([s.member for s in c.signals if s.path.startswith('/org/reeve1')])\n")
                with Connection(message_bus.address) as root, \
                        subprocess.Popen(["setpriv", "--reuid=4242", "--clear-groups", "/usr/bin/python3", "-B", "-c", listener,
                                          os.path.dirname(__file__), message_bus.address],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
                    self.assertEqual(other.stdout.readline(), "ready\n")
                    job = root.sh("true", Description="secret")
                    root.wait_manager_signal("JobFinished", job.id)
                    self.assertEqual(other.communicate(timeout=30)[0], "[]\n")

    def test_no_socket_of_its_own(self):
        """--no-bus and --bus: the message bus alone."""
        reeve = Reeve(["--no-bus"], address=None)
        self.boxes.append(reeve)
        message_bus = MessageBus(reeve, "dbus-daemon")
        reeve.args.append(f"--bus={message_bus.address}")
        reeve.start()
        wait_said(reeve, "No message bus at")
        message_bus.start()
        self.addCleanup(message_bus.kill)
        self.check(message_bus)
        self.assertFalse(reeve.run_inside(["test", "-e", "/run/reeve/bus"]).returncode == 0)

    def test_last_words(self):
        """Whoever waits by way of the bus is answered before reeve ends, and hears of the end of the job."""
        reeve, message_bus = self.started(inside=False)
        message_bus.start()
        wait_on_bus(message_bus)
        with Connection(message_bus.address) as c:
            outcome = c.exec_later(["sleep", "100"], Id="last")
            c.wait_manager_signal("JobNew", "last")
            self.assertEqual(reeve.stop(), 0)
            self.assert_outcome(outcome.result(10), "signal", signal=signal.SIGTERM)
            c.wait_manager_signal("JobFinished", "last")
            c.wait_signal(lambda s: s.member == "NameOwnerChanged" and s.body[0] == NAME and s.body[2] == "")

    def test_bus_as_a_job(self):
        """As the documents have it: the bus is a job of the reeve that joins it."""
        reeve, message_bus = self.started()
        os.mkdir(message_bus.folder)
        message_bus.configure()
        with reeve.connect() as c:
            job = c.start(message_bus.command(), Id="dbus")
            self.check(message_bus)
            with Connection(message_bus.address) as through:
                credentials = through.call("/org/freedesktop/DBus", DBUS, "GetConnectionUnixProcessID", "s", NAME,
                                           destination=DBUS)
                self.assertEqual(credentials, (1,))
                # The bus ends: whoever called by way of it sees that at once.
                waiting = through.stop_later({"Id": job.id})
                with self.assertRaises(Disconnected):
                    waiting.result(20)
            eventually(lambda: c.property("State", "dbus") == "finished", 10, "the bus ended")

    def test_bus_that_dies_in_the_middle(self):
        """Again and again, with calls of every kind on their way: what they started lives, what they held is given back."""
        for kind in ("dbus-daemon", "dbus-broker"):
            reeve, message_bus = self.started(kind=kind)
            with reeve.connect() as direct:
                job = direct.start(["sleep", "1000"])
                eventually(lambda: not reeve.crashed(), 1, "well")
                before = reeve.fds()
                for n in range(8):
                    message_bus.start()
                    wait_on_bus(message_bus)
                    callers = [Connection(message_bus.address, match=bool(i % 2)) for i in range(6)]
                    late = [c.wait_later(job.id, "Finished") for c in callers]
                    late += [c.exec_later(["sh", "-c", f"echo {n}"], OutputMaxBytes=10) for c in callers for _ in range(5)]
                    if n % 2:
                        late[-1].raw()
                    message_bus.kill()
                    for c in callers:
                        c.close()
                self.assertEqual(direct.job_ids(State="running", Pattern="^sleep"), [job.id])
                direct.stop({"All": True})
                for id in direct.job_ids(State="finished"):
                    direct.job(id, "Forget")
                # The job is over, the log of its gone, and a watch for the bus may be there or not.
                eventually(lambda: reeve.fds() <= before + 1, 10, lambda: f"{before} descriptors: {reeve.fds()}")
            self.assertEqual(reeve.stop(), 0)
            self.assertEqual(reeve.crashed(), [])

    def test_bus_that_reads_no_more(self):
        """The kernel holds some 32 MB for it, 64 MiB may wait in PID 1; then it is left, which its clients see, and tried anew."""
        reeve, message_bus = self.started()
        message_bus.start()
        wait_on_bus(message_bus)
        with Connection(message_bus.address) as witness, reeve.connect(match=False) as flood:
            witness.ping()
            memory = reeve.memory()
            message_bus.signal(signal.SIGSTOP)
            try:
                for n in range(20):
                    pending = [flood.exec_later(["true"], Id=f"j{n}-{i}", Description="y" * 400000) for i in range(25)]
                    for i, p in enumerate(pending):
                        self.assertEqual(p.result(60).exit_code, 0)
                        flood.job(f"j{n}-{i}", "Forget")
                    self.assert_memory(memory, 128 * MIB, reeve)
            finally:
                message_bus.signal(signal.SIGCONT)
            self.assertIn("it does not read our signals", reeve.log())
            witness.wait_signal(lambda s: s.member == "NameOwnerChanged" and s.body[0] == NAME, timeout=30)
            self.check(message_bus)

    def test_as_the_documents_have_it(self):
        """docs/MESSAGE-BUS.md, word for word: a system bus as a job, of either kind."""
        with open(f"{SOURCE}/docs/MESSAGE-BUS.md", encoding="utf-8") as f:
            blocks = re.findall(r"^### (dbus-\w+)\n(?:(?!    )[^\n]*\n)*((?:    [^\n]*\n)+)", f.read(), re.M)
        self.assertEqual([kind for kind, _ in blocks], ["dbus-daemon", "dbus-broker"])
        for kind, commands in blocks:
            with self.subTest(kind):
                reeve = Reeve(["--bus=system"], prepare="/bin/mount --bind {shared}/policy /usr/share/dbus-1/system.d")
                self.boxes.append(reeve)
                os.mkdir(f"{reeve.shared}/policy")
                with open(f"{reeve.shared}/policy/org.reeve1.conf", "w", encoding="utf-8") as to, \
                        open(f"{SOURCE}/src/bus/org.reeve1.conf", encoding="utf-8") as source:
                    to.write(source.read())
                reeve.start()
                with open(f"{reeve.shared}/passwd", "a", encoding="utf-8") as f:
                    f.write("messagebus:x:101:101::/nonexistent:/usr/sbin/nologin\n")
                env = dict(reeve.env, REEVE_ADDRESS=reeve.address, PATH=f"{reeve.shared}/bin:{reeve.env['PATH']}")
                done = reeve.run_inside(["/bin/sh", "-ec", commands], env=env)
                self.assertEqual(done.returncode, 0, (done.stdout, done.stderr))
                wait_said(reeve, "as org.reeve1")
                done = reeve.run_inside(["busctl", "call", "--", NAME, ROOT, f"{NAME}.Manager", "Exec", "asa{sv}", "1", "true",
                                         "0"], env=env)
                self.assertIn(b'"success"', done.stdout, done.stderr)
                done = reeve.run_inside(["setpriv", "--reuid=4242", "--clear-groups", "busctl", "call", NAME, ROOT,
                                         "org.freedesktop.DBus.Peer", "Ping"], env=env)
                self.assertIn(b"denied", done.stderr)

    def test_bad_addresses(self):
        for address in ("nonsense", "unix:path=relative", "tcp:host=localhost,port=1", "unixexec:path=true",
                        "unix:path=/a;unix:path=/b", "unix:path=/a,runtime=yes"):
            reeve = Reeve([f"--bus={address}"])
            self.boxes.append(reeve)
            reeve.start(wait=False)
            self.assertEqual(reeve.wait_exit(), 1, address)
            self.assertIn("is not unix:path=PATH or unix:abstract=NAME", reeve.log())
