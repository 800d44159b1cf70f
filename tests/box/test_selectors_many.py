"""Selectors of several keys at once, against a model of them: all of them must hold."""

import itertools
import re
import signal

from case import BoxCase
from client import ERROR, DBusError
from rig import eventually
from session import SessionCase


class TestTogether(BoxCase):

    weight = 2

    def setUp(self):
        for id in self.bus.job_ids():
            self.bus.job(id, "Forget")
        self.known = {}
        for id, session, seconds, labels in (("a", "s1", "1001", {"kind": "x"}), ("b", "s1", "1002", {"kind": "y"}),
                                             ("c", "s2", "1001", {"kind": "x", "more": "1"}), ("d", "s2", "1003", {})):
            job = self.bus.start(["sleep", seconds], Id=id, Session=session, Labels=labels)
            self.known[id] = {"Session": session, "State": "running", "Label": {f"{k}={v}" for k, v in labels.items()},
                              "Pattern": f"sleep {seconds}", "PID": {job.pid}}
        for id, session in (("e", "s1"), ("f", "s2")):
            outcome = self.bus.exec(["sh", "-c", "sleep 1001 & echo $!"], Id=id, Session=session, Labels={"kind": "x"})
            self.known[id] = {"Session": session, "State": "exited", "Label": {"kind=x"}, "Pattern": "sh -c sleep 1001 & echo $!",
                              "PID": {int(outcome.stdout)}}
        self.bus.exec(["sh", "-c", "exit 3"], Id="g", Session="s1", Labels={"kind": "x"})
        self.bus.wait("g")
        self.known["g"] = {"Session": "s1", "State": "finished", "Label": {"kind=x"}, "Pattern": "sh -c exit 3", "PID": set()}

    def choices(self):
        pid = next(iter(self.known["a"]["PID"]))
        orphan = next(iter(self.known["e"]["PID"]))
        return {"Id": ("a", "e", "g"), "Session": ("s1", "s2"), "State": ("running", "exited", "finished"), "Label": ("kind=x", "kind=no"),
                "Pattern": ("sleep 1001", "^sleep", "exit"), "PID": (pid, orphan), "All": (True,), "States": (["exited", "finished"],)}

    def due(self, selector):
        def holds(id, job, key, value):
            if key == "Id":
                return id == value
            if key == "Label":
                return value in job["Label"]
            if key == "PID":
                return value in job["PID"]
            if key == "Pattern":
                return re.search(value, job["Pattern"]) is not None
            if key == "States":
                return job["State"] in value
            return key == "All" or job[key] == value
        return [id for id, job in self.known.items() if all(holds(id, job, *item) for item in selector.items())]

    def selectors(self, keys, most):
        """Every choice of values for every choice of up to so many of the keys. State and States are one key."""
        choices = self.choices()
        for count in range(1, most + 1):
            for chosen in itertools.combinations(keys, count):
                if not {"State", "States"} <= set(chosen):
                    for values in itertools.product(*(choices[key] for key in chosen)):
                        yield dict(zip(chosen, values))

    def test_list(self):
        for selector in self.selectors(("Id", "Session", "State", "States", "Label", "Pattern"), 5):
            self.assertEqual(self.bus.job_ids(**selector), self.due(selector), selector)

    def test_kill(self):
        for selector in self.selectors(("Id", "Session", "State", "States", "Label", "Pattern", "PID", "All"), 4):
            ids, pids = self.bus.kill(signal.SIGWINCH, **selector)
            due = [id for id in self.due(selector) if self.known[id]["PID"]]
            self.assertEqual(sorted(ids), due, selector)
            self.assertEqual(sorted(pids), sorted(pid for id in due for pid in self.known[id]["PID"]), selector)

    def test_what_is_not_there_among_several(self):
        """An Id, a PID, a Session that is not there is told, whatever else is asked for."""
        for name, missing in (("NoSuchJob", {"Id": "nix"}), ("NoSuchSession", {"Session": "nix"}), ("NoSuchProcess", {"PID": 999999})):
            for other in ({}, {"All": True}, {"State": "running"}, {"Label": "kind=x"}, {"Pattern": "sleep"}):
                self.assert_error(name, call=lambda m=missing, o=other: self.bus.kill(9, **m, **o))
                self.assert_error(name, call=lambda m=missing, o=other: self.bus.stop({**m, **o}))
        self.assertEqual(len(self.bus.job_ids(State="running")), 4)

    def test_wrong_ones_among_several(self):
        for wrong in ({"State": "nix"}, {"States": ["running", "nix"]}, {"Label": "no"}, {"Pattern": "("}):
            key, = wrong
            with self.assertRaises(DBusError) as caught:
                self.bus.kill(9, Session="s1", **wrong)
            self.assertTrue(caught.exception.name.endswith("InvalidArgs"), caught.exception)
            self.assertIn(key, caught.exception.message)
        self.assertEqual(len(self.bus.job_ids(State="running")), 4)

    def stop(self, **selector):
        due = [id for id in self.due(selector) if self.known[id]["PID"]]
        ids, pids, remaining = self.bus.stop(selector)
        self.assertEqual((sorted(ids), sorted(pids), remaining), (due, sorted(pid for id in due for pid in self.known[id]["PID"]), 0))
        for id in due:
            self.known[id].update(State="finished", PID=set())
        for id, job in self.known.items():
            self.assertEqual(self.bus.property("State", id), job["State"], (selector, id))

    def test_stop_one_after_the_other(self):
        self.stop(Session="s2", Label="kind=y")
        self.stop(Session="s1", State="exited")
        self.stop(Session="s2", Pattern="^sleep 1001$", Label="more=1", State="running")
        self.stop(States=["exited", "running"], Session="s2", Label="kind=x")
        self.stop(Id="a", Session="s2")
        self.stop(Id="a", Session="s1", All=True)
        self.stop(All=True)

    def test_counts_and_pids(self):
        """{killed_count, killed_pids} are to be had from the answer."""
        ids, pids = self.bus.kill(9, Session="s1")
        self.assertEqual((sorted(ids), len(pids)), (["a", "b", "e"], 3))
        for id in ids:
            self.bus.wait(id)
        eventually(lambda: not [pid for pid in pids if self.reeve.host_pid(pid)], 5, "all of them are gone")
        self.assertEqual(self.bus.kill(9, Session="s1"), ([], []))


