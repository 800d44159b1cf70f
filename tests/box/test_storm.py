"""Many at once: every exit status right, every orphan reaped, while everything dies around."""

import random
import signal
import threading
import time

from case import BoxCase, Stopwatch
from client import DBUS_ERROR, DBusError, ERROR, MSEC, SEC
from rig import eventually


class TestStorm(BoxCase):

    weight = 5

    def no_zombies(self, timeout=20):
        eventually(lambda: not self.reeve.processes(), timeout,
                   lambda: f"all are reaped: {self.reeve.describe(self.reeve.processes()[:20])}")

    def test_200_execs_among_dying_orphans(self):
        """Each of the 200 sprays 15 double-forked orphans that end at random moments."""
        orphans = self.bus.property("NOrphansReaped")
        codes = [random.randrange(256) for _ in range(200)]
        pending = [self.bus.exec_later(self.reeve.payload("spray", 15, code, 200)) for code in codes]
        got = [p.result(60) for p in pending]
        self.assertEqual([o.exit_code for o in got], codes)
        self.assertEqual({o.signal for o in got}, {0})
        self.assertEqual({o.result for o, code in zip(got, codes) if code}, {"exit-code"})
        self.no_zombies()
        self.assertGreaterEqual(self.bus.property("NOrphansReaped") - orphans, 200 * 15)

    def test_200_execs_from_20_connections(self):
        connections = [self.reeve.connect(match=False) for _ in range(20)]
        want = [(c, random.randrange(256), i) for i in range(10) for c in connections]
        pending = [(c.exec_later(["sh", "-c", f"echo out{code}-{i}; echo err{i} >&2; exit {code}"]), code, i)
                   for c, code, i in want]
        for p, code, i in pending:
            outcome = p.result(60)
            self.assertEqual((outcome.exit_code, outcome.stdout, outcome.stderr),
                             (code, b"out%d-%d\n" % (code, i), b"err%d\n" % i))
        for c in connections:
            c.close()

    def test_signals_and_codes_mixed(self):
        """Who was killed by 9 and who exited with 137, a hundred of each at once."""
        pending = []
        for i in range(100):
            pending.append((self.bus.exec_later(["sh", "-c", "kill -9 $$"]), (-1, 9, "signal")))
            pending.append((self.bus.exec_later(["sh", "-c", "exit 137"]), (137, 0, "exit-code")))
        for p, want in pending:
            self.assertEqual(p.result(60)[1:4], want)

    def test_10_000_orphans(self):
        """They all end in the moment in which their parent does; the next Exec does not wait for long."""
        orphans, reaped = self.bus.property("NOrphansReaped"), self.bus.property("NReaped")
        outcome = self.bus.exec(self.reeve.payload("orphans", 10000, 77), timeout=60)
        self.assert_outcome(outcome, "exit-code", 77)
        with Stopwatch() as watch:
            self.assertEqual(self.bus.sh("exit 5", timeout=60).exit_code, 5)
        self.assertLess(watch.seconds, 10)
        self.bus.wait(outcome.id, "Finished", 60)
        self.no_zombies(30)
        self.assertGreaterEqual(self.bus.property("NOrphansReaped") - orphans, 10000)
        self.assertGreaterEqual(self.bus.property("NReaped") - reaped, 10001)

    def test_execs_while_10_000_orphans_die(self):
        swarm = self.bus.exec_later(self.reeve.payload("orphans", 10000))
        codes = [random.randrange(256) for _ in range(50)]
        pending = [self.bus.exec_later(["sh", "-c", f"exit {code}"]) for code in codes]
        self.assertEqual([p.result(60).exit_code for p in pending], codes)
        self.assert_outcome(swarm.result(60), "success")
        self.no_zombies(30)

    def test_orphans_of_visitors(self):
        """docker exec makes processes that reeve did not start; their orphans are its to reap all the same."""
        before = self.bus.property("NReaped")
        done = self.reeve.run_inside(self.reeve.payload("spray", 200, 0, 20))
        self.assertEqual(done.returncode, 0)
        self.no_zombies()
        self.assertGreaterEqual(self.bus.property("NReaped") - before, 200)

    def test_signals_to_pid_1_while_it_reaps(self):
        """SIGCHLD from everywhere, the true ones among them, lose no exit status."""
        pending = [self.bus.exec_later(["sh", "-c", f"exit {i}"]) for i in range(100)]
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            self.reeve.signal(signal.SIGCHLD)
        self.assertEqual([p.result(60).exit_code for p in pending], list(range(100)))

    def test_1_000_jobs_that_live(self):
        """As many at once, each with a scope of its own; and one Stop."""
        pending = [self.bus.send("/org/reeve1", "org.reeve1.Manager", "Start", "asa{sv}", ["sleep", "1000"],
                                 {"Session": ("s", "thousand")}) for _ in range(1000)]
        pids = {p.result(120)[2] for p in pending}
        self.assertEqual(len(pids), 1000)
        self.assertEqual(self.bus.property("NRunning"), 1000)
        self.assertEqual(self.bus.exec(["echo", "hi"]).stdout, b"hi\n")
        ids, stopped, remaining = self.bus.stop({"Session": "thousand"}, timeout=60)
        self.assertEqual((len(ids), set(stopped), remaining), (1000, pids, 0))
        self.assertEqual(self.bus.property("NRunning"), 0)

    def test_start_and_stop_in_a_hurry(self):
        """Stop overtakes the start: whatever the order, nothing is left and all are answered."""
        for i in range(30):
            start = self.bus.send("/org/reeve1", "org.reeve1.Manager", "Start", "asa{sv}", ["sleep", "1000"],
                                  {"Id": ("s", f"hurry{i}")})
            stop = self.bus.stop_later({"All": True}, TimeoutStopUSec=5 * SEC)
            stop.result()
            try:
                start.result()
            except DBusError as e:      # it was stopped before its exec: then there is no job
                self.assertEqual(e.name, ERROR + "StartFailed")
                self.assert_error("NoSuchJob", call=lambda i=i: self.bus.stop({"Id": f"hurry{i}"}))
                continue
            self.bus.stop({"Id": f"hurry{i}"})
            self.assertFalse(self.bus.property("Running", f"hurry{i}"))

    def test_nothing_leaks(self):
        """Descriptors exactly, memory nearly: each of the finished is kept, and costs its record and its log."""
        bus = self.reeve.connect(match=False)

        def many():
            pending = [bus.exec_later(["/bin/echo", "x"]) for _ in range(250)]
            for p in pending:
                self.assertEqual(p.result(120).stdout, b"x\n")
            for id in bus.job_ids():
                bus.wait(id)
                bus.job(id, "Forget")
            eventually(lambda: not self.reeve.scopes(), 10, "no scope is left")

        many()
        fds, memory = self.reeve.fds(), self.reeve.memory()
        for _ in range(3):
            many()
        self.assert_fds_back(fds)
        self.assert_memory(memory, 2 << 20)


