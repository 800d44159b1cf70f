/* Sessions: made, named by jobs, changed, closed; nothing is left of them. */

#include "core/session.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "core/error.h"
#include "fake-world.h"
#include "test-main.h"

#define S(text) ((char *) (text))

static World w;

/* "new:a changed:a/directory removed:a" */
typedef struct SessionDiary {
        SessionObserver observer;
        char text[1024];
} SessionDiary;

static void write_down(SessionObserver *o, const char *what, const Session *session)
{
        SessionDiary *d = container_of(o, SessionDiary, observer);
        size_t n = strlen(d->text);

        snprintf(d->text + n, sizeof(d->text) - n, "%s%s:%s", n > 0 ? " " : "", what, session->name);
}

static void on_new(SessionObserver *o, Session *session)
{
        write_down(o, "new", session);
}

static void on_changed(SessionObserver *o, Session *session, SessionProperty what)
{
        write_down(o, what == SESSION_JOBS ? "jobs" : "directory", session);
}

static void on_removed(SessionObserver *o, Session *session)
{
        write_down(o, "removed", session);
}

static const SessionObserverOps diary_ops = {
                .session_new = on_new, .session_changed = on_changed, .session_removed = on_removed};
static SessionDiary diary;

static void begin(void)
{
        world_init(&w);
        diary = (SessionDiary){.observer.ops = &diary_ops};
        list_init(&diary.observer.link);
        session_set_observe(&w.sessions, &diary.observer);
}

static void end(void)
{
        session_set_unobserve(&diary.observer);
        world_done(&w);
}

static int open_with(const char *name, bool clean, const char *key, const char *value, Session **ret,
                     Error *e)
{
        _cleanup_(session_spec_done) SessionSpec spec;

        session_spec_init(&spec);
        spec.clean_environment = clean;
        if (key)
                spec_set(&spec.exec, key, value);
        return session_set_open(&w.sessions, name, &spec, ret, e);
}

static Session *open_(const char *name)
{
        Session *session = NULL;

        ck_assert_int_eq(open_with(name, false, NULL, NULL, &session, NULL), 0);
        return session;
}

static const char *long_assignment(void)
{
        static char text[SESSION_ENVIRONMENT_MAX];

        memset(text, 'x', sizeof(text) - 1);
        memcpy(text, "A=", 2);
        return text;
}

/* One byte longer than can be gone to. */
static const char *long_path(void)
{
        static char text[PATH_MAX + 1];

        memset(text, 'x', PATH_MAX);
        text[0] = '/';
        return text;
}

START_TEST(two_are_always_there)
{
        begin();
        ck_assert_str_eq(session_set_get(&w.sessions, "default")->name, "default");
        ck_assert_str_eq(session_set_get(&w.sessions, "system")->working_directory, "/work");
        ck_assert_ptr_null(session_set_get(&w.sessions, "other"));
        ck_assert_str_eq(session_control_group(w.sessions.system), "/system.slice");
        end();
}
END_TEST

