"""reevectl monitor, and what the shells complete: both look at a reeve in which things happen."""

import json
import re
import signal
import subprocess

import completion
from rig import eventually, reevectl_binary
from test_reevectl import Ctl


class Monitor:
    """A reevectl monitor that runs; lines it has printed are read one by one."""

    def __init__(self, reeve, *args):
        self.process = subprocess.Popen([reevectl_binary(), f"--address={reeve.address}", *args, "monitor"], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.first = self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()

    def until(self, end):
        """The lines up to one that end(line) is true of."""
        lines = []
        while not lines or not end(lines[-1]):
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError(f"monitor ended: {self.process.stderr.read()}; so far: {lines}")
            lines.append(line)
        return lines


class TestMonitor(Ctl):

    def text(self, monitor, last):
        """Without times, and without jobs' pids."""
        lines = monitor.until(lambda line: line.endswith(last + "\n"))
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d{4} \w+ ")
        return [re.sub(r"PID \d+", "PID N", line.rstrip("\n").split(" ", 1)[1]) for line in lines]

    def test_the_life_of_a_job(self):
        with Monitor(self.reeve) as monitor:
            self.assertRegex(monitor.first, r" reeve: running\n$")
            self.bus.exec(["sh", "-c", "exit 3"], Id="one", Session="s")
            self.assertEqual([line for line in self.text(monitor, "job one: finished") if line.startswith("job")],
                             ["job one: new, PID N, session s: sh -c 'exit 3'", "job one: exited, exit-code 3",
                              "job one: finished"])
            self.bus.job("one", "Forget")
            self.assertEqual([line for line in self.text(monitor, "job one: removed") if line.startswith("job")],
                             ["job one: removed"])

    def test_a_stop(self):
        with Monitor(self.reeve) as monitor:
            self.bus.start(["sleep", "100"], Id="web")
            self.bus.stop({"Id": "web"})
            self.assertEqual(self.text(monitor, "job web: finished"),
                             ["job web: new, PID N, session default: sleep 100", "job web: stopping",
                              "job web: exited, signal SIGTERM", "job web: finished"])

    def test_json(self):
        with Monitor(self.reeve, "--json") as monitor:
            first = json.loads(monitor.first)
            self.assertEqual((first["event"], first["properties"]["State"]), ("Reeve", "running"))
            self.bus.exec(["sh", "-c", "kill -9 $$"], Id="two")
            events = [json.loads(line) for line in monitor.until(lambda line: '"JobFinished"' in line)]
        by_name = {event["event"]: event for event in events}
        self.assertEqual(by_name["JobNew"]["properties"]["Command"], ["sh", "-c", "kill -9 $$"])
        self.assertEqual([by_name["JobExited"][key] for key in ("id", "result", "exit_code", "signal")],
                         ["two", "signal", -1, 9])
        self.assertEqual(by_name["JobFinished"]["id"], "two")
        times = [event["time"] for event in [first, *events]]
        self.assertEqual(times, sorted(times))

    def test_a_name_cannot_move_the_cursor(self):
        with Monitor(self.reeve) as monitor:
            self.bus.exec(["sh", "-c", ":", "\033[2J\nx"], Id="odd")
            line = [line for line in self.text(monitor, "job odd: finished") if "new" in line][0]
        self.assertIn("'\\x1b[2J\\nx'", line)

    def test_many(self):
        """Nothing is missed, and all of it is in order."""
        with Monitor(self.reeve, "--json") as monitor:
            ids = [f"many{i}" for i in range(50)]
            later = [self.bus.exec_later(["true"], Id=id) for id in ids]
            for pending in later:
                pending.result()
            self.bus.exec(["true"], Id="last")
            events = [json.loads(line) for line in monitor.until(lambda line: '"JobFinished","id":"last"' in line)]
        for id in ids:
            self.assertEqual([event["event"] for event in events if event.get("id") == id and event["event"] != "JobChanged"],
                             ["JobNew", "JobExited", "JobFinished"], id)

    def test_interrupted(self):
        with Monitor(self.reeve) as monitor:
            monitor.process.send_signal(signal.SIGINT)
            self.assertEqual(monitor.process.wait(30), -signal.SIGINT)

    def test_nobody_reads(self):
        with Monitor(self.reeve) as monitor:
            monitor.process.stdout.close()
            self.assertEqual(monitor.process.wait(30), 141)


class TestFallingBehind(Ctl):

    def test_a_reader_that_falls_behind(self):
        """It is cut off, and told why; reeve holds no more for it than for others."""
        with Monitor(self.reeve) as monitor:
            before, fds = self.reeve.memory(), self.reeve.fds()

            def cut_off():
                for pending in [self.bus.exec_later(["true"], Description="x" * 1000) for _ in range(50)]:
                    pending.result()
                return self.reeve.fds() < fds
            eventually(cut_off, 60, "its connection is gone")
            self.assert_memory(before, 32 * 2 ** 20)
            _, said = monitor.process.communicate(timeout=30)
            self.assertEqual(monitor.process.returncode, 1)
            self.assertIn("not read as fast", said)


class TestTheEnd(Ctl):

    def test_reeve_goes(self):
        """A monitor whose reeve ends says so."""
        with Monitor(self.reeve) as monitor:
            self.reeve.signal(signal.SIGTERM)
            self.reeve.wait_exit()
            self.assertEqual(monitor.process.wait(30), 1)
            self.assertIn("closed the connection", monitor.process.stderr.read())

    @classmethod
    def tearDownClass(cls):
        cls.reeve.destroy()

    def tearDown(self):
        pass


class TestCompletion(Ctl):

    def test_jobs(self):
        self.bus.start(["sleep", "100"], Id="web")
        self.bus.exec(["true"], Id="done")
        self.bus.wait("done")
        self.bus.exec(["sh", "-c", "sleep 100 & exit 3"], Id="left")  # it lives, its leader does not
        self.bus.job("web", "Freeze")
        pid = str(self.bus.property("PID", "web"))
        for complete in completion.shells():
            def words(*args, complete=complete):
                return complete(reevectl_binary(), *args, REEVE_ADDRESS=self.reeve.address)
            with self.subTest(shell=complete.__name__):
                for verb in ("kill", "stop", "wait", "freeze", "thaw", "detach"):
                    self.assertEqual(sorted(words(verb, "")), ["left", "web"], verb)
                for verb in ("logs", "status", "list"):
                    self.assertEqual(sorted(words(verb, "")), ["done", "left", "web"], verb)
                self.assertEqual(words("logs", "d"), ["done"])
                self.assertEqual(words("kill", "--whom=main", "--pid", ""), [pid])
                self.assertEqual(words("kill", "-s", "HUP", "w"), ["web"])
                self.assertEqual(words("--address=unix:path=/nonexistent", "kill", ""), [])
