"""reevectl with sessions: run, session, detach, freeze and thaw; and what becomes of a job in front whose reevectl goes."""

import os
import signal
import subprocess

import completion
from rig import eventually, reevectl_binary
from session import SessionCase
from test_reevectl import Ctl
from test_reevectl_monitor import Monitor


class CtlSession(SessionCase, Ctl):
    """self.name is a session of the test's own."""

    def sh(self, command, *options, **more):
        return self.ctl("run", f"--session={self.name}", *options, "--", command, **more)


class TestRun(CtlSession):

    def test_output_and_status(self):
        self.assertEqual(self.sh("echo out; echo err >&2; exit 7", status=7), "out\n")
        self.assertEqual(self.err, "err\n")
        self.sh("kill -9 $$", status=137)
        self.sh("no-such-command", status=127)

    def test_what_a_command_leaves(self):
        self.sh("cd /usr && export A=1; umask 027; exit 3", status=3)
        self.assertEqual(self.sh("pwd; echo $A; umask"), "/usr\n1\n0027\n")
        self.assertEqual(self.ctl("run", "pwd; echo $A"), "/\n\n")

    def test_words_are_one_command(self):
        self.assertEqual(self.ctl("run", f"--session={self.name}", "echo", "a", "-n", "&&", "echo", "b"), "a -n\nb\n")

    def test_options_of_exec(self):
        self.assertEqual(self.sh("pwd; echo $B", "--cd=/usr", "-E", "B=2"), "/usr\n2\n")
        self.assertEqual(self.sh("pwd; echo $B"), "/\n\n")
        done = self.reeve.reevectl("run", "-i", "cat", stdin=None, input=b"in\0put")
        self.assertEqual((done.returncode, done.stdout), (0, b"in\0put"))
        self.sh("sleep 1000", "--timeout=0.2", status=143)
        self.assertIn("RuntimeMaxSec", self.err)

    def test_json(self):
        answer = self.json("run", f"--session={self.name}", "echo x; exit 3", status=3)
        self.assertEqual((answer["stdout"], answer["exit_code"], answer["details"]["StateKept"]), ("x\n", 3, True))

    def test_it_is_said_when_the_state_is_not_kept(self):
        self.sh("cd /usr; exec true", "-v")
        self.assertIn("not kept", self.err)
        self.sh("cd /usr", "-v")
        self.assertNotIn("not kept", self.err)
        self.sh("cd /; exec true")
        self.assertEqual(self.err, "")

    def test_a_session_is_made(self):
        """As exec makes one."""
        self.ctl("run", "--session=fresh", "cd /usr")
        self.assertEqual(self.ctl("run", "--session=fresh", "pwd"), "/usr\n")
        self.assertIn("fresh", self.bus.sessions())

    def test_a_directory_that_is_gone(self):
        self.sh("mkdir /tmp/gone && cd /tmp/gone")
        self.bus.sh("rmdir /tmp/gone")
        self.sh("pwd", status=125)
        self.assertIn("BadWorkingDirectory", self.err)
        self.ctl("session", "cd", self.name, "/")
        self.assertEqual(self.sh("pwd"), "/\n")

    def test_background_stays(self):
        self.sh("sleep 1000 & cd /usr", "-v")
        self.assertIn("1 process of it lives on", self.err)
        id, = self.living()
        self.bus.ping()
        self.assertTrue(self.bus.property("Running", id))
        self.assertEqual(self.sh("pwd"), "/usr\n")
        self.assertEqual(self.ctl("list", f"--session={self.name}").splitlines()[1].split()[0], id)

    def test_mistakes(self):
        self.ctl("run", status=125)
        self.sh("true", "--id=x", status=125)
        self.sh("true", "-p", "Id=x", status=125)
        self.assertIn("Id", self.err)
        self.ctl("run", f"--session={self.name}", "-p", "Nix=1", "true", status=125)
        self.assertIn("Nix", self.err)


