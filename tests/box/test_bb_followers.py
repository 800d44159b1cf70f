"""Followers as they are: slow, gone, asleep, too many; and the job that does not notice."""

import os
import time

from bb import (Gate, follow, follow_fd, followed, lost_bytes, lost_records, parse_json, read_to_end, settled_fds, size_of, story,
                whole_lines)
from case import BoxCase, FreshCase, Stopwatch
from rig import eventually

MIB = 1 << 20


class TestLive(BoxCase):

    def test_lines_come_as_they_are_written(self):
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"for i in 1 2 3; do echo line$i; {gate.read}; done; exit 5")
            with follow(self.bus, job.id, Format="json") as follower:
                for i in (1, 2, 3):
                    follower.wait_for(b"line%d" % i)
                    self.assertNotIn(b"line%d" % (i + 1), follower.data)
                    self.assertNotIn(b"REEVE_EVENT", follower.data)
                    self.assertIsNone(follower.eof)
                    gate.open()
                told = story(parse_json(follower.wait_end()))
        self.assertEqual([e["MESSAGE"] for e in told.records if e["REEVE_STREAM"] == b"stdout"], [b"line1", b"line2", b"line3"])
        self.assertEqual((told.end["REEVE_RESULT"], told.end["REEVE_EXIT_CODE"], told.end["REEVE_SIGNAL"]), (b"exit-code", b"5", b"0"))

    def test_no_gap_and_no_double_between_what_was_and_what_comes(self):
        """Followers that come at any moment of a flood, each with all of it."""
        job = self.bus.start(["seq", "1", "200000"], LogMaxBytes=16 * MIB)
        followers = []
        for _ in range(12):
            followers.append(follow(self.bus, job.id, Format="raw"))
        want = b"".join(b"%d\n" % i for i in range(1, 200001))
        for follower in followers:
            with follower:
                self.assertTrue(follower.wait_end(30) == want)

    def test_a_child_that_writes_after_the_leader(self):
        with Gate(self.reeve) as gate:
            outcome = self.bus.sh(f"({gate.read}; echo late; exec >&- 2>&-; {gate.read}) & echo early; exit 3", DrainTimeoutUSec=0)
            with follow(self.bus, outcome.id, Format="json") as follower:
                follower.wait_for(b"early")
                self.assertIsNone(follower.eof, "a child holds the pipe: the job is not drained")
                self.assertNotIn(b"REEVE_EVENT", follower.data)
                gate.open()
                # Drained, though not finished: all was written, and the end is known.
                told = story(parse_json(follower.wait_end()))
                self.assertEqual(self.bus.property("State", outcome.id), "exited")
                gate.open()
        self.assertEqual([e["MESSAGE"] for e in told.records if e["REEVE_STREAM"] == b"stdout"], [b"early", b"late"])
        self.assertEqual((told.end["REEVE_RESULT"], told.end["REEVE_EXIT_CODE"]), (b"exit-code", b"3"))

    def test_a_leader_that_closes_its_output(self):
        """However early the pipes end: one end entry, and it comes by the job's end at the latest."""
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"echo x; exec >&- 2>&-; {gate.read}; exit 4")
            with follow(self.bus, job.id, Format="json") as follower:
                follower.wait_for(b'"x"')
                gate.open()
                story(parse_json(follower.wait_end()))

    def test_unfinished_line(self):
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"printf prompt; {gate.read}; echo done")
            with follow(self.bus, job.id, Format="json") as follower:
                follower.wait_for(b"prompt")
                gate.open()
                told = story(parse_json(follower.wait_end()))
        self.assertEqual([(e["MESSAGE"], e.get("REEVE_PARTIAL")) for e in told.records if e["REEVE_STREAM"] == b"stdout"],
                         [(b"prompt", b"1"), (b"done", None)])

    def test_a_job_that_is_stopped(self):
        job = self.bus.start_sh("echo x; exec sleep 1000")
        with follow(self.bus, job.id, Format="json") as follower:
            follower.wait_for(b'"x"')
            self.bus.stop({"Id": job.id})
            told = story(parse_json(follower.wait_end()))
        self.assertEqual((told.end["REEVE_RESULT"], told.end["REEVE_EXIT_CODE"], told.end["REEVE_SIGNAL"]), (b"signal", b"-1", b"15"))

    def test_the_end_comes_soon(self):
        """Nobody waits for a timer: the pipe is closed with the job's end."""
        times = []
        for _ in range(10):
            job = self.bus.start_sh("echo x")
            with follow(self.bus, job.id, Format="raw") as follower, Stopwatch() as watch:
                self.assertEqual(follower.wait_end(), b"x\n")
            times.append(watch.seconds)
        self.assertLess(sorted(times)[2], 0.5)

    def test_followers_of_silent_jobs_cost_no_wakeups(self):
        jobs = [self.bus.start(["sleep", "1000"]) for _ in range(3)]
        fds = [follow_fd(self.bus, job.id, Format="json") for job in jobs for _ in range(3)]
        try:
            def quiet():
                before = self.reeve.wakeups()
                time.sleep(1)       # the measure itself
                return self.reeve.wakeups() == before
            eventually(quiet, 8, "no wakeups within a second")
        finally:
            for fd in fds:
                os.close(fd)


