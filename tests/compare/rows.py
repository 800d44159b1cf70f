"""What is compared, row by row: a function that raises AssertionError where the init does not do it, NotThere where it
has deliberately nothing of the kind. Whose own suite checks the like is said with it: t(ini), d(umb-init), c(atonit, which has
no suite: what its code and README promise). The words are those of the table."""

import os
import signal

from contest import CHILD, LIMIT, NotThere, name_of, read_file

ROWS = []
RT = list(range(34, 65))
STANDARD = [n for n in range(1, 32) if n not in (9, 17, 19)]
# What an init cannot be asked to pass on by everybody: see the rows about these.
STOPPING = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
# To reeve these are orders to stop: passed on as well, but each ends what it is tried on.
ORDERS = (signal.SIGTERM, signal.SIGINT, signal.SIGPWR)
CRASHES = (signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV, signal.SIGSYS)
PLAIN = [n for n in STANDARD if n not in STOPPING + ORDERS + CRASHES]
RT_ORDERS = (37, 38, 39)


def row(chapter, words, whose=""):
    def add(function):
        ROWS.append((function.__name__, chapter, words, whose, function))
        return function
    return add


def same(seen, due, what=""):
    if seen != due:
        raise AssertionError(f"{what}: {seen!r}, not {due!r}")


# -- Exit status

@row("Exit status", "its exit code, each of 0 to 255", "t d")
def exit_codes(place):
    script = 'for i in $(seq 0 255); do "$@" -- sh -c "exit $i" 2>/dev/null; s=$?; [ $s = $i ] || echo $i $s; done; echo end'
    place.limit = max(place.limit, LIMIT)
    same(place.below_a_shell(script)[1], b"end\n")


@row("Exit status", "128 + n when signal n ended it, real-time ones, too", "t d")
def exit_by_signal(place):
    script = 'ulimit -c 0; for i in 1 2 3 9 10 15 34 64; do "$@" -- sh -c "kill -$i \\$\\$" 2>/dev/null; s=$?; ' \
             '[ $s = $((128 + i)) ] || echo $i $s; done; echo end'
    same(place.below_a_shell(script)[1], b"end\n")


@row("Exit status", "a status of choice counts as success", "t")
def exit_success(place):
    for script, status in (("kill -15 $$", 0), ("exit 143", 0), ("exit 7", 7), ("exit 0", 0)):
        same(place.run("sh", "-c", script, success=143)[0], status, script)


@row("Exit status", "127 and a word on stderr when COMMAND is not there", "t d")
def exit_127(place):
    for command in ("no-such-command", "/nonexistent/command"):
        status, _, err = place.run(command)
        same(status, 127, command)
        same(command.encode() in err, True, err)


@row("Exit status", "126 when COMMAND cannot be executed", "t")
def exit_126(place):
    for command in ("/etc", "/etc/passwd"):
        same(place.run(command)[0], 126, command)


@row("Exit status", "of COMMAND, also when its children end before and after it", "d")
def exit_among_children(place):
    same(place.run("sh", "-c", "(exit 9) & (exit 8); sleep 0.05 & exit 4")[0], 4)


# -- Signals

def passed_on(place, numbers, pid1=True, **wishes):
    box = place.background(*CHILD, "signals", pid1=pid1, **wishes)
    place.read(box, 1)
    for i, number in enumerate(numbers):
        os.kill(box.init, number)
        same(place.read(box, i + 2)[i + 1:], [str(int(number))], name_of(number))


def ordered(place, number, pid1=True, heard=None, **wishes):
    """What is an order to stop: SIGCONT may come with it, for one that is stopped to hear it."""
    box = place.background(*CHILD, "signals", pid1=pid1, **wishes)
    place.read(box, 1)
    os.kill(box.init, number)
    hear(place, box, heard or number)


def hear(place, box, number):
    place.eventually(lambda: str(int(number)) in place.read(box, 2)[1:], lambda: f"{name_of(number)}: {box.seen}")


@row("Signals", "every one that can be caught is passed on (but for those below)", "t d c")
def signals_standard(place):
    passed_on(place, PLAIN)
    for number in ORDERS:
        ordered(place, number)


@row("Signals", "TSTP, TTIN and TTOU that are sent to it, too", "d")
def signals_stopping(place):
    passed_on(place, STOPPING, single=True)


