/*
 * What happens to a job is told in the middle of things: so it is only written down (service_poke()), and
 * looked at in a turn of its own. Then events go into the table and actions come out, one after another.
 */

#include "core/service.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/log.h"
#include "basic/strv.h"
#include "core/error.h"
#include "core/job-set.h"
#include "core/notify.h"
#include "core/unit-set.h"
#include "core/unit-spec.h"
#include "sys/clock.h"

static void service_event(Service *s, ServiceEvent event);

static TimerQueue *timers(const Service *s)
{
        return s->set->jobs->config.timers;
}

void service_poke(Service *s, unsigned happened)
{
        s->happened |= happened;
        timer_arm(timers(s), &s->poke, clock_monotonic());
}

void service_fail(Service *s, JobResult result, int exit_code, int signal)
{
        if (s->result != JOB_RESULT_NONE && s->result != JOB_RESULT_SUCCESS)
                return;
        s->result = result;
        s->exit_code = exit_code;
        s->signal = signal;
}

static RunEnd end_of_run(const Service *s)
{
        const Job *job = s->job;

        return (RunEnd){job->result, job->exit_code, job->signal, clock_monotonic() - s->run_start};
}

static void start_main(Service *s)
{
        Error e = ERROR_NULL;

        s->main_exited = false;
        s->run_start = clock_monotonic();
        if (s->unit->timeout_start > 0 && s->unit->timeout_start != USEC_INFINITY)
                timer_arm(timers(s), &s->start_timeout, usec_add(s->run_start, s->unit->timeout_start));
        if (s->unit->n_commands[UNIT_EXEC_START] == 0) {
                service_poke(s, SERVICE_HAPPENED_STARTED);
                return;
        }
        if (service_run_main(s, &e) < 0) {
                job_note(s->job, "ExecStart=%s cannot start: %s",
                         s->unit->commands[UNIT_EXEC_START][s->main_command].path, e.message);
                job_run_failed(s->job);
                return;
        }
        if (s->unit->type == UNIT_TYPE_SIMPLE)
                service_poke(s, SERVICE_HAPPENED_STARTED);
}

static void do_check(Service *s)
{
        int r;

        s->result = JOB_RESULT_NONE;
        s->exit_code = -1;
        s->signal = 0;
        s->unmet = s->started = s->main_exited = s->dependency_failed = false;
        s->check_error = 0;
        s->run_lasted = s->main_command = 0;
        r = service_ask_check(s);
        if (r < 0) {
                log_error_errno(r, "%s: cannot look at what it needs", s->unit->name);
                s->check_error = r;
                service_fail(s, JOB_RESULT_RESOURCES, -1, 0);
                service_poke(s, SERVICE_HAPPENED_CHECKED);
        }
}

/* Its commands: the first thing that its job is there for. */
static void do_pre(Service *s)
{
        Error e = ERROR_NULL;

        if (service_make_job(s, &e) < 0) {
                log_error("%s: %s", s->unit->name, e.message);
                service_fail(s, JOB_RESULT_RESOURCES, -1, 0);
                s->job = NULL;
                s->control_failed = true;
                s->kind = UNIT_EXEC_START_PRE;
                service_poke(s, SERVICE_HAPPENED_COMMANDS_DONE);
                return;
        }
        job_set_rest(s->job, JOB_REST_START);
        service_run_commands(s, UNIT_EXEC_START_PRE);
}

static bool run_is_on(const Service *s)
{
        return s->job && s->job->fsm.state != JOB_RESTING && !job_is_finished(s->job);
}

static void do_end_all(Service *s, bool now)
{
        timer_disarm(timers(s), &s->start_timeout);
        s->next_waits = false;
        service_end_control(s, now ? 0 : s->control ? s->control->spec.timeout_stop : 0);
        if (run_is_on(s))
                job_end_run(s->job, s->stop_signal,
                            now                                ? 0
                            : s->stop_timeout == USEC_INFINITY ? s->job->spec.timeout_stop
                                                               : s->stop_timeout);
        service_poke(s, 0);
}

