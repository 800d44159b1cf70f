"""FollowLog: what its pipe carries, in each of the four formats, to the letter."""

import os
import re
import subprocess
import tempfile

from bb import (FIELDS, PARSE, PRIORITY, STREAM, Gate, all_log, close_end, follow, follow_fd, followed, in_turn, parse_json,
                pipe, read_to_end, size_of, story, text, whole_lines)
from case import BoxCase
from client import JOB, V, job_path

TWO = "echo out1; sleep 0.02; echo err1 >&2; sleep 0.02; echo out2; sleep 0.02; echo err2 >&2"


class TestFormats(BoxCase):

    def finished(self, script, **options):
        outcome = self.bus.sh(script, **options)
        self.bus.wait(outcome.id)
        return outcome.id

    def two(self):
        return in_turn(self.reeve, self.bus, "out1", "err1", "out2", "err2")

    def check_entry(self, entry, record, id, session="default", name="sh"):
        """One entry says of a record what ReadLog says, and nothing that the contract does not name."""
        have = text(entry)
        partial = not record.data.endswith(b"\n")
        self.assertEqual(set(have), FIELDS | ({"REEVE_PARTIAL"} if partial else set()))
        self.assertEqual(entry["MESSAGE"], record.data if partial else record.data[:-1])
        stream = STREAM[record.stream]
        want = {"__REALTIME_TIMESTAMP": str(record.realtime), "__MONOTONIC_TIMESTAMP": str(record.monotonic),
                "PRIORITY": PRIORITY[stream], "SYSLOG_IDENTIFIER": name, "REEVE_JOB": id, "REEVE_SESSION": session,
                "REEVE_STREAM": stream, "REEVE_SEQNUM": str(record.seq)}
        if partial:
            want["REEVE_PARTIAL"] = "1"
        self.assertEqual({key: have[key] for key in want}, want)

    def check_end(self, entry, result, exit_code=0, signal=0):
        have = text(entry)
        self.assertEqual((have["REEVE_RESULT"], have["REEVE_EXIT_CODE"], have["REEVE_SIGNAL"]),
                         (result, str(exit_code), str(signal)))
        self.assertNotIn("REEVE_LOST_BYTES", have)

    def check(self, id, result="success", exit_code=0, signal=0, **who):
        """Both formats with fields against ReadLog, record by record."""
        records = all_log(self.bus, id)
        for format, parse in PARSE.items():
            with self.subTest(format=format):
                told = story(parse(followed(self.bus, id, Format=format)))
                self.assertEqual((len(told.records), told.lost), (len(records), []))
                for entry, record in zip(told.records, records):
                    self.check_entry(entry, record, id, **who)
                self.check_end(told.end, result, exit_code, signal)
        return records

    def test_fields(self):
        records = self.check(self.two())
        self.assertEqual([r.data for r in records if r.stream != 3], [b"out1\n", b"err1\n", b"out2\n", b"err2\n"])

    def test_fields_of_another_session_and_id(self):
        id = self.finished("echo x; exit 3", Id="some-job.1", Session="other")
        self.check(id, "exit-code", 3, session="other")

    def test_identifier_is_the_name_of_the_command(self):
        outcome = self.bus.exec(["/bin/echo", "x"])
        self.bus.wait(outcome.id)
        self.check(outcome.id, name="echo")

    def test_end_of_a_killed_job(self):
        self.check(self.finished("echo x; kill -9 $$"), "signal", -1, 9)

    def test_when_it_ended(self):
        """The end is told with the moment of the job's end, however much later somebody reads of it."""
        id = self.finished("echo x")
        ends = [parse_json(followed(self.bus, id, Format="json"))[-1] for _ in range(2)]
        self.assertEqual(ends[0], ends[1])
        p = self.bus.properties(id)
        self.assertTrue(p["ExitTimestamp"] <= int(ends[0]["__REALTIME_TIMESTAMP"]) <= p["FinishTimestamp"])

    def test_partial_lines(self):
        """An unfinished last line, a line longer than 32 KiB, and one that took its time."""
        self.check(self.finished("echo whole; printf unfinished"))
        records = self.check(self.finished("head -c 100000 /dev/zero | tr '\\0' x; echo; echo end"))
        self.assertEqual([len(r.data) for r in records if r.stream == 1], [32768, 32768, 32768, 100001 - 3 * 32768, 4])
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"printf a; {gate.read}; echo b")
            self.bus.wait_for_output(job.id, b"a")
            gate.open()
            self.bus.wait(job.id)
        self.assertGreater(len(self.check(job.id)), 1)

    def test_bytes_that_are_no_text(self):
        """Every byte comes back: NUL, escapes, bad UTF-8, carriage returns, and what looks like the format itself."""
        for data in (bytes(b for b in range(256) if b != 10), b"\0", b"\x1b[31mred\x1b[0m", b"\xff\xfe", "€ß😀".encode(), b"a\tb",
                     b"progress\rprogress", b"\"quoted\\\" \x7f", b"FIELD=value", b"", b"\xed\xa0\x80", b"\xc2\x85"):
            with self.subTest(data=data):
                outcome = self.bus.exec(["cat"], StandardInput="data", StandardInputData=b"first\n" + data + b"\nlast\n")
                self.bus.wait(outcome.id)
                records = self.check(outcome.id, name="cat")
                self.assertEqual(b"".join(r.data for r in records), b"first\n" + data + b"\nlast\n")

    def test_json_is_what_journalctl_prints(self):
        """Text is a string, what is not printable an array of numbers, as systemd's journal-fields describe it."""
        outcome = self.bus.exec(["cat"], StandardInput="data", StandardInputData=b"tab\there\nred\x1b[0m\n\xff\n")
        self.bus.wait(outcome.id)
        lines = followed(self.bus, outcome.id, Format="json", Streams=["stdout"]).split(b"\n")
        self.assertRegex(lines[0], rb'"MESSAGE"\s*:\s*"tab\\there"')
        self.assertRegex(lines[1], rb'"MESSAGE"\s*:\s*\[\s*114\s*,\s*101\s*,\s*100\s*,\s*27\s*,')
        self.assertRegex(lines[2], rb'"MESSAGE"\s*:\s*\[\s*255\s*\]')
        self.assertRegex(lines[0], rb'"__REALTIME_TIMESTAMP"\s*:\s*"\d+"')
        self.assertRegex(lines[0], rb'"PRIORITY"\s*:\s*"6"')

    def test_raw(self):
        for script in (TWO, "printf unfinished", "true", "head -c 300000 /dev/urandom | tee /tmp/raw"):
            with self.subTest(script=script):
                id = self.finished(script)
                want = b"".join(r.data for r in all_log(self.bus, id) if r.stream != 3)
                self.assertEqual(followed(self.bus, id, Format="raw"), want)

    def test_short(self):
        id = self.finished(TWO)
        lines = followed(self.bus, id, Format="short").decode().split("\n")
        self.assertEqual(lines.pop(), "", "the last line has its end")
        records = [r for r in all_log(self.bus, id) if r.stream != 3]
        stamp = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:?\d\d) "
        for line, record in zip(lines, records):
            match = re.fullmatch(stamp + r"(?:\S+ )?sh(?:\[\d+\])?: (.*)", line)
            self.assertTrue(match, line)
            self.assertEqual(match[2], record.data.decode().rstrip("\n"))
            self.assertEqual(match[1].split(".")[1][:6], f"{record.realtime % 1000000:06d}")
        self.assertIn(len(lines) - len(records), (0, 1), "beside the records one line for the end at most")

    def test_streams(self):
        id = self.two()
        for streams, want in ((["stdout"], b"out1\nout2\n"), (["stderr"], b"err1\nerr2\n"), (["note"], b""),
                              (["stderr", "stdout"], b"out1\nerr1\nout2\nerr2\n")):
            with self.subTest(streams=streams):
                self.assertEqual(followed(self.bus, id, Format="raw", Streams=streams), want)
                told = story(parse_json(followed(self.bus, id, Format="json", Streams=streams)))
                self.assertLessEqual({e["REEVE_STREAM"].decode() for e in told.records}, set(streams))
                got = b"".join(e["MESSAGE"] + b"\n" for e in told.records if e["REEVE_STREAM"] != b"note")
                self.assertEqual(got, want)
                self.assertEqual(told.lost, [], "what Streams leaves out is not lost")

    def test_lines(self):
        """The newest so many of what is there, then all that comes."""
        id = self.finished("seq 1 10")
        for lines, want in ((1, b"10\n"), (3, b"8\n9\n10\n"), (100, b"".join(b"%d\n" % i for i in range(1, 11)))):
            self.assertEqual(followed(self.bus, id, Format="raw", Lines=lines), want)
        told = story(parse_json(followed(self.bus, id, Format="json", Lines=2)))
        self.assertEqual(([e["MESSAGE"] for e in told.records if e["REEVE_STREAM"] == b"stdout"], told.lost), ([b"9", b"10"], []))
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"seq 1 5; {gate.read}; seq 6 9")
            self.bus.wait_for_output(job.id, b"5\n")
            with follow(self.bus, job.id, Format="raw", Lines=2) as follower:
                follower.wait_for(b"4\n5\n")
                gate.open()
                self.assertEqual(follower.wait_end(), b"4\n5\n6\n7\n8\n9\n")

    def test_lines_are_not_records(self):
        id = self.finished("echo short; head -c 100000 /dev/zero | tr '\\0' x; echo; echo end")
        self.assertEqual(followed(self.bus, id, Format="raw", Lines=2), b"x" * 100000 + b"\nend\n")

    def test_since(self):
        id = self.two()
        records = [r for r in all_log(self.bus, id) if r.stream != 3]
        told = story(parse_json(followed(self.bus, id, Format="json", SinceUSec=records[2].realtime)))
        self.assertEqual([e["MESSAGE"] for e in told.records], [b"out2", b"err2"])
        self.assertEqual((told.lost, followed(self.bus, id, SinceUSec=2 ** 62)), ([], b""))

    def test_empty_log(self):
        id = self.finished("true")
        self.assertEqual(followed(self.bus, id, Format="raw"), b"")
        self.check(id)

    def test_without_options(self):
        """Raw is what one gets who does not say."""
        self.assertEqual(followed(self.bus, self.two()), b"out1\nerr1\nout2\nerr2\n")


