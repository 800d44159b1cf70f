"""Job.Wait for ports and lines: what is so, of which job, and how soon it is told."""

import socket
import time

from bb import Gate, free_port, wait_until, wait_until_later
from case import BoxCase, Stopwatch
from client import DBusError, INFINITY, MSEC, SEC, V
from rig import eventually

# A job that does what lines of a FIFO tell it.
PUPPET = r"""
import os, socket, sys
held = []
FAMILY = {"4": socket.AF_INET, "6": socket.AF_INET6}
def reach(kind, family, address, port, listen):
    s = socket.socket(FAMILY[family], kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == "6":
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1 if address != "::dual" else 0)
    s.bind((address if address != "::dual" else "::", int(port)))
    if listen:
        s.listen()
    held.append(s)
    print("port", s.getsockname()[1], flush=True)
commands = open(sys.argv[1])
print("ready", flush=True)
for line in iter(commands.readline, ""):
    verb, *args = line.split()
    if verb == "listen":
        reach(socket.SOCK_STREAM, *args, True)
    elif verb == "bind":
        reach(socket.SOCK_STREAM, *args, False)
    elif verb == "udp":
        reach(socket.SOCK_DGRAM, *args, False)
    elif verb == "connect":
        held.append(socket.create_connection(("127.0.0.1", int(args[0]))))
        print("port", held[-1].getsockname()[1], flush=True)
    elif verb == "close":
        held.pop().close()
        print("closed", flush=True)
    elif verb == "leave":       # a child goes on with all that is held, in a session of its own
        if os.fork():
            os._exit(int(args[0]))
        os.setsid()
        print("left", flush=True)
    elif verb == "exit":
        os._exit(int(args[0]))
"""


class Puppet:
    def __init__(self, test, **options):
        self.bus, self.gate = test.bus, Gate(test.reeve, "puppet")
        test.addCleanup(self.gate.__exit__, "in any case")
        self.id = self.bus.start(["/usr/bin/python3", "-c", PUPPET, self.gate.path], **options).id
        self.cursor = ""
        self.hear(b"ready")

    def hear(self, word):
        """The rest of the next line of its output, which begins with word."""
        log = self.bus.log(self.id, self.cursor, WaitUSec=10 * SEC, MaxBytes=1, Streams=["stdout"])
        self.cursor = log.next
        line = log.records[0].data.split()
        if line[0] != word:
            raise AssertionError(f"{word!r} is due, it said {line}")
        return line[1:]

    def tell(self, line, word=None):
        with open(self.gate.path, "w", encoding="utf-8") as f:
            f.write(line + "\n")
        return self.hear(word) if word else None

    def listen(self, family=4, address="127.0.0.1", port=0, how="listen"):
        return int(self.tell(f"{how} {family} {address} {port}", b"port")[0])


class WaitCase(BoxCase):

    def not_so(self, id, **until):
        self.assert_error("Timeout", call=lambda: wait_until(self.bus, id, 0, **until))

    def so(self, id, reached, **until):
        """At once, without waiting; the details."""
        have, details = wait_until(self.bus, id, 0, **until)
        self.assertEqual(have, reached)
        return details

    def ports(self, id):
        return self.bus.property("ListeningPorts", id)


