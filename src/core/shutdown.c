/*
 * Each state arms one timer with its share of the limit, so the whole is bounded by the sum. Jobs are all
 * told at once; each keeps its own TimeoutStopUSec where that is shorter than ours.
 */

#include "core/shutdown.h"

#include <errno.h>

#include "basic/log.h"
#include "core/job.h"
#include "sys/boot.h"
#include "sys/clock.h"
#include "sys/reaper.h"

#include <signal.h>

/* Who came into our PID namespace from outside is nobody's child here, and no notice comes of its end. */
#define LOOK_DELAY (20 * USEC_PER_MSEC)

static const char *const power_names[_POWER_MAX] = {
                [POWER_NONE] = "exit",
                [POWER_OFF] = "poweroff",
                [POWER_REBOOT] = "reboot",
                [POWER_HALT] = "halt",
};

const char *shutdown_power_to_string(PowerAction action)
{
        return action < _POWER_MAX ? power_names[action] : NULL;
}

int shutdown_power_from_string(const char *s)
{
        for (int i = 0; i < _POWER_MAX; i++)
                if (streq(s, power_names[i]))
                        return i;
        return -EINVAL;
}

static void shutdown_event(Shutdown *s, ShutdownEvent event);

static void on_timer(Timer *t, usec_t now)
{
        shutdown_event(container_of(t, Shutdown, timer), SHUTDOWN_EVENT_TIMEOUT);
}

/* Whether of those who belong to no job anybody is left. */
static void look_for_rest(Shutdown *s)
{
        ProcessEnd end;

        if (s->state != SHUTDOWN_LEAVING)
                return;
        if (!boot_signal_rest(s->is_pid1, 0))
                shutdown_event(s, SHUTDOWN_EVENT_CHILDREN_GONE);
        else if (reaper_peek(0, &end) == -ECHILD)
                timer_arm(s->timers, &s->look_timer, clock_monotonic() + LOOK_DELAY);
}

static void on_look_timer(Timer *t, usec_t now)
{
        look_for_rest(container_of(t, Shutdown, look_timer));
}

static void on_idle(JobObserver *o)
{
        shutdown_event(container_of(o, Shutdown, observer), SHUTDOWN_EVENT_JOBS_GONE);
}

static const JobObserverOps observer_ops = {.idle = on_idle};

void shutdown_init(Shutdown *s, sd_event *event, TimerQueue *timers, JobSet *jobs, usec_t limit,
                   bool is_pid1)
{
        *s = (Shutdown){
                        .event = event,
                        .timers = timers,
                        .jobs = jobs,
                        .limit = limit,
                        .is_pid1 = is_pid1,
                        .observer.ops = &observer_ops,
        };
        list_init(&s->observer.link);
        timer_init(&s->timer, on_timer);
        timer_init(&s->look_timer, on_look_timer);
        job_set_observe(jobs, &s->observer);
}

void shutdown_done(Shutdown *s)
{
        if (!s->jobs)
                return;
        timer_disarm(s->timers, &s->timer);
        timer_disarm(s->timers, &s->look_timer);
        job_set_unobserve(&s->observer);
}

static void stop_jobs(Shutdown *s, usec_t timeout)
{
        LIST_FOREACH_SAFE (&s->jobs->jobs, link) {
                Job *job = container_of(link, Job, by_age);

                if (job->control_of || (job->is_unit && timeout > 0)) /* their service ends them */
                        continue;
                if (!job_is_finished(job))
                        job_stop(job, job->is_main ? s->signal : 0, MIN(timeout, job->spec.timeout_stop));
        }
}

static void tell_rest(Shutdown *s)
{
        (void) boot_signal_rest(s->is_pid1, SIGTERM);
        (void) boot_signal_rest(s->is_pid1, SIGCONT);
        look_for_rest(s);
}

static void kill_rest(Shutdown *s)
{
        ProcessEnd end;

        (void) boot_signal_rest(s->is_pid1, SIGKILL);
        if (reaper_peek(0, &end) == -ECHILD)
                shutdown_event(s, SHUTDOWN_EVENT_CHILDREN_GONE);
}

