/*
 * Finding a job is a map each by what it is looked up with: its Id, its leader's pid, its scope's watch. Two
 * kinds of work are left for later here, each with a timer that is only armed while there is some: letting
 * go of finished jobs that are too many (never from within a job's own call stack), and removing scopes that
 * the kernel has not quite let go of (EBUSY just after a kill).
 */

#include "core/job-set.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "core/error.h"
#include "core/job.h"
#include "core/notify.h"
#include "core/restarter.h"
#include "core/session.h"
#include "journal/store.h"
#include "sys/cgroup.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/reaper.h"
#include "sys/stdio.h"

#define LOOK_DELAY (100 * USEC_PER_MSEC)
/* So long a record stays for those who follow its log, and keep up with it, when there are too many. */
#define FOLLOWED_DELAY USEC_PER_SEC

static void on_trim(Timer *t, usec_t now)
{
        JobSet *set = container_of(t, JobSet, trim_timer);

        LIST_FOREACH_SAFE (&set->spent, link)
                job_free(container_of(link, Job, finished));
        LIST_FOREACH_SAFE (&set->finished, link) {
                Job *job = container_of(link, Job, finished);
                usec_t spared = job->n_followers > 0 ? job->finish_monotonic + FOLLOWED_DELAY : 0;

                if (set->n_finished <= set->config.finished_max)
                        return;
                if (spared <= now)
                        job_set_forget(set, job, NULL);
                else if (!timer_is_armed(t) || t->deadline > spared)
                        timer_arm(set->config.timers, t, spared);
        }
}

static void on_look(Timer *t, usec_t now)
{
        LIST_FOREACH_SAFE (&container_of(t, JobSet, look_timer)->jobs, link)
                job_check_empty(container_of(link, Job, by_age));
}

static void on_notices_lost(ScopeKeeper *keeper)
{
        LIST_FOREACH_SAFE (&((JobSet *) keeper->userdata)->jobs, link) {
                Job *job = container_of(link, Job, by_age);

                job_check_frozen(job);
                job_check_empty(job);
        }
}

void job_set_look_again(JobSet *set)
{
        if (!timer_is_armed(&set->look_timer))
                timer_arm(set->config.timers, &set->look_timer, clock_monotonic() + LOOK_DELAY);
}

int job_set_init(JobSet *set, const JobSetConfig *config)
{
        int r;

        *set = (JobSet){
                        .config = *config,
                        .ports = PORT_LOOK_NULL,
                        .null_fd = -EBADF,
                        .foreground_fd = -EBADF,
        };
        list_init(&set->jobs);
        list_init(&set->finished);
        list_init(&set->spent);
        list_init(&set->observers);
        list_init(&set->notified);
        hashmap_init(&set->by_id, HASHMAP_STRING);
        hashmap_init(&set->by_pid, HASHMAP_NUMBER);
        timer_init(&set->trim_timer, on_trim);
        timer_init(&set->look_timer, on_look);
        random_bytes(set->run, sizeof(set->run));

        set->capture_host = (CaptureHost){
                        .event = config->event,
                        .timers = config->timers,
                        .buffer = alloc_zero(CAPTURE_BUFFER_SIZE),
                        .progress = job_capture_progress,
                        .fed = job_capture_fed,
        };
        if (!set->capture_host.buffer)
                return -ENOMEM;
        r = set->null_fd = stdio_null();
        if (r < 0)
                return r;
        config->keeper->lost = on_notices_lost;
        config->keeper->userdata = set;
        return 0;
}

