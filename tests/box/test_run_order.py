"""Session.Run: one after the other in a session, sessions beside each other, nobody else made to wait; what is left in the
background; callers that go."""

import time

from case import BoxCase, FreshCase, Stopwatch
from client import DBusError, MSEC, SEC, V, job_path
from rig import eventually
from session import SessionCase

MIB = 1 << 20


class TestOrder(SessionCase):

    def test_one_after_the_other(self):
        gate = self.gate()
        first = self.bus.run_later(self.name, f"{gate.wait}; export A=first; echo 1 >>/tmp/order")
        second = self.bus.run_later(self.name, 'echo 2 >>/tmp/order; echo "$A"')
        self.eventually_running(1)
        self.bus.ping()
        self.assertFalse(second.done())
        self.assertEqual(len(self.reeve.processes()), 1)
        gate.open()
        self.assertEqual(first.result().exit_code, 0)
        self.assertEqual(second.result().stdout, b"first\n")
        self.assertEqual(self.says("cat /tmp/order; rm /tmp/order"), "1\n2\n")
        self.assertLessEqual(first.result().details["ExitTimestamp"], second.result().details["StartTimestamp"])

    def test_fifty_in_the_order_in_which_they_were_sent(self):
        pending = [self.bus.run_later(self.name, f'N="$N {i}"; export N; echo "$N"') for i in range(50)]
        for i, p in enumerate(pending):
            self.assertEqual(p.result().stdout.split(), [b"%d" % k for k in range(i + 1)])
        outcomes = [p.result() for p in pending]
        for earlier, later in zip(outcomes, outcomes[1:]):
            self.assertLessEqual(earlier.details["ExitTimestamp"], later.details["StartTimestamp"])

    def test_of_several_connections(self):
        gate = self.gate()
        first = self.bus.run_later(self.name, gate.wait)
        self.eventually_running(1)
        pending = []
        with self.reeve.connect() as a, self.reeve.connect() as b:
            for i in range(10):
                connection = (a, b)[i % 2]
                pending.append(connection.run_later(self.name, f'N="$N {i}"; export N; echo "$N"'))
                connection.ping()
            gate.open()
            self.assertEqual(first.result().exit_code, 0)
            self.assertEqual([len(p.result().stdout.split()) for p in pending], list(range(1, 11)))

    def test_sessions_beside_each_other(self):
        """Each waits for what the other says: neither could end if one waited for the other."""
        one, two = self.gate(), self.gate()
        a = self.bus.run_later(self.name, f"{one.say('x')}; {two.wait}; echo a")
        b = self.bus.run_later(self.open(), f"{one.wait}; {two.say('y')}; echo b")
        self.assertEqual((a.result().stdout, b.result().stdout), (b"a\n", b"b\n"))

    def test_twenty_sessions_beside_each_other(self):
        gate, names = self.gate(), [self.open() for _ in range(20)]
        pending = [self.bus.run_later(name, f"{gate.wait}; echo {name}") for name in names]
        for name in names:
            self.eventually_running(1, name)
        gate.open(20)
        self.assertEqual([p.result().stdout.decode().strip() for p in pending], names)

    def test_exec_and_start_do_not_wait(self):
        gate = self.gate()
        pending = self.bus.run_later(self.name, gate.wait)
        self.eventually_running(1)
        self.assertEqual(self.bus.sh("echo hi", Session=self.name).stdout, b"hi\n")
        job = self.bus.start(["sleep", "1000"], Session=self.name)
        self.assertEqual(self.bus.property("State", job.id), "running")
        self.assertFalse(pending.done())
        gate.open()
        self.assertEqual(pending.result().exit_code, 0)

    def test_run_does_not_wait_for_exec_and_start(self):
        job = self.bus.start(["sleep", "1000"], Session=self.name)
        waiting = self.bus.exec_later(["sleep", "1000"], Session=self.name)
        self.assertEqual(self.says("echo hi"), "hi\n")
        self.assertFalse(waiting.done())
        self.assertEqual(self.bus.property("State", job.id), "running")

    def test_one_that_cannot_start_holds_up_nobody(self):
        gate = self.gate()
        first = self.bus.run_later(self.name, gate.wait)
        bad = [self.bus.run_later(self.name, "true", WorkingDirectory="/nonexistent"), self.bus.run_later(self.name, "true", User="nix"),
               self.bus.run_later(self.name, "true", Nice=99)]
        last = self.bus.run_later(self.name, "echo last")
        gate.open()
        self.assertEqual(first.result().exit_code, 0)
        for p, name in zip(bad, ("BadWorkingDirectory", "NoSuchUser", "InvalidArgs")):
            self.assert_error(name, call=p.result)
        self.assertEqual(last.result().stdout, b"last\n")

    def test_one_that_is_killed_holds_up_nobody(self):
        for end in (lambda id: self.bus.kill(9, Id=id), lambda id: self.bus.stop({"Id": id})):
            gate = self.gate()
            first = self.bus.run_later(self.name, f"cd /tmp; {gate.say('here')}; sleep 1000")
            last = self.bus.run_later(self.name, "pwd")
            self.assertEqual(gate.hear(), "here")
            id, = eventually(lambda: self.bus.job_ids(Session=self.name, State="running"), 5, "the first is known to run")
            self.assertEqual(end(id)[0], [id])
            outcome = first.result()
            self.assertEqual((outcome.id, outcome.result, outcome.details["StateKept"]), (id, "signal", False))
            self.assertEqual(last.result().stdout, b"/\n")

    def test_time_counts_from_its_own_start(self):
        """RuntimeMaxUSec is the time that it runs, not that it waits for its turn."""
        gate = self.gate()
        first = self.bus.run_later(self.name, f"{gate.wait}")
        second = self.bus.run_later(self.name, "echo in time", RuntimeMaxUSec=3 * SEC)
        self.eventually_running(1)
        self.assert_error("Timeout", call=lambda: self.bus.wait_later(self.living()[0], "Exited", 4 * SEC).result())
        gate.open()
        self.assertEqual(first.result().exit_code, 0)
        self.assertEqual(second.result().stdout, b"in time\n")


