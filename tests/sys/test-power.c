/* The end of a machine, as far as it can be seen without ending one: what is mounted, and that nothing that
 * hangs is waited for. The rest is for the tests in virtual machines. */

#include "sys/power.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "rig.h"
#include "sys/clock.h"
#include "sys/mount-list.h"

START_TEST(mount_table)
{
        static const char text[] =
                        "22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=remount-ro\n"
                        "23 22 0:22 / /proc rw,nosuid - proc proc rw\n"
                        "24 22 8:1 / /mnt/a\\040b\\134 ro,relatime shared:2 master:3 - xfs /dev/sdb rw\n"
                        "25 22 8:1 / /mnt/c rw,relatime - xfs /dev/sdb ro\n"
                        "26 22 0:30 / /rom/ro ronly - nfs4 host:/x rom\n"
                        "nonsense\n"
                        "27 22 0:31 /\n"
                        "28 22 0:31 / /x rw - \n";
        static const Mount expected[] = {{(char *) "/", (char *) "ext4", false},
                                         {(char *) "/proc", (char *) "proc", false},
                                         {(char *) "/mnt/a b\\", (char *) "xfs", true},
                                         {(char *) "/mnt/c", (char *) "xfs", true},
                                         {(char *) "/rom/ro", (char *) "nfs4", false}};
        MountList l;

        ck_assert_int_eq(mount_list_parse(text, &l), 0);
        ck_assert_uint_eq(l.n, ELEMENTSOF(expected));
        for (size_t i = 0; i < l.n; i++) {
                ck_assert_str_eq(l.mounts[i].path, expected[i].path);
                ck_assert_str_eq(l.mounts[i].type, expected[i].type);
                ck_assert_int_eq(l.mounts[i].read_only, expected[i].read_only);
        }
        mount_list_done(&l);
        ck_assert_int_eq(mount_list_parse("", &l), 0);
        ck_assert_uint_eq(l.n, 0);
        mount_list_done(&l);
}
END_TEST

START_TEST(mounts_of_ours)
{
        bool proc = false;
        MountList l;

        ck_assert_int_eq(mount_list_read(&l), 0);
        ck_assert_uint_gt(l.n, 0);
        for (size_t i = 0; i < l.n; i++)
                proc = proc ||
                       (strcmp(l.mounts[i].path, "/proc") == 0 && strcmp(l.mounts[i].type, "proc") == 0);
        ck_assert(proc);
        mount_list_done(&l);
}
END_TEST

static void write_byte(void *data)
{
        ck_assert_int_eq(write(*(int *) data, "x", 1), 1);
}

static void hang(void *data)
{
        write_byte(data);
        for (;;)
                pause();
}

/* As PID 1 has it: SIGCHLD blocked, and others that end meanwhile. */
static int run_child(void *data)
{
        usec_t begun = clock_monotonic();
        int fds[2];
        sigset_t set;
        char c;

        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        RIG_CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0);
        if (fork() == 0)
                _exit(0); /* a zombie that is nobody's */
        RIG_CHECK(power_run(write_byte, &fds[1], 600 * USEC_PER_SEC) == 0);
        RIG_CHECK(read(fds[0], &c, 1) == 1 && c == 'x');

        /* It has so much time and no more. */
        RIG_CHECK(power_run(hang, &fds[1], 2 * USEC_PER_SEC) == -ETIMEDOUT);
        RIG_CHECK(clock_monotonic() - begun >= 2 * USEC_PER_SEC);
        RIG_CHECK(power_run(hang, &fds[1], 0) == -ETIMEDOUT);
        RIG_CHECK(kill(0, SIGKILL) == 0); /* our process group, ourselves too */
        return 1;
}

static void take_a_while(void *data)
{
        (void) nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
}

/* Where reeve has not come to block it: the end of the child is what is waited for, not that of the limit.
 */
static int run_unblocked(void *data)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGCHLD);
        RIG_CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
        RIG_CHECK(power_run(take_a_while, NULL, 600 * USEC_PER_SEC) == 0);
        return 0;
}

static int run_in_group(void *data)
{
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                RIG_CHECK(setpgid(0, 0) == 0);
                _exit(run_child(NULL));
        }
        RIG_CHECK(waitpid(pid, &status, 0) == pid);
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : 1;
}

START_TEST(nobody_is_waited_for_too_long)
{
        ck_assert_int_eq(rig_in_child(run_in_group, NULL), 0);
}
END_TEST

START_TEST(a_child_that_ends_is_heard_of)
{
        ck_assert_int_eq(rig_in_child(run_unblocked, NULL), 0);
}
END_TEST

TEST_MAIN("power", a_child_that_ends_is_heard_of, mount_table, mounts_of_ours, nobody_is_waited_for_too_long)