void job_set_done(JobSet *set)
{
        if (!set->config.timers)
                return;
        /* Control commands first: their log is another job's. */
        LIST_FOREACH_SAFE (&set->jobs, link)
                if (container_of(link, Job, by_age)->control_of)
                        job_free(container_of(link, Job, by_age));
        LIST_FOREACH_SAFE (&set->jobs, link)
                job_free(container_of(link, Job, by_age));
        set->config.keeper->lost = NULL;
        timer_disarm(set->config.timers, &set->trim_timer);
        timer_disarm(set->config.timers, &set->look_timer);
        fd_close(set->null_fd);
        port_look_done(&set->ports);
        hashmap_done(&set->by_id);
        hashmap_done(&set->by_pid);
        free(set->capture_host.buffer);
        *set = (JobSet){0};
}

/* Of control commands nobody is told, and nothing is kept. */
static void control_told(JobSet *set, Job *job, JobSetEvent event)
{
        if (event != JOB_SET_FINISHED)
                return;
        list_append(&set->spent, &job->finished);
        timer_arm(set->config.timers, &set->trim_timer, clock_monotonic());
        job_set_one_less(set);
}

void job_set_tell(JobSet *set, Job *job, JobSetEvent event)
{
        if (job->control_of) {
                control_told(set, job, event);
                return;
        }
        switch (event) {
        case JOB_SET_NEW: set->n_jobs++; break;
        case JOB_SET_FINISHED:
                set->n_finished++;
                list_append(&set->finished, &job->finished);
                if (set->n_finished > set->config.finished_max)
                        timer_arm(set->config.timers, &set->trim_timer, clock_monotonic());
                break;
        case JOB_SET_REMOVED:
                set->n_jobs--;
                set->n_finished--;
                break;
        default: break;
        }

        LIST_FOREACH_SAFE (&set->observers, link) {
                JobObserver *o = container_of(link, JobObserver, link);
                void (*const callbacks[])(JobObserver *, Job *) = {
                                [JOB_SET_NEW] = o->ops->job_new,
                                [JOB_SET_CHANGED] = o->ops->job_changed,
                                [JOB_SET_EXITED] = o->ops->job_exited,
                                [JOB_SET_FINISHED] = o->ops->job_finished,
                                [JOB_SET_REMOVED] = o->ops->job_removed,
                };

                if (callbacks[event])
                        callbacks[event](o, job);
        }
        if (event == JOB_SET_FINISHED)
                job_set_one_less(set);
}

void job_set_one_less(JobSet *set)
{
        set->n_live--;
        if (set->n_live > 0)
                return;
        LIST_FOREACH_SAFE (&set->observers, link) {
                JobObserver *o = container_of(link, JobObserver, link);

                if (o->ops->idle)
                        o->ops->idle(o);
        }
}

void job_set_observe(JobSet *set, JobObserver *o)
{
        list_append(&set->observers, &o->link);
}

void job_set_unobserve(JobObserver *o)
{
        list_remove(&o->link);
}

/* The record alone: not told of, not counted but as live. Where that fails the request is still the
 * caller's. */
static int add(JobSet *set, const char *session, ExecSpec *spec, JobRequest *request, Job **ret, Error *e)
{
        Job *job;
        int r;

        r = session_set_require(set->config.sessions, session, &request->session, e);
        if (r < 0)
                return r;
        r = job_new(set, request, spec, &job, e);
        if (r < 0) {
                session_set_release(set->config.sessions, session);
                return r;
        }
        list_append(&set->jobs, &job->by_age);
        set->n_live++;
        if (!request->control_of && hashmap_put_string(&set->by_id, job->id, job) < 0) {
                *spec = job->spec;
                exec_spec_init(&job->spec);
                job_free(job);
                return error_no_memory(e);
        }
        *ret = job;
        return 0;
}

/* Nobody has heard of it if its first run does not come to be. */
static int run_first(Job *job, ExecSpec *spec, Job **ret, Error *e)
{
        int r = 0;

        if (job->spec.restart != RESTART_NO)
                r = restarter_new(job, e);
        if (r >= 0)
                r = job_run(job, e);
        if (r < 0) {
                *spec = job->spec;
                exec_spec_init(&job->spec);
                job_free(job);
                return r;
        }
        *ret = job;
        return 0;
}