class TestPort(WaitCase):

    def test_one_that_comes(self):
        puppet, port = Puppet(self), free_port()
        self.not_so(puppet.id, Port=port)
        pending = wait_until_later(self.bus, puppet.id, Port=port)
        self.bus.ping()
        self.assertFalse(pending.done())
        with Stopwatch() as watch:
            puppet.listen(port=port)
            reached, details = pending.result()
        self.assertEqual((reached, details["Port"], details["State"]), ("Port", port, "running"))
        self.assertLess(watch.seconds, 10)
        self.so(puppet.id, "Port", Port=port)

    def test_soon(self):
        """The pace of looking is finer than what a user notices."""
        times = []
        for _ in range(7):
            puppet, port = Puppet(self), free_port()
            pending = wait_until_later(self.bus, puppet.id, Port=port)
            self.bus.ping()
            puppet.listen(port=port)
            listening = time.monotonic()
            pending.result()
            times.append(pending.arrived - listening)
        self.assertLess(min(times), 0.3, times)

    def test_each_family_and_address(self):
        puppet = Puppet(self)
        for family, address in ((4, "127.0.0.1"), (4, "0.0.0.0"), (4, "127.1.2.3"), (6, "::1"), (6, "::"), (6, "::dual")):
            with self.subTest(address=address):
                port = puppet.listen(family, address)
                self.assertEqual(self.so(puppet.id, "Port", Port=port)["Port"], port)
                self.assertIn(port, self.ports(puppet.id))

    def test_all_of_several(self):
        puppet, ports = Puppet(self), [free_port() for _ in range(3)]
        pending = wait_until_later(self.bus, puppet.id, Ports=ports)
        for port in ports[:2]:
            puppet.listen(port=port)
            self.not_so(puppet.id, Ports=ports)
        self.assertFalse(pending.done())
        puppet.listen(6, "::1", ports[2])
        self.assertEqual(pending.result()[0], "Ports")
        self.so(puppet.id, "Ports", Ports=ports)
        self.so(puppet.id, "Ports", Ports=[ports[1], ports[1]])

    def test_what_is_not_listening(self):
        """Bound only, of UDP, of a connection, or of a socket that was closed."""
        puppet, other = Puppet(self), Puppet(self)
        for how in ("bind", "udp"):
            self.not_so(puppet.id, Port=puppet.listen(how=how))
        local = int(puppet.tell(f"connect {other.listen()}", b"port")[0])
        self.not_so(puppet.id, Port=local)
        port = puppet.listen()
        self.so(puppet.id, "Port", Port=port)
        puppet.tell("close", b"closed")
        self.not_so(puppet.id, Port=port)
        self.assertEqual(self.ports(puppet.id), [])

    def test_ports_of_others_do_not_count(self):
        """Neither another job's nor the machine's."""
        one, two = Puppet(self), Puppet(self)
        port = one.listen()
        self.so(one.id, "Port", Port=port)
        self.not_so(two.id, Port=port)
        self.assertEqual(self.ports(two.id), [])
        with socket.create_server(("127.0.0.1", 0)) as ours:
            self.not_so(two.id, Port=ours.getsockname()[1])
        # The same number on another address is the other's own.
        self.assertEqual(two.listen(4, "127.9.9.9", port), port)
        self.so(two.id, "Port", Port=port)

    def test_listening_ports(self):
        puppet = Puppet(self)
        self.assertEqual(self.ports(puppet.id), [])
        port = puppet.listen()
        puppet.listen(6, "::1", port)
        ports = {port} | {puppet.listen() for _ in range(20)}
        have = self.ports(puppet.id)
        self.assertEqual((len(have), set(have)), (len(ports), ports), "each once")
        self.assertEqual(self.bus.properties(puppet.id)["ListeningPorts"], have)
        puppet.tell("exit 0")
        self.bus.wait(puppet.id)
        self.assertEqual(self.ports(puppet.id), [])

    def test_a_child_that_lives_on(self):
        """The daemon of a leader that has ended, in a session of its own: the scope is what counts."""
        puppet = Puppet(self)
        port = puppet.listen()
        puppet.tell("leave 3", b"left")
        self.bus.wait(puppet.id, "Exited")
        details = self.so(puppet.id, "Port", Port=port)
        self.assertEqual((details["Port"], details["State"], details["ExitCode"]), (port, "exited", 3))
        self.assertEqual(self.ports(puppet.id), [port])
        later = free_port()
        pending = wait_until_later(self.bus, puppet.id, Port=later)
        puppet.listen(port=later)
        self.assertEqual(pending.result()[0], "Port")

    def test_a_socket_that_was_inherited(self):
        """Made by somebody else, held by a process of the job: as with socket activation."""
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
            job = self.bus.start(["sleep", "1000"], StandardInputFileDescriptor=s.fileno())
            self.so(job.id, "Port", Port=port)
            self.assertEqual(self.ports(job.id), [port])
            self.bus.stop({"Id": job.id})
            self.assertEqual(self.ports(job.id), [])

    def test_many_wait(self):
        puppet, port = Puppet(self), free_port()
        others = [self.reeve.connect() for _ in range(5)]
        pending = [wait_until_later(bus, puppet.id, Port=port) for bus in others for _ in range(10)]
        self.bus.ping()
        others[0].close()       # some do not wait for the answer
        puppet.listen(port=port)
        for wait in pending[10:]:
            self.assertEqual(wait.result()[0], "Port")
        for other in others[1:]:
            other.close()

    def test_the_job_ends_first(self):
        for exit, detail in (("exit 0", ("success", 0, 0)), ("exit 7", ("exit-code", 7, 0))):
            puppet = Puppet(self)
            pending = wait_until_later(self.bus, puppet.id, INFINITY, Port=free_port())
            self.bus.ping()
            puppet.tell(exit)
            reached, details = pending.result(10)
            self.assertEqual((reached, details["State"]), ("Finished", "finished"))
            self.assertEqual((details["Result"], details["ExitCode"], details["Signal"]), detail)
            # And of one that has already ended.
            self.so(puppet.id, "Finished", Port=1)
            self.so(puppet.id, "Finished", Ports=[1, 2])

    def test_timeout(self):
        puppet = Puppet(self)
        for msec in (1, 300):
            with Stopwatch() as watch:
                self.assert_error("Timeout", call=lambda msec=msec: wait_until(self.bus, puppet.id, msec * MSEC, Port=free_port()))
            self.assert_between(msec / 1000, watch.seconds, 10)
        self.assertEqual(self.bus.property("State", puppet.id), "running", "never touches the job")

    def test_nobody_waits_nobody_looks(self):
        """Waiting costs little, and nothing at all when it is over."""
        puppet = Puppet(self)
        puppet.listen()

        def quiet():
            before = self.reeve.wakeups()
            time.sleep(1)       # the measure itself
            return self.reeve.wakeups() == before
        eventually(quiet, 8, "no wakeups though a port is listened on")
        with self.reeve.connect() as other:
            wait_until_later(other, puppet.id, INFINITY, Port=free_port())
            other.ping()
            before = self.reeve.wakeups()
            time.sleep(2)       # the measure itself
            self.assertLess(self.reeve.wakeups() - before, 200, "a fixed pace finer than needed")
        eventually(quiet, 8, "no wakeups when the one who waited has gone")
        self.assert_error("Timeout", call=lambda: wait_until(self.bus, puppet.id, 300 * MSEC, Port=free_port()))
        eventually(quiet, 8, "no wakeups after a timeout")