class TestOptions(SessionCase):

    def test_reply(self):
        outcome = self.run_it("echo out; echo err >&2; exit 3", Description="a run", Labels={"k": "v"})
        self.assert_outcome(outcome, "exit-code", 3)
        self.assertEqual((outcome.stdout, outcome.stderr), (b"out\n", b"err\n"))
        self.assertTrue({"StdoutBytes", "StderrBytes", "Truncated", "PID", "StartTimestamp", "ExitTimestamp", "CPUUsageNSec", "MemoryPeak",
                         "TasksRemaining", "LogCursor", "StateKept"} <= set(outcome.details))
        self.assertEqual((outcome.details["StdoutBytes"], outcome.details["TasksRemaining"]), (4, 0))
        p = self.bus.properties(outcome.id)
        self.assertEqual((p["Session"], p["Description"], p["Labels"], p["ExitCode"], p["WorkingDirectory"]),
                         (self.name, "a run", {"k": "v"}, 3, "/"))
        self.assertEqual(self.bus.output(outcome.id)[:2], (b"out\n", b"err\n"))
        self.assertEqual(self.bus.wait_manager_signal("JobNew", outcome.id).body, (outcome.id, job_path(outcome.id)))
        self.assertEqual(self.bus.wait_manager_signal("JobExited", outcome.id).body, (outcome.id, "exit-code", 3, 0))

    def test_text(self):
        outcome = self.run_it("echo out; printf 'e\\377' >&2", Text=True)
        self.assertEqual((outcome.stdout, outcome.stderr, outcome.details["StdoutText"], outcome.details["StderrText"]),
                         (b"", b"", "out\n", "e\ufffd"))

    def test_output_limit(self):
        outcome = self.run_it("head -c 100000 /dev/zero; printf tail", OutputMaxBytes=100)
        self.assertEqual((len(outcome.stdout), outcome.stdout[-4:], outcome.details["Truncated"], outcome.details["StdoutBytes"]),
                         (100, b"tail", True, 100004))

    def test_refused(self):
        for key, value in (("Nice", V("i", 99)), ("UMask", V("u", 0o7777)), ("NoSuchKey", V("b", True)), ("Environment", V("as", ["1=x"])),
                           ("RuntimeMaxUSec", V("s", "1")), ("Restart", V("s", "always")), ("RestartUSec", V("t", 1)),
                           ("InitialOutputUSec", V("t", 1)), ("KillMode", V("s", "process"))):
            with self.subTest(key=key):
                self.assert_error("InvalidArgs", key, call=lambda key=key, value=value: self.run_it("touch /tmp/refused", **{key: value}))
        self.assert_error("NoSuchUser", "nix", call=lambda: self.run_it("touch /tmp/refused", User="nix"))
        self.assert_error("BadWorkingDirectory", "/nix", call=lambda: self.run_it("touch /tmp/refused", WorkingDirectory="/nix"))
        self.assertEqual(self.says("ls /tmp/refused 2>/dev/null || echo none"), "none\n")
        self.eventually_running(0)

    def test_session_of_a_run(self):
        """It may only be the one that is asked."""
        self.assertEqual(self.run_it("echo hi", Session=self.name).stdout, b"hi\n")
        for other in ("default", "never-there"):
            self.assert_error("InvalidArgs", "Session", call=lambda other=other: self.run_it("touch /tmp/refused", Session=other))
        self.assertNotIn("never-there", self.bus.sessions())

    def test_identity_of_one_run(self):
        self.assertEqual(self.run_it("id -u; id -g; id -G", User="box", SupplementaryGroups=["carton"]).stdout.split(),
                         [b"4242", b"4242", b"4242", b"4243", b"4244"])
        self.assertEqual(self.run_it("nice; ulimit -n", Nice=5, LimitNOFILE=99).stdout, b"5\n99\n")