static void do_decide(Service *s)
{
        RunEnd end = {s->result == JOB_RESULT_NONE ? JOB_RESULT_SUCCESS : s->result, s->exit_code, s->signal,
                      s->run_lasted, s->result > JOB_RESULT_SUCCESS};
        bool again = !s->stopping && !s->set->jobs->closed && restart_is_wanted(&s->policy, &end);

        if (again && !restart_count(&s->policy, &s->restart, clock_monotonic())) {
                if (s->job)
                        job_note(s->job, "Not restarted: %u runs within %llu ms are too many",
                                 s->policy.burst, (unsigned long long) (s->policy.interval / USEC_PER_MSEC));
                log_warning("%s: is started too often", s->unit->name);
                s->result = JOB_RESULT_START_LIMIT_HIT;
                end.result = JOB_RESULT_START_LIMIT_HIT;
                again = false;
        }
        if (again) {
                s->pause_time = restart_pause(&s->policy, &s->restart, &end);
                service_event(s, SERVICE_EVENT_AGAIN);
        } else {
                service_event(s, restart_is_success(&s->policy, &end) ? SERVICE_EVENT_OVER_OK
                                                                      : SERVICE_EVENT_OVER_FAILED);
        }
}

static void do_pause(Service *s)
{
        if (s->job) {
                s->job->n_restarts++;
                job_set_rest(s->job, JOB_REST_RESTART);
                job_note(s->job, "Restarting in %llu ms (%u)",
                         (unsigned long long) (s->pause_time / USEC_PER_MSEC), s->job->n_restarts);
        }
        timer_arm(timers(s), &s->pause, usec_add(clock_monotonic(), s->pause_time));
}

/* What the unit came to is what its job says in the end. */
static void do_finish(Service *s)
{
        Job *job = s->job;

        if (!job || job_is_finished(job))
                return;
        if (s->result != JOB_RESULT_NONE && (job->result != s->result || job->exit_time == 0)) {
                job->result = s->result;
                /* What was seen of the main command stays, but where another one was at fault. */
                if (s->exit_code >= 0 || s->signal > 0) {
                        job->exit_code = s->exit_code;
                        job->signal = s->signal;
                }
        }
        job_over(job);
}

static void act(Service *s, unsigned actions)
{
        if (actions & SERVICE_DO_MARK_TIMEOUT)
                service_fail(s, JOB_RESULT_TIMEOUT, -1, 0);
        if (actions & SERVICE_DO_CHECK)
                do_check(s);
        if (actions & SERVICE_DO_DROP_CHECK)
                errand_stop(&s->check);
        if (actions & SERVICE_DO_PRE)
                do_pre(s);
        if (actions & SERVICE_DO_MAIN)
                start_main(s);
        if (actions & SERVICE_DO_POST) {
                timer_disarm(timers(s), &s->start_timeout);
                service_run_commands(s, UNIT_EXEC_START_POST);
        }
        if (actions & SERVICE_DO_SETTLE) {
                s->started = true;
                service_poke(s, SERVICE_HAPPENED_EXITED);
        }
        if (actions & SERVICE_DO_RELOAD)
                service_run_commands(s, UNIT_EXEC_RELOAD);
        if (actions & SERVICE_DO_STOP)
                service_run_commands(s, UNIT_EXEC_STOP);
        if (actions & SERVICE_DO_END_ALL)
                do_end_all(s, s->killing);
        if (actions & SERVICE_DO_KILL_ALL)
                do_end_all(s, true);
        if (actions & SERVICE_DO_STOP_POST) {
                if (s->killing || !s->job)
                        service_event(s, SERVICE_EVENT_DONE); /* there is no time for that */
                else
                        service_run_commands(s, UNIT_EXEC_STOP_POST);
        }
        if (actions & SERVICE_DO_DECIDE)
                do_decide(s);
        if (actions & SERVICE_DO_PAUSE)
                do_pause(s);
        if (actions & SERVICE_DO_FINISH)
                do_finish(s);
}

static void service_event(Service *s, ServiceEvent event)
{
        ServiceState before = s->state;
        unsigned actions;

        s->state = service_fsm_step(s->state, event, s->unit->remain_after_exit, &actions);
        if (s->state != before && s->job && !job_is_finished(s->job))
                job_set_rest(s->job, service_is_active(s)         ? JOB_REST_DONE
                                     : service_is_deactivating(s) ? JOB_REST_STOP
                                                                  : JOB_REST_START);
        act(s, actions);
        if (s->state != before)
                unit_set_changed(s->set, s);
}

