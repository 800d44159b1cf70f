/*
 * The folder of a session in the cgroup tree, shared by the session and its jobs. A job that was detached
 * holds it when the session is long gone; a new session of that name then gets another (scope_new_slice()
 * sees to that), so that freezing the one never stops the other's.
 */

#include "core/session-slice.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/log.h"
#include "core/error.h"
#include "core/session.h"
#include "sys/scope.h"

int session_slice_new(SessionSet *set, const char *name, SessionSlice **ret)
{
        SessionSlice *slice = alloc_new(SessionSlice);
        int r;

        if (!slice)
                return -ENOMEM;
        r = scope_new_slice(set->config.tree, name, &slice->scope);
        if (r < 0) {
                free(slice);
                return r;
        }
        slice->keeper = set->config.keeper;
        slice->n_ref = 1;
        *ret = slice;
        return 0;
}

SessionSlice *session_slice_ref(SessionSlice *slice)
{
        slice->n_ref++;
        return slice;
}

void session_slice_unref(SessionSlice *slice)
{
        if (!slice || --slice->n_ref > 0)
                return;
        scope_keeper_release(slice->keeper, slice->scope);
        free(slice);
}

const char *session_slice_folder(const SessionSlice *slice)
{
        return scope_folder(slice->scope);
}

void session_freezing_done(Session *session, bool gone)
{
        LIST_FOREACH_SAFE (&session->freezing, link) {
                SessionWait *w = container_of(link, SessionWait, link);

                int r = gone                                      ? -ENOENT
                        : w->frozen == session_is_frozen(session) ? 0
                        : w->frozen != session->freeze_asked      ? -EALREADY
                                                                  : -EAGAIN;

                if (r == -EAGAIN)
                        continue;
                list_remove(&w->link);
                w->done(w, r);
        }
        if (list_is_empty(&session->freezing))
                scope_keeper_unwatch(session->set->config.keeper, &session->watch);
}

static void check_jobs(Session *session)
{
        LIST_FOREACH (&session->jobs, link)
                job_check_frozen(container_of(link, Job, in_session));
}

static void on_changed(ScopeWatch *w)
{
        Session *session = container_of(w, Session, watch);

        check_jobs(session);
        session_freezing_done(session, false);
}

void session_watch_init(Session *session)
{
        list_init(&session->freezing);
        scope_watch_init(&session->watch, on_changed);
}

int session_freeze(Session *session, bool frozen, SessionWait *wait, bool *ret_done, Error *e)
{
        Scope *scope = session->slice->scope;
        int r;

        /* The watch first: what happens between the two must be heard of. */
        r = scope_keeper_watch(session->set->config.keeper, &session->watch, scope);
        if (r >= 0)
                r = scope_freeze(scope, frozen);
        if (r < 0)
                return error_set(e, ERROR_NOT_SUPPORTED,
                                 "There is no cgroup here that could be frozen: %s (%s)", errno_text(r),
                                 errno_name(r));
        session->freeze_asked = frozen;
        *ret_done = session_is_frozen(session) == frozen;
        if (*ret_done) {
                check_jobs(session); /* with nobody who waits there is no notice of it */
        } else {
                wait->frozen = frozen;
                list_append(&session->freezing, &wait->link);
        }
        session_freezing_done(session, false);
        return 0;
}

void session_thaw(Session *session)
{
        int r;

        if (!session->freeze_asked)
                return;
        r = scope_freeze(session->slice->scope, false);
        if (r < 0)
                log_warning_errno(r, "Session %s: cannot thaw it", session->name);
        session->freeze_asked = r < 0;
        session_freezing_done(session, false);
}

bool session_is_frozen(const Session *session)
{
        return scope_is_frozen(session->slice->scope) > 0;
}

void session_usage(const Session *session, ScopeUsage *ret)
{
        scope_usage(session->slice->scope, ret);
}

const char *session_control_group(const Session *session)
{
        return scope_path(session->slice->scope);
}
