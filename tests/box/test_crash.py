"""Faults of PID 1 itself: it says where it was, stops what runs within the limit, reaps meanwhile, and leaves with 70."""

import ctypes
import os
import platform
import re
import signal
import subprocess
import unittest

from case import FreshCase, Stopwatch
from client import Disconnected
from rig import eventually, proc_status, read_file, reeve_binary, sanitized

STATUS = 70
SIGNALS = ("SEGV", "ABRT", "BUS", "FPE", "ILL", "TRAP", "SYS")
# "NAME file": says its farewell there when it is told to end.
POLITE = "trap 'echo {name} >>{shared}/{name}; exit 0' TERM; echo ready; while :; do sleep 0.02; done"

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.restype = ctypes.c_long
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 12, 13, 17, 0x4206, 0x4207
ORIG_RAX, RIP, RSP = 15, 16, 19      # in struct user_regs_struct


def ptrace(request, pid, data=None):
    if LIBC.ptrace(request, pid, None, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request}")


def jump(pid, stack=None):
    """The process goes on at 0, where nothing is: a fault of its own."""
    regs = (ctypes.c_ulonglong * 27)()
    ptrace(PTRACE_SEIZE, pid)
    ptrace(PTRACE_INTERRUPT, pid)
    os.waitpid(pid, 0x40000000)     # __WALL
    ptrace(PTRACE_GETREGS, pid, ctypes.byref(regs))
    regs[RIP] = 0
    if stack is not None:
        regs[RSP] = stack
    regs[ORIG_RAX] = 2**64 - 1      # no system call is to be begun anew
    ptrace(PTRACE_SETREGS, pid, ctypes.byref(regs))
    ptrace(PTRACE_DETACH, pid)


@unittest.skipIf(sanitized(), "the sanitizer has handlers of its own")
class CrashCase(FreshCase):

    def polite(self, box, name, wrapper=""):
        """A job that says its farewell."""
        script = POLITE.format(name=name, shared=box.shared)
        job = box.bus.start(["sh", "-c", f"{wrapper} sh -c \"{script}\"" if wrapper else script])
        box.bus.wait_for_output(job.id, b"ready")
        return job

    def deaf(self, box, *verb):
        job = box.bus.start(box.payload(*(verb or ("deaf",))))
        box.bus.wait_for_output(job.id, b"ready")
        return job

    def assert_nobody_left(self, box):
        """The empty cgroups go with the container."""
        def left():
            return [pid for folder, _, _ in os.walk(box.box) for pid in read_file(f"{folder}/cgroup.procs", "").split()]
        eventually(lambda: not left(), 10, lambda: f"nobody is left: {box.describe(left())}")

    def said(self, box, name):
        return read_file(f"{box.shared}/{name}", "")

    def crash(self, box):
        """And wait until it is known that it is one."""
        box.signal(signal.SIGSEGV)
        eventually(lambda: "stopping all that runs" in box.log(), 20, lambda: f"it says so: {box.log()}")


class TestSent(CrashCase):
    """From outside of the PID namespace, as by kill(1) on the host."""

    def test_each_signal(self):
        for name in SIGNALS:
            with self.subTest(name):
                box = self.box("--stop-timeout=60s")
                self.polite(box, "one")
                self.polite(box, "two")
                box.signal(getattr(signal, f"SIG{name}"))
                self.assertEqual(box.wait_exit(30), STATUS)     # not after 45 s
                self.assertEqual((self.said(box, "one"), self.said(box, "two")), ("one\n", "two\n"))
                self.assertIn(f"reeve: Crash: SIG{name} sent by process 0, from outside\n", box.log())
                self.assertNotIn("killing", box.log())
                self.assert_nobody_left(box)

    def test_nothing_runs(self):
        box = self.box("--stop-timeout=60s")
        box.signal(signal.SIGSEGV)
        self.assertEqual(box.wait_exit(30), STATUS)

    def test_main_job(self):
        """The status is not that of the main job, which ends in the course of it."""
        box = self.box("--stop-timeout=60s", "--remap-exit=70=3", "--", "sh", "-c",
                       "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.02; done", stdout=subprocess.PIPE)
        self.assertEqual(box.process.stdout.readline(), b"ready\n")
        box.signal(signal.SIGSEGV)
        self.assertEqual(box.wait_exit(30), STATUS)
        self.assertEqual(box.process.stdout.read(), b"bye\n")
        box.process.stdout.close()

    def test_it_says_which_build(self):
        box = self.box()
        box.signal(signal.SIGBUS)
        self.assertEqual(box.wait_exit(30), STATUS)
        notes = subprocess.run(["readelf", "-n", reeve_binary()], capture_output=True, text=True, check=True).stdout
        build_id = re.search(r"Build ID: ([0-9a-f]+)", notes)[1]
        self.assertRegex(box.log(), rf"reeve:     version \d+\.\d+\.\d+, build id {build_id}\n")

    def test_stopped_jobs_hear_of_it(self):
        box = self.box("--stop-timeout=60s")
        job = self.polite(box, "one")
        box.bus.kill(signal.SIGSTOP, whom="main", Id=job.id)    # not its child, for whose exec it may be waiting
        pid = box.host_pid(box.bus.property("PID", job.id))
        eventually(lambda: proc_status(pid, "State", "").startswith("T"), 10, "it stands still")
        box.signal(signal.SIGSEGV)
        self.assertEqual(box.wait_exit(30), STATUS)
        self.assertEqual(self.said(box, "one"), "one\n")


