"""ListJobs, Kill and Stop: who is meant."""

import os
import signal
import subprocess

from case import BoxCase
from client import V
from rig import children_of, eventually


class TestSelectors(BoxCase):

    def setUp(self):
        for id in self.bus.job_ids():
            self.bus.job(id, "Forget")
        start = self.bus.start
        self.a = start(["sleep", "1001"], Id="a", Session="s1", Labels={"kind": "x", "n": "1"})
        self.b = start(["sleep", "1002"], Id="b", Session="s1", Labels={"kind": "y", "eq": "a=b"})
        self.c = start(["sleep", "1003"], Id="c", Session="s2", Labels={"kind": "x"})
        self.d = self.bus.exec(["sh", "-c", "exit 3"], Id="d", Session="s2")
        self.bus.wait("d")
        self.e = self.bus.exec(self.reeve.payload("hold", "setsid", 100000), Id="e")

    def ids(self, **filter):
        return self.bus.job_ids(**filter)

    def test_list(self):
        self.assertEqual(self.ids(), ["a", "b", "c", "d", "e"])
        self.assertEqual(self.ids(Session="s1"), ["a", "b"])
        self.assertEqual(self.ids(State="running"), ["a", "b", "c"])
        self.assertEqual(self.ids(State="exited"), ["e"])
        self.assertEqual(self.ids(State="finished"), ["d"])
        self.assertEqual(self.ids(States=["exited", "finished"]), ["d", "e"])
        self.assertEqual(self.ids(Label="kind=x"), ["a", "c"])
        self.assertEqual(self.ids(Label="eq=a=b"), ["b"])
        self.assertEqual(self.ids(Label="kind=z"), [])
        self.assertEqual(self.ids(Id="c"), ["c"])
        self.assertEqual(self.ids(Unit="web.service"), [])
        self.assertEqual(self.ids(Session="s1", Label="kind=x"), ["a"])
        self.assertEqual(self.ids(Session="s2", State="running", Label="kind=x", Id="c"), ["c"])
        self.assertEqual(self.ids(Session="s1", Id="c"), [])

    def test_pattern(self):
        self.assertEqual(self.ids(Pattern="sleep"), ["a", "b", "c"])
        self.assertEqual(self.ids(Pattern="sleep 100(1|3)$"), ["a", "c"])
        self.assertEqual(self.ids(Pattern="^sh -c exit [0-9]+$"), ["d"])
        self.assertEqual(self.ids(Pattern="^hold"), [])

    def test_entries_are_properties(self):
        job, = self.bus.jobs(Id="a")
        properties = self.bus.properties("a")
        self.assertTrue(set(job) <= set(properties), set(job) - set(properties))
        for key in ("Id", "Session", "State", "Running", "Command", "Labels", "PID", "Result", "ExitCode", "Signal",
                    "StartTimestamp", "LogCursor"):
            self.assertEqual(job[key], properties[key], key)

    def test_usage(self):
        job, = self.bus.jobs(Id="a")
        self.assertNotIn("CPUUsageNSec", job)
        self.assertNotIn("TasksCurrent", job)
        job, = self.bus.jobs(Id="a", Usage=True)
        self.assertEqual(job["TasksCurrent"], 1)
        for key in ("CPUUsageNSec", "CPUUserNSec", "CPUSystemNSec", "MemoryCurrent", "MemoryPeak", "IOReadBytes",
                    "IOWriteBytes", "OOMKills"):
            self.assertIn(key, job)
        self.assertEqual(set(job), set(self.bus.properties("a")))

    def kill(self, **selector):
        ids, pids = self.bus.kill(signal.SIGWINCH, **selector)
        return sorted(ids), sorted(pids)

    def orphan(self):
        """The pid of what e left behind."""
        known = {self.a.pid, self.b.pid, self.c.pid}
        return next(pid for pid in map(self.reeve.inner_pid, self.reeve.processes()) if pid not in known)

    def test_kill(self):
        a, b, c = self.a.pid, self.b.pid, self.c.pid
        self.assertEqual(self.kill(Id="a"), (["a"], [a]))
        self.assertEqual(self.kill(Session="s1"), (["a", "b"], sorted([a, b])))
        self.assertEqual(self.kill(Label="kind=x"), (["a", "c"], sorted([a, c])))
        self.assertEqual(self.kill(Pattern="1002"), (["b"], [b]))
        self.assertEqual(self.kill(PID=c), (["c"], [c]))
        self.assertEqual(self.kill(State="exited"), (["e"], [self.orphan()]))
        self.assertEqual(self.kill(All=True), (["a", "b", "c", "e"], sorted([a, b, c, self.orphan()])))
        self.assertEqual(self.kill(Session="s2", Label="kind=x"), (["c"], [c]))
        self.assertEqual(self.kill(Session="s2", Id="a"), ([], []))
        self.assertEqual(self.kill(Label="no=one"), ([], []))
        self.assertEqual(self.kill(Id="d"), ([], []))

    def test_all_false_is_no_selector(self):
        self.assert_error("InvalidArgs", call=lambda: self.bus.kill(15, All=False))
        self.assertEqual(len(self.ids(State="running")), 3)

    def test_kill_arrives(self):
        self.bus.kill(signal.SIGUSR1, Session="s1")
        for id in ("a", "b"):
            self.assertEqual(self.bus.wait(id)[1]["Signal"], signal.SIGUSR1)
        self.assertEqual(self.ids(State="running"), ["c"])

    def test_kill_does_not_escalate(self):
        job = self.bus.start(self.reeve.payload("deaf"), TimeoutStopUSec=100000)
        self.bus.wait_for_output(job.id, b"ready")
        self.bus.kill(15, Id=job.id)
        self.assert_error("Timeout", call=lambda: self.bus.wait_later(job.id, "Exited", 500000).result())
        self.assertEqual(self.bus.property("State", job.id), "running")

    def test_whom(self):
        job = self.bus.start(self.reeve.payload("tree", 3))
        self.bus.wait_for_output(job.id, b"ready")
        children = [self.reeve.inner_pid(pid) for pid in self.reeve.processes() if self.reeve.inner_pid(pid) != job.pid]
        children = [pid for pid in children if self.bus.manager("GetJobByPID", "u", pid)[0] == job.path]
        self.assertEqual(len(children), 3)
        self.assertEqual(sorted(self.bus.kill(28, whom="all", Id=job.id)[1]), sorted([job.pid] + children))
        self.assertEqual(self.bus.kill(28, whom="main", Id=job.id), ([job.id], [job.pid]))
        self.assertEqual(self.bus.kill(28, whom="process", PID=children[1]), ([job.id], [children[1]]))
        self.assertEqual(sorted(self.bus.job(job.id, "Kill", "si", "all", 28)[0]), sorted([job.pid] + children))
        self.assertEqual(self.bus.job(job.id, "Kill", "si", "main", 28), ([job.pid],))
        # One of them, and really only that one.
        self.bus.kill(9, whom="process", PID=children[1])
        eventually(lambda: self.bus.property("TasksCurrent", job.id) == 3, 5, "one child less")
        self.assertEqual(self.bus.property("State", job.id), "running")
        self.bus.kill(9, whom="main", PID=children[0])
        self.assertEqual(self.bus.wait(job.id, "Exited")[1]["Signal"], 9)
        self.assertEqual(self.bus.property("TasksCurrent", job.id), 2)

    def test_process_of_no_job(self):
        """PID 1 and what docker exec brings in are nobody's."""
        with subprocess.Popen(["nsenter", "-t", str(self.reeve.pid), "-p", "-m", "sleep", "1000"]) as visitor:
            try:
                inner = eventually(lambda: [self.reeve.inner_pid(pid) for pid in children_of(visitor.pid)], 5, "it is in")[0]
                for pid in (1, inner):
                    self.assert_error("NoSuchProcess", call=lambda pid=pid: self.bus.kill(9, whom="process", PID=pid))
                    self.assert_error("NoSuchProcess", call=lambda pid=pid: self.bus.manager("GetJobByPID", "u", pid))
                self.bus.kill(9, All=True)
                self.assertIsNone(visitor.poll())
            finally:
                for pid in children_of(visitor.pid):
                    os.kill(pid, signal.SIGKILL)

    def test_main_of_a_job_without_leader(self):
        self.assertEqual(self.bus.kill(15, whom="main", Id="e")[1], [])
        self.assertEqual(self.bus.property("TasksCurrent", "e"), 1)

    def test_stop(self):
        ids, pids, remaining = self.bus.stop({"Session": V("s", "s1")})
        self.assertEqual((sorted(ids), sorted(pids), remaining), (["a", "b"], sorted([self.a.pid, self.b.pid]), 0))
        self.assertEqual(self.ids(State="running"), ["c"])
        ids, pids, remaining = self.bus.stop({"PID": self.c.pid})
        self.assertEqual((ids, pids, remaining), (["c"], [self.c.pid], 0))
        ids, pids, remaining = self.bus.stop({"States": ["exited"]})
        self.assertEqual((ids, len(pids), remaining), (["e"], 1, 0))
        self.assertEqual(self.bus.stop({"All": True}), ([], [], 0))

    def test_stop_all(self):
        ids, pids, remaining = self.bus.stop({"All": True})
        self.assertEqual((sorted(ids), len(pids), remaining), (["a", "b", "c", "e"], 4, 0))
        self.assert_all_reaped()

    def test_pid_of_an_orphan(self):
        self.assertEqual(self.bus.stop({"PID": self.orphan()})[0], ["e"])

    def test_pid_1_and_visitors_are_nobodys(self):
        self.assert_error("NoSuchProcess", call=lambda: self.bus.stop({"PID": 1}))
        self.assertTrue(self.reeve.alive())
