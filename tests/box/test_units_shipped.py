"""The units that ship, run by a built reeve."""

import os
import shutil
import unittest

from case import FreshCase
from client import plain
from rig import Reeve, eventually, write_file

# The machine's own configuration wants users that a machine of tests need not have.
CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>
"""
UNITS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "units")


@unittest.skipUnless(os.path.exists("/usr/bin/dbus-daemon") and os.path.exists("/etc/machine-id"), "there is no dbus-daemon")
class MessageBus(FreshCase):
    """units/dbus.service: what it promises to who needs a bus."""

    def boot(self, text):
        reeve = Reeve()
        self.boxes.append(reeve)
        folder = f"{reeve.shared}/units"
        os.mkdir(folder)
        shutil.copy(f"{UNITS}/dbus.service", folder)
        os.mkdir(f"{folder}/dbus.service.d")
        write_file(f"{folder}/bus.conf", CONFIGURATION)
        write_file(f"{folder}/dbus.service.d/test.conf", "[Service]\nExecStart=\nExecStart=/usr/bin/dbus-daemon "
                   f"--config-file={folder}/bus.conf --nofork --nopidfile\n")
        write_file(f"{folder}/user.service", text)
        reeve.args.append(f"--units={folder}")
        reeve.start()
        reeve.bus = reeve.connect()
        return reeve

    def test_a_bus_for_who_needs_one(self):
        reeve = self.boot("[Unit]\nRequires=dbus.service\nAfter=dbus.service\n"
                          "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
                          "ExecStart=/usr/bin/dbus-send --system --print-reply --dest=org.freedesktop.DBus "
                          "/ org.freedesktop.DBus.GetId\n[Install]\nWantedBy=default\n")

        def state(name):
            units = [plain(unit) for unit in reeve.bus.manager("ListUnits")[0]]
            return {unit["Name"]: unit["ActiveState"] for unit in units}.get(name)

        def said():
            return reeve.log() + "".join(str(reeve.bus.output(id)) for id in reeve.bus.job_ids())

        eventually(lambda: state("user.service") == "active" or "failed" in (state("user.service"), state("dbus.service")), 60, said)
        self.assertEqual((state("user.service"), state("dbus.service")), ("active", "active"), said())
        self.assertTrue(reeve.bus.property("Ready", "dbus.service"))
        reeve.bus.manager("StopUnit", "s", "dbus.service")
        eventually(lambda: state("dbus.service") == "inactive", 60, lambda: f"{state('dbus.service')} {reeve.log()}")

    def test_none_for_who_does_not(self):
        reeve = self.boot("[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=default\n")
        eventually(lambda: "user.service" in reeve.bus.job_ids(), 60, lambda: reeve.log())
        self.assertNotIn("dbus.service", reeve.bus.job_ids())