class TestSessionVerbs(CtlSession):

    def test_open(self):
        self.ctl("session", "open", "work", "--cd=/srv", "-E", "STAGE=test", "-p", "UMask=027")
        self.assertEqual(self.ctl("run", "--session=work", "pwd; echo $STAGE; umask"), "/srv\ntest\n0027\n")
        self.ctl("session", "open", "work", "--cd=/srv", "-E", "STAGE=test", "-p", "UMask=027")
        self.ctl("session", "open", "work", "--cd=/usr", status=1)
        self.assertIn("SessionExists", self.err)
        self.assertEqual(self.json("session", "open", "other"), {"name": "other", "session": "/org/reeve1/session/other"})
        self.ctl("session", "open", "bad", "-p", "Nice=1", status=1)
        self.assertIn("Nice", self.err)

    def test_shell_and_clean_environment(self):
        for options in (("--shell=/bin/bash", "--clean"), ("-p", "Shell=/bin/bash", "-p", "CleanEnvironment=yes")):
            with self.subTest(options=options):
                self.ctl("session", "open", "bash", *options, "-E", "ONE=1")
                self.assertEqual(self.ctl("run", "--session=bash", "[[ -n $BASH_VERSION ]] && echo $ONE"), "1\n")
                self.assertEqual(self.ctl("session", "env", "bash"), "ONE\n")
                self.ctl("session", "close", "bash")
        self.ctl("session", "open", "bash", "-p", "CleanEnvironment=perhaps", status=2)

    def test_user(self):
        self.ctl("session", "open", "theirs", "--user=box")
        self.assertEqual(self.ctl("exec", "--session=theirs", "id", "-un"), "box\n")

    def test_list(self):
        self.bus.start(["sleep", "100"], Session=self.name)
        self.sh("cd /usr")
        lines = {line.split()[0]: line for line in self.ctl("session", "list").splitlines()}
        self.assertTrue({"default", "system", self.name} <= set(lines))
        self.assertRegex(lines[self.name], r"^\S+ +1 .* /usr$")
        self.assertEqual([session["WorkingDirectory"] for session in self.json("session", "list") if session["Name"] == self.name],
                         ["/usr"])

    def test_close(self):
        job = self.bus.start(["sleep", "100"], Session=self.name)
        self.assertEqual(self.ctl("session", "close", self.name), f"stopped {job.id} (1 process)\n")
        self.assertNotIn(self.name, self.bus.sessions())
        self.ctl("session", "close", self.name, status=1)
        self.assertIn("NoSuchSession", self.err)
        self.ctl("session", "close", "system", status=1)
        self.assertIn("AccessDenied", self.err)
        one, two = self.open(), self.open()
        job = self.bus.start(self.reeve.payload("deaf"), Session=two)
        self.bus.wait_for_output(job.id, b"ready")
        self.assertEqual(self.json("session", "close", "--timeout=0", one, two), {"ids": [job.id], "pids": [job.pid], "remaining": 0})
        self.assertFalse({one, two} & set(self.bus.sessions()))

    def test_env(self):
        self.ctl("session", "env", self.name, "A=a b", "SECRET=x=y\nz", "C=")
        self.assertEqual(self.sh('echo "$A|$SECRET|${C-unset}"'), "a b|x=y\nz|\n")
        names = self.ctl("session", "env", self.name)
        self.assertTrue({"A", "SECRET", "C"} <= set(names.split()))
        self.assertNotIn("x=y", names)
        self.assertIn("SECRET", self.json("session", "env", self.name))
        self.ctl("session", "env", "--unset=A", "-u", "C", self.name, "D=1")
        self.assertEqual(self.sh('echo "${A-unset} ${C-unset} $D"'), "unset unset 1\n")
        self.ctl("session", "env", self.name, "E=1", "A", status=2)
        self.assertIn("A: NAME=VALUE", self.err)
        self.assertNotIn("E", self.json("session", "env", self.name))
        self.ctl("session", "env", "nix", status=1)

    def test_cd(self):
        self.ctl("session", "cd", self.name, "/usr")
        self.assertEqual(self.ctl("session", "cd", self.name), "/usr\n")
        self.ctl("session", "cd", self.name, "bin")
        self.assertEqual(self.json("session", "cd", self.name), "/usr/bin")
        self.assertEqual(self.sh("pwd -P"), os.path.realpath("/usr/bin") + "\n")

    def test_mistakes(self):
        for args in ((), ("nix",), ("open",), ("close",), ("env",), ("cd",), ("cd", "a", "b", "c"), ("list", "a"), ("open", "--nix", "a")):
            self.ctl("session", *args, status=2)
            self.assertIn("Try: reevectl", self.err)
        self.assertIn("session open", self.ctl("session", "--help"))

    def test_completion(self):
        self.ctl("session", "env", self.name, "ZEBRA=1")
        for complete in completion.shells():
            def words(*args, complete=complete):
                return complete(reevectl_binary(), *args, REEVE_ADDRESS=self.reeve.address)
            with self.subTest(shell=complete.__name__):
                for args in (("session", "close"), ("session", "cd"), ("session", "env"), ("exec", "--session"), ("run", "--session")):
                    self.assertTrue({"default", "system", self.name} <= set(words(*args, "")), args)
                self.assertEqual(words("session", "env", self.name, "--unset", "ZEB"), ["ZEBRA"])


