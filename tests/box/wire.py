"""D-Bus on a socket, for the box tests: many calls at once on one connection, signals kept, errors as exceptions.

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
DBUS = "org.freedesktop.DBus"

Signal = namedtuple("Signal", "path interface member body")


class DBusError(Exception):
    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


class Disconnected(Exception):
    pass


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


def connect(address, timeout=30):
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
        value = parse_body(header, body, self.fds)
        return self.convert(value) if self.convert else value


def parse_body(header, body, fds=()):
    signature = header.fields.get(HeaderFields.signature)
    if not signature:
        return ()
    return parse_signature(list(f"({signature})")).parse_data(body, 0, header.endianness, fds=fds)[0]


class Wire:
    """One connection; a thread of its own reads it."""

    def __init__(self, address, timeout=30, match=True):
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

    def wait_signal(self, test, timeout=30, since=0):
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
