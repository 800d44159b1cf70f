"""Exec: what the command gets is what was asked for, and what comes back is what it wrote."""

import os
import time

from case import BoxCase, FreshCase, Stopwatch
from client import MSEC, SEC

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class TestArguments(BoxCase):

    def check(self, *args):
        outcome = self.bus.exec(self.reeve.payload("args", *args))
        self.assert_outcome(outcome, "success")
        self.assertEqual(outcome.stdout, "".join(arg + "\0" for arg in args).encode())

    def test_exact(self):
        self.check("a", "b c", "", "  ", "")

    def test_what_shells_and_units_would_eat(self):
        self.check("$HOME", "${HOME}", "$$", "%n %i %%", "\"quoted\"", "'single'", "back\\slash", "new\nline", "tab\t",
                   "*", "~", ";", "&", "|", "#", "-", "--", "@x", "+x", "!x", "\x01\x7f")

    def test_unicode(self):
        self.check("schön", "日本語", "\U0001f600", "\ufffd")

    def test_long(self):
        self.check("x" * 100000, "y")

    def test_many(self):
        self.check(*[str(i) for i in range(5000)])

    def test_argv0_is_looked_up_in_path(self):
        for argv in (["echo", "hi"], ["/bin/echo", "hi"]):
            self.assertEqual(self.bus.exec(argv).stdout, b"hi\n")

    def test_argv0_is_looked_up_in_path_of_the_job(self):
        script = "mkdir -p /tmp/bin1 && printf '#!/bin/sh\\necho mine $0\\n' >/tmp/bin1/frob && chmod 755 /tmp/bin1/frob"
        self.assert_outcome(self.bus.sh(script), "success")
        outcome = self.bus.exec(["frob"], Environment=["PATH=/nonexistent:/tmp/bin1:/bin"])
        self.assertEqual(outcome.stdout, b"mine /tmp/bin1/frob\n")
        self.assert_error("CommandNotFound", call=lambda: self.bus.exec(["frob"]))

    def test_argv0_with_a_slash_is_relative_to_the_directory(self):
        self.bus.sh("mkdir -p /tmp/bin2 && printf '#!/bin/sh\\necho here\\n' >/tmp/bin2/frob && chmod 755 /tmp/bin2/frob")
        self.assertEqual(self.bus.exec(["./frob"], WorkingDirectory="/tmp/bin2").stdout, b"here\n")

    def test_argv0_is_kept(self):
        self.assertEqual(self.bus.exec(["sh", "-c", "cat /proc/$$/cmdline"]).stdout.split(b"\0")[0], b"sh")