class TestCursors(BoxCase):

    def test_each_cursor_goes_on_behind_its_entry(self):
        outcome = self.bus.sh(TWO + "; printf unfinished")
        self.bus.wait(outcome.id)
        whole = followed(self.bus, outcome.id, Format="json")
        entries = parse_json(whole)
        for i, entry in enumerate(entries[:-1]):
            cursor = entry["__CURSOR"].decode()
            again = parse_json(followed(self.bus, outcome.id, cursor, Format="json"))
            self.assertEqual([e.get("REEVE_SEQNUM") for e in again], [e.get("REEVE_SEQNUM") for e in entries[i + 1:]])
            # The same cursor is good for ReadLog, and ReadLog's for FollowLog.
            log = self.bus.log(outcome.id, cursor)
            self.assertEqual([str(r.seq).encode() for r in log.records], [e["REEVE_SEQNUM"] for e in entries[i + 1:-1]])
        cursor, rest = "", whole
        for line in whole.split(b"\n")[:-2]:
            cursor = self.bus.log(outcome.id, cursor, MaxBytes=1).next
            rest = rest[len(line) + 1:]
            told = followed(self.bus, outcome.id, cursor, Format="json")
            self.assertEqual(told.splitlines()[:-1], rest.splitlines()[:-1])

    def test_tail(self):
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"echo before; {gate.read}; echo after; exit 2")
            self.bus.wait_for_output(job.id, b"before\n")
            with follow(self.bus, job.id, "tail", Format="json") as follower:
                gate.open()
                told = story(parse_json(follower.wait_end()))
        self.assertEqual([e["MESSAGE"] for e in told.records if e["REEVE_STREAM"] != b"note"], [b"after"])
        self.assertEqual(told.lost, [])

    def test_tail_of_a_finished_job(self):
        outcome = self.bus.sh(TWO)
        self.bus.wait(outcome.id)
        told = story(parse_json(followed(self.bus, outcome.id, "tail", Format="json")))
        self.assertEqual((told.records, told.lost), ([], []))
        self.assertEqual(followed(self.bus, outcome.id, "tail", Format="raw"), b"")
        self.assertEqual(followed(self.bus, outcome.id, self.bus.property("LogCursor", outcome.id), Format="raw"), b"")

    def test_handed_over_in_the_middle_of_a_flood(self):
        """A follower that goes away at any moment, and another that goes on with its last whole entry's cursor."""
        count = 20000
        job = self.bus.start(["seq", "1", str(count)], LogMaxBytes=16 << 20)
        got, cursor, turns = [], "", 0
        while True:
            with follow(self.bus, job.id, cursor, Format="json") as follower:
                size = 1 + 40000 * turns
                follower.wait(lambda data, size=size: len(data) >= size or b"REEVE_EVENT" in data, what=f"{size} bytes")
                data = bytes(follower.data)
            entries = parse_json(data[:data.rfind(b"\n") + 1])
            got += entries
            turns += 1
            if entries and entries[-1].get("REEVE_EVENT") == b"end":
                break
            cursor = entries[-1]["__CURSOR"].decode() if entries else cursor
        self.assertGreater(turns, 2)
        told = story(got)
        self.assertEqual(told.lost, [])
        self.assertEqual(whole_lines(told.records), [b"%d" % i for i in range(1, count + 1)])


