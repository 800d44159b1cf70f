/*
 * Sessions are made and let go here. Who names a session that is not there makes it; should the job that
 * named it fail to start, the session was never seen by anybody, and goes again: a refused request changes
 * nothing.
 */

#include "core/session.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/log.h"
#include "basic/strv.h"
#include "core/error.h"
#include "core/session-run.h"
#include "core/session-slice.h"
#include "core/session-state.h"
#include "sys/clock.h"
#include "sys/userdb.h"

void session_spec_init(SessionSpec *s)
{
        *s = (SessionSpec){0};
        exec_spec_init(&s->exec);
}

void session_spec_done(SessionSpec *s)
{
        exec_spec_done(&s->exec);
        free(s->shell);
        s->shell = NULL;
}

static void tell(SessionSet *set, Session *session, bool is_new)
{
        LIST_FOREACH_SAFE (&set->observers, link) {
                SessionObserver *o = container_of(link, SessionObserver, link);
                void (*callback)(SessionObserver *, Session *) =
                                is_new ? o->ops->session_new : o->ops->session_removed;

                if (callback)
                        callback(o, session);
        }
}

void session_tell_changed(Session *session, SessionProperty what)
{
        if (!session->announced)
                return;
        LIST_FOREACH_SAFE (&session->set->observers, link) {
                SessionObserver *o = container_of(link, SessionObserver, link);

                if (o->ops->session_changed)
                        o->ops->session_changed(o, session, what);
        }
}

void session_set_observe(SessionSet *set, SessionObserver *o)
{
        list_append(&set->observers, &o->link);
}

void session_set_unobserve(SessionObserver *o)
{
        list_remove(&o->link);
}

static Session *session_free(Session *session)
{
        SessionSet *set;

        if (!session)
                return NULL;
        set = session->set;
        session_run_done(session);
        session_freezing_done(session, true);
        if (session->slice)
                session_thaw(session); /* what was detached from it has nobody else who could */
        LIST_FOREACH_SAFE (&session->jobs, link) {
                container_of(link, Job, in_session)->session_of = NULL;
                list_remove(link);
        }
        if (session->name && hashmap_get_string(&set->by_name, session->name) == session) {
                hashmap_remove_string(&set->by_name, session->name);
                list_remove(&session->link);
                set->n_sessions--;
        }
        session_slice_unref(session->slice);
        free(session->name);
        free(session->working_directory);
        strv_free(session->environment);
        free(session->user);
        free(session->group);
        free(session->shell);
        free(session);
        return NULL;
}
DEFINE_CLEANUP(Session *, session_free)

static void session_gone(Session *session)
{
        if (session->announced)
                tell(session->set, session, false);
        session_free(session);
}

static void release(Session *session)
{
        if (!session->announced && list_is_empty(&session->jobs))
                session_free(session);
}

void session_set_release(SessionSet *set, const char *name)
{
        Session *session = hashmap_get_string(&set->by_name, name);

        if (session)
                release(session);
}

void session_announce(Session *session)
{
        if (session->announced)
                return;
        session->announced = true;
        tell(session->set, session, true);
}

/* Its name is taken in the set's map by this. */
static int session_new(SessionSet *set, const char *name, SessionSpec *spec, const UserRecord *user,
                       Session **ret)
{
        _cleanup_(session_freep) Session *session = alloc_new(Session);
        int r;

        if (!session)
                return -ENOMEM;
        session->set = set;
        list_init(&session->link);
        list_init(&session->jobs);
        session_watch_init(session);
        session_run_init(session);
        session->name = str_copy(name);
        session->shell = str_copy(spec->shell ?: SESSION_SHELL);
        if (!session->name || !session->shell)
                return -ENOMEM;
        r = session_make_state(set, spec, user, &session->working_directory, &session->environment);
        if (r < 0)
                return r;
        /* What reeve itself was given is as long as it is. */
        if (spec->exec.environment && session_environment_is_too_long(session->environment))
                return -E2BIG;
        r = session_slice_new(set, name, &session->slice);
        if (r < 0)
                return r;
        r = hashmap_put_string(&set->by_name, session->name, session);
        if (r < 0)
                return r;
        list_append(&set->sessions, &session->link);
        set->n_sessions++;

        session->serial = ++set->last_serial;
        session->created = clock_realtime();
        session->umask = exec_spec_is_given(&spec->exec, SETTING_UMASK) ? (mode_t) spec->exec.umask
                                                                        : set->config.umask;
        exec_spec_digest(&spec->exec, &session->digest);
        session->clean_environment = spec->clean_environment;
        session->user = TAKE_PTR(spec->exec.user);
        session->group = TAKE_PTR(spec->exec.group);
        *ret = TAKE_PTR(session);
        return 0;
}

