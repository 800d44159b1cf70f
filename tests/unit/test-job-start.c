/* From a request to what the child is given, and what becomes of a start that fails. */

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "core/environment.h"
#include "core/error.h"
#include "core/job-start.h"
#include "core/job.h"
#include "fake-world.h"
#include "test-main.h"

static World w;

static const SpawnParameters *given(const Job *job)
{
        return &leader_of(job)->parameters;
}

START_TEST(nothing_but_argv)
{
        const SpawnParameters *p;
        Job *job;

        world_init(&w);
        job = world_run(&w, NULL);
        p = given(job);
        ck_assert_uint_eq(strv_length(p->argv), 2);
        ck_assert_str_eq(p->argv[0], "payload");
        ck_assert_str_eq(p->argv[1], "--flag");
        ck_assert_str_eq(p->search_path, "/bin:/usr/bin");
        ck_assert_str_eq(p->working_directory, "/work");
        ck_assert_str_eq(env_get(p->environment, "LANG"), "C.UTF-8");
        ck_assert_str_eq(env_get(p->environment, "REEVE_JOB"), "j1");
        ck_assert_str_eq(env_get(p->environment, "REEVE_SESSION"), "default");
        ck_assert_uint_eq(strv_length(p->environment), 4);
        ck_assert(!p->foreground && !p->set_user && !p->set_group && !p->set_groups && p->set_umask &&
                  p->umask == 027);
        ck_assert(p->set_nice); /* what reeve was given, not what it has made itself */
        ck_assert_int_eq(p->nice, 3);
        ck_assert(!p->set_oom_score && !p->set_capabilities && !p->no_new_privileges);
        /* reeve's own soft limit is the hard one; its jobs get what it was given. */
        ck_assert_uint_eq(p->limits, 1U << RLIMIT_NOFILE);
        ck_assert_uint_eq(p->limit[RLIMIT_NOFILE].rlim_cur, 1024);
        ck_assert_uint_eq(p->limit[RLIMIT_NOFILE].rlim_max, 4096);
        ck_assert_ptr_eq(leader_of(job)->scope, job->scope);
        ck_assert_str_eq(job->control_group, "/default.slice/j1.scope");
        ck_assert_str_eq(job->session, "default");
        ck_assert_str_eq(job->working_directory, "/work");
        ck_assert_uint_eq(job->start_time, fake.realtime);
        world_done(&w);
}
END_TEST

START_TEST(settings_reach_the_child)
{
        const SpawnParameters *p;
        Job *job;

        world_init(&w);
        job = world_run(&w, "Id", "it", "Session", "s1", "UMask", "0027", "Nice", "5", "OOMScoreAdjust",
                        "-7", "NoNewPrivileges", "yes", "CapabilityBoundingSet", "CAP_KILL CAP_CHOWN",
                        "LimitNOFILE", "77", "LimitCORE", "0", "LimitCPU", "infinity", "Environment",
                        "A=1 PATH=/opt", NULL);
        p = given(job);
        ck_assert(p->set_umask && p->set_nice && p->set_oom_score && p->no_new_privileges &&
                  p->set_capabilities);
        ck_assert_uint_eq(p->umask, 027);
        ck_assert_int_eq(p->nice, 5);
        ck_assert_int_eq(p->oom_score_adjust, -7);
        ck_assert_uint_eq(p->capabilities, 1U << 5 | 1U << 0);
        ck_assert_uint_eq(p->limits, 1U << RLIMIT_NOFILE | 1U << RLIMIT_CORE | 1U << RLIMIT_CPU);
        ck_assert_uint_eq(p->limit[RLIMIT_NOFILE].rlim_cur, 77);
        ck_assert_uint_eq(p->limit[RLIMIT_NOFILE].rlim_max, 77);
        ck_assert_uint_eq(p->limit[RLIMIT_CORE].rlim_max, 0);
        ck_assert_uint_eq(p->limit[RLIMIT_CPU].rlim_max, RLIM_INFINITY);
        ck_assert_str_eq(env_get(p->environment, "REEVE_JOB"), "it");
        ck_assert_str_eq(env_get(p->environment, "REEVE_SESSION"), "s1");
        ck_assert_str_eq(p->search_path, "/opt"); /* where argv[0] is looked for: the job's PATH */
        ck_assert_str_eq(job->control_group, "/s1.slice/it.scope");
        world_done(&w);
}
END_TEST

