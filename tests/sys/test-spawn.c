/* Starting processes: each way to clone, each step that can fail and how it is told, and what the program
 * then finds. */

#include "sys/spawn.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "basic/fd.h"
#include "spawn-rig.h"
#include "sys/stdio.h"

START_TEST(words)
{
        ck_assert_str_eq(spawn_step_to_string(SPAWN_CLONE), "clone");
        ck_assert_str_eq(spawn_step_to_string(SPAWN_INTERPRETER), "interpreter");
        ck_assert_ptr_null(spawn_step_to_string(_SPAWN_STEP_MAX));
        ck_assert_int_eq(spawn_set_method("vfork"), -EINVAL);
}
END_TEST

START_TEST(runs_and_ends)
{
        FOREACH_METHOD(m)
        {
                SpawnParameters p = rig_parameters(ARGV(PROBE, "exit", "42"));
                SpawnFailure failure = {0};
                PidRef child = PIDREF_NULL;
                ProcessEnd end;

                ck_assert_int_eq(rig_start(&p, &child, &failure), 0);
                ck_assert_int_gt(child.pid, 0);
                end = rig_reap(child.pid);
                ck_assert_int_eq(end.exit_code, 42);
                ck_assert_int_eq(pidref_signal(&child, 0), -ESRCH);
                pidref_done(&child);
        }
}
END_TEST

START_TEST(arguments_are_bytes)
{
        FOREACH_METHOD(m)
        {
                SpawnParameters p = rig_parameters(ARGV(PROBE, "argv", "", " ", "a b\tc\nd", "'\"$`\\",
                                                        "\xff\xfe\x80", "--", "-n", "ä€😀"));
                size_t size, at = 0;
                char *output = rig_output(&p, &size, NULL);

                for (char *const *a = p.argv; *a; a++) {
                        ck_assert_uint_lt(at, size);
                        ck_assert_str_eq(output + at, *a);
                        at += strlen(*a) + 1;
                }
                ck_assert_uint_eq(at, size);
                free(output);
        }
}
END_TEST

START_TEST(environment_is_what_was_given)
{
        FOREACH_METHOD(m)
        {
                SpawnParameters p = rig_parameters(ARGV(PROBE, "state"));
                char *output = rig_state(&p);

                ck_assert_str_eq(rig_line(output, "environment"), "");
                free(output);

                p.environment = ARGV("A=1", "B=", "A=2");
                output = rig_state(&p);
                ck_assert_line(output, "environment", "A=1 B= A=2");
                free(output);
        }
}
END_TEST

/* Known to the child alone, which writes it into its own copy. */
START_TEST(its_number_stands_in_its_environment)
{
        FOREACH_METHOD (m) {
                char slot[] = "PID=0000000000", expected[64];
                SpawnParameters p = rig_parameters(ARGV(PROBE, "state"));
                ProcessEnd end;
                size_t size;
                char *output;

                p.environment = ARGV("A=1", slot, "B=2");
                p.pid_slot = slot + strlen("PID=");
                output = rig_output(&p, &size, &end);
                snprintf(expected, sizeof(expected), "A=1 PID=%d B=2", (int) end.pid);
                ck_assert_line(output, "environment", expected);
                ck_assert_str_eq(slot, "PID=0000000000");
                free(output);
        }
}
END_TEST

/* As PID 1 would have it: all blocked, something ignored, descriptors around. */
static int spoilt_child(void *data)
{
        sigset_t all;
        char *output;
        SpawnParameters p = rig_parameters(ARGV(PROBE, "state"));
        int low;

        RIG_CHECK(syscall(SYS_close_range, 3U, ~0U, 1U << 2) ==
                  0); /* what the harness leaves open: boot's business */
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGUSR1, SIG_IGN);
        signal(SIGCHLD, SIG_DFL);
        /* One that glibc keeps for itself; its mask hides it as well. */
        unsigned long ignore[8] = {1}; /* SIG_IGN */
        uint64_t both = UINT64_C(3) << 31;

        RIG_CHECK(syscall(SYS_rt_sigaction, 32, ignore, NULL, 8) == 0);
        RIG_CHECK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &both, NULL, 8) == 0);
        for (low = 0; low < 16; low++)
                RIG_CHECK(open("/dev/null", O_RDWR | O_CLOEXEC) >= 0);
        p.fds[0] = stdio_null();
        p.fds[2] = stdio_null();
        output = rig_state(&p);
        RIG_CHECK(streq(rig_line(output, "mask "), "0"));
        RIG_CHECK(streq(rig_line(output, "not-default "), "0"));
        RIG_CHECK(streq(rig_line(output, "fds "), "0 1 2"));
        RIG_CHECK(streq(rig_line(output, "session "), "1"));
        free(output);
        return 0;
}

START_TEST(child_is_clean)
{
        FOREACH_METHOD(m)
        ck_assert_int_eq(rig_in_child(spoilt_child, NULL), 0);
}
END_TEST

