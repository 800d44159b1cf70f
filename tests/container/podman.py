"""Real containers for the tests: a podman store of their own, and containers in it.

The store lies in a folder of $TMPDIR that goes with the run, so nothing here touches the images and containers of
the machine. The base image is made with mmdebstrap, no registry is asked; its tarball is kept in a folder beside the
store for the next run.

Containers run with runc, as root, with docker's defaults: cgroups read-only (or version 1), the default seccomp
filter, the default capabilities. The ulimits are there for machines whose root has no CAP_SYS_RESOURCE, which podman's
own defaults take for granted.
"""

import contextlib
import fcntl
import glob
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))

BASE = "docker.io/library/debian:bookworm-slim"
IMAGE = "localhost/reeve-test"
ULIMITS = ["--ulimit=nofile=20000:20000", "--ulimit=nproc=30000:30000"]
RUN = ["--pull=never", "--network=none", *ULIMITS]
PACKAGES = {"podman": "podman", "runc": "runc", "mmdebstrap": "mmdebstrap", "busctl": "systemd"}
TARBALL = "base-1.tar"      # another number when what is in it changes

# The names that org.reeve1.Manager has on D-Bus.
NAME, PATH, MANAGER = "org.reeve1", "/org/reeve1", "org.reeve1.Manager"

NAMES = (f"reeve-test-{os.getpid()}-{n}" for n in itertools.count(1))


class CannotRun(Exception):
    """There can be no containers here, and why."""


PATIENCE = 30   # seconds


def eventually(condition, timeout=PATIENCE, what=None):
    """What condition() answers, as soon as it is true; an AssertionError when it has not been by the deadline.

    That is a limit for a machine that has gone astray, not a measure: never less than PATIENCE."""
    timeout = max(timeout, PATIENCE)
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not so within {timeout} s: {what() if callable(what) else what or condition}")
        time.sleep(0.02)


def read_file(path, default=None):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        if default is None:
            raise
        return default


def pids_in(namespace):
    """The processes of a PID namespace. /proc tells of a process in it more surely than its parents do: who has entered
    it from outside is no child of its PID 1."""
    pids = set()
    for path in glob.glob("/proc/[0-9]*/ns/pid"):
        with contextlib.suppress(OSError):
            if os.readlink(path) == namespace:
                pids.add(int(path.split("/")[2]))
    return pids


def binary(variable, default):
    return os.path.abspath(os.environ.get(variable) or os.path.join(SOURCE, "build", default))


def reeve_binary():
    return binary("REEVE_BINARY", "src/daemon/reeve")


def reevectl_binary():
    return binary("REEVECTL_BINARY", "src/ctl/reevectl")


def busctl(path, *args, timeout=20):
    """What busctl of the machine says, on the socket at path."""
    done = subprocess.run(["busctl", f"--address=unix:path={path}", *args], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise AssertionError(f"busctl {' '.join(args[:2])} … ended with {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


def last_line(data):
    lines = data.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no word of why"


# -- what the machine needs

def install_missing():
    missing = [package for command, package in PACKAGES.items() if not shutil.which(command)]
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise CannotRun(f"{' and '.join(missing)} not installed")
    print(f"Installing {' '.join(missing)}", flush=True)
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for words in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        done = subprocess.run(["apt-get", "-q", *words], env=env, stdin=subprocess.DEVNULL, capture_output=True,
                              check=False)
        if done.returncode != 0:
            raise CannotRun(f"apt-get {words[0]} failed: {last_line(done.stderr)}")


def make_tarball(path):
    """What debian:bookworm-slim has: the required packages, without their documentation."""
    begun = time.monotonic()
    print("Making the base image", flush=True)
    without = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "info", "locale", "man")]
    done = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "--aptopt=Acquire::Languages \"none\"",
                           *without, "bookworm", f"{path}.part.tar"], stdin=subprocess.DEVNULL, capture_output=True,
                          check=False)
    if done.returncode != 0:
        with contextlib.suppress(OSError):
            os.unlink(f"{path}.part.tar")
        raise CannotRun(f"mmdebstrap failed: {last_line(done.stderr)}")
    os.rename(f"{path}.part.tar", path)
    print(f"Made it in {time.monotonic() - begun:.0f} s", flush=True)


