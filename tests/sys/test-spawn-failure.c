/* What can go wrong on the way to exec: which step, which error, and what it was about. */

#include "sys/spawn.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "basic/fd.h"
#include "spawn-rig.h"
#include "sys/stdio.h"

/* The start is to fail, and as it says. */
static void fails(const SpawnParameters *p, SpawnStep step, int error, const char *detail)
{
        SpawnFailure failure = {0};
        PidRef child = PIDREF_NULL;

        ck_assert_int_eq(rig_start(p, &child, &failure), error);
        ck_assert_str_eq(spawn_step_to_string((SpawnStep) failure.step), spawn_step_to_string(step));
        ck_assert_str_eq(failure.detail, detail);
}

START_TEST(not_found)
{
        FOREACH_METHOD (m) {
                SpawnParameters p = rig_parameters(ARGV("no-such-program"));
                char name[300], path[5000];

                p.search_path = "/nowhere:/usr/bin:/bin";
                fails(&p, SPAWN_EXEC, ENOENT, "/bin/no-such-program");
                p.search_path = NULL;
                fails(&p, SPAWN_EXEC, ENOENT, "/bin/no-such-program");
                p.argv = ARGV("/no/such/program");
                fails(&p, SPAWN_EXEC, ENOENT, "/no/such/program");
                p.argv = ARGV("");
                fails(&p, SPAWN_EXEC, ENOENT, "");
                p.argv = ARGV("/etc/passwd/x");
                fails(&p, SPAWN_EXEC, ENOTDIR, "/etc/passwd/x");

                /* Longer than any path: told, cut where the record ends. */
                memset(name, 'n', sizeof(name) - 1);
                name[sizeof(name) - 1] = '\0';
                p.argv = ARGV(name);
                p.search_path = "/bin";
                snprintf(path, sizeof(path), "/bin/%.250s", name);
                fails(&p, SPAWN_EXEC, ENAMETOOLONG, path);
        }
}
END_TEST

START_TEST(not_executable)
{
        FOREACH_METHOD (m) {
                char path[4096], file[4096];
                SpawnParameters p = rig_parameters(ARGV(file));

                strcpy(file, rig_file("plain", "echo no\n", 0644));
                fails(&p, SPAWN_EXEC, EACCES, file);
                strcpy(file, rig_file("noshell", "echo no\n", 0755));
                fails(&p, SPAWN_EXEC, ENOEXEC, file); /* and no shell is tried */
                strcpy(file, rig_file("empty", "", 0755));
                fails(&p, SPAWN_EXEC, ENOEXEC, file);
                strcpy(file, "/usr");
                fails(&p, SPAWN_EXEC, EACCES, "/usr");

                p.argv = ARGV("plain");
                snprintf(path, sizeof(path), "%s:/usr/bin", rig_folder());
                p.search_path = path;
                snprintf(file, sizeof(file), "%s/plain", rig_folder());
                fails(&p, SPAWN_EXEC, EACCES, file);
        }
}
END_TEST

START_TEST(interpreter_is_named)
{
        if (rig_is_emulated())
                return;
        FOREACH_METHOD (m) {
                char path[4096], file[4096], folder[4096];
                SpawnParameters p = rig_parameters(ARGV(file));

                strcpy(file, rig_file("script", "#!/no/such/python3 -u\nprint(1)\n", 0755));
                fails(&p, SPAWN_INTERPRETER, ENOENT, "/no/such/python3");
                rig_file("script", "#! \t /no/such/python3", 0755);
                fails(&p, SPAWN_INTERPRETER, ENOENT, "/no/such/python3");
                rig_file("script", "#!/bin/sh\r\necho dos\n", 0755);
                fails(&p, SPAWN_INTERPRETER, ENOENT, "/bin/sh\r");

                /* An ELF program whose loader is not there: a copy of true, its PT_INTERP spoilt. */
                strcpy(path, file);
                snprintf(path, sizeof(path),
                         "sed 's|/lib64/ld-linux|/lib64/no-linux|; s|/lib/ld-linux|/lib/no-linux|' "
                         "/bin/true > %s/elf;"
                         "chmod 755 %s/elf",
                         rig_folder(), rig_folder());
                ck_assert_int_eq(system(path), 0);
                snprintf(file, sizeof(file), "%s/elf", rig_folder());
                fails(&p, SPAWN_INTERPRETER, ENOENT, file);

                /* In the search path it is remembered, and what comes later is still found. */
                rig_file("script", "#!/no/such/python3\n", 0755);
                strcpy(folder, rig_folder());
                p.argv = ARGV("script");
                p.search_path = folder;
                fails(&p, SPAWN_INTERPRETER, ENOENT, "/no/such/python3");
                snprintf(path, sizeof(path), "%s/late", folder);
                mkdir(path, 0755);
                rig_file("late/script", "#!/bin/sh\necho late\n", 0755);
                snprintf(path, sizeof(path), "%s:%s/late", folder, folder);
                p.search_path = path;
                char *output = rig_output(&p, NULL, NULL);
                ck_assert_str_eq(output, "late\n");
                free(output);
        }
}
END_TEST

