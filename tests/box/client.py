"""The words of org.reeve1 for the box tests, on the D-Bus of wire.py, whose names are to be had from here as well."""

import struct
import time
from collections import namedtuple

from wire import (DBUS, NAME, DBusError, Disconnected, Endianness, HeaderFields, Wire, authenticate, connect,  # noqa: F401
                  method_call, parse_signature)

ROOT = "/org/reeve1"
MANAGER = "org.reeve1.Manager"
JOB = "org.reeve1.Job"
SESSION = "org.reeve1.Session"
PROPERTIES = "org.freedesktop.DBus.Properties"
ERROR = "org.reeve1.Error."
DBUS_ERROR = "org.freedesktop.DBus.Error."
INFINITY = 2 ** 64 - 1
MSEC = 1000
SEC = 1000 * 1000

# A value with its D-Bus signature, where the tests want another one than the contract's.
V = namedtuple("V", "signature value")

Outcome = namedtuple("Outcome", "id exit_code signal result stdout stderr details")
Started = namedtuple("Started", "id path pid details")
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
         "MemorySwapMax TasksMax CPUQuotaPerSecUSec CPUWeight IOWeight RuntimeMaxUSec WatchdogUSec TimeoutStopUSec RestartUSec "
         "RestartMaxDelayUSec StartLimitIntervalUSec InitialOutputUSec DrainTimeoutUSec OutputMaxBytes LogMaxBytes "
         "MaxBytes Lines SinceUSec WaitUSec",
    "q": "TTYRows TTYColumns Port",
    "aq": "Ports",
    "ay": "StandardInputData",
    "h": "StandardInputFileDescriptor StandardOutputFileDescriptor StandardErrorFileDescriptor",
}
SIGNATURE = {key: signature for signature, keys in TYPES.items() for key in keys.split()}


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


class Connection(Wire):
    """One connection, with a method for each of org.reeve1's."""

    def wait_manager_signal(self, member, id, timeout=30):
        return self.wait_signal(lambda s: s.member == member and s.interface == MANAGER and s.body[0] == id, timeout)

    # -- org.reeve1

    def ping(self, timeout=30):
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

    def wait(self, id, until="Finished", timeout=30):
        reached, details = self.wait_later(id, until).result(timeout)
        return reached, plain(details)

    def wait_for_output(self, id, needle, timeout=30):
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
