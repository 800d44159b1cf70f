"""Every refusal is a typed error that names its cause, comes fast, and leaves nothing behind."""

import os

from case import BoxCase, Stopwatch
from client import JOB, MSEC, SEC, V, job_path
from rig import eventually

NOW = 10    # seconds that a refusal may take, on a machine with much else to do


class Refusals(BoxCase):
    """After each: no job, no scope, no process, no descriptor that was not there before."""

    def setUp(self):
        self.bus.ping()
        self.before = self.bus.properties()["NJobs"], self.bus.job_ids(), self.reeve.fds()

    def refused(self, name, *words, call):
        with Stopwatch() as watch:
            error = self.assert_error(name, *words, call=call)
        self.assertLess(watch.seconds, NOW)
        self.assertEqual((self.bus.property("NJobs"), self.bus.job_ids()), self.before[:2], "a job was left")
        eventually(lambda: not self.reeve.scopes() and not self.reeve.processes(), 5,
                   lambda: f"nothing is left: {self.reeve.scopes()} {self.reeve.describe(self.reeve.processes())}")
        self.assert_fds_back(self.before[2])
        return error

    def exec_refused(self, name, *words, argv=("/bin/true",), **options):
        """By Exec and by Start."""
        self.refused(name, *words, call=lambda: self.bus.exec(argv, **options))
        return self.refused(name, *words, call=lambda: self.bus.start(argv, **options))


class TestCommand(Refusals):

    def file(self, name, content, mode):
        """A file of the box."""
        path = f"/tmp/{name}"
        script = f"rm -rf {path}; cat >{path}; chmod {mode:o} {path}"
        id = self.bus.sh(script, StandardInput="data", StandardInputData=content).id
        self.bus.job(id, "Forget")
        self.before = self.bus.properties()["NJobs"], self.bus.job_ids(), self.reeve.fds()
        return path

    def test_not_found(self):
        self.exec_refused("CommandNotFound", "no-such-command", argv=["no-such-command", "x"])
        self.exec_refused("CommandNotFound", "/nonexistent/x", argv=["/nonexistent/x"])
        self.exec_refused("CommandNotFound", argv=["./nonexistent"])
        self.exec_refused("CommandNotFound", argv=["/etc/passwd/x"])

    def test_not_found_in_path_of_the_job(self):
        self.exec_refused("CommandNotFound", argv=["true"], Environment=["PATH=/nonexistent"])

    def test_not_executable(self):
        path = self.file("not-executable", b"#!/bin/sh\n", 0o644)
        self.exec_refused("CommandNotExecutable", path, argv=[path])

    def test_not_executable_in_path(self):
        self.file("not-executable", b"#!/bin/sh\n", 0o644)
        self.exec_refused("CommandNotExecutable", argv=["not-executable"], Environment=["PATH=/tmp"])

    def test_not_executable_for_that_user(self):
        path = self.file("root-only", b"#!/bin/sh\n", 0o700)
        self.exec_refused("CommandNotExecutable", argv=[path], User="box")

    def test_folder(self):
        self.exec_refused("CommandNotExecutable", argv=["/usr"])

    def test_not_a_program(self):
        path = self.file("not-a-program", b"\0\1\2\3 no format that the kernel knows", 0o755)
        self.exec_refused("CommandNotExecutable", argv=[path])
        # A script without its first line: a shell would run it, exec does not.
        path = self.file("no-shebang", b"echo hi\n", 0o755)
        self.exec_refused("CommandNotExecutable", argv=[path])
        self.exec_refused("CommandNotExecutable", argv=[self.file("empty", b"", 0o755)])

    def test_bad_interpreter(self):
        path = self.file("bad-interpreter", b"#!/nonexistent/interpreter -x\n", 0o755)
        self.exec_refused("CommandNotExecutable", "/nonexistent/interpreter", argv=[path])

    def test_busy_text_file(self):
        writer = self.bus.start_sh("cp /bin/true /tmp/busy; chmod 755 /tmp/busy; exec 9>>/tmp/busy; echo ready; sleep 100")
        self.bus.wait_for_output(writer.id, b"ready")
        for call in (self.bus.exec, self.bus.start):
            self.assert_error("CommandNotExecutable", "/tmp/busy", call=lambda call=call: call(["/tmp/busy"]))
        self.assertEqual(self.bus.job_ids(State="running"), [writer.id])
        eventually(lambda: len(self.reeve.scopes()) == 1, 5, lambda: f"one scope is left: {self.reeve.scopes()}")
        self.bus.stop({"Id": writer.id}, TimeoutStopUSec=0)
        self.assert_outcome(self.bus.exec(["/tmp/busy"]), "success")

    def test_loop_of_links(self):
        id = self.bus.sh("ln -sf loop2 /tmp/loop1; ln -sf loop1 /tmp/loop2").id
        self.bus.job(id, "Forget")
        self.setUp()
        self.exec_refused("CommandNotExecutable", argv=["/tmp/loop1"])

    def test_argument_list_too_long(self):
        error = self.exec_refused("StartFailed", "E2BIG", argv=["/bin/true"] + ["x" * 100000] * 40)
        self.assertRegex(error.message, r"^\S.*: .* \(7 E2BIG\)$")

    def test_empty_argv(self):
        self.exec_refused("InvalidArgs", "argv", argv=[])

    def test_id_of_a_refused_one_is_free(self):
        self.exec_refused("CommandNotFound", argv=["nix-da"], Id="again")
        self.assert_outcome(self.bus.exec(["true"], Id="again"), "success")

    def test_retry_at_once(self):
        """The same Id again and again: each time the true reason, not what the last try has left to be cleaned up."""
        for _ in range(50):
            self.assert_error("CommandNotFound", call=lambda: self.bus.exec(["/nonexistent"], Id="retry"))
        self.assert_outcome(self.bus.exec(["true"], Id="retry"), "success")

    def test_many_refusals_leak_nothing(self):
        memory = self.reeve.memory()
        pending = [self.bus.exec_later([f"/nonexistent/{i}"]) for i in range(500)]
        for one in pending:
            self.assert_error("CommandNotFound", call=one.result)
        self.assert_fds_back(self.before[2])
        self.assertEqual(self.bus.property("NJobs"), self.before[0])
        self.assert_memory(memory, 8 << 20)

    def test_a_refused_start_is_not_announced(self):
        seen = len(self.bus.signals)
        self.exec_refused("CommandNotFound", argv=["nix"])
        self.bus.ping()
        self.assertEqual([s.member for s in self.bus.signals[seen:] if s.member in ("JobNew", "JobFinished")], [])


