"""Whole machines for the tests: qemu with Debian's cloud kernel, and an initramfs that has reeve as its init.

The kernel's package is downloaded and unpacked, never installed; what is taken of it is kept in a folder of $TMPDIR for
the next run. The initramfs is made here, of the built reeve and reevectl, of busybox, and of what these are linked with.
Nothing is asked of the machine that the tests run on: qemu translates (TCG), which takes some three seconds a boot.
"""

import contextlib
import fcntl
import glob
import os
import re
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))

QEMU = "qemu-system-x86_64"
KERNEL = "linux-image-cloud-amd64"      # depends on the package that has it
PACKAGES = {QEMU: "qemu-system-x86", "busybox": "busybox", "mkfs.ext4": "e2fsprogs"}
LIMIT = 120     # seconds that one machine may live


class CannotRun(Exception):
    """There can be no virtual machines here, and why."""


def binary(variable, default):
    return os.path.abspath(os.environ.get(variable) or os.path.join(SOURCE, "build", default))


def reeve_binary():
    return binary("REEVE_BINARY", "src/daemon/reeve")


def reevectl_binary():
    return binary("REEVECTL_BINARY", "src/ctl/reevectl")


def read_bytes(path):
    with open(path, "rb") as f:
        return f.read()


def output(*argv, **more):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr.decode().strip()}")
    return done.stdout


# -- what the machine needs