def base_tarball():
    """Its path. Two runs at once make one of it."""
    folder = os.path.join(tempfile.gettempdir(), "reeve-container-cache")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    status = os.lstat(folder)
    if status.st_uid != os.geteuid() or status.st_mode & 0o170022 != 0o040000:
        raise CannotRun(f"{folder} is not ours alone")
    path = os.path.join(folder, TARBALL)
    with open(os.path.join(folder, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            make_tarball(path)
    return path


# -- the store

FOLDER = None


def podman(*args, timeout=60, check=True, **options):
    """A finished podman command, with bytes for stdout and stderr."""
    options.setdefault("input", b"")
    options.setdefault("capture_output", True)
    if options["input"] is None:
        del options["input"]
    done = subprocess.run(command(*args), timeout=timeout, check=False, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"podman {' '.join(args[:2])} … ended with {done.returncode}: {done.stderr.decode()}")
    return done


def command(*args):
    return ["podman", f"--root={FOLDER}/storage", f"--runroot={FOLDER}/run", "--runtime=runc", *args]


def build_command(*args):
    return command("build", "--isolation=chroot", "--pull=never", *ULIMITS, *args)


def open_store():
    """Makes the store with the two images in it; CannotRun where that, or a container, is impossible."""
    global FOLDER   # pylint: disable=global-statement
    install_missing()
    tarball = base_tarball()
    FOLDER = tempfile.mkdtemp(prefix="reeve-container-")
    os.mkdir(f"{FOLDER}/context")
    for path, name in ((reeve_binary(), "reeve"), (reevectl_binary(), "reevectl")):
        shutil.copy(path, f"{FOLDER}/context/{name}")
    with open(f"{FOLDER}/context/Containerfile", "w", encoding="utf-8") as f:
        f.write(f'FROM {BASE}\nCOPY reeve reevectl /usr/bin/\nENTRYPOINT ["reeve", "--"]\n')
    try:
        podman("import", "--quiet", tarball, BASE, timeout=300)
        podman("run", "--rm", *RUN, BASE, "true")
        subprocess.run(build_command("-t", IMAGE, f"{FOLDER}/context"), stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=120, check=True)
    except AssertionError as e:
        raise CannotRun(str(e).strip().replace("\n", " ")) from e
    except subprocess.CalledProcessError as e:
        raise CannotRun(f"podman build failed: {last_line(e.stderr)}") from e
    missing = [line.split()[0].decode() for line in
               podman("run", "--rm", *RUN, "--entrypoint=ldd", IMAGE, "/usr/bin/reeve").stdout.splitlines()
               if b"not found" in line]
    if missing:     # of a build with sanitizers, or on a machine newer than the image
        raise CannotRun(f"this build of reeve needs what the image has not: {', '.join(missing)}")


def close_store():
    if not FOLDER:
        return
    if os.path.isdir(f"{FOLDER}/storage"):
        podman("rm", "--all", "--force", "--time=0", timeout=120, check=False)
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        mounts = [line.split()[4] for line in f if f" {FOLDER}/" in line]
    for path in reversed(mounts):
        subprocess.run(["umount", "--lazy", path], check=False)
    shutil.rmtree(FOLDER, ignore_errors=True)


# -- containers

def run(*argv, options=(), image=IMAGE, timeout=30, **more):
    """podman run in the foreground: returncode, stdout and stderr are the container's."""
    name = next(NAMES)
    try:
        return podman("run", f"--name={name}", "--rm", "--interactive", *RUN, *options, image, *argv, timeout=timeout,
                      check=False, **more)
    finally:
        if sys.exc_info()[0]:
            podman("rm", "--force", "--time=0", name, check=False)


def own_words(stderr):
    """What of a container's stderr is reeve's own, and what is not."""
    lines = stderr.splitlines(keepends=True)
    return (b"".join(line for line in lines if line.startswith(b"reeve: ")),
            b"".join(line for line in lines if not line.startswith(b"reeve: ")))


class Container:
    """One that runs in the background.

    argv      its command; none: reeve waits for work
    options   of podman run
    args      of reeve, before the "--"
    script    run by sh inside, which then execs reeve (for what has to be done before it)
    image     another image, with its own entry point
    """

    def __init__(self, *argv, options=(), args=(), script=None, image=None, wait=True):
        self.name = next(NAMES)
        words = [image or IMAGE, *argv]
        if script is not None:
            words = ["--entrypoint=sh", IMAGE, "-ec", f'{script}\nexec reeve "$@"', "sh", *args, "--", *argv]
        elif args:
            words = ["--entrypoint=reeve", IMAGE, *args, "--", *argv]
        podman("run", "--detach", f"--name={self.name}", *RUN, *options, *words)
        try:
            self.pid = int(podman("inspect", "--format={{.State.Pid}}", self.name).stdout)
            if wait:
                self.wait_ready()
        except BaseException:
            self.dump()
            self.remove()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, value, _):
        if kind is not None:
            self.dump()
        self.remove()

    # -- inside

    @property
    def socket(self):
        """Its socket, seen from here."""
        return f"/proc/{self.pid}/root/run/reeve/bus"

    def wait_ready(self):
        def listens():
            if not self.alive():
                raise AssertionError(f"the container ended before it was ready: {self.logs()}")
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
                try:
                    s.connect(self.socket)
                    return True
                except (FileNotFoundError, ConnectionRefusedError):
                    return False
        eventually(listens, 15, "reeve listens")

    def exec(self, *argv, options=(), timeout=30, **more):
        """podman exec."""
        return podman("exec", "--interactive", *options, self.name, *argv, timeout=timeout, check=False, **more)

    def ctl(self, *args, timeout=30, check=True, **more):
        """reevectl of the machine, on the container's socket; stdout as text where check is true."""
        more.setdefault("input", b"")
        done = subprocess.run([reevectl_binary(), f"--address=unix:path={self.socket}", *args], capture_output=True,
                              timeout=timeout, check=False, **more)
        if check and done.returncode != 0:
            raise AssertionError(f"reevectl {' '.join(args)} ended with {done.returncode}: {done.stderr.decode()}")
        return done.stdout.decode() if check else done

    # -- what can be seen of it

    def alive(self):
        return os.path.isdir(f"/proc/{self.pid}") and not self.state(self.pid).startswith("Z")

    @staticmethod
    def state(pid):
        for line in read_file(f"/proc/{pid}/status", "").splitlines():
            if line.startswith("State:"):
                return line.split(":", 1)[1].strip()
        return "?"

    def processes(self):
        """Pids, as the machine has them, of all but PID 1 in its PID namespace, zombies too."""
        with contextlib.suppress(FileNotFoundError):
            return sorted(pids_in(os.readlink(f"/proc/{self.pid}/ns/pid")) - {self.pid})
        return []

    def zombies(self):
        return [pid for pid in self.processes() if self.state(pid).startswith("Z")]

    def describe(self):
        return [(pid, self.state(pid), read_file(f"/proc/{pid}/cmdline", "").split("\0")) for pid in self.processes()]

    def logs(self):
        """What the container wrote: (stdout, stderr)."""
        done = podman("logs", self.name, check=False)
        return done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def dump(self):
        with contextlib.suppress(Exception):
            state = podman("inspect", "--format={{json .State}}", self.name).stdout.decode().strip()
            print(f"--- {self.name}: {state}\n    processes {self.describe()}\n    logs {self.logs()}", file=sys.stderr)

    # -- the end

    def kill(self, number):
        podman("kill", f"--signal={signal.Signals(number).name if number < 32 else number}", self.name)

    def stop(self, limit=5):
        """podman stop; an AssertionError where podman has to send SIGKILL after that many seconds."""
        self.end_stop(self.begin_stop(limit))

    def begin_stop(self, limit):
        return subprocess.Popen(command("stop", f"--time={limit}", self.name), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    @staticmethod
    def end_stop(process):
        words = process.communicate(timeout=60)[1].decode()
        if process.returncode != 0 or "SIGKILL" in words:
            raise AssertionError(f"podman stop ended with {process.returncode}: {words}")

    def wait(self, timeout=15):
        """The exit status, once it has ended."""
        eventually(lambda: not self.alive(), timeout, lambda: f"the container has ended: {self.describe()}")
        return int(podman("wait", self.name).stdout)

    def remove(self):
        podman("rm", "--force", "--time=0", "--volumes", self.name, check=False)