/* The leader of the run has ended. */
static void main_ended(Service *s)
{
        const Unit *u = s->unit;
        RunEnd end = {.result = JOB_RESULT_SUCCESS, .exit_code = 0};
        bool success;

        if (u->n_commands[UNIT_EXEC_START] > 0) {
                if (!job_is_exited(s->job) || s->job->exit_time == 0)
                        return; /* it runs */
                end = end_of_run(s);
                if (s->stopping && s->job->killed_early)
                        end = (RunEnd){.result = JOB_RESULT_SUCCESS}; /* there was nobody to be asked yet */
                else if (s->state == SERVICE_KILL && end.result == JOB_RESULT_SIGNAL &&
                         end.signal == SIGKILL && !s->killing && s->job->fsm.state != JOB_STARTING &&
                         s->job->stop_signal != SIGKILL)
                        end.result = JOB_RESULT_TIMEOUT; /* of TimeoutStopSec= */
                if (u->commands[UNIT_EXEC_START][s->main_command].ignore_failure)
                        end.result = JOB_RESULT_SUCCESS;
        }
        end.failed = u->type == UNIT_TYPE_ONESHOT && !s->stopping && restart_was_cut_short(&s->policy, &end);
        success = restart_is_success(&s->policy, &end);
        if (!s->main_exited && end.result == JOB_RESULT_RESOURCES && !isempty(s->job->start_error.message))
                job_note(s->job, "ExecStart=%s cannot start: %s",
                         u->commands[UNIT_EXEC_START][s->main_command].path, s->job->start_error.message);
        if (!s->main_exited && !success)
                service_fail(s, end.result, end.exit_code, end.signal);
        if (!s->main_exited)
                s->run_lasted = clock_monotonic() - s->run_start;
        s->main_exited = true;
        /* The next command of a oneshot comes when nothing of this one is left; the last one's end is its
         * being ready. */
        if (s->state == SERVICE_START && u->type == UNIT_TYPE_ONESHOT && success) {
                if (s->main_command + 1 >= u->n_commands[UNIT_EXEC_START])
                        service_event(s, SERVICE_EVENT_READY);
                else
                        job_end_run(s->job, 0, s->job->spec.timeout_stop);
                return;
        }
        if (s->state == SERVICE_START && success) /* it was not ready, and never will be */
                service_fail(s, JOB_RESULT_PROTOCOL, end.exit_code, end.signal);
        service_event(s, success ? SERVICE_EVENT_MAIN_EXITED : SERVICE_EVENT_MAIN_FAILED);
}

static void run_over(Service *s)
{
        if (s->state != SERVICE_START || s->unit->type != UNIT_TYPE_ONESHOT || !s->main_exited ||
            s->main_command + 1 >= s->unit->n_commands[UNIT_EXEC_START])
                return;
        s->main_command++;
        start_main(s);
}

static bool main_is_ready(const Service *s)
{
        switch (s->unit->type) {
        case UNIT_TYPE_ONESHOT: return s->unit->n_commands[UNIT_EXEC_START] == 0;
        case UNIT_TYPE_NOTIFY: return s->job && job_is_ready(s->job);
        default: return true;
        }
}

static void commands_over(Service *s, bool failed)
{
        if (s->next_waits)
                service_run_commands(s, s->next_kind);
        else if (s->state != SERVICE_KILL)
                service_event(s, failed ? SERVICE_EVENT_COMMAND_FAILED : SERVICE_EVENT_DONE);
}

static void control_gone(Service *s)
{
        int r = s->next_waits || s->state == SERVICE_KILL ? 0 : service_next_command(s);

        if (r <= 0)
                commands_over(s, r < 0);
}

static void on_poke(Timer *t, usec_t now)
{
        Service *s = container_of(t, Service, poke);
        unsigned happened = s->happened;

        s->happened = 0;
        if ((happened & SERVICE_HAPPENED_CHECKED) && s->state == SERVICE_CONDITION)
                service_event(s, s->check_error < 0 ? SERVICE_EVENT_CHECK_FAILED : SERVICE_EVENT_CHECKED);
        if ((happened & SERVICE_HAPPENED_STARTED) && s->state == SERVICE_START && main_is_ready(s))
                service_event(s, SERVICE_EVENT_READY);
        if (happened & SERVICE_HAPPENED_COMMANDS_DONE)
                commands_over(s, s->control_failed);
        if (happened & SERVICE_HAPPENED_CONTROL)
                control_gone(s);
        if (happened & SERVICE_HAPPENED_EXITED)
                main_ended(s);
        if (happened & SERVICE_HAPPENED_RUN_OVER)
                run_over(s);
        if (s->state == SERVICE_KILL && !s->control && !run_is_on(s))
                service_event(s, SERVICE_EVENT_GONE);
}

static void on_pause(Timer *t, usec_t now)
{
        service_event(container_of(t, Service, pause), SERVICE_EVENT_PAUSE_OVER);
}

static void on_start_timeout(Timer *t, usec_t now)
{
        service_event(container_of(t, Service, start_timeout), SERVICE_EVENT_TIMEOUT);
}

