"""A bad day: no descriptors, no space, no memory, murder inside, a careless parent. PID 1 lives, and tells the truth."""

import contextlib
import os
import platform
import signal
import subprocess
import time
import unittest

from case import BoxCase, FreshCase, Stopwatch
from client import DBUS_ERROR, DBusError, Disconnected, ERROR, MSEC, SEC
from rig import eventually, proc_status, sanitized


class TestDescriptors(FreshCase):

    def cpu(self, box):
        """Seconds of CPU that PID 1 has used."""
        with open(f"/proc/{box.pid}/stat", encoding="utf-8") as f:
            words = f.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def test_no_descriptors_left(self):
        """Connections take them all: those that are served are served on, a refused exec is a typed error, and all is
        well again when they are closed. Meanwhile no busy loop around accept()."""
        box = self.box(rlimits={"nofile": "64:64"})
        box.bus.exec(["true"])
        box.bus.job(box.bus.job_ids()[0], "Forget")
        before = box.fds()
        peers = []
        for _ in range(80):
            try:
                peers.append(box.connect(timeout=1))
            except (Disconnected, OSError, TimeoutError, DBusError):
                break
        cpu = self.cpu(box)
        with Stopwatch() as watch:
            for _ in range(20):
                box.bus.ping()
                try:
                    self.assertEqual(box.bus.exec(["true"]).exit_code, 0)
                except DBusError as e:
                    self.assertIn(e.name, (ERROR + "StartFailed", DBUS_ERROR + "LimitsExceeded"), e.message)
            eventually(lambda: watch.start + 1 < time.monotonic(), 3, "a second has passed")
        self.assertLess(self.cpu(box) - cpu, 0.5 * watch.seconds)
        for peer in peers:
            peer.close()
        eventually(lambda: self.works(box), 10, "commands run again")
        for id in box.bus.job_ids():
            box.bus.job(id, "Forget")
        eventually(lambda: box.fds() <= before, 10, lambda: f"{before} descriptors again: {box.fds()}")

    def works(self, box):
        try:
            return box.bus.sh("echo x; exit 3").exit_code == 3
        except DBusError:
            return False

    def test_jobs_until_there_are_none(self):
        box = self.box(rlimits={"nofile": "64:64"})
        started, refused = [], []
        for _ in range(60):
            try:
                started.append(box.bus.start(["sleep", "1000"]).id)
            except DBusError as e:
                refused.append(e)
        self.assertGreater(len(started), 3)
        self.assertGreater(len(refused), 0)
        self.assertEqual({e.name for e in refused} - {ERROR + "StartFailed", DBUS_ERROR + "LimitsExceeded"}, set())
        # Nothing was left of the refused.
        self.assertEqual(sorted(box.bus.job_ids()), sorted(started))
        self.assertEqual(len(box.processes()), len(started))
        box.bus.kill(9, Id=started[0])
        self.assertEqual(box.bus.wait(started[0])[1]["Signal"], 9)
        ids, _, remaining = box.bus.stop({"All": True})
        self.assertEqual((len(ids), remaining), (len(started) - 1, 0))
        self.assertEqual(box.bus.sh("exit 3").exit_code, 3)
        self.assertEqual(box.stop(), 0)