class TestRefused(WaitCase):

    def test_each(self):
        job = self.bus.start(["sleep", "1000"])
        for key, value in (("Port", V("q", 0)), ("Port", V("u", 80)), ("Port", V("s", "http")), ("Ports", V("au", [80])),
                           ("Ports", V("q", 80)), ("Ports", V("aq", [80, 0])), ("LogPattern", "("), ("LogPattern", "a[z"),
                           ("LogPattern", "[[:nix:]]"), ("LogPattern", "\\"), ("LogPattern", V("ay", b"x")), ("Nix", V("b", True))):
            with self.subTest(key=key, value=value):
                self.assert_error("InvalidArgs", key, call=lambda key=key, value=value: wait_until(self.bus, job.id, 0, **{key: value}))
        self.assert_error("InvalidArgs", "Ports", call=lambda: wait_until(self.bus, job.id, 0, Ports=list(range(1, 66))))
        for streams in (["stdin"], V("s", "stderr")):
            self.assert_error("InvalidArgs", "LogStreams", call=lambda streams=streams: wait_until(
                self.bus, job.id, 0, LogPattern="x", LogStreams=streams))
        self.assert_error("InvalidArgs", "LogPattern", call=lambda: wait_until(self.bus, job.id, 0, Exited=True, LogPattern="(("))

    def test_hostile_patterns(self):
        """On a line that is made for them. Answered or refused, and PID 1 goes on."""
        job = self.bus.start_sh("head -c 60000 /dev/zero | tr '\\0' a; echo; exec sleep 1000")
        self.bus.wait_for_output(job.id, b"\n")
        for pattern in ("(a|a)*(a|a)*(a|a)*b", "((((a*)*)*)*)*b", "(a|aa)+$b", "(((a{99}){99}){99}){99}", "(" * 5000 + "a" + ")" * 5000):
            with self.subTest(pattern=pattern[:30]), Stopwatch() as watch:
                try:
                    wait_until(self.bus, job.id, 0, LogPattern=pattern)
                except DBusError as e:
                    self.assertTrue(e.name.endswith((".Timeout", ".InvalidArgs")), e)
            self.assertLess(watch.seconds, 10)


class TestMixed(WaitCase):

    def test_whichever_comes_first(self):
        port = free_port()
        until = {"Port": port, "LogPattern": "^say", "Exited": True}
        for command, reached in ((f"listen 4 127.0.0.1 {port}", "Port"), ("exit 5", "Exited")):
            puppet = Puppet(self)
            pending = wait_until_later(self.bus, puppet.id, **until)
            self.bus.ping()
            puppet.tell(command)
            have, details = pending.result()
            self.assertEqual(have, reached)
            self.assertEqual(details.get("Port", port), port)
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"{gate.read}; echo say it; exec sleep 1000")
            pending = wait_until_later(self.bus, job.id, **until)
            self.bus.ping()
            gate.open()
            have, details = pending.result()
            self.assertEqual((have, bytes(details["Line"]).rstrip(b"\n")), ("LogPattern", b"say it"))

    def test_a_line_before_the_end(self):
        """Asked for both, the job wrote the line and ended: the line came first, and is told first."""
        for i in range(20):
            job = self.bus.start_sh("echo done; exit 3")
            if i % 2:
                self.bus.wait(job.id)
            reached, details = wait_until(self.bus, job.id, LogPattern="^done$", Exited=True, Finished=True)
            self.assertEqual(reached, "LogPattern")

    def test_end_that_was_not_asked_for(self):
        job = self.bus.start_sh("exit 9")
        reached, details = wait_until(self.bus, job.id, Port=free_port(), LogPattern="never")
        self.assertEqual((reached, details["ExitCode"], details["Result"]), ("Finished", 9, "exit-code"))

    def test_a_stop_meanwhile(self):
        puppet = Puppet(self)
        pending = wait_until_later(self.bus, puppet.id, Port=free_port(), LogPattern="never")
        self.bus.ping()
        self.bus.stop({"Id": puppet.id})
        reached, details = pending.result()
        self.assertEqual((reached, details["Signal"]), ("Finished", 15))
