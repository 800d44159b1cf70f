/*
 * The handler of our own faults, and which of the signals of that name are any. A handler lifts the kernel's
 * protection of PID 1 for that signal: so what processes of our own PID namespace send is dropped, as the
 * kernel would have dropped it, but noted. What remains is the processor's word (SIGABRT is never that: what
 * looks like it is another's fcntl(F_SETSIG)), abort(3), and kill(2) from outside of the namespace, from
 * beside us and from the main job, where orders come from. Who sent it is known by kill(2) and tgkill(2)
 * alone; with sigqueue(3) the sender says that himself. Not as PID 1 there is no such protection, and every
 * signal is meant.
 *
 * While a signal is looked at, the others wait: a job could send them faster than they are dropped, and use
 * up the stack. In a crash they are let in again, so that a fault of the handler itself does not end it
 * before its time: one in the trace ends the trace, any other ends reeve.
 *
 * Nothing is trusted here but this file's own memory: no heap, no lock, no event loop. A child of ours on
 * its way to exec has this handler, too: there a signal does what it would have done without.
 */

#include "sys/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/log.h"
#include "basic/parse.h"
#include "sys/crash-internal.h"

#define STACK_SIZE (128 * 1024)

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_OWN_HANDLERS true
#else
#define HAS_OWN_HANDLERS false
#endif

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};

/* A handler gets no pointer of ours. */
static struct {
        CrashModules modules;
        void (*end)(int status);
        usec_t limit;
        uintptr_t stack_end;
        pid_t pid;
        bool is_pid1, has_tree;
        char tree[1024]; /* below which init.scope and the scopes of jobs are; "" for the root */
        volatile sig_atomic_t crashing, tracing, urgent, ending;
        sigjmp_buf trace_end;
        char stack[STACK_SIZE] __attribute__((aligned(64)));
} state;

void crash_line_add(CrashLine *l, const char *s)
{
        /* 16: "reeve: ", the newline and some more. */
        while (*s && l->n < sizeof(l->text) - 16)
                l->text[l->n++] = *s++;
}

static void line_add_unsigned(CrashLine *l, uint64_t n, unsigned base)
{
        char digits[24];
        size_t i = sizeof(digits) - 1;

        digits[i] = '\0';
        do
                digits[--i] = "0123456789abcdef"[n % base];
        while ((n /= base) > 0);
        crash_line_add(l, digits + i);
}

void crash_line_add_number(CrashLine *l, int64_t n)
{
        if (n < 0)
                crash_line_add(l, "-");
        line_add_unsigned(l, n < 0 ? 0 - (uint64_t) n : (uint64_t) n, 10);
}

void crash_line_add_hex(CrashLine *l, uintptr_t n)
{
        crash_line_add(l, "0x");
        line_add_unsigned(l, n, 16);
}

void crash_line_say(CrashLine *l)
{
        static const char prefix[] = "reeve: ";
        char text[sizeof(l->text)];
        size_t n = sizeof(prefix) - 1;

        memcpy(text, prefix, n);
        memcpy(text + n, l->text, l->n);
        n += l->n;
        text[n++] = '\n';
        log_raw(text, n);
        l->n = 0;
}

static bool is_sent(int code)
{
        return code <= 0;
}

/* Its place in cgroup2, as /proc/PID/cgroup has it ("0::/path"); in a static buffer. NULL: cannot be told.
 */
static const char *place_of(pid_t pid)
{
        static char text[4096];
        CrashLine path = {0};
        ssize_t n = -1;
        int fd;

        crash_line_add(&path, "/proc/");
        crash_line_add_number(&path, pid);
        crash_line_add(&path, "/cgroup");
        path.text[path.n] = '\0';
        fd = open(path.text, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0) {
                n = read(fd, text, sizeof(text) - 1);
                (void) close(fd);
        }
        if (n <= 0)
                return NULL;
        text[n] = '\0';
        for (char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, "0::", 3) != 0)
                        continue;
                line[strcspn(line, "\n")] = '\0';
                return line + 3;
        }
        return NULL;
}

/* Where orders come from: beside us (podman exec), and from the main job. */
static bool may_order(pid_t pid)
{
        const char *place = state.has_tree ? place_of(pid) : NULL, *rest;
        size_t n = strlen(state.tree);

        if (!place || strncmp(place, state.tree, n) != 0)
                return false;
        rest = place + n;
        return strcmp(rest, "/init.scope") == 0 || strcmp(rest, "/system.slice/main.scope") == 0;
}

void crash_set_tree(const char *path)
{
        size_t n = strlen(path);

        if (n >= sizeof(state.tree))
                return;
        memcpy(state.tree, path, n + 1);
        if (n == 1) /* "/" */
                state.tree[0] = '\0';
        state.has_tree = true;
}

bool crash_is_meant(int sig, int code, pid_t sender)
{
        if (!is_sent(code))
                return sig != SIGABRT;
        if (!state.is_pid1)
                return true;
        return (code == SI_USER || code == SI_TKILL) &&
               (sender == 0 || sender == state.pid || may_order(sender));
}

