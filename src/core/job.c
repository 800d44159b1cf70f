/*
 * A job does what its table says. Events come from outside (the status pipe, the reaper, the pump, timers,
 * callers), each is fed to the table, and the actions that come back are done in the order of their bits.
 * Nothing else here decides anything.
 *
 * Who waits for a job is told at its moments; a watcher may only take itself away then. The set lets a job
 * go later, from a timer of its own, so that no job is ever freed under the feet of who is being told about
 * it.
 */

#include "core/job.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/hashmap.h"
#include "basic/log.h"
#include "core/job-set.h"
#include "core/job-start.h"
#include "core/line-watch.h"
#include "core/notify.h"
#include "core/session-run.h"
#include "core/session.h"
#include "core/tee.h"
#include "journal/ring.h"
#include "journal/store.h"
#include "sys/cgroup.h"
#include "sys/clock.h"
#include "sys/reaper.h"
#include "sys/spawn.h"

static void job_event(Job *job, JobEvent event);

void job_tell(Job *job, JobMoment moment)
{
        LIST_FOREACH_SAFE (&job->watches, link) {
                JobWatch *w = container_of(link, JobWatch, link);

                w->notify(w, job, moment);
        }
}

/* A control command writes into the log of the job that it is of: who waits, waits there. */
static void tell_output(Job *job)
{
        job_tell(job, JOB_MOMENT_OUTPUT);
        if (job->control_of)
                job_tell(job->control_of, JOB_MOMENT_OUTPUT);
}

static void arm_runtime(Job *job)
{
        timer_arm(job->set->config.timers, &job->runtime_timer,
                  usec_add(clock_monotonic(), job->spec.runtime_max));
}

/* Its time counts from exec, which may take its own; but in a session that is frozen it never comes (should
 * that be frozen later, job_check_frozen() sees to it), and a service cannot wait for a command of its. */
void job_runtime_over(Timer *t, usec_t now)
{
        Job *job = container_of(t, Job, runtime_timer);

        if (job->fsm.state != JOB_STARTING || job->control_of ||
            (job->session_of && session_is_frozen(job->session_of)))
                job_event(job, JOB_EVENT_RUNTIME_TIMEOUT);
}

void job_stop_time_over(Timer *t, usec_t now)
{
        job_event(container_of(t, Job, stop_timer), JOB_EVENT_STOP_TIMEOUT);
}

/* What was observed of the leader. What reeve or the kernel ended for a reason of its own is called by that
 * reason. */
static JobResult result_of(const Job *job, const ProcessEnd *end)
{
        const CgroupTree *tree = job->set->config.tree;
        ScopeUsage usage;

        if (job->timed_out)
                return JOB_RESULT_TIMEOUT;
        if (job->notify && job->notify->watchdog_is_over)
                return JOB_RESULT_WATCHDOG;
        if (end->signal == 0)
                return end->exit_code == 0 ? JOB_RESULT_SUCCESS : JOB_RESULT_EXIT_CODE;
        /* SIGKILL is what the kernel does it with. */
        if (end->signal == SIGKILL && (tree->controllers & (1U << CGROUP_MEMORY))) {
                scope_usage(job->scope, &usage);
                if (usage.oom_kills != SCOPE_UNKNOWN && usage.oom_kills > 0)
                        return JOB_RESULT_OOM_KILL;
        }
        return end->core_dumped ? JOB_RESULT_CORE_DUMP : JOB_RESULT_SIGNAL;
}

static void do_signal(Job *job)
{
        int r = job_signal(job, job->spec.kill_mixed, job->stop_signal, NULL, NULL);

        if (r < 0 && r != -ESRCH)
                log_warning_errno(r, "Job %s: cannot send %d", job->id, job->stop_signal);
        /* What was stopped by SIGSTOP or SIGTSTP hears of it only when it goes on. */
        (void) job_signal(job, job->spec.kill_mixed, SIGCONT, NULL, NULL);
}

static void do_arm_stop(Job *job)
{
        usec_t deadline = usec_add(clock_monotonic(), job->stop_timeout);

        if (!timer_is_armed(&job->stop_timer) || deadline < job->stop_timer.deadline)
                timer_arm(job->set->config.timers, &job->stop_timer, deadline);
}

