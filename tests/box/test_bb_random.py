"""A job that writes at random, and followers that come, read and leave at random: all tell the same story."""

import os
import random
import select
import time

from bb import PARSE, STREAM, all_log, follow_fd, lost_bytes, lost_records, parse_json, size_of, story
from case import BoxCase

MIB = 1 << 20

# Lines and pieces of lines, of all lengths, on both streams, now and then with a pause.
WRITER = """
import os, random, sys, time
r = random.Random(int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    size = r.choice((0, 1, 10, 80, 500, 5000, 40000))
    data = r.randbytes(size) if r.random() < 0.2 else bytes(r.choice(b"abc \\t") for _ in range(min(size, 500)))
    os.write(r.choice((1, 1, 1, 2)), data.replace(b"\\n", b"") + (b"\\n" if r.random() < 0.8 else b""))
    if r.random() < 0.05:
        time.sleep(r.choice((0.001, 0.01, 0.15)))
sys.exit(r.randrange(256))
"""


class Reader:
    """One follower; goes away and comes back with its last cursor, if its format has any."""

    def __init__(self, test, id, r):
        self.test, self.id, self.r = test, id, r
        self.format = r.choice(("json", "json", "export", "raw"))
        self.data, self.cursor, self.entries, self.done, self.turns = b"", "", [], False, 0
        self.fd = self.open()

    def open(self):
        return follow_fd(self.test.bus, self.id, self.cursor, Format=self.format)

    def read(self):
        chunk = os.read(self.fd, self.r.choice((1, 100, 4096, 65536)))
        self.data += chunk
        if not chunk:
            self.finish()
        elif self.format == "json" and self.r.random() < 0.02:
            os.close(self.fd)
            whole = self.data[:self.data.rfind(b"\n") + 1]
            got = parse_json(whole)
            self.entries += got
            self.cursor = got[-1]["__CURSOR"].decode() if got else self.cursor
            self.data, self.turns = b"", self.turns + 1
            if got and got[-1].get("REEVE_EVENT") == b"end":
                self.done, self.fd = True, -1
            else:
                self.fd = self.open()

    def finish(self):
        os.close(self.fd)
        self.done, self.fd = True, -1
        if self.format != "raw":
            self.entries += PARSE[self.format](self.data)


class TestRandom(BoxCase):

    def play(self, seed, count, ring):
        r = random.Random(seed)
        job = self.bus.start(["python3", "-c", WRITER, str(seed), str(count)], LogMaxBytes=ring)
        readers = [Reader(self, job.id, r) for _ in range(6)]
        deadline = time.monotonic() + 60
        try:
            while live := [reader for reader in readers if not reader.done]:
                self.assertLess(time.monotonic(), deadline, [(x.format, len(x.data), x.turns) for x in live])
                if len(readers) < 12 and r.random() < 0.01:
                    readers.append(Reader(self, job.id, r))
                ready, _, _ = select.select([reader.fd for reader in live], [], [], 5)
                for reader in live:
                    if reader.fd in ready and r.random() < 0.7:
                        reader.read()
        finally:
            for reader in readers:
                if reader.fd >= 0:
                    os.close(reader.fd)
        self.bus.wait(job.id)
        return job.id, readers

    def key(self, entry):
        return int(entry["REEVE_SEQNUM"]), entry["REEVE_STREAM"].decode(), entry["MESSAGE"], "REEVE_PARTIAL" in entry, \
            int(entry["__REALTIME_TIMESTAMP"]), int(entry["__MONOTONIC_TIMESTAMP"])

    def test_nothing_lost(self):
        for seed in range(6):
            with self.subTest(seed=seed):
                id, readers = self.play(seed, 400, 32 * MIB)
                records = all_log(self.bus, id)
                raw = b"".join(record.data for record in records if record.stream != 3)
                want = [(record.seq, STREAM[record.stream], record.data.removesuffix(b"\n")) for record in records]
                properties = self.bus.properties(id)
                self.assertEqual((properties["LogBytes"], properties["LogLostBytes"]), (len(raw), 0))
                for reader in readers:
                    if reader.format == "raw":
                        self.assertTrue(reader.data == raw)
                        continue
                    told = story(reader.entries)
                    self.assertEqual(told.lost, [])
                    self.assertTrue([self.key(e)[:3] for e in told.records] == want)
                    self.assertEqual(int(told.end["REEVE_EXIT_CODE"]), properties["ExitCode"])
                self.bus.job(id, "Forget")

    def test_exactly_counted(self):
        """The same with a ring that is too small for those who are slow."""
        for seed in range(100, 106):
            with self.subTest(seed=seed):
                id, readers = self.play(seed, 1500, 64 << 10)
                properties, truth = self.bus.properties(id), {}
                for reader in readers:
                    if reader.format == "raw":
                        self.assertLessEqual(len(reader.data), properties["LogBytes"])
                        continue
                    told = story(reader.entries)
                    output = [e for e in told.records if e["REEVE_STREAM"] != b"note"]
                    self.assertEqual(sum(map(size_of, output)) + lost_bytes(told.lost), properties["LogBytes"])
                    seq = 0
                    for entry in reader.entries[:-1]:
                        if "REEVE_EVENT" in entry:
                            seq += lost_records([entry])
                            continue
                        seq += 1
                        self.assertEqual(int(entry["REEVE_SEQNUM"]), seq)
                        # Whoever has a record has the same one.
                        self.assertEqual(truth.setdefault(seq, self.key(entry)), self.key(entry))
                self.bus.job(id, "Forget")
