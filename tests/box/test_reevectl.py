"""reevectl, as a person and as a program would use it."""

import json
import os
import signal
import socket
import subprocess

from case import BoxCase, Stopwatch
from rig import eventually, reevectl_binary


class Ctl(BoxCase):

    def ctl(self, *args, status=0, **options):
        """Its standard output, after the exit status was checked."""
        done = self.reeve.reevectl(*args, **options)
        self.assertEqual(done.returncode, status, f"reevectl {args}: {done.stdout.decode()}{done.stderr.decode()}")
        self.err = done.stderr.decode()
        return done.stdout.decode()

    def json(self, *args, **options):
        return json.loads(self.ctl("--json", *args, **options))


class TestExec(Ctl):

    def test_streams_and_status(self):
        self.assertEqual(self.ctl("exec", "sh", "-c", "echo out; echo err >&2; exit 7", status=7), "out\n")
        self.assertEqual(self.err, "err\n")

    def test_status(self):
        for code in (0, 1, 42, 255):
            self.ctl("exec", "sh", "-c", f"exit {code}", status=code)
        self.ctl("exec", "sh", "-c", "kill -9 $$", status=137)
        self.ctl("exec", "sh", "-c", "kill -TERM $$", status=143)
        self.ctl("exec", "no-such-command", status=127)
        self.assertIn("no-such-command", self.err)
        self.ctl("exec", "/etc/passwd", status=126)

    def test_bytes(self):
        data = bytes(range(256)) * 100
        done = self.reeve.reevectl("exec", "-i", "cat", stdin=None, input=data)
        self.assertEqual((done.returncode, done.stdout), (0, data))

    def test_arguments_are_the_commands_own(self):
        """Options after the command are not reevectl's."""
        self.assertEqual(self.ctl("exec", "printf", "%s|", "--json", "-p", "--help", ""), "--json|-p|--help||")
        self.assertEqual(self.ctl("exec", "--", "echo", "-n", "x"), "x")

    def test_options(self):
        self.assertEqual(self.ctl("exec", "--cd=/usr", "pwd"), "/usr\n")
        self.assertEqual(self.ctl("exec", "--user=box", "id", "-un"), "box\n")
        self.assertEqual(self.ctl("exec", "-E", "A=b c", "printenv", "A"), "b c\n")
        self.assertEqual(self.ctl("exec", "--id=mine", "--session=s", "sh", "-c", "echo $REEVE_JOB $REEVE_SESSION"), "mine s\n")

    def test_properties(self):
        self.assertEqual(self.ctl("exec", "-p", "Nice=7", "-p", "UMask=027", "-p", "WorkingDirectory=/usr", "sh", "-c",
                                  "nice; umask; pwd"), "7\n0027\n/usr\n")
        self.assertEqual(self.ctl("exec", "-p", "LimitFSIZE=1M", "bash", "-c", "ulimit -f"), "1024\n")
        self.assertEqual(self.ctl("exec", "--property=MergeOutput=yes", "sh", "-c", "echo a >&2; echo b"), "a\nb\n")
        self.ctl("exec", "-p", "RuntimeMaxSec=300ms", "sleep", "100", status=143)
        self.ctl("exec", "-p", "KillSignal=SIGINT", "-p", "RuntimeMaxSec=0.3", "sleep", "100", status=130)
        self.ctl("exec", "-p", "RuntimeMaxSec=0.3", *self.reeve.payload("on-term", 0), status=124)

    def test_bad_properties(self):
        for property, word in (("Nix=1", "Nix"), ("Nice=99", "Nice"), ("Nice", "Nice"), ("Nice=x", "Nice"), ("UMask=9", "UMask"),
                               ("KillMode=never", "KillMode"), ("MemoryMax=1G", "MemoryMax")):
            with self.subTest(property=property):
                self.ctl("exec", "-p", property, "true", status=125)
                self.assertIn(word, self.err)

    def test_every_setting_is_known(self):
        for key in ("Id Session Description Labels WorkingDirectory Environment UnsetEnvironment User Group SupplementaryGroups "
                    "UMask Nice OOMScoreAdjust NoNewPrivileges CapabilityBoundingSet LimitNOFILE StandardInput MergeOutput "
                    "RuntimeMaxSec KillSignal TimeoutStopSec KillMode KillOnExit DrainTimeoutSec OutputMaxBytes LogMaxBytes").split():
            self.assertIn(f"\n{key} ", "\n" + self.ctl("settings"))

    def test_much_output(self):
        done = self.reeve.reevectl("exec", *self.reeve.payload("pattern", 5000000))
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout[-16:], b"%015d\n" % (5000000 // 16 - 1))

    def test_json(self):
        answer = self.json("exec", "sh", "-c", "echo out; echo err >&2; exit 3", status=3)
        self.assertEqual([answer[key] for key in ("exit_code", "signal", "result", "stdout", "stderr")],
                         [3, 0, "exit-code", "out\n", "err\n"])

    def test_background_is_not_waited_for(self):
        with Stopwatch() as watch:
            self.ctl("exec", "sh", "-c", "sleep 100 & exit 0")
        self.assertLess(watch.seconds, 10)


class TestJobs(Ctl):

    def setUp(self):
        for id in self.bus.job_ids():
            self.bus.job(id, "Forget")

    def test_start(self):
        self.assertEqual(self.ctl("start", "--id=web", "sleep", "100"), "web\n")
        self.assertEqual(self.bus.property("State", "web"), "running")
        self.assertEqual(self.json("start", "sleep", "100")["details"]["State"], "running")
        self.assertIn("first", self.ctl("start", "-w", "0.5", "sh", "-c", "echo first; sleep 100"))
        self.assertNotEqual(self.reeve.reevectl("start", "nix").returncode, 0)

    def test_list(self):
        self.bus.start(["sleep", "100"], Id="web", Labels={"k": "v"})
        self.bus.exec(["sh", "-c", "exit 7"], Id="done")
        self.bus.wait("done")
        text = self.ctl("list")
        self.assertRegex(text, r"(?m)^web +running +\d+ .*sleep 100$")
        self.assertNotIn("done", text)
        self.assertRegex(self.ctl("list", "-a"), r"(?m)^done +finished .*7")
        self.assertEqual([job["Id"] for job in self.json("list", "--all")], ["web", "done"])
        self.assertEqual([job["Id"] for job in self.json("list", "--state=finished")], ["done"])
        self.assertEqual([job["Id"] for job in self.json("list", "--label=k=v")], ["web"])
        self.assertEqual(self.json("list", "--pattern=^nix"), [])

    def test_list_fits_a_terminal_and_escapes(self):
        """What a command line holds is shown, not obeyed."""
        self.bus.start(["sh", "-c", "sleep 100", "\033[31mred\a", "new\nline", "x" * 500], Id="odd")
        text = self.ctl("list", "-a")
        self.assertNotIn("\033", text)
        self.assertNotIn("\a", text)
        self.assertEqual(sum("odd" in line for line in text.splitlines()), 1)

    def test_status(self):
        self.bus.start(["sleep", "100"], Id="web", Description="a nap")
        text = self.ctl("status", "web")
        for word in ("web", "running", "sleep 100", "a nap", str(self.bus.property("PID", "web"))):
            self.assertIn(word, text)
        self.assertEqual(self.json("status", "web")["State"], "running")
        self.assertIn("cgroup", self.ctl("status"))
        self.assertEqual(self.json("status")["Version"], self.bus.property("Version"))
        self.ctl("status", "nix", status=1)
        self.assertIn("nix", self.err)

    def test_kill_stop_wait(self):
        self.bus.start(["sleep", "100"], Id="a")
        self.bus.start(["sleep", "100"], Id="b")
        self.bus.start(self.reeve.payload("deaf"), Id="c")
        self.bus.wait_for_output("c", b"ready")
        self.ctl("wait", "--timeout=0", "a", status=124)
        self.ctl("wait", "--timeout=0.2", "a", status=124)
        self.ctl("kill", "-s", "USR1", "a")
        self.ctl("wait", "a")
        self.assertEqual(self.bus.property("Signal", "a"), signal.SIGUSR1)
        self.assertEqual(self.json("wait", "a")["reached"], "Finished")
        self.ctl("kill", "--signal=9", "b")
        self.assertEqual(self.bus.wait("b")[1]["Signal"], 9)
        with Stopwatch() as watch:
            self.assertEqual(self.json("stop", "--timeout=300ms", "c")["remaining"], 0)
        self.assertLess(watch.seconds, 10)
        self.assert_all_reaped()
        self.ctl("kill", "nix", status=1)
        self.ctl("stop", "nix", status=1)
        self.ctl("wait", "nix", status=1)

    def test_wait_for_ports_and_lines(self):
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            two.bind(("127.0.0.1", 0))
            ports = [s.getsockname()[1] for s in (one, two)]
        script = ("import socket, sys, time\nheld = [socket.create_server(('127.0.0.1', int(p))) for p in sys.argv[1:]]\n"
                  "print('up', flush=True); print('down', file=sys.stderr, flush=True); time.sleep(100)")
        self.bus.start(["/usr/bin/python3", "-c", script, *map(str, ports)], Id="web")
        self.assertEqual(self.ctl("wait", "--port", str(ports[0]), "web"), f"web listens on {ports[0]}\n")
        self.assertEqual(self.ctl("wait", f"--port={ports[0]}", f"--port={ports[1]}", "--timeout=10", "web"),
                         f"web listens on {ports[0]} {ports[1]}\n")
        self.assertEqual(self.ctl("wait", "--log=^u", "web"), "web: up\n")
        self.assertEqual(self.ctl("wait", "--stderr", "--log=w", "--until=exited", "web"), "web: down\n")
        self.assertEqual(self.json("wait", "--log=^up$", "web")["details"]["Line"], "up")
        self.ctl("wait", "--stdout", "--log=down", "--timeout=0", "web", status=124)
        self.assertIn(" ".join(str(port) for port in sorted(ports)), self.ctl("status", "web"))
        self.ctl("wait", "--until=ready", "--timeout=0", "web")
        self.bus.exec(["printf", "a\\0b\\n"], Id="nul")
        self.assertEqual(self.ctl("wait", "--log=b", "nul"), "nul: a\\x00b\n")
        self.bus.stop({"Id": "web"})
        self.assertIn("finished", self.ctl("wait", "--port=1", "web", status=1))
        self.assertEqual(self.json("wait", "--port=1", "web", status=1)["reached"], "Finished")
        for wrong in (["--port=0"], ["--port=65536"], ["--stdout"], ["--until=soon"], ["--port=x"]):
            self.ctl("wait", *wrong, "web", status=2)
        self.ctl("wait", "--log=(", "web", status=1)

    def test_selectors(self):
        self.bus.start(["sleep", "100"], Id="a", Session="one")
        self.bus.start(["sleep", "101"], Id="b", Session="two", Labels={"k": "v"})
        self.bus.start(["sleep", "102"], Id="c", Session="two")
        self.ctl("stop", "--session=one")
        self.assertEqual(self.bus.job_ids(State="running"), ["b", "c"])
        self.ctl("kill", "--label=k=v", "-s", "KILL")
        self.bus.wait("b")
        self.ctl("stop", "--all")
        self.assertEqual(self.bus.job_ids(State="running"), [])
        self.assertNotEqual(self.reeve.reevectl("stop").returncode, 0)
        self.assertNotEqual(self.reeve.reevectl("kill").returncode, 0)


class TestLogs(Ctl):

    def setUp(self):
        # One line after the other is in the log before the next is written: they come through two pipes.
        job = self.bus.start_sh("while read -r line; do case $line in out*) echo $line;; *) echo $line >&2;; esac; done",
                                StandardInput="pipe")
        for line in (b"out1\n", b"err1\n", b"out2\n", b"err2\n", b"out3\n", b"err3\n"):
            self.bus.write_input(job.id, line, line == b"err3\n")
            self.bus.wait_for_output(job.id, line)
        self.bus.wait(job.id)
        self.one = job.id

    def test_raw(self):
        self.assertEqual(self.ctl("logs", "-o", "raw", "--stdout", self.one), "out1\nout2\nout3\n")
        self.assertEqual(self.ctl("logs", "-o", "raw", "--stderr", self.one), "err1\nerr2\nerr3\n")
        self.assertEqual(self.ctl("logs", "-o", "raw", self.one), "out1\nerr1\nout2\nerr2\nout3\nerr3\n")

    def test_raw_is_exact(self):
        data = os.urandom(100000)
        id = self.bus.exec(["cat"], StandardInput="data", StandardInputData=data).id
        self.assertEqual(self.reeve.reevectl("logs", "-o", "raw", id).stdout, data)

    def test_short(self):
        lines = self.ctl("logs", self.one).splitlines()
        self.assertEqual(len(lines), 6)
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\S* \S+ sh(\[\d+\])?: (out|err)[123]$")

    def test_tail(self):
        self.assertEqual(self.ctl("logs", "-n", "2", "-o", "raw", self.one), "out3\nerr3\n")
        self.assertEqual(self.ctl("logs", "--tail=1", "--stdout", "-o", "raw", self.one), "out3\n")

    def test_since(self):
        self.assertEqual(len(self.ctl("logs", "--since=5min", self.one).splitlines()), 6)
        records = self.bus.log(self.one).records
        since = records[3].realtime
        self.assertEqual(self.ctl("logs", f"--since=@{since // 10 ** 6}.{since % 10 ** 6:06d}", "-o", "raw", self.one),
                         "err2\nout3\nerr3\n")

    def test_json(self):
        entries = [json.loads(line) for line in self.ctl("logs", "-o", "json", self.one).splitlines()]
        entries = [entry for entry in entries if "MESSAGE" in entry and entry.get("REEVE_STREAM") != "note"]
        self.assertEqual([entry["MESSAGE"] for entry in entries], ["out1", "err1", "out2", "err2", "out3", "err3"])
        first = entries[0]
        self.assertEqual([first[key] for key in ("PRIORITY", "SYSLOG_IDENTIFIER", "REEVE_JOB", "REEVE_SESSION", "REEVE_STREAM",
                                                 "REEVE_SEQNUM")], ["6", "sh", self.one, "default", "stdout", "1"])
        self.assertEqual((entries[1]["PRIORITY"], entries[1]["REEVE_STREAM"]), ("3", "stderr"))
        self.assertEqual(int(first["__REALTIME_TIMESTAMP"]), self.bus.log(self.one).records[0].realtime)

    def test_cursor(self):
        """Go on where the last object says."""
        cursor = [json.loads(line) for line in self.ctl("logs", "-o", "json", self.one).splitlines()][-1]["__CURSOR"]
        self.assertEqual(self.ctl("logs", f"--cursor={cursor}", "-o", "raw", self.one), "")

    def test_follow(self):
        self.bus.sh("mkfifo /tmp/follow")
        job = self.bus.start_sh("echo first; read x </tmp/follow; echo second")
        with subprocess.Popen([reevectl_binary(), f"--address={self.reeve.address}", "logs", "-f", "-o", "raw", job.id],
                              stdout=subprocess.PIPE) as follower:
            self.assertEqual(follower.stdout.readline(), b"first\n")
            self.assertIsNone(follower.poll())
            self.bus.sh("echo go >/tmp/follow")
            self.assertEqual(follower.stdout.read(), b"second\n")
            self.assertEqual(follower.wait(30), 0)

    def test_a_closed_pipe(self):
        """reevectl logs | head"""
        id = self.bus.exec(["seq", "1", "10000"]).id
        done = subprocess.run(f"{reevectl_binary()} --address={self.reeve.address} logs -o raw {id} | head -1", shell=True,
                              capture_output=True, timeout=20, check=True)
        self.assertEqual(done.stderr, b"")

    def test_no_such_job(self):
        self.ctl("logs", "nix", status=1)
        self.assertIn("nix", self.err)


class TestItself(Ctl):

    def test_version(self):
        self.assertIn(self.bus.property("Version"), self.ctl("version"))
        self.assertEqual(self.json("version")["server"], self.bus.property("Version"))

    def test_help(self):
        for verb in ("", "exec", "start", "list", "status", "logs", "kill", "stop", "wait", "version"):
            text = self.ctl(*([verb] if verb else []), "--help")
            self.assertLessEqual(max(map(len, text.splitlines())), 80, verb)

    def test_mistakes(self):
        for args in ((), ("nix",), ("exec",), ("--nix", "list"), ("list", "--nix"), ("logs",), ("wait",)):
            done = self.reeve.reevectl(*args)
            self.assertNotEqual(done.returncode, 0, args)
            self.assertTrue(done.stderr.strip(), args)
            self.assertEqual(done.stdout, b"", args)

    def test_nobody_there(self):
        done = subprocess.run([reevectl_binary(), "--address=unix:path=/nonexistent/bus", "list"], capture_output=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"/nonexistent/bus", done.stderr)

    def test_inside(self):
        done = self.reeve.run_inside([f"{self.reeve.shared}/bin/reevectl", f"--address={self.reeve.address}", "exec", "sh", "-c",
                                      "echo in; exit 4"])
        self.assertEqual((done.returncode, done.stdout), (4, b"in\n"))

    def test_as_a_job(self):
        """A command of a job asks reeve for another; no deadlock."""
        script = f"{self.reeve.shared}/bin/reevectl --address={self.reeve.address} exec sh -c 'echo nested; exit 6'"
        outcome = self.bus.sh(script)
        self.assertEqual((outcome.exit_code, outcome.stdout), (6, b"nested\n"), outcome)

    def test_full_output(self):
        """What can't be written is an error, not silence."""
        with open("/dev/full", "wb") as full:
            done = subprocess.run([reevectl_binary(), f"--address={self.reeve.address}", "list", "-a"], stdout=full,
                                  stderr=subprocess.PIPE, timeout=20, check=False)
        self.assertNotEqual(done.returncode, 0)

    def test_interrupted(self):
        """^C ends reevectl; the job of exec is told, or goes on, but reeve takes no harm."""
        with subprocess.Popen([reevectl_binary(), f"--address={self.reeve.address}", "exec", "--id=long", "sleep", "1000"],
                              stderr=subprocess.DEVNULL) as client:
            eventually(lambda: "long" in self.bus.job_ids(), 10, "it runs")
            client.send_signal(signal.SIGINT)
            client.wait(30)
        self.assertEqual(self.bus.sh("exit 3").exit_code, 3)
