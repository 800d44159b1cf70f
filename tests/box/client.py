"""A D-Bus client for the box tests: many calls at once on one connection, signals kept, errors as exceptions.

jeepney does the marshalling; the connection is our own, because the tests want what a polite client library
does not offer: a sender that can be forged, a destination that is somebody else's, a body left unparsed (two
million log records in pure Python would take longer than everything else together), and a socket on which
nobody reads.
"""

import array
import itertools
import os
import socket
import struct
import threading
import time
from collections import namedtuple

from jeepney.low_level import (Endianness, Header, HeaderFields, Message, MessageFlag, MessageType,
                               parse_signature)

NAME = "org.reeve1"
ROOT = "/org/reeve1"
MANAGER = "org.reeve1.Manager"
JOB = "org.reeve1.Job"
SESSION = "org.reeve1.Session"
PROPERTIES = "org.freedesktop.DBus.Properties"
DBUS = "org.freedesktop.DBus"
ERROR = "org.reeve1.Error."
DBUS_ERROR = "org.freedesktop.DBus.Error."
INFINITY = 2 ** 64 - 1
MSEC = 1000
SEC = 1000 * 1000

# A value with its D-Bus signature, where the tests want another one than the contract's.
V = namedtuple("V", "signature value")

Outcome = namedtuple("Outcome", "id exit_code signal result stdout stderr details")
Started = namedtuple("Started", "id path pid details")
Signal = namedtuple("Signal", "path interface member body")
Log = namedtuple("Log", "records next lost eof")
Record = namedtuple("Record", "seq realtime monotonic stream data")

TYPES = {
    "s": "Format Id Session Description WorkingDirectory User Group StandardInput KillMode NotifyAccess Restart Term "
         "ControlAccess State Unit Label Pattern Whom Shell "
         "LogPattern",
    "as": "Environment UnsetEnvironment SupplementaryGroups CapabilityBoundingSet States Streams LogStreams",
    "a{ss}": "Labels",
    "u": "UMask StartLimitBurst PID",
    "i": "Nice OOMScoreAdjust KillSignal Signal",
    "b": "NoNewPrivileges MergeOutput Text KillOnExit KillOnDisconnect TTY Tee Usage All Exited Drained Finished Ready "
         "CleanEnvironment KillOnCancel",
    "t": "LimitNOFILE LimitNPROC LimitCORE LimitFSIZE LimitAS LimitCPU LimitSTACK LimitMEMLOCK MemoryMax MemoryHigh "
         "MemorySwapMax TasksMax CPUQuotaPerSecUSec CPUWeight IOWeight RuntimeMaxUSec TimeoutStopUSec RestartUSec "
         "RestartMaxDelayUSec StartLimitIntervalUSec InitialOutputUSec DrainTimeoutUSec OutputMaxBytes LogMaxBytes "
         "MaxBytes Lines SinceUSec WaitUSec",
    "q": "TTYRows TTYColumns Port",
    "aq": "Ports",
    "ay": "StandardInputData",
    "h": "StandardInputFileDescriptor StandardOutputFileDescriptor StandardErrorFileDescriptor",
}
SIGNATURE = {key: signature for signature, keys in TYPES.items() for key in keys.split()}


class DBusError(Exception):
    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


class Disconnected(Exception):
    pass


def variants(options):
    """{Key: value} as the body of an a{sv}, with the contract's types."""
    out = {}
    for key, value in options.items():
        out[key] = tuple(value) if isinstance(value, V) else (SIGNATURE[key], value)
    return out


def plain(dictionary):
    return {key: value[1] for key, value in dictionary.items()}


def job_path(id, folder="job"):
    """sd_bus_path_encode() of the id, below /org/reeve1/job."""
    out = ""
    for i, c in enumerate(id):
        if (c.isascii() and c.isalpha()) or (c.isdigit() and i > 0):
            out += c
        else:
            out += f"_{ord(c):02x}"
    return f"{ROOT}/{folder}/{out or '_'}"


def session_path(name):
    return job_path(name, "session")


def socket_path(address):
    for part in address.split(";"):
        if part.startswith("unix:path="):
            return part[len("unix:path="):].split(",")[0]
    raise ValueError(address)


def method_call(path, interface, member, signature="", body=(), *, destination=NAME, sender=None, serial=1, fds=None,
                more=None, endianness=Endianness.little, flags=0):
    """The bytes of a method call; more header fields, if need be."""
    fields = {HeaderFields.path: path, HeaderFields.member: member}
    if interface:
        fields[HeaderFields.interface] = interface
    if destination:
        fields[HeaderFields.destination] = destination
    if sender:
        fields[HeaderFields.sender] = sender
    if signature:
        fields[HeaderFields.signature] = signature
    fields.update(more or {})
    header = Header(endianness, MessageType.method_call, MessageFlag(flags), 1, 0, serial, fields)
    return Message(header, tuple(body)).serialise(serial=serial, fds=fds)