class TestReply(BoxCase):

    def test_streams_apart(self):
        outcome = self.bus.sh("echo out; echo err >&2; exit 7")
        self.assert_outcome(outcome, "exit-code", 7)
        self.assertEqual((outcome.stdout, outcome.stderr), (b"out\n", b"err\n"))

    def test_details(self):
        before = time.time_ns() // 1000
        outcome = self.bus.sh("printf 12345; printf 123 >&2; echo $$ >&2")
        after = time.time_ns() // 1000
        d = outcome.details
        self.assertEqual((d["StdoutBytes"], d["Truncated"], d["TasksRemaining"]), (5, False, 0))
        self.assertEqual(d["StderrBytes"], len(outcome.stderr))
        self.assertEqual(int(outcome.stderr[3:]), d["PID"])
        self.assertLessEqual(before, d["StartTimestamp"])
        self.assertLessEqual(d["StartTimestamp"], d["ExitTimestamp"])
        self.assertLessEqual(d["ExitTimestamp"], after)
        self.assertIn("MemoryPeak", d)
        self.assert_between(1, d["CPUUsageNSec"], 10 ** 10)
        self.assertEqual(d["LogCursor"], self.bus.property("LogCursor", outcome.id))
        self.assertNotIn("StdoutText", d)

    def test_newest_bytes_when_it_is_too_much(self):
        outcome = self.bus.exec(self.reeve.payload("pattern", 100000), OutputMaxBytes=1000)
        self.assertEqual(len(outcome.stdout), 1000)
        self.assertTrue(outcome.stdout.endswith(b"000000000006249\n"), outcome.stdout[-50:])
        self.assertEqual((outcome.details["StdoutBytes"], outcome.details["Truncated"]), (100000, True))
        # The rest stays readable in the log.
        out, _, details = self.bus.output(outcome.id)
        self.assertEqual((len(out), details["LostBytes"], details["CutBytes"]), (100000, 0, 0))

    def test_limit_is_each_streams(self):
        outcome = self.bus.exec(self.reeve.payload("both", 50000), OutputMaxBytes=50000)
        self.assertEqual((outcome.stdout.count(b"o"), outcome.stderr.count(b"e")), (49950, 49950))
        self.assertFalse(outcome.details["Truncated"])

    def test_no_output_wanted(self):
        outcome = self.bus.sh("echo hello", OutputMaxBytes=0)
        self.assertEqual((outcome.stdout, outcome.details["StdoutBytes"], outcome.details["Truncated"]), (b"", 6, True))

    def test_sixteen_mebibytes(self):
        size = 16 << 20
        outcome = self.bus.exec(self.reeve.payload("pattern", size), OutputMaxBytes=size, LogMaxBytes=64 << 20)
        self.assertEqual((len(outcome.stdout), outcome.details["Truncated"]), (size, False))
        self.assertTrue(outcome.stdout.endswith(b"%015d\n" % (size // 16 - 1)))

    def test_default_limit_is_a_mebibyte(self):
        outcome = self.bus.exec(self.reeve.payload("pattern", 3 << 20), LogMaxBytes=16 << 20)
        self.assertEqual((len(outcome.stdout), outcome.details["Truncated"]), (1 << 20, True))

    def test_text(self):
        outcome = self.bus.sh("printf 'gr\\303\\274n \\377 \\303'; printf 'a\\200b' >&2", Text=True)
        self.assertEqual((outcome.stdout, outcome.stderr), (b"", b""))
        self.assertEqual(outcome.details["StdoutText"], "grün \ufffd \ufffd")
        self.assertEqual(outcome.details["StderrText"], "a\ufffdb")
        # Bytes counts are of the bytes.
        self.assertEqual((outcome.details["StdoutBytes"], outcome.details["StderrBytes"]), (9, 3))

    def test_text_with_what_dbus_strings_cannot_hold(self):
        """NUL, surrogates, over-long forms and code points past the last."""
        outcome = self.bus.sh("printf 'a\\000b\\355\\240\\200c\\300\\257d\\364\\220\\200\\200e'", Text=True)
        text = outcome.details["StdoutText"]
        self.assertEqual([c for c in text if c != "\ufffd"], list("abcde"))
        for one, next in zip("abcd", "bcde"):
            self.assertIn("\ufffd", text[text.index(one):text.index(next)])

    def test_merge_output_keeps_order(self):
        script = "i=0; while [ $i -lt 200 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done"
        outcome = self.bus.sh(script, MergeOutput=True)
        self.assertEqual(outcome.stdout, b"".join(b"o%d\ne%d\n" % (i, i) for i in range(200)))
        self.assertEqual((outcome.stderr, outcome.details["StderrBytes"]), (b"", 0))
        self.assertEqual({record.stream for record in self.bus.log(outcome.id).records if record.stream != 3}, {1})

    def test_no_output(self):
        outcome = self.bus.exec(["true"])
        self.assertEqual((outcome.stdout, outcome.stderr, outcome.details["StdoutBytes"]), (b"", b"", 0))

    def test_closed_streams(self):
        """EOF on both pipes is not the end of the command."""
        with Stopwatch() as watch:
            outcome = self.bus.sh("exec >&- 2>&-; sleep 0.5; exit 4")
        self.assert_outcome(outcome, "exit-code", 4)
        self.assertGreaterEqual(watch.seconds, 0.5)


class TestStandardInput(BoxCase):

    def test_null_is_the_default(self):
        for options in ({}, {"StandardInput": "null"}):
            outcome = self.bus.sh("readlink /proc/self/fd/0; cat", **options)
            self.assertEqual(outcome.stdout, b"/dev/null\n")

    def test_data(self):
        outcome = self.bus.exec(["cat"], StandardInput="data", StandardInputData=b"line\n\0\xff")
        self.assertEqual(outcome.stdout, b"line\n\0\xff")

    def test_empty_data(self):
        self.assert_outcome(self.bus.exec(["cat"], StandardInput="data", StandardInputData=b""), "success")

    def test_much_data(self):
        """More than any pipe holds, to one that reads and writes, and to one that never reads."""
        data = os.urandom(1 << 20) * 4
        outcome = self.bus.exec(["cat"], StandardInput="data", StandardInputData=data, OutputMaxBytes=len(data),
                                LogMaxBytes=16 << 20)
        self.assertTrue(outcome.stdout == data, len(outcome.stdout))
        self.assert_outcome(self.bus.exec(["true"], StandardInput="data", StandardInputData=data), "success")

    def test_data_to_one_that_reads_late(self):
        data = os.urandom(300000)
        outcome = self.bus.sh("sleep 0.3; md5sum", StandardInput="data", StandardInputData=data)
        import hashlib
        self.assertEqual(outcome.stdout.split()[0].decode(), hashlib.md5(data).hexdigest())


class TestSurroundings(BoxCase):
    """Environment, directory and whatever else a process is born with."""

    options = {"env": {"PATH": DEFAULT_PATH, "FROM_REEVE": "a b\n", "NOTIFY_SOCKET": "/nowhere", "LISTEN_FDS": "1",
                       "LISTEN_PID": "1", "LISTEN_FDNAMES": "x", "WATCHDOG_USEC": "9", "WATCHDOG_PID": "1",
                       "CREDENTIALS_DIRECTORY": "/c", "MAINPID": "1", "OVERRIDE": "container"},
               "cwd": "/var/tmp"}

    def environment(self, argv=("/usr/bin/env", "-0"), **options):
        outcome = self.bus.exec(list(argv), **options)
        self.assert_outcome(outcome, "success")
        pairs = [pair.split("=", 1) for pair in outcome.stdout.decode().split("\0")[:-1]]
        names = [pair[0] for pair in pairs]
        self.assertEqual(len(names), len(set(names)), f"a name twice: {names}")
        return dict(pairs), outcome

    def test_environment(self):
        env, outcome = self.environment()
        self.assertEqual(env, {"PATH": DEFAULT_PATH, "FROM_REEVE": "a b\n", "OVERRIDE": "container",
                               "REEVE_JOB": outcome.id, "REEVE_SESSION": "default"})

    def test_environment_option(self):
        env, _ = self.environment(Environment=["NEW=1", "OVERRIDE=option", "EMPTY=", "TWICE=1", "TWICE=2", "EQ=a=b=c",
                                               "SPACE= x ", "UTF=ö", "_x9=y"])
        for name, value in {"NEW": "1", "OVERRIDE": "option", "EMPTY": "", "TWICE": "2", "EQ": "a=b=c", "SPACE": " x ",
                            "UTF": "ö", "_x9": "y", "FROM_REEVE": "a b\n"}.items():
            self.assertEqual(env[name], value)

    def test_options_come_last(self):
        env, _ = self.environment(Environment=["REEVE_JOB=mine", "PATH=/bin", "HOME=/h"], User="box")
        self.assertEqual((env["REEVE_JOB"], env["PATH"], env["HOME"]), ("mine", "/bin", "/h"))

    def test_unset_environment(self):
        env, _ = self.environment(UnsetEnvironment=["FROM_REEVE", "NEVER_SET"])
        self.assertNotIn("FROM_REEVE", env)
        self.assertIn("OVERRIDE", env)

    def test_user_brings_home(self):
        env, _ = self.environment(User="box")
        self.assertEqual({name: env.get(name) for name in ("HOME", "USER", "LOGNAME", "SHELL")},
                         {"HOME": "/home/box", "USER": "box", "LOGNAME": "box", "SHELL": "/bin/bash"})

    def test_session_is_named(self):
        env, _ = self.environment(Session="second")
        self.assertEqual(env["REEVE_SESSION"], "second")

    def test_directory(self):
        self.assertEqual(self.bus.exec(["pwd"]).stdout, b"/var/tmp\n")
        self.assertEqual(self.bus.exec(["pwd"], WorkingDirectory="/usr").stdout, b"/usr\n")
        self.bus.sh("mkdir -p /tmp/d/e")
        self.assertEqual(self.bus.exec(["pwd"], WorkingDirectory="../..").stdout, b"/\n")
        self.assertEqual(self.bus.exec(["pwd"], WorkingDirectory="../../tmp/d/./e").stdout, b"/tmp/d/e\n")

    def test_descriptors(self):
        """0, 1 and 2, and nothing of reeve's, which has some open."""
        with self.reeve.connect():
            self.bus.start_sh("sleep 100")
            outcome = self.bus.exec(self.reeve.payload("fds"))
        self.assertEqual(outcome.stdout, b"0 1 2 \n")

    def test_signals_are_default(self):
        text = self.bus.exec(["cat", "/proc/self/status"]).stdout.decode()
        status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        for key in ("SigBlk", "SigIgn", "ShdPnd", "SigPnd"):
            self.assertEqual(int(status[key], 16), 0, key)

    def test_stdout_can_be_reopened(self):
        """/dev/stdout is opened by scripts; a socket could not be."""
        outcome = self.bus.sh("echo out >/dev/stdout; echo err >/dev/stderr")
        self.assertEqual((outcome.stdout, outcome.stderr), (b"out\n", b"err\n"))

    def test_process_group_of_its_own(self):
        """A signal that a job sends to its group is its own affair."""
        other = self.bus.start_sh("sleep 100")
        self.assert_outcome(self.bus.sh("kill -KILL 0; sleep 10"), "signal", signal=9)
        self.assertEqual(self.bus.property("State", other.id), "running")

    def test_stdio_is_not_a_terminal(self):
        self.assertEqual(self.bus.sh("for i in 0 1 2; do [ -t $i ] && echo tty; done; echo none").stdout, b"none\n")


class TestNoPath(BoxCase):

    options = {"env": {}}

    def test_path_where_none_is_set(self):
        self.assertIn(f"PATH={DEFAULT_PATH}", self.bus.exec(["env"]).stdout.decode().split("\n"))

    def test_path_unset_by_the_job_is_the_default_for_the_look_up(self):
        self.assertEqual(self.bus.exec(["echo", "hi"]).stdout, b"hi\n")


class TestCredentials(BoxCase):

    def ids(self, **options):
        return self.bus.sh("echo $(id -u) $(id -g) $(id -G)", **options).stdout.decode().split()

    def test_default_is_reeves(self):
        self.assertEqual(self.ids()[:2], ["0", "0"])

    def test_user(self):
        """Its group and the groups that /etc/group gives it, as systemd.exec(5) says."""
        ids = self.ids(User="box")
        self.assertEqual((ids[:2], sorted(ids[2:])), (["4242", "4242"], ["4242", "4243"]))

    def test_user_by_number(self):
        self.assertEqual(self.ids(User="4242")[:2], ["4242", "4242"])

    def test_user_by_a_number_that_has_no_name(self):
        outcome = self.bus.exec(["id", "-u"], User="31337", Group="31338")
        self.assertEqual(outcome.stdout, b"31337\n")

    def test_group(self):
        self.assertEqual(self.ids(User="box", Group="daemon")[:2], ["4242", "1"])
        self.assertEqual(self.ids(Group="crate")[:2], ["0", "4243"])
        self.assertEqual(self.ids(User="box", Group="4244")[:2], ["4242", "4244"])

    def test_supplementary_groups(self):
        ids = self.ids(User="box", SupplementaryGroups=["carton", "1"])
        self.assertTrue({"4244", "1", "4242"} <= set(ids[2:]), ids)

    def test_user_of_the_job_is_told(self):
        job = self.bus.start(["sleep", "100"], User="box")
        self.assertEqual(self.bus.property("User", job.id), "box")

    def test_output_of_another_user_reaches_us(self):
        outcome = self.bus.sh("echo out >/dev/stdout; echo err >/dev/stderr", User="box")
        self.assertEqual((outcome.exit_code, outcome.stdout, outcome.stderr), (0, b"out\n", b"err\n"))

    def test_root_loses_its_capabilities_with_its_uid(self):
        text = self.bus.exec(["grep", "^Cap", "/proc/self/status"], User="box").stdout.decode()
        caps = dict(line.split(":\t") for line in text.splitlines())
        self.assertEqual((int(caps["CapEff"], 16), int(caps["CapPrm"], 16)), (0, 0))

    def test_capability_bounding_set(self):
        text = self.bus.exec(["grep", "^Cap", "/proc/self/status"],
                             CapabilityBoundingSet=["CAP_NET_BIND_SERVICE", "CAP_KILL"]).stdout.decode()
        caps = {key: int(value, 16) for key, value in (line.split(":\t") for line in text.splitlines())}
        self.assertEqual(caps["CapBnd"], 1 << 10 | 1 << 5)
        self.assertEqual(caps["CapEff"], 1 << 10 | 1 << 5)

    def test_no_capabilities(self):
        text = self.bus.exec(["grep", "^CapBnd", "/proc/self/status"], CapabilityBoundingSet=[]).stdout
        self.assertEqual(int(text.split()[1], 16), 0)

    def test_what_only_root_may_is_done_before_the_user(self):
        outcome = self.bus.sh("nice; cat /proc/self/oom_score_adj; ulimit -n; id -un", Nice=-5, OOMScoreAdjust=300,
                              LimitNOFILE=77, User="box", NoNewPrivileges=True, CapabilityBoundingSet=["CAP_KILL"])
        self.assertEqual(outcome.stdout, b"-5\n300\n77\nbox\n", outcome.stderr)

    def test_no_new_privileges(self):
        for value in (True, False):
            text = self.bus.exec(["grep", "^NoNewPrivs", "/proc/self/status"], NoNewPrivileges=value).stdout
            self.assertEqual(int(text.split()[1]), int(value))


class TestKnobs(BoxCase):

    def test_umask(self):
        for umask in (0o077, 0, 0o777):
            self.assertEqual(int(self.bus.sh("umask", UMask=umask).stdout, 8), umask)
        self.assertEqual(int(self.bus.sh("umask").stdout, 8), 0o022)

    def test_nice(self):
        for nice in (7, 19, -5, 0):
            self.assertEqual(int(self.bus.exec(["nice"], Nice=nice).stdout), nice)

    def test_oom_score_adjust(self):
        self.assertEqual(int(self.bus.exec(["cat", "/proc/self/oom_score_adj"], OOMScoreAdjust=500).stdout), 500)

    def test_limits(self):
        """Soft and hard."""
        for option, letter, value, unit in (
                ("LimitNOFILE", "n", 1000, 1), ("LimitNPROC", "u", 1000, 1), ("LimitCPU", "t", 1000, 1),
                # What bash counts in KiB.
                ("LimitCORE", "c", 1 << 20, 1024), ("LimitFSIZE", "f", 1 << 20, 1024), ("LimitAS", "v", 1 << 30, 1024),
                ("LimitSTACK", "s", 1 << 20, 1024), ("LimitMEMLOCK", "l", 1 << 20, 1024)):
            outcome = self.bus.exec(["bash", "-c", f"ulimit -S{letter}; ulimit -H{letter}"], **{option: value})
            self.assertEqual([int(word) * unit for word in outcome.stdout.split()], [value, value], option)

    def test_infinity(self):
        outcome = self.bus.exec(["bash", "-c", "ulimit -Sf; ulimit -Hf"], LimitFSIZE=2 ** 64 - 1)
        self.assertEqual(outcome.stdout, b"unlimited\nunlimited\n")

    def test_a_limit_works(self):
        outcome = self.bus.exec(["dd", "if=/dev/zero", "of=/tmp/big", "bs=1000", "count=100"], LimitFSIZE=5000, LimitCORE=0)
        self.assertEqual((outcome.signal, outcome.result), (25, "signal"), outcome)

    def test_options_of_one_job_are_not_the_next_ones(self):
        before = self.bus.exec(["bash", "-c", "ulimit -n; nice"]).stdout
        self.bus.exec(["true"], LimitNOFILE=50, Nice=10, UMask=0o777, LimitFSIZE=1)
        self.assertEqual(self.bus.exec(["bash", "-c", "ulimit -n; nice"]).stdout, before)


class TestStart(BoxCase):

    def test_reply(self):
        job = self.bus.start_sh("echo $$; sleep 100")
        self.assertEqual(job.path, f"/org/reeve1/job/{job.id}")
        self.assertEqual((job.details["State"], job.details["Existing"]), ("running", False))
        got = self.bus.wait_for_output(job.id, b"\n")
        self.assertEqual(int(got), job.pid)
        self.assertEqual((self.bus.property("PID", job.id), self.bus.property("State", job.id)), (job.pid, "running"))

    def test_replies_before_the_end(self):
        with Stopwatch() as watch:
            self.bus.start_sh("sleep 100")
        self.assertLess(watch.seconds, 10)

    def test_the_command_runs_when_it_replies(self):
        """exec has succeeded: what runs is the command, not a copy of reeve."""
        for _ in range(20):
            job = self.bus.start(["/bin/sleep", "100"])
            with open(f"/proc/{self.reeve.host_pid(job.pid)}/cmdline", "rb") as f:
                self.assertEqual(f.read(), b"/bin/sleep\000100\0")

    def test_initial_output_as_soon_as_drained(self):
        with Stopwatch() as watch:
            job = self.bus.start_sh("echo out; echo err >&2", InitialOutputUSec=20 * SEC)
        self.assertLess(watch.seconds, 10)
        self.assertEqual((job.details["InitialStdout"], job.details["InitialStderr"]), (b"out\n", b"err\n"))

    def test_initial_output_after_that_long(self):
        with Stopwatch() as watch:
            job = self.bus.start_sh("echo out; sleep 100; echo never", InitialOutputUSec=700 * MSEC)
        self.assert_between(0.7, watch.seconds, 10)
        self.assertEqual((job.details["InitialStdout"], job.details["State"]), (b"out\n", "running"))

    def test_log_cursor_is_as_of_the_reply(self):
        self.assert_outcome(self.bus.sh("mkfifo /tmp/log-cursor"), "success")
        job = self.bus.start_sh("echo first; read go </tmp/log-cursor; echo second", InitialOutputUSec=500 * MSEC)
        self.assertEqual(job.details["InitialStdout"], b"first\n")
        self.bus.sh("echo go >/tmp/log-cursor")
        log = self.bus.log(job.id, job.details["LogCursor"], WaitUSec=10 * SEC)
        self.assertEqual([record.data for record in log.records], [b"second\n"])

    def test_job_with_spaces_in_its_description(self):
        job = self.bus.start_sh("sleep 100", Description="two words", Labels={"a": "1", "b": "x=y", "empty": ""})
        properties = self.bus.properties(job.id)
        self.assertEqual((properties["Description"], properties["Labels"]), ("two words", {"a": "1", "b": "x=y", "empty": ""}))

    def test_exec_while_others_run(self):
        """No call waits for another."""
        slow = self.bus.exec_later(["sleep", "3"])
        with Stopwatch() as watch:
            for _ in range(10):
                self.bus.exec(["true"])
        self.assertFalse(slow.done(), f"ten calls took {watch.seconds} s")


class TestRelativeDirectory(FreshCase):

    def test_pid_1_itself_is_in_the_root(self):
        box = self.box(cwd="/var/tmp")
        self.assertEqual(os.readlink(f"/proc/{box.pid}/cwd"), "/")
        self.assertEqual(box.bus.exec(["pwd"], WorkingDirectory="..").stdout, b"/var\n")
