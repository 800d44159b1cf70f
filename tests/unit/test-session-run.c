/* Shell commands in a session: one after the other, and what each leaves for the next. */

#include "core/session-run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "core/error.h"
#include "core/session.h"
#include "fake-world.h"
#include "test-main.h"

#define S(text) ((char *) (text))

static World w;

typedef struct Caller {
        SessionRun run;
        Job *job;
        Error error;
} Caller;

static void on_begun(SessionRun *run, Job *job)
{
        container_of(run, Caller, run)->job = job;
}

static void on_failed(SessionRun *run, const Error *e)
{
        container_of(run, Caller, run)->error = *e;
}

static void ask_with(Caller *c, Session *session, const char *command, const char *key, const char *value)
{
        *c = (Caller){.run = {.jobs = &w.jobs, .begun = on_begun, .failed = on_failed}};
        list_init(&c->run.link);
        exec_spec_init(&c->run.spec);
        if (key)
                spec_set(&c->run.spec, key, value);
        ck_assert_int_eq(session_run_prepare(session, &c->run.spec, command, NULL), 0);
        session_run(session, &c->run);
}

static void ask(Caller *c, const char *command)
{
        ask_with(c, w.sessions.default_, command, NULL, NULL);
}

static void runs(Caller *c)
{
        ck_assert_ptr_nonnull(c->job);
        fake_exec(leader_of(c->job));
        world_settle(&w);
}

/* The shell's last child has said it. */
static void says(Caller *c, const void *report, size_t size)
{
        free(c->job->shell_report);
        c->job->shell_report = alloc_copy(report, size);
        c->job->shell_report_size = size;
}

static void ends(Caller *c, int code)
{
        fake_exit(leader_of(c->job), code);
        world_settle(&w);
}

START_TEST(what_the_shell_is_given)
{
        const SpawnParameters *p;
        Caller c;

        world_init(&w);
        ask(&c, "ls; pwd");
        p = &leader_of(c.job)->parameters;
        ck_assert_str_eq(p->argv[0], "/bin/sh");
        ck_assert_str_eq(p->argv[1], "-c");
        ck_assert_ptr_nonnull(strstr(p->argv[2], "--session-report"));
        ck_assert_str_eq(strchr(p->argv[2], '\n') + 1, "ls; pwd");
        ck_assert_str_eq(env_get(p->environment, "PWD"), "/work");
        ck_assert_str_eq(c.job->spec.argv[2], "ls; pwd"); /* which is what others are told */
        ck_assert_ptr_null(env_get(leader_of(world_run(&w, NULL))->parameters.environment, "PWD"));
        world_done(&w);
}
END_TEST

START_TEST(what_it_leaves_is_kept)
{
        static const char left[] = "u0077\0d/srv\0eLANG=x\0eNEW=1\0ePWD=/srv\0eREEVE_JOB=j1\0"
                                   "eREEVE_SESSION=default\0.";
        Session *session;
        Caller c;

        world_init(&w);
        session = w.sessions.default_;
        ask(&c, "…");
        runs(&c);
        says(&c, left, sizeof(left));
        ends(&c, 3); /* also when it fails */
        ck_assert(c.job->state_kept);
        ck_assert_str_eq(session->working_directory, "/srv");
        ck_assert_uint_eq(session->umask, 077);
        ck_assert(strv_equal(session->environment, ((char *const[]){S("LANG=x"), S("NEW=1"), NULL})));
        ck_assert_ptr_null(c.job->shell_environment);
        ck_assert_ptr_null(c.job->shell_report);
        world_done(&w);
}
END_TEST

/* An option of one Run is not what the command has done. */
START_TEST(options_are_not_kept)
{
        static const char unchanged[] = "u0\0d/opt\0eLANG=other\0ePATH=/bin:/usr/bin\0eREEVE_JOB=j1\0"
                                        "eREEVE_SESSION=a\0.",
                          changed[] = "u027\0d/opt/x\0eLANG=mine\0ePATH=/bin:/usr/bin\0.";
        _cleanup_(session_spec_done) SessionSpec spec;
        Session *session;
        Caller c;

        world_init(&w);
        session_spec_init(&spec);
        ck_assert_int_eq(session_set_open(&w.sessions, "a", &spec, &session, NULL), 0);
        for (unsigned i = 0; i < 2; i++) {
                c = (Caller){.run = {.jobs = &w.jobs, .begun = on_begun, .failed = on_failed}};
                list_init(&c.run.link);
                exec_spec_init(&c.run.spec);
                spec_set(&c.run.spec, "WorkingDirectory", "/opt");
                spec_set(&c.run.spec, "Environment", "LANG=other");
                spec_set(&c.run.spec, "UMask", "0");
                ck_assert_int_eq(session_run_prepare(session, &c.run.spec, "…", NULL), 0);
                session_run(session, &c.run);
                runs(&c);
                if (i == 0)
                        says(&c, unchanged, sizeof(unchanged));
                else
                        says(&c, changed, sizeof(changed));
                ends(&c, 0);
                ck_assert(c.job->state_kept);
                ck_assert_str_eq(session->working_directory, i == 0 ? "/work" : "/opt/x");
                ck_assert_str_eq(env_get(session->environment, "LANG"), i == 0 ? "C.UTF-8" : "mine");
                ck_assert_uint_eq(session->umask, 027);
        }
        world_done(&w);
}
END_TEST