static void do_kill(Job *job)
{
        int r = scope_kill(job->scope);

        /* Before exec it may not be in its scope yet: where the kernel did not put it there it goes by
         * itself. */
        if (job->fsm.state == JOB_STARTING) {
                job->killed_early = true;
                (void) pidref_signal(&job->leader, SIGKILL);
        }
        if (r < 0 && r != -ESRCH)
                log_warning_errno(r, "Job %s: cannot kill", job->id);
        timer_disarm(job->set->config.timers, &job->stop_timer);
        job_tell(job, JOB_MOMENT_KILLED);
}

/* Drained is when the tees are done, too. */
static void output_drained(Job *job)
{
        if (!job->output_ended || (job->tees[0] && !tee_is_done(job->tees[0])) ||
            (job->tees[1] && !tee_is_done(job->tees[1])))
                return;
        job_event(job, JOB_EVENT_DRAINED);
}

static void end_output(Job *job)
{
        job->output_ended = true;
        for (size_t i = 0; i < ELEMENTSOF(job->tees); i++)
                if (job->tees[i])
                        tee_end(job->tees[i]);
        output_drained(job);
}

void job_tee_done(Job *job)
{
        job_tell(job, JOB_MOMENT_OUTPUT);
        output_drained(job);
}

static void do_close_output(Job *job)
{
        if (!job->fsm.output)
                return;
        if (capture_is_open(&job->capture)) {
                if (!capture_close(&job->capture))
                        return;
                tell_output(job);
        }
        end_output(job);
}

/* The last look, before the folder goes, and before anybody is told. */
static void take_final_usage(Job *job)
{
        scope_usage(job->scope, &job->usage);
        job->usage.tasks_current = 0;
        job->usage_is_final = true;
}

static void do_end_run(Job *job)
{
        job_notify_close(job);
        timer_disarm(job->set->config.timers, &job->runtime_timer);
        timer_disarm(job->set->config.timers, &job->stop_timer);
        scope_keeper_unwatch(job->set->config.keeper, &job->scope_watch);
        if (job->scope)
                scope_keeper_release(job->set->config.keeper, TAKE_PTR(job->scope));
        input_close(&job->input);
        job->frozen = false;
}

static void do_finish(Job *job)
{
        session_slice_unref(TAKE_PTR(job->slice));
        job->finish_time = clock_realtime();
        job->finish_monotonic = clock_monotonic();
        exec_spec_trim(&job->spec);
        exec_spec_close_descriptors(&job->spec);
        ring_set_finished(job->ring);
        job_tell(job, JOB_MOMENT_FINISHED);
        job_set_tell(job->set, job, JOB_SET_FINISHED);
        session_job_finished(job);
}

static void job_event(Job *job, JobEvent event)
{
        const JobFsmConfig config = {.mixed = job->spec.kill_mixed, .kill_on_exit = job->spec.kill_on_exit};
        JobState before = job->fsm.state;
        bool had_output = job->fsm.output, was_drained = job_is_drained(job),
             was_running = job_is_running(job);
        unsigned actions = job_fsm_step(&job->fsm, &config, event);

        if ((actions & JOB_DO_END_RUN) && job->scope)
                take_final_usage(job);
        if (actions & JOB_DO_ANNOUNCE) {
                arm_runtime(job);
                if (!job->announced && !job->control_of)
                        job_announce(job);
                job_tell(job, JOB_MOMENT_STARTED);
        }
        if (actions & JOB_DO_MARK_TIMEOUT)
                job->timed_out = true;
        if (actions & JOB_DO_SIGNAL)
                do_signal(job);
        if (actions & JOB_DO_ARM_STOP)
                do_arm_stop(job);
        if (actions & JOB_DO_KILL)
                do_kill(job);
        if (job->announced && (job->fsm.state != before || job_is_running(job) != was_running ||
                               (actions & JOB_DO_RECORD_EXIT)))
                job_set_tell(job->set, job, JOB_SET_CHANGED);
        if (actions & JOB_DO_RECORD_EXIT) {
                job_set_tell(job->set, job, JOB_SET_EXITED);
                job_tell(job, JOB_MOMENT_EXITED);
        }
        if (had_output && !job->fsm.output && job->input.kind == INPUT_TTY)
                input_close(&job->input); /* nobody reads it any more: so it is hung up */
        if (job_is_drained(job) && !was_drained)
                job_tell(job, JOB_MOMENT_DRAINED);
        if (actions & JOB_DO_CLOSE_OUTPUT)
                do_close_output(job);
        if (actions & JOB_DO_END_RUN)
                do_end_run(job);
        if (actions & JOB_DO_FINISH)
                do_finish(job);
        if (actions & JOB_DO_DISCARD) {
                job_tell(job, JOB_MOMENT_START_FAILED);
                job_free(job);
                return;
        }
        if (job->fsm.state == JOB_RESTING && before != JOB_RESTING && job->service)
                job->service->ops->run_over(job->service);
}