@row("Signals", "those of a crash (ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS), too", "d")
def signals_crash(place):
    if place.init.name == "reeve":
        raise NotThere("takes them for what they mean: that it is broken itself")
    passed_on(place, CRASHES)


@row("Signals", "the real-time ones, too")
def signals_real_time(place):
    passed_on(place, [n for n in RT if n not in RT_ORDERS])
    for number in RT_ORDERS:
        ordered(place, number)


@row("Signals", "the same when it is not PID 1", "t d c")
def signals_not_pid1(place):
    passed_on(place, PLAIN, pid1=False)
    for number in ORDERS:
        ordered(place, number, pid1=False)


@row("Signals", "one after the other, none lost: 200 times USR1, each answered")
def signals_many(place):
    passed_on(place, [signal.SIGUSR1] * 200)


GROUP = 'trap "echo parent" USR1; sh -c \'trap "echo child; exit 3" USR1; echo ready; while :; do sleep 0.02; done\'; exit 7'


@row("Signals", "to COMMAND's whole process group, where that is wished (-g)", "t d")
def signals_group(place):
    box = place.background("bash", "-c", GROUP, group=True)
    place.read(box, 1)
    os.kill(box.init, signal.SIGUSR1)
    same(place.end(box), 7)
    same(sorted(place.read(box, 3)), ["child", "parent", "ready"])


@row("Signals", "the same by an environment variable", "t")
def signals_group_by_environment(place):
    if place.init.name != "tini":
        raise NotThere("has options for its options; an environment is COMMAND's")
    box = place.background("bash", "-c", GROUP, box={"env": {"TINI_KILL_PROCESS_GROUP": "1"}})
    place.read(box, 1)
    os.kill(box.init, signal.SIGUSR1)
    same(place.end(box), 7)


@row("Signals", "to COMMAND alone, where that is wished (-c)", "d")
def signals_single(place):
    box = place.background("bash", "-c", "sh -c 'trap \"echo child\" USR1; echo ready; while :; do sleep 0.02; done' & "
                           "trap 'echo parent' USR1; wait; wait", single=True)
    place.read(box, 1)
    os.kill(box.init, signal.SIGUSR1)
    same(place.read(box, 2), ["ready", "parent"])


@row("Signals", "one signal for another (-r 15:3)", "d")
def signals_rewritten(place):
    ordered(place, signal.SIGTERM, heard=signal.SIGQUIT, rewrite="15:3")


@row("Signals", "one signal dropped (-r 1:0)", "d")
def signals_dropped(place):
    box = place.background(*CHILD, "signals", rewrite="1:0")
    place.read(box, 1)
    os.kill(box.init, signal.SIGHUP)
    os.kill(box.init, signal.SIGUSR2)
    same(place.read(box, 2), ["ready", "12"])


@row("Signals", "COMMAND has default dispositions and an empty mask", "t")
def signals_clean(place):
    _, out, _ = place.run("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status")
    same([int(word, 16) for word in out.split()[1::2]], [0, 0])


@row("Signals", "also when the init itself has inherited others", "")
def signals_cured(place):
    out = place.below_a_shell(f"{' '.join(CHILD)} inherit rest \"$@\" -- grep -E '^Sig(Blk|Ign)' /proc/self/status")[1]
    same([int(word, 16) for word in out.split()[1::2]], [0, 0])


@row("Signals", "or just those that it has inherited", "t")
def signals_inherited(place):
    if place.init.name == "reeve":
        raise NotThere("cures them instead: a command that cannot be told to end by accident of who started its init")
    out = place.below_a_shell(f"{' '.join(CHILD)} inherit rest \"$@\" -- grep -E '^Sig(Blk|Ign)' /proc/self/status")[1]
    blocked, ignored = [int(word, 16) for word in out.split()[1::2]]
    same((blocked >> 9 & 1, ignored & 1), (1, 1))


@row("Signals", "SIGCHLD inherited as ignored does not keep it from the status")
def signals_child_ignored(place):
    same(place.below_a_shell(f"{' '.join(CHILD)} inherit child \"$@\" -- sh -c 'exit 5'")[0], 5)


@row("Signals", "SIGTERM inherited as blocked is passed on all the same")
def signals_term_blocked(place):
    box = place.box([*CHILD, "inherit", "rest", *place.init.argv(*CHILD, "signals")], stdout=-1)
    box.init, box.seen = box.pid, b""
    place.stack.callback(box.process.stdout.close)
    os.set_blocking(box.process.stdout.fileno(), False)
    place.read(box, 1)
    os.kill(box.init, signal.SIGTERM)
    hear(place, box, signal.SIGTERM)


