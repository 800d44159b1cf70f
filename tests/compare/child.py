#!/usr/bin/python3
"""What the comparison runs as a command: one word says how it behaves. It says "ready" when it is so."""

import os
import signal
import sys
import time

CATCHABLE = [n for n in range(1, 65) if n not in (9, 19, 32, 33)]


def say(text):
    os.write(1, f"{text}\n".encode())


def tell_signals(*numbers):
    """Says each signal's number, until SIGKILL."""
    numbers = [int(n) for n in numbers] or CATCHABLE
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    say("ready")
    while True:
        say(int(signal.sigwait(numbers)))


def left_behind(kind):
    """Leaves a process behind, says that one's number, and ends with 3 as soon as that one is ready.

    group, session, daemon   where it is; with -deaf it does not heed SIGTERM
    """
    kind, _, deaf = kind.partition("-")
    ready, there = os.pipe()
    if os.fork() == 0:
        os.close(ready)
        if kind in ("session", "daemon"):
            os.setsid()
        if kind == "daemon" and os.fork() > 0:
            os._exit(0)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        os.write(there, b"x")
        os.close(there)
        while deaf:
            signal.pause()
        signal.sigwait([signal.SIGTERM])
        say("told")
        time.sleep(0.2)     # what it has to put away: its time is to be given to it
        say("put away")
        os._exit(0)
    os.close(there)
    os.read(ready, 1)
    say("ready")
    os._exit(3)


def orphans(count):
    """So many processes without a parent that end at once; then it says how many zombies are to be seen for good."""
    for _ in range(int(count)):
        if os.fork() == 0:
            if os.fork() == 0:
                os._exit(0)
            os._exit(0)
        os.wait()
    deadline = time.monotonic() + 20
    while (left := zombies()) and time.monotonic() < deadline:
        time.sleep(0.02)
    say(f"zombies {left}")


def zombies():
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as f:
                    count += f.read().rpartition(")")[2].split()[0] == "Z"
            except OSError:
                pass
    return count


def adopted():
    """Makes an orphan, and says who its parent is then: "init" or another's number."""
    ours, theirs = os.pipe()
    init = os.getppid()
    if os.fork() == 0:
        me = os.getpid()
        if os.fork() == 0:
            while os.getppid() == me:
                time.sleep(0.01)
            os.write(theirs, b"init" if os.getppid() == init else str(os.getppid()).encode())
            os._exit(0)
        os._exit(0)
    os.wait()
    say(os.read(ours, 100).decode())


def inherit(*argv):
    """Runs argv[1:] with SIGUSR1 and SIGTERM blocked and SIGHUP ignored, with "child" SIGCHLD, too."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if argv[0] == "child":
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.execvp(argv[1], argv[1:])


def with_parent(*argv):
    """Starts argv, says its number, and ends when it is told so on its stdin."""
    pid = os.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    say(pid)
    os.read(0, 1)


if __name__ == "__main__":
    {"signals": tell_signals, "left": left_behind, "orphans": orphans, "adopted": adopted, "inherit": inherit,
     "parent": with_parent}[sys.argv[1]](*sys.argv[2:])
