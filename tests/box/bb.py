"""What the tests of streams, input and waiting share: readers of FollowLog's pipe, and parsers that forgive nothing."""

import contextlib
import fcntl
import json
import os
import re
import select
import socket
import struct
import termios
import threading
import time
from collections import namedtuple

from jeepney.low_level import HeaderFields

import client
from client import JOB, SEC, job_path, plain, variants
from rig import eventually

client.SIGNATURE.update({"Format": "s", "LogPattern": "s", "LogStreams": "as"})

PRIORITY = {"stdout": "6", "stderr": "3", "note": "5"}
STREAM = {1: "stdout", 2: "stderr", 3: "note"}
FIELDS = {"__CURSOR", "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "REEVE_JOB",
          "REEVE_SESSION", "REEVE_STREAM", "REEVE_SEQNUM"}

Chunk = namedtuple("Chunk", "when data")
Story = namedtuple("Story", "records lost end")


def follow_fd(bus, id, cursor="", **options):
    """The descriptor of a FollowLog."""
    pending = bus.send(job_path(id), JOB, "FollowLog", "sa{sv}", cursor, variants(options))
    header, _ = pending.raw()
    if header.fields.get(HeaderFields.signature) != "h" or len(pending.fds) != 1:
        raise AssertionError(f"FollowLog answered {header.fields} and {len(pending.fds)} descriptors")
    return pending.fds[0]


class Follower:
    """Reads a pipe in a thread of its own, and notes when what came. It begins with reading when told to."""

    def __init__(self, fd, read=True):
        self.fd = fd
        self.arrival = threading.Condition()
        self.chunks = []
        self.data = bytearray()
        self.eof = None         # when it came
        self.quit, self.wake = os.pipe2(os.O_CLOEXEC)
        self.thread = None
        if read:
            self.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def read(self):
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while True:
            ready, _, _ = select.select([self.fd, self.quit], [], [])
            if self.quit in ready:
                return
            data = os.read(self.fd, 1 << 20)
            with self.arrival:
                now = time.monotonic()
                if data:
                    self.chunks.append(Chunk(now, data))
                    self.data += data
                else:
                    self.eof = now
                self.arrival.notify_all()
            if not data:
                return

    def wait(self, test, timeout=30, what="it"):
        """Until test(the bytes so far); these bytes."""
        with self.arrival:
            if not self.arrival.wait_for(lambda: test(self.data) or self.eof, timeout):
                raise AssertionError(f"{what} did not come within {timeout} s; last: {bytes(self.data[-300:])!r}")
            if not test(self.data):
                raise AssertionError(f"the pipe was closed before {what} came; last: {bytes(self.data[-300:])!r}")
            return bytes(self.data)

    def wait_for(self, needle, timeout=30):
        return self.wait(lambda data: needle in data, timeout, repr(needle))

    def wait_end(self, timeout=30):
        """All of it, once the writer has closed the pipe."""
        with self.arrival:
            if not self.arrival.wait_for(lambda: self.eof, timeout):
                raise AssertionError(f"no end of the pipe within {timeout} s; last: {bytes(self.data[-300:])!r}")
            return bytes(self.data)

    def close(self):
        if self.fd >= 0:
            if self.thread:
                os.write(self.wake, b"x")
                self.thread.join(5)
            for fd in (self.fd, self.quit, self.wake):
                os.close(fd)
            self.fd = -1


def follow(bus, id, cursor="", read=True, **options):
    return Follower(follow_fd(bus, id, cursor, **options), read)


def followed(bus, id, cursor="", timeout=30, **options):
    """All that a FollowLog writes until it closes the pipe."""
    with follow(bus, id, cursor, **options) as follower:
        return follower.wait_end(timeout)


# -- the formats

