"""FollowLog: readers of a log at their own pace, over pipes."""

import contextlib
import json
import os
import select
import signal
import socket
import threading
import time

from case import BoxCase, FreshCase, Stopwatch
from client import INFINITY, V, authenticate, connect, method_call
from rig import eventually

KIB = 1 << 10


def drain(fd, timeout=20):
    """All bytes to the end of the file; closes it."""
    out = bytearray()
    deadline = time.monotonic() + timeout
    with os.fdopen(fd, "rb", buffering=0) as f:
        while True:
            if not select.select([f], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise AssertionError(f"the pipe is not closed after {timeout} s; got {bytes(out[-300:])!r}")
            data = f.read(64 * KIB)
            if not data:
                return bytes(out)
            out += data


def entries(data):
    """Of the json format."""
    return [json.loads(line) for line in data.splitlines()]


class Reader(threading.Thread):
    """Reads a pipe at once, and notes when which lines came."""

    def __init__(self, fd):
        super().__init__(daemon=True)
        self.fd = fd
        self.data = bytearray()
        self.arrived = []       # (number of bytes so far, CLOCK_REALTIME)
        self.start()

    def run(self):
        while chunk := os.read(self.fd, 64 * KIB):
            self.data += chunk
            self.arrived.append((len(self.data), time.time()))
        os.close(self.fd)

    def result(self, timeout=30):
        self.join(timeout)
        if self.is_alive():
            raise AssertionError(f"the pipe is not closed after {timeout} s; got {bytes(self.data[-300:])!r}")
        return bytes(self.data)


class TestFollow(BoxCase):

    def setUp(self):
        self.bus.exec(["true"])
        self.fds = self.reeve.fds()

    def tearDown(self):
        super().tearDown()
        for id in self.bus.job_ids():
            self.bus.job(id, "Forget")
        eventually(lambda: self.reeve.fds() <= self.fds, 10, lambda: f"{self.fds} descriptors: {self.reeve.fds()}")

    # -- formats

    def test_raw_is_what_was_written(self):
        job = self.bus.start_sh("printf 'a\\nb\\n\\377\\000c'; sleep 0.3; printf 'd\\n'; echo e >&2; exit 3")
        data = drain(self.bus.follow(job.id))
        self.assertEqual(sorted(data.splitlines()), sorted([b"a", b"b", b"\xff\0cd", b"e"]))
        self.assertEqual(drain(self.bus.follow(job.id, Streams=["stdout"])), b"a\nb\n\xff\0cd\n")
        self.assertEqual(drain(self.bus.follow(job.id, Format="raw", Streams=["stderr"])), b"e\n")
        self.assertEqual(drain(self.bus.follow(job.id, Streams=["note"])), b"")

    def test_json_of_a_finished_job(self):
        job = self.bus.start_sh("echo one; printf two >&2; exit 3")
        self.bus.wait(job.id)
        got = entries(drain(self.bus.follow(job.id, Format="json")))
        self.assertEqual([e["MESSAGE"] for e in got[:2]], ["one", "two"])
        self.assertEqual([e.get("REEVE_STREAM") for e in got], ["stdout", "stderr", None])
        self.assertEqual([e["REEVE_JOB"] for e in got], [job.id] * 3)
        self.assertEqual(got[1]["REEVE_PARTIAL"], "1")
        end = got[2]
        self.assertEqual([end[key] for key in ("REEVE_EVENT", "REEVE_RESULT", "REEVE_EXIT_CODE", "REEVE_SIGNAL")],
                         ["end", "exit-code", "3", "0"])
        self.assertEqual(end["__CURSOR"], got[1]["__CURSOR"])
        self.assertEqual(end["__CURSOR"], self.bus.property("LogCursor", job.id))

    def test_short(self):
        job = self.bus.start_sh("echo one; kill -9 $$")
        data = drain(self.bus.follow(job.id, Format="short")).decode()
        self.assertRegex(data, r"^\d{4}-\d\d-\d\dT[\d:.]+[+-]\d{4} \S+ sh\[\d+\]: one\n$")

    def test_blobs(self):
        job = self.bus.start_sh("printf 'a\\033[1mb\\n\\377\\n'")
        got = entries(drain(self.bus.follow(job.id, Format="json")))
        self.assertEqual([e["MESSAGE"] for e in got[:2]], [list(b"a\x1b[1mb"), [255]])

    # -- what was and what comes

    def test_what_was_and_what_comes(self):
        """From the first record on, whenever one joins: nothing twice, nothing missed."""
        job = self.bus.start_sh("for i in $(seq 1 2000); do echo line $i; [ $((i % 50)) = 0 ] && sleep 0.005; done")
        readers = []
        for _ in range(20):
            readers.append(Reader(self.bus.follow(job.id)))
            time.sleep(0.01)    # only to be at different places
        expected = b"".join(b"line %d\n" % i for i in range(1, 2001))
        for reader in readers:
            self.assertEqual(reader.result(), expected)

    def test_goes_on_from_a_cursor(self):
        """The follower goes away in the middle of a line or not, and comes back with the last cursor it has."""
        job = self.bus.start_sh("for i in $(seq 1 3000); do echo line $i; [ $((i % 100)) = 0 ] && sleep 0.01; done; echo end >&2")
        seen, cursor, rounds = [], "", 0
        while True:
            fd = self.bus.follow(job.id, cursor, Format="json")
            data = b""
            ended = False
            while len(data) < 20000 and not ended:
                chunk = os.read(fd, 3001)
                ended = not chunk
                data += chunk
            os.close(fd)
            for line in data[:data.rfind(b"\n") + 1].splitlines():
                entry = json.loads(line)
                cursor = entry["__CURSOR"]
                if "REEVE_EVENT" not in entry:
                    seen.append((int(entry["REEVE_SEQNUM"]), entry["MESSAGE"]))
            rounds += 1
            if ended:
                break
        self.assertGreater(rounds, 10)
        self.assertEqual([n for n, _ in seen], list(range(1, 3002)))
        self.assertEqual([m for _, m in seen], [f"line {i}" for i in range(1, 3001)] + ["end"])

    def test_tail_and_lines(self):
        job = self.bus.start_sh("echo d >&2; echo a; until [ -e /tmp/more ]; do sleep 0.05; done; echo b; echo c; "
                                "until [ -e /tmp/go ]; do sleep 0.05; done; echo e")
        for first in (b"d\n", b"a\n"):
            self.bus.wait_for_output(job.id, first)
        self.reeve.run_inside(["touch", "/tmp/more"])
        self.bus.wait_for_output(job.id, b"c\n")
        tail = Reader(self.bus.follow(job.id, "tail"))
        two = Reader(self.bus.follow(job.id, Lines=2))
        stderr = Reader(self.bus.follow(job.id, Lines=2, Streams=["stderr"]))
        none = Reader(self.bus.follow(job.id, Lines=0))
        more = Reader(self.bus.follow(job.id, Lines=100, Format="json"))
        future = Reader(self.bus.follow(job.id, SinceUSec=int((time.time() + 1000) * 1e6)))
        past = Reader(self.bus.follow(job.id, SinceUSec=int((time.time() - 1000) * 1e6)))
        self.reeve.run_inside(["touch", "/tmp/go"])
        self.bus.wait(job.id)
        self.assertEqual(tail.result(), b"e\n")
        self.assertEqual(two.result(), b"b\nc\ne\n")
        self.assertEqual(len(entries(more.result())), 6)
        self.assertEqual(future.result(), b"")
        self.assertEqual(sorted(past.result()), sorted(b"a\nb\nc\nd\ne\n"))
        self.assertEqual(stderr.result(), b"d\n")
        self.assertEqual(none.result(), b"e\n")

    def test_unfinished_lines(self):
        """Come when 100 ms have passed, and the rest of the line by itself."""
        job = self.bus.start_sh("printf abc; until [ -e /tmp/rest ]; do sleep 0.05; done; echo def; sleep 1000")
        fd = self.bus.follow(job.id, Format="json")
        with os.fdopen(fd, "rb", buffering=0) as f:
            first = json.loads(f.read(65536))
            self.reeve.run_inside(["touch", "/tmp/rest"])
            second = json.loads(f.read(65536))
        self.assertEqual((first["MESSAGE"], first["REEVE_PARTIAL"]), ("abc", "1"))
        self.assertEqual(second["MESSAGE"], "def")
        self.assertNotIn("REEVE_PARTIAL", second)

    def test_many_records(self):
        """A hundred thousand, to three readers in three formats, while they come and afterwards."""
        job = self.bus.start(["seq", "1", "100000"], LogMaxBytes=16 << 20)
        expected = b"".join(b"%d\n" % i for i in range(1, 100001))
        live = [Reader(self.bus.follow(job.id, Format=f)) for f in ("raw", "short", "json")]
        self.assertEqual(live[0].result(60), expected)
        self.assertEqual([line.rsplit(b" ", 1)[1] for line in live[1].result(60).splitlines()], expected.split())
        numbers = [e.get("REEVE_SEQNUM") for e in entries(live[2].result(60))]
        self.assertEqual(numbers, [str(i) for i in range(1, 100001)] + [None])
        self.assertEqual(drain(self.bus.follow(job.id), 60), expected)

    # -- being overtaken

    def losses(self, got):
        return [(int(e["REEVE_LOST_BYTES"]), int(e["REEVE_LOST_RECORDS"])) for e in got if e.get("REEVE_EVENT") == "lost"]

    def test_exact_loss(self):
        """Who does not read is told to the byte and the record what it missed, and nothing else costs anybody."""
        job = self.bus.start_sh("until [ -e /tmp/flood ]; do sleep 0.05; done; exec seq 1 300000", LogMaxBytes=1 << 16)
        fd = self.bus.follow(job.id, Format="json")
        self.reeve.run_inside(["touch", "/tmp/flood"])
        self.bus.wait(job.id)
        total = sum(len(str(i)) + 1 for i in range(1, 300001))
        got = entries(drain(fd))
        records = [e for e in got if "REEVE_EVENT" not in e]
        lost = self.losses(got)
        self.assertGreaterEqual(len(lost), 1)
        self.assertEqual(sum(len(e["MESSAGE"]) + 1 for e in records) + sum(n for n, _ in lost), total)
        self.assertEqual(len(records) + sum(n for _, n in lost), 300000)
        self.assertEqual(got[-1]["REEVE_EVENT"], "end")
        self.assertEqual(sum(e.get("REEVE_EVENT") == "end" for e in got), 1)
        # a loss is where it was: before it and after it nothing is missing
        i, number = 0, 1
        for at, e in enumerate(got[:-1]):
            if "REEVE_EVENT" in e:
                i = at
                number += int(e["REEVE_LOST_RECORDS"])
            else:
                self.assertEqual(e["MESSAGE"], str(number))
                number += 1
        self.assertEqual(number, 300001)
        # who goes on from the entry of the loss is not told of it again
        again = entries(drain(self.bus.follow(job.id, got[i]["__CURSOR"], Format="json")))
        self.assertEqual(again[:-1], got[i + 1:-1])
        # and from the beginning there is a loss, too
        again = entries(drain(self.bus.follow(job.id, Format="json")))
        held = sum(len(e["MESSAGE"]) + 1 for e in again if "REEVE_EVENT" not in e)
        self.assertEqual(self.losses(again)[0][0] + held, total)
        self.assertEqual(again[0]["REEVE_EVENT"], "lost")
        # but the newest lines are just those
        self.assertEqual(drain(self.bus.follow(job.id, Lines=2)), b"299999\n300000\n")
        self.assertEqual(self.losses(entries(drain(self.bus.follow(job.id, Lines=2, Format="json")))), [])
        self.assertEqual(len(self.losses(entries(drain(self.bus.follow(job.id, Lines=290000, Format="json"))))), 1)
        text = drain(self.bus.follow(job.id, Format="short"))
        self.assertIn(b"[%d bytes lost]\n" % self.losses(again)[0][0], text)

    def flood_once(self, seconds):
        """Ten followers of 2 MB/s in bursts, one of them asleep: the greatest delay of the nine, and what the tenth got."""
        script = (f"import time\nend = time.time() + {seconds}\nn = 0\nwhile time.time() < end:\n"
                  "    print('\\n'.join('%.6f %06d %s' % (time.time(), n + i, 'x' * 80) for i in range(100)), flush=True)\n"
                  "    n += 100\n    time.sleep(0.005)\n")
        job = self.bus.start(["/usr/bin/python3", "-c", script], LogMaxBytes=1 << 19)
        asleep = self.bus.follow(job.id, Format="json")
        readers = [Reader(self.bus.follow(job.id)) for _ in range(9)]
        self.bus.wait(job.id, timeout=seconds + 20)
        worst = 0
        outputs = [reader.result() for reader in readers]
        for reader, data in zip(readers, outputs):
            at = 0
            for size, arrived in reader.arrived:
                first = data.find(b"\n", at) + 1 if at else 0   # the first line that begins in this piece
                if 0 <= first < size:
                    line = data[first:first + 17]
                    worst = max(worst, arrived - float(line))
                at = size
        return outputs, worst, entries(drain(asleep))

    def test_ten_followers_one_asleep(self):
        """The nine have everything within 50 ms; on a machine that has other things to do, at one of five tries."""
        delays = []
        for _ in range(5):
            outputs, worst, got = self.flood_once(2)
            self.assertEqual(len(set(outputs)), 1)
            lines = outputs[0].splitlines()
            self.assertEqual([int(line.split()[1]) for line in lines], list(range(len(lines))))
            self.assertEqual(len([e for e in got if "REEVE_EVENT" not in e]) + sum(n for _, n in self.losses(got)), len(lines))
            self.assertEqual(len(self.losses(got)), 1)
            self.assertEqual(got[-1]["REEVE_EVENT"], "end")
            delays.append(worst)
            if worst < 0.05:
                return
        self.fail(f"the greatest delays were {delays}")

    # -- ends

    def test_the_end_comes_after_all_output(self):
        """Of those that hold the pipe after the leader, too."""
        job = self.bus.start_sh("(sleep 0.3; echo late) & echo early; exit 7")
        got = entries(drain(self.bus.follow(job.id, Format="json")))
        self.assertEqual([e["MESSAGE"] for e in got[:2]], ["early", "late"])
        self.assertEqual((got[2]["REEVE_EVENT"], got[2]["REEVE_EXIT_CODE"], len(got)), ("end", "7", 3))

    def test_output_ends_before_the_leader(self):
        job = self.bus.start_sh("echo a; exec >&- 2>&-; sleep 0.3; exit 5")
        got = entries(drain(self.bus.follow(job.id, Format="json")))
        self.assertEqual([(e["MESSAGE"], e.get("REEVE_EXIT_CODE")) for e in got][0], ("a", None))
        self.assertEqual([e.get("REEVE_EXIT_CODE") for e in got], [None, "5"])

    def test_killed(self):
        job = self.bus.start_sh("echo a; sleep 1000")
        reader = Reader(self.bus.follow(job.id, Format="json"))
        self.bus.wait_for_output(job.id, b"a\n")
        self.bus.stop({"Id": job.id}, TimeoutStopUSec=0)
        got = entries(reader.result())
        self.assertEqual([got[-1][key] for key in ("REEVE_RESULT", "REEVE_EXIT_CODE", "REEVE_SIGNAL")], ["signal", "-1", "9"])

    def test_closed_by_its_reader(self):
        """The follower goes, at once, and the job stays."""
        job = self.bus.start_sh("echo a; sleep 1000")
        self.bus.wait_for_output(job.id, b"a\n")
        before = self.reeve.fds()
        fds = [self.bus.follow(job.id) for _ in range(30)]
        # Its own copy of what it has sent reeve closes a little later.
        eventually(lambda: self.reeve.fds() == before + 30, 10, lambda: f"{before + 30} and not {self.reeve.fds()}")
        for fd in fds:
            os.close(fd)
        self.assert_fds_back(before)
        self.assertTrue(self.bus.property("Running", job.id))
        self.assertEqual(self.bus.output(job.id)[0], b"a\n")

    def test_never_read(self):
        """Costs its pipe: no memory to speak of, no time, nobody held up."""
        job = self.bus.start(["sh", "-c", "seq 1 1000000; seq 1 1000000"], LogMaxBytes=1 << 16)
        held = [self.bus.follow(job.id, Format="export") for _ in range(100)]
        memory = self.reeve.memory()
        self.bus.wait(job.id, timeout=60)
        self.assert_memory(memory, 100 * 24 * KIB)
        with Stopwatch() as watch:
            self.assertEqual(self.bus.exec(["echo", "x"]).stdout, b"x\n")
        self.assertLess(watch.seconds, 10)
        wakeups = self.reeve.wakeups()
        time.sleep(0.3)     # nothing may happen
        self.assertLess(self.reeve.wakeups() - wakeups, 5)
        for fd in held:
            os.close(fd)

    def test_outlives_the_connection(self):
        job = self.bus.start_sh("echo a; sleep 1; echo b")
        with self.reeve.connect() as other:
            reader = Reader(other.follow(job.id))
        self.assertEqual(reader.result(), b"a\nb\n")

    def test_forgotten_while_unread(self):
        """What was not in the pipe yet is lost and said, and the end is."""
        job = self.bus.start(["seq", "1", "100000"], LogMaxBytes=16 << 20)
        fds = {f: self.bus.follow(job.id, Format=f) for f in ("json", "raw", "short")}
        self.bus.wait(job.id)
        stderr = self.bus.follow(job.id, Format="json", Streams=["stderr"])
        self.bus.job(job.id, "Forget")
        self.assert_error("UnknownObject", call=lambda: self.bus.follow(job.id))
        got = entries(drain(fds["json"]))
        (lost_bytes, lost_records), = self.losses(got)
        total = sum(len(str(i)) + 1 for i in range(1, 100001))
        self.assertEqual(sum(len(e["MESSAGE"]) + 1 for e in got[:-2]) + lost_bytes, total)
        self.assertEqual(len(got[:-2]) + lost_records, 100000)
        self.assertEqual([e["REEVE_EVENT"] for e in got[-2:]], ["lost", "end"])
        raw = drain(fds["raw"])
        self.assertEqual(raw, b"".join(b"%d\n" % i for i in range(1, 100001))[:len(raw)])
        self.assertRegex(drain(fds["short"]), rb"\n\[\d+ bytes lost\]\n$")
        # who wanted nothing of that has lost nothing
        self.assertEqual([e["REEVE_EVENT"] for e in entries(drain(stderr))], ["end"])

    # -- bounds, and what is wrong

    def test_bounds(self):
        """256 a connection."""
        job = self.bus.start(["sleep", "1000"])
        with self.reeve.connect() as other:
            before = self.reeve.fds()
            fds = [other.follow(job.id) for _ in range(256)]
            self.assert_error("LimitsExceeded", "256", call=lambda: other.follow(job.id))
            os.close(self.bus.follow(job.id))   # of another connection
            eventually(lambda: self.reeve.fds() == before + 256, 10, "that one is gone")
            os.close(fds.pop())
            self.assert_fds_back(before + 255)
            fds.append(other.follow(job.id))
        self.bus.stop({"Id": job.id})
        for fd in fds:
            self.assertEqual(drain(fd), b"")

    def test_errors(self):
        job = self.bus.start_sh("echo a")
        before = self.reeve.fds()
        self.bus.wait(job.id)
        for options, words in (
                ({"Format": "xml"}, ["Format", "xml"]), ({"Format": V("u", 3)}, ["Format", "u"]),
                ({"Format": ""}, ["Format"]), ({"Streams": ["stdin"]}, ["Streams", "stdin"]),
                ({"Streams": []}, ["Streams"]), ({"Lines": V("i", 3)}, ["Lines"]), ({"Follow": V("b", True)}, ["Follow"])):
            self.assert_error("InvalidArgs", *words, call=lambda options=options: self.bus.follow(job.id, **options))
        for call in (self.bus.log, self.bus.output):
            self.assert_error("InvalidArgs", "Streams", call=lambda call=call: call(job.id, Streams=[]))
        for cursor in ("x", "r=0", "TAIL"):
            self.assert_error("BadCursor", call=lambda cursor=cursor: self.bus.follow(job.id, cursor))
        other = self.bus.start_sh("echo b")
        self.bus.wait(other.id)
        self.assert_error("BadCursor", "another job",
                          call=lambda: self.bus.follow(job.id, self.bus.property("LogCursor", other.id)))
        eventually(lambda: self.reeve.fds() <= before + 2, 30, lambda: f"{before} descriptors: {self.reeve.fds()}")

    def test_a_connection_without_descriptors(self):
        """Is told so; nothing is left open."""
        job = self.bus.start(["sleep", "1000"])
        before = self.reeve.fds()
        with contextlib.closing(connect(self.reeve.address)) as s:
            s.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\nBEGIN\r\n")
            s.sendall(method_call(job.path, "org.reeve1.Job", "FollowLog", "sa{sv}", ("", {}), serial=5))
            data = b""
            while b"NEGOTIATE_UNIX_FD" not in data:
                chunk, fds, _, _ = socket.recv_fds(s, 4096, 4)
                self.assertTrue(chunk, data)
                self.assertEqual(fds, [])
                data += chunk
            self.assertIn(b"org.freedesktop.DBus.Error.NotSupported", data)
        self.assert_fds_back(before)


class TestShutdown(FreshCase):

    def test_readers_get_everything(self):
        """reeve is told to stop: who reads gets all that was written, to the end."""
        box = self.box()
        job = box.bus.start_sh("trap 'echo bye; exit 4' TERM; seq 1 20000; while :; do sleep 0.1; done")
        box.bus.wait_for_output(job.id, b"\n20000\n")
        fds = [box.bus.follow(job.id, Format="json", Streams=["stdout"]) for _ in range(5)]
        box.signal(signal.SIGTERM)
        readers = [Reader(fd) for fd in fds]
        for reader in readers:
            got = entries(reader.result())
            self.assertEqual([e["MESSAGE"] for e in got[:-1]], [str(i) for i in range(1, 20001)] + ["bye"])
            self.assertEqual((got[-1]["REEVE_EVENT"], got[-1]["REEVE_EXIT_CODE"]), ("end", "4"))
        self.assertEqual(box.wait_exit(), 0)

    def test_who_reads_slowly_gets_everything(self):
        """As long as it reads, within the time that stopping may take."""
        box = self.box()
        job = box.bus.start(["seq", "1", "100000"], LogMaxBytes=16 << 20)
        box.bus.wait(job.id)
        fd = box.bus.follow(job.id)
        box.signal(signal.SIGTERM)
        data = b""
        while chunk := os.read(fd, 32 * KIB):
            data += chunk
            time.sleep(0.1)     # slow: that is what it is about
        os.close(fd)
        self.assertEqual(data, b"".join(b"%d\n" % i for i in range(1, 100001)))
        self.assertEqual(box.wait_exit(), 0)

    def test_who_does_not_read_holds_up_nothing(self):
        box = self.box("--stop-timeout=60s")
        job = box.bus.start_sh("seq 1 100000; sleep 1000")
        held = [box.bus.follow(job.id) for _ in range(20)]
        box.bus.wait_for_output(job.id, b"\n100000\n")
        with Stopwatch() as watch:
            self.assertEqual(box.stop(), 0)
        self.assertLess(watch.seconds, 20)
        for fd in held:
            os.close(fd)
