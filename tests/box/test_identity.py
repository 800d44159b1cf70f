"""Ids: the same Id and the same request is the same job, however often and at once it is asked for."""

from case import BoxCase, FreshCase, Stopwatch
from client import MSEC, SEC, job_path


class TestIdentity(BoxCase):

    def count(self, file):
        return self.bus.exec(["cat", file]).stdout.count(b"\n")

    def test_default_ids_are_distinct(self):
        ids = [self.bus.exec(["true"]).id for _ in range(20)]
        self.assertEqual(len(set(ids)), 20)
        for id in ids:
            self.assertRegex(id, "^j[0-9]+$")

    def test_given_id(self):
        for id in ("x", "A.b_c-9", "9", "-", ".", "..", "_", "x" * 64):
            with self.subTest(id=id):
                outcome = self.bus.exec(["printenv", "REEVE_JOB"], Id=id)
                self.assertEqual((outcome.id, outcome.stdout), (id, id.encode() + b"\n"))
                self.assertEqual(self.bus.manager("GetJob", "s", id), (job_path(id),))
                self.assertEqual(self.bus.property("Id", id), id)

    def test_same_request_again(self):
        argv = ["sh", "-c", "echo run >>/tmp/again; echo out; exit 5"]
        first = self.bus.exec(argv, Id="again", Nice=1)
        second = self.bus.exec(argv, Id="again", Nice=1)
        self.assertEqual(first[:6], second[:6])
        self.assertEqual(first.details, second.details)
        self.assertEqual(self.count("/tmp/again"), 1)

    def test_how_to_answer_is_no_part_of_the_request(self):
        argv = ["sh", "-c", "echo run >>/tmp/how; echo output"]
        self.bus.exec(argv, Id="how")
        second = self.bus.exec(argv, Id="how", Text=True, OutputMaxBytes=3, DrainTimeoutUSec=7)
        self.assertEqual((second.stdout, second.details["StdoutText"], second.details["Truncated"]), (b"", "ut\n", True))
        third = self.bus.start(argv, Id="how", InitialOutputUSec=5 * SEC)
        self.assertEqual((third.details["Existing"], third.details["InitialStdout"]), (True, b"output\n"))
        self.assertEqual(self.count("/tmp/how"), 1)

    def test_another_request(self):
        self.bus.exec(["echo", "x"], Id="other", Environment=["A=1"])
        for argv, options in ((["echo", "y"], {"Environment": ["A=1"]}), (["echo", "x", ""], {"Environment": ["A=1"]}),
                              (["echo", "x"], {}), (["echo", "x"], {"Environment": ["A=2"]}),
                              (["echo", "x"], {"Environment": ["A=1"], "WorkingDirectory": "/tmp"}),
                              (["echo", "x"], {"Environment": ["A=1"], "Session": "another"}),
                              (["echo", "x"], {"Environment": ["A=1"], "Labels": {"a": "b"}}),
                              (["echo", "x"], {"Environment": ["A=1"], "RuntimeMaxUSec": 9 * SEC}),
                              (["echo", "x"], {"Environment": ["A=1"], "StandardInput": "data", "StandardInputData": b"x"}),
                              (["echo", "x"], {"Environment": ["A=1"], "MergeOutput": True})):
            with self.subTest(argv=argv, options=options):
                self.assert_error("JobExists", "other", call=lambda: self.bus.exec(argv, Id="other", **options))
                self.assert_error("JobExists", "other", call=lambda: self.bus.start(argv, Id="other", **options))
        # It did nothing to the one that has the name.
        self.assertEqual(self.bus.exec(["echo", "x"], Id="other", Environment=["A=1"]).stdout, b"x\n")

    def test_joined_words_are_not_the_same_argv(self):
        self.bus.exec(["echo", "a b"], Id="words")
        self.assert_error("JobExists", call=lambda: self.bus.exec(["echo", "a", "b"], Id="words"))

    def test_stdin_data_is_part_of_the_request(self):
        self.bus.exec(["cat"], Id="data", StandardInput="data", StandardInputData=b"one")
        same = self.bus.exec(["cat"], Id="data", StandardInput="data", StandardInputData=b"one")
        self.assertEqual(same.stdout, b"one")
        self.assert_error("JobExists", call=lambda: self.bus.exec(
            ["cat"], Id="data", StandardInput="data", StandardInputData=b"two"))

    def test_exec_waits_for_the_running_one(self):
        argv = ["sh", "-c", "echo run >>/tmp/wait; sleep 1; exit 6"]
        job = self.bus.start(argv, Id="wait")
        with Stopwatch() as watch:
            outcome = self.bus.exec(argv, Id="wait")
        self.assert_outcome(outcome, "exit-code", 6)
        self.assertEqual((outcome.details["PID"], self.count("/tmp/wait")), (job.pid, 1))
        self.assertLess(watch.seconds, 10)

    def test_start_of_the_running_one(self):
        job = self.bus.start(["sleep", "100"], Id="twice")
        again = self.bus.start(["sleep", "100"], Id="twice")
        self.assertEqual((again.id, again.path, again.pid), (job.id, job.path, job.pid))
        self.assertEqual((job.details["Existing"], again.details["Existing"]), (False, True))

    def test_many_at_once(self):
        """Thirty callers on ten connections, before, while and after it runs: one run, one answer."""
        argv = ["sh", "-c", "echo run >>/tmp/many; sleep 0.3; echo $$; exit 11"]
        connections = [self.reeve.connect() for _ in range(10)]
        pending = [c.exec_later(argv, Id="many") for _ in range(3) for c in connections]
        outcomes = [p.result() for p in pending]
        self.assertEqual({o[:6] for o in outcomes}, {outcomes[0][:6]})
        self.assert_outcome(outcomes[0], "exit-code", 11)
        self.assertEqual(self.count("/tmp/many"), 1)
        for connection in connections:
            connection.close()

    def test_many_different_at_once(self):
        """The same Id for ten requests: one has it, nine hear so."""
        pending = [self.bus.exec_later(["sh", "-c", f"echo run >>/tmp/one; sleep 0.2; exit {i}"], Id="one") for i in range(10)]
        answers = []
        for p in pending:
            try:
                answers.append(p.result().exit_code)
            except Exception as e:  # pylint: disable=broad-except
                self.assertEqual(getattr(e, "name", str(e)), "org.reeve1.Error.JobExists")
        self.assertEqual((len(answers), self.count("/tmp/one")), (1, 1))

    def test_a_failed_start_of_many_callers(self):
        """All callers of a command that can't start hear why."""
        pending = [self.bus.exec_later(["/nonexistent"], Id="failed") for _ in range(10)]
        for p in pending:
            self.assert_error("CommandNotFound", call=p.result)
        self.assert_error("NoSuchJob", call=lambda: self.bus.manager("GetJob", "s", "failed"))

    def test_forgotten_id_is_free(self):
        self.bus.exec(["echo", "1"], Id="forget")
        self.bus.job("forget", "Forget")
        self.assertEqual(self.bus.exec(["echo", "2"], Id="forget").stdout, b"2\n")

    def test_the_caller_that_goes_does_not_take_the_job_with_it(self):
        with self.reeve.connect() as other:
            other.exec_later(["sh", "-c", "sleep 0.5; echo survived"], Id="survivor")
            other.ping()
        outcome = self.bus.exec(["sh", "-c", "sleep 0.5; echo survived"], Id="survivor")
        self.assertEqual(outcome.stdout, b"survived\n")

    def test_timeouts_of_callers_are_their_own(self):
        job = self.bus.start(["sleep", "100"], Id="own")
        self.assert_error("Timeout", call=lambda: self.bus.wait_later(job.id, "Exited", 100 * MSEC).result())
        self.assertEqual(self.bus.property("State", job.id), "running")


class TestMain(FreshCase):

    def test_main_is_taken(self):
        box = self.box("--", "sleep", "100")
        self.assert_error("JobExists", "main", call=lambda: box.bus.start(["sleep", "1"], Id="main"))
        self.assertEqual(box.bus.property("Session", "main"), "system")
