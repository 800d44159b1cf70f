/*
 * What the box tests run inside of the box, where a shell would be too slow, too polite, or too clever: one
 * static program, one verb a behaviour. Raw system calls where libc would keep us from what is to be tested
 * (signals 32 and 33 are its own).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
        dprintf(2, "payload: %s: %s\n", what, strerror(errno));
        _exit(99);
}

static void nap(unsigned msec)
{
        struct timespec ts = {.tv_sec = msec / 1000, .tv_nsec = (msec % 1000) * 1000000L};
        while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
                ;
}

/* A machine that has no pid left for a moment is waited for. */
static pid_t fork_or_die(void)
{
        for (int i = 0; i < 5000; i++) {
                pid_t pid = fork();
                if (pid >= 0)
                        return pid;
                nap(1);
        }
        die("fork");
        return -1;
}

static void sleep_forever(void)
{
        for (;;)
                pause();
}

static void write_all(int fd, const void *data, size_t n)
{
        const char *p = data;
        while (n > 0) {
                ssize_t k = write(fd, p, n);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        die("write");
                p += k;
                n -= k;
        }
}

static void ignore(int sig)
{
        struct sigaction sa = {.sa_handler = SIG_IGN};
        sigaction(sig, &sa, NULL);
}

static void ignore_polite_signals(void)
{
        for (int sig = 1; sig <= 31; sig++)
                if (sig != SIGCHLD)
                        ignore(sig);
        for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
                ignore(sig);
}

/* args ARG...: the arguments exactly, each with its NUL. */
static int verb_args(int argc, char **argv)
{
        for (int i = 0; i < argc; i++)
                write_all(1, argv[i], strlen(argv[i]) + 1);
        return 0;
}

/* raise SIGNAL: sends it to itself; 42 when that did not end it. */
static int verb_raise(int argc, char **argv)
{
        int sig = atoi(argv[0]);
        syscall(SYS_kill, syscall(SYS_getpid), sig);
        nap(10);
        return 42;
}

/* orphans N [CODE]: N children that all end in the moment in which their parent does. */
static int verb_orphans(int argc, char **argv)
{
        int n = atoi(argv[0]), code = argc > 1 ? atoi(argv[1]) : 0, fds[2];

        if (pipe(fds) < 0)
                die("pipe");
        for (int i = 0; i < n; i++)
                if (fork_or_die() == 0) {
                        char c;
                        close(fds[1]);
                        close(1);
                        close(2);
                        (void) !read(fds[0], &c, 1);
                        _exit(i & 0x7f);
                }
        _exit(code);
}

/* spray N CODE MSEC: N double-forked orphans that end at random moments of the next MSEC; then the leader
 * with CODE. */
static int verb_spray(int argc, char **argv)
{
        int n = atoi(argv[0]), code = atoi(argv[1]), msec = atoi(argv[2]);

        srand(getpid());
        for (int i = 0; i < n; i++) {
                unsigned wait = rand() % (msec + 1);
                pid_t pid = fork_or_die();
                if (pid == 0) {
                        if (fork_or_die() == 0) {
                                close(1);
                                close(2);
                                nap(wait);
                                _exit((i * 7) & 0xff);
                        }
                        _exit(0);
                }
                waitpid(pid, NULL, 0);
        }
        return code;
}

/* pattern N: N bytes in lines of 16, each line its own number; so every byte tells where it stood. */
static int verb_pattern(int argc, char **argv)
{
        uint64_t n = strtoull(argv[0], NULL, 10), line = 0;
        static char buf[1 << 16];

        while (n > 0) {
                size_t size = n < sizeof(buf) ? n : sizeof(buf);
                for (size_t i = 0; i < sizeof(buf); i += 16, line++) {
                        uint64_t v = line;
                        for (int d = 14; d >= 0; d--, v /= 10)
                                buf[i + d] = '0' + v % 10;
                        buf[i + 15] = '\n';
                }
                write_all(1, buf, size);
                n -= size;
        }
        return 0;
}