class TestRandom(BoxCase):
    """Six clients that do whatever comes to mind to each other's jobs. No answer may surprise, nothing may be left."""

    weight = 3
    expected = {ERROR + name for name in ("NoSuchJob", "NoSuchProcess", "NoSuchSession", "JobExists", "JobRunning",
                                          "StartFailed", "CommandNotFound")} | {DBUS_ERROR + "UnknownObject",
                                                                                DBUS_ERROR + "Timeout"}

    def commands(self, dice):
        payload = self.reeve.payload
        return dice.choice([["true"], ["sh", "-c", f"echo x; exit {dice.randrange(256)}"], payload("hold", "setsid", 50),
                            payload("hold", "ignore", 20000), payload("deaf"), payload("spray", 10, 3, 20), ["/nonexistent"],
                            payload("pattern", 300000), payload("runaway", 1, 2), ["sleep", "1000"], payload("flood"),
                            payload("tree", 5), payload("raise", dice.randrange(1, 17)), payload("on-term", 0)])

    def one_thing(self, bus, dice):
        id = f"r{dice.randrange(40)}"
        what = dice.randrange(12)
        if what < 4:
            bus.start(self.commands(dice), Id=id, Session=f"s{dice.randrange(3)}", KillOnExit=dice.random() < 0.3,
                      RuntimeMaxUSec=dice.choice([0, 50 * MSEC, 500 * MSEC]), TimeoutStopUSec=dice.choice([0, 50, 500]) * MSEC,
                      KillMode=dice.choice(["mixed", "control-group"]), LogMaxBytes=1 << dice.randrange(16, 21))
        elif what == 4:
            bus.exec(self.commands(dice), RuntimeMaxUSec=300 * MSEC, TimeoutStopUSec=100 * MSEC)
        elif what == 5:
            bus.stop({"Id": id}, TimeoutStopUSec=dice.choice([0, 100]) * MSEC)
        elif what == 6:
            bus.stop({"Session": f"s{dice.randrange(3)}"}, TimeoutStopUSec=100 * MSEC)
        elif what == 7:
            bus.kill(dice.choice([1, 2, 9, 15, 18]), Id=id)
        elif what == 8:
            bus.wait_later(id, dice.choice(["Exited", "Drained", "Finished"]), dice.choice([0, 50]) * MSEC).result()
        elif what == 9:
            bus.job(id, "Forget")
        elif what == 10:
            bus.log(id, dice.choice(["", "tail"]), WaitUSec=dice.choice([0, 30]) * MSEC)
            bus.output(id, Lines=3)
        else:
            for job in bus.jobs(Usage=True):
                assert (job["State"] == "finished") != job["Running"], job
                assert job["Result"] or job["State"] not in ("finished", "exited"), job

    def client(self, seed, surprises):
        dice = random.Random(seed)
        bus = self.reeve.connect(match=False)
        for _ in range(150):
            try:
                self.one_thing(bus, dice)
            except DBusError as e:
                if e.name not in self.expected:
                    surprises.append(e)
            except BaseException as e:  # pylint: disable=broad-except
                surprises.append(e)
                return

    def test_random(self):
        seed = random.randrange(10 ** 6)
        self.bus.exec(["true"])
        eventually(lambda: not self.reeve.scopes(), 5, "quiet")
        surprises = []
        clients = [threading.Thread(target=self.client, args=(seed + i, surprises)) for i in range(6)]
        for client in clients:
            client.start()
        for client in clients:
            client.join(80)
            self.assertFalse(client.is_alive(), f"seed {seed}")
        self.assertEqual(surprises, [], f"seed {seed}")
        self.assertEqual(self.bus.stop({"All": True}, TimeoutStopUSec=0)[2], 0)
        for job in self.bus.jobs():
            self.assertEqual((job["State"], job["PID"]), ("finished", 0), f"seed {seed}: {job}")
        self.assertEqual(self.bus.property("NRunning"), 0)