class TestSameId(SessionCase):

    def count(self):
        return int(self.bus.sh("wc -l </tmp/count; rm /tmp/count").stdout)

    def test_exec_eight_times_at_once(self):
        others = [self.reeve.connect() for _ in range(7)]
        pending = [c.exec_later(["sh", "-c", "echo x >>/tmp/count; sleep 0.2; echo out; echo err >&2; exit 3"], Id="once")
                   for c in (self.bus, *others)]
        outcomes = [p.result() for p in pending]
        self.assertEqual(self.count(), 1)
        for outcome in outcomes:
            self.assertEqual(outcome, outcomes[0])
        self.assertEqual((outcomes[0].id, outcomes[0].exit_code, outcomes[0].stdout, outcomes[0].stderr), ("once", 3, b"out\n", b"err\n"))
        # And again, when it has long been over.
        self.assertEqual(self.bus.exec(["sh", "-c", "echo x >>/tmp/count; sleep 0.2; echo out; echo err >&2; exit 3"], Id="once")[:6],
                         outcomes[0][:6])
        for other in others:
            other.close()

    def test_start_eight_times_at_once(self):
        argv = ["sh", "-c", "echo x >>/tmp/count; exec sleep 1000"]
        others = [self.reeve.connect() for _ in range(7)]
        pending = [c.send("/org/reeve1", "org.reeve1.Manager", "Start", "asa{sv}", argv, {"Id": ("s", "server")})
                   for c in (self.bus, *others)]
        answers = [p.result() for p in pending]
        self.assertEqual({answer[:3] for answer in answers}, {answers[0][:3]})
        self.assertEqual(sorted(answer[3]["Existing"][1] for answer in answers), [False] + [True] * 7)
        eventually(lambda: self.bus.sh("cat /tmp/count").stdout, 5, "it runs")
        self.assertEqual(self.count(), 1)
        for other in others:
            other.close()

    def test_exec_and_start_of_one(self):
        argv = ["sh", "-c", "echo x >>/tmp/count; exit 4"]
        started = self.bus.start(argv, Id="both")
        self.assertEqual(self.bus.exec(argv, Id="both").exit_code, 4)
        self.assertEqual(self.bus.start(argv, Id="both").id, started.id)
        self.assertEqual(self.count(), 1)

    def test_asked_for_differently(self):
        self.bus.start(["sleep", "1000"], Id="mine", Session=self.name)
        for options in ({}, {"Session": self.name, "Nice": 1}, {"Session": "default"}):
            with self.assertRaises(DBusError) as caught:
                self.bus.start(["sleep", "1000"], Id="mine", **options)
            self.assertEqual(caught.exception.name, ERROR + "JobExists")

    def test_run_takes_no_id(self):
        """Options as Exec's "without Id, Restart…"."""
        self.assert_error("InvalidArgs", "Id", call=lambda: self.run_it("echo x >>/tmp/never", Id="run"))
        self.assertEqual(self.bus.sh("ls /tmp/never 2>/dev/null").stdout, b"")