def no_doubles(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise AssertionError(f"a field twice in one object: {keys}")
    return dict(pairs)


def parse_json(data):
    """[{field: bytes}]: one object a line, each value a string or an array of bytes."""
    if data and not data.endswith(b"\n"):
        raise AssertionError(f"the last line is cut: {data[-200:]!r}")
    entries = []
    for line in data.split(b"\n")[:-1]:
        entry = json.loads(line.decode("utf-8"), object_pairs_hook=no_doubles)
        for key, value in entry.items():
            if isinstance(value, str):
                entry[key] = value.encode()
            elif isinstance(value, list) and all(type(byte) is int and 0 <= byte < 256 for byte in value):
                entry[key] = bytes(value)
            else:
                raise AssertionError(f"{key} is neither string nor array of bytes: {line[:300]!r}")
        entries.append(entry)
    return entries


def printable(value):
    """What the Journal Export Format allows as text: UTF-8 without control characters but TAB."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any((ord(c) < 32 and c != "\t") or ord(c) == 127 for c in text)


def parse_export(data):
    """[{field: bytes}] of the Journal Export Format; each entry ends with its empty line."""
    entries, entry, pos = [], {}, 0
    while pos < len(data):
        end = data.index(b"\n", pos)
        line, pos = data[pos:end], end + 1
        if not line:
            if not entry:
                raise AssertionError("an empty entry")
            entries.append(entry)
            entry = {}
            continue
        name, equals, value = line.partition(b"=")
        if not equals:
            size, = struct.unpack_from("<Q", data, pos)
            value, pos = data[pos + 8:pos + 8 + size], pos + 8 + size
            if len(value) != size or data[pos:pos + 1] != b"\n":
                raise AssertionError(f"a binary field {name!r} of {size} bytes is cut or has no newline behind it")
            pos += 1
        elif not printable(value):
            raise AssertionError(f"not to be written as text: {line[:200]!r}")
        name = name.decode()
        if not re.fullmatch(r"__[A-Z][A-Z_]*|[A-Z][A-Z0-9_]{0,63}", name):
            raise AssertionError(f"not the name of a field: {name!r}")
        if name in entry:
            raise AssertionError(f"{name} twice in one entry")
        entry[name] = value
    if entry:
        raise AssertionError(f"the last entry has no end: {entry}")
    return entries


PARSE = {"json": parse_json, "export": parse_export}


def text(entry):
    """{field: str}, of an entry whose MESSAGE may be anything."""
    return {key: value.decode("utf-8", "surrogateescape") for key, value in entry.items()}


def size_of(entry):
    """How many bytes of output a record was."""
    return len(entry["MESSAGE"]) + ("REEVE_PARTIAL" not in entry)


def story(entries):
    """The records of a following that has come to its end, what it said to have lost, and its one last entry."""
    kinds = [entry.get("REEVE_EVENT") for entry in entries]
    if kinds.count(b"end") != 1 or kinds[-1] != b"end":
        raise AssertionError(f"exactly one last entry has REEVE_EVENT=end: {[k for k in kinds if k]}, last: {entries[-1:]}")
    if set(kinds) - {None, b"lost", b"end"}:
        raise AssertionError(f"unknown events: {set(kinds)}")
    return Story([e for e in entries if "REEVE_EVENT" not in e], [e for e in entries if e.get("REEVE_EVENT") == b"lost"],
                 entries[-1])


def whole_lines(entries, stream=b"stdout"):
    """The lines of a stream, put together where a pause of their writer has cut them; not those that a loss has cut."""
    lines, begun, cut = [], b"", False
    for entry in entries:
        if entry.get("REEVE_EVENT") == b"lost":
            begun, cut = b"", True
        elif entry.get("REEVE_STREAM") == stream:
            begun += entry["MESSAGE"]
            if "REEVE_PARTIAL" not in entry:
                # Behind a loss there may be but the end of a line.
                lines += [] if cut else [begun]
                begun, cut = b"", False
    return lines


def lost_bytes(entries):
    return sum(int(entry["REEVE_LOST_BYTES"]) for entry in entries)


def lost_records(entries):
    return sum(int(entry["REEVE_LOST_RECORDS"]) for entry in entries)


# -- input

def write_input(bus, id, data, eof=False, timeout=30):
    return bus.job(id, "WriteInput", "ayb", bytes(data), eof, timeout=timeout)[0]


def write_all_input(bus, id, data, eof=False, timeout=30, block=256 << 10):
    """All of data, block by block, the rest of each again and again as the contract says."""
    deadline = time.monotonic() + timeout
    pause = 0.001
    while True:
        part = data[:block]
        accepted = write_input(bus, id, part, eof and len(part) == len(data))
        if accepted > len(part):
            raise AssertionError(f"{accepted} accepted of {len(part)}")
        data = data[accepted:]
        if not data:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"{len(data)} bytes of input were not taken within {timeout} s")
        if accepted < len(part):
            time.sleep(pause)
            pause = 0.001 if accepted else min(pause * 2, 0.05)


# -- waiting

def wait_until_later(bus, id, timeout_usec=10 * SEC, **until):
    pending = bus.send(job_path(id), JOB, "Wait", "a{sv}t", variants(until), timeout_usec)
    pending.convert = lambda body: (body[0], plain(body[1]))
    return pending


def wait_until(bus, id, timeout_usec=10 * SEC, **until):
    return wait_until_later(bus, id, timeout_usec, **until).result()


# -- sockets and descriptors

def free_port(family=socket.AF_INET):
    """A TCP port that nobody listens on."""
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def pipe():
    """(read, write); closed in the end, where they are still open. Set an element to -1 when closed."""
    ends = list(os.pipe2(os.O_CLOEXEC))
    try:
        yield ends
    finally:
        for fd in ends:
            if fd >= 0:
                os.close(fd)


def close_end(ends, i):
    os.close(ends[i])
    ends[i] = -1


def read_to_end(fd, timeout=30):
    """All bytes until EOF, or a complaint that it does not come."""
    data, deadline = b"", time.monotonic() + timeout
    while True:
        ready, _, _ = select.select([fd], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise AssertionError(f"no EOF within {timeout} s: somebody holds the other end; got {data[-200:]!r}")
        chunk = os.read(fd, 1 << 20)
        if not chunk:
            return data
        data += chunk


def unread(fd):
    """How many bytes lie in a pipe."""
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0]


def all_log(bus, id):
    """Every record that the log holds of a job that is drained."""
    records, cursor, eof = [], "", False
    while not eof:
        log = bus.log(id, cursor, MaxBytes=8 << 20, WaitUSec=5 * SEC)
        records, cursor, eof = records + log.records, log.next, log.eof
    return records


def settled_fds(reeve):
    """The number of its descriptors, once it has come to rest."""
    seen = [reeve.fds()]

    def same():
        seen.append(reeve.fds())
        return len(seen) > 3 and len(set(seen[-3:])) == 1
    eventually(same, 5, lambda: f"the number of descriptors stays: {seen[-5:]}")
    return seen[-1]


class Gate:
    """Holds a job up where its script says gate.read, until gate.open() is called here.

    It closes when what was said was heard: with the last descriptor the rest would be gone."""

    def __init__(self, reeve, name="gate"):
        self.path = f"{reeve.shared}/{name}-{time.monotonic_ns()}"
        os.mkfifo(self.path)
        os.chmod(self.path, 0o666)
        self.fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.read = f"read gate_line <{self.path}"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            eventually(lambda: not unread(self.fd), 10, f"the job has read from {self.path}")
        os.close(self.fd)

    def open(self, times=1):
        os.write(self.fd, b"go\n" * times)


def in_turn(reeve, bus, *words, then="", **options):
    """A job that says one word after the other, those with err on stderr, each when the one before is in the log: for across
    two pipes no order is kept. Its Id, when it has finished."""
    with Gate(reeve) as gate:
        job = bus.start_sh(f"; {gate.read}; ".join(f"echo {word}" + " >&2" * word.startswith("err") for word in words) + then, **options)
        for word in words[:-1]:
            bus.wait_for_output(job.id, word.encode() + b"\n")
            gate.open()
        bus.wait(job.id)
    return job.id
