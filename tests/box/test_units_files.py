"""What unit files say: environment, specifiers, drop-ins, the settings of processes; and Reload, when it has changed."""

import os
import signal

from client import job_path
from rig import eventually, write_file
from units import FreshUnitsCase, LONG, UnitsCase

SLEEP = "ExecStart=/bin/sleep 1000"


class TestFiles(UnitsCase):

    def output_of(self, name):
        self.start(name)
        return self.bus.output(f"{name}.service")[0].decode().splitlines()

    def show(self, name, script, *lines, **options):
        self.unit(name, "Type=oneshot", *lines, "ExecStart=" + self.sh(script), **options)

    def test_environment(self):
        env = f"{self.reeve.shared}/env"
        write_file(env, "# comment\nA=file\nB='two words'\nC=\"q\\\"q\"\n;x\nnot an assignment\nD=joined\\\nline\nexport=1\n")
        self.show("env", 'echo "$A|$B|$C|$D|$E|$F|$PATH|$HOME|$REEVE_JOB|$REEVE_SESSION|$USER"', "Environment=A=unit E=1 \"F=x y\" G=1",
                  "Environment=E=2", f"EnvironmentFile={env}", "UnsetEnvironment=G", "User=box")
        self.show("reset", 'echo "$A|$B"', "Environment=A=1", "Environment=", "Environment=B=2")
        self.reload()
        self.assertEqual(self.output_of("env"), ["file|two words|q\"q|joinedline|2|x y|/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                                                 "/sbin:/bin|/home/box|env.service|system|box"])
        self.assertEqual(self.output_of("reset"), ["|2"])

    def test_environment_file_is_read_at_each_start(self):
        env = f"{self.reeve.shared}/env2"
        self.show("must", "echo $A", f"EnvironmentFile={env}")
        self.show("may", "echo a$A", f"EnvironmentFile=-{env}")
        self.reload()
        self.assertEqual(self.output_of("may"), ["a"])
        error = self.assert_error("StartFailed", call=lambda: self.start("must"))
        self.assertIn("EnvironmentFile", error.message)
        self.assertIn(env, self.reeve.log())
        self.assertEqual(self.active("must"), "failed")
        for value in ("1", "2"):
            write_file(env, f"A={value}\n")
            self.assertEqual(self.output_of("must")[-1], value)
            self.assertEqual(self.output_of("may")[-1], f"a{value}")

    def test_environment_files_that_are_none(self):
        """A FIFO that nobody writes to, a folder, a device, a huge one: each an answer, and PID 1 goes on."""
        self.bus.sh(f"cd {self.reeve.shared}; mkfifo fifo; mkdir folder; truncate -s 100M huge; ln -s /dev/zero zero")
        for kind in ("fifo", "folder", "huge", "zero"):
            self.show(f"is-{kind}", "echo", f"EnvironmentFile={self.reeve.shared}/{kind}")
        self.reload()
        for kind in ("fifo", "folder", "huge", "zero"):
            with self.subTest(kind=kind):
                self.assert_error("StartFailed", call=lambda: self.start(f"is-{kind}"))

    def test_specifiers(self):
        self.unit("spec-a@", "Type=oneshot", "Environment=E=%i", "ExecStart=/bin/echo %n %N %p %i %I %j 100%% ${E}",
                  "WorkingDirectory=/%I",
                  "ExecStart=/bin/pwd", "ExecStart=/bin/echo %H", unit="Description=of %i")
        self.assertEqual(self.reload(), [])
        name = "spec-a@proc-1"
        out = self.output_of(name)
        self.assertEqual(out[0], f"{name}.service {name} spec-a proc-1 proc/1 a 100% proc-1")
        self.assertEqual(out[1], "/proc/1")
        self.assertEqual(out[2], os.uname().nodename)
        self.assertEqual(self.state(name)["Description"], "of proc-1")
        self.assertEqual(self.bus.property("Description", f"{name}.service"), "of proc-1")

    def test_dropins(self):
        self.unit("web-a", "Type=oneshot", "Environment=A=file B=file C=file D=file", "ExecStart=" + self.sh("echo $A $B $C $D"))
        self.file("web-a.service.d/20.conf", "[Service]\nEnvironment=A=20\n")
        self.file("web-a.service.d/10.conf", "[Service]\nEnvironment=A=10 B=10\n")
        self.file("web-.service.d/15.conf", "[Service]\nEnvironment=B=15 C=15\n")
        self.file("service.d/05.conf", "[Unit]\nDescription=all\n")
        self.file("web-a.service.d/30.conf.off", "[Service]\nEnvironment=A=30\n")
        self.unit("t@", "Type=oneshot", "ExecStart=/bin/echo one")
        self.file("t@.service.d/x.conf", "[Service]\nExecStart=\nExecStart=/bin/echo %i two\n")
        self.assertEqual(self.reload(), [])
        self.assertEqual(self.output_of("web-a"), ["20 15 15 file"])
        self.assertEqual(self.state("web-a")["Description"], "all")
        self.assertEqual(self.output_of("t@i"), ["i two"])
        self.file("web-a.service.d/40.conf", "[Service]\nNice=much\n")
        problems = self.reload()
        self.assertEqual([p[:2] for p in problems], [(f"{self.folder.path}/web-a.service.d/40.conf", 2)])
        self.assert_error("InvalidArgs", "40.conf:2", "Nice", call=lambda: self.start("web-a"))

    def test_settings(self):
        self.show("set", "id -u; id -g; id -G; pwd; ulimit -n; ulimit -c; umask; cat /proc/self/oom_score_adj; nice; "
                         "grep NoNewPrivs /proc/self/status",
                  "User=box", "SupplementaryGroups=carton", "WorkingDirectory=/var/tmp", "LimitNOFILE=1234", "LimitCORE=0", "UMask=0027",
                  "OOMScoreAdjust=500", "Nice=5", "NoNewPrivileges=yes")
        self.show("group", "id -u; id -g", "User=4242", "Group=crate")
        self.assertEqual(self.reload(), [])
        out = self.output_of("set")
        self.assertEqual(out[:2], ["4242", "4242"])
        self.assertEqual(set(out[2].split()), {"4242", "4243", "4244"})
        self.assertEqual(out[3:], ["/var/tmp", "1234", "0", "0027", "500", "5", "NoNewPrivs:\t1"])
        self.assertEqual(self.output_of("group"), ["4242", "4243"])

    def test_settings_that_cannot_be(self):
        for name, line in {"user": "User=nosuch", "folder": "WorkingDirectory=/nonexistent", "group": "Group=nosuch"}.items():
            self.show(f"no-{name}", "echo", line)
            self.unit(f"no-{name}-exec", "Type=exec", line, SLEEP)
        self.reload()
        for name in ("user", "folder", "group"):
            for suffix in ("", "-exec"):
                with self.subTest(name=name + suffix):
                    self.assert_error("StartFailed", call=lambda: self.start(f"no-{name}{suffix}"))
                    self.assertEqual(self.active(f"no-{name}{suffix}"), "failed")
                    self.assertNotEqual(self.notes(f"no-{name}{suffix}"), [])

    def test_input(self):
        self.show("input", "cat", "StandardInput=data", "StandardInputText=line one", "StandardInputText=line two")
        self.show("null", "cat; echo end")
        self.assertEqual(self.reload(), [])
        self.assertEqual(self.output_of("input"), ["line one", "line two"])
        self.assertEqual(self.output_of("null"), ["end"])

    def test_descriptors_and_signals(self):
        """What a unit's process is given is what a job's is."""
        self.show("fds", "ls /proc/$$/fd; grep -E \"Sig(Blk|Ign)\" /proc/self/status; env | cut -d= -f1 | sort")
        self.reload()
        out = self.output_of("fds")
        self.assertEqual([w for w in out if w.isdigit()], ["0", "1", "2"])
        self.assertEqual([w.split()[1] for w in out if w.startswith("Sig")], ["0" * 16] * 2)
        self.assertNotIn("MAINPID", out)
        self.assertNotIn("SERVICE_RESULT", out)


class TestReload(UnitsCase):

    def test_what_runs_is_left_alone(self):
        for name in ("same", "changed", "removed", "broken"):
            self.unit(name, "ExecStart=/bin/sleep 1000", "ExecStop=" + self.note(f"{name} old"))
        self.reload()
        for name in ("same", "changed", "removed", "broken"):
            self.start(name)
        pids = {name: self.bus.property("PID", f"{name}.service") for name in ("same", "changed", "removed", "broken")}
        self.unit("changed", "ExecStart=/bin/sleep 2000", "ExecStop=" + self.note("changed new"), unit="Description=new")
        os.unlink(f"{self.folder.path}/removed.service")
        self.file("broken.service", "[Service]\nExecStart=\n")
        self.unit("new", SLEEP)
        problems = self.reload()
        self.assertEqual([p[0] for p in problems], [f"{self.folder.path}/broken.service"])
        for name, pid in pids.items():
            with self.subTest(name=name):
                self.assertEqual(self.bus.property("PID", f"{name}.service"), pid)
                self.assertIn(self.bus.property("State", f"{name}.service"), ("starting", "running"))
        self.start("new")
        self.restart("changed")
        self.assertEqual(self.state("changed")["Description"], "new")
        self.assertIn("2000", self.bus.property("Command", "changed.service"))
        self.stop("removed")
        self.stop("broken")
        self.assert_processes(3)
        self.assert_error("NoSuchUnit", call=lambda: self.start("removed"))
        self.assert_error("InvalidArgs", "broken.service", call=lambda: self.start("broken"))

    def test_removed_ones_that_run_are_listed(self):
        self.unit("gone", SLEEP)
        self.reload()
        self.start("gone")
        os.unlink(f"{self.folder.path}/gone.service")
        self.reload()
        self.assertEqual(self.active("gone"), "active")
        self.stop("gone")
        self.reload()
        self.assertNotIn("gone.service", self.units.list())

    def test_while_one_starts_and_one_waits(self):
        go = f"{self.reeve.shared}/reload-go"
        self.unit("starts", "ExecStartPre=" + self.sh(f"echo begin >>{self.folder.diary}; while ! [ -e {go} ]; do sleep 0.02; done"),
                  SLEEP)
        self.unit("waits", SLEEP, unit=["Requires=starts.service", "After=starts.service"])
        self.unit("pauses", "Restart=always", "RestartSec=1h", "ExecStart=/bin/false")
        self.reload()
        call = self.later("StartUnit", "waits")
        self.wait_said("begin")
        self.later("StartUnit", "pauses")
        eventually(lambda: "pauses.service" in self.bus.job_ids(State="restarting"), 30)
        for name in ("waits", "pauses", "starts"):
            os.unlink(f"{self.folder.path}/{name}.service")
        self.reload()
        write_file(go, "")
        try:
            call.result(LONG)
        except Exception as e:
            self.assertTrue(hasattr(e, "name"), repr(e))
        self.bus.ping()
        for name in ("waits", "starts", "pauses"):
            try:
                self.stop(name)
            except Exception as e:
                self.assertEqual(e.name, "org.reeve1.Error.NoSuchUnit")
        self.assert_all_reaped()
        self.assertEqual(self.bus.job_ids(State="restarting"), [])

    def test_what_is_no_file(self):
        """Of what hangs or never ends when it is read, and of what cannot be read, reeve says so and goes on."""
        self.bus.sh(f"cd {self.folder.path}; mkfifo fifo.service; mkdir folder.service; ln -s /dev/zero zero.service; "
                    "ln -s loop.service loop.service; ln -s nowhere dangling.service; truncate -s 1M huge.service; "
                    "mkdir good.service.d; mkfifo good.service.d/fifo.conf; mkfifo none.service.d; ln -s fifo.service link.service")
        self.unit("good", SLEEP)
        problems = self.reload()
        for name in ("fifo", "zero", "loop", "huge"):
            self.assertTrue(any(f"/{name}.service" in p[0] for p in problems), (name, problems))
        for name in ("fifo", "zero", "folder", "loop", "dangling", "huge", "link"):
            with self.assertRaises(Exception) as caught:
                self.start(name)
            self.assertIn(caught.exception.name, ("org.reeve1.Error.NoSuchUnit", "org.freedesktop.DBus.Error.InvalidArgs"))
        self.bus.ping()

    def test_the_folder_goes_and_comes_back(self):
        self.unit("here", SLEEP)
        self.reload()
        self.start("here")
        os.rename(self.folder.path, f"{self.folder.path}.away")
        try:
            self.reload()
            self.assertEqual(self.active("here"), "active")
        finally:
            os.rename(f"{self.folder.path}.away", self.folder.path)
        self.assertEqual(self.reload(), [])
        self.assertEqual(self.active("here"), "active")

    def test_many_at_once(self):
        self.unit("one", SLEEP)
        calls = [self.bus.send("/org/reeve1", "org.reeve1.Manager", "Reload", "") for _ in range(50)]
        for call in calls:
            self.assertEqual(call.result(LONG), ([],))
        self.start("one")

    def test_hup(self):
        """Without a main job a HUP reads them again; with one it is the main job's."""
        self.unit("later", SLEEP)
        self.assertEqual(self.units.list(), {})
        self.reeve.signal(signal.SIGHUP)
        eventually(lambda: "later.service" in self.units.list(), 30, "the new unit is known")
        self.assertEqual(self.active("later"), "inactive")

    def test_memory(self):
        for i in range(100):
            self.unit(f"u{i}", SLEEP, f"Environment=A={'x' * 1000}")
        self.reload()
        before, fds = self.reeve.memory(), self.reeve.fds()
        for _ in range(100):
            self.reload()
        self.assert_memory(before, 2 * 1024 * 1024, timeout=10)
        self.assert_fds_back(fds)


class TestFolders(FreshUnitsCase):

    def test_precedence(self):
        reeve = self.prepared()
        second = f"{reeve.shared}/second"
        os.mkdir(second)
        reeve.args.append(f"--units={second}")
        reeve.folder.unit("both", "Type=oneshot", "ExecStart=/bin/echo first")
        reeve.folder.file("masked.service", "")
        os.mkdir(f"{second}/both.service.d")
        for name, text in {"both.service": "[Service]\nType=oneshot\nExecStart=/bin/echo second\n",
                           "masked.service": "[Service]\nExecStart=/bin/true\n", "own.service": "[Service]\nExecStart=/bin/sleep 1000\n",
                           "both.service.d/a.conf": "[Unit]\nDescription=dropped in\n"}.items():
            write_file(f"{second}/{name}", text)
        self.boot(reeve)
        self.assertEqual(set(reeve.units.list()), {"both.service", "own.service"})
        self.assertEqual(reeve.units.start("both"), job_path("both.service"))
        self.assertEqual(reeve.bus.output("both.service")[0], b"first\n")
        self.assertEqual(reeve.units.state("both")["Description"], "dropped in")
        self.assertEqual(reeve.units.state("own")["Path"], f"{second}/own.service")

    def test_the_default_folders(self):
        reeve = self.prepared(prepare="mkdir -p /run/reeve/units; printf '[Service]\\nExecStart=/bin/sleep 1000\\n"
                                      "[Install]\\nWantedBy=default\\n' >/run/reeve/units/here.service")
        reeve.args.pop(0)
        self.boot(reeve)
        reeve.units.wait("here", "active")
        self.assertEqual(reeve.stop(), 0)

    def test_no_units(self):
        reeve = self.prepared("--no-units")
        reeve.folder.unit("boot", SLEEP, boot=True)
        self.boot(reeve)
        self.assertEqual(reeve.units.list(), {})
        self.assert_error("NotSupported", "--no-units", call=reeve.units.reload)
        for call in (reeve.units.start, reeve.units.stop, reeve.units.restart):
            self.assert_error("NoSuchUnit", call=lambda: call("boot"))
        self.assertEqual(reeve.processes(), [])

    def test_no_folder(self):
        reeve = self.prepared()
        os.rmdir(reeve.folder.path)
        self.boot(reeve)
        self.assertEqual(reeve.units.list(), {})
        os.mkdir(reeve.folder.path)
        reeve.folder.unit("new", SLEEP)
        reeve.units.reload()
        reeve.units.start("new")
        self.assertEqual(reeve.stop(), 0)