def connect(address, timeout=10):
    """A connected socket, before any authentication."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(timeout)
    try:
        s.connect(socket_path(address))
    except BaseException:
        s.close()
        raise
    return s


def authenticate(s, mechanism=None):
    """The SASL handshake, to the point where messages may be sent: the server's id, and whether it takes descriptors."""
    if mechanism is None:
        mechanism = "EXTERNAL " + str(os.getuid()).encode().hex()
    s.sendall(b"\0AUTH " + mechanism.encode() + b"\r\n")
    answer = read_line(s)
    if not answer.startswith(b"OK "):
        raise DBusError("auth", repr(answer))
    s.sendall(b"NEGOTIATE_UNIX_FD\r\n")
    agreed = read_line(s) == b"AGREE_UNIX_FD\r\n"
    s.sendall(b"BEGIN\r\n")
    return answer[3:].strip().decode(), agreed


def read_line(s):
    line = b""
    while not line.endswith(b"\r\n"):
        c = s.recv(1)
        if not c:
            raise Disconnected("the server hung up during authentication, after %r" % line)
        line += c
    return line


class Pending:
    """A reply that is to come."""

    def __init__(self, what):
        self.what = what
        self.event = threading.Event()
        self.message = None
        self.error = None
        self.arrived = None     # monotonic time of the reply
        self.convert = None
        self.fds = []           # descriptors that came with it; the caller's

    def done(self):
        return self.event.is_set()

    def raw(self, timeout=30):
        if not self.event.wait(timeout):
            raise TimeoutError(f"no reply to {self.what} within {timeout} s")
        if self.error:
            raise type(self.error)(*self.error.args) if isinstance(self.error, Disconnected) else self.error
        return self.message

    def result(self, timeout=30):
        header, body = self.raw(timeout)
        value = parse_body(header, body)
        return self.convert(value) if self.convert else value


def parse_body(header, body):
    signature = header.fields.get(HeaderFields.signature)
    if not signature:
        return ()
    return parse_signature(list(f"({signature})")).parse_data(body, 0, header.endianness)[0]


