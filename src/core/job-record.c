/*
 * The record of a job: what there is of it before its first run, between two, and after the last. What
 * belongs to one run is reset here, in one place, so that no run sees anything of the one before.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/hashmap.h"
#include "basic/strv.h"
#include "core/job-set.h"
#include "core/job.h"
#include "core/notify.h"
#include "core/session.h"
#include "core/tee.h"
#include "journal/ring.h"
#include "sys/clock.h"

static int base_copy(JobBase *base, const Session *session)
{
        base->environment = strv_copy(session->environment);
        base->working_directory = str_copy(session->working_directory);
        base->group = session->group ? str_copy(session->group) : NULL;
        base->umask = session->umask;
        return base->environment && base->working_directory && (base->group || !session->group) ? 0
                                                                                                : -ENOMEM;
}

static void base_done(JobBase *base)
{
        strv_free(base->environment);
        free(base->working_directory);
        free(base->group);
}

static int log_init(Job *job)
{
        JobSet *set = job->set;

        if (job->control_of) {
                job->ring = job->control_of->ring;
                job->log = job->control_of->log;
                return 0;
        }
        job->log = (LogIdentity){.run = {set->run[0], set->run[1]}, .serial = ++set->last_serial};
        return ring_new(set->config.store, job_log_max_bytes(set, &job->spec), &job->ring);
}

static Job *job_alloc(JobSet *set, const JobRequest *request)
{
        Job *job = alloc_new(Job);

        if (!job)
                return NULL;
        job->set = set;
        exec_spec_init(&job->spec);
        list_init(&job->by_age);
        list_init(&job->finished);
        list_init(&job->in_session);
        list_init(&job->line_scans);
        list_init(&job->watches);
        scope_watch_init(&job->scope_watch, job_scope_changed);
        job->status_fd = -EBADF;
        job->leader = PIDREF_NULL;
        input_init(&job->input);
        job->usage = SCOPE_USAGE_UNKNOWN;
        job->is_main = request->is_main;
        job->is_unit = request->is_unit;
        job->control_of = request->control_of;
        job->service = request->service;
        job->exit_code = -1;
        job_fsm_init(&job->fsm);
        job->fsm.held = request->service;
        timer_init(&job->runtime_timer, job_runtime_over);
        timer_init(&job->stop_timer, job_stop_time_over);
        return job;
}

int job_new(JobSet *set, const JobRequest *request, ExecSpec *spec, Job **ret, Error *e)
{
        _cleanup_(job_freep) Job *job = job_alloc(set, request);
        const Session *session = request->session;

        if (!job)
                return error_no_memory(e);
        job->id = str_copy(request->id);
        job->session = str_copy(session->name);
        job->user = spec->user ? str_copy(spec->user) : session->user ? str_copy(session->user) : NULL;
        if (!job->id || !job->session || (!job->user && (spec->user || session->user)))
                return error_no_memory(e);
        if ((request->service || spec->restart != RESTART_NO) && base_copy(&job->base, session) < 0)
                return error_no_memory(e);
        job->working_directory = str_copy(session->working_directory);
        if (!job->working_directory)
                return error_no_memory(e);
        job->spec = *spec;
        if (log_init(job) < 0) {
                exec_spec_init(&job->spec); /* still the caller's */
                return error_no_memory(e);
        }
        capture_init(&job->capture, &set->capture_host, job->ring);
        exec_spec_digest(spec, &job->digest);
        exec_spec_init(spec);
        job->start_time = clock_realtime();
        session_add_job(request->session, job);
        *ret = TAKE_PTR(job);
        return 0;
}

int job_set_spec(Job *job, ExecSpec *spec, Error *e)
{
        char *user = spec->user ? str_copy(spec->user) : NULL;

        if (!user && spec->user)
                return error_no_memory(e);
        exec_spec_done(&job->spec);
        job->spec = *spec;
        exec_spec_init(spec);
        free(job->user);
        job->user = user;
        return 0;
}

void job_inherit_log(Job *job, Job *from)
{
        Ring *ring = job->ring;

        job->ring = from->ring;
        from->ring = ring;
        job->log = from->log;
        capture_init(&job->capture, &job->set->capture_host, job->ring);
        ring_set_running(job->ring);
}

void job_reset_run(Job *job)
{
        for (size_t i = 0; i < ELEMENTSOF(job->tees); i++)
                job->tees[i] = tee_free(job->tees[i]);
        capture_renew(&job->capture);
        input_done(&job->input);
        input_init(&job->input);
        job->usage = SCOPE_USAGE_UNKNOWN;
        job->usage_is_final = job->output_ended = job->frozen = job->freeze_asked = false;
        job->usage_iteration = 0;
        job->start_error = ERROR_NULL;
        job->pid = 0;
        job->stop_signal = (int) job->spec.kill_signal;
        job->stop_timeout = job->spec.timeout_stop;
        job->timed_out = job->killed_early = false;
        job->result = JOB_RESULT_NONE;
        job->exit_code = -1;
        job->signal = 0;
        job->start_time = clock_realtime();
        job->exit_time = 0;
        job->exit_monotonic = 0;
}

static void leave_set(Job *job)
{
        JobSet *set = job->set;

        if (job->control_of && job->control_of->control == job)
                job->control_of->control = NULL;
        if (!list_is_empty(&job->by_age) && !job_is_finished(job))
                job_set_one_less(set);
        list_remove(&job->by_age);
        list_remove(&job->finished);
        if (job->id && hashmap_get_string(&set->by_id, job->id) == job)
                hashmap_remove_string(&set->by_id, job->id);
        if (hashmap_get_number(&set->by_pid, (uint64_t) job->pid) == job)
                hashmap_remove_number(&set->by_pid, (uint64_t) job->pid);
        session_remove_job(job);
}

Job *job_free(Job *job)
{
        if (!job)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(job->tees); i++)
                job->tees[i] = tee_free(job->tees[i]);
        job_tell(job, JOB_MOMENT_REMOVED);
        if (job->service)
                job->service->ops->job_gone(job->service);
        job_notify_free(job);
        assert(list_is_empty(&job->watches));
        leave_set(job);
        scope_keeper_unwatch(job->set->config.keeper, &job->scope_watch);
        timer_disarm(job->set->config.timers, &job->runtime_timer);
        timer_disarm(job->set->config.timers, &job->stop_timer);
        sd_event_source_disable_unref(job->status_source);
        fd_close(job->status_fd);
        capture_done(&job->capture);
        input_done(&job->input);
        pidref_done(&job->leader);
        if (job->scope)
                scope_keeper_release(job->set->config.keeper, job->scope);
        session_slice_unref(job->slice);
        job_forget_shell(job);
        if (!job->control_of)
                ring_free(job->ring);
        exec_spec_done(&job->spec);
        base_done(&job->base);
        free(job->control_group);
        free(job->session);
        free(job->user);
        free(job->group);
        free(job->working_directory);
        free(job->id);
        free(job);
        return NULL;
}

void job_note(Job *job, const char *format, ...)
{
        char text[512];
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(text, sizeof(text) - 1, format, ap);
        va_end(ap);
        if (n <= 0 || !job->ring)
                return;
        n = MIN(n, (int) sizeof(text) - 2);
        text[n++] = '\n';
        ring_append(job->ring, STREAM_NOTE, 0, clock_realtime(), clock_monotonic(), text, (size_t) n);
        job_tell(job, JOB_MOMENT_OUTPUT);
}
