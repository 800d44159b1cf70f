"""podman run IMAGE COMMAND: the container is like the command, as if there were no reeve."""

import hashlib
import os
import random
import select
import subprocess
import unittest

import podman
from podman import Container, eventually, own_words, run


class ExitStatus(unittest.TestCase):
    def status(self, *argv, **more):
        return run(*argv, **more).returncode

    def test_a_code_is_the_containers(self):
        for code in (0, 7, 255):
            with self.subTest(code=code):
                self.assertEqual(self.status("sh", "-c", f"exit {code}"), code)

    def test_a_signal_is_128_and_its_number(self):
        for number in (9, 15, 34):
            with self.subTest(signal=number):
                self.assertEqual(self.status("bash", "-c", f"ulimit -c 0; kill -{number} $$"), 128 + number)

    def test_what_cannot_be_run(self):
        for argv, status in ((["no-such-command"], 127), (["/etc/passwd"], 126), (["/etc"], 126)):
            with self.subTest(argv=argv):
                done = run(*argv)
                self.assertEqual(done.returncode, status)
                self.assertIn(argv[0].encode(), own_words(done.stderr)[0], "reeve says what it could not run")

    def test_the_leaders_end_is_the_containers(self):
        """Children hold stdout, one in a session of its own, one that ignores SIGTERM."""
        script = "sleep 300 & setsid sleep 301 & (trap '' TERM; exec sleep 302) & echo out; exit 3"
        done = run("bash", "-c", script, timeout=30)
        self.assertEqual((done.returncode, done.stdout), (3, b"out\n"))

    def test_as_another_user(self):
        """Then /run/reeve cannot be made: no bus, but the command runs."""
        done = run("sh", "-c", "id -u; exit 4", options=["--user=4242:4242"])
        self.assertEqual((done.returncode, done.stdout), (4, b"4242\n"))

    def test_on_a_read_only_root(self):
        done = run("sh", "-c", "echo out; exit 4", options=["--read-only", "--read-only-tmpfs=false"])
        self.assertEqual((done.returncode, done.stdout), (4, b"out\n"))

    def test_without_capabilities(self):
        done = run("sh", "-c", "grep CapEff /proc/self/status; exit 4",
                   options=["--cap-drop=all", "--security-opt=no-new-privileges"])
        self.assertEqual((done.returncode, done.stdout), (4, b"CapEff:\t0000000000000000\n"))


class Stdio(unittest.TestCase):
    def test_each_stream_byte_by_byte(self):
        data = random.Random(1).randbytes(3_000_000)
        done = run("bash", "-c", "tee >(sha256sum >&2); wait $!", input=data)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(hashlib.sha256(done.stdout).hexdigest(), hashlib.sha256(data).hexdigest())
        self.assertEqual(own_words(done.stderr)[1].split()[0].decode(), hashlib.sha256(data).hexdigest())

    def test_stderr_is_the_commands_alone_when_reeve_has_nothing_to_say(self):
        done = run("--log-level=err", "--", "sh", "-c", "printf 'a\\0\\377' >&2", options=["--entrypoint=reeve"])
        self.assertEqual((done.stdout, done.stderr), (b"", b"a\0\xff"))

    def test_what_the_container_is_given(self):
        script = 'pwd; echo "$A"; cat /proc/sys/kernel/hostname; echo "$1" "$#"'
        done = run("sh", "-c", script, "sh", "a b", "",
                   options=["--workdir=/usr/lib", "--env=A=b  c", "--hostname=box"])
        self.assertEqual(done.stdout, b"/usr/lib\nb  c\nbox\na b 2\n")

    def test_the_terminal_is_the_commands(self):
        """An interactive shell with job control finds all that it needs, and its size."""
        ours, theirs = os.openpty()
        os.set_blocking(ours, False)
        argv = podman.command("run", "--rm", "--interactive", "--tty", *podman.RUN, podman.IMAGE, "bash", "--norc")
        with subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
            os.close(theirs)
            self.addCleanup(process.kill)
            seen = b""

            def see(text):
                def look():
                    nonlocal seen
                    if select.select([ours], [], [], 0)[0]:
                        try:
                            seen += os.read(ours, 65536)
                        except OSError:     # the other end has gone
                            pass
                    return text in seen
                eventually(look, 20, lambda: f"{text} on the terminal: {seen}")

            see(b"# ")
            os.write(ours, b"PS1='> '; tty; echo $((6 * 7))\n")
            see(b"\n42\r\n")       # the id of the container may have it, too
            self.assertIn(b"/dev/pts/0", seen)
            self.assertNotIn(b"no job control", seen)
            seen = b""
            os.write(ours, b"sleep 300\n")
            see(b"sleep 300")
            # The line comes back from the terminal before the shell has made the command: ^C until it is through.
            eventually(lambda: os.write(ours, b"\x03") and b"^C" in (see(b"^C") or seen), 5)
            os.write(ours, b"echo status $?; exit 5\n")
            see(b"status 130")
            self.assertEqual(process.wait(20), 5)
        os.close(ours)


class Signals(unittest.TestCase):
    def test_what_is_no_order_goes_to_the_command(self):
        script = "for s in HUP USR1 USR2 WINCH QUIT; do trap \"echo $s\" $s; done; echo ready; " \
                 "while :; do sleep 0.05; done"
        with Container("sh", "-c", script) as box:
            eventually(lambda: box.logs()[0] == "ready\n", 10)
            seen = "ready\n"
            for name in ("HUP", "USR1", "USR2", "WINCH", "QUIT"):
                podman.podman("kill", f"--signal={name}", box.name)
                seen += name + "\n"
                eventually(lambda expected=seen: box.logs()[0] == expected, 10, lambda: f"{seen!r}: {box.logs()}")

    def test_an_order_reaches_it_as_what_it_is(self):
        for number, name in ((15, "TERM"), (2, "INT")):
            with self.subTest(signal=name):
                script = f"trap 'echo {name}; exit 5' {name}; echo ready; while :; do sleep 0.05; done"
                with Container("sh", "-c", script) as box:
                    eventually(lambda box=box: box.logs()[0] == "ready\n", 10)
                    box.kill(number)
                    self.assertEqual(box.wait(5), 5)
                    self.assertEqual(box.logs()[0], f"ready\n{name}\n")

    def test_the_command_itself_may_give_the_order(self):
        with Container("sh", "-c", "trap 'exit 6' TERM; kill -TERM 1; while :; do sleep 0.05; done", wait=False) as box:
            self.assertEqual(box.wait(10), 6)