START_TEST(same_descriptor_twice)
{
        FOREACH_METHOD(m)
        {
                SpawnParameters p = rig_parameters(ARGV("sh", "-c", "echo out; echo err >&2; cat", "sh"));
                char *output;

                p.fds[0] = stdio_data("in\n", 3);
                int fds[2];
                PidRef child = PIDREF_NULL;
                SpawnFailure failure;

                ck_assert_int_eq(stdio_output_pipe(fds), 0);
                p.fds[1] = p.fds[2] = fds[1];
                ck_assert_int_eq(rig_start(&p, &child, &failure), 0);
                fd_close(fds[1]);
                fd_close(p.fds[0]);
                output = rig_read_all(fds[0], NULL);
                fd_close(fds[0]);
                ck_assert_str_eq(output, "out\nerr\nin\n");
                free(output);
                ck_assert_int_eq(rig_reap(child.pid).exit_code, 0);
                pidref_done(&child);
        }
}
END_TEST

START_TEST(settings_reach_the_program)
{
        if (rig_is_emulated())
                return;
        FOREACH_METHOD(m)
        {
                SpawnParameters p = rig_parameters(ARGV(PROBE, "state"));
                gid_t groups[] = {4243, 4244};
                char *output;

                p.set_umask = p.set_nice = p.set_oom_score = p.set_user = p.set_group = p.set_groups = true;
                p.no_new_privileges = true;
                p.umask = 0137;
                p.nice = 7;
                p.oom_score_adjust = 321;
                p.uid = 4242;
                p.gid = 4242;
                p.groups = groups;
                p.n_groups = 2;
                p.limits = 1U << RLIMIT_NOFILE | 1U << RLIMIT_CORE;
                p.limit[RLIMIT_NOFILE] = (struct rlimit){77, 88};
                p.limit[RLIMIT_CORE] = (struct rlimit){0, 0};
                p.working_directory = "/usr";
                output = rig_state(&p);
                ck_assert_line(output, "umask", "137");
                ck_assert_line(output, "nice", "7");
                ck_assert_line(output, "oom-score-adjust", "321");
                ck_assert_line(output, "uid", "4242 4242 4242");
                ck_assert_line(output, "gid", "4242 4242 4242");
                ck_assert_line(output, "groups", "4243 4244");
                ck_assert_line(output, "no-new-privileges", "1");
                ck_assert_line(output, "nofile", "77 88");
                ck_assert_line(output, "core", "0 0");
                ck_assert_line(output, "cwd", "/usr");
                ck_assert_line(output, "session", "1");
                free(output);
        }
}
END_TEST

static int with_inheritable_capabilities(void *data)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct sets[2];
        SpawnParameters p = rig_parameters(ARGV(PROBE, "state"));
        char *output;

        /* docker once made all that it gave inheritable: those must not slip past the bounding set. */
        RIG_CHECK(syscall(SYS_capget, &header, sets) == 0);
        sets[0].inheritable = sets[0].permitted;
        RIG_CHECK(syscall(SYS_capset, &header, sets) == 0);
        RIG_CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0, 0) == 0);

        p.set_capabilities = true;
        p.capabilities = 1U << CAP_NET_BIND_SERVICE | 1U << CAP_CHOWN;
        output = rig_state(&p);
        RIG_CHECK(streq(rig_line(output, "CapBnd:\t"), "0000000000000401"));
        RIG_CHECK(streq(rig_line(output, "CapPrm:\t"), "0000000000000401"));
        RIG_CHECK(streq(rig_line(output, "CapEff:\t"), "0000000000000401"));
        RIG_CHECK(streq(rig_line(output, "CapInh:\t"), "0000000000000401"));
        RIG_CHECK(streq(rig_line(output, "CapAmb:\t"), "0000000000000000"));
        free(output);
        return 0;
}

START_TEST(capabilities_are_bounded)
{
        FOREACH_METHOD(m)
        ck_assert_int_eq(rig_in_child(with_inheritable_capabilities, NULL), 0);
}
END_TEST

