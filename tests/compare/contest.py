"""Who is compared, and the means: a box as in tests/box/rig.py, with any init as its PID 1 or below a shell in it."""

import contextlib
import os
import pty
import shlex
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "box"))

from rig import Reeve, eventually, proc_status, read_file  # noqa: E402,F401  (the path has to be set first)

# /var/tmp is what a box has of the machine; rig.sweep() knows this name.
FOLDER = os.environ.setdefault("REEVE_COMPARE", f"/var/tmp/reeve-box-{os.getpid()}-compare")
CHILD = ["/usr/bin/python3", f"{FOLDER}/child.py"]
PIPE = subprocess.PIPE
LIMIT, LIMIT_OF_OTHERS = 30, 2      # seconds, for what has to happen


def open_folder():
    """Once a run: what the boxes are given of ours."""
    os.makedirs(FOLDER, exist_ok=True)
    shutil.copy(os.path.join(HERE, "child.py"), CHILD[1])


def close_folder():
    shutil.rmtree(FOLDER, ignore_errors=True)


class NotThere(Exception):
    """The init has deliberately no such thing; why, for the table's notes."""


class Init:
    """One of those compared. argv(...): its command line for a command, with what is wished for by name."""

    def __init__(self, name, program, options, version=None):
        self.name, self.program, self.options, self.version = name, program, options, version

    @property
    def limit(self):
        return LIMIT if self.name == "reeve" else LIMIT_OF_OTHERS

    def words(self, **wishes):
        words = [self.program]
        for wish, value in wishes.items():
            option = self.options.get(wish)
            if option is None:
                raise NotThere(f"{self.name} has no option for that")
            words += [word.format(value) for word in option]
        return words

    def argv(self, *command, **wishes):
        return [*self.words(**wishes), "--", *command]


REEVE_OPTIONS = {
    "group": ["-g"], "subreaper": ["-s"], "verbose": ["-v", "-v"], "warn": ["-w"], "success": ["-e", "{}"],
    "rewrite": ["-r", "{}"], "single": ["-c"], "parent_death": ["-p", "{}"], "plain": ["--no-bus", "--no-units"],
    "stop_timeout": ["--stop-timeout={}"], "pause": [],
}
OTHERS = {
    "tini": {"group": ["-g"], "subreaper": ["-s"], "verbose": ["-vvv"], "warn": ["-w"], "success": ["-e", "{}"],
             "single": [], "parent_death": ["-p", "SIG{}"], "plain": []},
    "dumb-init": {"group": [], "subreaper": [], "verbose": ["-v"], "rewrite": ["-r", "{}"], "single": ["-c"], "plain": []},
    "catatonit": {"group": ["-g"], "subreaper": [], "single": [], "plain": [], "pause": ["-P"], "verbose": []},
}


def inits():
    """reeve first, then those of the others that are installed."""
    found = [Init("reeve", "{reeve}", REEVE_OPTIONS)]
    for name, options in OTHERS.items():
        if path := shutil.which(name):
            found.append(Init(name, path, options))
    return found