/* When the state that it is in has had its time. */
static usec_t state_deadline(const Shutdown *s)
{
        return usec_add(s->state == SHUTDOWN_LEAVING ? s->order_time : clock_monotonic(),
                        shutdown_fsm_time(s->state, s->limit));
}

static void shutdown_event(Shutdown *s, ShutdownEvent event)
{
        ShutdownState before = s->state;
        unsigned actions;

        s->state = shutdown_fsm_step(s->state, event, &actions);
        if (s->state == before)
                return;
        timer_disarm(s->timers, &s->look_timer);
        if (s->state == SHUTDOWN_DONE)
                timer_disarm(s->timers, &s->timer);
        else
                timer_arm(s->timers, &s->timer, state_deadline(s));

        if (actions & SHUTDOWN_DO_CLOSE)
                s->jobs->closed = true;
        if (actions & SHUTDOWN_DO_STOP_JOBS) {
                stop_jobs(s, shutdown_fsm_time(SHUTDOWN_STOPPING, s->limit));
                if (s->stop_units)
                        s->stop_units(s, shutdown_fsm_time(SHUTDOWN_STOPPING, s->limit));
        }
        if (actions & SHUTDOWN_DO_KILL_JOBS)
                stop_jobs(s, 0);
        if (actions & SHUTDOWN_DO_KILL_REST)
                kill_rest(s);
        if (actions & SHUTDOWN_DO_TELL_REST)
                tell_rest(s);
        if (actions & SHUTDOWN_DO_FLUSH) {
                if (s->flush)
                        s->flush(s);
                else
                        shutdown_event(s, SHUTDOWN_EVENT_FLUSHED);
        }
        if (actions & SHUTDOWN_DO_EXIT)
                (void) sd_event_exit(s->event, s->exit_code);
        if (s->state == SHUTDOWN_STOPPING && s->jobs->n_live == 0)
                shutdown_event(s, SHUTDOWN_EVENT_JOBS_GONE);
}

void shutdown_order(Shutdown *s, int sig)
{
        if (s->state == SHUTDOWN_RUNNING) {
                s->signal = sig;
                s->order_time = clock_monotonic();
                s->deadline = usec_add(s->order_time, s->limit);
                log_info("Stopping");
                if (s->begun)
                        s->begun(s);
        }
        shutdown_event(s, SHUTDOWN_EVENT_ORDER);
}

void shutdown_order_power(Shutdown *s, PowerAction action)
{
        s->power = action;
        shutdown_order(s, 0);
}

void shutdown_set_exit_code(Shutdown *s, int exit_code)
{
        s->exit_code = exit_code;
        s->exit_code_given = true;
}

void shutdown_main_ended(Shutdown *s, const Job *main_job)
{
        int code = main_job->signal > 0 ? 128 + main_job->signal : main_job->exit_code;

        if (!s->exit_code_given)
                s->exit_code = s->exit_codes && code >= 0 && code < 256 ? s->exit_codes[code] : code;
        if (s->state == SHUTDOWN_RUNNING)
                shutdown_order(s, 0);
}

void shutdown_children_gone(Shutdown *s)
{
        if (s->state == SHUTDOWN_LEAVING)
                look_for_rest(s);
        else
                shutdown_event(s, SHUTDOWN_EVENT_CHILDREN_GONE);
}

void shutdown_flushed(Shutdown *s)
{
        shutdown_event(s, SHUTDOWN_EVENT_FLUSHED);
}

void shutdown_prolong_flush(Shutdown *s)
{
        usec_t deadline = usec_add(clock_monotonic(), shutdown_fsm_time(SHUTDOWN_FLUSHING, s->limit));

        /* Never to earlier: where all before took its time, the share of the flush remains. */
        deadline = MIN(deadline, s->deadline);
        if (s->state == SHUTDOWN_FLUSHING && deadline > s->timer.deadline)
                timer_arm(s->timers, &s->timer, deadline);
}