class TestJobsOfSessions(CtlSession):

    def test_detach(self):
        job, other = (self.bus.start(["sleep", "100"], Session=self.name) for _ in range(2))
        self.assertEqual(self.ctl("detach", job.id), f"detached {job.id}\n")
        self.assertEqual(self.ctl("session", "close", self.name), f"stopped {other.id} (1 process)\n")
        self.assertEqual(self.bus.property("State", job.id), "running")
        self.assertEqual(self.json("detach", "nix", job.id, status=1), {"ids": [job.id]})
        self.assertIn("nix", self.err)
        self.ctl("detach", "nix", status=1)

    def test_freeze_and_thaw(self):
        job = self.bus.start(["sleep", "100"], Session=self.name)
        for args in (("freeze", job.id), ("freeze", f"--session={self.name}")):
            with self.subTest(args=args):
                self.ctl(*args)
                self.assertTrue(self.bus.property("Frozen", job.id))
                self.ctl("thaw", *args[1:])
                self.assertFalse(self.bus.property("Frozen", job.id))
        self.ctl("freeze", status=2)
        self.ctl("freeze", "--session=a", "b", status=2)
        self.ctl("freeze", "--session=nix", status=1)

    def test_selectors(self):
        """List the background processes of a session; kill one by pid, all that match a pattern, all of a session."""
        one, two, three = (self.bus.start(["sleep", str(seconds)], Session=self.name) for seconds in (101, 102, 103))
        stays = self.bus.start(["sleep", "104"])
        ids = [job["Id"] for job in self.json("list", f"--session={self.name}")]
        self.assertEqual(ids, [one.id, two.id, three.id])
        self.assertEqual([job["PID"] for job in self.json("list", two.id, one.id)], [two.pid, one.pid])
        self.assertEqual([job["Id"] for job in self.json("list", f"--pid={three.pid}")], [three.id])
        self.assertEqual(self.json("kill", f"--pid={one.pid}"), {"ids": [one.id], "pids": [one.pid]})
        self.bus.wait(one.id)
        self.assertEqual(self.json("stop", "--pattern=sleep 102", f"--session={self.name}")["ids"], [two.id])
        self.assertEqual(self.json("stop", f"--session={self.name}")["ids"], [three.id])
        self.assertEqual(self.bus.property("State", stays.id), "running")
        self.ctl("list", one.id, "nix", status=1)
        self.assertIn("nix", self.err)
        self.ctl("kill", "--pid=4000000", status=1)
        self.assertIn("NoSuchProcess", self.err)

    def test_one_process_alone(self):
        job = self.bus.start(["sh", "-c", "sleep 100 & echo $!; wait; echo waited; exec sleep 100"])
        pid = int(self.bus.wait_for_output(job.id, b"\n"))
        self.assertEqual(self.json("kill", f"--pid={pid}", "--whom=process"), {"ids": [job.id], "pids": [pid]})
        self.bus.wait_for_output(job.id, b"waited")
        self.assertEqual(self.bus.property("State", job.id), "running")
        self.ctl("kill", "--whom=process", job.id, status=2)

    def test_monitor(self):
        with Monitor(self.reeve) as monitor:
            name = self.open(WorkingDirectory="/srv")
            self.ctl("session", "cd", name, "/usr")
            job = self.bus.start(["sleep", "100"], Session=name)
            self.ctl("freeze", job.id)
            lines = monitor.until(lambda line: line.endswith(f"job {job.id}: running, frozen\n"))
            self.ctl("thaw", job.id)
            self.ctl("session", "close", name)
            lines += monitor.until(lambda line: line.endswith(f"{name}: removed\n"))
            lines = [line.split(" ", 1)[1].rstrip("\n") for line in lines]
        self.assertEqual([line for line in lines if line.startswith(f"session {name}:")],
                         [f"session {name}: new, directory /srv", f"session {name}: directory /usr", f"session {name}: removed"])