class Place:
    """Where one row is tried with one init; everything that was started in it ends with it."""

    def __init__(self, init):
        self.init = init
        self.limit = init.limit
        self.stack = contextlib.ExitStack()
        self.boxes = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stack.close()

    def eventually(self, condition, what=None):
        return eventually(condition, self.limit, what)

    def box(self, argv, env=None, **options):
        """argv as PID 1."""
        command = shlex.join(argv).replace("{", "{{").replace("}", "}}").replace("'{{reeve}}'", "{reeve}")
        if env:
            env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), **env}
        box = Reeve(env=env, command=command, address=None, **options)
        self.boxes.append(box)
        self.stack.callback(box.destroy)
        return box.start(wait=False)

    def run(self, *command, input=b"", limit=None, box=None, **wishes):
        """INIT -- COMMAND as PID 1 to its end: status, stdout, stderr."""
        return self.finish(self.box(self.init.argv(*command, **wishes), stdin=PIPE, stdout=PIPE, stderr=PIPE, **(box or {})),
                           input, limit)

    def finish(self, box, input=None, limit=None):
        try:
            out, err = box.process.communicate(input, timeout=limit or self.limit)
        except subprocess.TimeoutExpired as e:
            raise AssertionError(f"did not end within {limit or self.limit} s") from e
        return box.process.returncode, out, err

    def below_a_shell(self, script, **options):
        """A script for a shell that is PID 1; "$@" in it is the init: status, stdout, stderr."""
        argv = ["/bin/bash", "-c", script, "bash", *self.init.words(plain=True)]
        return self.finish(self.box(argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, **options), b"")

    def background(self, *command, pid1=True, box=None, **wishes):
        """INIT -- COMMAND, whose stdout is box.process.stdout; box.init is the init's pid, as the machine has it."""
        if pid1:
            argv = self.init.argv(*command, **wishes)
        else:
            argv = ["/bin/sh", "-c", '"$@" & wait $!; exit $?', "sh", *self.init.argv(*command, plain=True, **wishes)]
        box = self.box(argv, stdout=PIPE, **(box or {}))
        box.init = box.pid
        if not pid1:
            box.init = self.eventually(lambda: [p for p in box.processes() if self.is_init(p)], "the init runs")[0]
        self.stack.callback(box.process.stdout.close)
        os.set_blocking(box.process.stdout.fileno(), False)
        box.seen = b""
        return box

    def is_init(self, pid):
        return os.path.basename(read_file(f"/proc/{pid}/cmdline", "").split("\0")[0]) in (self.init.name, os.path.basename(
            self.init.program.strip("{}")))

    def read(self, box, lines):
        """So many lines of its stdout, what was read before included."""
        def enough():
            with contextlib.suppress(BlockingIOError):
                data = os.read(box.process.stdout.fileno(), 65536)
                box.seen += data
                if not data and box.seen.count(b"\n") < lines:
                    raise AssertionError(f"its output ended: {box.seen}")
            return box.seen.count(b"\n") >= lines
        self.eventually(enough, lambda: f"{lines} lines of output: {box.seen}")
        return box.seen.decode().split("\n")[:-1]

    def end(self, box):
        """Its status, when it ends by itself."""
        try:
            return box.wait_exit(self.limit)
        except subprocess.TimeoutExpired as e:
            raise AssertionError(f"did not end within {self.limit} s") from e

    def terminal(self, argv, **options):
        """argv as PID 1 and leader of the session of a terminal: that's master side, and what was seen on it."""
        return Terminal(self, argv, **options)


class Terminal:
    def __init__(self, place, argv, **options):
        self.place = place
        self.master, slave = pty.openpty()
        place.stack.callback(os.close, self.master)
        self.box = place.box(["/usr/bin/setsid", "--ctty", *argv], stdin=slave, stdout=slave, stderr=slave, **options)
        os.close(slave)
        os.set_blocking(self.master, False)
        self.seen = b""

    def type(self, text):
        os.write(self.master, text.encode())

    def look(self):
        with contextlib.suppress(OSError):
            self.seen += os.read(self.master, 65536)
        return self.seen

    def see(self, text):
        """Until text is on the terminal, after what was seen before."""
        needle = text.encode()
        self.place.eventually(lambda: needle in self.look(), lambda: f"{text!r} on the terminal: {self.seen!r}")
        self.seen = self.seen.partition(needle)[2]

    def shell(self):
        """For bash: its prompt becomes "> ", and no line of input is edited."""
        self.type("PS1='> '; stty -echo; echo shell-$((40+2))\n")
        self.see("shell-42\r\n")
        self.see("> ")

    def process(self, name):
        """The pid, as the machine has it, of the process in the box that runs name."""
        def find():
            for pid in self.box.processes():
                words = read_file(f"/proc/{pid}/cmdline", "").split("\0")
                if os.path.basename(words[0]) == name:
                    return pid
            return 0
        return self.place.eventually(find, f"{name} runs")

    def state(self, pid):
        return proc_status(pid, "State", "gone")[:1]


def kill(pid, number):
    os.kill(pid, number)


def name_of(number):
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def pause(seconds):
    """For the few things that can only be seen by not happening."""
    time.sleep(seconds)