class TestBackground(SessionCase):

    def test_it_answers_at_once(self):
        with Stopwatch() as watch:
            outcome = self.run_it("sleep 1000 & echo $!; cd /usr")
        self.assertLess(watch.seconds, 10)
        self.assert_outcome(outcome, "success")
        self.assertEqual((outcome.details["TasksRemaining"], outcome.details["StateKept"]), (1, True))
        self.assertEqual(self.directory(), "/usr")
        p = self.bus.properties(outcome.id)
        self.assertEqual((p["State"], p["Running"], p["ExitCode"], p["TasksCurrent"], p["Session"]), ("exited", True, 0, 1, self.name))
        job, = [job for job in self.bus.jobs(Session=self.name) if job["Running"]]
        self.assertEqual(job["Id"], outcome.id)
        self.assertEqual(self.bus.manager("GetJobByPID", "u", int(outcome.stdout)), (job_path(outcome.id),))

    def test_many_ways_of_leaving_one(self):
        for command in ("sleep 1000 &", "nohup sleep 1000 &", "setsid sleep 1000 &", "(sleep 1000 &)", "sleep 1000 >/dev/null 2>&1 &",
                        "sleep 1000 <&- >&- 2>&- &", "{ trap '' TERM; sleep 1000; sleep 1000; } &", "sleep 1000 & sleep 1000 & exit 3",
                        "sh -c 'sleep 1000 & exec 3>&- 4>&- 5>&- 6>&- 7>&-'; cd /tmp", "while :; do sleep 1000; done &"):
            with self.subTest(command=command):
                outcome = self.kept(f"cd /usr; {command}")
                self.assertGreaterEqual(outcome.details["TasksRemaining"], 1)
                self.assertEqual(self.bus.stop({"Id": outcome.id}, TimeoutStopUSec=100 * MSEC)[2], 0)
                self.assertFalse(self.bus.property("Running", outcome.id))

    def test_what_it_writes_later_is_read(self):
        gate = self.gate()
        outcome = self.run_it(f"echo first; (while read -r line; do echo \"got $line\"; done <{gate.path}) &")
        self.assertEqual(outcome.stdout, b"first\n")
        gate.open()
        self.assertEqual(self.bus.wait_for_output(outcome.id, b"got go\n"), b"first\ngot go\n")
        self.assertEqual(self.says("echo meanwhile"), "meanwhile\n")

    def test_it_can_be_waited_for(self):
        gate = self.gate()
        outcome = self.run_it(f"({gate.wait}; echo late) & exit 3")
        wait = self.bus.wait_later(outcome.id, "Finished")
        self.bus.ping()
        self.assertFalse(wait.done())
        gate.open()
        self.assertEqual(wait.result()[0], "Finished")
        self.assertEqual((self.bus.property("ExitCode", outcome.id), self.bus.output(outcome.id)[0]), (3, b"late\n"))

    def test_stop_of_the_session(self):
        outcomes = [self.run_it("sleep 1000 & echo $!") for _ in range(3)]
        ids, pids, remaining = self.bus.stop({"Session": self.name})
        self.assertEqual((sorted(ids), sorted(pids), remaining),
                         (sorted(o.id for o in outcomes), sorted(int(o.stdout) for o in outcomes), 0))
        self.assertEqual(self.says("echo hi"), "hi\n")

    def test_the_time_is_the_commands(self):
        """What it left in the background goes on when RuntimeMaxUSec has passed."""
        outcome = self.run_it("sleep 1000 & exit 3", RuntimeMaxUSec=300 * MSEC)
        self.assert_outcome(outcome, "exit-code", 3)
        self.assert_error("Timeout", call=lambda: self.bus.wait_later(outcome.id, "Finished", 1500 * MSEC).result())
        self.assertTrue(self.bus.property("Running", outcome.id))
        self.assertEqual(self.bus.property("Result", outcome.id), "exit-code")

    def test_a_timeout_ends_the_background_too(self):
        """While the command itself still runs it is all one job."""
        outcome = self.run_it("sleep 1000 & setsid sleep 1000 & sleep 1000", RuntimeMaxUSec=300 * MSEC)
        self.assertEqual(outcome.result, "timeout")
        eventually(lambda: not self.living() and not self.reeve.processes(), 5, lambda: self.reeve.describe(self.reeve.processes()))

    def test_kill_on_exit(self):
        outcome = self.run_it("sleep 1000 & cd /tmp", KillOnExit=True)
        self.assertEqual(self.bus.wait(outcome.id)[0], "Finished")
        self.assertEqual(self.directory(), "/tmp")

    def test_its_changes_come_too_late(self):
        gate = self.gate()
        outcome = self.kept(f"cd /usr; {{ {gate.wait}; cd /tmp; export A=late; umask 077; }} & exit 0")
        gate.open()
        self.bus.wait(outcome.id)
        self.assertEqual(self.says('pwd; echo "${A-none}"'), "/usr\nnone\n")


