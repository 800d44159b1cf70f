"""Units whose orders contradict each other, and restarts that never come to anything: nothing may stand still for that."""

import os
import re

from case import FreshCase
from client import MANAGER, ROOT
from rig import Reeve, eventually, write_file

NOTE = 3
FOREVER = "[Service]\nExecStart=/bin/sleep 1000\n"


class Fresh(FreshCase):
    """The whole limit is longer than any test may take: who waits for it to be over fails."""

    def boot(self, **units):
        reeve = Reeve(args=["--stop-timeout=1h"])
        self.boxes.append(reeve)
        reeve.folder = f"{reeve.shared}/units"
        os.mkdir(reeve.folder)
        self.write(reeve, **units)
        reeve.args.append(f"--units={reeve.folder}")
        reeve.start()
        reeve.bus = reeve.connect()
        return reeve

    def write(self, reeve, **units):
        for name, text in units.items():
            write_file(f"{reeve.folder}/{name}.service", text)

    def order(self, reeve, what, name):
        return reeve.bus.manager(f"{what}Unit", "s", f"{name}.service", timeout=60)


class Contrary(Fresh):
    def test_started_the_other_way_round(self):
        reeve = self.boot(db=FOREVER, web="[Unit]\nAfter=db.service\n" + FOREVER)
        self.order(reeve, "Start", "web")
        self.order(reeve, "Start", "db")
        self.assertEqual(reeve.stop(60), 0)

    def test_started_again_with_another_between(self):
        reeve = self.boot(db=FOREVER, web="[Unit]\nAfter=db.service\n" + FOREVER, other=FOREVER)
        for name in ("db", "web", "other"):
            self.order(reeve, "Start", name)
        self.order(reeve, "Restart", "db")
        self.assertEqual(reeve.stop(60), 0)

    def test_another_order_than_before(self):
        reeve = self.boot(a="[Unit]\nAfter=b.service\n" + FOREVER, b=FOREVER)
        self.order(reeve, "Start", "b")
        self.order(reeve, "Start", "a")
        self.write(reeve, a=FOREVER, b="[Unit]\nAfter=a.service\nRequires=a.service\n" + FOREVER)
        self.assertEqual(reeve.bus.manager("Reload"), ([],))
        self.order(reeve, "Restart", "b")     # by its new file from here on; a has its old one still
        self.order(reeve, "Stop", "a")        # with b, which requires it
        eventually(lambda: reeve.bus.property("State", "b.service") == "finished")
        self.assertEqual(reeve.stop(60), 0)


class Problems(Fresh):
    def test_what_is_in_no_line(self):
        reeve = self.boot(**{"no name": FOREVER, "bad": "[Service]\nNice=x\n"})
        eventually(lambda: "bad.service:2: " in reeve.log() and "no name.service: " in reeve.log(), 30, reeve.log)


    def test_what_has_no_job_to_say_it(self):
        reeve = self.boot(taken=FOREVER)
        reeve.bus.start(["/bin/sleep", "1000"], Id="taken.service")
        self.assert_error("StartFailed", "reeve's own log", call=lambda: self.order(reeve, "Start", "taken"))
        eventually(lambda: 'taken.service: Id: "taken.service" is a job already' in reeve.log())

    def test_a_file_that_is_not_there(self):
        reeve = self.boot(needs="[Service]\nEnvironmentFile=/nowhere\nExecStart=/bin/sleep 1000\n")
        self.assert_error("StartFailed", "EnvironmentFile", "reeve's own log", call=lambda: self.order(reeve, "Start", "needs"))
        eventually(lambda: "needs.service: EnvironmentFile=/nowhere: No such file" in reeve.log())


class Restarts(Fresh):
    def pauses(self, reeve, name):
        notes = b"".join(record.data for record in reeve.bus.log(f"{name}.service").records if record.stream == NOTE)
        return [int(n) for n in re.findall(rb"Restarting in (\d+) ms", notes)]

    def test_more_steps_than_can_be_counted(self):
        reeve = self.boot(steps="[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/false\nRestart=always\n"
                          "RestartSec=10ms\nRestartSteps=4000000000\nRestartMaxDelaySec=1h\n")
        self.order(reeve, "Start", "steps")
        eventually(lambda: reeve.bus.property("NRestarts", "steps.service") > 3)

    def test_pauses_grow_without_a_run(self):
        reeve = self.boot(pre="[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStartPre=/bin/false\nExecStart=/bin/true\n"
                          "Restart=on-failure\nRestartSec=10ms\nRestartMaxDelaySec=80ms\n")
        reeve.bus.send(ROOT, MANAGER, "StartUnit", "s", "pre.service")
        eventually(lambda: "pre.service" in reeve.bus.job_ids() and len(self.pauses(reeve, "pre")) > 5)
        self.assertEqual(self.pauses(reeve, "pre")[:6], [10, 20, 40, 80, 80, 80])
