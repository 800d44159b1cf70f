"""What a coding agent does with sessions, told as it happens."""

from case import Stopwatch
from client import MSEC, SEC
from rig import eventually
from session import SessionCase


class TestScenarios(SessionCase):

    def test_ends_at_once_cannot_start_twenty_beside_each_other(self):
        """A command that ends at once in the background; one that cannot start; twenty beside each other."""
        # It has ended before anybody asks; how it ended is known all the same.
        quick = self.bus.start_sh("echo done; exit 3", Session=self.name, InitialOutputUSec=5 * SEC)
        self.assertEqual(quick.details["InitialStdout"], b"done\n")
        self.assertEqual(self.bus.wait(quick.id)[0], "Finished")
        p = self.bus.properties(quick.id)
        self.assertEqual((p["State"], p["Running"], p["Result"], p["ExitCode"]), ("finished", False, "exit-code", 3))
        self.assertEqual(self.bus.output(quick.id)[0], b"done\n")
        # The same in the shell: the job ends with what it left.
        outcome = self.run_it("{ echo done; exit 3; } &")
        self.assertEqual(outcome.exit_code, 0)
        self.assertEqual(self.bus.wait(outcome.id)[0], "Finished")
        self.assertEqual(self.bus.output(outcome.id)[0], b"done\n")

        # What cannot start is told, by name, and is no job.
        before = self.bus.job_ids()
        self.assert_error("CommandNotFound", "no-such-server", call=lambda: self.bus.start(["no-such-server"], Session=self.name))
        self.assert_error("CommandNotExecutable", "/etc/passwd", call=lambda: self.bus.start(["/etc/passwd"], Session=self.name))
        self.assertEqual(self.bus.job_ids(), before)
        outcome = self.run_it("no-such-server & wait $!; exit $?")
        self.assertEqual(outcome.exit_code, 127)
        self.assertIn(b"no-such-server", outcome.stderr)

        # Twenty, each with its own output, all at one time, and all of them ended by one call.
        gate = self.gate()
        jobs = [self.bus.start_sh(f"echo I am {i}; {gate.wait}; echo {i} has ended; exec sleep 1000", Session=self.name) for i in range(20)]
        self.assertEqual(sorted(self.bus.job_ids(Session=self.name, State="running")), sorted(job.id for job in jobs))
        gate.open(20)
        for i, job in enumerate(jobs):
            self.assertEqual(self.bus.wait_for_output(job.id, b"ended\n"), b"I am %d\n%d has ended\n" % (i, i))
        ids, pids, remaining = self.bus.stop({"Session": self.name})
        self.assertEqual((sorted(ids), sorted(pids), remaining), (sorted(j.id for j in jobs), sorted(j.pid for j in jobs), 0))

    def test_directory_and_environment(self):
        """cd /tmp then pwd; export A=1 then echo $A; another session sees neither; after a Run that was killed by its timeout
        the next works at once."""
        self.run_it("cd /tmp")
        self.assertEqual(self.run_it("pwd").stdout, b"/tmp\n")
        self.run_it("export A=1")
        self.assertEqual(self.run_it("echo $A").stdout, b"1\n")

        other = self.open()
        self.assertEqual(self.bus.run(other, "pwd").stdout, b"/\n")
        self.assertEqual(self.bus.run(other, "echo $A").stdout, b"\n")

        outcome = self.run_it("cd /usr; export A=2; sleep 1000", RuntimeMaxUSec=300 * MSEC)
        self.assertEqual(outcome.result, "timeout")
        with Stopwatch() as watch:
            outcome = self.run_it('pwd; echo "$A"')
        self.assertLess(watch.seconds, 10)
        self.assert_outcome(outcome, "success")
        self.assertEqual(outcome.stdout, b"/tmp\n1\n")

    def test_background_processes_of_a_session(self):
        """List them with command, pid, running, started; read one's log by id; kill one by pid, all of a session, all that
        match a pattern; the others live."""
        web = self.bus.start_sh("echo web is up; exec sleep 1001", Session=self.name, Id="web")
        worker = self.bus.start(["sleep", "1002"], Session=self.name, Id="worker")
        build = self.run_it("echo building; sleep 1003 & echo $!")
        build_pid = int(build.stdout.split()[1])
        other = self.open()
        watcher = self.bus.start(["sleep", "1001"], Session=other, Id="watcher")
        bystander = self.bus.start(["sleep", "1004"], Session=other, Id="bystander")

        listed = {job["Id"]: job for job in self.bus.jobs(Session=self.name)}
        self.assertEqual(set(listed), {"web", "worker", build.id})
        self.assertEqual((listed["worker"]["Command"], listed["worker"]["PID"], listed["worker"]["Running"]),
                         (["sleep", "1002"], worker.pid, True))
        self.assertEqual((listed["web"]["PID"], listed["web"]["Running"]), (web.pid, True))
        self.assertIn("sleep 1003 &", " ".join(listed[build.id]["Command"]))
        self.assertTrue(listed[build.id]["Running"])
        started = [listed[id]["StartTimestamp"] for id in ("web", "worker", build.id)]
        self.assertEqual(started, sorted(started))
        self.assertGreater(started[0], 1600000000 * SEC)

        # One's log by its id.
        self.assertEqual(self.bus.wait_for_output("web", b"up\n"), b"web is up\n")
        self.assertEqual(self.bus.output(build.id)[0], b"building\n%d\n" % build_pid)

        # One by a pid: also one that is nobody's leader.
        self.assertEqual(self.bus.kill(15, PID=build_pid), ([build.id], [build_pid]))
        self.assertEqual(self.bus.wait(build.id)[0], "Finished")
        self.assertEqual(self.bus.kill(15, PID=worker.pid), (["worker"], [worker.pid]))
        self.assertEqual(self.bus.wait("worker")[1]["Signal"], 15)
        self.assertEqual(sorted(self.bus.job_ids(State="running")), ["bystander", "watcher", "web"])

        # All that match a pattern, of whichever session.
        again = self.bus.start(["sleep", "1001"], Session=self.name, Id="again")
        ids, pids = self.bus.kill(15, Pattern="sleep 1001$")
        self.assertEqual((sorted(ids), sorted(pids)), (["again", "watcher", "web"], sorted([again.pid, watcher.pid, web.pid])))
        for id in ids:
            self.bus.wait(id)
        self.assertEqual(self.bus.job_ids(State="running"), ["bystander"])

        # All of a session; the others live.
        self.bus.start(["sleep", "1005"], Session=self.name, Id="last")
        left = self.run_it("sleep 1006 & sleep 1007 &")
        ids, pids = self.bus.kill(15, Session=self.name)
        self.assertEqual((sorted(ids), len(pids)), (sorted(["last", left.id]), 3))
        eventually(lambda: not self.living(), 5, "none of the session lives")
        self.assertEqual(self.bus.job_ids(State="running"), ["bystander"])
        self.assertEqual(self.bus.property("PID", "bystander"), bystander.pid)

    def test_the_same_id_eight_times(self):
        """The same Id sent eight times at once: one process, eight equal answers."""
        others = [self.reeve.connect() for _ in range(7)]
        gate, there = self.gate(), self.gate()
        script = f"echo started >>/tmp/starts; {there.say('here')}; {gate.wait}; echo $$; exit 5"
        pending = [connection.exec_later(["sh", "-c", script], Id="deploy", Session=self.name) for connection in (self.bus, *others)]
        self.assertEqual(there.hear(), "here")
        self.bus.ping()
        self.assertEqual(self.bus.job_ids(Session=self.name), ["deploy"])
        self.assertEqual(len(self.reeve.processes()), 1)
        gate.open()
        outcomes = [p.result() for p in pending]
        self.assertEqual([outcome for outcome in outcomes if outcome != outcomes[0]], [])
        self.assertEqual((outcomes[0].id, outcomes[0].exit_code, outcomes[0].stdout), ("deploy", 5, b"%d\n" % outcomes[0].details["PID"]))
        self.assertEqual(self.bus.sh("cat /tmp/starts").stdout, b"started\n")
        for other in others:
            other.close()
