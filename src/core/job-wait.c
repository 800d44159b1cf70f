/*
 * Several things are waited for side by side, each where it happens: the job's moments, its ports, its
 * lines. Whichever comes first ends all of it. Nothing is decided before what the job has written by then
 * was looked at: so a line that was there before the job's end is told before that end.
 */

#include "core/job-wait.h"

#include <errno.h>
#include <stdlib.h>

const char *wait_key_to_string(WaitKey key)
{
        static const char *const words[_WAIT_KEY_MAX] = {
#define X(id, word) [WAIT_##id] = (word),
                        WAIT_KEYS(X)
#undef X
        };

        return words[key];
}

static const struct {
        WaitKey key;
        bool (*is_so)(const Job *job);
} moments[] = {
                {WAIT_READY, job_is_ready},
                {WAIT_EXITED, job_is_exited},
                {WAIT_DRAINED, job_is_drained},
                {WAIT_FINISHED, job_is_finished},
};

/* What of it can be seen of the job as it is. A finished one makes everything else impossible. */
static int moment_reached(const JobWait *w)
{
        for (size_t i = 0; i < ELEMENTSOF(moments); i++)
                if (w->until[moments[i].key] && moments[i].is_so(w->job))
                        return (int) moments[i].key;
        return job_is_finished(w->job) ? (int) WAIT_FINISHED : -EAGAIN;
}

static int decide(const JobWait *w)
{
        int r = moment_reached(w);

        if (r == -EAGAIN && w->once && w->n_looking == 0)
                return -ETIMEDOUT;
        return r;
}

static void decide_and_tell(JobWait *w)
{
        int r = decide(w);

        if (r != -EAGAIN)
                w->done(w, r);
}

static void on_moment(JobWatch *watch, Job *job, JobMoment moment)
{
        JobWait *w = container_of(watch, JobWait, watch);

        if (moment == JOB_MOMENT_REMOVED) {
                w->done(w, -ENOENT);
                return;
        }
        if (moment == JOB_MOMENT_OUTPUT) {
                for (size_t i = 0; i < ELEMENTSOF(w->port_waits); i++)
                        port_wait_hint(&w->port_waits[i]);
                return;
        }
        decide_and_tell(w);
}

static void port_looked(JobWait *w, PortWait *pw, int r)
{
        bool first = w->n_looking & (1U << (pw - w->port_waits));

        w->n_looking &= ~(1U << (pw - w->port_waits));
        if (r == 1)
                w->done(w, pw == &w->port_waits[0] ? WAIT_PORT : WAIT_PORTS);
        else if (r < 0 && (w->once || r == -ENOMEM))
                w->done(w, r);
        else if (first)
                decide_and_tell(w);
}

static void on_port(PortWait *pw, int r)
{
        port_looked(container_of(pw, JobWait, port_waits[0]), pw, r);
}

static void on_ports(PortWait *pw, int r)
{
        port_looked(container_of(pw, JobWait, port_waits[1]), pw, r);
}

void job_wait_init(JobWait *w)
{
        *w = (JobWait){.watch.notify = on_moment, .port_waits = {{.looked = on_port}, {.looked = on_ports}}};
        list_init(&w->watch.link);
}

void job_wait_done(JobWait *w)
{
        job_watch_remove(&w->watch);
        for (size_t i = 0; i < ELEMENTSOF(w->port_waits); i++) {
                port_wait_remove(&w->port_waits[i]);
                free(w->ports[i]);
                w->ports[i] = NULL;
        }
}

int job_wait_start(JobWait *w, Job *job, PortWatch *ports)
{
        static const WaitKey port_keys[] = {WAIT_PORT, WAIT_PORTS};
        int r;

        w->job = job;
        r = moment_reached(w);
        if (r != -EAGAIN)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(port_keys); i++) {
                PortWait *pw = &w->port_waits[i];

                if (!w->until[port_keys[i]])
                        continue;
                pw->job = job;
                pw->ports = w->ports[i];
                pw->n_ports = w->n_ports[i];
                w->n_looking |= 1U << i;
                port_wait_add(ports, pw);
        }
        r = decide(w);
        if (r == -EAGAIN)
                job_watch_add(job, &w->watch);
        return r;
}

int job_wait_time_out(JobWait *w)
{
        int r = moment_reached(w);

        return r == -EAGAIN ? -ETIMEDOUT : r;
}
