"""The rig of the box tests: a real reeve as PID 1 of fresh namespaces, seen from outside.

Each run gets a cgroup of its own below the cgroup2 mount:

    reeve-box-PID-N/         made by the rig, removed by the rig
        rig                  the unshare process that waits outside of the PID namespace
        box                  the root of the cgroup namespace: where reeve finds itself

so that reeve never sees the machine's own root cgroup. A pids controller, of whichever hierarchy, keeps a box from
taking the last pid of the machine. PID 1 starts as a shell that mounts proc, cgroup2 on
/sys/fs/cgroup, and tmpfs on /run and /tmp, waits on a FIFO until the rig has moved `unshare` out of the way, and
then execs reeve. The socket lies in a folder of /var/tmp, which both sides see.

Nothing here sleeps to be right: eventually() looks until a deadline.
"""

import contextlib
import functools
import glob
import itertools
import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

from client import Connection

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
NUMBERS = itertools.count(1)
PIDS_MAX = 14000
PATIENCE = 30   # seconds
LIVE = []       # every Reeve that was started and not cleaned up

PASSWD = """root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
box:x:4242:4242:box test:/home/box:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
GROUP = """root:x:0:
daemon:x:1:
box:x:4242:
crate:x:4243:box
carton:x:4244:daemon
nogroup:x:65534:
"""

SCRIPT = r"""
set -e
/bin/mount -t proc proc /proc
/bin/umount -R /sys/fs/cgroup 2>/dev/null || true
/bin/mount -t cgroup2 cgroup2 /sys/fs/cgroup
{cgroup_options}
/bin/mount --bind {reeve} {shared}/bin/reeve
/bin/mount --bind {reevectl} {shared}/bin/reevectl
/bin/mount --bind {payload} {shared}/bin/payload
/bin/mount --bind {shared}/passwd /etc/passwd
/bin/mount --bind {shared}/group /etc/group
/bin/mount -t tmpfs -o mode=755,size={run_size} tmpfs /run
/bin/mount -t tmpfs -o mode=1777,size=512m tmpfs /tmp
{prepare}
cd {cwd}
unset OLDPWD PWD
read go <{shared}/go
exec {command}
"""


class TestTimeout(Exception):
    pass


def eventually(condition, timeout=30, what=None):
    """What condition() answers, as soon as it is true; an AssertionError when it has not been by the deadline.

    That is a limit for a machine that has gone astray, not a measure: never less than PATIENCE."""
    timeout = max(timeout, PATIENCE)
    deadline = time.monotonic() + timeout
    pause = 0.001
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not so within {timeout} s: {what() if callable(what) else what or condition}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def binary(variable, default):
    path = os.environ.get(variable)
    if path is None:
        for build in ("build", "/tmp/build"):
            path = os.path.join(SOURCE, build, default)
            if os.path.exists(path):
                break
    return os.path.abspath(path)


def reeve_binary():
    return binary("REEVE_BINARY", "src/daemon/reeve")


def reevectl_binary():
    return binary("REEVECTL_BINARY", "src/ctl/reevectl")


def payload_binary():
    return binary("REEVE_PAYLOAD", "tests/box/payload")


@functools.cache
def sanitized():
    """Whether reeve was built with a sanitizer: then its memory tells nothing."""
    with open(reeve_binary(), "rb") as f:
        return b"__asan_" in f.read()


def cgroup2_mount():
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        for line in f:
            fields, _, rest = line.partition(" - ")
            if rest.split()[0] == "cgroup2":
                return fields.split()[4]
    raise RuntimeError("no cgroup2 is mounted here")


def pids_mount():
    """Where the pids controller of a hybrid host is; None on a pure v2 one, and where there is none."""
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        for line in f:
            fields, _, rest = line.partition(" - ")
            kind, _, options = rest.split()[:3]
            if kind == "cgroup" and "pids" in options.split(","):
                return fields.split()[4]
    return None


def read_file(path, default=None):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        if default is None:
            raise
        return default


def write_file(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def children_of(pid):
    """The children of a process, zombies too, as the kernel lists them."""
    out = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        out += [int(word) for word in read_file(path, "").split()]
    return out


def proc_status(pid, key, default=None):
    for line in read_file(f"/proc/{pid}/status", "").splitlines():
        if line.startswith(key + ":"):
            return line.split(":", 1)[1].strip()
    return default


def remove_tree(root):
    """Kill what is in a cgroup tree and remove it, the deepest first."""
    if not os.path.isdir(root):
        return
    with contextlib.suppress(OSError):
        write_file(f"{root}/cgroup.kill", "1")

    def gone():
        for folder, _, _ in os.walk(root, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        return not os.path.isdir(root)
    eventually(gone, 20, f"{root} can be removed")


class Reeve:
    """A reeve in a box.

    args, env, cwd       its command line, whole environment, directory at start
    command              what is exec'ed instead of "reeve ARGS" ("{reeve}" and "{args}" are filled in, as shell words)
    prepare              shell lines run in the namespaces before it
    pid_namespace        False: reeve is not PID 1
    read_only_cgroup     the tree can't be written and CAP_SYS_ADMIN, that could undo it, is gone
    stdin, stdout        as for Popen; stderr goes to the file self.log_path
    address              None: no --address= is given
    """

    def __init__(self, args=(), env=None, *, cwd="/", command=None, prepare="", pid_namespace=True,
                 read_only_cgroup=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=None,
                 address=True, run_size="64m", rlimits=None):
        self.args = list(args)
        self.env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"} if env is None else env
        self.cwd = cwd
        self.command = command
        self.prepare = prepare
        self.pid_namespace = pid_namespace
        self.read_only_cgroup = read_only_cgroup
        self.stdio = (stdin, stdout, stderr)
        self.run_size = run_size
        self.rlimits = rlimits or {}
        self.number = next(NUMBERS)
        self.process = None
        self.pid = None
        self.connections = []
        self.go = -1
        self.shared = tempfile.mkdtemp(prefix=f"reeve-box-{os.getpid()}-", dir="/var/tmp")
        os.chmod(self.shared, 0o755)
        self.address = f"unix:path={self.shared}/bus" if address else None
        self.log_path = f"{self.shared}/stderr"
        self.cgroup = f"{cgroup2_mount()}/reeve-box-{os.getpid()}-{self.number}"
        self.box = f"{self.cgroup}/box"
        self.pids = f"{pids_mount()}/{os.path.basename(self.cgroup)}" if pids_mount() else None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, _):
        if kind is not None:
            self.dump()
        self.destroy()

    # -- start

    def start(self, wait=True):
        LIVE.append(self)
        os.mkdir(self.cgroup)
        for controller in read_file(f"{self.cgroup}/cgroup.controllers").split():
            with contextlib.suppress(OSError):
                write_file(f"{self.cgroup}/cgroup.subtree_control", f"+{controller}")
        os.mkdir(self.box)
        if self.pids:
            os.mkdir(self.pids)
        with contextlib.suppress(OSError):
            write_file(f"{self.pids or self.cgroup}/pids.max", str(PIDS_MAX))
        os.mkdir(f"{self.cgroup}/rig")
        os.mkdir(f"{self.shared}/bin")
        for name in ("bin/reeve", "bin/reevectl", "bin/payload"):
            write_file(f"{self.shared}/{name}", "")
        write_file(f"{self.shared}/passwd", PASSWD)
        write_file(f"{self.shared}/group", GROUP)
        os.mkfifo(f"{self.shared}/go")
        self.go = os.open(f"{self.shared}/go", os.O_RDWR | os.O_CLOEXEC)

        stdin, stdout, stderr = self.stdio
        log = None
        if stderr is None:
            log = stderr = open(self.log_path, "ab")
        namespaces = ["--mount", "--cgroup"] + (["--pid", "--fork", "--kill-child"] if self.pid_namespace else [])
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", 'echo 0 >"$1/cgroup.procs" && echo 0 >"$2/cgroup.procs" && shift 2 && exec "$@"', "sh",
             self.box, self.pids or self.box,
             "/usr/bin/setpriv", "--pdeathsig", "KILL", "/usr/bin/unshare", *namespaces,
             "/bin/sh", "-c", self._script()],
            stdin=stdin, stdout=stdout, stderr=stderr, env=self.env, cwd="/")
        if log:
            log.close()
        if self.pid_namespace:
            self.pid = eventually(self._find_child, 10, "unshare has made its child")[0]
            write_file(f"{self.cgroup}/rig/cgroup.procs", str(self.process.pid))
        else:
            self.pid = self.process.pid
        os.write(self.go, b"go\n")
        if wait and self.address:
            self.wait_ready()
        return self

    def _find_child(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the box did not start, status {self.process.returncode}: {self.log()}")
        # The launching shell has no children; only unshare does.
        return children_of(self.process.pid)

    def _script(self):
        args = ([f"--address={self.address}"] if self.address else []) + self.args
        command = self.command or "{reeve} {args}"
        if self.read_only_cgroup:
            command = "/usr/bin/setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin " + command
        for name, value in self.rlimits.items():
            command = f"/usr/bin/prlimit --{name}={value} {command}"
        return SCRIPT.format(
            shared=self.shared, reeve=shlex.quote(reeve_binary()), reevectl=shlex.quote(reevectl_binary()),
            payload=shlex.quote(payload_binary()), cwd=shlex.quote(self.cwd), run_size=self.run_size,
            prepare=self.prepare.format(shared=self.shared),
            cgroup_options="/bin/mount -o remount,bind,ro /sys/fs/cgroup" if self.read_only_cgroup else "",
            command=command.format(reeve=f"{self.shared}/bin/reeve", payload=f"{self.shared}/bin/payload",
                                   shared=self.shared, args=shlex.join(args)))

    def wait_ready(self, timeout=30, address=None):
        """Until a call is answered."""
        def answers():
            if self.process.poll() is not None:
                raise AssertionError(f"reeve ended with {self.process.returncode} before it was ready:\n{self.log()}")
            try:
                with Connection(address or self.address, match=False) as connection:
                    connection.ping()
                return True
            except (FileNotFoundError, ConnectionRefusedError):
                return False
        eventually(answers, timeout, lambda: f"the socket answers; stderr:\n{self.log()}")

    def connect(self, address=None, **options):
        connection = Connection(address or self.address, **options)
        self.connections.append(connection)
        return connection

    def payload(self, *args):
        return [f"{self.shared}/bin/payload", *[str(arg) for arg in args]]

    # -- what can be seen of it

    def alive(self):
        """Not ended and not about to: an exiting process has no memory any more, a while before it is reaped."""
        return self.process.poll() is None and proc_status(self.pid, "VmRSS") is not None

    def log(self):
        return read_file(self.log_path, "")

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self):
        """Resident bytes, shared memory included."""
        return int(proc_status(self.pid, "VmRSS").split()[0]) * 1024

    def wakeups(self):
        return int(proc_status(self.pid, "voluntary_ctxt_switches")) \
            + int(proc_status(self.pid, "nonvoluntary_ctxt_switches"))

    def processes(self):
        """Host pids of all below PID 1, zombies too."""
        out, todo = [], [self.pid]
        while todo:
            for child in children_of(todo.pop()):
                out.append(child)
                todo.append(child)
        return out

    def zombies(self):
        return [pid for pid in self.processes() if proc_status(pid, "State", "?").startswith("Z")]

    def inner_pid(self, pid):
        words = proc_status(pid, "NSpid", "").split()
        return int(words[-1]) if words else None

    def host_pid(self, inner):
        """The host's pid of a process of the box."""
        if not self.pid_namespace:
            return inner
        for pid in self.processes():
            if self.inner_pid(pid) == inner:
                return pid
        return None

    def describe(self, pids):
        return [(pid, self.inner_pid(pid), proc_status(pid, "State"), read_file(f"/proc/{pid}/cmdline", "").split("\0"),
                 read_file(f"/proc/{pid}/cgroup", "").split("\n")[-2:-1]) for pid in pids]

    def scopes(self):
        """The cgroups of jobs, as paths below the box."""
        out = []
        for folder, _, _ in os.walk(self.box):
            if folder.endswith(".scope") and os.path.basename(folder) != "init.scope":
                out.append(folder[len(self.box):])
        return out

    def run_inside(self, argv, timeout=30, **options):
        """A process in reeve's namespaces, as docker exec makes one."""
        command = ["/usr/bin/nsenter", "-t", str(self.pid), "-m"]
        if self.pid_namespace:
            command += ["-p"]
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([*command, *argv], timeout=timeout, capture_output=True, check=False, **options)

    def reevectl(self, *args, timeout=30, **options):
        options.setdefault("stdin", subprocess.DEVNULL)
        env = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address, REEVE_ADDRESS=self.address)
        return subprocess.run([reevectl_binary(), f"--address={self.address}", *args], timeout=timeout, env=env,
                              capture_output=True, check=False, **options)

    # -- the end

    def signal(self, number):
        os.kill(self.pid, number)

    def wait_exit(self, timeout=30):
        """The exit status of PID 1: a code, or minus a signal."""
        self.process.wait(timeout)
        return self.process.returncode

    def stop(self, timeout=30):
        """An orderly stop; the exit status."""
        if self.alive():
            self.signal(signal.SIGTERM)
        return self.wait_exit(timeout)

    def no_leftovers(self):
        """After an orderly end: no process, no scope."""
        eventually(lambda: not self._left_in_box(), PATIENCE, lambda: f"all ended: {self.describe(self._left_in_box())}")
        if scopes := self.scopes():
            raise AssertionError(f"scopes left behind: {scopes}")

    def _left_in_box(self):
        pids = []
        for folder, _, _ in os.walk(self.box):
            pids += [int(word) for word in read_file(f"{folder}/cgroup.procs", "").split()]
        return pids

    def crashed(self):
        """Whatever in its own log would mean that something went badly wrong."""
        marks = ("AddressSanitizer", "runtime error:", "Assertion", "assertion", "LeakSanitizer", "stack smashing")
        return [line for line in self.log().splitlines() if any(mark in line for mark in marks)]

    def dump(self, to=sys.stderr):
        """What there is to see, for the reader of a failure."""
        status = self.process.poll() if self.process else None
        print(f"--- reeve {self.number}: pid {self.pid}, status {status}", file=to)
        if self.process and self.alive():
            with contextlib.suppress(Exception):    # it may end while we look
                print("\n".join(f"    {line}" for line in self.describe(self.processes())[:40]), file=to)
                print(f"    State {proc_status(self.pid, 'State')} wchan {read_file(f'/proc/{self.pid}/wchan', '')}"
                      f" fds {self.fds()} memory {self.memory()}", file=to)
                print(f"    scopes: {self.scopes()[:20]}", file=to)
        print("    stderr:\n" + "\n".join(f"    | {line}" for line in self.log().splitlines()[-15:]), file=to)

    def destroy(self):
        """Kill everything and remove every trace; also after the worst."""
        for connection in self.connections:
            with contextlib.suppress(Exception):
                connection.close()
        if self.process and self.process.poll() is None:
            with contextlib.suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        remove_tree(self.cgroup)
        if self.pids:
            remove_tree(self.pids)
        if self.go >= 0:
            os.close(self.go)
            self.go = -1
        shutil.rmtree(self.shared, ignore_errors=True)
        if self in LIVE:
            LIVE.remove(self)


def sweep():
    """Remove what runs that were killed have left: whatever carries the pid of a process that is no more."""
    for path in (glob.glob(f"{cgroup2_mount()}/reeve-box-*") + glob.glob(f"{pids_mount()}/reeve-box-*")
                 + glob.glob("/var/tmp/reeve-box-*")):
        owner = os.path.basename(path).split("-")[2]
        if owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            if path.startswith("/var/tmp"):
                shutil.rmtree(path, ignore_errors=True)
            else:
                remove_tree(path)


def socket_mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)
