"""FollowLog: readers of a log at their own pace, over pipes."""

import contextlib
import json
import os
import re
import select
import threading
import time

from case import BoxCase, FreshCase
from client import INFINITY, SEC, V, job_path, variants
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