class TestGone(BoxCase):

    def test_closing_leaves_the_job_alone(self):
        before = settled_fds(self.reeve)
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"echo x; {gate.read}; seq 1 100000; exit 6", LogMaxBytes=4 * MIB)
            running = settled_fds(self.reeve)
            for _ in range(5):
                fd = follow_fd(self.bus, job.id, Format="short")
                os.close(fd)
            # It is noticed without a byte of output.
            self.assert_fds_back(running)
            other = follow(self.bus, job.id, Format="raw")
            other.wait_for(b"x\n")
            gone = follow_fd(self.bus, job.id, Format="raw")
            gate.open()
            os.close(gone)
            with other:
                other.wait_end()
        self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 6)
        self.assertEqual(self.bus.property("LogLostBytes", job.id), 0)
        self.assert_fds_back(before)

    def test_closing_in_the_middle_of_a_flood(self):
        before, memory = settled_fds(self.reeve), self.reeve.memory()
        job = self.bus.start(self.reeve.payload("flood"), LogMaxBytes=256 << 10)
        running = settled_fds(self.reeve)
        for i in range(100):
            fd = follow_fd(self.bus, job.id, Format=("raw", "short", "json", "export")[i % 4])
            os.read(fd, 100)
            os.close(fd)
        self.assert_fds_back(running)
        written = self.bus.property("LogBytes", job.id)
        eventually(lambda: self.bus.property("LogBytes", job.id) > written + MIB, 10, "the flood goes on")
        self.bus.stop({"Id": job.id})
        self.assert_fds_back(before)
        self.assert_memory(memory, 8 * MIB)

    def test_a_connection_that_goes(self):
        """Its pipes are its user's: what was handed on may be read to the end, and all is closed then."""
        before = settled_fds(self.reeve)
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"echo x; {gate.read}; echo y")
            other = self.reeve.connect()
            with follow(other, job.id, Format="raw") as follower:
                follower.wait_for(b"x\n")
                other.close()
                gate.open()
                self.assertEqual(follower.wait_end(), b"x\ny\n")
            self.bus.wait(job.id)
        self.assert_fds_back(before)