static void on_checked(Errand *errand, int r, const void *data, size_t size)
{
        Service *s = container_of(errand, Service, check);

        r = service_read_check(s, r, data, size);
        if (r == 0) {
                s->unmet = true;
                log_info("%s: not started, a condition does not hold", s->unit->name);
                service_event(s, SERVICE_EVENT_UNMET);
                return;
        }
        if (r < 0) {
                service_fail(s, JOB_RESULT_RESOURCES, -1, 0);
                s->check_error = r;
        }
        service_event(s, r < 0 ? SERVICE_EVENT_CHECK_FAILED : SERVICE_EVENT_CHECKED);
}

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        Service *s = container_of(w, Service, watch);

        switch (moment) {
        case JOB_MOMENT_STARTED:
        case JOB_MOMENT_READY: service_poke(s, SERVICE_HAPPENED_STARTED); break;
        case JOB_MOMENT_MORE_TIME:
                if (timer_is_armed(&s->start_timeout) && s->start_timeout.deadline < job->notify->more_time)
                        timer_arm(timers(s), &s->start_timeout, job->notify->more_time);
                break;
        case JOB_MOMENT_EXITED: service_poke(s, SERVICE_HAPPENED_EXITED); break;
        case JOB_MOMENT_REMOVED:
                job_watch_remove(w);
                s->job = NULL;
                break;
        default: break;
        }
}

static void on_stop(JobService *service, int sig, usec_t timeout)
{
        Service *s = container_of(service, Service, service);

        unit_set_stop_by_job(s->set, s, sig, timeout);
}

static void on_run_over(JobService *service)
{
        service_poke(container_of(service, Service, service), SERVICE_HAPPENED_RUN_OVER);
}

static void on_job_gone(JobService *service)
{
        container_of(service, Service, service)->job = NULL;
}

static const JobServiceOps service_ops = {.stop = on_stop, .run_over = on_run_over, .job_gone = on_job_gone};

void service_start(Service *s)
{
        if (service_is_inactive(s)) {
                restart_forget(&s->restart);
                (void) restart_count(&s->policy, &s->restart, clock_monotonic());
        }
        timer_disarm(timers(s), &s->pause);
        s->stopping = s->killing = false;
        s->stop_signal = 0;
        s->stop_timeout = USEC_INFINITY;
        service_event(s, SERVICE_EVENT_START);
}

void service_stop(Service *s, int sig, usec_t timeout)
{
        s->stopping = true;
        if (sig > 0)
                s->stop_signal = sig;
        if (timeout != USEC_INFINITY)
                s->stop_timeout = timeout;
        s->killing |= timeout == 0;
        timer_disarm(timers(s), &s->pause);
        service_event(s, timeout == 0 ? SERVICE_EVENT_KILL : SERVICE_EVENT_STOP);
}

void service_reload(Service *s)
{
        service_event(s, SERVICE_EVENT_RELOAD);
}

void service_set_unit(Service *s, const Unit *unit)
{
        const ExecSpec *defaults;
        ExecSpec spec;

        s->unit = unit;
        exec_spec_init(&spec);
        defaults = unit_fill_exec_spec(unit, &spec, NULL, NULL) >= 0 ? &spec : NULL;
        if (defaults)
                s->policy = restart_policy_of(defaults);
        s->policy.steps = unit->restart_steps;
        s->policy.success = unit->success_exit_status;
        s->policy.prevent = unit->restart_prevent_exit_status;
        exec_spec_done(&spec);
}

Service *service_new(UnitSet *set, const Unit *unit)
{
        Service *s = alloc_new(Service);

        if (!s)
                return NULL;
        s->name = str_copy(unit->name);
        if (!s->name) {
                free(s);
                return NULL;
        }
        s->service.ops = &service_ops;
        s->set = set;
        list_init(&s->link);
        list_init(&s->waits);
        list_init(&s->watch.link);
        s->watch.notify = on_moment;
        service_init_control(s);
        errand_init(&s->check, on_checked);
        timer_init(&s->poke, on_poke);
        timer_init(&s->pause, on_pause);
        timer_init(&s->start_timeout, on_start_timeout);
        s->stop_timeout = USEC_INFINITY;
        service_set_unit(s, unit);
        return s;
}

Service *service_free(Service *s)
{
        if (!s)
                return NULL;
        job_watch_remove(&s->watch);
        job_watch_remove(&s->control_watch);
        errand_stop(&s->check);
        timer_disarm(timers(s), &s->poke);
        timer_disarm(timers(s), &s->pause);
        timer_disarm(timers(s), &s->start_timeout);
        if (s->job && s->job->service == &s->service)
                s->job->service = NULL;
        list_remove(&s->link);
        strv_free(s->file_environment);
        free(s->name);
        free(s->after);
        free(s->before);
        unit_free(s->old);
        free(s);
        return NULL;
}