START_TEST(search_path_order)
{
        FOREACH_METHOD(m)
        {
                char path[8192], *output, *argv[] = {(char *) "tool", NULL};
                SpawnParameters p = rig_parameters(argv);
                const char *top = rig_folder();

                snprintf(path, sizeof(path), "%s/a", top);
                mkdir(path, 0755);
                snprintf(path, sizeof(path), "%s/b", top);
                mkdir(path, 0755);
                snprintf(path, sizeof(path), "%s/c", top);
                mkdir(path, 0755);
                snprintf(path, sizeof(path), "%s/c/tool", top);
                mkdir(path, 0755);                               /* a folder */
                rig_file("a/tool", "#!/bin/sh\necho a\n", 0644); /* may not be executed */
                rig_file("b/tool", "#!/bin/sh\necho b\n", 0755);

                /* What is not there or may not be executed is passed over. */
                snprintf(path, sizeof(path), "/nowhere:/etc/passwd:%s/c:%s/a:%s/b", top, top, top);
                p.search_path = path;
                output = rig_output(&p, NULL, NULL);
                ck_assert_str_eq(output, "b\n");
                free(output);

                /* A component that is too long is none. */
                memset(path, 'x', 5000);
                snprintf(path + 5000, sizeof(path) - 5000, ":%s/b", top);
                output = rig_output(&p, NULL, NULL);
                ck_assert_str_eq(output, "b\n");
                free(output);

                /* An empty one is the working directory. */
                char cwd[4096];

                snprintf(cwd, sizeof(cwd), "%s/b", top);
                p.working_directory = cwd;
                p.search_path = "/nowhere:";
                output = rig_output(&p, NULL, NULL);
                ck_assert_str_eq(output, "b\n");
                free(output);
        }
}
END_TEST

/* The child's group is the terminal's foreground one before the program runs. */
static int on_a_terminal(void *data)
{
        SpawnParameters p = rig_parameters(ARGV("sh", "-c",
                                                "read -r _ _ _ _ g _ _ fg _ </proc/$$/stat; "
                                                "test $g = $$ && test $fg = $$"));
        SpawnFailure failure;
        PidRef child;
        int ours, theirs;

        ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        RIG_CHECK(ours >= 0 && grantpt(ours) == 0 && unlockpt(ours) == 0);
        RIG_CHECK(setsid() > 0);
        theirs = open(ptsname(ours), O_RDWR | O_CLOEXEC); /* and so our controlling terminal */
        RIG_CHECK(theirs >= 0 && tcgetpgrp(theirs) == getpid());
        p.fds[0] = p.fds[1] = p.fds[2] = theirs;
        p.foreground = true;
        p.foreground_fd = theirs;
        RIG_CHECK(rig_start(&p, &child, &failure) == 0);
        RIG_CHECK(rig_reap(child.pid).exit_code == 0);
        RIG_CHECK(tcgetpgrp(theirs) == child.pid);
        pidref_done(&child);

        /* Somebody else is in the foreground by now, and that is no hindrance. */
        RIG_CHECK(rig_start(&p, &child, &failure) == 0);
        RIG_CHECK(rig_reap(child.pid).exit_code == 0);
        pidref_done(&child);
        return 0;
}

START_TEST(foreground)
{
        FOREACH_METHOD(m)
        {
                SpawnParameters p = rig_parameters(ARGV(PROBE, "state"));
                char *output;

                ck_assert_int_eq(rig_in_child(on_a_terminal, NULL), 0);

                /* Without a terminal: a group, no session. */
                p.foreground = true;
                p.foreground_fd = -EBADF;
                p.fds[0] = stdio_null();
                output = rig_state(&p);
                fd_close(p.fds[0]);
                ck_assert_line(output, "session", "0");
                ck_assert_line(output, "group-leader", "1");
                free(output);
        }
}
END_TEST

/* A session of its own, and the terminal that nobody has, as a machine's console; where 0 is none, or
 * another's, it runs all the same. */
static int on_a_console(void *data)
{
        SpawnParameters p =
                        rig_parameters(ARGV("sh", "-c",
                                            "read -r _ _ _ _ g s _ fg _ </proc/$$/stat; "
                                            "test $s = $$ && test $g = $$ && test $fg = $$ && : </dev/tty"));
        SpawnFailure failure;
        PidRef child;
        int ours, theirs;

        ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        RIG_CHECK(ours >= 0 && grantpt(ours) == 0 && unlockpt(ours) == 0);
        theirs = open(ptsname(ours), O_RDWR | O_NOCTTY | O_CLOEXEC);
        RIG_CHECK(theirs >= 0 && dup2(theirs, 0) == 0 && setsid() > 0);
        p.console = true;
        RIG_CHECK(rig_start(&p, &child, &failure) == 0);
        RIG_CHECK(rig_reap(child.pid).exit_code == 0);
        pidref_done(&child);

        RIG_CHECK(ioctl(theirs, TIOCSCTTY, 0) == 0); /* ours now */
        p.argv = ARGV("sh", "-c", "read -r _ _ _ _ g s _ </proc/$$/stat; test $s = $$");
        RIG_CHECK(rig_start(&p, &child, &failure) == 0);
        RIG_CHECK(rig_reap(child.pid).exit_code == 0);
        pidref_done(&child);
        return 0;
}

START_TEST(console)
{
        FOREACH_METHOD(m)
        ck_assert_int_eq(rig_in_child(on_a_console, NULL), 0);
}
END_TEST

RIG_ROOT_MAIN("spawn", console, words, runs_and_ends, arguments_are_bytes, environment_is_what_was_given,
              its_number_stands_in_its_environment,
              child_is_clean, same_descriptor_twice, settings_reach_the_program, capabilities_are_bounded,
              search_path_order, foreground)
