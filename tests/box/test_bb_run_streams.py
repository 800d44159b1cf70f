"""Session.Run with all that Exec has of input, terminals, descriptors, followers and waiting."""

import contextlib
import os
import socket
import tempfile

from bb import Gate, close_end, follow, free_port, parse_json, pipe, read_to_end, settled_fds, story, wait_until, write_input
from case import BoxCase, Stopwatch
from client import DBusError
from rig import eventually

MIB = 1 << 20


class RunCase(BoxCase):

    def setUp(self):
        with contextlib.suppress(DBusError):
            self.bus.close_session("s")
        self.bus.open_session("s")

    def run_(self, command, **options):
        return self.bus.run("s", command, **options)

    def check_state(self, directory=b"/tmp", a=b"1"):
        """The session is what the command left behind, and works."""
        outcome = self.run_("pwd; echo $A; env | grep -ci reeve_ || :")
        self.assertEqual(outcome.stdout.split(b"\n")[:2], [directory, a])


class TestRun(RunCase):

    def test_a_terminal(self):
        """The shell has one, the session's state comes back, and nothing of how shows on it."""
        outcome = self.run_("test -t 0 && test -t 1 && test -t 2 && tty; cd /tmp; export A=1; exit 3", TTY=True)
        self.assertEqual(outcome.exit_code, 3)
        self.assertRegex(outcome.stdout, rb"^/dev/pts/\d+\r\n$")
        self.check_state()

    def test_a_terminal_to_type_into(self):
        pending = self.bus.run_later("s", "stty -echo; echo ready; read x; cd /tmp; export A=$x; echo got $x", TTY=True)
        id = eventually(lambda: self.bus.session_property("s", "Jobs"), 10, "it is there")[0]
        self.bus.wait_for_output(id, b"ready")
        write_input(self.bus, id, b"1\n")
        self.assertEqual(pending.result().stdout, b"ready\r\ngot 1\r\n")
        self.check_state()

    def test_interrupted_at_the_terminal(self):
        pending = self.bus.run_later("s", "echo ready; sleep 1000", TTY=True)
        id = eventually(lambda: self.bus.session_property("s", "Jobs"), 10, "it is there")[0]
        # Not before it sleeps: a shell that has just forked may miss the key.
        eventually(lambda: any(argv[0] == "sleep" for _, _, _, argv, _ in self.reeve.describe(self.reeve.processes())), 10, "it sleeps")
        write_input(self.bus, id, b"\x03")
        outcome = pending.result()
        self.assertTrue(outcome.signal == 2 or outcome.exit_code == 130, outcome)
        self.assertEqual(self.run_("echo next").stdout, b"next\n")

    def test_a_pipe(self):
        pending = self.bus.run_later("s", "read a; cd $a; read A; export A; cat", StandardInput="pipe")
        id = eventually(lambda: self.bus.session_property("s", "Jobs"), 10, "it is there")[0]
        write_input(self.bus, id, b"/tmp\n1\nrest\n", True)
        self.assertEqual(pending.result().stdout, b"rest\n")
        self.check_state()

    def test_data(self):
        data = os.urandom(MIB)
        outcome = self.run_("cd /tmp; export A=1; cat", StandardInput="data", StandardInputData=data, LogMaxBytes=4 * MIB)
        self.assertTrue(outcome.stdout == data)
        self.check_state()

    def test_descriptors(self):
        before = settled_fds(self.reeve)
        with tempfile.TemporaryFile() as out, pipe() as ends:
            os.write(ends[1], b"in\n")
            close_end(ends, 1)
            outcome = self.run_("cat; cd /tmp; export A=1; ls /proc/self/fd", StandardInputFileDescriptor=ends[0],
                                StandardOutputFileDescriptor=out.fileno())
            out.seek(0)
            self.assertEqual((outcome.exit_code, outcome.stdout, outcome.stderr), (0, b"", b""))
            self.assertEqual(out.read().split(), [b"in", b"0", b"1", b"2", b"3"], "the command's children have no other")
        self.check_state()
        self.assert_fds_back(before)

    def test_tee(self):
        with pipe() as ends:
            outcome = self.run_("echo out; cd /tmp; export A=1", StandardOutputFileDescriptor=ends[1], Tee=True)
            close_end(ends, 1)
            self.assertEqual((outcome.stdout, read_to_end(ends[0])), (b"out\n", b"out\n"))
        self.check_state()

    def test_follow(self):
        """What is told of the Run is the command's output and its end, and nothing else."""
        outcome = self.run_("echo out; echo err >&2; cd /tmp; export A=1; exit 6")
        with follow(self.bus, outcome.id, Format="json") as follower:
            told = story(parse_json(follower.wait_end()))
        self.assertEqual(sorted((e["REEVE_STREAM"], e["MESSAGE"]) for e in told.records if e["REEVE_STREAM"] != b"note"),
                         [(b"stderr", b"err"), (b"stdout", b"out")])
        self.assertEqual((told.end["REEVE_EXIT_CODE"], told.end["REEVE_SESSION"]), (b"6", b"s"))

    def test_a_server_in_the_background(self):
        """Started with &, waited for by its port and its line, followed, and stopped by its session."""
        port = free_port()
        with Gate(self.reeve) as gate:
            server = f"import socket; s = socket.create_server((\"127.0.0.1\", {port})); print(\"listening\", flush=True); s.accept()"
            with Stopwatch() as watch:
                outcome = self.run_(f"({gate.read}; exec python3 -c '{server}') & cd /tmp; export A=1; echo started")
            self.assertLess(watch.seconds, 10)
            self.assertEqual((outcome.exit_code, outcome.stdout), (0, b"started\n"))
            self.assertGreater(outcome.details["TasksRemaining"], 0)
            self.check_state()
            self.assertEqual(self.bus.property("ListeningPorts", outcome.id), [])
            gate.open()
            self.assertEqual(wait_until(self.bus, outcome.id, Port=port)[0], "Port")
            self.assertEqual(wait_until(self.bus, outcome.id, LogPattern="^listening$")[0], "LogPattern")
        self.assertEqual(self.bus.property("ListeningPorts", outcome.id), [port])
        self.assertEqual(self.bus.property("State", outcome.id), "exited")
        with follow(self.bus, outcome.id, Format="json") as follower:
            follower.wait_for(b"listening")
            self.bus.close_session("s")
            told = story(parse_json(follower.wait_end()))
        self.assertEqual(told.end["REEVE_EXIT_CODE"], b"0", "what the command came to, whatever became of its children")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5)