@row("Signals", "COMMAND may send the order to its init itself", "")
def signals_from_command(place):
    same(place.run("sh", "-c", "trap 'exit 6' TERM; kill -TERM 1; while :; do sleep 0.02; done")[0], 6)


@row("Signals", "a signal when its parent dies (-p)", "t")
def signals_parent_death(place):
    argv = place.init.words(parent_death="USR1", plain=True)
    box = place.box(["/bin/sh", "-c", '"$@"; sleep 60', "sh", *CHILD, "parent", *argv, "--", *CHILD, "signals"],
                    stdin=-1, stdout=-1)
    box.seen = b""
    place.stack.callback(box.process.stdout.close)
    place.stack.callback(box.process.stdin.close)
    os.set_blocking(box.process.stdout.fileno(), False)
    lines = place.read(box, 2)
    same("ready" in lines, True, lines)
    box.process.stdin.write(b"x")
    box.process.stdin.flush()
    same(place.read(box, 3)[-1], "10")


# -- Reaping

@row("Reaping", "orphans are reaped, no zombie stays", "t d c")
def reaping(place):
    same(place.run(*CHILD, "orphans", "1")[1], b"zombies 0\n")


@row("Reaping", "two thousand short-lived ones in a row", "")
def reaping_many(place):
    place.limit = max(place.limit, LIMIT)
    same(place.run(*CHILD, "orphans", "2000")[1], b"zombies 0\n")


@row("Reaping", "it adopts orphans where it is not PID 1 (-s)", "t c")
def reaping_subreaper(place):
    argv = place.init.words(subreaper=True, plain=True)
    same(place.finish(place.box(["/bin/sh", "-c", '"$@"; exit $?', "sh", *argv, "--", *CHILD, "adopted"], stdout=-1))[1],
         b"init\n")


@row("Reaping", "and no zombie stays there", "t c")
def reaping_not_pid1(place):
    argv = place.init.words(subreaper=True, plain=True)
    same(place.finish(place.box(["/bin/sh", "-c", '"$@"; exit $?', "sh", *argv, "--", *CHILD, "orphans", "50"], stdout=-1))[1],
         b"zombies 0\n")


@row("Reaping", "says so when it has reaped one (-w)", "t")
def reaping_warns(place):
    script = f"{' '.join(CHILD)} orphans 3"
    err = place.run("sh", "-c", script, warn=True)[2]
    same(err.lower().count(b"reaped") >= 3, True, err)
    same(b"reaped" in place.run("sh", "-c", script)[2].lower(), False)


@row("Reaping", "warns when it cannot adopt orphans", "t")
def reaping_impossible(place):
    if place.init.name != "tini":
        raise NotThere("adopts them always" if place.init.name != "dumb-init" else "does not mean to")
    err = place.below_a_shell('"$@" -- true; exit $?')[2]
    same(b"reaping" in err, True, err)


# -- What COMMAND finds

@row("What COMMAND finds", "the very same stdin, stdout and stderr", "t")
def finds_stdio(place):
    status, out, err = place.run("sh", "-c", "cat; echo err >&2; readlink /proc/self/fd/1 /proc/1/fd/1; exit 3", input=b"in\0\n")
    same((status, out[:4], out[4:].split()[0]), (3, b"in\0\n", out[4:].split()[1]))
    same(err.endswith(b"err\n"), True, err)


@row("What COMMAND finds", "its input through a pipe", "t")
def finds_pipe(place):
    same(place.run("sh", input=b"exit 9\n")[0], 9)


@row("What COMMAND finds", "the working directory; the init itself is in /", "d c")
def finds_directory(place):
    out = place.run("sh", "-c", "pwd; readlink /proc/1/cwd", box={"cwd": "/usr"})[1]
    same(out, b"/usr\n/\n")


@row("What COMMAND finds", "its arguments to the letter, also those that look like options", "t")
def finds_arguments(place):
    same(place.run("printf", "%s|", "-v", "--help", "", "a b", "--", "\n")[1], b"-v|--help||a b|--|\n|")