static int refuse_new(const JobSet *set, Error *e)
{
        if (set->closed)
                return error_set(e, ERROR_SHUTTING_DOWN, "reeve is shutting down");
        if (set->n_live >= set->config.live_max)
                return error_set(e, ERROR_LIMITS_EXCEEDED, "%u jobs are live already, the most that may be",
                                 set->n_live);
        return 0;
}

int job_set_start(JobSet *set, ExecSpec *spec, Job **ret, bool *ret_existing, Error *e)
{
        JobRequest request = {0};
        char number[32];
        const char *id = spec->id;
        Job *job = NULL;
        int r;

        if (id) {
                Job *known = hashmap_get_string(&set->by_id, id);

                if (known) {
                        RequestDigest digest;

                        exec_spec_digest(spec, &digest);
                        if (exec_spec_has_descriptors(spec))
                                return error_set(e, ERROR_JOB_EXISTS,
                                                 "Id: \"%s\" is a job already; with descriptors no two "
                                                 "requests are the same",
                                                 id);
                        if (known->is_main || memcmp(&digest, &known->digest, sizeof(digest)) != 0)
                                return error_set(e, ERROR_JOB_EXISTS,
                                                 "Id: \"%s\" is a job that was asked for differently", id);
                        *ret = known;
                        *ret_existing = true;
                        return 0;
                }
        }
        r = refuse_new(set, e);
        if (r < 0)
                return r;
        if (spec->log_max_bytes > set->config.store->budget)
                return error_set(e, ERROR_INVALID_ARGS,
                                 "LogMaxBytes: is more than all logs together may take, %" PRIu64,
                                 set->config.store->budget);
        if (!id) {
                do
                        snprintf(number, sizeof(number), "j%" PRIu64, ++set->last_number);
                while (hashmap_get_string(&set->by_id, number));
                id = number;
        }
        request.id = id;
        r = add(set, spec->session ?: SESSION_DEFAULT, spec, &request, &job, e);
        if (r >= 0)
                r = run_first(job, spec, ret, e);
        if (r < 0)
                return r;
        *ret_existing = false;
        return 0;
}

int job_set_start_main(JobSet *set, ExecSpec *spec, Job **ret, Error *e)
{
        JobRequest request = {.id = JOB_ID_MAIN, .is_main = true};
        Job *job;
        int r;

        r = add(set, SESSION_SYSTEM, spec, &request, &job, e);
        return r < 0 ? r : run_first(job, spec, ret, e);
}

int job_set_add_unit(JobSet *set, const char *id, ExecSpec *spec, JobService *service, Job **ret, Error *e)
{
        JobRequest request = {.id = id, .service = service, .is_unit = true};
        Job *known = hashmap_get_string(&set->by_id, id), *job;
        int r;

        if (known && (!known->is_unit || !job_is_finished(known)))
                return error_set(e, ERROR_JOB_EXISTS, "Id: \"%s\" is a job already", id);
        r = refuse_new(set, e);
        if (r < 0)
                return r;
        if (known)
                hashmap_remove_string(&set->by_id, id);
        r = add(set, SESSION_SYSTEM, spec, &request, &job, e);
        if (r < 0) {
                if (known)
                        (void) hashmap_put_string(&set->by_id, id, known);
                return r;
        }
        job->fsm.known = true;
        if (known) {
                job_set_tell(set, known, JOB_SET_REMOVED);
                job_tell(known, JOB_MOMENT_REMOVED);
                job_inherit_log(job, known);
                job_free(known);
        }
        job_announce(job);
        *ret = job;
        return 0;
}

int job_set_run_control(JobSet *set, Job *job, ExecSpec *spec, Job **ret, Error *e)
{
        JobRequest request = {.id = job->id, .control_of = job};
        Job *control;
        int r;

        r = add(set, SESSION_SYSTEM, spec, &request, &control, e);
        if (r < 0)
                return r;
        job->control = control;
        return run_first(control, spec, ret, e);
}

