/* Faults of our own, each in a child that has the handler, with its stderr in a pipe. */

#include "sys/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "rig.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define CAN_CRASH false
#else
#define CAN_CRASH true
#endif

#define NOT_SOON (600 * USEC_PER_SEC)

/* How a child ended in which f was run, and what it said; for free(). */
static ProcessEnd crash_of(void (*f)(void), usec_t limit, char **ret_said)
{
        ProcessEnd end;
        int fds[2];
        pid_t pid;

        fflush(NULL);
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                sigset_t set;

                /* As boot_cure() leaves them, and without what Check does on SIGTERM. */
                signal(SIGTERM, SIG_DFL);
                sigemptyset(&set);
                sigaddset(&set, SIGTERM);
                sigprocmask(SIG_BLOCK, &set, NULL);
                alarm(2 * RIG_LIMIT_MSEC / 1000);
                RIG_CHECK(dup2(fds[1], STDERR_FILENO) == STDERR_FILENO && log_open(STDERR_FILENO) == 0);
                close(fds[0]);
                close(fds[1]);
                crash_install(false, limit);
                f();
                _exit(1);
        }
        fd_close(fds[1]);
        *ret_said = rig_read_all(fds[0], NULL);
        fd_close(fds[0]);
        end = rig_reap(pid);
        return end;
}

static void assert_says(const char *said, const char *what)
{
        if (!strstr(said, what))
                ck_abort_msg("\"%s\" is not in:\n%s", what, said);
}

static unsigned count(const char *said, const char *what)
{
        unsigned n = 0;

        for (; (said = strstr(said, what)); said += strlen(what))
                n++;
        return n;
}

static volatile int *volatile nowhere = NULL;

/* Keeps a call from being the last thing that a function does. */
#define NOT_LAST() __asm__ volatile("" ::: "memory")

static __attribute__((noinline)) int third(void)
{
        NOT_LAST();
        return *nowhere;
}

static __attribute__((noinline)) int second(void)
{
        int r = third();

        NOT_LAST();
        return r;
}

static __attribute__((noinline)) int first(void)
{
        int r = second();

        NOT_LAST();
        return r;
}

static void reads_nothing(void)
{
        (void) first();
        NOT_LAST();
}

START_TEST(segv)
{
        char *said;
        ProcessEnd end = crash_of(reads_nothing, NOT_SOON, &said);

        ck_assert_int_eq(end.exit_code, CRASH_EXIT_STATUS);
        assert_says(said, "reeve: Crash: SIGSEGV (code 1) at the address 0x0\n");
        assert_says(said, "version " REEVE_VERSION ", build id ");
        assert_says(said, "reeve:     at reeve+0x");
#if defined(__x86_64__) || defined(__aarch64__)
        /* second() or not, since it calls a function without a frame, first(), reads_nothing(), crash_of().
         */
        assert_says(said, "from reeve+0x");
        if (count(said, "called from reeve+0x") < 3)
                ck_abort_msg("no way back in:\n%s", said);
#endif
        free(said);
}
END_TEST

static void aborts(void)
{
        abort();
}

START_TEST(abort_is_one)
{
        char *said;
        ProcessEnd end = crash_of(aborts, NOT_SOON, &said);

        ck_assert_int_eq(end.exit_code, CRASH_EXIT_STATUS);
        assert_says(said, "reeve: Crash: SIGABRT by reeve itself\n");
        free(said);
}
END_TEST

static void reads_beyond_a_file(void)
{
        int fd = open(rig_file("empty", "", 0600), O_RDONLY | O_CLOEXEC);

        nowhere = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
        RIG_CHECK(nowhere != MAP_FAILED);
        reads_nothing();
}

START_TEST(bus)
{
        char *said;
        ProcessEnd end = crash_of(reads_beyond_a_file, NOT_SOON, &said);

        ck_assert_int_eq(end.exit_code, CRASH_EXIT_STATUS);
        assert_says(said, "reeve: Crash: SIGBUS (code 2) at the address 0x");
        free(said);
}
END_TEST

static void traps(void)
{
        __builtin_trap();
}

START_TEST(trap)
{
        char *said;
        ProcessEnd end = crash_of(traps, NOT_SOON, &said);

        ck_assert_int_eq(end.exit_code, CRASH_EXIT_STATUS);
        assert_says(said, "reeve: Crash: SIG");
        free(said);
}
END_TEST

static volatile bool enough = false;

static __attribute__((noinline)) int recurses(volatile char *above)
{
        volatile char page[4096];

        page[0] = *above;
        return enough ? 0 : recurses(page) + page[0];
}

static void uses_up_its_stack(void)
{
        const struct rlimit limit = {1 << 20, 1 << 20};
        volatile char c = 1;

        RIG_CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
        (void) recurses(&c);
}

START_TEST(no_stack_left)
{
        char *said;
        ProcessEnd end = crash_of(uses_up_its_stack, NOT_SOON, &said);

        ck_assert_int_eq(end.exit_code, CRASH_EXIT_STATUS);
        assert_says(said, "reeve: Crash: SIGSEGV");
        assert_says(said, "stopping all that runs");
        free(said);
}
END_TEST

static void has_no_descriptors(void)
{
        const struct rlimit limit = {3, 3};

        RIG_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        if (fork() == 0) {
                RIG_CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
                close(STDERR_FILENO);
                for (;;)
                        pause();
        }
        reads_nothing();
}