class TestDirectoryAndUser(Refusals):

    def test_directory(self):
        self.exec_refused("BadWorkingDirectory", "/nonexistent", WorkingDirectory="/nonexistent")
        self.exec_refused("BadWorkingDirectory", "/etc/passwd", WorkingDirectory="/etc/passwd")
        self.exec_refused("BadWorkingDirectory", WorkingDirectory="relative/nonexistent")

    def test_forbidden_directory(self):
        id = self.bus.sh("mkdir -p -m 700 /tmp/closed").id
        self.bus.job(id, "Forget")
        self.setUp()
        self.exec_refused("BadWorkingDirectory", "/tmp/closed", WorkingDirectory="/tmp/closed", User="box")

    def test_user(self):
        self.exec_refused("NoSuchUser", "nobody-of-this-name", User="nobody-of-this-name")
        self.exec_refused("NoSuchUser", "no-such-group", Group="no-such-group")
        self.exec_refused("NoSuchUser", "no-such-group", SupplementaryGroups=["daemon", "no-such-group"])

    def test_wrong_before_missing(self):
        """Several at once: one typed error still, and nothing is left."""
        self.exec_refused("InvalidArgs", "Nice", argv=["nix"], Nice=99, WorkingDirectory="/nonexistent", User="nix")


class TestInvalidOptions(Refusals):

    def invalid(self, key, value=None, **more):
        self.exec_refused("InvalidArgs", key, **{key: value}, **more)

    def test_unknown_key(self):
        self.invalid("NoSuchOption", V("s", "x"))
        self.invalid("id", V("s", "x"))
        self.invalid("Workingdirectory", V("s", "/"))
        self.invalid("", V("s", "/"))

    def test_wrong_type(self):
        for key, signature, value in (
                ("Id", "u", 1), ("Session", "as", ["x"]), ("Labels", "as", ["x"]), ("Labels", "a{sv}", {}),
                ("Environment", "s", "A=b"), ("Environment", "ay", b"A=b"), ("UMask", "i", 0), ("UMask", "t", 0),
                ("Nice", "u", 1), ("MergeOutput", "u", 1), ("MergeOutput", "s", "yes"), ("RuntimeMaxUSec", "u", 1),
                ("RuntimeMaxUSec", "x", 1), ("LimitNOFILE", "u", 1), ("StandardInputData", "s", "x"),
                ("KillSignal", "s", "SIGTERM"), ("Text", "i", 1), ("OutputMaxBytes", "u", 1), ("KillMode", "i", 1),
                ("CapabilityBoundingSet", "t", 0), ("User", "u", 0), ("WorkingDirectory", "ay", b"/"),
                ("Description", "v", ("s", "x"))):
            with self.subTest(key=key, signature=signature):
                self.setUp()
                self.invalid(key, V(signature, value))

    def test_out_of_range(self):
        for key, values in {
                "Id": ("", "x" * 65, "a/b", "a b", "ä", "a\n"), "UMask": (0o1000, 0o10000, 2 ** 32 - 1),
                "Nice": (20, -21, 2 ** 31 - 1), "OOMScoreAdjust": (1001, -1001), "KillSignal": (0, -1, 65),
                "KillMode": ("", "process", "none", "Control-Group"), "StandardInput": ("", "file", "tty"),
                "OutputMaxBytes": ((16 << 20) + 1, 2 ** 64 - 1), "LogMaxBytes": (0, 65535, 1 << 40),
                "CapabilityBoundingSet": (["CAP_NO_SUCH"], ["NET_ADMIN CAP_KILL"], [""]),
                "Environment": (["NOEQUALS"], ["=x"], ["1A=x"], ["A-B=x"], ["A B=x"], ["OK=1", "BAD"]),
                "UnsetEnvironment": (["A=b"], [""]),
                "Session": ("a/b", "", "x" * 300)}.items():
            for value in values:
                with self.subTest(key=key, value=value):
                    self.setUp()
                    self.invalid(key, value)

    def test_contradictions(self):
        with self.subTest("data for /dev/null"):
            self.exec_refused("InvalidArgs", "StandardInput", StandardInput="null", StandardInputData=b"x")
        with self.subTest("a terminal and data"):
            self.exec_refused("InvalidArgs", "StandardInput", TTY=True, StandardInput="data", StandardInputData=b"x")
        with self.subTest("a terminal and its size"):
            for key, value in {"TTYRows": 10, "TTYColumns": 10, "Term": "vt100"}.items():
                self.invalid(key, value)
        with self.subTest("a terminal and another output"):
            self.exec_refused("InvalidArgs", "MergeOutput", TTY=True, MergeOutput=False)
            self.exec_refused("InvalidArgs", "Tee", Tee=True)
            self.exec_refused("InvalidArgs", "Tee", TTY=True, Tee=True)
            with open(os.devnull, "r+b") as null:
                for key in ("StandardInputFileDescriptor", "StandardOutputFileDescriptor", "StandardErrorFileDescriptor"):
                    self.exec_refused("InvalidArgs", key, **{"TTY": True, key: null})
                self.exec_refused("InvalidArgs", "StandardInputFileDescriptor", StandardInput="null",
                                  StandardInputFileDescriptor=null)
                self.exec_refused("InvalidArgs", "MergeOutput", MergeOutput=True, StandardErrorFileDescriptor=null)

    def test_start_only_and_exec_only(self):
        for key, value in {"Restart": "always", "RestartUSec": 1, "RestartMaxDelayUSec": 1, "StartLimitBurst": 1,
                           "StartLimitIntervalUSec": 1, "InitialOutputUSec": 1}.items():
            with self.subTest(key=key):
                self.refused("InvalidArgs", key, call=lambda: self.bus.exec(["true"], **{key: value}))

    def test_restart_values(self):
        self.refused("InvalidArgs", "Restart", call=lambda: self.bus.start(["true"], Restart="sometimes"))

    def test_a_key_twice(self):
        self.refused("InvalidArgs", "Nice", call=lambda: self.bus.manager(
            "Exec", "asa{sv}", ["true"], [("Nice", ("i", 1)), ("Nice", ("i", 2))]))

    def test_nul_free_strings_only(self):
        """A relative id of another job is no way around the check of the characters."""
        self.invalid("Id", "../x")


