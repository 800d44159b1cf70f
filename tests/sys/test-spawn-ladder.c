/* The ways to clone: what makes spawn() go down the ladder, what does not, and how the status comes back. */

#include "sys/spawn.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "basic/fd.h"
#include "spawn-rig.h"
#include "sys/stdio.h"

/* Answers ENOSYS or so to clone3, and to clone with CLONE_PIDFD. */
typedef struct Refusal {
        int clone3_error, clone_error;
        const char *method;
} Refusal;

static int under_seccomp(void *data)
{
        const Refusal *refusal = data;
        struct sock_filter filter[] = {
                        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) refusal->clone3_error),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
                        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
                        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_PIDFD, 0, 1),
                        BPF_STMT(BPF_RET | BPF_K,
                                 refusal->clone_error ? SECCOMP_RET_ERRNO | (unsigned) refusal->clone_error
                                                      : SECCOMP_RET_ALLOW),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = ELEMENTSOF(filter), .filter = filter};
        SpawnParameters p = rig_parameters(ARGV("true"));

        RIG_CHECK(spawn_set_method("clone3") == 0);
        RIG_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        RIG_CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
        for (int i = 0; i < 3; i++) {
                SpawnFailure failure;
                PidRef child;

                RIG_CHECK(rig_start(&p, &child, &failure) == 0);
                RIG_CHECK(child.fd >= 0);
                RIG_CHECK(rig_reap(child.pid).exit_code == 0);
                RIG_CHECK(streq(spawn_method(), refusal->method));
                pidref_done(&child);
        }
        return 0;
}

START_TEST(ladder_goes_down)
{
        Refusal refusals[] = {
                        {ENOSYS, 0, "clone"},    {EPERM, 0, "clone"},      {EPERM, EPERM, "fork"},
                        {ENOSYS, EPERM, "fork"}, {ENOSYS, ENOSYS, "fork"},
        };

        if (rig_is_emulated())
                return;
        for (size_t i = 0; i < ELEMENTSOF(refusals); i++)
                ck_assert_int_eq(rig_in_child(under_seccomp, &refusals[i]), 0);
}
END_TEST

/* No more processes is an answer, not a reason to try in another way. */
static int no_more_processes(void *data)
{
        SpawnParameters p = rig_parameters(ARGV("true"));
        struct rlimit none = {0, 0};
        PidRef child = PIDREF_NULL;
        int status = -7;

        RIG_CHECK(setrlimit(RLIMIT_NPROC, &none) == 0);
        RIG_CHECK(setresuid(4242, 4242, 4242) == 0);
        RIG_CHECK(spawn_set_method("clone3") == 0);
        RIG_CHECK(spawn(&p, &child, &status) == -EAGAIN);
        RIG_CHECK(streq(spawn_method(), "clone3"));
        RIG_CHECK(status == -7 && child.pid == 0);
        return 0;
}

static int no_more_descriptors(void *data)
{
        SpawnParameters p = rig_parameters(ARGV("true"));
        struct rlimit few = {3, 3};
        PidRef child = PIDREF_NULL;
        int status = -7;

        RIG_CHECK(syscall(SYS_close_range, 3U, ~0U, 0) == 0);
        RIG_CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
        RIG_CHECK(spawn(&p, &child, &status) == -EMFILE);
        RIG_CHECK(status == -7);
        return 0;
}

START_TEST(no_child_is_told)
{
        if (rig_is_emulated())
                return;
        ck_assert_int_eq(rig_in_child(no_more_processes, NULL), 0);
        ck_assert_int_eq(rig_in_child(no_more_descriptors, NULL), 0);
}
END_TEST

/* A record is whole or it is none. */
START_TEST(status_is_read_with_care)
{
        SpawnFailure failure = {.step = SPAWN_CHDIR, .error = 2}, got;
        int fds[2];

        memset(failure.detail, 'x', sizeof(failure.detail));
        ck_assert_int_eq(stdio_output_pipe(fds), 0);
        ck_assert_int_eq(spawn_read_status(fds[0], &got), -EAGAIN);
        ck_assert_int_eq(write(fds[1], &failure, sizeof(failure)), sizeof(failure));
        ck_assert_int_eq(spawn_read_status(fds[0], &got), 1);
        ck_assert_int_eq(got.step, SPAWN_CHDIR);
        ck_assert_uint_eq(strlen(got.detail), SPAWN_DETAIL_MAX - 1);
        failure.step = _SPAWN_STEP_MAX;
        ck_assert_int_eq(write(fds[1], &failure, sizeof(failure)), sizeof(failure));
        ck_assert_int_eq(spawn_read_status(fds[0], &got), -EBADMSG);
        ck_assert_int_eq(write(fds[1], "short", 5), 5);
        ck_assert_int_eq(spawn_read_status(fds[0], &got), -EBADMSG);
        fd_close(fds[1]);
        ck_assert_int_eq(spawn_read_status(fds[0], &got), 0);
        fd_close(fds[0]);
}
END_TEST

static int into_a_cgroup(void *data)
{
        const char *method = data;
        SpawnParameters p = rig_parameters(ARGV(PROBE, "state"));
        char *output;

        RIG_CHECK(spawn_set_method(method) == 0);
        RIG_CHECK(mkdir("/sys/fs/cgroup/here", 0755) == 0);
        p.cgroup_fd = open("/sys/fs/cgroup/here", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        output = rig_state(&p);
        RIG_CHECK(streq(rig_line(output, "0::"), "/here"));
        free(output);
        RIG_CHECK(streq(spawn_method(), method));

        /* A cgroup that is gone: the child tells, or the clone does. */
        SpawnFailure failure = {0};
        PidRef child;

        RIG_CHECK(rmdir("/sys/fs/cgroup/here") == 0);
        RIG_CHECK(rig_start(&p, &child, &failure) == ENOENT);
        RIG_CHECK(failure.step == (streq(method, "clone3") ? SPAWN_CLONE : SPAWN_CGROUP));
        RIG_CHECK(streq(spawn_method(), method));
        fd_close(p.cgroup_fd);

        /* What is no cgroup at all is refused by clone3 (EBADF), and by the child, who finds no cgroup.procs
         * there. */
        p.cgroup_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        RIG_CHECK(rig_start(&p, &child, &failure) > 0);
        fd_close(p.cgroup_fd);
        return 0;
}

START_TEST(starts_in_its_cgroup)
{
        if (!rig_has_cgroups() || rig_is_emulated())
                return;
        FOREACH_METHOD (m)
                ck_assert_int_eq(rig_in_cgroup(false, into_a_cgroup, (void *) m), 0);
}
END_TEST

RIG_ROOT_MAIN("spawn-ladder", ladder_goes_down, no_child_is_told, status_is_read_with_care,
              starts_in_its_cgroup)