class TestSpace(FreshCase):

    def test_full_run(self):
        box = self.box(run_size="256k")
        box.bus.sh("dd if=/dev/zero of=/run/full bs=4096")
        self.assertNotEqual(box.bus.sh("echo x >/run/more").exit_code, 0)
        for _ in range(20):
            outcome = box.bus.sh("echo out; exit 3")
            self.assertEqual((outcome.exit_code, outcome.stdout), (3, b"out\n"))
        with box.connect() as other:
            self.assertEqual(other.exec(["head", "-c", "300000", "/dev/zero"]).details["StdoutBytes"], 300000)
        self.assertEqual(box.stop(), 0)

    def test_full_run_from_the_start(self):
        """A socket somewhere else is all that it needs of the file system."""
        box = self.box(run_size="64k", prepare="/bin/dd if=/dev/zero of=/run/full bs=4096 2>/dev/null || true")
        self.assertEqual(box.bus.sh("exit 3").exit_code, 3)

    def test_little_address_space(self):
        """A log that can't grow, an answer that can't be made: that request fails, or loses output; nothing else does."""
        if sanitized():
            self.skipTest("a sanitizer needs all of the address space")
        box = self.box()
        limit = int(proc_status(box.pid, "VmSize").split()[0]) * 1024 + (24 << 20)
        subprocess.run(["prlimit", f"--pid={box.pid}", f"--as={limit}:{limit}"], check=True)
        for _ in range(3):
            with contextlib.suppress(DBusError):
                outcome = box.bus.exec(box.payload("pattern", 60 << 20), LogMaxBytes=128 << 20, OutputMaxBytes=16 << 20)
                self.assertEqual(outcome.details["StdoutBytes"], 60 << 20)
            self.assertEqual(box.bus.exec(["echo", "hi"]).stdout, b"hi\n")
        with contextlib.suppress(DBusError, Disconnected):
            box.connect().exec(["cat"], StandardInput="data", StandardInputData=b"x" * (30 << 20))
        with box.connect() as other:
            self.assertEqual(other.sh("exit 3").exit_code, 3)
        self.assertEqual(box.stop(), 0)


class TestMurder(BoxCase):

    def test_leader_from_inside_and_from_the_host(self):
        job = self.bus.start(["sleep", "1000"])
        self.bus.sh(f"kill -9 {job.pid}")
        self.assertEqual(self.bus.wait(job.id)[1]["Signal"], 9)
        job = self.bus.start(["sleep", "1000"])
        os.kill(self.reeve.host_pid(job.pid), signal.SIGKILL)
        details = self.bus.wait(job.id)[1]
        self.assertEqual((details["Signal"], details["ExitCode"], details["Result"]), (9, -1, "signal"))

    def test_child(self):
        job = self.bus.start_sh("sleep 1000 & echo $!; wait $!; exit $?")
        child = int(self.bus.wait_for_output(job.id, b"\n"))
        self.bus.sh(f"kill -9 {child}")
        details = self.bus.wait(job.id)[1]
        self.assertEqual((details["ExitCode"], details["Signal"], details["Result"]), (137, 0, "exit-code"))

    def test_everything_inside(self):
        """By a visitor; kill(-1) spares only PID 1 and the one that calls it."""
        jobs = [self.bus.start(self.reeve.payload(*payload)) for payload in
                (("deaf",), ("tree", 5), ("runaway", 1, 2), ("flood",))] + [self.bus.start(["sleep", "1000"])]
        pending = self.bus.exec_later(["sleep", "1000"], Id="pending")
        self.bus.wait_manager_signal("JobNew", "pending")
        self.assertEqual(self.reeve.run_inside(self.reeve.payload("kill-all", 9)).returncode, 0)
        for job in jobs:
            if job is not jobs[2]:      # a link of that chain may have been born meanwhile
                details = self.bus.wait(job.id, "Finished")[1]
                self.assertEqual((details["Signal"], details["Result"]), (9, "signal"))
        self.assert_outcome(pending.result(), "signal", signal=9)
        self.assertEqual(self.bus.wait(jobs[2].id, "Exited")[1]["Signal"], 9)
        self.assertEqual(self.bus.sh("exit 3").exit_code, 3)

    def test_everything_by_a_job(self):
        job = self.bus.start(["sleep", "1000"])
        self.assert_outcome(self.bus.exec(self.reeve.payload("kill-all", 9)), "success")
        self.assertEqual(self.bus.wait(job.id)[1]["Signal"], 9)

    def test_group_and_session_games(self):
        """A child that joins another process group of another job's, in vain."""
        other = self.bus.start(["sleep", "1000"])
        outcome = self.bus.sh("sleep 1000 & exec sh -c 'kill -9 0'")
        self.assert_outcome(outcome, "signal", signal=9)
        self.assertEqual(self.bus.property("State", other.id), "running")

    def test_leader_that_moves_out_of_its_scope(self):
        """Root may; it is told apart all the same."""
        outcome = self.bus.sh("echo 0 >/sys/fs/cgroup/init.scope/cgroup.procs && exit 5")
        self.assert_outcome(outcome, "exit-code", 5)
        self.bus.wait(outcome.id, "Finished")

    def test_cgroups_within_the_scope(self):
        """A container engine in the sandbox makes cgroups of its own; they go with the job."""
        script = ("d=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup); mkdir -p $d/a/b $d/c; "
                  "sh -c \"echo 0 >$d/a/b/cgroup.procs; exec setsid sleep 1000\" & "
                  "sh -c \"echo 0 >$d/c/cgroup.procs; echo ready; exec sleep 1000\" & wait")
        job = self.bus.start_sh(script)
        self.bus.wait_for_output(job.id, b"ready")
        eventually(lambda: len(self.reeve.processes()) == 3, 5, "all are there")
        _, pids, remaining = self.bus.stop({"Id": job.id})
        self.assertEqual((len(pids), remaining), (3, 0))
        eventually(lambda: not self.reeve.scopes(), 5, lambda: f"the scope is removed: {self.reeve.scopes()}")

    def test_empty_cgroups_left_within_the_scope(self):
        script = "mkdir -p /sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/left/over; exit 4"
        outcome = self.bus.sh(script)
        self.assertEqual(outcome.exit_code, 4)
        self.bus.wait(outcome.id, "Finished")
        eventually(lambda: not self.reeve.scopes(), 5, lambda: f"the scope is removed: {self.reeve.scopes()}")

    def test_frozen_by_somebody(self):
        job = self.bus.start(["sleep", "1000"])
        with open(f"{self.reeve.box}{self.bus.property('ControlGroup', job.id)}/cgroup.freeze", "w", encoding="utf-8") as f:
            f.write("1")
        with Stopwatch() as watch:
            self.assertEqual(self.bus.stop({"Id": job.id}, TimeoutStopUSec=500 * MSEC)[2], 0)
        self.assertLess(watch.seconds, 10)

    def test_traced_leader(self):
        """A debugger holds it; its end is told nevertheless."""
        job = self.bus.start(["sleep", "1000"])
        tracer = subprocess.Popen(["strace", "-o", "/dev/null", "-p", str(self.reeve.host_pid(job.pid))],
                                  stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: proc_status(self.reeve.host_pid(job.pid), "TracerPid") == str(tracer.pid), 5, "it is traced")
            self.assertEqual(self.bus.stop({"Id": job.id}, TimeoutStopUSec=2 * SEC)[2], 0)
        finally:
            tracer.kill()
            tracer.wait()
        self.assertIn(self.bus.property("Signal", job.id), (9, 15))


