"""The rows about terminals and about the end; see rows.py."""

import fcntl
import os
import signal
import struct
import subprocess
import termios

from contest import CHILD, Terminal, pause
from rows import row, same


# -- Terminals

@row("Terminals", "COMMAND reads and writes it, being in the foreground", "t d c")
def tty_foreground(place):
    t = Terminal(place, place.init.argv("bash", "-c", "stty tostop; read x; echo got $x; ps -o pgid=,tpgid= -p $$ | "
                                                       "{ read a b; [ $a = $b ] && echo front; }; exit 3"))
    t.type("hello\n")
    t.see("got hello")
    t.see("front")
    same(place.end(t.box), 3)


@row("Terminals", "an interactive shell has job control", "d")
def tty_job_control(place):
    t = Terminal(place, place.init.argv("bash", "--norc", "-i"))
    t.shell()
    same(b"no job control" in t.seen, False)
    t.type("echo flags-[$-]\n")
    t.see("m")
    t.type("sleep 1000\n")
    sleep = t.process("sleep")
    t.type("\x1a")
    t.see("Stopped")
    same(t.state(sleep), "T")
    t.type("kill %1; exit 5\n")
    t.type("exit 5\n")
    same(place.end(t.box), 5)


@row("Terminals", "^C is COMMAND's, once", "d")
def tty_interrupt(place):
    t = Terminal(place, place.init.argv("bash", "-c", "trap 'echo int; exit 9' INT; echo ready; while :; do sleep 0.02; done"))
    t.see("ready")
    t.type("\x03")
    t.see("int\r\n")
    same(place.end(t.box), 9)
    same(b"int\r\n" in t.look(), False)


@row("Terminals", "^Z with nobody there to continue it stops nothing, as it does without an init", "")
def tty_stop_alone(place):
    t = Terminal(place, place.init.argv("bash", "-c", "echo ready; i=0; while :; do sleep 0.02; echo tick-$((i+=1)); done"))
    t.see("ready")
    t.type("\x1a")
    t.see("^Z")
    t.look()
    t.seen = b""
    t.see("tick-")
    t.see("tick-")


@row("Terminals", "below a shell, ^Z stops both and gives the prompt back, fg goes on", "d")
def tty_stop_below_a_shell(place):
    t = Terminal(place, ["/bin/bash", "--norc", "-i"])
    t.shell()
    t.type(" ".join(place.init.argv("cat", plain=True)).replace("{reeve}", t.box.shared + "/bin/reeve") + "\n")
    cat = t.process("cat")
    t.type("one\n")
    t.see("one\r\n")
    t.type("\x1a")
    t.see("Stopped")
    t.see("> ")
    same(t.state(cat), "T")
    t.type("fg\n")
    t.see("cat\r\n")
    t.type("two\n")
    t.see("two\r\n")
    t.type("\x04")
    t.see("> ")


@row("Terminals", "started behind (&) it takes the terminal from nobody", "")
def tty_background(place):
    t = Terminal(place, ["/bin/bash", "--norc", "-i"])
    t.shell()
    t.type(" ".join(place.init.argv("sleep", "1000", plain=True)).replace("{reeve}", t.box.shared + "/bin/reeve") + " &\n")
    t.process("sleep")
    t.type("read x; echo got-$x\n")
    t.type("word\n")
    t.see("got-word")


@row("Terminals", "COMMAND that reads from behind is stopped, and the shell says so", "d")
def tty_input_from_behind(place):
    t = Terminal(place, ["/bin/bash", "--norc", "-i"])
    t.shell()
    t.type(" ".join(place.init.argv("cat", "/dev/tty", plain=True)).replace("{reeve}", t.box.shared + "/bin/reeve") + " &\n")
    cat = t.process("cat")
    place.eventually(lambda: t.state(cat) == "T", "it is stopped")
    place.eventually(lambda: t.type("\n") or b"Stopped" in t.look(), lambda: t.seen)
    t.type("fg\n")
    t.type("word\n")
    t.see("word\r\n")


@row("Terminals", "at the end the terminal is whose it was before", "")
def tty_given_back(place):
    argv = place.init.argv("true", plain=True)
    t = Terminal(place, ["/bin/sh", "-c", '"$@"; read x </dev/tty; echo got-$x; exit 4', "sh", *argv])
    t.type("word\n")
    t.see("got-word")
    same(place.end(t.box), 4)