class TestRefused(BoxCase):

    def setUp(self):
        self.one = self.bus.sh("echo x").id
        self.bus.wait(self.one)

    def refused(self, name, *words, cursor="", id=None, **options):
        self.assert_error(name, *words, call=lambda: follow_fd(self.bus, id or self.one, cursor, **options))

    def test_options(self):
        before = self.reeve.fds()
        self.refused("InvalidArgs", "Nonsense", Nonsense=V("b", True))
        self.refused("InvalidArgs", "Format", Format="xml")
        self.refused("InvalidArgs", "Format", Format="")
        self.refused("InvalidArgs", "Format", Format=V("u", 1))
        self.refused("InvalidArgs", "Streams", Streams=["stdin"])
        self.refused("InvalidArgs", "Streams", Streams=V("s", "stdout"))
        self.refused("InvalidArgs", "Lines", Lines=V("s", "many"))
        self.refused("InvalidArgs", "Nonsense", Format="json", Nonsense=V("s", ""))
        self.assert_fds_back(before)

    def test_cursors(self):
        other = self.bus.sh("echo x").id
        with Gate(self.reeve) as gate:
            later = self.bus.start_sh(f"{gate.read}; echo x")
            for cursor in ("nonsense", self.bus.property("LogCursor", other), self.bus.property("LogCursor", self.one) + "0", " "):
                with self.subTest(cursor=cursor):
                    self.refused("BadCursor", cursor=cursor, id=later.id, Format="raw")
            gate.open()
            self.bus.wait(later.id)

    def test_jobs(self):
        for id in ("nosuchjob", "j999999"):
            self.assert_error("UnknownObject", call=lambda id=id: follow_fd(self.bus, id))

    def test_without_descriptors(self):
        """A client that cannot be given one is told so, or hung up on; the next is served."""
        self.assertTrue(self.bus.takes_descriptors)
        self.assert_error("InvalidArgs", call=lambda: self.bus.call(job_path(self.one), JOB, "FollowLog", "ss", "", "raw"))
        self.assertEqual(followed(self.bus, self.one, Format="raw"), b"x\n")