class TestNotYet(Refusals):
    """Keys of the contract whose time has not come: NotSupported with the key's name; never silently dropped."""

    def not_supported(self, key, value, start_only=False):
        with self.subTest(key=key, value=value):
            self.setUp()
            if not start_only:
                self.refused("NotSupported", key, call=lambda: self.bus.exec(["true"], **{key: value}))
            self.refused("NotSupported", key, call=lambda: self.bus.start(["true"], **{key: value}))

    def test_each(self):
        for key in ("MemoryMax", "MemoryHigh", "MemorySwapMax", "TasksMax", "CPUQuotaPerSecUSec", "CPUWeight", "IOWeight"):
            # A limit that a controller has to keep, where there is none.
            if not self.bus.property("Controllers"):
                self.not_supported(key, 1000)
        self.not_supported("ControlAccess", "none")

    def test_wrong_is_said_before_impossible(self):
        self.exec_refused("InvalidArgs", "Nix", ControlAccess="none", Nix=V("s", ""))
        self.exec_refused("InvalidArgs", "Nice", ControlAccess="none", Nice=77)
        self.exec_refused("InvalidArgs", "TTY", TTY=V("s", "yes"))


class TestObjects(Refusals):

    def test_unknown_job(self):
        self.refused("NoSuchJob", "nix", call=lambda: self.bus.manager("GetJob", "s", "nix"))
        self.refused("NoSuchJob", "nix", call=lambda: self.bus.kill(15, Id="nix"))
        self.refused("NoSuchJob", "nix", call=lambda: self.bus.stop({"Id": "nix"}))
        self.refused("UnknownObject", call=lambda: self.bus.output("nix"))
        self.refused("UnknownObject", call=lambda: self.bus.properties("nix"))
        self.refused("UnknownObject", call=lambda: self.bus.wait("nix"))

    def test_unknown_session(self):
        self.refused("NoSuchSession", "nix", call=lambda: self.bus.kill(15, Session="nix"))
        self.refused("NoSuchSession", "nix", call=lambda: self.bus.stop({"Session": "nix"}))

    def test_unknown_process(self):
        for pid in (1, 4000000, 2 ** 32 - 1, 0):
            self.refused("NoSuchProcess", call=lambda pid=pid: self.bus.manager("GetJobByPID", "u", pid))
        self.refused("NoSuchProcess", call=lambda: self.bus.kill(15, PID=4000000))
        self.refused("NoSuchProcess", call=lambda: self.bus.stop({"PID": 4000000}))

    def test_shutdown_arguments(self):
        self.refused("InvalidArgs", call=lambda: self.bus.manager("Shutdown", "si", "explode", 0))
        for code in (-1, 256):
            self.refused("InvalidArgs", call=lambda code=code: self.bus.manager("Shutdown", "si", "exit", code))
        for action in ("poweroff", "reboot", "halt"):
            self.refused("NotSupported", call=lambda action=action: self.bus.manager("Shutdown", "si", action, 0))
        self.assertEqual(self.bus.property("State"), "running")

    def test_read_only_properties(self):
        self.refused("PropertyReadOnly", call=lambda: self.bus.set_property("State", "s", "stopping"))
        self.refused("InvalidArgs", call=lambda: self.bus.set_property("LogMaxBytes", "s", "much"))


