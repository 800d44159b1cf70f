"""reeve as the init of a machine: from the kernel's hand to the power switch."""

import unittest

from qemu import Machine

# The time that counts begins when the kernel has told its log that it runs init, and ends when the main job was made.
# The log's clock is not the others': the last line tells how they differ, to the hundredth that /proc/uptime has.
CLOCKS = """
read -r line < /proc/$$/stat
set -- $line
echo "main_at=${22}"
read -r up rest < /proc/uptime
echo "clocks $up" > /dev/kmsg
dmesg | sed -n 's/^\\[ *\\([0-9.]*\\)\\] Run .* as init process/init_at=\\1/p; s/^\\[ *\\([0-9.]*\\)\\] clocks \\(.*\\)/clocks=\\1 \\2/p'
"""

MAIN = """
read -r controllers < /sys/fs/cgroup/system.slice/main.scope/cgroup.controllers
echo "controllers=$controllers"
echo "limits=$(cd /sys/fs/cgroup/system.slice/main.scope && echo memory.max pids.max cpu.max io.max)"
echo "lo=$(cat /sys/class/net/lo/flags)"
echo "hostname=$(hostname)"
echo "tty=$(tty)"
exec reevectl version
"""


class Boot(unittest.TestCase):
    def test_to_the_first_job(self):
        """The clock goes by what is executed, 500 instructions a microsecond: a slow machine, but always the same."""
        with Machine(CLOCKS, exact=True) as m:
            m.wait()
            values = m.values()
            log, up = (float(n) for n in values["clocks"].split())
            took = float(values["main_at"]) / 100 - (float(values["init_at"]) + up - log)
            print(f"from the kernel to the first job: {took * 1000:.0f} ms", flush=True)
            self.assertLess(took, 0.3)
            self.assertGreater(took, 0)

    def test_main_job(self):
        with Machine(MAIN, files={"/etc/hostname": "# of this test\nvessel\n"}) as m:
            console = m.wait()
            self.assertIn("\nreeve: exit status 0\n", console)
            self.assertIn("reboot: Power down", console)
            values = m.values()
            self.assertEqual(values["controllers"].split(), ["cpuset", "cpu", "io", "memory", "pids"])
            self.assertEqual(values["limits"], "memory.max pids.max cpu.max io.max")
            self.assertEqual(values["hostname"], "vessel")
            self.assertEqual(int(values["lo"], 16) & 1, 1, "it is up")
            self.assertEqual(values["tty"], "/dev/console")
            self.assertIn("containment cgroup", console)