static void start_is_over(Job *job)
{
        job->status_source = sd_event_source_disable_unref(job->status_source);
        job->status_fd = fd_close(job->status_fd);
}

/* The child is to be reaped yet, and nobody's orphan. Of a job that has run before a run is over; of
 * another nothing stays. */
static void start_failed(Job *job)
{
        job_set_expect_failed(job->set, job->pid);
        if (job->fsm.known)
                job_run_failed(job);
        else
                job_event(job, JOB_EVENT_START_FAILED);
}

void job_run_failed(Job *job)
{
        (void) capture_close(&job->capture);
        pidref_done(&job->leader);
        job->result = JOB_RESULT_RESOURCES;
        job->exit_time = clock_realtime();
        job->exit_monotonic = clock_monotonic();
        job_event(job, JOB_EVENT_START_FAILED);
}

/* The status pipe says how exec went. Whether the job is still there. */
static bool start_is_known(Job *job, bool child_is_dead)
{
        SpawnFailure failure;
        int r = spawn_read_status(job->status_fd, &failure);

        if (r == -EAGAIN && !child_is_dead)
                return true;
        if (r == 0 && job->killed_early && !child_is_dead) {
                /* The end of the file may be that of the child, killed before its exec: the reaper knows. */
                job->status_source = sd_event_source_disable_unref(job->status_source);
                return true;
        }
        start_is_over(job);
        if (r == 1) {
                job_start_explain(job, &failure, &job->start_error);
                start_failed(job);
                return false;
        }
        job_event(job, JOB_EVENT_STARTED);
        if (!capture_is_open(&job->capture))
                end_output(job);
        return true;
}

static int on_status(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        (void) start_is_known(userdata, false);
        return 0;
}

void job_capture_progress(Capture *c, bool drained)
{
        Job *job = container_of(c, Job, capture);

        if (job->fsm.state ==
            JOB_STARTING) /* before exec nothing is the command's; start_is_known() looks again */
                return;
        tell_output(job);
        if (drained)
                end_output(job);
}

void job_capture_fed(Capture *c)
{
        line_scans_catch_up(container_of(c, Job, capture));
}

void job_check_empty(Job *job)
{
        int r;

        if (!job->scope || job->fsm.leader || !job->fsm.processes)
                return;
        r = scope_is_populated(job->scope);
        if (r == 0)
                job_event(job, JOB_EVENT_EMPTY);
        else if (r < 0) /* no descriptor, no memory: that says nothing about who lives there */
                job_set_look_again(job->set);
}

void job_check_frozen(Job *job)
{
        bool frozen = job_is_frozen(job);

        if (frozen == job->frozen)
                return;
        job->frozen = frozen;
        if (job->announced)
                job_set_tell(job->set, job, JOB_SET_CHANGED);
        job_tell(job, JOB_MOMENT_FREEZER);
        if (frozen && job->fsm.state == JOB_STARTING && job->spec.runtime_max != USEC_INFINITY &&
            !timer_is_armed(&job->runtime_timer))
                job_event(job, JOB_EVENT_RUNTIME_TIMEOUT);
}

void job_freezing_overtaken(Job *job)
{
        job_tell(job, JOB_MOMENT_FREEZER);
}

void job_scope_changed(ScopeWatch *w)
{
        Job *job = container_of(w, Job, scope_watch);

        job_check_frozen(job);
        job_check_empty(job);
}

static void watch_scope(Job *job)
{
        int r;

        r = scope_keeper_watch(job->set->config.keeper, &job->scope_watch, job->scope);
        if (r < 0 && r != -EOPNOTSUPP)
                log_warning_errno(r, "Job %s: cannot watch its scope", job->id);
        job_check_empty(job); /* it may have become so before the watch was there */
}

