"""What an entry point is for, by podman: each signal, each way to stop, who came by podman exec, and the place of systemd."""

import os
import signal
import subprocess
import unittest

import podman
from podman import Container, eventually

# Passed on as they are; those that order it to stop are tried where it stops.
PASSED = [n for n in range(1, 65) if n not in (9, 19, 17, 32, 33, 2, 15, 30, 37, 38, 39, 4, 5, 6, 7, 8, 11, 31)]
TELLER = "for n in {numbers}; do trap \"echo $n\" $n; done; echo ready; while :; do sleep 0.02; done"


def ready(box, text="ready\n"):
    eventually(lambda: box.logs()[0] == text, 60, lambda: f"{text!r}: {box.logs()}")


class Signals(unittest.TestCase):
    def test_each_that_podman_kill_sends(self):
        """bash, for the real-time ones."""
        script = TELLER.format(numbers=" ".join(map(str, PASSED)))
        with Container("bash", "-c", script, wait=False) as box:
            ready(box)
            seen = "ready\n"
            for number in PASSED:
                podman.podman("kill", f"--signal={number}", box.name)
                seen += f"{number}\n"
                ready(box, seen)

    def test_to_its_group(self):
        script = "bash -c 'trap \"echo child; exit\" USR1; echo ready; while :; do sleep 0.02; done' & " \
                 "trap 'echo parent' USR1; while ! wait; do :; done; exit 7"
        with Container("bash", "-c", script, args=["-g"], wait=False) as box:
            ready(box)
            box.kill(signal.SIGUSR1)
            eventually(lambda: sorted(box.logs()[0].split()) == ["child", "parent", "ready"], 60, box.logs)


class Stop(unittest.TestCase):
    def test_what_is_left_in_sessions_of_its_own_is_told(self):
        left = "trap 'echo told; sleep 0.2; echo put away; exit' TERM; echo ready; while :; do sleep 0.02; done"
        script = f"setsid sh -c \"{left}\" & trap 'exit 5' TERM; while :; do sleep 0.02; done"
        with Container("sh", "-c", script, wait=False) as box:
            ready(box)
            box.stop(60)
            self.assertEqual(box.wait(60), 5)
            self.assertEqual(box.logs()[0], "ready\ntold\nput away\n")

    def test_what_came_by_podman_exec_is_told(self):
        with Container("sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.02; done", wait=False) as box:
            ready(box)
            script = "trap 'echo told; exit' TERM; echo there; while :; do sleep 0.02; done"
            with subprocess.Popen(podman.command("exec", box.name, "sh", "-c", script), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as other:
                self.addCleanup(other.kill)
                self.assertEqual(other.stdout.readline(), b"there\n")
                box.stop(60)
                self.assertEqual(box.wait(60), 5)

    def test_a_stop_signal_of_its_own(self):
        """That is passed on; what the main job makes of it is the end."""
        for name in ("QUIT", "HUP", "RTMIN+10"):
            with self.subTest(signal=name), \
                    Container("bash", "-c", f"trap 'echo {name}; exit 9' {name}; echo ready; while :; do sleep 0.02; done",
                              options=[f"--stop-signal={name}"], wait=False) as box:
                ready(box)
                box.stop(60)
                self.assertEqual(box.wait(60), 9)
                self.assertEqual(box.logs()[0], f"ready\n{name}\n")

    def test_a_status_of_choice(self):
        with Container("sh", "-c", "echo ready; exec sleep 300", args=["-e", "143"], wait=False) as box:
            ready(box)
            box.stop(60)
            self.assertEqual(box.wait(60), 0)


class Exec(unittest.TestCase):
    def test_its_orphans_are_reaped(self):
        with Container("sleep", "300", wait=False) as box:
            for _ in range(3):
                box.exec("sh", "-c", "for i in 1 2 3 4 5; do (sleep 0.01 & ) ; done; exit 0")
            eventually(lambda: len(box.processes()) == 1, 60, box.describe)
            self.assertEqual(box.zombies(), [])


class Systemd(unittest.TestCase):
    """/sbin/init of an image is reeve: podman takes it for systemd, and stops it by RTMIN+3."""

    @classmethod
    def setUpClass(cls):
        cls.image = "localhost/reeve-init-test"
        folder = f"{podman.FOLDER}/init"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/Containerfile", "w", encoding="utf-8") as f:
            f.write(f'FROM {podman.IMAGE}\nRUN ln -sf /usr/bin/reeve /sbin/init\nENTRYPOINT []\nCMD ["/sbin/init"]\n')
        subprocess.run(podman.build_command("-t", cls.image, folder), stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                       check=True)

    def test_by_its_name_and_when_told(self):
        for options in ([], ["--systemd=always"]):
            with self.subTest(options=options), Container(image=self.image, options=options) as box:
                self.assertEqual(podman.podman("inspect", "--format={{.Config.StopSignal}}", box.name).stdout.strip(), b"37")
                box.ctl("start", "--id=job", "--", "sh", "-c", "trap 'exit 3' TERM; echo ready; while :; do sleep 0.02; done")
                eventually(lambda b=box: b.ctl("logs", "-o", "raw", "job") == "ready\n", 60)
                box.stop(60)
                self.assertEqual(box.wait(60), 0)