class TestStopping(CrashCase):

    def test_what_does_not_end_is_killed_in_time(self):
        box = self.box("--stop-timeout=2s")
        self.polite(box, "one")
        self.deaf(box)
        with Stopwatch() as watch:
            box.signal(signal.SIGSEGV)
            self.assertEqual(box.wait_exit(30), STATUS)
        self.assertGreaterEqual(watch.seconds, 1.4)     # three quarters
        self.assertEqual(self.said(box, "one"), "one\n")
        self.assertIn("reeve:     killing what is left\n", box.log())
        self.assert_nobody_left(box)

    def test_who_has_called_setsid(self):
        """Is told like the others, and killed like the others."""
        box = self.box("--stop-timeout=2s")
        self.polite(box, "away", wrapper="setsid --fork")
        outcome = box.bus.exec(box.payload("hold", "ignore", 1000000))
        self.assertEqual(outcome.result, "success")
        box.signal(signal.SIGSEGV)
        self.assertEqual(box.wait_exit(30), STATUS)
        self.assertEqual(self.said(box, "away"), "away\n")
        self.assert_nobody_left(box)

    def test_orphans_are_reaped_meanwhile(self):
        box = self.box("--stop-timeout=600s")
        self.deaf(box)
        script = f"trap '{box.shared}/bin/payload orphans 50; echo x >{box.shared}/done; exit 0' TERM; echo ready; " \
                 "while :; do sleep 0.02; done"
        box.bus.wait_for_output(box.bus.start(["sh", "-c", script]).id, b"ready")
        before = len(box.processes())
        self.crash(box)
        eventually(lambda: self.said(box, "done"), 20, "the orphans were made")
        eventually(lambda: len(box.processes()) < before and not box.zombies(), 20,
                   lambda: f"no zombie is left: {box.describe(box.processes())}")
        self.assertTrue(box.alive())
        box.signal(signal.SIGTERM)
        self.assertEqual(box.wait_exit(30), STATUS)

    def test_a_farewell_that_is_longer_than_a_pipe(self):
        """Nobody wants it any more, but nobody is to wait for that either. On a terminal, too."""
        box = self.box("--stop-timeout=600s")
        for name, options in (("pipe", {}), ("terminal", {"TTY": True})):
            script = f"trap 'head -c 1000000 /dev/zero; echo x >{box.shared}/{name}; exit 0' TERM; echo ready; " \
                     "while :; do sleep 0.02; done"
            box.bus.wait_for_output(box.bus.start(["sh", "-c", script], **options).id, b"ready")
        box.signal(signal.SIGSEGV)
        self.assertEqual(box.wait_exit(60), STATUS)
        self.assertEqual((self.said(box, "pipe"), self.said(box, "terminal")), ("x\n", "x\n"))

    def test_callers_learn_at_once(self):
        box = self.box("--stop-timeout=600s")
        self.deaf(box)
        pending = box.bus.exec_later(["sleep", "1000"])
        box.bus.ping()
        self.crash(box)
        with self.assertRaises(Disconnected):
            pending.result()
        self.assertTrue(box.alive())
        box.signal(signal.SIGTERM)
        self.assertEqual(box.wait_exit(30), STATUS)

    def test_an_order_to_stop_kills(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGSEGV):
            box = self.box("--stop-timeout=600s")
            self.deaf(box)
            self.crash(box)
            box.signal(number)
            self.assertEqual(box.wait_exit(30), STATUS)
            self.assert_nobody_left(box)

    def test_jobs_cannot_hurry_it(self):
        box = self.box("--stop-timeout=600s")
        self.deaf(box)
        script = f"trap 'kill -TERM 1; kill -SEGV 1; echo x >{box.shared}/done' TERM; echo ready; while :; do sleep 0.02; done"
        job = box.bus.start(["sh", "-c", script])
        box.bus.wait_for_output(job.id, b"ready")
        self.crash(box)
        eventually(lambda: self.said(box, "done"), 20, "it has tried")
        eventually(lambda: "SIGSEGV from process" in box.log(), 20, "and that was noted")
        self.assertNotIn("killing", box.log())
        self.assertTrue(box.alive())
        box.signal(signal.SIGTERM)
        self.assertEqual(box.wait_exit(30), STATUS)

    def test_stop_under_way(self):
        """A crash while it stops: what was told already is waited for."""
        box = self.box("--stop-timeout=600s")
        self.deaf(box)
        box.signal(signal.SIGTERM)
        eventually(lambda: box.bus.property("State") == "stopping", 20, "it is stopping")
        self.crash(box)
        self.assertTrue(box.alive())
        box.signal(signal.SIGTERM)
        self.assertEqual(box.wait_exit(30), STATUS)