class TestPipe(BoxCase):

    def test_it_is_a_pipe_to_read_from(self):
        outcome = self.bus.sh("echo x")
        fd = follow_fd(self.bus, outcome.id, Format="raw")
        try:
            self.assertTrue(os.readlink(f"/proc/self/fd/{fd}").startswith("pipe:"))
            with self.assertRaises(OSError):
                os.write(fd, b"x")
            self.assertEqual(read_to_end(fd), b"x\n")
        finally:
            os.close(fd)

    def test_a_job_may_write_where_another_is_followed_to(self):
        """Two jobs in a row, connected by the descriptors that the calls take and give."""
        source = self.bus.sh("seq 1 100000", LogMaxBytes=4 << 20)
        fd = follow_fd(self.bus, source.id, Format="raw")
        try:
            outcome = self.bus.exec(["md5sum"], StandardInputFileDescriptor=fd)
        finally:
            os.close(fd)
        self.assertEqual(outcome.stdout, self.bus.sh("seq 1 100000 | md5sum").stdout)

    def test_the_name_of_the_options(self):
        """Every option of the contract together."""
        outcome = self.bus.sh(TWO)
        self.bus.wait(outcome.id)
        fd = follow_fd(self.bus, outcome.id, "", Format="raw", Streams=["stdout"], Lines=1)
        with pipe() as ends:
            os.dup2(fd, ends[0])
            os.close(fd)
            close_end(ends, 1)
            self.assertEqual(read_to_end(ends[0]), b"out2\n")