class TestBadBeginnings(FreshCase):

    def check(self, box):
        outcome = box.bus.exec(["cat", "/proc/self/status"])
        status = dict(line.split(":\t", 1) for line in outcome.stdout.decode().splitlines() if ":\t" in line)
        self.assertEqual([int(status[key], 16) for key in ("SigBlk", "SigIgn")], [0, 0])
        self.assertEqual(box.bus.exec(box.payload("fds")).stdout, b"0 1 2 \n")
        outcome = box.bus.sh("echo out; echo err >&2; exit 7")
        self.assertEqual((outcome.exit_code, outcome.stdout, outcome.stderr), (7, b"out\n", b"err\n"))
        done = box.bus.exec(box.payload("orphans", 100))
        box.bus.wait(done.id)
        eventually(lambda: not box.processes(), 5, "all are reaped")
        for fd in range(3):
            self.assertTrue(os.path.lexists(f"/proc/{box.pid}/fd/{fd}"), f"descriptor {fd} of PID 1 is closed")
        self.assertEqual(box.stop(), 0)

    def test_closed_stdio(self):
        self.check(self.box(command="{reeve} {args} <&- >&- 2>&-"))

    def test_some_closed(self):
        self.check(self.box(command="{reeve} {args} <&-"))
        self.check(self.box(command="{reeve} {args} >&-"))

    def test_blocked_signals(self):
        self.check(self.box(command="{payload} inherit 1 0 0 {reeve} {args}"))

    def test_ignored_signals(self):
        self.check(self.box(command="{payload} inherit 0 1 0 {reeve} {args}"))

    def test_stray_descriptors(self):
        self.check(self.box(command="{payload} inherit 0 0 50 {reeve} {args}"))

    def test_everything_at_once(self):
        self.check(self.box(command="{payload} inherit 1 1 60 {reeve} {args} <&- >&- 2>&-"))

    def test_log_that_cannot_be_written(self):
        self.check(self.box(command="{reeve} {args} 2</dev/null"))

    def test_main_job_of_a_careless_parent(self):
        box = self.box("--", "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status", wait=False, stdout=subprocess.PIPE,
                       command="{payload} inherit 1 1 50 {reeve} {args}")
        out = box.process.communicate(timeout=30)[0]
        self.assertEqual([int(word, 16) for word in out.split()[1::2]], [0, 0])

    def test_broken_log(self):
        """stderr is a pipe whose reader is gone: EPIPE, and SIGPIPE if one lets it."""
        reader, writer = os.pipe()
        box = self.box("--log-level=debug", stderr=writer)
        os.close(writer)
        os.close(reader)
        for i in range(50):
            self.assertEqual(box.bus.sh(f"exit {i}").exit_code, i)
        self.assertEqual(box.stop(), 0)

    def test_full_log(self):
        """stderr is a pipe that nobody reads: a write to it must not block PID 1."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        os.set_blocking(writer, False)
        box = self.box("--log-level=debug", stderr=writer)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        os.set_blocking(writer, True)
        os.close(writer)
        for i in range(50):
            self.assertEqual(box.bus.sh(f"exit {i}").exit_code, i)
        self.assertEqual(box.stop(), 0)


class TestSigpipe(BoxCase):

    def test_peers_that_go_in_the_middle_of_an_answer(self):
        """A reply of 4 MiB to a closed socket."""
        outcome = self.bus.exec(["head", "-c", str(4 << 20), "/dev/zero"], LogMaxBytes=16 << 20)
        for _ in range(30):
            other = self.reeve.connect()
            other.send(f"/org/reeve1/job/{outcome.id}", "org.reeve1.Job", "GetOutput", "a{sv}", {"MaxBytes": ("t", 4 << 20)})
            other.close()
        self.bus.ping()

    def test_signal_from_the_host(self):
        for _ in range(100):
            self.reeve.signal(signal.SIGPIPE)
        self.assertEqual(self.bus.sh("exit 3").exit_code, 3)

    def test_a_command_that_does_not_read_its_input(self):
        for _ in range(30):
            outcome = self.bus.sh("exec <&-; exit 3", StandardInput="data", StandardInputData=b"x" * 1000000)
            self.assertEqual(outcome.exit_code, 3)

    def test_pipes_of_jobs_die_of_sigpipe(self):
        """Its disposition is the default again in a job."""
        outcome = self.bus.exec(["bash", "-c", "yes | head -1; echo ${PIPESTATUS[0]}"])
        self.assertEqual(outcome.stdout, b"y\n141\n")


class TestForgedOrders(BoxCase):

    # rt_sigqueueinfo(2): the sender is what the sender says, here somebody outside of the PID namespace.
    FORGERY = "import ctypes, struct; i = ctypes.create_string_buffer(struct.pack('iiiiii', 15, 0, -1, 0, 0, 0), 128); " \
              "raise SystemExit(ctypes.CDLL(None).syscall(129, 1, 15, i))"

    @unittest.skipUnless(platform.machine() == "x86_64", "the system call's number is that of x86-64")
    def test_by_a_queued_signal(self):
        before = self.reeve.log().count("no order, ignored")
        outcome = self.bus.exec(["/usr/bin/python3", "-c", self.FORGERY])
        self.assertEqual(outcome.exit_code, 0, outcome)
        eventually(lambda: self.reeve.log().count("no order, ignored") > before, 30, "it was noted")
        self.assertEqual(self.bus.property("State"), "running")