@unittest.skipUnless(platform.machine() == "x86_64", "the registers are those of x86-64")
class TestFault(CrashCase):
    """Nobody sent it: PID 1 goes where nothing is."""

    def test_fault(self):
        box = self.box("--stop-timeout=60s")
        self.polite(box, "one")
        jump(box.pid)
        self.assertEqual(box.wait_exit(30), STATUS)
        self.assertEqual(self.said(box, "one"), "one\n")
        self.assertIn("reeve: Crash: SIGSEGV (code 1) at the address 0x0\n", box.log())
        self.assertIn("reeve:     at 0x0\n", box.log())
        self.assert_nobody_left(box)

    def test_the_way_back_can_be_looked_up(self):
        box = self.box()
        jump(box.pid)
        self.assertEqual(box.wait_exit(30), STATUS)
        addresses = re.findall(r"from reeve\+(0x[0-9a-f]+)\n", box.log())
        names = subprocess.run(["addr2line", "-f", "-e", reeve_binary(), *addresses], capture_output=True, text=True,
                               check=True).stdout.splitlines()[::2]
        self.assertTrue({"manager_run", "run", "main"} & set(names), (names, box.log()))
        self.assertIn("libsystemd", box.log())

    def test_a_second_fault_ends_it(self):
        box = self.box("--stop-timeout=600s")
        self.deaf(box)
        self.crash(box)
        jump(box.pid)
        self.assertEqual(box.wait_exit(30), STATUS)
        self.assert_nobody_left(box)

    def test_a_stack_that_cannot_be_read(self):
        """The trace ends where it faults; everything else goes on."""
        box = self.box("--stop-timeout=60s")
        self.polite(box, "one")
        jump(box.pid, stack=4096)
        self.assertEqual(box.wait_exit(30), STATUS)
        self.assertEqual(self.said(box, "one"), "one\n")
        self.assertIn("stopping all that runs", box.log())