class TestNeverReads(BoxCase):

    def test_others_are_not_held_up(self):
        """Nine that read, three that do not, and 2 MiB."""
        memory = self.reeve.memory()
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"{gate.read}; {' '.join(self.reeve.payload('pattern', 2 * MIB))}", LogMaxBytes=16 * MIB)
            sleepers = [follow(self.bus, job.id, read=False, Format=f) for f in ("raw", "json", "export")]
            readers = [follow(self.bus, job.id, Format="raw") for _ in range(9)]
            gate.open()
            want = b"".join(b"%015d\n" % i for i in range(2 * MIB // 16))
            for reader in readers:
                with reader:
                    self.assertTrue(reader.wait_end(30) == want)
            self.assertEqual(self.bus.wait(job.id)[1]["ExitCode"], 0)
            # The log itself, and little more: nobody keeps what they did not read.
            self.assert_memory(memory, 16 * MIB + 6 * MIB)
            # They have missed nothing, since the log still holds it all.
            sleepers[0].read()
            with sleepers[0]:
                self.assertTrue(sleepers[0].wait_end(30) == want)
            for sleeper in sleepers[1:]:
                sleeper.close()

    def test_the_writer_is_not_held_up(self):
        job = self.bus.start(self.reeve.payload("flood"), LogMaxBytes=64 << 10)
        memory = self.reeve.memory()
        fds = [follow_fd(self.bus, job.id, Format=("raw", "short", "json", "export")[i % 4]) for i in range(200)]
        try:
            for _ in range(3):
                written = self.bus.property("LogBytes", job.id)
                eventually(lambda written=written: self.bus.property("LogBytes", job.id) > written + 4 * MIB, 20, "it goes on")
            with Stopwatch() as watch:
                self.assertEqual(self.bus.sh("exit 3").exit_code, 3)
            self.assertLess(watch.seconds, 10)
            self.assert_memory(memory, 16 * MIB)
            self.bus.stop({"Id": job.id})
        finally:
            for fd in fds:
                os.close(fd)


class TestOvertaken(BoxCase):

    def overtaken(self, size=4 * MIB, ring=64 << 10, **options):
        """A follower from before the first byte, that reads only when all is written: its data, and the job."""
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"{gate.read}; exec {' '.join(self.reeve.payload('pattern', size))}", LogMaxBytes=ring)
            follower = follow(self.bus, job.id, read=False, **options)
            gate.open()
            self.bus.wait(job.id)
            with follower:
                follower.read()
                return follower.wait_end(), job.id

    def check_story(self, told, id):
        """Delivered and lost are all that was ever written; each loss is where the numbers jump, and by how much."""
        output = [e for e in told.records if e["REEVE_STREAM"] != b"note"]
        self.assertEqual(sum(map(size_of, output)) + lost_bytes(told.lost), self.bus.property("LogBytes", id))
        self.assertGreater(lost_bytes(told.lost), 0)
        self.assertEqual(len(told.records) + lost_records(told.lost),
                         max([int(e["REEVE_SEQNUM"]) for e in told.records]), "records delivered and lost are all there were")

    def test_json_says_exactly_what_was_lost(self):
        data, id = self.overtaken(Format="json")
        entries = parse_json(data)
        told = story(entries)
        self.check_story(told, id)
        line, seq = 0, 0
        for entry in entries[:-1]:
            if entry.get("REEVE_EVENT") == b"lost":
                self.assertEqual(int(entry["REEVE_LOST_BYTES"]) % 16, 0)
                line += int(entry["REEVE_LOST_BYTES"]) // 16
                seq += int(entry["REEVE_LOST_RECORDS"])
            else:
                seq += 1
                self.assertEqual(int(entry["REEVE_SEQNUM"]), seq)
                if entry["REEVE_STREAM"] == b"stdout":
                    self.assertEqual(entry["MESSAGE"], b"%015d" % line)
                    line += 1
        self.assertEqual(line, 4 * MIB // 16)

    def test_raw_has_nothing_where_something_was_lost(self):
        data, id = self.overtaken(Format="raw")
        numbers = [int(line) for line in data.split()]
        self.assertEqual(len(data), 16 * len(numbers), "whole records only")
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(numbers[-1], 4 * MIB // 16 - 1)
        self.assertLess(len(data), self.bus.property("LogBytes", id))

    def test_short_has_a_line_for_it(self):
        data, id = self.overtaken(Format="short")
        lines = data.decode().splitlines()
        lost = sum(int(line[1:].split()[0]) for line in lines if line.startswith("[") and line.endswith(" bytes lost]"))
        told = sum(16 for line in lines if line.split(": ")[-1].isdigit())
        self.assertEqual(lost + told, self.bus.property("LogBytes", id))
        self.assertGreater(lost, 0)

    def test_from_the_beginning_of_what_is_no_longer_held(self):
        outcome = self.bus.exec(self.reeve.payload("pattern", MIB), LogMaxBytes=64 << 10)
        self.bus.wait(outcome.id)
        entries = parse_json(followed(self.bus, outcome.id, Format="json"))
        self.assertEqual(entries[0].get("REEVE_EVENT"), b"lost", "said first, before the oldest that is held")
        p = self.bus.properties(outcome.id)
        self.assertEqual((int(entries[0]["REEVE_LOST_BYTES"]), int(entries[0]["REEVE_LOST_RECORDS"])),
                         (p["LogLostBytes"], p["LogLostRecords"]))
        told = story(entries)
        self.check_story(told, outcome.id)
        # The loss has a cursor, too: who goes on from it is not told twice.
        again = parse_json(followed(self.bus, outcome.id, entries[0]["__CURSOR"].decode(), Format="json"))
        self.assertEqual(story(again).lost, [])
        self.assertEqual(again[0]["REEVE_SEQNUM"], entries[1]["REEVE_SEQNUM"])

    def test_the_newest_lines_of_what_was_overtaken(self):
        """Whoever asks for five lines and gets five has lost nothing; who asks for more than there are is told."""
        outcome = self.bus.exec(self.reeve.payload("pattern", MIB), LogMaxBytes=64 << 10)
        self.bus.wait(outcome.id)
        told = story(parse_json(followed(self.bus, outcome.id, Format="json", Lines=5)))
        self.assertEqual(([int(line) for line in whole_lines(told.records)], told.lost), (list(range(MIB // 16 - 5, MIB // 16)), []))
        told = story(parse_json(followed(self.bus, outcome.id, Format="json", Lines=100000)))
        self.assertEqual(lost_bytes(told.lost), self.bus.property("LogLostBytes", outcome.id))

    def test_a_cursor_that_was_overtaken(self):
        with Gate(self.reeve) as gate:
            job = self.bus.start_sh(f"echo first; {gate.read}; exec {' '.join(self.reeve.payload('pattern', MIB))}",
                                    LogMaxBytes=64 << 10)
            self.bus.wait_for_output(job.id, b"first\n")
            cursor = self.bus.property("LogCursor", job.id)
            gate.open()
            self.bus.wait(job.id)
        told = story(parse_json(followed(self.bus, job.id, cursor, Format="json")))
        output = [e for e in told.records if e["REEVE_STREAM"] != b"note"]
        self.assertEqual(sum(map(size_of, output)) + lost_bytes(told.lost), MIB)
        self.assertEqual(lost_bytes(told.lost), self.bus.property("LogLostBytes", job.id) - len(b"first\n"))

    def test_a_slow_reader_knows_what_it_missed(self):
        """Overtaken again and again while it reads a little now and then."""
        job = self.bus.start(["seq", "1", "400000"], LogMaxBytes=64 << 10)
        fd, data = follow_fd(self.bus, job.id, Format="json"), b""
        try:
            while chunk := os.read(fd, 3000):
                data += chunk
        finally:
            os.close(fd)
        entries = parse_json(data)
        told = story(entries)
        output = [e for e in told.records if e["REEVE_STREAM"] != b"note"]
        total = sum(len(b"%d\n" % i) for i in range(1, 400001))
        self.assertEqual(sum(map(size_of, output)) + lost_bytes(told.lost), total)
        numbers = [int(line) for line in whole_lines(entries)]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(numbers[-1], 400000)


class TestForgotten(BoxCase):

    def test_forget_while_somebody_has_not_read(self):
        """What it had not got yet is either still given or told as lost; it ends once, and the memory comes back."""
        memory = self.reeve.memory()
        outcome = self.bus.exec(self.reeve.payload("pattern", MIB), LogMaxBytes=8 * MIB)
        self.bus.wait(outcome.id)
        total = self.bus.property("LogBytes", outcome.id)
        json = follow(self.bus, outcome.id, read=False, Format="json")
        raw = follow(self.bus, outcome.id, read=False, Format="raw")
        self.bus.job(outcome.id, "Forget")
        with json, raw:
            json.read()
            raw.read()
            told = story(parse_json(json.wait_end(20)))
            data = raw.wait_end(20)
        output = [e for e in told.records if e["REEVE_STREAM"] != b"note"]
        self.assertEqual(sum(map(size_of, output)) + lost_bytes(told.lost), total)
        self.assertEqual(data, b"".join(b"%015d\n" % i for i in range(len(data) // 16)))
        self.assert_memory(memory, 3 * MIB, timeout=5)

    def test_forget_while_somebody_never_reads(self):
        """The record goes, whoever sleeps: neither memory nor descriptors stay for more than the sleeper's own."""
        memory, before = self.reeve.memory(), settled_fds(self.reeve)
        fds = []
        for _ in range(5):
            outcome = self.bus.exec(self.reeve.payload("pattern", 4 * MIB), LogMaxBytes=8 * MIB)
            self.bus.wait(outcome.id)
            fds.append(follow_fd(self.bus, outcome.id, Format="json"))
            self.bus.job(outcome.id, "Forget")
            self.assert_error("NoSuchJob", call=lambda id=outcome.id: self.bus.manager("GetJob", "s", id))
        for fd in fds:
            os.close(fd)
        self.assert_fds_back(before)
        self.assert_memory(memory, 3 * MIB, timeout=5)


class TestLimit(BoxCase):

    def test_256_followers_a_connection(self):
        before = settled_fds(self.reeve)
        job = self.bus.start_sh("echo x; exec sleep 1000")
        other, fds = self.reeve.connect(), []
        try:
            for _ in range(256):
                fds.append(follow_fd(other, job.id, Format="raw"))
            for _ in range(3):
                self.assert_error("LimitsExceeded", call=lambda: follow_fd(other, job.id, Format="raw"))
            # Another connection has its own.
            with follow(self.bus, job.id, Format="raw") as follower:
                follower.wait_for(b"x\n")
            # One that goes makes room for one.
            os.close(fds.pop())

            def fits():
                try:
                    return fds.append(follow_fd(other, job.id, Format="raw")) or True
                except Exception as e:      # pylint: disable=broad-except
                    self.assertTrue(e.name.endswith("LimitsExceeded"), e)
                    return False
            eventually(fits, 5, "there is room for one again")
            self.assert_error("LimitsExceeded", call=lambda: follow_fd(other, job.id, Format="raw"))
            # So do those whose job is done, once they were read to the end.
            self.bus.stop({"Id": job.id})
            for fd in fds:
                self.assertEqual(read_to_end(fd), b"x\n")
            self.assertEqual(followed(other, job.id, Format="raw"), b"x\n")
        finally:
            for fd in fds:
                os.close(fd)
        other.close()
        self.assert_fds_back(before)


class TestShutdown(FreshCase):

    def test_followers_are_told_the_end(self):
        box = self.box()
        job = box.bus.start_sh("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
        with follow(box.bus, job.id, Format="json") as follower:
            follower.wait_for(b"ready")
            self.assertEqual(box.stop(), 0)
            told = story(parse_json(follower.wait_end(5)))
        self.assertEqual([e["MESSAGE"] for e in told.records if e["REEVE_STREAM"] == b"stdout"], [b"ready", b"bye"])
        self.assertEqual((told.end["REEVE_RESULT"], told.end["REEVE_EXIT_CODE"]), (b"exit-code", b"7"))
        box.no_leftovers()

    def test_much_is_left_to_be_written(self):
        """A reader that is behind, but reads, gets the rest before reeve leaves."""
        box = self.box()
        job = box.bus.start_sh(f"{' '.join(box.payload('pattern', MIB))}; echo ready; exec sleep 1000", LogMaxBytes=8 * MIB)
        box.bus.wait_for_output(job.id, b"ready")
        follower = follow(box.bus, job.id, read=False, Format="json")
        box.signal(15)
        with follower:
            follower.read()
            told = story(parse_json(follower.wait_end(10)))
        self.assertEqual(sum(map(size_of, told.records)) + lost_bytes(told.lost), MIB + 6)
        self.assertEqual(told.lost, [])
        self.assertEqual(box.wait_exit(), 0)

    def test_one_that_never_reads_does_not_hold_it_up(self):
        box = self.box()
        job = box.bus.start(box.payload("flood"))
        fd = follow_fd(box.bus, job.id, Format="json")
        try:
            eventually(lambda: box.bus.property("LogBytes", job.id) > 4 * MIB, 10, "it floods")
            with Stopwatch() as watch:
                self.assertEqual(box.stop(), 0)
            self.assertLess(watch.seconds, 9.9, "inside the 10 s that docker gives")
        finally:
            os.close(fd)
        box.no_leftovers()


class TestEviction(BoxCase):
    """A budget for all logs: what goes first is what finished first, followed or not."""

    options = {"args": [f"--log-max={4 * MIB}"]}

    def test_a_follower_of_a_log_that_is_taken_away(self):
        outcome = self.bus.exec(self.reeve.payload("pattern", 2 * MIB), LogMaxBytes=3 * MIB)
        self.bus.wait(outcome.id)
        with follow(self.bus, outcome.id, read=False, Format="json") as follower:
            for _ in range(3):
                self.bus.wait(self.bus.exec(self.reeve.payload("blob", 2 * MIB), LogMaxBytes=3 * MIB).id)
            self.assertEqual(self.bus.property("LogLostBytes", outcome.id), 2 * MIB)
            follower.read()
            told = story(parse_json(follower.wait_end()))
        output = [e for e in told.records if e["REEVE_STREAM"] != b"note"]
        self.assertEqual(sum(map(size_of, output)) + lost_bytes(told.lost), 2 * MIB)
        self.assertGreater(lost_bytes(told.lost), 0)