bool crash_is_urgent(void)
{
        return state.urgent != 0;
}

static void add_signal(CrashLine *l, int sig)
{
        const char *name = signal_name(sig);

        crash_line_add(l, name ? name : "a signal");
}

static void say_dropped(int sig, const siginfo_t *si)
{
        CrashLine l = {0};

        add_signal(&l, sig);
        crash_line_add(&l, " from process ");
        crash_line_add_number(&l, si->si_pid);
        crash_line_add(&l, ": no fault of our own, ignored");
        crash_line_say(&l);
}

static void say_what(int sig, const siginfo_t *si)
{
        CrashLine l = {0};

        crash_line_add(&l, "Crash: ");
        add_signal(&l, sig);
        if (!is_sent(si->si_code)) {
                crash_line_add(&l, " (code ");
                crash_line_add_number(&l, si->si_code);
                crash_line_add(&l, ") at the address ");
                crash_line_add_hex(&l, (uintptr_t) si->si_addr);
        } else if (si->si_pid == state.pid) {
                crash_line_add(&l, " by reeve itself");
        } else {
                crash_line_add(&l, " sent by process ");
                crash_line_add_number(&l, si->si_pid);
                crash_line_add(&l, si->si_pid == 0 ? ", from outside" : "");
        }
        crash_line_say(&l);
        crash_line_add(&l, "    version " REEVE_VERSION ", build id ");
        crash_line_add(&l, state.modules.build_id[0] ? state.modules.build_id : "unknown");
        crash_line_say(&l);
}

static void let_in(void)
{
        sigset_t set;

        (void) sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(crash_signals); i++)
                (void) sigaddset(&set, crash_signals[i]);
        (void) sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* What it would have done without a handler, to this process. */
static void do_default(int sig)
{
        struct sigaction sa = {.sa_handler = SIG_DFL};

        (void) sigaction(sig, &sa, NULL);
        let_in();
        (void) kill((pid_t) syscall(SYS_getpid), sig);
}

/* Where core files are wanted, a copy of us leaves one, as the signal would have done: the copy is not
 * protected as PID 1 is, and is reaped like everybody else. fork(3) would take locks. */
static void leave_core(int sig)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_cur == 0)
                return;
        if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) == 0) {
                do_default(sig);
                _exit(CRASH_EXIT_STATUS);
        }
}

static _noreturn_ void crash_end(void)
{
        if (state.end && !state.ending) {
                state.ending = 1;
                state.end(CRASH_EXIT_STATUS);
        }
        _exit(CRASH_EXIT_STATUS);
}

static _noreturn_ void crash(int sig, const siginfo_t *si, const ucontext_t *context)
{
        CrashLine l = {0};

        state.crashing = 1;
        let_in();
        say_what(sig, si);
        if (sigsetjmp(state.trace_end, 1) == 0) {
                state.tracing = 1;
                crash_trace(&state.modules, context, state.stack_end);
        }
        state.tracing = 0;
        crash_line_add(&l, "    stopping all that runs, then leaving with status ");
        crash_line_add_number(&l, CRASH_EXIT_STATUS);
        crash_line_say(&l);
        leave_core(sig);
        crash_stop(state.is_pid1, state.limit);
        crash_end();
}

static void crash_again(int sig, const siginfo_t *si)
{
        if (!is_sent(si->si_code) && state.tracing)
                siglongjmp(state.trace_end, 1);
        if (is_sent(si->si_code) && si->si_pid != state.pid) {
                state.urgent = 1;
                return;
        }
        crash_end();
}

static void on_signal(int sig, siginfo_t *si, void *context)
{
        int saved = errno;

        if ((pid_t) syscall(SYS_getpid) != state.pid)
                do_default(sig);
        else if (!crash_is_meant(sig, si->si_code, si->si_pid))
                say_dropped(sig, si);
        else if (state.crashing)
                crash_again(sig, si);
        else
                crash(sig, si, context);
        errno = saved;
}

void crash_set_end(void (*end)(int status))
{
        state.end = end;
}

void crash_install(bool is_pid1, usec_t limit)
{
        stack_t stack = {.ss_sp = state.stack, .ss_size = sizeof(state.stack)};
        struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

        if (HAS_OWN_HANDLERS)
                return;
        crash_modules_find(&state.modules);
        state.is_pid1 = is_pid1;
        state.limit = limit;
        state.pid = getpid();
        /* Our own frame, and the address in main() that we return to. */
        state.stack_end = (uintptr_t) __builtin_frame_address(0) + 2 * sizeof(uintptr_t);
        if (sigaltstack(&stack, NULL) < 0)
                return;
        (void) sigemptyset(&sa.sa_mask);
        for (size_t i = 0; i < ELEMENTSOF(crash_signals); i++)
                (void) sigaddset(&sa.sa_mask, crash_signals[i]);
        for (size_t i = 0; i < ELEMENTSOF(crash_signals); i++)
                (void) sigaction(crash_signals[i], &sa, NULL);
}
