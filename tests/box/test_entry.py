"""reeve as a container's ENTRYPOINT: the main job, exit status, signals from outside, the end in order."""

import os
import pty
import re
import signal
import subprocess
import time

from case import FreshCase, Stopwatch
from client import DBusError, ERROR, MANAGER, MSEC, ROOT, SEC, Disconnected
from rig import eventually, read_file, socket_mode

PIPE = subprocess.PIPE


class TestMain(FreshCase):

    def run_main(self, *argv, input=b"", args=(), **options):
        """reeve -- ARGV to its end: status, stdout, stderr."""
        box = self.box(*args, "--", *argv, wait=False, stdin=PIPE, stdout=PIPE, stderr=PIPE, **options)
        out, err = box.process.communicate(input, timeout=20)
        return box.process.returncode, out, err

    def test_status_is_the_commands(self):
        for code in (0, 1, 7, 137, 255):
            self.assertEqual(self.run_main("sh", "-c", f"exit {code}")[0], code)

    def test_status_of_a_signal(self):
        for number in (1, 2, 9, 15, 34, 64):
            self.assertEqual(self.run_main("sh", "-c", f"kill -{number} $$; sleep 5")[0], 128 + number)

    def test_remapped_status(self):
        args = ("--remap-exit=143=0", "--remap-exit=3=4", "--remap-exit=4=5", "--remap-exit=0=255")
        for command, status in (("kill -15 $$", 0), ("exit 143", 0), ("exit 3", 4), ("exit 4", 5), ("exit 0", 255), ("exit 6", 6),
                                ("kill -9 $$", 137)):
            self.assertEqual(self.run_main("sh", "-c", command, args=args)[0], status, command)
        self.assertEqual(self.run_main("no-such-command", args=("--remap-exit=127=0",))[0], 127)    # that is reeve's own

    def test_signals_to_the_group(self):
        script = ("trap 'echo parent' USR1; sh -c 'trap \"echo child; exit 3\" USR1; echo ready; while :; do sleep 0.05; done'; "
                  "echo $?; exit 7")
        for args, lines in ((("-g",), [b"child", b"3", b"parent"]), (("--signal-group",), [b"child", b"3", b"parent"]), ((), [])):
            with self.subTest(args=args):
                box = self.box(*args, "--", "bash", "-c", script, stdout=PIPE)
                self.assertEqual(box.process.stdout.readline(), b"ready\n")
                box.signal(signal.SIGUSR1)
                if lines:
                    self.assertEqual(box.wait_exit(), 7)
                else:   # the child goes on, and the shell waits for it until it is told to end
                    box.bus.ping()
                    box.signal(signal.SIGTERM)
                    box.wait_exit()
                self.assertEqual(sorted(box.process.stdout.read().split()), sorted(lines))
                box.process.stdout.close()

    def test_options_of_others(self):
        """tini -sgvv -- COMMAND."""
        status, out, err = self.run_main("echo", "hi", args=("-sgvv",))
        self.assertEqual((status, out), (0, b"hi\n"))

    def test_not_found_and_not_executable(self):
        status, _, err = self.run_main("no-such-command")
        self.assertEqual(status, 127)
        self.assertIn(b"no-such-command", err)
        for command in ("/nonexistent/x", "./x"):
            self.assertEqual(self.run_main(command)[0], 127)
        for command in ("/etc/passwd", "/usr"):
            status, _, err = self.run_main(command)
            self.assertEqual(status, 126)
            self.assertIn(command.encode(), err)

    def test_stdio_is_the_containers(self):
        status, out, err = self.run_main("sh", "-c", "cat; echo err >&2; exit 3", input=b"in\0put\n")
        self.assertEqual((status, out), (3, b"in\0put\n"))
        self.assertIn(b"err\n", err)

    def test_stdio_directly(self):
        """The very files, not copies through pipes."""
        status, out, _ = self.run_main("sh", "-c", "readlink /proc/self/fd/1; readlink /proc/1/fd/1")
        first, second = out.split()
        self.assertEqual((status, first), (0, second))

    def test_much_output(self):
        status, out, _ = self.run_main("head", "-c", "20000000", "/dev/zero")
        self.assertEqual((status, len(out)), (0, 20000000))

    def test_exact_arguments(self):
        box = self.box("--", "/usr/bin/printf", "%s|", "a b", "", "--help", "$x", "\n", wait=False, stdout=PIPE)
        self.assertEqual(box.process.communicate(timeout=30)[0], b"a b||--help|$x|\n|")

    def test_command_without_dashes(self):
        self.assertEqual(self.run_main("-c", "exit 4", command="{reeve} --no-bus sh -c 'exit 4'")[0], 4)

    def test_environment_and_directory(self):
        status, out, _ = self.run_main("sh", "-c", "pwd; echo $A; echo $NOTIFY_SOCKET; echo $REEVE_JOB $REEVE_SESSION",
                                       cwd="/usr", env={"A": "b c", "PATH": "/bin:/usr/bin", "NOTIFY_SOCKET": "@nix"})
        self.assertEqual((status, out), (0, b"/usr\nb c\n\nmain system\n"))

    def test_signals_and_descriptors(self):
        status, out, _ = self.run_main("grep", "-E", "Sig(Blk|Ign)", "/proc/self/status")
        self.assertEqual((status, [int(word, 16) for word in out.split()[1::2]]), (0, [0, 0]))
        box = self.box("--", "/bin/sh", "-c", "ls /proc/$$/fd", wait=False, stdout=PIPE)
        # 3 is the folder that ls reads, or the shell's own; of reeve's there is none.
        self.assertTrue(set(box.process.communicate(timeout=30)[0].split()) <= {b"0", b"1", b"2", b"3"})

    def test_it_is_a_job(self):
        box = self.box("--", "sleep", "1000")
        p = box.bus.properties("main")
        self.assertEqual((p["Session"], p["Command"], p["State"]), ("system", ["sleep", "1000"], "running"))
        self.assertTrue(p["ControlGroup"].endswith("/system.slice/main.scope"))

    def test_the_container_ends_with_it(self):
        """Whatever else runs, and however deaf, is ended; the status is still its own."""
        box = self.box("--stop-timeout=1s", "--", "sh", "-c", "trap 'exit 5' USR1; while :; do sleep 0.05; done")
        for _ in range(3):
            job = box.bus.start(box.payload("deaf"), TimeoutStopUSec=60 * SEC)
            box.bus.wait_for_output(job.id, b"ready")
        box.bus.exec(box.payload("hold", "setsid", 100000))
        with Stopwatch() as watch:
            box.bus.kill(signal.SIGUSR1, whom="main", Id="main")
            self.assertEqual(box.wait_exit(), 5)
        self.assertLess(watch.seconds, 10)
        box.no_leftovers()

    def test_its_own_children_do_not_keep_it(self):
        with Stopwatch() as watch:
            status = self.run_main("sh", "-c", "sleep 1000 >/dev/null 2>&1 & exit 6")[0]
        self.assertEqual(status, 6)
        self.assertLess(watch.seconds, 20)

    def test_term_and_int_reach_it_as_what_they_are(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            box = self.box("--", "sh", "-c", "trap 'echo term; exit 11' TERM; trap 'echo int; exit 12' INT; echo ready; "
                           "while :; do sleep 0.05; done", stdout=PIPE)
            self.assertEqual(box.process.stdout.readline(), b"ready\n")
            box.signal(number)
            self.assertEqual(box.wait_exit(), 11 if number == signal.SIGTERM else 12)
            self.assertEqual(box.process.stdout.read(), b"term\n" if number == signal.SIGTERM else b"int\n")
            box.process.stdout.close()

    def test_killed_by_term(self):
        box = self.box("--", "sleep", "1000")
        box.signal(signal.SIGTERM)
        self.assertEqual(box.wait_exit(), 143)

    def test_others_hear_of_the_end_too(self):
        box = self.box("--", "sleep", "1000")
        pending = box.bus.exec_later(box.payload("on-term", 3), Id="other")
        box.bus.wait_manager_signal("JobNew", "other")
        box.bus.wait_for_output("other", b"ready")
        box.signal(signal.SIGTERM)
        self.assert_outcome(pending.result(), "exit-code", 3)
        self.assertEqual(box.wait_exit(), 143)

    def test_deaf_main(self):
        box = self.box("--stop-timeout=1s", "--", *self.deaf())
        eventually(lambda: "SigIgn" in self.status(box) and self.ignores(box), 5, "it has made itself deaf")
        with Stopwatch() as watch:
            box.signal(signal.SIGTERM)
            self.assertEqual(box.wait_exit(), 137)
        self.assert_between(0.5, watch.seconds, 10)

    @staticmethod
    def deaf():
        return ["sh", "-c", "trap '' TERM INT; while :; do sleep 0.1; done"]

    @staticmethod
    def status(box):
        pid = box.host_pid(box.bus.property("PID", "main"))
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            return f.read()

    def ignores(self, box):
        return int(re.search(r"SigIgn:\s*(\w+)", self.status(box)).group(1), 16) & 1 << 14

    def test_stop_of_main_is_a_shutdown(self):
        box = self.box("--", "sh", "-c", "trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done", stdout=PIPE)
        self.assertEqual(box.process.stdout.readline(), b"ready\n")
        box.process.stdout.close()
        ids, pids, remaining = box.bus.stop({"Id": "main"})
        self.assertEqual((ids, remaining), (["main"], 0))
        self.assertGreaterEqual(len(pids), 1)
        self.assertEqual(box.wait_exit(), 4)

    def test_no_bus(self):
        box = self.box("--no-bus", "--", "sh", "-c", "ls /run/reeve 2>/dev/null; exit 9", wait=False, address=None, stdout=PIPE)
        self.assertEqual((box.process.communicate(timeout=30)[0], box.process.returncode), (b"", 9))


class TestTerminal(FreshCase):
    """With a terminal, as docker run -t gives one."""

    def terminal(self, *argv):
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        box = self.box("--", *argv, wait=False, stdin=slave, stdout=slave, stderr=slave,
                       command="/usr/bin/setsid --ctty {reeve} {args}")
        os.close(slave)
        return box, master

    @staticmethod
    def read_until(master, needle):
        os.set_blocking(master, False)
        got = b""
        def more():
            nonlocal got
            try:
                got += os.read(master, 65536)
            except (BlockingIOError, OSError):
                pass
            return needle in got
        eventually(more, 10, lambda: f"{needle} appears on the terminal: {got}")
        return got

    def test_it_is_a_terminal(self):
        box, master = self.terminal("sh", "-c", "tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all; echo >/dev/tty ctty; exit 3")
        got = self.read_until(master, b"ctty")
        self.assertIn(b"/dev/pts/", got)
        self.assertIn(b"all\r\n", got)
        self.assertEqual(box.wait_exit(), 3)

    def test_control_c(self):
        box, master = self.terminal("sh", "-c", "trap 'echo int; exit 9' INT; echo ready; while :; do sleep 0.05; done")
        self.read_until(master, b"ready")
        os.write(master, b"\x03")
        got = self.read_until(master, b"int\r\n")
        self.assertEqual((box.wait_exit(), got.count(b"int\r\n")), (9, 1))

    def test_input(self):
        box, master = self.terminal("sh", "-c", "read line; echo got $line; exit 2")
        os.write(master, b"hello\n")
        self.read_until(master, b"got hello")
        self.assertEqual(box.wait_exit(), 2)

    def test_job_control_of_a_shell(self):
        """An interactive shell takes the terminal for its jobs, and gets it back."""
        box, master = self.terminal("bash", "--norc", "-i")
        os.write(master, b"sleep 1000\n")
        eventually(lambda: any("sleep" in read_file(f"/proc/{pid}/cmdline", "") for pid in box.processes()), 10,
                   "sleep runs")
        os.write(master, b"\x03")
        os.write(master, b"echo still-$((40+2))\n")
        self.read_until(master, b"still-42")
        os.write(master, b"exit 5\n")
        self.assertEqual(box.wait_exit(), 5)


class TestShutdown(FreshCase):

    def stubborn(self, *args, n=3):
        box = self.box(*args)
        for _ in range(n):
            job = box.bus.start(box.payload("deaf"), TimeoutStopUSec=100 * SEC)
            box.bus.wait_for_output(job.id, b"ready")
        box.bus.exec(box.payload("hold", "ignore", 1000000))
        return box

    def test_idle(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            box = self.box("--stop-timeout=60s")
            with Stopwatch() as watch:
                box.signal(number)
                self.assertEqual(box.wait_exit(), 0)
            self.assertLess(watch.seconds, 20)
            box.no_leftovers()

    def test_polite_jobs(self):
        box = self.box("--stop-timeout=60s")
        jobs = [box.bus.start(box.payload("on-term", 0)) for _ in range(5)]
        for job in jobs:
            box.bus.wait_for_output(job.id, b"ready")
        with Stopwatch() as watch:
            self.assertEqual(box.stop(), 0)
        self.assertLess(watch.seconds, 20)
        box.bus.thread.join(30)     # all that was sent has been read
        finished = [s.body for s in box.bus.signals if s.member == "JobFinished"]
        self.assertEqual(sorted(finished), sorted((job.id, "success") for job in jobs))

    def test_stubborn_jobs_within_8_seconds(self):
        """By default inside of the 10 s that docker gives; whatever TimeoutStopUSec they asked for."""
        box = self.stubborn()
        with Stopwatch() as watch:
            self.assertEqual(box.stop(), 0)
        self.assertLess(watch.seconds, 9.9)
        box.no_leftovers()

    def test_stop_timeout(self):
        box = self.stubborn("--stop-timeout=1s")
        with Stopwatch() as watch:
            self.assertEqual(box.stop(), 0)
        self.assertLess(watch.seconds, 5.5)     # by default it would have been 6
        box.no_leftovers()

    def test_a_second_signal_kills(self):
        box = self.stubborn("--stop-timeout=60s")
        with Stopwatch() as watch:
            box.signal(signal.SIGTERM)
            eventually(lambda: box.bus.property("State") == "stopping", 5, "it is stopping")
            box.signal(signal.SIGTERM)
            self.assertEqual(box.wait_exit(), 0)
        self.assertLess(watch.seconds, 20)
        box.no_leftovers()

    def test_runaways(self):
        box = self.box("--stop-timeout=4s")  # an eighth of it for the killing
        job = box.bus.start(box.payload("runaway", 8, 1))
        box.bus.wait_for_output(job.id, b"ready")
        with Stopwatch() as watch:
            self.assertEqual(box.stop(), 0)
        self.assertLess(watch.seconds, 30)
        box.no_leftovers()

    def test_new_work_is_refused_while_stopping(self):
        box = self.stubborn("--stop-timeout=3s")
        box.signal(signal.SIGTERM)
        eventually(lambda: box.bus.property("State") == "stopping", 5, "it is stopping")
        for call in (lambda: box.bus.exec(["true"]), lambda: box.bus.start(["true"])):
            self.assert_error(ERROR + "ShuttingDown", call=call)
        # What is there can still be asked for.
        self.assertEqual(len(box.bus.job_ids()), 4)
        box.bus.ping()
        self.assertEqual(box.wait_exit(), 0)

    def test_pending_calls_are_answered(self):
        box = self.box()
        job = box.bus.start(box.payload("on-term", 7), Id="there")
        box.bus.wait_for_output(job.id, b"ready")
        pending = box.bus.exec_later(["sleep", "1000"], Id="exec")
        box.bus.wait_manager_signal("JobNew", "exec")
        waiting = box.bus.wait_later(job.id, "Finished")
        box.bus.ping()
        box.signal(signal.SIGTERM)
        self.assert_outcome(pending.result(), "signal", signal=15)
        self.assertEqual(waiting.result()[0], "Finished")
        self.assertEqual(box.wait_exit(), 0)

    def test_a_peer_that_does_not_read_does_not_hold_it_up(self):
        box = self.box()
        # Nobody reads this connection any more: its thread is stuck in our own lock.
        deaf = box.connect()
        outcome = box.bus.exec(["head", "-c", "8000000", "/dev/zero"], LogMaxBytes=16 << 20)
        with deaf.lock:
            for _ in range(20):
                box.bus.exec(["true"])
            with Stopwatch() as watch:
                self.assertEqual(box.stop(), 0)
        self.assertLess(watch.seconds, 9.9)
        self.assert_outcome(outcome, "success")

    def test_method(self):
        for code in (0, 42, 255):
            box = self.box()
            box.bus.start(["sleep", "1000"])
            self.assertEqual(box.bus.manager("Shutdown", "si", "exit", code), ())
            self.assertEqual(box.wait_exit(), code)
            box.no_leftovers()

    def test_method_with_a_main_job(self):
        """exit_code also where there is a main job."""
        box = self.box("--", "sleep", "1000")
        box.bus.manager("Shutdown", "si", "exit", 33)
        self.assertEqual(box.wait_exit(), 33)

    def test_shutdown_while_jobs_start(self):
        """In the middle of a rush of starts: all are answered, one way or the other, and it ends."""
        box = self.box()
        pending = [box.bus.send(ROOT, MANAGER, "Start", "asa{sv}", ["sleep", "1000"], {}) for _ in range(200)]
        box.signal(signal.SIGTERM)
        for p in pending:
            try:
                p.result()
            except DBusError as e:
                self.assertIn(e.name, (ERROR + "ShuttingDown", ERROR + "StartFailed"))
            except Disconnected:
                pass    # it came after the end
        self.assertEqual(box.wait_exit(), 0)
        box.no_leftovers()

    def test_kill_from_inside_stops_nothing(self):
        """kill 1 in a sandbox is not an order; docker stop is."""
        box = self.box()
        for name in ("TERM", "INT", "KILL", "HUP", "USR1", "PIPE", "QUIT", "SEGV"):
            outcome = box.bus.sh(f"kill -{name} 1; sleep 0.02; kill -0 1")
            self.assert_outcome(outcome, "success", message=name)
            self.assertEqual(box.bus.property("State"), "running", name)
        self.assertEqual(box.stop(), 0)


class TestAddresses(FreshCase):

    def test_several(self):
        box = self.box("--address=unix:path=/run/second", "--address=unix:path=/run/deeper/folder/third")
        self.assertEqual(box.bus.exec(["true"]).exit_code, 0)
        for path in ("/run/second", "/run/deeper/folder/third"):
            done = box.run_inside(["busctl", f"--address=unix:path={path}", "call", "org.reeve1", ROOT,
                                   "org.freedesktop.DBus.Peer", "Ping"])
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_default(self):
        box = self.box(address=None, wait=False)
        path = f"/proc/{box.pid}/root/run/reeve"
        eventually(lambda: os.path.exists(f"{path}/bus"), 10, "the socket is there")
        eventually(lambda: box.run_inside(["busctl", "--address=unix:path=/run/reeve/bus", "get-property", "org.reeve1", ROOT,
                                           MANAGER, "State"]).stdout == b's "running"\n', 10, "it answers")
        self.assertEqual((socket_mode(path), socket_mode(f"{path}/bus")), (0o755, 0o600))
        self.assertEqual(box.stop(), 0)

    def test_a_stale_socket_is_replaced(self):
        """What a container that was killed left in its volume."""
        prepare = "/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"{shared}/bus\")'"
        box = self.box(prepare=prepare)
        self.assertEqual(box.bus.sh("exit 3").exit_code, 3)

    def test_bad_options(self):
        for args in (["--nonsense"], ["--address=garbage"], ["--address="], ["--max-finished=many"], ["--log-max=x"],
                     ["--stop-timeout=soon"], ["--log-level=loud"], ["--no-bus=1"], ["-x"],
                     ["--remap-exit=1"], ["--remap-exit=1=256"], ["--remap-exit=x=1"], ["--remap-exit=1="]):
            box = self.box(*args, address=None, wait=False)
            self.assertNotEqual(box.wait_exit(), 0, args)
            name, _, value = args[0].lstrip("-").partition("=")
            self.assertRegex(box.log(), re.escape(value) or name, args)

    def test_help_and_version(self):
        for args in (["--help"], ["--version"]):
            box = self.box(*args, address=None, wait=False, stdout=PIPE)
            out = box.process.communicate(timeout=30)[0].decode()
            self.assertEqual(box.process.returncode, 0)
            self.assertIn("reeve", out)
            self.assertLessEqual(max(len(line) for line in out.splitlines()), 80)


class TestIdle(FreshCase):

    def check(self, box):
        """No wakeup in two seconds. It may take a moment until all that was started has come to rest."""
        def quiet():
            before = box.wakeups()
            time.sleep(2)       # the measure itself, not a wait for something
            return box.wakeups() == before
        eventually(quiet, 8, lambda: f"no wakeups: {box.wakeups()} by now")

    def test_nothing_to_do(self):
        box = self.box()
        self.check(box)
        self.assert_memory(0, 8 << 20, box)

    def test_jobs_and_clients_that_are_idle(self):
        box = self.box()
        jobs = [box.bus.start(["sleep", "1000"], RuntimeMaxUSec=10 ** 10) for _ in range(20)]
        for _ in range(20):
            box.bus.sh("echo done; exit 1")
        box.bus.exec(box.payload("hold", "setsid", 10 ** 6))
        clients = [box.connect() for _ in range(5)]
        clients[0].wait_later(jobs[0].id, "Finished")
        clients[1].log_later(jobs[1].id, "tail", WaitUSec=10 ** 10)
        clients[2].exec_later(["sleep", "1000"])
        clients[2].ping()
        box.bus.start_sh("printf 'no newline'; exec sleep 1000")
        self.check(box)

    def test_main(self):
        self.check(self.box("--", "sleep", "1000"))