static int make(SessionSet *set, const char *name, SessionSpec *spec, const UserRecord *user, Session **ret,
                Error *e)
{
        int r;

        if (set->n_sessions >= SESSIONS_MAX)
                return error_set(e, ERROR_LIMITS_EXCEEDED,
                                 "Session: there are %u sessions already, the most that may be",
                                 set->n_sessions);
        r = session_new(set, name, spec, user, ret);
        if (r == -ENOMEM)
                return error_no_memory(e);
        if (r == -E2BIG)
                return error_set(e, ERROR_LIMITS_EXCEEDED,
                                 "Environment: the session's is more than 1 MiB with it");
        if (r < 0)
                return error_set(e, ERROR_START_FAILED, "cgroup: %s (%d %s)", errno_text(r), -r,
                                 errno_name(r));
        return 0;
}

static bool is_same_request(const Session *session, const SessionSpec *spec)
{
        RequestDigest digest;

        exec_spec_digest(&spec->exec, &digest);
        return memcmp(&digest, &session->digest, sizeof(digest)) == 0 &&
               spec->clean_environment == session->clean_environment &&
               streq(spec->shell ?: SESSION_SHELL, session->shell);
}

static int check_name(const char *name, Error *e)
{
        return job_name_is_valid(name)
                               ? 0
                               : error_set(e, ERROR_INVALID_ARGS, "name: must be 1 to 64 of [A-Za-z0-9_.-]");
}

static int refuse_closing(const Session *session, ErrorKind kind, Error *e)
{
        return session->closing ? error_set(e, kind, "Session: \"%s\" is being closed", session->name) : 0;
}

/* Who it is for must be there now: its HOME is part of what the session begins with. */
static int look_up(const SessionSpec *spec, UserRecord *user, Error *e)
{
        gid_t gid;
        int r;

        if (spec->exec.user) {
                r = userdb_user("/", spec->exec.user, user);
                if (r < 0)
                        return error_set(e, ERROR_NO_SUCH_USER, "User: \"%s\" is not known",
                                         spec->exec.user);
        }
        if (spec->exec.group && userdb_group("/", spec->exec.group, &gid) < 0)
                return error_set(e, ERROR_NO_SUCH_USER, "Group: \"%s\" is not known", spec->exec.group);
        return 0;
}

int session_set_open(SessionSet *set, const char *name, SessionSpec *spec, Session **ret, Error *e)
{
        _cleanup_(user_record_done) UserRecord user = {0};
        Session *known;
        int r;

        r = check_name(name, e);
        if (r < 0)
                return r;
        known = hashmap_get_string(&set->by_name, name);
        if (known) {
                r = refuse_closing(known, ERROR_SESSION_EXISTS, e);
                if (r < 0)
                        return r;
                if (!is_same_request(known, spec))
                        return error_set(e, ERROR_SESSION_EXISTS,
                                         "name: \"%s\" is a session that was asked for differently", name);
                session_announce(known);
                *ret = known;
                return 0;
        }
        r = session_check_path("WorkingDirectory", spec->exec.working_directory, e);
        if (r >= 0)
                r = session_check_path("Shell", spec->shell, e);
        if (r >= 0)
                r = look_up(spec, &user, e);
        if (r >= 0)
                r = make(set, name, spec, spec->exec.user ? &user : NULL, ret, e);
        if (r < 0)
                return r;
        session_announce(*ret);
        return 0;
}