class TestCallersThatGo(SessionCase):

    def test_runs_queued(self):
        """The caller goes; what is under way goes on, and others get their turn."""
        gate = self.gate()
        with self.reeve.connect() as other:
            other.run_later(self.name, f"{gate.say('here')}; exec sleep 1000")
            for _ in range(5):
                other.run_later(self.name, "echo queued >>/tmp/queued")
            self.assertEqual(gate.hear(), "here")
        mine = self.bus.run_later(self.name, "echo mine")
        self.bus.ping()
        self.assertFalse(mine.done())
        self.assertEqual(len(self.living()), 1)
        self.bus.kill(9, Id=self.living()[0])
        self.assertEqual(mine.result().stdout, b"mine\n")
        # Those of the caller that went before their turn never began.
        self.assertEqual(self.bus.sh("ls /tmp/queued").exit_code, 2)

    def test_the_state_of_one_whose_caller_went(self):
        gate = self.gate()
        with self.reeve.connect() as other:
            other.run_later(self.name, f"{gate.wait}; cd /usr; export A=1")
            self.eventually_running(1)
        mine = self.bus.run_later(self.name, 'pwd; echo "$A"')
        gate.open()
        self.assertEqual(mine.result().stdout, b"/usr\n1\n")

    def test_kill_on_disconnect(self):
        """Of the one under way: it is stopped. Of those queued: they never start."""
        gate = self.gate()
        with self.reeve.connect() as other:
            other.run_later(self.name, f"{gate.say('here')}; cd /usr; sleep 1000", KillOnDisconnect=True)
            for _ in range(5):
                other.run_later(self.name, "touch /tmp/never; sleep 1000", KillOnDisconnect=True)
            self.assertEqual(gate.hear(), "here")
            mine = self.bus.run_later(self.name, "pwd; ls /tmp/never 2>/dev/null || echo none")
            self.bus.ping()
            self.assertFalse(mine.done())
        self.assertEqual(mine.result(10).stdout, b"/\nnone\n")
        self.eventually_running(0)

    def test_at_every_moment(self):
        """Sixty callers that go within the time that a Run takes: the session serves on, and nothing is left."""
        for i in range(60):
            with self.reeve.connect(match=False) as other:
                other.run_later(self.name, "cd /usr; sleep 1000 & exit 0", KillOnDisconnect=True)
                time.sleep(i * 0.0005)      # the moment is what is varied
        eventually(lambda: not self.living(), 10, lambda: self.bus.jobs(Session=self.name))
        self.assertEqual(self.says("echo hi"), "hi\n")
        eventually(lambda: not self.reeve.processes(), 5, lambda: self.reeve.describe(self.reeve.processes()))


