"""What is said about jobs and about reeve itself: properties, signals, the object tree, accounting."""

import os
import time

from bb import Gate
from case import BoxCase
from client import JOB, MANAGER, MSEC, ROOT, job_path
from rig import eventually

CHANGING = {"State", "Running", "Result", "PID", "ExitCode", "Signal"}


class TestManagerProperties(BoxCase):

    options = {"args": ["--log-max=33554432"]}

    def test_all(self):
        p = self.bus.properties()
        self.assertRegex(p["Version"], r"^\d+\.\d+")
        self.assertEqual((p["State"], p["Containment"], p["LogMaxBytes"]), ("running", "cgroup", 33554432))
        self.assertIsInstance(p["Controllers"], list)
        self.assertTrue(p["ControlGroup"].startswith("/"))
        self.assertTrue(os.path.isdir(self.reeve.box + p["ControlGroup"]))
        self.assert_between(time.time() - 600, p["StartTimestamp"] / 1e6, time.time())

    def test_version_is_that_of_the_option(self):
        done = self.reeve.run_inside([f"{self.reeve.shared}/bin/reeve", "--version"])
        self.assertIn(self.bus.property("Version"), done.stdout.decode())

    def test_controllers_are_the_kernels(self):
        with open(f"{self.reeve.box}/cgroup.controllers", encoding="utf-8") as f:
            self.assertTrue(set(self.bus.property("Controllers")) <= set(f.read().split()))

    def test_counts(self):
        jobs, running = self.bus.property("NJobs"), self.bus.property("NRunning")
        job = self.bus.start(["sleep", "100"])
        self.assertEqual((self.bus.property("NJobs"), self.bus.property("NRunning")), (jobs + 1, running + 1))
        self.bus.stop({"Id": job.id})
        self.assertEqual((self.bus.property("NJobs"), self.bus.property("NRunning")), (jobs + 1, running))
        self.bus.job(job.id, "Forget")
        self.assertEqual(self.bus.property("NJobs"), jobs)

    def test_an_exited_job_with_children_counts_as_running(self):
        running = self.bus.property("NRunning")
        self.bus.exec(self.reeve.payload("hold", "plain", 30000))
        self.assertEqual(self.bus.property("NRunning"), running + 1)

    def test_reaped(self):
        before = self.bus.property("NReaped"), self.bus.property("NOrphansReaped")
        outcome = self.bus.exec(self.reeve.payload("orphans", 50))
        self.bus.wait(outcome.id)
        eventually(lambda: self.bus.property("NOrphansReaped") == before[1] + 50, 5, "50 orphans")
        self.assertEqual(self.bus.property("NReaped"), before[0] + 51)

    def test_log_bytes(self):
        """What all logs take, at most the budget."""
        before = self.bus.property("LogBytes")
        job = self.bus.start_sh("head -c 500000 /dev/zero; sleep 100")
        self.bus.wait_for_output(job.id, b"\0" * 500000)
        self.assertGreaterEqual(self.bus.property("LogBytes") - before, 500000)
        self.assertLessEqual(self.bus.property("LogBytes"), self.bus.property("LogMaxBytes"))

    def test_scopes(self):
        """SESSION.slice/ID.scope; gone as soon as the job has finished."""
        job = self.bus.start(["sleep", "100"], Session="lodge", Id="scoped")
        path = self.bus.property("ControlGroup", job.id)
        self.assertTrue(path.endswith("/lodge.slice/scoped.scope"), path)
        self.assertEqual(self.reeve.scopes(), [path])
        with open(f"{self.reeve.box}{path}/cgroup.procs", encoding="utf-8") as f:
            self.assertEqual([int(word) for word in f.read().split()], [self.reeve.host_pid(job.pid)])
        with open(f"/proc/{self.reeve.pid}/cgroup", encoding="utf-8") as f:
            self.assertTrue(f.read().rstrip().endswith("/init.scope"))
        self.bus.stop({"Id": job.id})
        eventually(lambda: not self.reeve.scopes(), 5, "the scope is removed")