class TestFromInside(CrashCase):
    """A signal that the kernel would have kept from PID 1 is no order for it either."""

    # A process that names its sender itself, and one that has the kernel send it for a descriptor.
    QUEUE = "import ctypes, struct, sys; n = int(sys.argv[1]); " \
            "i = ctypes.create_string_buffer(struct.pack('iiiiii', n, 0, -1, 0, 0, 0), 128); " \
            "sys.exit(ctypes.CDLL(None).syscall(129, 1, n, i))"
    SETSIG = "import fcntl, os, socket, sys, time; a, b = socket.socketpair(); fcntl.fcntl(a, 8, 1); " \
             "fcntl.fcntl(a, 10, int(sys.argv[1])); fcntl.fcntl(a, 4, os.O_ASYNC); b.send(b'x'); time.sleep(0.01)"

    def test_by_kill(self):
        box = self.box()
        for name in SIGNALS:
            for run in (lambda script: box.bus.sh(script).exit_code,
                        lambda script: box.run_inside(["sh", "-c", script]).returncode):
                before = box.log().count(f"reeve: SIG{name} from process ")
                self.assertEqual(run(f"kill -{name} 1"), 0)
                eventually(lambda: box.log().count(f"reeve: SIG{name} from process ") > before, 20, f"{name} was noted")
        self.assertEqual(box.bus.exec(["true"]).exit_code, 0)
        self.assertNotIn("Crash", box.log())
        self.assertEqual(box.stop(), 0)

    def test_by_the_main_job(self):
        """Whose signals are orders; and so are those of who is beside reeve, as podman exec is."""
        box = self.box("--", "sh", "-c", "trap 'echo told; exit 7' TERM; kill -SEGV 1; while :; do sleep 0.1; done", wait=False)
        self.assertEqual(box.wait_exit(30), STATUS)
        self.assertIn("Crash: SIGSEGV", box.log())

    def test_by_who_is_beside_it(self):
        box = self.box()
        # It lives on until PID 1 has seen where it is.
        box.run_inside(["sh", "-c", "echo $$ >/sys/fs/cgroup/init.scope/cgroup.procs && kill -SEGV 1; exec sleep 1000"])
        self.assertEqual(box.wait_exit(30), STATUS)
        self.assertIn("Crash: SIGSEGV", box.log())

    @unittest.skipUnless(platform.machine() == "x86_64", "the system calls' numbers are those of x86-64")
    def test_by_who_hides(self):
        box = self.box()
        for script in (self.QUEUE, self.SETSIG):
            for name in SIGNALS:
                with self.subTest(name):
                    number = int(getattr(signal, f"SIG{name}"))
                    before = box.log().count(f"reeve: SIG{name} from process ")
                    outcome = box.bus.exec(["/usr/bin/python3", "-c", script, str(number)])
                    self.assertEqual(outcome.exit_code, 0, outcome)
                    eventually(lambda: box.log().count(f"reeve: SIG{name} from process ") > before, 20,
                               lambda: f"{name} was noted: {box.log()}")
        self.assertNotIn("Crash", box.log())
        self.assertEqual(box.stop(), 0)

    def test_as_fast_as_can_be(self):
        box = self.box()
        script = "i=0; while [ $i -lt 3000 ]; do kill -SEGV 1; kill -BUS 1; kill -ABRT 1; i=$((i+1)); done"
        jobs = [box.bus.exec_later(["sh", "-c", script]) for _ in range(3)]
        for _ in range(50):
            self.assertEqual(box.bus.exec(["true"]).exit_code, 0)
        for job in jobs:
            self.assertEqual(job.result().exit_code, 0)
        self.assertEqual(box.stop(), 0)

    def test_jobs_have_none_of_it(self):
        box = self.box()
        for name in SIGNALS:
            outcome = box.bus.sh(f"ulimit -c 0; kill -{name} $$")
            self.assert_outcome(outcome, "signal", signal=int(getattr(signal, f"SIG{name}")))
        self.assertNotIn("Crash", box.log())


class TestNotPid1(CrashCase):

    def test_its_own_alone(self):
        """And not everybody else of the machine."""
        with subprocess.Popen(["sleep", "1000"]) as stranger:
            try:
                box = self.box("--stop-timeout=60s", pid_namespace=False)
                self.polite(box, "one")
                self.polite(box, "away", wrapper="setsid --fork")
                box.signal(signal.SIGSEGV)
                self.assertEqual(box.wait_exit(30), STATUS)
                self.assertEqual((self.said(box, "one"), self.said(box, "away")), ("one\n", "away\n"))
                self.assertIsNone(stranger.poll())
            finally:
                stranger.kill()

    def test_what_does_not_end(self):
        box = self.box("--stop-timeout=2s", pid_namespace=False)
        self.deaf(box)
        box.bus.exec(box.payload("hold", "ignore", 1000000))
        box.signal(signal.SIGSEGV)
        self.assertEqual(box.wait_exit(30), STATUS)
        self.assert_nobody_left(box)
