/*
 * What is left of an init when its event loop is gone. Everybody is told to end, has three quarters of the
 * limit for that, as in any other stop, and is reaped; then what is left is killed. A further order to stop
 * kills at once.
 *
 * The sockets are closed first: callers are to learn at once that nobody answers any more, and what waits
 * for our end of one (a Tee's process) ends. The pipes and terminals stay open, and what comes out of them
 * is read and thrown away, for a job that says its farewell into a full pipe would never come to its end.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys/crash-internal.h"

#define DEPTH_MAX 32 /* of descendants */
#define TERMINAL_MAJOR 5
#define TERMINAL_MINOR 2 /* /dev/ptmx: a master */

/* linux/dirent.h has it for the kernel alone. */
typedef struct DirectoryEntry {
        uint64_t inode;
        int64_t offset;
        uint16_t size;
        uint8_t type;
        char name[];
} DirectoryEntry;

typedef struct Stop {
        bool is_pid1, killing;
        usec_t kill_at, end_at;
        int epoll, signals; /* -1: none */
        sigset_t set;       /* that we wait for */
} Stop;

static usec_t now(void)
{
        struct timespec ts;

        if (clock_gettime(CLOCK_MONOTONIC, &ts) < 0)
                return 0;
        return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / NSEC_PER_USEC;
}

static int number_of(const char *s)
{
        int n = 0;

        if (!*s)
                return -1;
        for (; *s; s++) {
                if (*s < '0' || *s > '9' || n > INT_MAX / 10 - 1)
                        return -1;
                n = 10 * n + (*s - '0');
        }
        return n;
}

/* Calls f for each entry of a folder of /proc whose name is a number. */
static void for_each_number(const char *folder, void (*f)(int number, void *data), void *data)
{
        char buffer[1024] __attribute__((aligned(8)));
        long n;
        int fd;

        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return;
        while ((n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
                for (long at = 0; at < n;) {
                        const DirectoryEntry *entry = (const void *) (buffer + at);
                        int number = number_of(entry->name);

                        if (number >= 0)
                                f(number, data);
                        at += entry->size;
                }
        (void) close(fd);
}

static void sort_out_fd(int fd, void *data)
{
        Stop *s = data;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        struct stat st, log;

        if (fd <= STDERR_FILENO || fd == s->epoll || fd == s->signals || fstat(fd, &st) < 0)
                return;
        if (S_ISSOCK(st.st_mode)) {
                /* Unless it is the log: a copy of stderr. */
                if (fstat(STDERR_FILENO, &log) < 0 || st.st_ino != log.st_ino || st.st_dev != log.st_dev)
                        (void) close(fd);
        } else if (S_ISFIFO(st.st_mode) ||
                   (S_ISCHR(st.st_mode) && st.st_rdev == makedev(TERMINAL_MAJOR, TERMINAL_MINOR))) {
                (void) epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event);
        }
}

typedef struct Descent {
        char folder[64]; /* "/proc/PID/task" */
        int sig;
        unsigned depth;
} Descent;

static void signal_children(pid_t pid, int sig, unsigned depth);

static void signal_child(pid_t pid, int sig, unsigned depth)
{
        signal_children(pid, sig, depth + 1);
        (void) kill(pid, sig);
}

/* The file lists them in decimal, a space after each. */
static void signal_children_of_thread(int thread, void *data)
{
        const Descent *d = data;
        CrashLine path = {0};
        char buffer[256];
        pid_t pid = 0;
        ssize_t n;
        int fd;

        crash_line_add(&path, d->folder);
        crash_line_add(&path, "/");
        crash_line_add_number(&path, thread);
        crash_line_add(&path, "/children");
        fd = open(path.text, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return;
        while ((n = read(fd, buffer, sizeof(buffer))) > 0)
                for (ssize_t i = 0; i < n; i++)
                        if (buffer[i] >= '0' && buffer[i] <= '9') {
                                pid = 10 * pid + (buffer[i] - '0');
                        } else if (pid > 0) {
                                signal_child(pid, d->sig, d->depth);
                                pid = 0;
                        }
        (void) close(fd);
}

/* All that descend from a process, the youngest first: so nobody is missed for having lost his parent. */
static void signal_children(pid_t pid, int sig, unsigned depth)
{
        Descent d = {.sig = sig, .depth = depth};
        CrashLine path = {0};

        if (depth >= DEPTH_MAX)
                return;
        crash_line_add(&path, "/proc/");
        crash_line_add_number(&path, pid);
        crash_line_add(&path, "/task");
        memcpy(d.folder, path.text, path.n);
        for_each_number(d.folder, signal_children_of_thread, &d);
}

static void signal_all(const Stop *s, int sig)
{
        if (s->is_pid1)
                (void) kill(-1, sig);
        else
                signal_children(getpid(), sig, 0);
}

/* Whether there is still a child. */
static bool reap(void)
{
        siginfo_t si;

        for (;;) {
                si.si_pid = 0;
                if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG) >= 0) {
                        if (si.si_pid == 0)
                                return true;
                } else if (errno != EINTR) {
                        return errno != ECHILD;
                }
        }
}