class TestJobProperties(BoxCase):

    def test_what_was_asked_for(self):
        job = self.bus.start(["sleep", "100", ""], Id="asked", Session="there", Description="a nap", Labels={"k": "v"},
                             WorkingDirectory="/usr", User="box", LogMaxBytes=131072, Environment=["SECRET=hidden"])
        p = self.bus.properties(job.id)
        self.assertEqual({key: p[key] for key in ("Id", "Session", "Unit", "Description", "Labels", "Command",
                                                  "WorkingDirectory", "User", "Frozen", "NRestarts", "LogMaxBytes")},
                         {"Id": "asked", "Session": "there", "Unit": "", "Description": "a nap", "Labels": {"k": "v"},
                          "Command": ["sleep", "100", ""], "WorkingDirectory": "/usr", "User": "box", "Frozen": False,
                          "NRestarts": 0, "LogMaxBytes": 131072})
        self.assertNotIn("hidden", repr(p) + repr(self.bus.jobs()) + repr(self.bus.managed_objects()))

    def test_each_alone_is_what_all_are(self):
        outcome = self.bus.sh("echo x; exit 2")
        self.bus.wait(outcome.id)
        p = self.bus.properties(outcome.id)
        for name, value in p.items():
            self.assertEqual(self.bus.property(name, outcome.id), value, name)

    def test_log(self):
        outcome = self.bus.sh("echo 12345; echo 123 >&2")
        p = self.bus.properties(outcome.id)
        self.assertEqual((p["LogBytes"], p["LogLostBytes"], p["LogLostRecords"]), (10, 0, 0))
        self.assertEqual(self.bus.log(outcome.id, p["LogCursor"]).records, [])

    def test_environment_has_no_property(self):
        outcome = self.bus.sh("true", Environment=["A=b"])
        self.assertFalse([name for name in self.bus.properties(outcome.id) if "nvironment" in name])


class TestSignals(BoxCase):

    def changes(self, id, since):
        """What PropertiesChanged told about a job, in order: (name, value)."""
        out = []
        with self.bus.lock:
            signals = self.bus.signals[since:]
        for s in signals:
            if s.member == "PropertiesChanged" and s.path == job_path(id) and s.body[0] == JOB:
                out += [(name, value[1]) for name, value in s.body[1].items()]
                out += [(name, None) for name in s.body[2]]
        return out

    def test_life_of_a_job(self):
        since = len(self.bus.signals)
        outcome = self.bus.sh("sleep 0.2; exit 7")
        id = outcome.id
        self.bus.wait_manager_signal("JobFinished", id)
        self.bus.ping()
        mine = [s for s in self.bus.signals[since:] if s.interface == MANAGER]
        self.assertEqual([(s.path, s.member, s.body) for s in mine],
                         [(ROOT, "JobNew", (id, job_path(id))), (ROOT, "JobExited", (id, "exit-code", 7, 0)),
                          (ROOT, "JobFinished", (id, "exit-code"))])
        changes = self.changes(id, since)
        last = {name: value for name, value in changes if value is not None}
        now = self.bus.properties(id)
        for name in ("State", "Running", "Result", "PID", "ExitCode"):
            self.assertIn(name, dict(changes))
            if name in last:
                self.assertEqual(last[name], now[name], name)
        states = [value for name, value in changes if name == "State"]
        self.assertEqual(states[-1], "finished")

    def test_states_on_the_way(self):
        since = len(self.bus.signals)
        with Gate(self.reeve) as gate:
            outcome = self.bus.sh(f"({gate.read}) & exit 3")
            self.bus.wait_manager_signal("JobExited", outcome.id)
            gate.open()
            self.bus.wait_manager_signal("JobFinished", outcome.id)
        self.bus.ping()
        states = [value for name, value in self.changes(outcome.id, since) if name == "State"]
        self.assertEqual(states[-2:], ["exited", "finished"])
        running = [value for name, value in self.changes(outcome.id, since) if name == "Running"]
        self.assertEqual(running[-1], False)

    def test_stopping(self):
        since = len(self.bus.signals)
        job = self.bus.start(self.reeve.payload("deaf"))
        self.bus.wait_for_output(job.id, b"ready")
        self.bus.stop({"Id": job.id}, TimeoutStopUSec=200 * MSEC)
        self.bus.wait_manager_signal("JobFinished", job.id)
        states = [value for name, value in self.changes(job.id, since) if name == "State"]
        self.assertIn("stopping", states)
        self.assertEqual(dict(self.changes(job.id, since))["Signal"], 9)

    def test_interfaces_added_and_removed(self):
        since = len(self.bus.signals)
        outcome = self.bus.exec(["true"])
        added = self.bus.wait_signal(lambda s: s.member == "InterfacesAdded" and s.body[0] == job_path(outcome.id), 10, since)
        self.assertEqual(added.path, ROOT)
        self.assertEqual(added.body[1][JOB]["Id"], ("s", outcome.id))
        self.bus.wait(outcome.id)
        self.bus.job(outcome.id, "Forget")
        removed = self.bus.wait_signal(lambda s: s.member == "InterfacesRemoved" and s.body[0] == job_path(outcome.id))
        self.assertEqual(removed.path, ROOT)
        self.assertIn(JOB, removed.body[1])
        self.assertEqual(self.bus.wait_manager_signal("JobRemoved", outcome.id).body, (outcome.id, job_path(outcome.id)))

    def test_every_connection_hears(self):
        others = [self.reeve.connect() for _ in range(5)]
        outcome = self.bus.exec(["true"])
        for other in others:
            other.wait_manager_signal("JobFinished", outcome.id)
            other.close()

    def test_reply_and_properties_agree(self):
        """What was signalled is so already when it can be asked."""
        for i in range(30):
            job = self.bus.start_sh(f"exit {i}")
            self.bus.wait_manager_signal("JobExited", job.id)
            p = self.bus.properties(job.id)
            self.assertEqual((p["ExitCode"], p["PID"]), (i, 0))
            self.bus.wait_manager_signal("JobFinished", job.id)
            self.assertEqual(self.bus.property("State", job.id), "finished")


