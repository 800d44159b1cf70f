/*
 * A hold ends with the job or with the peer, whichever goes first; it costs the peer a few words for each
 * job, of which there can be no more than may live.
 */

#include "bus/hold.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "bus/peer.h"
#include "core/job.h"

struct Hold {
        List link; /* Peer.holds */
        JobWatch watch;
        Job *job;
        Hold **slot; /* NULL: nobody has it */
};

static void hold_free(Hold *h)
{
        if (h->slot)
                *h->slot = NULL;
        list_remove(&h->link);
        job_watch_remove(&h->watch);
        free(h);
}

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        if (moment == JOB_MOMENT_START_FAILED || moment == JOB_MOMENT_FINISHED ||
            moment == JOB_MOMENT_REMOVED)
                hold_free(container_of(w, Hold, watch));
}

int hold_new(Peer *p, Hold **slot)
{
        Hold *h = alloc_new(Hold);

        if (!h)
                return -ENOMEM;
        list_init(&h->link);
        list_init(&h->watch.link);
        h->watch.notify = on_moment;
        list_append(&p->holds, &h->link);
        h->slot = slot;
        *slot = h;
        return 0;
}

void hold_set(Hold *h, Job *job)
{
        if (job_is_finished(job)) {
                hold_free(h);
                return;
        }
        h->job = job;
        job_watch_add(job, &h->watch);
        job_hold(job);
}

void hold_let_go(Hold *h)
{
        if (!h)
                return;
        *h->slot = NULL;
        h->slot = NULL;
}

void hold_end(Hold *h)
{
        if (!h)
                return;
        if (h->job)
                h->job->n_holders--;
        hold_free(h);
}

void hold_release_all(Peer *p)
{
        List *first;

        /* One at a time: stopping a job may end it, and its other holds with it. */
        while ((first = list_first(&p->holds))) {
                Job *job = container_of(first, Hold, link)->job;

                hold_free(container_of(first, Hold, link));
                if (job)
                        job_let_go(job);
        }
}