class TestDetached(RunCase):

    def test_follow_write_and_wait_go_on(self):
        """A job that leaves its session keeps its input, its followers and those who wait."""
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"cat; {gate.read}; echo last", StandardInput="pipe", Session="s")
            with follow(self.bus, job.id, Format="raw") as follower:
                write_input(self.bus, job.id, b"one\n")
                follower.wait_for(b"one\n")
                self.bus.job(job.id, "Detach")
                self.assertEqual(self.bus.property("Session", job.id), "")
                self.bus.close_session("s")
                write_input(self.bus, job.id, b"two\n", True)
                follower.wait_for(b"two\n")
                gate.open()
                self.assertEqual(wait_until(self.bus, job.id, LogPattern="^last$")[0], "LogPattern")
                self.assertEqual(follower.wait_end(), b"one\ntwo\nlast\n")


class TestKillOnDisconnect(RunCase):

    def test_terminals_and_followers_of_others(self):
        """The caller goes, its job is stopped; whoever else follows it is told the end."""
        other = self.reeve.connect()
        job = other.start_sh("echo ready; exec sleep 1000", TTY=True, KillOnDisconnect=True)
        with follow(self.bus, job.id, Format="json") as follower:
            follower.wait_for(b"REEVE_SEQNUM")
            other.close()
            told = story(parse_json(follower.wait_end()))
        self.assertEqual(told.end["REEVE_RESULT"], b"signal")