@row("What COMMAND finds", "options after COMMAND without \"--\" are its own", "t d")
def finds_options(place):
    box = place.box([*place.init.words(), "sh", "-c", "echo $0 $1", "-g", "--version"], stdout=-1, stderr=-1)
    same(place.finish(box)[1], b"-g --version\n")


@row("What COMMAND finds", "0, 1 and 2, where the init was given none of them", "")
def finds_closed_stdio(place):
    script = '"$@" -- sh -c \'for i in 0 1 2; do [ -e /proc/self/fd/$i ] || echo closed $i; done >/tmp/out; echo end >>/tmp/out\' ' \
             '<&- >&- 2>&-; cat /tmp/out'
    same(place.below_a_shell(script)[1], b"end\n")


@row("What COMMAND finds", "no descriptor that nobody meant for it", "")
def finds_stray_descriptors(place):
    same(place.below_a_shell('"$@" -- sh -c "[ -e /proc/self/fd/9 ] && echo stray; echo end" 9</etc/passwd')[1], b"end\n")


# -- Command line

@row("Command line", "--version, and status 0", "t d c")
def line_version(place):
    status, out, err = place.finish(place.box([*place.init.words(), "--version"], stdout=-1, stderr=-1))
    same((status, place.init.name.encode() in out + err), (0, True))


@row("Command line", "-h, and status 0", "t d c")
def line_help(place):
    status, out, err = place.finish(place.box([*place.init.words(), "-h"], stdout=-1, stderr=-1))
    same((status, b"-g" in out + err or b"-c" in out + err), (0, True))


@row("Command line", "an unknown option ends it with a word about that", "d")
def line_unknown(place):
    for option in ("--yolo", "-Z"):
        status, out, err = place.finish(place.box([*place.init.words(), option, "true"], stdout=-1, stderr=-1))
        same((status != 0, option.strip("-").encode() in out + err), (True, True), err)


@row("Command line", "wrong values of an option do, too", "d")
def line_wrong_values(place):
    values = [("rewrite", v) for v in ("herp", "herp:derp", "15", "15::12", "15:derp", "1:99", "")]
    if "rewrite" not in place.init.options:
        values = [("success", v) for v in ("x", "256", "-1", "")]
    for wish, value in values:
        status, out, err = place.finish(place.box([*place.init.words(**{wish: value}), "echo", "hi"], stdout=-1, stderr=-1))
        same((status != 0, out + err not in (b"", b"hi\n")), (True, True), (value, out, err))


@row("Command line", "tells what it does when asked (-v)", "t d c")
def line_verbose(place):
    env = {"CATATONIT_DEBUG": "1"} if place.init.name == "catatonit" else None
    loud = b"".join(place.run("true", verbose=True, box={"env": env})[1:])
    same(len(loud) > len(b"".join(place.run("true")[1:])), True, loud)


@row("Command line", "with no command: how it is used, and status 1", "t d c")
def line_nothing(place):
    if place.init.name == "reeve":
        raise NotThere("runs then, and waits for what is asked of it by D-Bus")
    status, out, err = place.finish(place.box(place.init.words(), stdout=-1, stderr=-1))
    same((status != 0, b"sage" in out + err), (True, True))


@row("Command line", "with no command: holds the namespace until SIGTERM or SIGINT (-P)", "c")
def line_pause(place):
    for number in (signal.SIGTERM, signal.SIGINT):
        box = place.box(place.init.words(pause=True))
        # Until it has blocked them it has no disposition for them, as PID 1, and they are dropped.
        place.eventually(lambda b=box, bit=1 << number - 1: place.is_init(b.pid) and int(_status(b.pid, "SigBlk"), 16) & bit,
                         "it has set its signals up")
        os.kill(box.pid, number)
        same(place.end(box), 0)


@row("Command line", "its licence (-l)", "t c")
def line_licence(place):
    if place.init.name == "reeve":
        raise NotThere("it is in the package")
    option = {"tini": "-l", "catatonit": "-L"}.get(place.init.name)
    if not option:
        raise NotThere("no such option")
    status, out, err = place.finish(place.box([*place.init.words(), option], stdout=-1, stderr=-1))
    same((status, b"icense" in out + err or b"ermission" in out + err), (0, True))


def _status(pid, key):
    for line in read_file(f"/proc/{pid}/status", "").splitlines():
        if line.startswith(key + ":"):
            return line.split()[1]
    return "0"
