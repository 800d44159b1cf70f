/*
 * The kernel takes a while to bring all processes of a cgroup to stand; the answer comes when it says that
 * they do. It never will when they are to go on before that: then the answer is that.
 */

#include "bus/freeze.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "bus/errors.h"
#include "bus/peer.h"
#include "bus/pending.h"
#include "core/error.h"
#include "core/job.h"
#include "core/session.h"

#define REPLY_SIZE 128U

typedef struct PendingFreeze {
        Pending pending;
        bool frozen;
        JobWatch watch;   /* of a job */
        SessionWait wait; /* of a session */
} PendingFreeze;

static void answer(PendingFreeze *pf)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_return(pf->pending.call, &m);

        pending_reply(&pf->pending, r < 0 ? NULL : m, REPLY_SIZE);
}

static void fail(PendingFreeze *pf, ErrorKind kind, const char *what)
{
        Error e;

        error_set(&e, kind, "%s", what);
        pending_fail(&pf->pending, &e);
}

static const char overtaken[] = "The opposite was asked for before it was done";

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        PendingFreeze *pf = container_of(w, PendingFreeze, watch);

        if (moment == JOB_MOMENT_FREEZER && job_is_frozen(job) == pf->frozen)
                answer(pf);
        else if (moment == JOB_MOMENT_FREEZER && job->freeze_asked != pf->frozen)
                fail(pf, ERROR_OVERTAKEN, overtaken);
        else if (moment == JOB_MOMENT_FINISHED || moment == JOB_MOMENT_REMOVED)
                fail(pf, ERROR_NO_SUCH_PROCESS, "The job has ended meanwhile");
}

static void on_done(SessionWait *w, int r)
{
        PendingFreeze *pf = container_of(w, PendingFreeze, wait);

        if (r == -ENOENT)
                fail(pf, ERROR_NO_SUCH_SESSION, "The session was closed meanwhile");
        else if (r < 0)
                fail(pf, ERROR_OVERTAKEN, overtaken);
        else
                answer(pf);
}

static void on_timeout(Pending *p, usec_t now)
{
}

static void on_destroy(Pending *p)
{
        PendingFreeze *pf = container_of(p, PendingFreeze, pending);

        job_watch_remove(&pf->watch);
        list_remove(&pf->wait.link);
        free(pf);
}

static const PendingOps ops = {.timeout = on_timeout, .destroy = on_destroy};

static int pending_freeze_new(Peer *peer, sd_bus_message *m, bool frozen, PendingFreeze **ret, Error *e)
{
        PendingFreeze *pf = alloc_new(PendingFreeze);
        int r;

        if (!pf)
                return error_no_memory(e);
        pf->frozen = frozen;
        list_init(&pf->watch.link);
        pf->watch.notify = on_moment;
        list_init(&pf->wait.link);
        pf->wait.done = on_done;
        r = pending_init(&pf->pending, &ops, peer, m, e);
        if (r < 0) {
                free(pf);
                return r;
        }
        *ret = pf;
        return 0;
}

int bus_freeze_job(sd_bus_message *m, Peer *peer, Job *job, bool frozen, sd_bus_error *ret_error)
{
        Error e = ERROR_NULL;
        PendingFreeze *pf;
        int r;

        r = pending_freeze_new(peer, m, frozen, &pf, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        r = job_freeze(job, frozen, &e);
        if (r < 0)
                pending_fail(&pf->pending, &e);
        else if (r > 0)
                answer(pf);
        else
                job_watch_add(job, &pf->watch);
        return 1;
}

int bus_freeze_session(sd_bus_message *m, Peer *peer, Session *session, bool frozen, sd_bus_error *ret_error)
{
        Error e = ERROR_NULL;
        PendingFreeze *pf;
        bool done = false;
        int r;

        r = pending_freeze_new(peer, m, frozen, &pf, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        r = session_freeze(session, frozen, &pf->wait, &done, &e);
        if (r < 0)
                pending_fail(&pf->pending, &e);
        else if (done)
                answer(pf);
        return 1;
}