START_TEST(text_busy)
{
        char command[4096], file[4096];
        int fd;

        if (rig_is_emulated())
                return;
        snprintf(file, sizeof(file), "%s/busy", rig_folder());
        snprintf(command, sizeof(command), "cp /bin/true %s", file);
        ck_assert_int_eq(system(command), 0);
        fd = open(file, O_RDWR | O_CLOEXEC);
        FOREACH_METHOD (m) {
                SpawnParameters p = rig_parameters(ARGV(file));

                fails(&p, SPAWN_EXEC, ETXTBSY, file);
        }
        close(fd);
}
END_TEST

START_TEST(working_directory)
{
        char forbidden[4096];

        snprintf(forbidden, sizeof(forbidden), "%s/forbidden", rig_folder());
        ck_assert_int_eq(mkdir(forbidden, 0700), 0);
        FOREACH_METHOD (m) {
                SpawnParameters p = rig_parameters(ARGV(PROBE, "state"));

                p.working_directory = "/no/such/folder";
                fails(&p, SPAWN_CHDIR, ENOENT, "/no/such/folder");
                p.working_directory = "/etc/passwd";
                fails(&p, SPAWN_CHDIR, ENOTDIR, "/etc/passwd");

                /* As the user who is to work there. */
                char *output;

                p.working_directory = forbidden;
                output = rig_state(&p);
                ck_assert_line(output, "cwd", forbidden);
                free(output);
                p.set_user = p.set_group = p.set_groups = true;
                p.uid = p.gid = 4242;
                fails(&p, SPAWN_CHDIR, EACCES, forbidden);
        }
}
END_TEST

static int without_rights(void *data)
{
        SpawnParameters p = rig_parameters(ARGV("/bin/true"));
        gid_t group = 4242;
        struct {
                SpawnStep step;
                int error;
        } expected[] = {{SPAWN_USER, EPERM},        {SPAWN_GROUP, EPERM},      {SPAWN_GROUP, EPERM},
                        {SPAWN_NICE, EACCES},       {SPAWN_OOM_SCORE, EACCES}, {SPAWN_LIMITS, EPERM},
                        {SPAWN_CAPABILITIES, EPERM}};
        SpawnFailure failure;
        PidRef child;

        RIG_CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
        RIG_CHECK(syscall(SYS_setgroups, 0, NULL) == 0 && setresgid(4243, 4243, 4243) == 0);
        RIG_CHECK(setresuid(4243, 4243, 4243) == 0);
        RIG_CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                SpawnParameters q = p;

                q.set_user = i == 0;
                q.set_group = i == 1;
                q.set_groups = i == 2;
                q.set_nice = i == 3;
                q.set_oom_score = i == 4;
                q.limits = i == 5 ? 1U << RLIMIT_NOFILE : 0;
                q.set_capabilities = i == 6;
                q.uid = q.gid = 4242;
                q.groups = &group;
                q.n_groups = 1;
                q.nice = -5;
                q.oom_score_adjust = -900;
                q.limit[RLIMIT_NOFILE] = (struct rlimit){1U << 30, 1U << 30};
                RIG_CHECK(rig_start(&q, &child, &failure) == expected[i].error);
                RIG_CHECK(failure.step == (int) expected[i].step);
        }
        return 0;
}

START_TEST(each_step_is_named)
{
        FOREACH_METHOD (m) {
                SpawnParameters p = rig_parameters(ARGV(PROBE, "state"));

                ck_assert_int_eq(rig_in_child(without_rights, NULL), 0);
                p.fds[1] = 9999;
                fails(&p, SPAWN_STDIO, EBADF, "");
        }
}
END_TEST

RIG_ROOT_MAIN("spawn-failure", not_found, not_executable, interpreter_is_named, text_busy, working_directory,
              each_step_is_named)