def apt_get(*words, **more):
    output("apt-get", "-q", *words, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"), **more)


def install_missing():
    missing = [package for command, package in PACKAGES.items() if not shutil.which(command)]
    if missing and not shutil.which("apt-get"):
        raise CannotRun(f"{' and '.join(missing)} not installed, and no apt-get to do it")
    if missing:
        print(f"Installing {' '.join(missing)}", flush=True)
        apt_get("update")
        apt_get("install", "-y", "--no-install-recommends", *missing)


def download_kernel(place):
    """The package behind the one that always depends on the newest."""
    depends = output("apt-cache", "depends", KERNEL).decode()
    package = re.search(r"Depends: (linux-image-\S+)", depends)
    if not package:
        raise RuntimeError(f"apt-cache knows no {KERNEL}: {depends}")
    apt_get("download", "-o", "APT::Sandbox::User=root", package[1], cwd=place)
    return glob.glob(f"{place}/*.deb")[0]


def make_kernel(folder):
    if not shutil.which("apt-get"):
        raise CannotRun(f"no apt-get, to have {KERNEL} from")
    print("Getting a kernel", flush=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        try:
            package = download_kernel(place)
        except RuntimeError:    # the lists are not there, or older than the archive
            apt_get("update")
            package = download_kernel(place)
        with open(f"{place}/tar", "wb") as f:
            subprocess.run(["dpkg-deb", "--fsys-tarfile", package], stdin=subprocess.DEVNULL, stdout=f, check=True)
        output("tar", "-x", "-C", place, "-f", f"{place}/tar", "--wildcards", "./boot/vmlinuz-*")
        (path,) = glob.glob(f"{place}/boot/vmlinuz-*")
        os.rename(path, f"{folder}/{os.path.basename(path)}")


def kernel():
    """The path of one. Two runs at once get it once."""
    folder = os.path.join(tempfile.gettempdir(), "reeve-vm-cache")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    status = os.lstat(folder)
    if status.st_uid != os.geteuid() or status.st_mode & 0o170022 != 0o040000:
        raise CannotRun(f"{folder} is not ours alone")
    with open(f"{folder}/lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not glob.glob(f"{folder}/vmlinuz-*"):
            make_kernel(folder)
        return sorted(glob.glob(f"{folder}/vmlinuz-*"))[-1]


# -- the initramfs

def cpio(entries):
    """The format newc, cpio(5), of (path, mode, data)."""
    out = bytearray()
    for number, (path, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        name = path.encode() + b"\0"
        numbers = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        for part in (b"070701" + b"".join(b"%08X" % n for n in numbers) + name, data):
            out += part + bytes(-(len(out) + len(part)) % 4)
    return bytes(out)


def libraries(path):
    done = subprocess.run(["ldd", path], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if b"not found" in done.stdout:
        raise RuntimeError(f"{path} cannot be run here: {done.stdout.decode()}")
    return re.findall(r"(?:=> |^\s*)(/\S+)", done.stdout.decode(), re.M)    # of a static one: none


def tree(files):
    """What a machine's root has, (path, mode, data) each, folders first; files: path -> bytes. Beside them: reeve, reevectl,
    busybox under all its names."""
    programs = {"/usr/bin/reeve": reeve_binary(), "/usr/bin/reevectl": reevectl_binary(),
                "/bin/busybox": shutil.which("busybox")}
    for source in list(programs.values()):
        programs.update((path, path) for path in libraries(source))
    content = {path: (stat.S_IFREG | 0o755, read_bytes(source)) for path, source in programs.items()}
    for name in output("busybox", "--list").decode().split():
        content.setdefault(f"/bin/{name}", (stat.S_IFLNK | 0o777, b"busybox"))
    content.update((path, (stat.S_IFREG | 0o755, data)) for path, data in files.items())
    folders = {"/root", "/mnt"}
    for path in content:
        while (path := os.path.dirname(path)) != "/":
            folders.add(path)
    entries = [(path[1:], stat.S_IFDIR | 0o755, b"") for path in sorted(folders)]
    return [*entries, *((path[1:], mode, data) for path, (mode, data) in content.items())]


def make_disk(path, entries=(), size=16 << 20):
    """An ext4 with these entries of a tree in it."""
    with tempfile.TemporaryDirectory() as folder:
        for name, mode, data in entries:
            place = f"{folder}/{name}"
            if stat.S_ISDIR(mode):
                os.mkdir(place)
            elif stat.S_ISLNK(mode):
                os.symlink(data, place)
            else:
                with open(place, "wb") as f:
                    f.write(data)
                os.chmod(place, stat.S_IMODE(mode))
        with open(path, "wb") as f:
            f.truncate(size)
        output("mkfs.ext4", "-q", "-d", folder, path)


def disk_file(path, name):
    """What a file of an ext4 holds, and whether that was left clean."""
    header = output("dumpe2fs", "-h", path).decode()
    clean = re.search(r"Filesystem state: +(.*)", header)[1] == "clean" and "needs_recovery" not in header
    return output("debugfs", "-R", f"cat {shlex.quote(name)}", path), clean


# -- machines

class Machine:
    """One that boots.

    script      what its main job runs: a shell script; None: no main job
    files       more files of its root, path -> text
    parameters  of the kernel
    arguments   of reeve, before the main job
    disk        a file that is its disk, /dev/nvme0n1
    root        a file to become its disk, with its root on it; there is no initramfs then
    exact       its clock goes by its instructions, 2 ns each, so that no load of this machine is in what it measures
    """

    def __init__(self, script=None, files=(), parameters="", arguments="", disk=None, root=None, exact=False):
        self.deadline = time.monotonic() + LIMIT
        self.folder = tempfile.mkdtemp(prefix="reeve-vm-")
        self.seen = 0
        self.data = b""
        self.news = threading.Condition()
        self.process = None
        files = {path: text.encode() for path, text in dict(files).items()}
        if script is not None:
            files["/main"] = b"#!/bin/sh\n" + script.encode()
        line = f"console=ttyS0 panic=-1 quiet {parameters} -- {arguments}" + (" /main" if script is not None else "")
        try:
            if root:
                make_disk(root, tree(files), 128 << 20)
                self.start(f"root=/dev/nvme0n1 rw init=/usr/bin/reeve {line}", root, exact)
            else:
                with open(f"{self.folder}/initrd", "wb") as f:
                    f.write(cpio(tree(files)))
                self.start(f"rdinit=/usr/bin/reeve {line}", disk, exact, "-initrd", f"{self.folder}/initrd")
        except BaseException:
            self.close()
            raise

    def start(self, line, disk, exact, *more):
        argv = [QEMU, "-accel", "tcg", "-m", "512", "-nodefaults", "-no-reboot", "-display", "none", "-kernel", kernel(),
                "-append", line, "-serial", "stdio", *more,
                "-monitor", f"unix:{self.folder}/monitor,server=on,wait=off"]
        if disk:
            argv += ["-drive", f"file={disk},if=none,id=disk,format=raw", "-device", "nvme,drive=disk,serial=reeve"]
        if exact:
            argv += ["-icount", "shift=1,sleep=off"]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=self.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, _):
        if kind is not None:
            print(f"--- console\n{self.console()}\n---", file=sys.stderr)
        self.close()

    def read(self):
        while data := os.read(self.process.stdout.fileno(), 65536):
            with self.news:
                self.data += data
                self.news.notify_all()

    def left(self):
        return max(0, self.deadline - time.monotonic())

    def console(self):
        """All that it has written to its console."""
        return self.data.decode(errors="replace").replace("\r", "")

    def expect(self, text):
        """Waits until the console has text, after what was expected last."""
        with self.news:
            if not self.news.wait_for(lambda: text in self.console()[self.seen:], self.left()):
                raise AssertionError(f"the console has not said {text!r} within {LIMIT} s: {self.console()}")
            self.seen = self.console().index(text, self.seen) + len(text)

    def type(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def monitor(self, command):
        """Tells qemu itself something."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(self.left())
            s.connect(f"{self.folder}/monitor")
            answer = b""
            for sent in (None, command):
                if sent:
                    answer = b""
                    s.sendall(sent.encode() + b"\n")
                while not answer.endswith(b"(qemu) "):
                    answer += s.recv(4096) or b"(qemu) "

    def wait(self):
        """Until qemu ends by itself, with 0."""
        try:
            status = self.process.wait(self.left())
        except subprocess.TimeoutExpired as e:
            raise AssertionError(f"the machine has not ended within {LIMIT} s: {self.console()}") from e
        if status != 0:
            raise AssertionError(f"qemu ended with {status}: {self.console()}")
        return self.console()

    def values(self):
        """What the console has in lines NAME=VALUE."""
        return dict(re.findall(r"^(\w+)=(.*)$", self.console(), re.M))

    def close(self):
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            self.process.wait()
            self.process.stdin.close()
        shutil.rmtree(self.folder, ignore_errors=True)