START_TEST(nothing_is_kept)
{
        static const char left[] = "u0\0d/srv\0.";
        Caller c;

        world_init(&w);
        for (unsigned i = 0; i < 4; i++) {
                ask_with(&c, w.sessions.default_, "…", "RuntimeMaxSec", "1");
                runs(&c);
                if (i > 0)
                        says(&c, left, i == 3 ? sizeof(left) - 2 : sizeof(left));
                if (i == 1)
                        fake_die(leader_of(c.job), SIGKILL, false); /* whatever was said before */
                if (i == 2) {
                        leader_of(c.job)->exits_with = 0; /* told to end, it ends well, but late */
                        world_pass(&w, 2 * USEC_PER_SEC);
                        ck_assert(job_is_exited(c.job));
                }
                if (i != 1 && i != 2)
                        ends(&c, 0); /* after exec; half a report */
                world_settle(&w);
                ck_assert(!c.job->state_kept);
                ck_assert_str_eq(w.sessions.default_->working_directory, "/work");
        }
        world_done(&w);
}
END_TEST

START_TEST(one_after_the_other)
{
        Caller a, b, c;
        FakeProcess *child;

        world_init(&w);
        ask(&a, "a");
        ask(&b, "b");
        ask(&c, "c");
        ck_assert_ptr_null(b.job);
        runs(&a);
        child = fake_fork(leader_of(a.job));
        ck_assert_ptr_null(b.job);
        ends(&a, 0); /* what it has left in the background is not waited for */
        ck_assert(job_is_running(a.job) && child->alive);
        ck_assert_ptr_nonnull(b.job);
        ck_assert_ptr_null(c.job);
        fake_exec_fails(leader_of(b.job), SPAWN_CHDIR, ENOENT, "/work");
        world_settle(&w);
        ck_assert_ptr_nonnull(c.job);
        runs(&c);
        ends(&c, 0);
        world_done(&w);
}
END_TEST

START_TEST(sessions_beside_each_other)
{
        _cleanup_(session_spec_done) SessionSpec spec;
        Session *session;
        Caller a, b;

        world_init(&w);
        session_spec_init(&spec);
        ck_assert_int_eq(session_set_open(&w.sessions, "other", &spec, &session, NULL), 0);
        ask(&a, "a");
        ask_with(&b, session, "b", NULL, NULL);
        ck_assert(a.job && b.job);
        world_run(&w, NULL); /* nor does anybody else wait */
        world_done(&w);
}
END_TEST

START_TEST(who_asked_is_gone)
{
        Caller a, b, c;

        world_init(&w);
        ask(&a, "a");
        ask(&b, "b");
        ask(&c, "c");
        session_run_cancel(&b.run);
        runs(&a);
        ends(&a, 0);
        ck_assert_ptr_null(b.job);
        ck_assert_ptr_nonnull(c.job);
        ck_assert_uint_eq(fake.n_spawned, 2);
        world_done(&w);
}
END_TEST

START_TEST(closed_meanwhile)
{
        Session *session;
        Caller a, b;

        world_init(&w);
        session = world_run(&w, "Session", "a", NULL)->session_of;
        ask_with(&a, session, "a", NULL, NULL);
        ask_with(&b, session, "b", NULL, NULL);
        runs(&a);
        session_close(session);
        ck_assert_int_eq(b.error.kind, ERROR_NO_SUCH_SESSION);
        ck_assert_ptr_null(b.job);
        says(&a, "u0\0d/\0.", 8);
        ends(&a, 0);
        ck_assert(a.job->state_kept); /* the session is still there, for the other job */
        world_done(&w);
}
END_TEST

/* What was under way leaves nothing in it. */
START_TEST(begun_afresh_meanwhile)
{
        Session *session;
        Caller a;

        world_init(&w);
        session = w.sessions.default_;
        ask(&a, "a");
        runs(&a);
        session_close(session);
        says(&a, "u0\0d/srv\0eNEW=1\0.", 18);
        ends(&a, 0);
        ck_assert(!a.job->state_kept);
        ck_assert_str_eq(session->working_directory, "/work");
        ck_assert(strv_equal(session->environment, w.environment));
        ask(&a, "b");
        runs(&a);
        says(&a, "u0\0d/srv\0.", 11);
        ends(&a, 0);
        ck_assert_str_eq(session->working_directory, "/srv");
        world_done(&w);
}
END_TEST

START_TEST(its_time_is_the_commands)
{
        FakeProcess *child;
        Caller c;

        world_init(&w);
        ask_with(&c, w.sessions.default_, "server &", "RuntimeMaxSec", "5");
        runs(&c);
        child = fake_fork(leader_of(c.job));
        ends(&c, 0);
        world_pass(&w, 60 * USEC_PER_SEC);
        ck_assert(child->alive);
        world_done(&w);
}
END_TEST

START_TEST(only_in_its_own_session)
{
        ExecSpec spec;
        Error e = ERROR_NULL;

        world_init(&w);
        exec_spec_init(&spec);
        spec_set(&spec, "Session", "other");
        ck_assert_int_lt(session_run_prepare(w.sessions.default_, &spec, "ls", &e), 0);
        ck_assert_int_eq(e.kind, ERROR_INVALID_ARGS);
        exec_spec_done(&spec);
        exec_spec_init(&spec);
        spec_set(&spec, "Id", "a");
        ck_assert_int_lt(session_run_prepare(w.sessions.default_, &spec, "ls", &e), 0);
        ck_assert_int_eq(e.kind, ERROR_INVALID_ARGS);
        exec_spec_done(&spec);
        world_done(&w);
}
END_TEST

TEST_MAIN("session-run", what_the_shell_is_given, what_it_leaves_is_kept, options_are_not_kept,
          nothing_is_kept, one_after_the_other, sessions_beside_each_other, who_asked_is_gone,
          closed_meanwhile, begun_afresh_meanwhile, its_time_is_the_commands, only_in_its_own_session)