int session_set_require(SessionSet *set, const char *name, Session **ret, Error *e)
{
        _cleanup_(session_spec_done) SessionSpec spec;
        Session *known = hashmap_get_string(&set->by_name, name);

        session_spec_init(&spec);
        if (known) {
                *ret = known;
                return refuse_closing(known, ERROR_NO_SUCH_SESSION, e);
        }
        return make(set, name, &spec, NULL, ret, e);
}

Session *session_set_get(const SessionSet *set, const char *name)
{
        Session *session = hashmap_get_string(&set->by_name, name);

        return session && session->announced ? session : NULL;
}

static int make_permanent(SessionSet *set, const char *name, Session **ret)
{
        _cleanup_(session_spec_done) SessionSpec spec;
        int r;

        session_spec_init(&spec);
        r = session_new(set, name, &spec, NULL, ret);
        if (r >= 0)
                (*ret)->announced = true; /* there is nobody yet to be told */
        return r;
}

int session_set_init(SessionSet *set, const SessionSetConfig *config)
{
        int r;

        *set = (SessionSet){.config = *config};
        list_init(&set->sessions);
        list_init(&set->observers);
        hashmap_init(&set->by_name, HASHMAP_STRING);
        r = make_permanent(set, SESSION_DEFAULT, &set->default_);
        return r < 0 ? r : make_permanent(set, SESSION_SYSTEM, &set->system);
}

void session_set_done(SessionSet *set)
{
        if (!set->config.timers)
                return;
        LIST_FOREACH_SAFE (&set->sessions, link)
                session_free(container_of(link, Session, link));
        hashmap_done(&set->by_name);
        *set = (SessionSet){0};
}

void session_add_job(Session *session, Job *job)
{
        job->session_of = session;
        job->slice = session_slice_ref(session->slice);
        list_append(&session->jobs, &job->in_session);
        session->n_live++;
}

/* Closed, and nothing of it lives; or made for a job that came to nothing. */
static void release_if_unused(Session *session)
{
        if (session->closing && session->n_live == 0)
                session_gone(session);
        else
                release(session);
}

void session_job_finished(Job *job)
{
        Session *session = job->session_of;

        if (!session)
                return;
        session->n_live--;
        release_if_unused(session);
}

void session_remove_job(Job *job)
{
        Session *session = job->session_of;

        if (!session)
                return;
        list_remove(&job->in_session);
        job->session_of = NULL;
        if (job->announced)
                session_tell_changed(session, SESSION_JOBS);
        if (!job_is_finished(job))
                session->n_live--;
        release_if_unused(session);
}

/* As reeve gave it once. Without memory it stays as it is, which is said. What its shells are yet to leave
 * is of what it was before. */
static void reset(Session *session)
{
        _cleanup_(session_spec_done) SessionSpec spec;
        char *directory, **environment;

        LIST_FOREACH (&session->jobs, link)
                job_forget_shell(container_of(link, Job, in_session));
        session_thaw(session);
        session_spec_init(&spec);
        if (session_make_state(session->set, &spec, NULL, &directory, &environment) < 0) {
                log_warning("Session %s: no memory to reset it", session->name);
                return;
        }
        free(session->working_directory);
        session->working_directory = directory;
        strv_free(session->environment);
        session->environment = environment;
        session->umask = session->set->config.umask;
        session_tell_changed(session, SESSION_WORKING_DIRECTORY);
}

int session_set_check_close(const SessionSet *set, const char *name, Session **ret, Error *e)
{
        Session *session = session_set_get(set, name);

        if (!session)
                return error_set(e, ERROR_NO_SUCH_SESSION, "name: there is no session \"%s\"", name);
        if (session == set->system)
                return error_set(e, ERROR_ACCESS_DENIED, "name: \"" SESSION_SYSTEM "\" cannot be closed");
        *ret = session;
        return 0;
}

void session_close(Session *session)
{
        session->closing = session != session->set->default_;
        session_run_stop_all(session);
        if (!session->closing)
                reset(session);
        else if (session->n_live == 0)
                session_gone(session);
}