Job *job_set_get(const JobSet *set, const char *id)
{
        Job *job = hashmap_get_string(&set->by_id, id);

        return job && job->announced ? job : NULL;
}

Job *job_set_get_by_pid(const JobSet *set, pid_t pid)
{
        Job *leader = hashmap_get_number(&set->by_pid, (uint64_t) pid);
        _cleanup_free_ char *path = NULL;

        /* Without a tree a job is the session that its leader has made. */
        if (!leader && set->config.tree->fd < 0)
                leader = hashmap_get_number(&set->by_pid, (uint64_t) process_session(pid));
        if (leader && leader->control_of)
                return leader->control_of;
        if (leader) /* announced is false of failed_start, too */
                return leader->announced ? leader : NULL;
        if (set->config.tree->fd < 0 || cgroup_of_pid(pid, &path) < 0)
                return NULL;
        LIST_FOREACH (&set->jobs, link) {
                Job *job = container_of(link, Job, by_age);

                if ((job->announced || job->control_of) && job->scope && scope_has_path(job->scope, path))
                        return job->control_of ?: job;
        }
        return NULL;
}

int job_set_forget(JobSet *set, Job *job, Error *e)
{
        if (!job_is_finished(job))
                return error_set(e, ERROR_JOB_RUNNING, "Job \"%s\" is not finished", job->id);
        job_set_tell(set, job, JOB_SET_REMOVED);
        job_free(job);
        return 0;
}

/* Stands in the map for a job that has failed to start and is gone, until its child is reaped; and for whom
 * no job stands. */
static Job failed_start;

void job_set_expect_failed(JobSet *set, pid_t pid)
{
        /* It takes the place that the job had there: this needs no memory. */
        hashmap_remove_number(&set->by_pid, (uint64_t) pid);
        (void) hashmap_put_number(&set->by_pid, (uint64_t) pid, &failed_start);
}

void job_set_expect_child(JobSet *set, pid_t pid)
{
        job_set_expect_failed(set, pid);
}

int job_set_replace_leader(JobSet *set, Job *job, pid_t leader, bool child)
{
        Job *there = hashmap_get_number(&set->by_pid, (uint64_t) leader);

        if (there && there != &failed_start)
                return -EBUSY;
        hashmap_remove_number(&set->by_pid, (uint64_t) leader); /* then its place needs no memory */
        if (hashmap_put_number(&set->by_pid, (uint64_t) leader, job) < 0)
                return -ENOMEM;
        if (child)
                job_set_expect_child(set, job->pid);
        else
                hashmap_remove_number(&set->by_pid, (uint64_t) job->pid);
        return 0;
}

bool job_set_child_ended(JobSet *set, const ProcessEnd *end)
{
        Job *job = hashmap_get_number(&set->by_pid, (uint64_t) end->pid);

        if (!job) {
                job_notify_orphan_ends(set);
                return false;
        }
        if (job != &failed_start)
                job_leader_ended(job, end);
        else
                job_notify_orphan_ends(set);
        hashmap_remove_number(&set->by_pid, (uint64_t) end->pid);
        return true;
}

/* Of a job that has outlived its leader the last process comes to PID 1: where there is no watch, that is
 * when to look. */
void job_set_orphan_reaped(JobSet *set)
{
        LIST_FOREACH_SAFE (&set->jobs, link) {
                Job *job = container_of(link, Job, by_age);

                if (job->scope_watch.number < 0)
                        job_check_empty(job);
        }
}

unsigned job_set_count(const JobSet *set)
{
        return set->n_jobs;
}

unsigned job_set_count_running(const JobSet *set)
{
        unsigned n = 0;

        LIST_FOREACH (&set->jobs, link) {
                const Job *job = container_of(link, Job, by_age);

                n += job->announced && job_is_running(job);
        }
        return n;
}
