"""Units that notify: others wait for their READY=1, and so does who started reeve."""

import os
import signal
import socket

from case import FreshCase
from rig import Reeve, eventually, write_file
from test_notify import PYTHON, SAY


class TestUnits(FreshCase):

    def boot(self, notify_socket=False, **units):
        """A reeve with these units: name, lines of [Unit] and [Service]; all are wanted at boot."""
        reeve = Reeve()
        self.boxes.append(reeve)
        folder = f"{reeve.shared}/units"
        reeve.args.append(f"--units={folder}")
        os.mkdir(folder)
        write_file(f"{reeve.shared}/say.py", SAY + "exec(open(sys.argv[1]).read())")
        for name, (unit, service) in units.items():
            write_file(f"{folder}/{name}.service", f"[Unit]\n{unit}\n[Service]\n{service}\n[Install]\nWantedBy=default.target\n")
        if notify_socket:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self.addCleanup(self.socket.close)
            self.socket.bind(f"{reeve.shared}/notify")
            reeve.env["NOTIFY_SOCKET"] = f"{reeve.shared}/notify"
        for name, text in self.scripts_of.items():
            write_file(f"{reeve.shared}/{name}", text)
        for path in os.listdir(folder):
            text = open(f"{folder}/{path}", encoding="utf-8").read()
            write_file(f"{folder}/{path}", text.replace("@", f"{PYTHON} {reeve.shared}/say.py {reeve.shared}/"))
        reeve.start()
        reeve.bus = reeve.connect()
        return reeve

    scripts_of = {
        "waits": "while not os.path.exists('/tmp/go'): time.sleep(0.02)\nsay('READY=1\\nSTATUS=up'); time.sleep(1000)",
        "leaves": "os._exit(0)",
        "child": "if os.fork() == 0:\n    say('READY=1'); barrier(); os._exit(0)\nos.wait(); time.sleep(1000)",
        "late": "say('EXTEND_TIMEOUT_USEC=300000000'); time.sleep(11); say('READY=1'); time.sleep(1000)",
        "silent": "say('READY=1'); time.sleep(1000)",
    }

    def state(self, reeve, id):
        return reeve.bus.property("State", id) if id in reeve.bus.job_ids() else None

    def finishes(self, reeve, id):
        eventually(lambda: self.state(reeve, id) == "finished", 60, lambda: self.state(reeve, id))
        return reeve.bus.properties(id)

    def test_others_wait(self):
        reeve = self.boot(notify_socket=True,
                          first=("", "Type=notify\nExecStart=@waits"),
                          second=("After=first.service\nRequires=first.service", "ExecStart=/bin/sleep 1000"),
                          free=("", "ExecStart=/bin/sleep 1000"))
        bus = reeve.bus
        eventually(lambda: self.state(reeve, "first.service") == "running" and self.state(reeve, "free.service") == "running", 30)
        self.assertFalse(bus.property("Ready", "first.service"))
        self.assertTrue(bus.property("Ready", "free.service"))
        self.assertIsNone(self.state(reeve, "second.service"))
        self.socket.setblocking(False)
        self.assertRaises(BlockingIOError, self.socket.recv, 4096)
        bus.exec(["touch", "/tmp/go"])
        eventually(lambda: self.state(reeve, "second.service") == "running", 30)
        self.assertTrue(bus.property("Ready", "first.service"))
        self.assertEqual(bus.property("StatusText", "first.service"), "up")
        self.socket.settimeout(30)
        self.assertIn(b"READY=1", self.socket.recv(4096))
        self.assertEqual(reeve.stop(30), 0)

    def test_who_is_never_ready(self):
        reeve = self.boot(leaves=("", "Type=notify\nExecStart=@leaves"),
                          late=("", "Type=notify\nTimeoutStartSec=1\nExecStart=/bin/sleep 1000"),
                          second=("Requires=leaves.service\nAfter=leaves.service", "ExecStart=/bin/sleep 1000"))
        self.assertEqual(self.finishes(reeve, "leaves.service")["Result"], "protocol")
        self.assertEqual(self.finishes(reeve, "late.service")["Result"], "timeout")
        self.assertIsNone(self.state(reeve, "second.service"))

    def test_more_time_to_start(self):
        reeve = self.boot(late=("", "Type=notify\nTimeoutStartSec=10\nExecStart=@late"))
        eventually(lambda: self.state(reeve, "late.service") == "running" and reeve.bus.property("Ready", "late.service"), 60)

    def test_access(self):
        reeve = self.boot(main=("", "Type=notify\nExecStart=@child"), all=("", "Type=notify\nNotifyAccess=all\nExecStart=@child"))
        eventually(lambda: self.state(reeve, "all.service") == "running" and reeve.bus.property("Ready", "all.service"), 30)
        eventually(lambda: "dropped notifications" in reeve.log(), 30)
        self.assertFalse(reeve.bus.property("Ready", "main.service"))

    def test_watchdog(self):
        reeve = self.boot(dog=("StartLimitBurst=2\nStartLimitIntervalSec=1h",
                               "Type=notify\nWatchdogSec=200ms\nExecStart=@silent\nRestart=on-failure\nRestartSec=1ms"),
                          once=("", "WatchdogSec=200ms\nExecStart=/bin/sleep 1000"))
        properties = self.finishes(reeve, "dog.service")
        self.assertEqual((properties["Result"], properties["NRestarts"], properties["Signal"]),
                         ("start-limit-hit", 1, signal.SIGABRT))
        self.assertEqual(self.finishes(reeve, "once.service")["Result"], "watchdog")