/* So must how exec went be now. Whether the job is still there. */
static bool start_is_known_by_end(Job *job, const ProcessEnd *end)
{
        if (!job->killed_early || end->signal != SIGKILL)
                return start_is_known(job, true);
        start_is_over(job);
        if (job->timed_out || job->fsm.known) {
                /* Nothing was wrong with its start; it only had its time, in a session that is frozen; or it
                 * is one of several runs. */
                job_event(job, JOB_EVENT_STARTED);
                if (!capture_is_open(&job->capture))
                        end_output(job);
                return true;
        }
        error_set(&job->start_error, ERROR_START_FAILED, "exec: it was stopped before it came to that");
        start_failed(job);
        return false;
}

void job_leader_ended(Job *job, const ProcessEnd *end)
{
        bool drained;

        if (job->status_fd >= 0 && !start_is_known_by_end(job, end))
                return;
        job_notify_leader_ends(job);
        job->exit_code = end->exit_code;
        job->signal = end->signal;
        job->result = result_of(job, end);
        job->exit_time = clock_realtime();
        job->exit_monotonic = clock_monotonic();
        pidref_done(&job->leader);
        if (job->spec.shell_command) {
                /* Its time is the command's; what that leaves in the background is there to go on. */
                timer_disarm(job->set->config.timers, &job->runtime_timer);
                session_run_ended(job);
        }

        input_leader_ended(&job->input);
        drained = capture_take(&job->capture);
        tell_output(job);
        job_event(job, JOB_EVENT_LEADER_EXITED);
        /* Whether anybody is left, before anybody is answered: mostly nobody is, and then the accounts are
         * final, too. */
        job_check_empty(job);
        if (job->fsm.processes)
                watch_scope(job);
        if (drained && job->fsm.output)
                end_output(job);
}

/* From here on what becomes of the clone is heard of. */
static int follow_start(Job *job)
{
        JobSet *set = job->set;

        free(job->control_group);
        job->control_group = str_copy(scope_path(job->scope));
        if (!job->control_group || hashmap_put_number(&set->by_pid, (uint64_t) job->pid, job) < 0 ||
            sd_event_add_io(set->config.event, &job->status_source, job->status_fd, EPOLLIN, on_status,
                            job) < 0 ||
            sd_event_source_set_priority(job->status_source, SD_EVENT_PRIORITY_IMPORTANT) < 0) {
                /* Without a way to hear of its end it must not live: killed before exec or soon after. */
                (void) scope_kill(job->scope);
                (void) pidref_signal(&job->leader, SIGKILL);
                return -ENOMEM;
        }
        arm_runtime(job);
        return 0;
}

int job_run(Job *job, Error *e)
{
        int r;

        job_reset_run(job);
        job_event(job, JOB_EVENT_RUN);
        r = job_start(job, e);
        if (r >= 0 && follow_start(job) < 0)
                r = error_no_memory(e);
        if (r < 0)
                return r;
        if (!job->fsm.held)
                exec_spec_close_descriptors(&job->spec); /* the job has them */
        return 0;
}

void job_announce(Job *job)
{
        session_announce(job->session_of);
        job->announced = true;
        job_set_tell(job->set, job, JOB_SET_NEW);
        session_tell_changed(job->session_of, SESSION_JOBS);
}

void job_over(Job *job)
{
        job->service = NULL;
        job_event(job, JOB_EVENT_OVER);
}

void job_set_rest(Job *job, JobRest rest)
{
        if (job->rest == rest)
                return;
        job->rest = rest;
        if (job->announced && job->fsm.state == JOB_RESTING)
                job_set_tell(job->set, job, JOB_SET_CHANGED);
}

void job_end_run(Job *job, int sig, usec_t timeout)
{
        job->stop_signal = sig > 0 ? sig : (int) job->spec.kill_signal;
        job->stop_timeout = timeout;
        job_event(job, timeout == 0 ? JOB_EVENT_KILL : JOB_EVENT_STOP);
}

void job_stop(Job *job, int sig, usec_t timeout)
{
        if (job->service)
                job->service->ops->stop(job->service, sig, timeout);
        else
                job_end_run(job, sig, timeout);
}
