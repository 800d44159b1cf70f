"""Units under everything at once: orders from several callers, kills, reloads and changed files, in an order that a seed decides.
Whatever comes, every call has an answer of the contract, nothing is left behind, and in the end the units work."""

import contextlib
import os
import random

from client import DBusError, SEC
from rig import eventually
from units import LONG, UnitsCase

ANSWERS = {"org.reeve1.Error.StartFailed", "org.reeve1.Error.Overtaken", "org.reeve1.Error.NoSuchUnit", "org.reeve1.Error.NoSuchJob",
           "org.freedesktop.DBus.Error.InvalidArgs", "org.freedesktop.DBus.Error.NotSupported", "org.reeve1.Error.JobRunning",
           "org.freedesktop.DBus.Error.UnknownObject"}
KINDS = (
    ["ExecStart=/bin/sleep 1000"],
    ["ExecStart=/bin/sleep 0.01", "Restart=always", "RestartSec=1ms"],
    ["ExecStart=/bin/false"],
    ["Type=oneshot", "ExecStart=/bin/sleep 0.01", "ExecStart=/bin/true"],
    ["Type=oneshot", "RemainAfterExit=yes", "ExecStart=/bin/true", "ExecStop=/bin/true"],
    ["ExecStartPre=/bin/sleep 0.02", "ExecStart=/bin/sleep 1000", "ExecStop=/bin/sleep 0.02", "ExecStopPost=/bin/sleep 0.01"],
    ["Type=exec", "ExecStart=/nonexistent", "Restart=on-failure", "RestartSec=5ms"],
    ["ExecStart=/bin/sh -c 'setsid -f sleep 999 </dev/null >/dev/null 2>&1; exec sleep 0.05'", "Restart=on-success",
     "RestartSec=1ms"],
    ["ExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 0.01; done'", "TimeoutStopSec=30ms"],
    ["ExecStart=/bin/sleep 1000", "ExecReload=/bin/true", "ExecStartPost=/bin/false"],
)
EDGES = ("After", "Before", "Requires", "Wants", "Conflicts")


class TestStorm(UnitsCase):

    weight = 2

    def fill(self, dice, names):
        for name in names:
            unit = [f"{dice.choice(EDGES)}={dice.choice(names)}.service" for _ in range(dice.randrange(4))]
            self.unit(name, *dice.choice(KINDS), unit=["StartLimitBurst=20", "StartLimitIntervalSec=1h", *unit])

    def change(self, dice, names):
        name = dice.choice(names)
        path = f"{self.folder.path}/{name}.service"
        what = dice.randrange(4)
        if what == 0:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        elif what == 1:
            self.file(f"{name}.service", "[Service]\nExecStart=\nNice=x\n")
        else:
            self.fill(dice, names[:6])

    def storm(self, seed):
        dice = random.Random(seed)
        names = [f"s{i}" for i in range(12)]
        self.fill(dice, names)
        self.reload()
        callers = [self.reeve.connect() for _ in range(3)]
        pending, wrong = [], []
        for _ in range(250):
            caller, name = dice.choice(callers), dice.choice(names)
            what = dice.randrange(14)
            if what < 9:
                member = (["StartUnit"] * 4 + ["StopUnit"] * 3 + ["RestartUnit", "ReloadUnit"])[what]
                pending.append(caller.send("/org/reeve1", "org.reeve1.Manager", member, "s", f"{name}.service"))
            elif what == 9:
                pending.append(caller.send("/org/reeve1", "org.reeve1.Manager", "Kill", "a{sv}ia{sv}",
                                           {"Unit": ("s", f"{name}.service")}, 9, {}))
            elif what == 10:
                pending.append(caller.stop_later({"Unit": f"{name}.service"}, TimeoutStopUSec=dice.choice((0, SEC))))
            elif what == 11:
                self.change(dice, names)
                pending.append(caller.send("/org/reeve1", "org.reeve1.Manager", "Reload", ""))
            elif what == 12:
                pending.append(caller.send(f"/org/reeve1/job/{name}_2eservice", "org.reeve1.Job", "Forget", ""))
            else:
                self.units.list()
        for call in pending:
            try:
                call.result(LONG)
            except DBusError as e:
                if e.name not in ANSWERS:
                    wrong.append((e.name, e.message))
        self.assertEqual(wrong, [])
        for caller in callers:
            caller.close()
            self.reeve.connections.remove(caller)
        calls = [self.later("StopUnit", name) for name in names]
        for call in calls:
            try:
                call.result(LONG)
            except DBusError as e:
                self.assertIn(e.name, ANSWERS)
        eventually(lambda: not self.reeve.processes(), 30, lambda: (self.reeve.describe(self.reeve.processes()), self.units.list()))
        eventually(lambda: not {u["ActiveState"] for u in self.units.list().values()} - {"inactive", "failed"}, 30, self.units.list)
        self.folder.empty()
        self.unit("after", "Type=oneshot", "ExecStart=/bin/true")
        self.reload()
        self.start("after")
        self.assertEqual({name for name in self.units.list()}, {"after.service"})

    def test_storms(self):
        for seed in os.environ.get("REEVE_TEST_SEEDS", "1 2 3 4").split():
            with self.subTest(seed=seed):
                self.storm(seed)

    def test_over_and_over(self):
        """What hundreds of runs leave in PID 1: nothing."""
        self.unit("simple", "ExecStart=/bin/sleep 1000", "ExecStop=/bin/true")
        self.unit("steps", "Type=oneshot", "ExecStart=/bin/true", "ExecStart=/bin/true")
        self.unit("fails", "ExecStartPre=/bin/false", "ExecStart=/bin/true")
        self.unit("dies", "ExecStart=/bin/true", "Restart=always", "RestartSec=0", unit=["StartLimitBurst=5", "StartLimitIntervalSec=1h"])
        self.reload()

        def runs(n):
            for _ in range(n):
                calls = [self.later(member, name) for name in ("simple", "steps", "fails", "dies")
                         for member in ("StartUnit", "RestartUnit")]
                for call in calls:
                    with contextlib.suppress(DBusError):
                        call.result(LONG)
                self.stop("simple")
                self.stop("dies")
        runs(10)
        before, fds, jobs = self.reeve.memory(), self.reeve.fds(), self.bus.property("NJobs")
        runs(40)
        self.assert_memory(before, 1024 * 1024, timeout=10)
        self.assert_fds_back(fds)
        self.assertEqual(self.bus.property("NJobs"), jobs)