@row("Terminals", "a new size of the window reaches COMMAND", "")
def tty_size(place):
    t = Terminal(place, place.init.argv("bash", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done"))
    t.see("ready")
    fcntl.ioctl(t.master, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    t.see("33 77")


@row("Terminals", "taking the terminal over sends COMMAND neither HUP nor CONT", "d")
def tty_no_hangup(place):
    t = Terminal(place, place.init.argv(*CHILD, "signals"))
    t.see("ready")
    pause(0.2)
    same(t.look(), b"\r\n")


@row("Terminals", "a terminal that is hung up ends COMMAND", "")
def tty_hangup(place):
    t = Terminal(place, place.init.argv("sh", "-c", "trap 'exit 8' HUP; echo ready; while :; do sleep 0.02; done"))
    t.see("ready")
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, t.master)     # the last descriptor of the master goes by that
    os.close(null)
    same(place.end(t.box), 8)


# -- The end

def told(place, kind):
    box = place.background(*CHILD, "left", kind)
    same(place.end(box), 3, "status")
    same(sorted(place.read(box, 3)), ["put away", "ready", "told"])


@row("The end", "a child that is left is told to end (TERM), and given the time for it", "d")
def end_child(place):
    told(place, "group")


@row("The end", "one that has called setsid, too", "")
def end_session(place):
    told(place, "session")


@row("The end", "a daemon, forked twice, too", "")
def end_daemon(place):
    told(place, "daemon")


@row("The end", "what came by podman exec, too", "")
def end_stranger(place):
    box = place.background("sh", "-c", "echo ready; read x </tmp/go; exit 3", box={"prepare": "mkfifo /tmp/go"})
    place.read(box, 1)
    script = "trap 'echo told; sleep 0.2; echo put away; exit' TERM; echo there; while :; do sleep 0.02; done"
    with subprocess.Popen(["nsenter", "-t", str(box.pid), "-m", "-p", "sh", "-c", script], stdout=subprocess.PIPE) as other:
        place.stack.callback(other.kill)
        same(other.stdout.readline(), b"there\n")
        with open(f"/proc/{box.pid}/root/tmp/go", "w", encoding="utf-8") as go:
            go.write("\n")
        same(place.end(box), 3)
        same(other.stdout.read(), b"told\nput away\n")


@row("The end", "what does not heed that is killed in time; the status is COMMAND's", "")
def end_deaf(place):
    for kind in ("group-deaf", "session-deaf", "daemon-deaf"):
        box = place.background(*CHILD, "left", kind, **({"stop_timeout": "1s"} if place.init.name == "reeve" else {}))
        same(place.end(box), 3, kind)


@row("The end", "where it is not PID 1 nothing is left either", "")
def end_not_pid1(place):
    for kind in ("group", "session", "daemon"):
        script = f'"$@" -- {" ".join(CHILD)} left {kind}; echo $?; pgrep -x python3 >/dev/null && echo there; echo end'
        out = place.below_a_shell(script)[1].decode().split()
        same(sorted(out), sorted("3 end put away ready told".split()), kind)


@row("The end", "it ends the moment that nothing is left, however long the time that there would be", "")
def end_at_once(place):
    wishes = {"stop_timeout": "1h"} if place.init.name == "reeve" else {}
    for kind in ("session", "daemon"):
        box = place.background(*CHILD, "left", kind, **wishes)
        same(place.end(box), 3, kind)


@row("The end", "COMMAND that does not heed SIGTERM is killed after its time", "")
def end_deaf_command(place):
    box = place.background("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.02; done",
                           **({"stop_timeout": "1s"} if place.init.name == "reeve" else {}))
    place.read(box, 1)
    os.kill(box.init, signal.SIGTERM)
    same(place.end(box), 137)


@row("The end", "a second signal ends the waiting", "")
def end_second_signal(place):
    box = place.background("sh", "-c", "trap 'echo once' TERM; echo ready; while :; do sleep 0.02; done",
                           **({"stop_timeout": "1h"} if place.init.name == "reeve" else {}))
    place.read(box, 1)
    os.kill(box.init, signal.SIGTERM)
    place.read(box, 2)
    os.kill(box.init, signal.SIGTERM)
    same(place.end(box), 137)
