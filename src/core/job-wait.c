/*
 * Several things are waited for side by side, each where it happens: the job's moments, its ports, its
 * lines. Whichever comes first ends all of it. Nothing is decided before what the job has written by then
 * was looked at: so a line that was there before the job's end is told before that end.
 */

#include "core/job-wait.h"

#include <errno.h>
#include <stdlib.h>

#include "journal/ring.h"

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

static bool wants_lines(const JobWait *w)
{
        return w->until[WAIT_LOG_PATTERN];
}

/* Up to now: so much of the log is looked at before anything else is told. */
static void take_aim(JobWait *w)
{
        RingPosition tail;

        ring_tail(w->job->ring, &tail);
        w->aim = tail.seqnum;
        w->aims = true;
}

static int decide(JobWait *w)
{
        int r = moment_reached(w);

        if (r == -EAGAIN && !w->once)
                return r;
        if (wants_lines(w) && r != WAIT_READY) {
                if (!w->aims)
                        take_aim(w);
                if (!line_scan_has_passed(&w->lines, w->aim)) {
                        line_scan_more(&w->lines);
                        return -EAGAIN;
                }
        }
        return r == -EAGAIN && w->unseen == 0 ? -ETIMEDOUT : r;
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
                line_scan_more(&w->lines);
                return;
        }
        if (moment == JOB_MOMENT_DRAINED)
                line_scan_more(&w->lines);
        decide_and_tell(w);
}

static void port_looked(JobWait *w, PortWait *pw, int r)
{
        unsigned bit = 1U << (pw - w->port_waits);
        bool first = w->unseen & bit;

        w->unseen &= ~bit;
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

static void on_lines(LineScan *s, int r)
{
        JobWait *w = container_of(s, JobWait, lines);

        if (r != 0)
                w->done(w, r == 1 ? (int) WAIT_LOG_PATTERN : r);
        else if (w->aims || w->once)
                decide_and_tell(w);
}

void job_wait_init(JobWait *w)
{
        *w = (JobWait){.watch.notify = on_moment,
                       .lines.looked = on_lines,
                       .port_waits = {{.looked = on_port}, {.looked = on_ports}}};
        list_init(&w->watch.link);
        list_init(&w->lines.link);
}

void job_wait_done(JobWait *w)
{
        job_watch_remove(&w->watch);
        line_scan_stop(&w->lines);
        for (size_t i = 0; i < ELEMENTSOF(w->port_waits); i++) {
                port_wait_remove(&w->port_waits[i]);
                free(w->ports[i]);
                w->ports[i] = NULL;
        }
}

static void start_ports(JobWait *w, PortWatch *ports)
{
        static const WaitKey keys[] = {WAIT_PORT, WAIT_PORTS};

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                PortWait *pw = &w->port_waits[i];

                if (!w->until[keys[i]])
                        continue;
                pw->job = w->job;
                pw->ports = w->ports[i];
                pw->n_ports = w->n_ports[i];
                w->unseen |= 1U << i;
                port_wait_add(ports, pw);
        }
}

int job_wait_start(JobWait *w, Job *job, PortWatch *ports, LineWatch *lines)
{
        int r;

        w->job = job;
        r = moment_reached(w);
        if (r != -EAGAIN && (!wants_lines(w) || r == WAIT_READY))
                return r;
        if (wants_lines(w)) {
                r = line_scan_start(lines, &w->lines, job);
                if (r < 0)
                        return r;
        }
        if (!job_is_finished(job))
                start_ports(w, ports);
        job_watch_add(job, &w->watch);
        return decide(w);
}

int job_wait_time_out(JobWait *w)
{
        int r = moment_reached(w);

        return r == -EAGAIN ? -ETIMEDOUT : r;
}
