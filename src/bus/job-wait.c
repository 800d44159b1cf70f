/*
 * Waiting touches nothing: it looks, and where what is waited for is not so yet, it looks again at each
 * moment of the job.
 */

#include "bus/job-wait.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "bus/dict.h"
#include "bus/errors.h"
#include "bus/peer.h"
#include "bus/pending.h"
#include "core/error.h"
#include "core/job.h"
#include "core/manager.h"

#define REPLY_SIZE 256U

/* In the order in which they come true. */
static const struct {
        const char *name;
        bool (*is_so)(const Job *job);
} conditions[] = {
                {"Exited", job_is_exited},
                {"Drained", job_is_drained},
                {"Finished", job_is_finished},
};

typedef struct PendingWait {
        Pending pending;
        JobWatch watch;
        Job *job;
        bool until[ELEMENTSOF(conditions)];
} PendingWait;

static int read_until(sd_bus_message *m, bool until[static ELEMENTSOF(conditions)], Error *e)
{
        const DictKey keys[] = {
                        {conditions[0].name, SETTING_TYPE_BOOL, &until[0]},
                        {conditions[1].name, SETTING_TYPE_BOOL, &until[1]},
                        {conditions[2].name, SETTING_TYPE_BOOL, &until[2]},
                        {"Ready", SETTING_TYPE_BOOL, .unavailable = true},
                        {"Port", SETTING_TYPE_UINT16, .unavailable = true},
                        {"Ports", .signature = "aq", .unavailable = true},
                        {"LogPattern", SETTING_TYPE_STRING, .unavailable = true},
                        {"LogStreams", SETTING_TYPE_STRV, .unavailable = true},
        };
        int r;

        r = dict_read(m, keys, ELEMENTSOF(keys), NULL, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(conditions); i++)
                if (until[i])
                        return 0;
        return error_set(e, ERROR_INVALID_ARGS, "until: names nothing to wait for");
}

static const char *reached(const Job *job, const bool *until)
{
        for (size_t i = 0; i < ELEMENTSOF(conditions); i++)
                if (until[i] && conditions[i].is_so(job))
                        return conditions[i].name;
        return NULL;
}

static int reply_new(sd_bus_message *call, const Job *job, const char *name, sd_bus_message **ret)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_return(call, &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "sa{sv}", name, 4,                             /**/
                                          "ExitCode", "i", (int32_t) job->exit_code,        /**/
                                          "Signal", "i", (int32_t) job->signal,             /**/
                                          "Result", "s", job_result_to_string(job->result), /**/
                                          "State", "s", job_state_to_string(job->fsm.state));
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        PendingWait *pw = container_of(w, PendingWait, watch);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *name;
        Error e;
        int r;

        if (moment == JOB_MOMENT_REMOVED) {
                error_set(&e, ERROR_NO_SUCH_JOB, "Job \"%s\" was let go meanwhile", job->id);
                pending_fail(&pw->pending, &e);
                return;
        }
        name = reached(job, pw->until);
        if (!name)
                return;
        r = reply_new(pw->pending.call, job, name, &m);
        pending_reply(&pw->pending, r < 0 ? NULL : m, REPLY_SIZE);
}

static int timed_out(Error *e)
{
        return error_set(e, ERROR_TIMEOUT, "What was waited for has not come true in time");
}

static void on_timeout(Pending *p, usec_t now)
{
        Error e;

        timed_out(&e);
        pending_fail(p, &e);
}

static void on_destroy(Pending *p)
{
        PendingWait *pw = container_of(p, PendingWait, pending);

        job_watch_remove(&pw->watch);
        free(pw);
}

static const PendingOps ops = {.timeout = on_timeout, .destroy = on_destroy};

static int wait_later(sd_bus_message *m, Peer *peer, Job *job, const bool *until, usec_t timeout, Error *e)
{
        _cleanup_free_ PendingWait *pw = alloc_new(PendingWait);
        int r;

        if (!pw)
                return error_no_memory(e);
        list_init(&pw->watch.link);
        pw->watch.notify = on_moment;
        pw->job = job;
        memcpy(pw->until, until, sizeof(pw->until));
        r = pending_init(&pw->pending, &ops, peer, m, e);
        if (r < 0)
                return r;
        job_watch_add(job, &pw->watch);
        pending_arm(&pw->pending, usec_add(manager_now(), timeout));
        TAKE_PTR(pw);
        return 1;
}

int bus_job_method_wait(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        bool until[ELEMENTSOF(conditions)] = {0};
        Error e = ERROR_NULL;
        const char *name;
        uint64_t timeout = 0;
        int r;

        r = read_until(m, until, &e);
        if (r >= 0)
                r = sd_bus_message_read(m, "t", &timeout);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        name = reached(job, until);
        if (!name) {
                r = timeout == 0 ? timed_out(&e) : wait_later(m, peer, job, until, timeout, &e);
                return r < 0 ? bus_error_set(ret_error, &e, r) : r;
        }
        r = reply_new(m, job, name, &reply);
        return r < 0 ? r : peer_send(peer, reply);
}