class TestInterrupted(CtlSession):
    """A job in front ends with its reevectl; not what was left behind, and not one that has an id to come back to."""

    def front(self, *args):
        """A reevectl whose command runs."""
        gate = self.gate()
        command = [*args[:-1], args[-1].replace("HERE", gate.say("here"))]
        client = subprocess.Popen([reevectl_binary(), f"--address={self.reeve.address}", *command], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.stderr.close)
        self.assertEqual(gate.hear(), "here")
        id, = [job["Id"] for job in self.bus.jobs(State="running")]
        return client, id

    def test_it_ends_with_reevectl(self):
        for args in (("exec", "sh", "-c", "HERE; exec sleep 1000"), ("run", f"--session={self.name}", "HERE; sleep 1000")):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                with self.subTest(verb=args[0], signal=number):
                    client, id = self.front(*args)
                    client.send_signal(number)
                    client.wait(30)
                    self.bus.wait(id)
                    self.assertEqual((self.bus.property("Result", id), self.bus.property("Signal", id)), ("signal", 15))

    def test_what_was_told_to_stay(self):
        for option in ("--keep", "--id=named", "-pKillOnCancel=no"):
            with self.subTest(option=option):
                client, id = self.front("exec", option, "sh", "-c", "HERE; exec sleep 1000")
                client.send_signal(signal.SIGINT)
                client.wait(30)
                self.bus.exec(["true"])
                self.assertEqual(self.bus.property("State", id), "running")
                self.bus.stop({"Id": id})

    def test_an_id_is_come_back_to(self):
        told, gate = self.gate(), self.gate()
        command = f"{told.say('here')}; {gate.wait}; echo done; exit 3"
        argv = [reevectl_binary(), f"--address={self.reeve.address}", "exec", "--id=again", "sh", "-c", command]
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as client:
            self.assertEqual(told.hear(), "here")
            client.kill()
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as client:
            eventually(lambda: self.bus.property("State", "again") == "running", 10, "it runs on")
            gate.open()
            self.assertEqual((client.stdout.read(), client.wait(30)), (b"done\n", 3))

    def test_what_is_left_behind_stays(self):
        for args in (("exec", "sh", "-c", "sleep 1000 & exit 0"), ("run", f"--session={self.name}", "sleep 1000 &")):
            with self.subTest(verb=args[0]):
                self.ctl(*args)
                id, = [job["Id"] for job in self.bus.jobs() if job["Running"]]
                self.bus.exec(["true"])
                self.assertTrue(self.bus.property("Running", id))
                self.bus.stop({"Id": id})


class TestKillOnCancel(SessionCase):
    """The option behind it, over the bus."""

    def test_until_it_is_answered(self):
        gate = self.gate()
        with self.reeve.connect() as other:
            answered = other.exec(["sh", "-c", "sleep 1000 & exit 0"], KillOnCancel=True)
            started = other.start(["sleep", "1000"], KillOnCancel=True)
            run = other.run(self.name, "sleep 1000 &", KillOnCancel=True)
            other.exec_later(["sh", "-c", f"{gate.say('here')}; exec sleep 1001"], KillOnCancel=True, Id="waits")
            self.assertEqual(gate.hear(), "here")
            eventually(lambda: "waits" in self.bus.job_ids(), 5, "reeve knows of its exec, too")
        self.bus.wait("waits")
        self.assertEqual(self.bus.property("Signal", "waits"), 15)
        for job in (answered, started, run):
            self.assertTrue(self.bus.property("Running", job.id), job)

    def test_the_last_that_waits(self):
        """The same Id from two connections: it is stopped when the last of them goes, and it is one request with the
        option and without."""
        gate = self.gate()
        argv = ["sh", "-c", f"{gate.say('here')}; exec sleep 1001"]
        with self.reeve.connect() as one:
            one.exec_later(argv, KillOnCancel=True, Id="both")
            self.assertEqual(gate.hear(), "here")
            with self.reeve.connect() as two:
                two.exec_later(argv, KillOnCancel=True, Id="both")
                two.ping()
            self.bus.exec(["true"])
            self.assertEqual(self.bus.property("State", "both"), "running")
            mine = self.bus.exec_later(argv, Id="both")
            self.bus.ping()
        self.assertEqual(mine.result().signal, 15)

    def test_with_kill_on_disconnect(self):
        """Both at once: what is left behind goes with the caller, as with that one alone."""
        with self.reeve.connect() as other:
            id = other.exec(["sh", "-c", "sleep 1000 & exit 0"], KillOnCancel=True, KillOnDisconnect=True).id
            other.ping()
            self.assertTrue(self.bus.property("Running", id))
        self.bus.wait(id)

    def test_a_start_that_fails(self):
        with self.reeve.connect() as other:
            self.assert_error("CommandNotFound", "nix", call=lambda: other.exec(["nix"], KillOnCancel=True))
        self.bus.ping()

    def test_a_run_that_waits_for_its_turn(self):
        told, gate = self.gate(), self.gate()
        self.bus.run_later(self.name, f"{told.say('here')}; {gate.wait}")
        self.assertEqual(told.hear(), "here")
        with self.reeve.connect() as other:
            other.run_later(self.name, "cd /usr", KillOnCancel=True)
            other.ping()
        self.bus.ping()
        gate.open()
        self.assertEqual(self.directory(), "/")