class TestObjects(BoxCase):

    def test_managed_objects(self):
        job = self.bus.start(["sleep", "100"])
        done = self.bus.exec(["true"])
        self.bus.wait(done.id)
        objects = self.bus.managed_objects()
        self.assertIn(job.path, objects)
        self.assertEqual(objects[job.path][JOB]["State"], ("s", "running"))
        self.assertEqual(objects[job_path(done.id)][JOB]["State"], ("s", "finished"))
        for name in self.bus.properties(job.id):
            self.assertIn(name, objects[job.path][JOB])

    def test_list_jobs_and_objects_agree(self):
        for _ in range(3):
            self.bus.exec(["true"])
        paths = {job_path(id) for id in self.bus.job_ids()}
        self.assertEqual({path for path in self.bus.managed_objects() if path.startswith(f"{ROOT}/job/")}, paths)

    def test_get_job_and_by_pid(self):
        job = self.bus.start_sh("sleep 100 & wait")
        self.assertEqual(self.bus.manager("GetJob", "s", job.id), (job.path,))
        eventually(lambda: self.bus.property("TasksCurrent", job.id) == 2, 5, "the child is there")
        for pid in self.reeve.processes():
            self.assertEqual(self.bus.manager("GetJobByPID", "u", self.reeve.inner_pid(pid)), (job.path,))

    def test_escaped_paths(self):
        job = self.bus.start(["sleep", "100"], Id="a.b-c_d")
        self.assertEqual(job.path, "/org/reeve1/job/a_2eb_2dc_5fd")
        self.assertEqual(self.bus.property("Id", "a.b-c_d"), "a.b-c_d")


class TestAccounting(BoxCase):

    def test_cpu_of_dead_children(self):
        """400 ms of CPU, burnt by a child that is dead when the leader ends; kept after the scope is gone."""
        outcome = self.bus.exec(self.reeve.payload("spin", 400))
        self.bus.wait(outcome.id)
        p = self.bus.properties(outcome.id)
        self.assert_between(400e6, p["CPUUsageNSec"], 2e9)
        self.assert_between(400e6, outcome.details["CPUUsageNSec"], 2e9)
        self.assert_between(0.9 * p["CPUUsageNSec"], p["CPUUserNSec"] + p["CPUSystemNSec"], 1.1 * p["CPUUsageNSec"])
        self.assertEqual(self.bus.property("CPUUsageNSec", outcome.id), p["CPUUsageNSec"], "final is final")

    def test_cpu_of_orphans(self):
        """Of a double-forked one, that was reeve's own child when it died."""
        payload = " ".join(self.reeve.payload("spin", 400))
        outcome = self.bus.sh(f"(setsid {payload} &) ; exit 0")
        self.bus.wait(outcome.id)
        self.assert_between(400e6, self.bus.property("CPUUsageNSec", outcome.id), 2e9)

    def test_cpu_live(self):
        job = self.bus.start(["sh", "-c", "while :; do :; done"])
        first = self.bus.property("CPUUsageNSec", job.id)
        eventually(lambda: self.bus.property("CPUUsageNSec", job.id) > first + 10 ** 8, 10, "it grows")

    def test_tasks(self):
        job = self.bus.start(self.reeve.payload("tree", 7))
        self.bus.wait_for_output(job.id, b"ready")
        self.assertEqual(self.bus.property("TasksCurrent", job.id), 8)
        self.bus.stop({"Id": job.id})
        self.assertEqual(self.bus.property("TasksCurrent", job.id), 0)

    def test_memory_is_a_figure_or_not_known(self):
        job = self.bus.start(["sleep", "100"])
        p = self.bus.properties(job.id)
        if "memory" in self.bus.property("Controllers"):
            self.assert_between(4096, p["MemoryCurrent"], 1 << 30)
        else:
            self.assertEqual((p["MemoryCurrent"], p["OOMKills"]), (2 ** 64 - 1, 2 ** 64 - 1))

    def test_usage_of_ten_at_once(self):
        """Each has its own figures."""
        pending = [self.bus.exec_later(self.reeve.payload("spin", 20 * i)) for i in range(1, 11)]
        for i, p in enumerate(pending, 1):
            outcome = p.result(60)
            self.assert_between(20e6 * i, outcome.details["CPUUsageNSec"], 20e6 * i + 300e6)
