"""reeve as the init of a machine: from the kernel's hand to the power switch."""

import os
import tempfile
import unittest

from qemu import Machine, disk_file, make_disk

# The time that counts begins when the kernel has told its log that it runs init, and ends when the main job was made.
# The log's clock is not the others': the last line tells how they differ, to the hundredth that /proc/uptime has.
CLOCKS = """
read -r line < /proc/$$/stat
set -- $line
echo "main_at=${22}"
read -r up rest < /proc/uptime
echo "clocks $up" > /dev/kmsg
dmesg | sed -n 's/^\\[ *\\([0-9.]*\\)\\] Run .* as init process/init_at=\\1/p; s/^\\[ *\\([0-9.]*\\)\\] clocks /clocks=\\1 /p'
"""

ABOUT = """
scope=/sys/fs/cgroup/system.slice/main.scope
read -r controllers < $scope/cgroup.controllers
echo "controllers=$controllers"
echo "files=$(cd $scope && echo memory.max pids.max cpu.max io.max)"
echo "mounts=$(sed -n 's/^[^ ]* \\([^ ]*\\) \\([^ ]*\\) .*/\\1:\\2/p' /proc/mounts | tr '\\n' ' ')"
echo "modes=$(stat -c %a /run /tmp /dev/shm | tr '\\n' ' ')"
echo "lo=$(cat /sys/class/net/lo/flags)"
echo "hostname=$(hostname)"
echo "tty=$(tty)"
echo "limits=$(ulimit -Sn) $(ulimit -Hn)"
echo "variable=$VARIABLE"
until [ -e /run/unit ]; do sleep 0.1; done
echo "unit=$(cat /run/unit)"
echo "here=$(tr '\\0' ' ' < /proc/1/cmdline)"
reevectl exec sh -c 'kill -TERM 1'
until dmesg -r | grep 'no order, ignored'; do sleep 0.1; done
reevectl exec sh -c 'for signal in SEGV ABRT BUS ILL TRAP SYS KILL STOP; do kill -s $signal 1; done'
reevectl exec echo survived
"""

# The library that waits for events is made of breakpoints: PID 1 runs into one as soon as something happens.
CRASH = """
trap 'echo told; exit 9' TERM
range=$(sed -n 's/^\\([^ ]*\\) r-xp .*libsystemd.*/\\1/p' /proc/1/maps)
begin=$((0x${range%-*})) end=$((0x${range#*-}))
tr '\\0' '\\314' </dev/zero | dd of=/proc/1/mem bs=4096 seek=$((begin / 4096)) count=$(((end - begin) / 4096)) conv=notrunc
kill -WINCH 1
while :; do sleep 0.1; done
"""

# It goes on until the machine goes, and tells what it has by then.
UNIT = """
[Service]
ExecStart=sh -c 'echo $$(cat /sys/fs/cgroup/system.slice/one.service.scope/cgroup.controllers) >/run/unit; exec sleep 1000'
[Install]
WantedBy=default.target
"""