class Connection:
    """One connection; a thread of its own reads it."""

    def __init__(self, address, timeout=10, match=True):
        self.serials = itertools.count(1)
        self.lock = threading.Lock()
        self.sending = threading.Lock()
        self.arrival = threading.Condition(self.lock)
        self.pending = {}
        self.signals = []
        self.fds = []       # descriptors that came, of messages that are not read yet
        self.error = None
        self.socket = connect(address, timeout)
        try:
            self.guid, self.takes_descriptors = authenticate(self.socket)
        except BaseException:
            self.socket.close()
            raise
        self.socket.settimeout(None)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        self.unique_name, = self.call("/org/freedesktop/DBus", DBUS, "Hello", destination=DBUS, timeout=timeout)
        if match:
            self.call("/org/freedesktop/DBus", DBUS, "AddMatch", "s", "type='signal'", destination=DBUS, timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(5)
        self.socket.close()

    # -- reading

    def _take(self, buffer, n):
        while len(buffer) < n:
            chunk, fds, _, _ = socket.recv_fds(self.socket, max(65536, n - len(buffer)), 64)
            self.fds += fds
            if not chunk:
                raise Disconnected("the server hung up")
            buffer += chunk

    def _read(self):
        buffer = bytearray()
        try:
            while True:
                self._take(buffer, 16)
                code = "<" if buffer[0:1] == b"l" else ">"
                body_size, _, fields_size = struct.unpack(code + "III", buffer[4:16])
                head = (16 + fields_size + 7) & ~7
                self._take(buffer, head + body_size)
                header, _ = Header.from_buffer(bytes(buffer[:head]))
                body = bytes(buffer[head:head + body_size])
                del buffer[:head + body_size]
                self._dispatch(header, body)
        except (Disconnected, OSError) as e:
            error = e if isinstance(e, Disconnected) else Disconnected(str(e))
        except BaseException as e:      # pylint: disable=broad-except
            error = e
        with self.lock:
            self.error = error
            for pending in self.pending.values():
                pending.error = error
                pending.event.set()
            self.pending.clear()
            self.arrival.notify_all()

    def _dispatch(self, header, body):
        if header.message_type == MessageType.signal:
            signal = Signal(header.fields[HeaderFields.path], header.fields[HeaderFields.interface],
                            header.fields[HeaderFields.member], parse_body(header, body))
            with self.lock:
                self.signals.append(signal)
                self.arrival.notify_all()
            return
        with self.lock:
            pending = self.pending.pop(header.fields.get(HeaderFields.reply_serial), None)
        if pending is None:
            return
        pending.arrived = time.monotonic()
        if header.message_type == MessageType.error:
            texts = parse_body(header, body)
            pending.error = DBusError(header.fields[HeaderFields.error_name], texts[0] if texts else "")
        else:
            pending.message = (header, body)
            n = header.fields.get(HeaderFields.unix_fds, 0)
            pending.fds = self.fds[:n]
            del self.fds[:n]
        pending.event.set()

    # -- calling

    def send(self, path, interface, member, signature="", *args, destination=NAME, sender=None):
        fds = array.array("i")
        serial = next(self.serials)
        data = method_call(path, interface, member, signature, args, destination=destination, sender=sender,
                           serial=serial, fds=fds)
        pending = Pending(f"{interface}.{member}")
        with self.lock:
            if self.error:
                raise Disconnected(f"{self.error}; {interface}.{member} is not sent")
            self.pending[serial] = pending
        with self.sending:
            try:
                if fds:
                    self.socket.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
                else:
                    self.socket.sendall(data)
            except OSError as e:
                raise Disconnected(str(e)) from e
        return pending

    def call(self, path, interface, member, signature="", *args, timeout=30, **options):
        return self.send(path, interface, member, signature, *args, **options).result(timeout)

    # -- signals

    def wait_signal(self, test, timeout=10, since=0):
        """The first signal, from index since on, for which test is true."""
        deadline = time.monotonic() + timeout
        with self.lock:
            i = since
            while True:
                while i < len(self.signals):
                    if test(self.signals[i]):
                        return self.signals[i]
                    i += 1
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"the signal did not come within {timeout} s; last: {self.signals[-5:]}")
                if self.error:
                    raise Disconnected(str(self.error))
                self.arrival.wait(left)

    def wait_manager_signal(self, member, id, timeout=10):
        return self.wait_signal(lambda s: s.member == member and s.interface == MANAGER and s.body[0] == id, timeout)

    # -- org.reeve1

    def ping(self, timeout=10):
        self.call(ROOT, "org.freedesktop.DBus.Peer", "Ping", timeout=timeout)

    def manager(self, member, signature="", *args, timeout=30):
        return self.call(ROOT, MANAGER, member, signature, *args, timeout=timeout)

    def exec_later(self, argv, **options):
        pending = self.send(ROOT, MANAGER, "Exec", "asa{sv}", list(argv), variants(options))
        pending.convert = lambda body: Outcome(*body[:6], plain(body[6]))
        return pending

    def exec(self, argv, timeout=30, **options):
        return self.exec_later(argv, **options).result(timeout)

    def sh(self, script, timeout=30, **options):
        return self.exec(["/bin/sh", "-c", script], timeout, **options)

    def start(self, argv, timeout=30, **options):
        body = self.manager("Start", "asa{sv}", list(argv), variants(options), timeout=timeout)
        return Started(*body[:3], plain(body[3]))

    def start_sh(self, script, timeout=30, **options):
        return self.start(["/bin/sh", "-c", script], timeout, **options)

    def jobs(self, **filter):
        jobs, = self.manager("ListJobs", "a{sv}", variants(filter))
        return [plain(job) for job in jobs]

    def job_ids(self, **filter):
        return [job["Id"] for job in self.jobs(**filter)]

    def kill(self, signal, whom=None, **selector):
        options = {} if whom is None else {"Whom": whom}
        return self.manager("Kill", "a{sv}ia{sv}", variants(selector), signal, variants(options))

    def stop_later(self, selector, **options):
        return self.send(ROOT, MANAGER, "Stop", "a{sv}a{sv}", variants(selector), variants(options))

    def stop(self, selector, timeout=30, **options):
        return self.stop_later(selector, **options).result(timeout)

    # -- org.reeve1.Job; by id

    def job(self, id, member, signature="", *args, timeout=30):
        return self.call(job_path(id), JOB, member, signature, *args, timeout=timeout)

    def write_input(self, id, data=b"", eof=False):
        accepted, = self.job(id, "WriteInput", "ayb", data, eof)
        return accepted

    def feed(self, id, data, eof=True, timeout=30):
        """All of data, as the job takes it."""
        deadline = time.monotonic() + timeout
        while True:
            accepted = self.write_input(id, data, eof)
            data = data[accepted:]
            if not data:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{id} left {len(data)} bytes of its input within {timeout} s")
            time.sleep(0 if accepted else 0.005)

    def output(self, id, **options):
        out, err, details = self.job(id, "GetOutput", "a{sv}", variants(options))
        return out, err, plain(details)

    def log_later(self, id, cursor="", **options):
        pending = self.send(job_path(id), JOB, "ReadLog", "sa{sv}", cursor, variants(options))
        pending.convert = lambda body: Log([Record(*r) for r in body[0]], *body[1:])
        return pending

    def log(self, id, cursor="", timeout=30, **options):
        """ReadLog, its records unpacked by hand: the general unmarshaller takes 30 us for each."""
        header, body = self.log_later(id, cursor, **options).raw(timeout)
        if header.fields.get(HeaderFields.signature) != "a(tttyay)stb":
            raise AssertionError(f"ReadLog answered {header.fields.get(HeaderFields.signature)}")
        return parse_log(header, body)

    def follow(self, id, cursor="", timeout=30, **options):
        """FollowLog: the descriptor to read from."""
        pending = self.send(job_path(id), JOB, "FollowLog", "sa{sv}", cursor, variants(options))
        pending.raw(timeout)
        fd, = pending.fds
        return fd

    def wait_later(self, id, until, timeout_usec=INFINITY):
        return self.send(job_path(id), JOB, "Wait", "a{sv}t", variants({key: True for key in until.split()}), timeout_usec)

    def wait(self, id, until="Finished", timeout=15):
        reached, details = self.wait_later(id, until).result(timeout)
        return reached, plain(details)

    def wait_for_output(self, id, needle, timeout=10):
        """Until the log holds the bytes needle; all bytes so far."""
        deadline = time.monotonic() + timeout
        cursor, got = "", b""
        while needle not in got:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{needle!r} did not appear in the log of {id} within {timeout} s; got {got[-500:]!r}")
            log = self.log(id, cursor, WaitUSec=int(min(left, 1) * SEC))
            got += b"".join(record.data for record in log.records if record.stream != 3)
            if log.eof and needle not in got:
                raise AssertionError(f"the log of {id} ended without {needle!r}: {got[-500:]!r}")
            cursor = log.next
        return got

    # -- properties

    def properties(self, id=None):
        path, interface = (ROOT, MANAGER) if id is None else (job_path(id), JOB)
        return plain(self.call(path, PROPERTIES, "GetAll", "s", interface)[0])

    def property(self, name, id=None):
        path, interface = (ROOT, MANAGER) if id is None else (job_path(id), JOB)
        return self.call(path, PROPERTIES, "Get", "ss", interface, name)[0][1]

    def set_property(self, name, signature, value):
        self.call(ROOT, PROPERTIES, "Set", "ssv", MANAGER, name, (signature, value))

    # -- org.reeve1.Session; by name

    def open_session(self, name, **options):
        return self.manager("OpenSession", "sa{sv}", name, variants(options))[0]

    def close_session_later(self, name, **options):
        return self.send(ROOT, MANAGER, "CloseSession", "sa{sv}", name, variants(options))

    def close_session(self, name, timeout=30, **options):
        return self.close_session_later(name, **options).result(timeout)

    def sessions(self):
        """{name: what ListSessions says of it}"""
        return {session["Name"]: session for session in map(plain, self.manager("ListSessions")[0])}

    def session(self, name, member, signature="", *args, timeout=30):
        return self.call(session_path(name), SESSION, member, signature, *args, timeout=timeout)

    def session_properties(self, name):
        return plain(self.call(session_path(name), PROPERTIES, "GetAll", "s", SESSION)[0])

    def session_property(self, name, key):
        return self.call(session_path(name), PROPERTIES, "Get", "ss", SESSION, key)[0][1]

    def set_directory(self, name, directory):
        self.call(session_path(name), PROPERTIES, "Set", "ssv", SESSION, "WorkingDirectory", ("s", directory))

    def set_environment(self, name, assignments=(), unset=()):
        self.session(name, "SetEnvironment", "asas", list(assignments), list(unset))

    def run_later(self, name, command, **options):
        pending = self.send(session_path(name), SESSION, "Run", "sa{sv}", command, variants(options))
        pending.convert = lambda body: Outcome(*body[:6], plain(body[6]))
        return pending

    def run(self, name, command, timeout=30, **options):
        return self.run_later(name, command, **options).result(timeout)

    def managed_objects(self):
        return self.call(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")[0]


def parse_log(header, body):
    code = header.endianness.struct_code()
    head = struct.Struct(code + "QQQB3xI")
    size, = struct.unpack_from(code + "I", body, 0)
    pos, end = 8, 8 + size
    records = []
    while pos < end:
        pos = (pos + 7) & ~7
        seq, realtime, monotonic, stream, length = head.unpack_from(body, pos)
        pos += head.size
        records.append(Record(seq, realtime, monotonic, stream, body[pos:pos + length]))
        pos += length
    pos = (pos + 3) & ~3
    rest = parse_signature(list("(stb)"))
    # The struct of the rest would be aligned to 8, its members are not: parse them one by one.
    values = []
    for field in rest.fields:
        value, pos = field.parse_data(body, pos, header.endianness)
        values.append(value)
    return Log(records, *values)