class TestJournal(BoxCase):
    """systemd's own tools read what reeve writes."""

    REMOTE = "/lib/systemd/systemd-journal-remote"

    def setUp(self):
        if not os.path.exists(self.REMOTE):
            self.skipTest("systemd-journal-remote is not installed")
        folder = tempfile.TemporaryDirectory(prefix="reeve-journal-", dir="/var/tmp")
        self.addCleanup(folder.cleanup)
        self.file = f"{folder.name}/followed.journal"

    def journal(self, data, *options):
        if not os.path.exists(self.file):
            subprocess.run([self.REMOTE, f"--output={self.file}", "-"], input=data, check=True, capture_output=True, timeout=60)
        return subprocess.run(["journalctl", f"--file={self.file}", "--no-pager", "--quiet", "--all", *options], check=True,
                              capture_output=True, timeout=60).stdout

    def test_every_record_is_in_the_journal(self):
        script = ("seq 1 500; echo problem >&2; printf 'a\\001b\\n\\377\\n'; printf '\\tx = y\\n\\n'; printf unfinished; sleep 0.3; "
                  "echo; head -c 70000 /dev/zero | tr '\\0' x; exit 3")
        outcome = self.bus.sh(script)
        self.bus.wait(outcome.id)
        out = self.journal(followed(self.bus, outcome.id, Format="export"), "-o", "json")
        theirs, ours = parse_json(out), parse_json(followed(self.bus, outcome.id, Format="json"))
        self.assertEqual(len(theirs), len(ours))
        for key in ("__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP"):
            del ours[-1][key]           # see test_when_it_ended
        for mine, journal in zip(ours, theirs):
            del mine["__CURSOR"]        # the journal makes its own
            self.assertEqual({key: journal.get(key) for key in mine}, mine)
        self.assertEqual(sum(size_of(e) for e in story(theirs).records if e["REEVE_STREAM"] != b"note"),
                         self.bus.property("LogBytes", outcome.id))

    def test_short_is_what_journalctl_prints(self):
        outcome = self.bus.sh("seq 1 20; echo problem >&2; echo '  two spaces'; exit 3")
        self.bus.wait(outcome.id)
        export = followed(self.bus, outcome.id, Format="export", Streams=["stdout", "stderr"])
        theirs = self.journal(export, "-o", "short-iso-precise", "--utc").decode().splitlines()
        ours = followed(self.bus, outcome.id, Format="short", Streams=["stdout", "stderr"]).decode().splitlines()
        # A host and a pid are more than the journal got to know.
        ours = [re.sub(r"^(\S+)(?: \S+)? sh(?:\[\d+\])?: ", r"\1 sh: ", line) for line in ours]
        self.assertEqual(ours[:22], theirs[:22])

    def test_lost_and_end_are_entries(self):
        outcome = self.bus.exec(self.reeve.payload("pattern", 1 << 20), LogMaxBytes=64 << 10)
        self.bus.wait(outcome.id)
        told = story(parse_json(self.journal(followed(self.bus, outcome.id, Format="export"), "-o", "json")))
        self.assertEqual(sum(int(e["REEVE_LOST_BYTES"]) for e in told.lost), self.bus.property("LogLostBytes", outcome.id))