/* blob N: N bytes and never a newline. */
static int verb_blob(int argc, char **argv)
{
        uint64_t n = strtoull(argv[0], NULL, 10);
        static char buf[1 << 16];

        memset(buf, 'x', sizeof(buf));
        while (n > 0) {
                size_t size = n < sizeof(buf) ? n : sizeof(buf);
                write_all(1, buf, size);
                n -= size;
        }
        return 0;
}

/* flood: lines on both streams until it is killed. */
static int verb_flood(int argc, char **argv)
{
        static char buf[4096];

        memset(buf, 'f', sizeof(buf));
        for (size_t i = 99; i < sizeof(buf); i += 100)
                buf[i] = '\n';
        for (;;) {
                write_all(1, buf, sizeof(buf));
                write_all(2, buf, sizeof(buf));
        }
        return 0;
}

/* hold HOW MSEC [CODE]: leaves a child with stdout and stderr open for MSEC, and ends at once with CODE.
 * HOW: plain, setsid, double, ignore (setsid, and deaf to every signal that can be ignored). */
static int verb_hold(int argc, char **argv)
{
        const char *how = argv[0];
        int msec = atoi(argv[1]), code = argc > 2 ? atoi(argv[2]) : 0, fds[2];
        char c;

        if (pipe(fds) < 0)
                die("pipe");
        if (fork_or_die() == 0) {
                if (strcmp(how, "plain") != 0)
                        setsid();
                if (strcmp(how, "double") == 0 && fork_or_die() > 0)
                        _exit(0);
                if (strcmp(how, "ignore") == 0)
                        ignore_polite_signals();
                close(fds[0]);
                write_all(fds[1], "x", 1);
                close(fds[1]);
                nap(msec);
                write_all(1, "held\n", 5);
                _exit(0);
        }
        close(fds[1]);
        if (read(fds[0], &c, 1) != 1)
                die("read");
        write_all(1, "left\n", 5);
        return code;
}

/* deaf [MSEC]: says "ready", and takes no notice of any signal; leaves after MSEC, or never. */
static int verb_deaf(int argc, char **argv)
{
        ignore_polite_signals();
        write_all(1, "ready\n", 6);
        if (argc > 0) {
                nap(atoi(argv[0]));
                return 0;
        }
        sleep_forever();
        return 0;
}

static int on_term_code;
static void on_term(int sig)
{
        write_all(1, "term\n", 5);
        _exit(on_term_code);
}

/* on-term CODE: says "ready"; on SIGTERM says "term" and ends with CODE. */
static int verb_on_term(int argc, char **argv)
{
        struct sigaction sa = {.sa_handler = on_term};

        on_term_code = atoi(argv[0]);
        sigaction(SIGTERM, &sa, NULL);
        write_all(1, "ready\n", 6);
        sleep_forever();
        return 0;
}

/* dribble MSEC HEX...: the bytes, one write each, MSEC apart. */
static int verb_dribble(int argc, char **argv)
{
        for (int i = 1; i < argc; i++) {
                unsigned char c = strtoul(argv[i], NULL, 16);
                write_all(1, &c, 1);
                if (i + 1 < argc)
                        nap(atoi(argv[0]));
        }
        return 0;
}

/* runaway WIDTH [MSEC]: WIDTH chains of processes, each of which forks, leaves its session and ends, after
 * MSEC: no pid of them is true for longer than a moment. Deaf. Says "ready" once they run. The leader stays.
 */
static int verb_runaway(int argc, char **argv)
{
        int width = atoi(argv[0]);

        ignore_polite_signals();
        for (int i = 0; i < width; i++)
                if (fork_or_die() == 0) {
                        close(1);
                        close(2);
                        ignore(SIGCHLD);
                        for (;;) {
                                pid_t pid = fork();
                                if (pid > 0)
                                        _exit(0);
                                if (pid == 0)
                                        setsid();
                                if (pid < 0 || argc > 1)
                                        nap(pid < 0 ? 1 : atoi(argv[1]));
                        }
                }
        write_all(1, "ready\n", 6);
        sleep_forever();
        return 0;
}

