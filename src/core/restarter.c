/*
 * What is decided when the leader has ended is done a turn later: the job is in the middle of its own event
 * then. What a leader has left behind goes before there is another run; where there is none it stays, as
 * with any job.
 */

#include "core/restarter.h"

#include <stdlib.h>

#include "basic/alloc.h"
#include "core/error.h"
#include "core/job-set.h"
#include "core/job.h"
#include "core/restart.h"
#include "sys/clock.h"

typedef struct Restarter {
        JobService service;
        Job *job;
        JobWatch watch;
        Timer timer;
        RestartPolicy policy;
        RestartState state;
        usec_t run_start; /* CLOCK_MONOTONIC */
        bool stopped;     /* somebody wanted it to end */
        bool again;
        bool limit_hit;
} Restarter;

static TimerQueue *timers(Restarter *r)
{
        return r->job->set->config.timers;
}

static void restarter_free(Restarter *r)
{
        timer_disarm(timers(r), &r->timer);
        job_watch_remove(&r->watch);
        free(r);
}

/* The job is on its own from here. */
static void let_go(Restarter *r)
{
        Job *job = r->job;

        restarter_free(r);
        job_over(job);
}

static void run_again(Restarter *r)
{
        Error e = ERROR_NULL;

        r->run_start = clock_monotonic();
        r->job->n_restarts++;
        job_note(r->job, "Restarted (%u)", r->job->n_restarts);
        if (job_run(r->job, &e) < 0) {
                job_note(r->job, "Cannot start: %s", e.message);
                job_run_failed(r->job);
        }
}

static void on_timer(Timer *t, usec_t now)
{
        Restarter *r = container_of(t, Restarter, timer);

        if (!r->again && !r->limit_hit)
                let_go(r);
        else if (r->job->fsm.state != JOB_RESTING)
                job_end_run(r->job, 0, r->job->spec.timeout_stop);
        else
                run_again(r);
}

/* How the run ended is known; nothing follows from it before the next turn. */
static void decide(Restarter *r)
{
        Job *job = r->job;
        usec_t now = clock_monotonic();
        const RunEnd end = {job->result, job->exit_code, job->signal, now - r->run_start};

        if (job->result == JOB_RESULT_RESOURCES && !isempty(job->start_error.message))
                job_note(job, "Cannot start: %s", job->start_error.message);
        r->again = !r->stopped && !job->set->closed && restart_is_wanted(&r->policy, &end);
        if (r->again && !restart_count(&r->policy, &r->state, now)) {
                r->again = false;
                r->limit_hit = true;
        }
        timer_arm(timers(r), &r->timer, now);
}

static void on_run_over(JobService *s)
{
        Restarter *r = container_of(s, Restarter, service);
        Job *job = r->job;
        usec_t now = clock_monotonic();
        const RunEnd end = {job->result, job->exit_code, job->signal, now - r->run_start};
        usec_t pause;

        if (!r->again) {
                if (r->limit_hit) {
                        job->result = JOB_RESULT_START_LIMIT_HIT;
                        job_note(job, "Not restarted: %u runs within %llu ms are too many", r->policy.burst,
                                 (unsigned long long) (r->policy.interval / USEC_PER_MSEC));
                }
                let_go(r);
                return;
        }
        pause = restart_pause(&r->policy, &r->state, &end);
        timer_arm(timers(r), &r->timer, usec_add(now, pause));
}

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        Restarter *r = container_of(w, Restarter, watch);

        if (moment == JOB_MOMENT_EXITED)
                decide(r);
}

static void on_stop(JobService *s, int sig, usec_t timeout)
{
        Restarter *r = container_of(s, Restarter, service);
        Job *job = r->job;

        r->stopped = true;
        r->again = false;
        if (job->fsm.state == JOB_RESTING)
                let_go(r);
        else
                job_end_run(job, sig, timeout);
}

static void on_job_gone(JobService *s)
{
        restarter_free(container_of(s, Restarter, service));
}

static const JobServiceOps service_ops = {.stop = on_stop, .run_over = on_run_over, .job_gone = on_job_gone};

int restarter_new(Job *job, Error *e)
{
        Restarter *r = alloc_new(Restarter);

        if (!r)
                return error_no_memory(e);
        r->service.ops = &service_ops;
        r->job = job;
        r->policy = restart_policy_of(&job->spec);
        r->watch.notify = on_moment;
        list_init(&r->watch.link);
        timer_init(&r->timer, on_timer);
        r->run_start = clock_monotonic();
        (void) restart_count(&r->policy, &r->state, r->run_start);
        job_watch_add(job, &r->watch);
        job->service = &r->service;
        job->fsm.held = true;
        return 0;
}