/* Secrets among it: not kept for longer than the job. */
START_TEST(what_only_the_start_needed)
{
        Job *job;

        world_init(&w);
        job = world_run(&w, "Environment", "TOKEN=secret", "StandardInput", "data", "StandardInputData",
                        "secret", "Description", "told", NULL);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_ptr_null(job->spec.environment);
        ck_assert_ptr_null(job->spec.input_data);
        ck_assert_str_eq(job->spec.description, "told");
        world_done(&w);
}
END_TEST

START_TEST(no_capability_at_all)
{
        world_init(&w);
        ck_assert(given(world_run(&w, "CapabilityBoundingSet", "", NULL))->set_capabilities);
        ck_assert_uint_eq(leader_of(job_set_get(&w.jobs, "j1"))->parameters.capabilities, 0);
        world_done(&w);
}
END_TEST

static void check_directory(const char *base, const char *given_, const char *expected)
{
        Job *job;

        world_init(&w);
        ck_assert_int_eq(session_set_directory(w.sessions.default_, base, NULL), 0);
        job = given_ ? world_run(&w, "WorkingDirectory", given_, NULL) : world_run(&w, NULL);
        ck_assert_str_eq(given(job)->working_directory, expected);
        ck_assert_str_eq(job->working_directory, expected);
        world_done(&w);
}

START_TEST(working_directories)
{
        check_directory("/work", NULL, "/work");
        check_directory("/work", "/tmp", "/tmp");
        check_directory("/work", "below", "/work/below");
        check_directory("/", "below", "/below");
        check_directory("/", NULL, "/");
}
END_TEST

START_TEST(users_and_groups)
{
        const SpawnParameters *p;

        world_init(&w);
        p = given(world_run(&w, "User", "alice", NULL));
        ck_assert(p->set_user && p->set_group && p->set_groups);
        ck_assert_uint_eq(p->uid, 1000);
        ck_assert_uint_eq(p->gid, 1000);
        ck_assert_uint_eq(p->n_groups, 3); /* hers, and those that she is a member of */
        ck_assert_uint_eq(p->groups[1], 10);
        ck_assert_str_eq(env_get(p->environment, "HOME"), "/home/alice");
        /* She may open /dev/stdout: the pipes are hers. */
        ck_assert_uint_eq(fake.n_given, 2);
        ck_assert_uint_eq(fake.given_to, 1000);

        p = given(world_run(&w, "User", "alice", "Group", "wheel", "SupplementaryGroups", "video 7", NULL));
        ck_assert_uint_eq(p->gid, 10);
        ck_assert_uint_eq(p->n_groups, 5);
        ck_assert_uint_eq(p->groups[0], 10);
        ck_assert_uint_eq(p->groups[3], 44);
        ck_assert_uint_eq(p->groups[4], 7);

        p = given(world_run(&w, "User", "4711",
                            NULL)); /* nobody knows that one: no groups, and none of reeve's */
        ck_assert(p->set_user && p->set_group && p->set_groups);
        ck_assert_uint_eq(p->uid, 4711);
        ck_assert_uint_eq(p->gid, 4711);
        ck_assert_uint_eq(p->n_groups, 0);
        ck_assert_ptr_null(env_get(p->environment, "USER"));

        p = given(world_run(&w, "Group", "wheel", NULL));
        ck_assert(!p->set_user && p->set_group && !p->set_groups);
        p = given(world_run(&w, "SupplementaryGroups", "wheel", NULL));
        ck_assert(!p->set_user && !p->set_group && p->set_groups);
        ck_assert_uint_eq(p->n_groups, 1);
        world_done(&w);
}
END_TEST

