"""What the tests of units share: a reeve with a folder of unit files, and words for what it does with them.

The folder lies where both sides see it, and so does a diary, in which the commands of units write a line each: appended in one
write, so that its lines are in the order in which things happened.
"""

import contextlib
import os
import shutil

from case import BoxCase, FreshCase
from client import DBusError, ERROR, plain
from rig import Reeve, eventually, read_file

LONG = 90   # seconds: what a call may take on the slowest machine


class Folder:
    """The units of one reeve."""

    def __init__(self, reeve):
        self.reeve = reeve
        self.path = f"{reeve.shared}/units"
        self.diary = f"{reeve.shared}/diary"
        os.mkdir(self.path)
        self.empty()

    def empty(self):
        shutil.rmtree(self.path)
        os.mkdir(self.path)
        with open(self.diary, "wb"):
            pass
        os.chmod(self.diary, 0o666)

    def file(self, name, text):
        path = f"{self.path}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())

    def unit(self, name, *service, unit=(), boot=False):
        """A unit file of lines; NOTE(words) in them is a command that writes the words into the diary."""
        unit = (unit,) if isinstance(unit, str) else unit
        text = "\n".join(["[Unit]", *unit, "[Service]", *service, *(["[Install]", "WantedBy=default"] if boot else []), ""])
        self.file(f"{name}.service", text)

    def note(self, words):
        """A command of a unit."""
        return self.sh(f"echo {words} >>{self.diary}")

    def sh(self, script):
        """A shell command of a unit, where $ is the shell's; no ' in it."""
        return "/bin/sh -c '" + script.replace("$", "$$").replace("%", "%%").replace("\\", "\\\\") + "'"

    def said(self):
        return read_file(self.diary).splitlines()

    def wait_said(self, words):
        eventually(lambda: words in self.said(), 30, lambda: f"{words!r} is in the diary: {self.said()}")


class Units:
    """Words for a reeve's connection."""

    def __init__(self, bus):
        self.bus = bus

    def reload(self):
        return self.bus.manager("Reload", timeout=LONG)[0]

    def start(self, name):
        return self.bus.manager("StartUnit", "s", f"{name}.service", timeout=LONG)[0]

    def stop(self, name):
        self.bus.manager("StopUnit", "s", f"{name}.service", timeout=LONG)

    def restart(self, name):
        return self.bus.manager("RestartUnit", "s", f"{name}.service", timeout=LONG)[0]

    def attempt(self, name):
        """StartUnit, of one that may have come to its end before that is answered."""
        try:
            self.start(name)
        except DBusError as e:
            if e.name != ERROR + "StartFailed":
                raise

    def later(self, member, name):
        pending = self.bus.send("/org/reeve1", "org.reeve1.Manager", member, "s", f"{name}.service")
        return pending

    def list(self):
        return {unit["Name"]: unit for unit in map(plain, self.bus.manager("ListUnits")[0])}

    def state(self, name):
        return self.list()[f"{name}.service"]

    def active(self, name):
        return self.state(name)["ActiveState"]

    def wait(self, name, active, result=None):
        """Until the unit is in that state, and has that result; what ListUnits says of it."""
        def so():
            state = self.state(name)
            return state if state["ActiveState"] == active and result in (None, state["Result"]) else None
        return eventually(so, 60, lambda: f"{name} is {active}, {result}: {self.state(name)}")

    def notes(self, name):
        return [r.data.decode().strip() for r in self.bus.log(f"{name}.service").records if r.stream == 3]


class UnitsCase(BoxCase):
    """One reeve for the class, with a folder that is empty before each test. self.unit, self.note and the like are the
    folder's; self.start, self.stop and the like are calls."""

    @classmethod
    def setUpClass(cls):
        options = dict(cls.options)
        cls.reeve = Reeve(**options)
        cls.folder = Folder(cls.reeve)
        cls.reeve.args.append(f"--units={cls.folder.path}")
        try:
            cls.reeve.start()
            cls.bus = cls.reeve.connect()
        except BaseException:
            cls.reeve.dump()
            cls.reeve.destroy()
            raise
        cls.units = Units(cls.bus)

    def setUp(self):
        self.folder.empty()
        for name in ("file", "unit", "note", "sh", "said", "wait_said"):
            setattr(self, name, getattr(self.folder, name))
        for name in ("reload", "start", "stop", "restart", "attempt", "later", "state", "active", "wait", "notes"):
            setattr(self, name, getattr(self.units, name))
        self.reload()

    def assert_processes(self, n):
        """What has ended may be there as a zombie for a moment."""
        eventually(lambda: len(self.reeve.processes()) == n, 30, lambda: f"{n} processes: {self.reeve.describe(self.reeve.processes())}")

    def tearDown(self):
        try:
            super().tearDown()
        finally:
            with contextlib.suppress(OSError):
                self.folder.empty()


class FreshUnitsCase(FreshCase):
    """Reeves of their own, with units at boot: prepare() one, fill box.folder, boot(box)."""

    def prepared(self, *args, **options):
        reeve = Reeve(args, **options)
        self.boxes.append(reeve)
        reeve.folder = Folder(reeve)
        reeve.args.insert(0, f"--units={reeve.folder.path}")
        return reeve

    def boot(self, reeve):
        reeve.start()
        reeve.bus = reeve.connect()
        reeve.units = Units(reeve.bus)
        return reeve