# What is written stays, although there is swap on the disk, something is mounted in it, and somebody writes to it who does
# not listen to SIGTERM.
WRITES = """
until [ -b /dev/nvme0n1 ]; do sleep 0.1; done
mount -t ext4 /dev/nvme0n1 /mnt
mkdir /mnt/inner
mount -t tmpfs inner /mnt/inner
dd if=/dev/zero of=/mnt/swap bs=1M count=4 2>/dev/null
mkswap /mnt/swap >/dev/null && swapon /mnt/swap && grep -c /mnt/swap /proc/swaps
(trap '' TERM; exec setsid sleep 1000 >/mnt/open) &
echo "kept" >/mnt/file
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
            self.assertGreater(took, -0.02, "the clocks are read right")

    def test_what_there_is_and_what_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            disk = os.path.join(folder, "disk")
            make_disk(disk)
            with Machine(ABOUT + WRITES + "exit 7", disk=disk, files={"/etc/hostname": "# of this test\nvessel\n",
                                                                      "/etc/reeve/units/one.service": UNIT},
                         parameters="splash VARIABLE=value reeve.log-level=debug", arguments="--stop-timeout=4s") as m:
                console = m.wait()
                self.check_about(m.values(), console)
                self.assertIn("\nreeve: exit status 7\n", console)
                self.assertIn("reboot: Power down", console)
            self.assertEqual(disk_file(disk, "/file"), (b"kept\n", True))

    def check_about(self, values, console):
        self.assertEqual(values["controllers"].split(), ["cpuset", "cpu", "io", "memory", "pids"])
        self.assertEqual(values["files"], "memory.max pids.max cpu.max io.max")
        self.assertEqual(values["mounts"].split()[1:9], [
            "/proc:proc", "/sys:sysfs", "/dev:devtmpfs", "/dev/pts:devpts", "/dev/shm:tmpfs", "/run:tmpfs", "/tmp:tmpfs",
            "/sys/fs/cgroup:cgroup2"])
        self.assertEqual(values["modes"].split(), ["755", "1777", "1777"])
        self.assertEqual(values["hostname"], "vessel")
        self.assertEqual(int(values["lo"], 16) & 1, 1, "it is up")
        self.assertEqual(values["tty"], "/dev/console")
        self.assertEqual(values["limits"], "1024 524288")
        self.assertEqual(values["variable"], "value", "what the kernel does not know is a job's variable")
        self.assertEqual(values["unit"], values["controllers"], "a unit was started")
        self.assertIn("\nsurvived\n", console, "signals of faults, of a process of a job")
        self.assertEqual(values["here"].split()[1:], ["splash", "--stop-timeout=4s", "/main"])
        self.assertRegex(console, r"<29>\[.*\] reeve: SIGTERM from process \d+ of a job: no order, ignored")

    def test_a_shell_on_the_console(self):
        """^C ends what it runs, job control is there, and ctrl-alt-del is a clean reboot, though it does not listen."""
        with Machine("exec sh -i") as m:
            m.expect("# ")
            # What says so is in the foreground by then; the shell itself is, too, for a moment.
            m.type("sh -c 'echo one; exec sleep 1000'\n")
            m.expect("\none\n")
            m.type("\x03")
            m.expect("# ")
            m.type("sh -c 'echo two; exec sleep 1001'\n")
            m.expect("\ntwo\n")
            m.type("\x1a")
            m.expect("Stopped")
            m.expect("# ")
            self.assertNotIn("job control turned off", m.console())
            m.monitor("sendkey ctrl-alt-delete")
            console = m.wait()
            self.assertIn("\nreeve: exit status ", console)
            self.assertIn("reboot: Restarting system", console)

    def test_reboot_from_a_disk(self):
        """A caller's order, with a status of his. The root, which reeve itself is run from, is left clean."""
        script = "trap 'exit 9' TERM; hostname; echo kept >/file; reevectl reboot 5; while :; do sleep 0.1; done"
        with tempfile.TemporaryDirectory() as folder:
            root = os.path.join(folder, "root")
            with Machine(script, root=root, files={"/etc/hostname": "vessel\n"}, parameters="reeve.hostname=barge") as m:
                console = m.wait()
                self.assertIn("barge\n", console)
                self.assertIn("\nreeve: exit status 5\n", console)
                self.assertIn("reboot: Restarting system", console)
            self.assertEqual(disk_file(root, "/file"), (b"kept\n", True))

    def test_halt(self):
        """By a signal (SIGRTMIN+3) of the main job; and an option that is wrong keeps no machine from running."""
        with Machine("kill -37 1; while :; do sleep 0.1; done", parameters="reeve.log-max=x") as m:
            m.expect('reeve: --log-max: "x" is not BYTES')
            m.expect("\nreeve: exit status 143\n")
            m.expect("reboot: System halted")
            self.assertIsNone(m.process.poll(), "it stays powered on")
            m.monitor("quit")
            m.wait()

    def test_a_fault_of_reeve(self):
        """What runs is told to stop and given its time, and the machine is switched off: no panic of the kernel's."""
        script = "\n".join((
            "(trap 'echo told; exit 0' TERM; echo up; while :; do sleep 0.1; done) &",
            "(exec setsid sh -c 'trap \"sleep 0.5; echo told, too; exit 0\" TERM; "
            "echo up, too; while :; do sleep 0.1; done') &",
            "sleep 1",
            "echo $$ >/sys/fs/cgroup/init.scope/cgroup.procs",     # whose signals are orders
            # It goes last: with the console's session its terminal would go, and who is in the foreground of that with it.
            "trap : TERM; kill -SEGV 1; wait; wait; wait"))
        with Machine(script, arguments="--stop-timeout=20s") as m:
            console = m.wait()
            for text in ("SIGSEGV", "\ntold\n", "\ntold, too\n", "reboot: Power down"):
                self.assertIn(text, console)
            self.assertNotIn("Kernel panic", console)

    def test_a_crash(self):
        """The jobs are told, the status is a crash's own, and the machine goes instead of a panic."""
        with Machine(CRASH) as m:
            console = m.wait()
            self.assertIn("\ntold\n", console)
            self.assertIn("SIGTRAP", console)
            self.assertIn("\nreeve: exit status 70\n", console)
            self.assertIn("reboot: Power down", console)
            self.assertNotIn("panic", console)