/* Not even /proc can be read then, so that nobody can be told; but time passes. */
START_TEST(no_descriptors_left)
{
        char *said;
        ProcessEnd end = crash_of(has_no_descriptors, 200 * USEC_PER_MSEC, &said);

        ck_assert_int_eq(end.exit_code, CRASH_EXIT_STATUS);
        free(said);
}
END_TEST

static void forks_a_child_that_faults(void)
{
        siginfo_t si;
        pid_t pid = fork();

        if (pid == 0)
                reads_nothing();
        RIG_CHECK(waitid(P_PID, (id_t) pid, &si, WEXITED) == 0);
        _exit(si.si_code != CLD_EXITED && si.si_status == SIGSEGV ? 0 : 1);
}

static void forks_a_child_that_is_sent_one(void)
{
        siginfo_t si;
        pid_t pid = fork();

        if (pid == 0)
                for (;;)
                        pause();
        RIG_CHECK(kill(pid, SIGABRT) == 0);
        RIG_CHECK(waitid(P_PID, (id_t) pid, &si, WEXITED) == 0);
        _exit(si.si_code != CLD_EXITED && si.si_status == SIGABRT ? 0 : 1);
}

START_TEST(children_have_none_of_it)
{
        char *said;

        ck_assert_int_eq(crash_of(forks_a_child_that_faults, NOT_SOON, &said).exit_code, 0);
        ck_assert_str_eq(said, "");
        free(said);
        ck_assert_int_eq(crash_of(forks_a_child_that_is_sent_one, NOT_SOON, &said).exit_code, 0);
        ck_assert_str_eq(said, "");
        free(said);
}
END_TEST

static void end_in_another_way(int status)
{
        _exit(status + 1);
}

static void has_another_end(void)
{
        crash_set_end(end_in_another_way);
        reads_nothing();
}

START_TEST(another_end)
{
        char *said;

        ck_assert_int_eq(crash_of(has_another_end, NOT_SOON, &said).exit_code, CRASH_EXIT_STATUS + 1);
        free(said);
}
END_TEST

static void faults_in_the_end(int status)
{
        nowhere = NULL;
        (void) first();
        NOT_LAST();
}

static void has_a_bad_end(void)
{
        crash_set_end(faults_in_the_end);
        reads_nothing();
}

START_TEST(bad_end)
{
        char *said;

        ck_assert_int_eq(crash_of(has_a_bad_end, NOT_SOON, &said).exit_code, CRASH_EXIT_STATUS);
        free(said);
}
END_TEST

static void leaves_a_core(void)
{
        const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

        RIG_CHECK(chdir(rig_folder()) == 0 && setrlimit(RLIMIT_CORE, &limit) == 0);
        reads_nothing();
}

static bool core_is_there(void *data)
{
        char path[4096];
        struct stat st;

        snprintf(path, sizeof(path), "%s/core", rig_folder());
        return stat(path, &st) == 0 && st.st_size > 0;
}

/* Where the kernel writes them to the working directory, under their plain name. */
START_TEST(core)
{
        char *pattern, *said;
        int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY | O_CLOEXEC);

        (void) rig_folder(); /* ours, so that it outlives the child */

        pattern = rig_read_all(fd, NULL);
        fd_close(fd);
        ck_assert_int_eq(crash_of(leaves_a_core, NOT_SOON, &said).exit_code, CRASH_EXIT_STATUS);
        if (strcmp(pattern, "core\n") == 0)
                ck_assert(core_is_there(NULL));
        free(pattern);
        free(said);
}
END_TEST

/* As PID 1: a child with a session of its own, one that has to be killed, and what they leave behind. */
static int pid1_child(void *data)
{
        int fds[2];
        char c;

        RIG_CHECK(getpid() == 1 && pipe2(fds, O_CLOEXEC) == 0);
        signal(SIGTERM, SIG_DFL); /* Check has a handler for it */
        for (int i = 0; i < 3; i++) {
                if (fork() > 0)
                        continue;
                if (i == 0)
                        setsid();
                if (i == 1)
                        signal(SIGTERM, SIG_IGN);
                if (i == 2 && fork() > 0)
                        _exit(0);
                RIG_CHECK(write(fds[1], "x", 1) == 1);
                for (;;)
                        pause();
        }
        for (int i = 0; i < 3; i++)
                RIG_CHECK(read(fds[0], &c, 1) == 1);
        crash_install(true, 400 * USEC_PER_MSEC);
        /* What processes of this namespace send is none. */
        if (fork() == 0) {
                kill(1, SIGSEGV);
                kill(1, SIGABRT);
                _exit(0);
        }
        RIG_CHECK(kill(-1, 0) == 0);
        reads_nothing();
        return 1;
}

START_TEST(as_pid1)
{
        if (rig_has_cgroups())
                ck_assert_int_eq(rig_in_cgroup(true, pid1_child, NULL), CRASH_EXIT_STATUS);
}
END_TEST

RIG_MAIN_IF(CAN_CRASH && !rig_is_emulated(), "crash", segv, abort_is_one, bus, trap, no_stack_left,
            no_descriptors_left, children_have_none_of_it, another_end, bad_end, core, as_pid1)