/* bomb LIMIT: a tree of processes that doubles until LIMIT were made. Deaf. */
static int verb_bomb(int argc, char **argv)
{
        int limit = atoi(argv[0]);
        int *made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        ignore_polite_signals();
        if (made == MAP_FAILED)
                die("mmap");
        *made = 1;
        for (;;) {
                if (__atomic_fetch_add(made, 1, __ATOMIC_RELAXED) >= limit)
                        break;
                if (fork() < 0)
                        nap(1);
        }
        write_all(1, "ready\n", 6);
        sleep_forever();
        return 0;
}

/* kill-all SIGNAL: to everything that can be reached. */
static int verb_kill_all(int argc, char **argv)
{
        return kill(-1, atoi(argv[0])) < 0 ? 1 : 0;
}

/* spin MSEC: burns that much CPU in a child, that is dead when the leader ends. */
static int verb_spin(int argc, char **argv)
{
        int msec = atoi(argv[0]);
        pid_t pid = fork_or_die();

        if (pid == 0) {
                struct timespec ts;
                do
                        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
                while (ts.tv_sec * 1000 + ts.tv_nsec / 1000000 < msec);
                _exit(0);
        }
        waitpid(pid, NULL, 0);
        return 0;
}

/* inherit BLOCK IGNORE FD COMMAND...: leaves a command what a careless parent leaves: blocked signals (1:
 * all), ignored ones (1: all), a stray descriptor FD (0: none), an odd umask and nice value stay as they
 * are. */
static int verb_inherit(int argc, char **argv)
{
        if (atoi(argv[0])) {
                uint64_t all = ~UINT64_C(0);
                syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
        }
        if (atoi(argv[1])) {
                ignore_polite_signals();
                ignore(SIGCHLD);
        }
        if (atoi(argv[2]) > 0 && dup2(open("/dev/null", O_RDWR), atoi(argv[2])) < 0)
                die("dup2");
        execv(argv[3], argv + 3);
        die(argv[3]);
        return 0;
}

/* fds: the numbers of the open descriptors, in a line. */
static int verb_fds(int argc, char **argv)
{
        for (int fd = 0; fd < 4096; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                        printf("%d ", fd);
        printf("\n");
        return 0;
}

/* tree N: N children that sleep; says "ready" when they are there. Takes its leave on any signal. */
static int verb_tree(int argc, char **argv)
{
        for (int i = 0; i < atoi(argv[0]); i++)
                if (fork_or_die() == 0)
                        sleep_forever();
        write_all(1, "ready\n", 6);
        sleep_forever();
        return 0;
}

/* both N: N bytes on each stream, 'o' and 'e', alternating in blocks of 1000. */
static int verb_both(int argc, char **argv)
{
        char o[1000], e[1000];

        memset(o, 'o', sizeof(o));
        memset(e, 'e', sizeof(e));
        o[999] = e[999] = '\n';
        for (long n = atol(argv[0]); n > 0; n -= 1000) {
                write_all(1, o, n < 1000 ? n : 1000);
                write_all(2, e, n < 1000 ? n : 1000);
        }
        return 0;
}

static const struct {
        const char *name;
        int min;
        int (*run)(int argc, char **argv);
} verbs[] = {
                {"args", 0, verb_args},       {"raise", 1, verb_raise},       {"orphans", 1, verb_orphans},
                {"spray", 3, verb_spray},     {"pattern", 1, verb_pattern},   {"blob", 1, verb_blob},
                {"flood", 0, verb_flood},     {"hold", 2, verb_hold},         {"deaf", 0, verb_deaf},
                {"on-term", 1, verb_on_term}, {"dribble", 2, verb_dribble},   {"runaway", 1, verb_runaway},
                {"bomb", 1, verb_bomb},       {"kill-all", 1, verb_kill_all}, {"spin", 1, verb_spin},
                {"inherit", 4, verb_inherit}, {"fds", 0, verb_fds},           {"tree", 1, verb_tree},
                {"both", 1, verb_both},
};

int main(int argc, char **argv)
{
        for (size_t i = 0; argc >= 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
                if (strcmp(argv[1], verbs[i].name) == 0 && argc - 2 >= verbs[i].min)
                        return verbs[i].run(argc - 2, argv + 2);
        dprintf(2, "payload: unknown verb or too few arguments\n");
        return 98;
}