static bool same_file(int a, int b)
{
        struct stat sa, sb;

        ck_assert_int_eq(fstat(a, &sa), 0);
        ck_assert_int_eq(fstat(b, &sb), 0);
        return sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

START_TEST(standard_input_and_output)
{
        char buf[16];
        FakeProcess *p;

        world_init(&w);
        p = leader_of(world_run(&w, NULL));
        ck_assert_int_eq(read(p->fds[0], buf, sizeof(buf)), 0);
        ck_assert(!same_file(p->fds[1], p->fds[2]));

        p = leader_of(world_run(&w, "StandardInput", "data", "StandardInputData", "some input",
                                "MergeOutput", "yes", NULL));
        ck_assert_int_eq(read(p->fds[0], buf, sizeof(buf)), 10);
        ck_assert_mem_eq(buf, "some input", 10);
        ck_assert_int_eq(read(p->fds[0], buf, sizeof(buf)), 0);
        ck_assert(same_file(p->fds[1], p->fds[2]));

        p = leader_of(world_run(&w, "StandardInput", "data", NULL));
        ck_assert_int_eq(read(p->fds[0], buf, sizeof(buf)), 0);
        world_done(&w);
}
END_TEST

/* A start that ends before there is a child; nothing of it is left, and the next one works. */
static void check_refused(ExecSpec *spec, ErrorKind kind, const char *word)
{
        Job *untouched = (Job *) &w, *job = untouched;
        Error e = ERROR_NULL;
        bool existing;
        int r;

        r = job_set_start(&w.jobs, spec, &job, &existing, &e);
        ck_assert_int_lt(r, 0);
        ck_assert_msg(e.kind == kind, "%s", e.message);
        ck_assert_msg(strstr(e.message, word), "%s", e.message);
        ck_assert_ptr_eq(job, untouched);
        ck_assert_ptr_nonnull(spec->argv); /* still the caller's */
        exec_spec_done(spec);
        ck_assert_uint_eq(fake.n_spawned, 0);
        ck_assert_uint_eq(fake.n_scopes, 0);
        ck_assert_uint_eq(w.jobs.n_live, 0);
        ck_assert(list_is_empty(&w.jobs.jobs));

        /* What stood in the way is gone. */
        fake.spawn_error = fake.pipe_error = fake.scope_new_error = fake.scope_fd_error = 0;
        fake.userdb_groups_error = 0;
        world_run(&w, NULL);
        world_done(&w);
}

static ExecSpec *prepare(const char *name, const char *text)
{
        static ExecSpec spec;

        world_init(&w);
        spec_init(&spec);
        if (name)
                spec_set(&spec, name, text);
        return &spec;
}

START_TEST(unknown_users)
{
        check_refused(prepare("User", "nobody-knows"), ERROR_NO_SUCH_USER, "User: \"nobody-knows\"");
        check_refused(prepare("User", "65535"), ERROR_NO_SUCH_USER, "65535");
        check_refused(prepare("Group", "nobody-knows"), ERROR_NO_SUCH_USER, "Group: \"nobody-knows\"");
        check_refused(prepare("SupplementaryGroups", "wheel unknown"), ERROR_NO_SUCH_USER,
                      "SupplementaryGroups: \"unknown\"");
}
END_TEST

START_TEST(what_the_kernel_refuses)
{
        ExecSpec *spec = prepare(NULL, NULL);

        fake.spawn_error = -EAGAIN;
        check_refused(spec, ERROR_START_FAILED, "clone: Resource temporarily unavailable (11 EAGAIN)");
        spec = prepare(NULL, NULL);
        fake.spawn_error = -ENOMEM;
        check_refused(spec, ERROR_NO_MEMORY, "");
        spec = prepare(NULL, NULL);
        fake.pipe_error = -EMFILE;
        check_refused(spec, ERROR_START_FAILED, "stdio: Too many open files (24 EMFILE)");
        spec = prepare(NULL, NULL);
        fake.scope_new_error = -ENOSPC;
        check_refused(spec, ERROR_START_FAILED, "cgroup: No space left on device (28 ENOSPC)");
}
END_TEST

/* Without the folder's descriptor the child would run in reeve's own cgroup, and nobody would know. */
START_TEST(no_descriptor_for_the_scope)
{
        ExecSpec *spec = prepare(NULL, NULL);

        fake.scope_fd_error = -EMFILE;
        check_refused(spec, ERROR_START_FAILED, "cgroup: Too many open files (24 EMFILE)");
}
END_TEST

/* That the file cannot be read is not that there is no memory. */
START_TEST(groups_that_cannot_be_read)
{
        ExecSpec *spec = prepare("User", "alice");

        fake.userdb_groups_error = -EIO;
        check_refused(spec, ERROR_START_FAILED, "EIO");
}
END_TEST

/* Who may not be given the pipes works all the same. */
START_TEST(pipes_that_cannot_be_given)
{
        world_init(&w);
        fake.give_error = -EPERM;
        world_run(&w, "User", "alice", "MergeOutput", "yes", NULL);
        ck_assert_uint_eq(fake.n_given, 1);
        world_done(&w);
}
END_TEST

/* What the child reports: step, errno, detail; a setting that was asked for; what the caller is told. */
static const struct {
        SpawnStep step;
        int error;
        const char *detail, *setting, *value;
        ErrorKind kind;
        const char *message;
} failures[] = {
                {SPAWN_EXEC, ENOENT, "/usr/bin/payload", NULL, NULL, ERROR_COMMAND_NOT_FOUND,
                 "\"payload\": not found in PATH"},
                {SPAWN_EXEC, ENOTDIR, "/usr/bin/payload", NULL, NULL, ERROR_COMMAND_NOT_FOUND, "payload"},
                {SPAWN_EXEC, EACCES, "/bin/payload", NULL, NULL, ERROR_COMMAND_NOT_EXECUTABLE,
                 "/bin/payload"},
                {SPAWN_EXEC, ENOEXEC, "/bin/payload", NULL, NULL, ERROR_COMMAND_NOT_EXECUTABLE, "ENOEXEC"},
                {SPAWN_EXEC, EISDIR, "", NULL, NULL, ERROR_COMMAND_NOT_EXECUTABLE, "payload"},
                {SPAWN_EXEC, ETXTBSY, "/bin/payload", NULL, NULL, ERROR_COMMAND_NOT_EXECUTABLE, "ETXTBSY"},
                {SPAWN_EXEC, ELOOP, "/bin/payload", NULL, NULL, ERROR_COMMAND_NOT_EXECUTABLE, "ELOOP"},
                {SPAWN_EXEC, E2BIG, "/bin/payload", NULL, NULL, ERROR_START_FAILED,
                 "exec: Argument list too long (7 E2BIG)"},
                {SPAWN_EXEC, ENOMEM, "/bin/payload", NULL, NULL, ERROR_START_FAILED,
                 "exec: Cannot allocate memory (12 ENOMEM)"},
                {SPAWN_INTERPRETER, ENOENT, "/no/such/sh", NULL, NULL, ERROR_COMMAND_NOT_EXECUTABLE,
                 "/no/such/sh"},
                {SPAWN_CHDIR, ENOENT, NULL, NULL, NULL, ERROR_BAD_WORKING_DIRECTORY,
                 "\"/work\": No such file or directory"},
                {SPAWN_CHDIR, ENOENT, NULL, "WorkingDirectory", "/gone", ERROR_BAD_WORKING_DIRECTORY,
                 "/gone"},
                {SPAWN_CHDIR, EACCES, NULL, NULL, NULL, ERROR_BAD_WORKING_DIRECTORY, "EACCES"},
                {SPAWN_CGROUP, EBUSY, NULL, NULL, NULL, ERROR_START_FAILED,
                 "cgroup: Device or resource busy (16 EBUSY)"},
                {SPAWN_SESSION, EPERM, NULL, NULL, NULL, ERROR_START_FAILED,
                 "setsid: Operation not permitted (1 EPERM)"},
                {SPAWN_STDIO, EMFILE, NULL, NULL, NULL, ERROR_START_FAILED, "stdio: "},
                {SPAWN_OOM_SCORE, EACCES, NULL, "OOMScoreAdjust", "-5", ERROR_NOT_SUPPORTED,
                 "OOMScoreAdjust: "},
                {SPAWN_OOM_SCORE, EIO, NULL, "OOMScoreAdjust", "-5", ERROR_START_FAILED,
                 "oom-score-adjust: "},
                {SPAWN_NICE, EPERM, NULL, "Nice", "-5", ERROR_NOT_SUPPORTED, "Nice: "},
                {SPAWN_CAPABILITIES, EPERM, NULL, "CapabilityBoundingSet", "CAP_KILL", ERROR_NOT_SUPPORTED,
                 "CapabilityBoundingSet: "},
                {SPAWN_USER, EPERM, NULL, "User", "alice", ERROR_NOT_SUPPORTED, "User: "},
                {SPAWN_USER, EAGAIN, NULL, "User", "alice", ERROR_START_FAILED, "user: "},
                {SPAWN_GROUP, EPERM, NULL, "User", "alice", ERROR_NOT_SUPPORTED, "User: "},
                {SPAWN_GROUP, EPERM, NULL, "Group", "wheel", ERROR_NOT_SUPPORTED, "Group: "},
                {SPAWN_GROUP, EPERM, NULL, "SupplementaryGroups", "wheel", ERROR_NOT_SUPPORTED,
                 "SupplementaryGroups: "},
                {SPAWN_LIMITS, EPERM, "7", "LimitNOFILE", "999999", ERROR_NOT_SUPPORTED, "LimitNOFILE: "},
                {SPAWN_LIMITS, EPERM, "4", "LimitCORE", "1G", ERROR_NOT_SUPPORTED, "LimitCORE: "},
                {SPAWN_LIMITS, EPERM, "7", NULL, NULL, ERROR_START_FAILED,
                 "limits: "}, /* the default: nobody asked */
                {SPAWN_LIMITS, EPERM, "4", "LimitNOFILE", "1", ERROR_START_FAILED, "limits: "},
                {SPAWN_LIMITS, EPERM, "", "LimitNOFILE", "1", ERROR_START_FAILED, "limits: "},
                {SPAWN_NO_NEW_PRIVILEGES, EINVAL, NULL, "NoNewPrivileges", "yes", ERROR_START_FAILED,
                 "no-new-privileges: "},
};

static void check_failure(size_t i, bool reaper_first)
{
        ErrorKind kind;
        Diary d = {0};
        Chronicle c;
        ExecSpec spec;
        Job *job;

        world_init(&w);
        chronicle_start(&c, &w.jobs);
        spec_init(&spec);
        if (failures[i].setting)
                spec_set(&spec, failures[i].setting, failures[i].value);
        job = world_start(&w, &spec);
        diary_start(&d, job);
        d.error = &(Error){.kind = ERROR_NONE};
        if (reaper_first) {
                fake_exec_fails(leader_of(job), failures[i].step, failures[i].error, failures[i].detail);
                world_reap(&w);
        } else {
                fake_write_failure(leader_of(job), failures[i].step, failures[i].error, failures[i].detail);
                world_events(&w); /* it is told before the child is dead */
                fake_exit(fake_newest(), 127);
        }
        world_settle(&w);
        ck_assert_str_eq(d.text, "failed removed");
        kind = d.error->kind;
        ck_assert_msg(kind == failures[i].kind && strstr(d.error->message, failures[i].message),
                      "%zu: kind %d, %s", i, (int) kind, d.error->message);
        ck_assert_ptr_null(strstr(c.text, "new"));
        ck_assert_ptr_null(strstr(c.text, "finished"));
        ck_assert(list_is_empty(&w.jobs.jobs));
        ck_assert_uint_eq(w.jobs.n_live, 0);
        ck_assert_uint_eq(job_set_count(&w.jobs), 0);
        world_pass(&w, USEC_PER_SEC); /* its scope, where the child was in it still */
        ck_assert_uint_eq(fake.n_scopes, 0);
        ck_assert(!fake_has_zombies());
        world_done(&w);
}

START_TEST(exec_fails)
{
        for (size_t i = 0; i < ELEMENTSOF(failures); i++) {
                check_failure(i, false);
                check_failure(i, true);
        }
}
END_TEST

/* An errno of a step that nobody foresaw, for every step: a kind, a message, and no job. */
START_TEST(every_step_has_words)
{
        for (SpawnStep step = 0; step < _SPAWN_STEP_MAX; step++) {
                SpawnFailure f = {.step = step, .error = EXDEV};
                Error e = ERROR_NULL;
                Job *job;

                world_init(&w);
                job = world_run(&w, NULL);
                ck_assert_int_lt(job_start_explain(job, &f, &e), 0);
                ck_assert_int_ne(e.kind, ERROR_NONE);
                ck_assert(strstr(e.message, "EXDEV") || step == SPAWN_INTERPRETER);
                world_done(&w);
        }
}
END_TEST

TEST_MAIN("job-start", nothing_but_argv, settings_reach_the_child, what_only_the_start_needed,
          no_capability_at_all, working_directories, users_and_groups, standard_input_and_output,
          unknown_users, what_the_kernel_refuses, no_descriptor_for_the_scope, groups_that_cannot_be_read,
          pipes_that_cannot_be_given, exec_fails, every_step_has_words)