static void kill_soon(Stop *s)
{
        s->kill_at = 0;
}

/* From the terminal, or by who may give us orders. */
static void on_signal(Stop *s, int sig, int code, pid_t sender)
{
        if (sig != SIGCHLD && crash_is_meant(sig, code, sender))
                kill_soon(s);
}

static void read_signals(Stop *s)
{
        struct signalfd_siginfo info;

        while (read(s->signals, &info, sizeof(info)) == (ssize_t) sizeof(info))
                on_signal(s, (int) info.ssi_signo, info.ssi_code, (pid_t) info.ssi_pid);
}

static void throw_away(const Stop *s, int fd)
{
        static char buffer[65536];

        if (read(fd, buffer, sizeof(buffer)) <= 0 && errno != EAGAIN && errno != EINTR)
                (void) epoll_ctl(s->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static void wait_for_epoll(Stop *s, usec_t span)
{
        struct epoll_event events[16];
        usec_t msec = span / USEC_PER_MSEC + 1;
        int n;

        n = epoll_wait(s->epoll, events, ELEMENTSOF(events), msec > INT_MAX ? INT_MAX : (int) msec);
        for (int i = 0; i < n; i++)
                if (events[i].data.fd == s->signals)
                        read_signals(s);
                else
                        throw_away(s, events[i].data.fd);
}

/* Where there are no descriptors. */
static void wait_for_signal(Stop *s, usec_t span)
{
        const struct timespec ts = {
                        .tv_sec = (time_t) MIN(span / USEC_PER_SEC, (usec_t) INT_MAX),
                        .tv_nsec = (long) (span % USEC_PER_SEC * NSEC_PER_USEC),
        };
        siginfo_t si;
        int sig;

        sig = sigtimedwait(&s->set, &si, &ts);
        if (sig > 0)
                on_signal(s, sig, si.si_code, si.si_pid);
}

static void stop_loop(Stop *s)
{
        CrashLine l = {0};
        usec_t at;

        while (reap()) {
                at = now();
                if (crash_is_urgent())
                        kill_soon(s);
                if (!s->killing && at >= s->kill_at) {
                        s->killing = true;
                        crash_line_add(&l, "    killing what is left");
                        crash_line_say(&l);
                }
                if (at >= s->end_at)
                        return;
                if (s->killing)
                        signal_all(s, SIGKILL);
                at = (s->killing ? s->end_at : s->kill_at) - at;
                if (s->epoll >= 0)
                        wait_for_epoll(s, at);
                else
                        wait_for_signal(s, at);
        }
}

/* What to wait for besides the clock: the end of children, and orders to stop. Those that were not read yet
 * have what they asked for. */
static void stop_prepare(Stop *s)
{
        const int signals[] = {SIGCHLD, SIGTERM, SIGINT, SIGPWR, SIGRTMIN + 3, SIGRTMIN + 4, SIGRTMIN + 5};
        const struct timespec no_time = {0};
        struct epoll_event event = {.events = EPOLLIN};

        (void) sigemptyset(&s->set);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) sigaddset(&s->set, signals[i]);
        (void) sigprocmask(SIG_BLOCK, &s->set, NULL);
        while (sigtimedwait(&s->set, NULL, &no_time) > 0)
                ;

        for_each_number("/proc/self/fd", sort_out_fd,
                        s); /* without an epoll: so that there is room for it */
        s->signals = signalfd(-1, &s->set, SFD_CLOEXEC | SFD_NONBLOCK);
        s->epoll = epoll_create1(EPOLL_CLOEXEC);
        event.data.fd = s->signals;
        if (s->signals < 0 || s->epoll < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->signals, &event) < 0) {
                s->epoll = -1;
                return;
        }
        for_each_number("/proc/self/fd", sort_out_fd, s);
}

void crash_stop(bool is_pid1, usec_t limit)
{
        Stop s = {.is_pid1 = is_pid1, .epoll = -1, .signals = -1};

        s.kill_at = usec_add(now(), limit / 8 * 6);
        s.end_at = usec_add(now(), limit);
        stop_prepare(&s);
        signal_all(&s, SIGTERM);
        signal_all(&s, SIGCONT);
        stop_loop(&s);
}