class TestShutdown(FreshCase):

    def test_with_runs_under_way_and_queued(self):
        """The Run under way is answered with its end, those queued with ShuttingDown; the exit status is 0."""
        box = self.box("--stop-timeout=60s")
        box.bus.open_session("last")
        first = box.bus.run_later("last", "exec sleep 1000")
        queued = [box.bus.run_later("last", "sleep 1000") for _ in range(3)]
        eventually(lambda: box.bus.jobs(State="running"), 10, "the first runs")
        with Stopwatch() as watch:
            self.assertEqual(box.stop(), 0)
        self.assertLess(watch.seconds, 20)
        self.assert_outcome(first.result(), "signal", signal=15)
        for p in queued:
            self.assert_error("ShuttingDown", call=p.result)
        box.no_leftovers()


class TestNothingLeaks(BoxCase):

    options = {"args": ["--max-finished=5"]}
    weight = 2

    def test_two_hundred_in_a_row(self):
        self.bus.open_session("row")

        def some(count):
            for i in range(count):
                command = ("cd /tmp; export A=1", "exit 3", "exec true", "kill -9 $$", "if", "sleep 0.01 & cd /usr", "umask 077",
                           "export L=$(head -c 50000 /dev/zero | tr '\\0' x); unset L", "trap 'exit 1' EXIT", "exec >&- 2>&-")[i % 10]
                self.bus.run("row", command, UMask=0o22)
            eventually(lambda: not self.bus.property("NRunning"), 10, "all ended")
            eventually(lambda: not self.reeve.scopes(), 5, "no scopes")
            eventually(lambda: len(self.bus.job_ids()) <= 5, 5, "five are kept")
        some(60)
        fds, memory = self.reeve.fds(), self.reeve.memory()
        names = self.bus.session_property("row", "EnvironmentNames")
        some(200)
        eventually(lambda: self.reeve.fds() <= fds, 10, lambda: f"{fds} descriptors: {self.reeve.fds()}")
        self.assert_memory(memory, 2 * MIB)
        self.assertEqual(sorted(self.bus.session_property("row", "EnvironmentNames")), sorted(names))
        eventually(lambda: not self.reeve.zombies(), 30, "no zombie is left")

    def test_failing_ones(self):
        self.bus.open_session("bad")
        self.bus.run("bad", "true")
        fds = self.reeve.fds()
        for _ in range(100):
            for options in ({"WorkingDirectory": "/nonexistent"}, {"User": "nix"}, {"Nice": 99}):
                with self.assertRaises(DBusError):
                    self.bus.run("bad", "true", **options)
        eventually(lambda: self.reeve.fds() <= fds + 1, 30, lambda: f"{fds} descriptors: {self.reeve.fds()}")

    def test_opened_and_closed(self):
        def some():
            for i in range(100):
                self.bus.open_session(f"o{i}", Environment=["A=" + "x" * 10000])
                if i % 2:
                    self.bus.run(f"o{i}", "cd /tmp; sleep 1000 &")
                self.bus.close_session(f"o{i}", TimeoutStopUSec=0)
        some()
        eventually(lambda: len(self.bus.job_ids()) <= 5, 5, "five are kept")
        fds, memory = self.reeve.fds(), self.reeve.memory()
        some()
        eventually(lambda: self.reeve.fds() <= fds, 10, lambda: f"{fds} descriptors: {self.reeve.fds()}")
        self.assert_memory(memory, 2 * MIB)

    def test_idle_with_runs_waiting(self):
        """A hundred Runs that wait for their turn cost no wakeups."""
        self.bus.open_session("idle")
        self.bus.run_later("idle", "exec sleep 1000")
        pending = [self.bus.run_later("idle", "true") for _ in range(100)]
        eventually(lambda: self.bus.jobs(Session="idle", State="running"), 10, "the first runs")
        self.bus.ping()
        job, = self.bus.jobs(Session="idle", State="running")
        before = self.reeve.wakeups()
        self.assert_error("Timeout", call=lambda: self.bus.wait_later(job["Id"], "Exited", 1 * SEC).result())
        self.assertLess(self.reeve.wakeups() - before, 10)
        self.assertFalse(any(p.done() for p in pending))
        self.bus.close_session("idle")
        for p in pending:
            self.assertTrue(p.event.wait(30), "a Run that was queued is never answered")