class TestOptionsOfOthers(BoxCase):
    """The options of the methods of a job, and selectors: as strict as those of Exec."""

    def setUp(self):
        self.one = self.bus.start_sh("echo hello; sleep 100").id

    def invalid(self, *words, call):
        self.assert_error("InvalidArgs", *words, call=call)

    def test_get_output(self):
        self.invalid("Nix", call=lambda: self.bus.output(self.one, Nix=V("s", "")))
        self.invalid("Lines", call=lambda: self.bus.output(self.one, Lines=V("u", 1)))
        self.invalid("Streams", call=lambda: self.bus.output(self.one, Streams=["stdin"]))

    def test_read_log(self):
        self.invalid("Nix", call=lambda: self.bus.log(self.one, "", Nix=V("s", "")))
        self.invalid("MaxBytes", call=lambda: self.bus.log(self.one, "", MaxBytes=(8 << 20) + 1))
        self.invalid("Streams", call=lambda: self.bus.log(self.one, "", Streams=["out"]))
        self.invalid("WaitUSec", call=lambda: self.bus.log(self.one, "", WaitUSec=V("i", 1)))

    def test_wait(self):
        self.invalid("Nix", call=lambda: self.bus.job(self.one, "Wait", "a{sv}t", {"Nix": ("b", True)}, 0))
        self.invalid("Exited", call=lambda: self.bus.job(self.one, "Wait", "a{sv}t", {"Exited": ("s", "yes")}, 0))
        self.invalid(call=lambda: self.bus.job(self.one, "Wait", "a{sv}t", {}, 0))

    def test_kill(self):
        for signal in (0, -1, 65, 1000):
            self.invalid(call=lambda signal=signal: self.bus.kill(signal, Id=self.one))
            self.invalid(call=lambda signal=signal: self.bus.job(self.one, "Kill", "si", "all", signal))
        self.invalid(call=lambda: self.bus.kill(15))
        self.invalid("Nix", call=lambda: self.bus.kill(15, Nix=V("s", "")))
        self.invalid("Whom", call=lambda: self.bus.kill(15, whom="nobody", Id=self.one))
        self.invalid("Whom", call=lambda: self.bus.kill(15, whom="process", Id=self.one))
        self.invalid(call=lambda: self.bus.job(self.one, "Kill", "si", "nobody", 15))
        self.invalid("Pattern", call=lambda: self.bus.kill(15, Pattern="("))
        self.invalid("State", call=lambda: self.bus.kill(15, State="happy"))
        self.invalid("Usage", call=lambda: self.bus.kill(15, Usage=True))
        self.assertEqual(self.bus.property("State", self.one), "running")

    def test_stop(self):
        self.invalid(call=lambda: self.bus.stop({}))
        self.invalid("Nix", call=lambda: self.bus.stop({"Id": self.one}, Nix=V("s", "")))
        self.invalid("Signal", call=lambda: self.bus.stop({"Id": self.one}, Signal=0))
        self.invalid("Signal", call=lambda: self.bus.stop({"Id": self.one}, Signal=65))
        self.invalid("TimeoutStopUSec", call=lambda: self.bus.stop({"Id": self.one}, TimeoutStopUSec=V("u", 1)))
        self.assertEqual(self.bus.property("State", self.one), "running")

    def test_list(self):
        self.invalid("Nix", call=lambda: self.bus.jobs(Nix=V("s", "")))
        self.invalid("Pattern", call=lambda: self.bus.jobs(Pattern="*("))
        self.invalid("State", call=lambda: self.bus.jobs(State="happy"))
        self.invalid("Label", call=lambda: self.bus.jobs(Label="no-equals"))
        self.invalid("Usage", call=lambda: self.bus.jobs(Usage=V("u", 1)))

    def test_forget_a_running_job(self):
        self.assert_error("JobRunning", call=lambda: self.bus.job(self.one, "Forget"))
        self.assertEqual(self.bus.property("State", self.one), "running")

    def test_wait_times_out(self):
        with Stopwatch() as watch:
            self.assert_error("Timeout", call=lambda: self.bus.wait_later(self.one, "Exited", 300 * MSEC).result())
        self.assert_between(0.3, watch.seconds, 10)
        with Stopwatch() as watch:
            self.assert_error("Timeout", call=lambda: self.bus.wait_later(self.one, "Finished", 0).result())
        self.assertLess(watch.seconds, NOW)

    def test_bad_cursors(self):
        good = self.bus.log(self.one, "", WaitUSec=10 * SEC).next
        other = self.bus.start_sh("echo other; sleep 100").id
        self.bus.wait_for_output(other, b"other")
        self.assert_error("BadCursor", call=lambda: self.bus.log(other, good))
        for cursor in ("garbage", " ", "0", "-1", "TAIL", good + "x", good[:-1] + "\x01", "x" * 5000, "tail ", "é"):
            with self.subTest(cursor=cursor):
                self.assert_error("BadCursor", call=lambda: self.bus.log(self.one, cursor))

    def test_mangled_cursors(self):
        """Whatever becomes of a cursor: an answer, never a hang, never an end."""
        good = self.bus.log(self.one, "", WaitUSec=10 * SEC).next
        calls = []
        for i, c in enumerate(good):
            for new in ("0", "9", "f", "", ";", c + c, "-"):
                calls.append(self.bus.log_later(self.one, good[:i] + new + good[i + 1:]))
        for call in calls:
            try:
                log = call.result(10)
                self.assertLessEqual(len(log.records), 1)
            except Exception as e:  # pylint: disable=broad-except
                self.assertEqual(getattr(e, "name", e), "org.reeve1.Error.BadCursor")

    def test_no_method_of_a_finished_job_hangs(self):
        id = self.bus.sh("echo done").id
        self.assertEqual(self.bus.job(id, "Kill", "si", "all", 15), ([],))
        self.assertEqual(self.bus.job(id, "Stop", "a{sv}", {}), ([], 0))
        self.assertEqual(self.bus.wait(id, "Exited Drained Finished")[1]["Result"], "success")

    def test_wrong_path(self):
        self.assert_error("UnknownObject", call=lambda: self.bus.call(job_path("x") + "/y", JOB, "Forget"))