START_TEST(opened)
{
        Session *session = NULL, *same = NULL;
        Error e = ERROR_NULL;

        begin();
        ck_assert_int_eq(open_with("a", true, "Environment", "A=1 B=2", &session, &e), 0);
        ck_assert_str_eq(diary.text, "new:a");
        ck_assert(strv_equal(session->environment, ((char *const[]){S("A=1"), S("B=2"), NULL})));
        ck_assert_str_eq(session->working_directory, "/work");
        ck_assert_str_eq(session->shell, "/bin/sh");
        ck_assert_uint_eq(session->umask, 027);
        /* Again in the same words, and in others. */
        ck_assert_int_eq(open_with("a", true, "Environment", "A=1 B=2", &same, &e), 0);
        ck_assert_ptr_eq(same, session);
        ck_assert_int_lt(open_with("a", false, "Environment", "A=1 B=2", &same, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_SESSION_EXISTS);
        ck_assert_int_lt(open_with("a", true, "UMask", "022", &same, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_SESSION_EXISTS);
        ck_assert_int_eq(open_with("default", false, NULL, NULL, &same, &e), 0);
        ck_assert_ptr_eq(same, w.sessions.default_);
        ck_assert_str_eq(diary.text, "new:a");
        end();
}
END_TEST

START_TEST(refused)
{
        static const char *const names[] = {"", "a/b", "a b", "\xc3\xa4"};
        Session *session;
        Error e = ERROR_NULL;

        begin();
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                ck_assert_int_lt(open_with(names[i], false, NULL, NULL, &session, &e), 0);
                ck_assert_int_eq(e.kind, ERROR_INVALID_ARGS);
        }
        ck_assert_int_lt(open_with("a", false, "User", "nobody-of-that-name", &session, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_NO_SUCH_USER);
        ck_assert_int_lt(open_with("a", false, "Environment", long_assignment(), &session, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_LIMITS_EXCEEDED);
        ck_assert_int_lt(open_with("a", false, "WorkingDirectory", long_path(), &session, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_INVALID_ARGS);
        ck_assert_uint_eq(fake.n_slices, 2);
        ck_assert_str_eq(diary.text, "");
        for (unsigned i = 2; i < SESSIONS_MAX; i++) {
                char name[16];

                snprintf(name, sizeof(name), "s%u", i);
                open_(name);
        }
        ck_assert_int_lt(open_with("more", false, NULL, NULL, &session, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_LIMITS_EXCEEDED);
        end();
}
END_TEST

START_TEST(named_by_a_job)
{
        Session *session;
        ExecSpec spec;
        Job *job;

        begin();
        spec_init(&spec);
        spec_set(&spec, "Session", "a");
        job = world_start(&w, &spec);
        ck_assert_ptr_null(session_set_get(&w.sessions, "a")); /* not before the job is */
        ck_assert_str_eq(diary.text, "");
        fake_exec(fake_newest());
        world_settle(&w);
        session = session_set_get(&w.sessions, "a");
        ck_assert_ptr_nonnull(session);
        ck_assert_ptr_eq(job->session_of, session);
        ck_assert_str_eq(diary.text, "new:a jobs:a");
        ck_assert_ptr_eq(open_("a"), session); /* as if it had been opened */
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_ptr_eq(session_set_get(&w.sessions, "a"), session);
        ck_assert_int_eq(job_set_forget(&w.jobs, job, NULL), 0);
        ck_assert_str_eq(diary.text, "new:a jobs:a jobs:a");
        end();
}
END_TEST

/* The session was made for it, and nobody saw it. */
START_TEST(the_job_that_named_it_fails)
{
        ExecSpec spec;
        Job *job;
        bool existing;

        begin();
        spec_init(&spec);
        spec_set(&spec, "Session", "a");
        world_start(&w, &spec);
        fake_exec_fails(fake_newest(), SPAWN_EXEC, ENOENT, "/bin/payload");
        world_settle(&w);
        ck_assert_uint_eq(w.sessions.n_sessions, 2);

        fake.spawn_error = -EAGAIN;
        spec_init(&spec);
        spec_set(&spec, "Session", "a");
        ck_assert_int_lt(job_set_start(&w.jobs, &spec, &job, &existing, NULL), 0);
        exec_spec_done(&spec);
        ck_assert_uint_eq(w.sessions.n_sessions, 2);
        ck_assert_uint_eq(fake.n_slices, 2);
        ck_assert_str_eq(diary.text, "");
        end();
}
END_TEST

START_TEST(what_jobs_get_of_it)
{
        const SpawnParameters *p;
        Session *session;

        begin();
        ck_assert_int_eq(open_with("a", true, "UMask", "077", &session, NULL), 0);
        ck_assert_int_eq(session_set_directory(session, "/srv", NULL), 0);
        ck_assert_int_eq(session_set_environment(session, (char *const[]){S("A=1"), NULL}, NULL, NULL), 0);
        p = &leader_of(world_run(&w, "Session", "a", NULL))->parameters;
        ck_assert_str_eq(p->working_directory, "/srv");
        ck_assert_str_eq(env_get(p->environment, "A"), "1");
        ck_assert_str_eq(env_get(p->environment, "REEVE_SESSION"), "a");
        ck_assert_ptr_null(env_get(p->environment, "LANG"));
        ck_assert_uint_eq(p->umask, 077);
        p = &leader_of(world_run(&w, "Session", "a", "WorkingDirectory", "x/y", "UMask", "0", "Environment",
                                 "A=2", NULL))
                             ->parameters;
        ck_assert_str_eq(p->working_directory, "/srv/x/y");
        ck_assert_str_eq(env_get(p->environment, "A"), "2");
        ck_assert_uint_eq(p->umask, 0);
        end();
}
END_TEST

START_TEST(changed_by_callers)
{
        char *const more[] = {S("A=1"), S("LANG=x"), S("A=2"), NULL}, *const less[] = {S("PATH"), NULL},
                    *const bad[] = {S("1=2"), NULL}, *const bad_name[] = {S("A=1"), NULL};
        Session *session;
        _cleanup_free_ char *huge = alloc_zero(SESSION_ENVIRONMENT_MAX + 8);
        Error e = ERROR_NULL;

        begin();
        session = open_("a");
        ck_assert_int_eq(session_set_environment(session, more, less, &e), 0);
        ck_assert_str_eq(env_get(session->environment, "A"), "2");
        ck_assert_str_eq(env_get(session->environment, "LANG"), "x");
        ck_assert_ptr_null(env_get(session->environment, "PATH"));
        ck_assert_uint_eq(strv_length(session->environment), 2);

        ck_assert_int_lt(session_set_environment(session, bad, NULL, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_INVALID_ARGS);
        ck_assert_int_lt(session_set_environment(session, NULL, bad_name, &e), 0);
        memset(huge, 'x', SESSION_ENVIRONMENT_MAX);
        memcpy(huge, "H=", 2);
        ck_assert_int_lt(session_set_environment(session, (char *const[]){huge, NULL}, NULL, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_LIMITS_EXCEEDED);
        ck_assert_uint_eq(strv_length(session->environment), 2);

        ck_assert_int_eq(session_set_directory(session, "sub", &e), 0);
        ck_assert_str_eq(session->working_directory, "/work/sub");
        ck_assert_int_eq(session_set_directory(session, "/work/sub", &e),
                         0); /* no change, nothing is told */
        ck_assert_int_lt(session_set_directory(session, "", &e), 0);
        ck_assert_int_lt(session_set_directory(session, long_path(), &e), 0);
        ck_assert_int_eq(e.kind, ERROR_INVALID_ARGS);
        ck_assert_str_eq(diary.text, "new:a directory:a");
        end();
}
END_TEST

START_TEST(closed_when_its_last_job_has_ended)
{
        Job *live, *finished;
        Session *session;
        ExecSpec spec;
        bool existing;
        Job *job;
        Error e = ERROR_NULL;

        begin();
        live = world_run(&w, "Session", "a", NULL);
        finished = world_run(&w, "Session", "a", NULL);
        fake_exit(leader_of(finished), 0);
        world_settle(&w);
        ck_assert_int_eq(session_set_check_close(&w.sessions, "a", &session, &e), 0);
        session_close(session);
        ck_assert_ptr_eq(session_set_get(&w.sessions, "a"), session);

        spec_init(&spec);
        spec_set(&spec, "Session", "a");
        ck_assert_int_lt(job_set_start(&w.jobs, &spec, &job, &existing, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_NO_SUCH_SESSION);
        exec_spec_done(&spec);
        ck_assert_int_lt(open_with("a", false, NULL, NULL, &session, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_SESSION_EXISTS);

        fake_exit(leader_of(live), 0);
        world_settle(&w);
        ck_assert_ptr_null(session_set_get(&w.sessions, "a"));
        ck_assert_ptr_null(finished->session_of);
        ck_assert_str_eq(finished->session, "a"); /* its record tells where it was */
        ck_assert_str_eq(diary.text, "new:a jobs:a jobs:a removed:a");
        ck_assert_uint_eq(fake.n_slices, 2);
        end();
}
END_TEST

START_TEST(closed_at_once)
{
        Session *session;
        Error e = ERROR_NULL;

        begin();
        session_close(open_("a"));
        ck_assert_str_eq(diary.text, "new:a removed:a");
        ck_assert_int_lt(session_set_check_close(&w.sessions, "a", &session, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_NO_SUCH_SESSION);
        ck_assert_int_lt(session_set_check_close(&w.sessions, "system", &session, &e), 0);
        ck_assert_int_eq(e.kind, ERROR_ACCESS_DENIED);
        end();
}
END_TEST

START_TEST(the_default_one_begins_afresh)
{
        Session *session;

        begin();
        session = w.sessions.default_;
        ck_assert_int_eq(session_set_directory(session, "/x", NULL), 0);
        ck_assert_int_eq(session_set_environment(session, (char *const[]){S("A=1"), NULL}, NULL, NULL), 0);
        session->umask = 0;
        world_run(&w, NULL);
        session_close(session);
        ck_assert_str_eq(session->working_directory, "/work");
        ck_assert(strv_equal(session->environment, w.environment));
        ck_assert_uint_eq(session->umask, 027);
        world_run(&w, NULL);
        end();
}
END_TEST

START_TEST(detached)
{
        Session *session, *second;
        Job *job;

        begin();
        job = world_run(&w, "Session", "a", NULL);
        session = job->session_of;
        job_detach(job);
        ck_assert_str_eq(job->session, "");
        ck_assert_ptr_null(job->session_of);
        session_close(session);
        ck_assert_ptr_null(session_set_get(&w.sessions, "a"));
        ck_assert(job_is_running(job));
        ck_assert_uint_eq(fake.n_slices, 3); /* its scope is still in there, */
        second = open_("a");
        ck_assert_str_eq(session_control_group(second), "/a~2.slice"); /* and nobody else's */
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        ck_assert_uint_eq(fake.n_slices, 3);
        session_close(second);
        ck_assert_uint_eq(fake.n_slices, 2);
        job_detach(job); /* also one that has ended, and again */
        end();
}
END_TEST

/* Each allocation that fails is told, and leaves nothing behind. */
START_TEST(no_memory)
{
        Session *session = NULL;
        int r = -ENOMEM;

        begin();
        for (unsigned nth = 1; r < 0; nth++) {
                Error e = ERROR_NULL;

                alloc_fault_set(nth, 0);
                r = open_with("a", false, NULL, NULL, &session, &e);
                if (alloc_fault_hits() == 0)
                        ck_assert_int_eq(r, 0);
                alloc_fault_set(0, 0);
                if (r < 0) {
                        ck_assert_int_eq(e.kind, ERROR_NO_MEMORY);
                        ck_assert_uint_eq(w.sessions.n_sessions, 2);
                        ck_assert_uint_eq(fake.n_slices, 2);
                }
        }
        for (unsigned nth = 1; nth < 5; nth++) {
                alloc_fault_set(nth, 0);
                ck_assert_int_eq(session_set_environment(session, (char *const[]){S("A=1"), NULL}, NULL,
                                                         NULL),
                                 -ENOMEM);
                ck_assert_int_eq(alloc_fault_hits(), 1);
                alloc_fault_set(0, 0);
                ck_assert(strv_equal(session->environment, w.environment));
        }
        r = -ENOMEM; /* what a shell has left: all of it or nothing */
        for (unsigned nth = 1; r < 0; nth++) {
                alloc_fault_set(nth, 0);
                r = session_keep(session, (char *const[]){S("A=1"), NULL}, "/somewhere", NULL);
                ck_assert(alloc_fault_hits() == 1 || r == 0);
                alloc_fault_set(0, 0);
                ck_assert(strv_equal(session->environment, w.environment) == (r < 0));
                ck_assert(streq(session->working_directory, "/somewhere") == (r == 0));
        }
        end();
}
END_TEST

TEST_MAIN("session", two_are_always_there, opened, refused, named_by_a_job, the_job_that_named_it_fails,
          what_jobs_get_of_it, changed_by_callers, closed_when_its_last_job_has_ended, closed_at_once,
          the_default_one_begins_afresh, detached, no_memory)
