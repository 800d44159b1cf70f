/*
 * Wiring. The order of what happens at once is set by priorities: signals and reaping first, so that nothing
 * that is dead is told to be alive; then pumps, bus and timers side by side, taking turns.
 *
 * One reaper: sd-event's own child sources would race with it and lose. SIGCHLD names one child, which is
 * looked at first; a look at all of them, which costs more the more there are, comes after it from a source
 * that stays on only while it finds some.
 */

#include "core/manager.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "basic/parse.h"
#include "basic/strv.h"
#include "core/environment.h"
#include "core/error.h"
#include "core/exec-spec.h"
#include "core/job.h"
#include "core/main-job.h"
#include "core/signals.h"
#include "sys/clock.h"
#include "sys/crash.h"
#include "sys/reaper.h"
#include "sys/ring-memory.h"
#include "sys/signals.h"

/* Children reaped in one turn, before others get theirs. */
#define REAP_BUDGET 512

static void on_timers_changed(TimerQueue *q)
{
        Manager *m = container_of(q, Manager, timers);
        usec_t next = timer_queue_next(q);

        if (!m->timer_source)
                return;
        if (next == USEC_INFINITY) {
                (void) sd_event_source_set_enabled(m->timer_source, SD_EVENT_OFF);
                return;
        }
        (void) sd_event_source_set_time(m->timer_source, next);
        (void) sd_event_source_set_enabled(m->timer_source, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Manager *m = userdata;

        timer_queue_run(&m->timers, clock_monotonic());
        return 0;
}

/* One child, a named one or (0) any. 1: reaped; 0: nobody is there to be; -ECHILD. */
static int reap_one(Manager *m, pid_t pid)
{
        ProcessEnd end;
        bool is_orphan;
        int r;

        r = reaper_peek(pid, &end);
        if (r <= 0)
                return r;
        is_orphan = !job_set_child_ended(&m->jobs, &end);
        r = reaper_reap(end.pid);
        if (r < 0)
                return log_warning_errno(r, "Cannot reap %d", (int) end.pid);
        m->n_reaped++;
        if (is_orphan) {
                m->n_orphans_reaped++;
                log_message(m->warn_of_orphans ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, 0, "Reaped orphan %d",
                            (int) end.pid);
        }
        return 1;
}

static int on_reap(sd_event_source *source, void *userdata)
{
        Manager *m = userdata;
        int r = 1;

        for (unsigned n = 0; n < REAP_BUDGET && r > 0; n++)
                r = reap_one(m, 0);
        (void) sd_event_source_set_enabled(source, r > 0 ? SD_EVENT_ON : SD_EVENT_OFF);
        if (r <= 0)
                job_set_orphan_reaped(&m->jobs);
        if (r == -ECHILD)
                shutdown_children_gone(&m->shutdown);
        return 0;
}

/* A signal that a job's process sends is no order, unless it is the main job's. Where the tree says so it is
 * the place that counts, not whether we know the job: it may be on its way to exec, or just gone. Who cannot
 * be placed any more is taken for a job's; only PID 1 can be strict here, for elsewhere the sender may be
 * anybody. */
static bool is_order(Manager *m, const SignalInfo *info)
{
        _cleanup_free_ char *path = NULL;
        Job *job;

        if (!info->by_process)
                return true;
        if (!info->sender_is_known && m->boot->is_pid1)
                return false;
        if (info->sender == 0)
                return true;
        job = job_set_get_by_pid(&m->jobs, info->sender);
        if (job)
                return job->is_main;
        if (m->main_job && info->sender == m->main_job->pid) /* that it runs is not known yet, but it does */
                return true;
        if (cgroup_of_pid(info->sender, &path) < 0)
                return !m->boot->is_pid1;
        if (m->main_job && m->main_job->scope && scope_has_path(m->main_job->scope, path))
                return true;
        return !cgroup_tree_holds_job(&m->tree, path);
}

static void pass_on(Manager *m, const SignalInfo *info, int sig)
{
        if (sig <= 0 || !is_order(m, info))
                return;
        log_debug("%s is passed on%s%s", signal_name(info->signal), sig == info->signal ? "" : " as ",
                  sig == info->signal ? "" : signal_name(sig));
        if (m->main_job)
                main_job_pass_on(m, sig);
        else if (sig == SIGUSR1 && m->rejoin)
                m->rejoin(m);
        else if (sig == SIGHUP && m->units.folders)
                (void) unit_set_reload(&m->units, NULL, NULL);
}

static void on_one_signal(Manager *m, const SignalInfo *info)
{
        int sig = m->rewrites && info->signal < SIGNALS_MAX ? m->rewrites[info->signal] : info->signal;

        switch (signal_meaning(info->signal)) {
        case SIGNAL_CHILD:
                if (info->sender > 0)
                        (void) reap_one(m, info->sender);
                (void) sd_event_source_set_enabled(m->reap_source, SD_EVENT_ON);
                main_job_check_stopped(m);
                if (info->by_process)
                        pass_on(m, info, sig);
                break;
        case SIGNAL_SHUTDOWN:
                if (!is_order(m, info))
                        log_notice("%s from process %d of a job: no order, ignored",
                                   signal_name(info->signal), (int) info->sender);
                else if (sig > 0 && m->shutdown.power != POWER_NONE)
                        shutdown_order_power(&m->shutdown, signal_power(info->signal));
                else if (sig > 0)
                        shutdown_order(&m->shutdown, sig);
                break;
        case SIGNAL_NOTHING:
                if (!info->by_process || info->by_us)
                        break;
                pass_on(m, info, sig);
                break;
        case SIGNAL_PASS_ON: pass_on(m, info, sig); break;
        default: break;
        }
}

static int on_signal(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        Manager *m = userdata;
        SignalInfo info;

        while (signals_read(fd, &info) > 0)
                on_one_signal(m, &info);
        return 0;
}

static void on_job_exited(JobObserver *o, Job *job)
{
        Manager *m = container_of(o, Manager, observer);

        if (!job->is_main)
                return;
        main_job_ended(m);
        shutdown_main_ended(&m->shutdown, job);
}

static void on_job_removed(JobObserver *o, Job *job)
{
        Manager *m = container_of(o, Manager, observer);

        if (job == m->main_job)
                m->main_job = NULL;
}

static void on_main_moment(JobWatch *w, Job *job, JobMoment moment);

static const JobObserverOps observer_ops = {.job_exited = on_job_exited, .job_removed = on_job_removed};

static void on_stop_main(JobSet *set, int sig)
{
        shutdown_order(&container_of(set, Manager, jobs)->shutdown, sig);
}

static void on_stop_units(Shutdown *s, usec_t max)
{
        unit_set_stop_all(&container_of(s, Manager, shutdown)->units, max);
}

static int add_sources(Manager *m)
{
        int r;

        r = sd_event_add_time(m->event, &m->timer_source, CLOCK_MONOTONIC, 0, 1, on_timer, m);
        if (r >= 0)
                r = sd_event_source_set_enabled(m->timer_source, SD_EVENT_OFF);
        if (r >= 0)
                r = m->signal_fd = signals_open();
        if (r >= 0)
                r = sd_event_add_io(m->event, &m->signal_source, m->signal_fd, EPOLLIN, on_signal, m);
        if (r >= 0)
                r = sd_event_source_set_priority(m->signal_source, SD_EVENT_PRIORITY_IMPORTANT);
        if (r >= 0)
                r = sd_event_add_defer(m->event, &m->reap_source, on_reap, m);
        if (r >= 0) /* on: children may have ended before we listened */
                r = sd_event_source_set_enabled(m->reap_source, SD_EVENT_ON);
        if (r >= 0)
                r = sd_event_source_set_priority(m->reap_source, SD_EVENT_PRIORITY_IMPORTANT);
        return r;
}

/* When the main job runs, and what is to be started at boot has been, or could not be. */
static void tell_up(Manager *m)
{
        if (!m->ready || m->told_up || m->units.booting || (m->main_job && !job_is_ready(m->main_job)) ||
            shutdown_is_under_way(&m->shutdown))
                return;
        m->told_up = true;
        own_notice_ready(&m->notice);
}

static void on_units_up(UnitSet *set)
{
        tell_up(container_of(set, Manager, units));
}

static void on_shutdown_begun(Shutdown *s)
{
        own_notice_stopping(&container_of(s, Manager, shutdown)->notice);
}

static int init_sessions(Manager *m)
{
        const SessionSetConfig config = {
                        .keeper = &m->keeper,
                        .timers = &m->timers,
                        .tree = &m->tree,
                        .environment = m->environment,
                        .working_directory = m->boot->working_directory,
                        .umask = m->boot->umask,
        };

        return session_set_init(&m->sessions, &config);
}

static int init_parts(Manager *m, const ManagerConfig *config)
{
        JobSetConfig jobs;
        uint64_t budget;
        int r;

        r = cgroup_tree_open(&m->tree, m->boot->is_pid1);
        if (r < 0)
                return r;
        if (m->tree.fd < 0)
                log_warning("No cgroup tree can be written here (%s): jobs are held together by their "
                            "process groups only",
                            m->tree.refusal ?: "unknown why");
        else
                crash_set_tree(m->tree.path);
        budget = config->log_max_bytes ?: MIN(cgroup_memory_limit(&m->tree) / 10, LOG_BUDGET_MAX);
        line_watch_init(&m->lines, &m->timers);
        port_watch_init(&m->ports, &m->timers);
        store_init(&m->store, (RingMemory){.map = ring_memory_map, .unmap = ring_memory_unmap}, budget);

        r = scope_keeper_init(&m->keeper, m->event, &m->timers);
        if (r < 0)
                return r;
        r = init_sessions(m);
        if (r < 0)
                return r;
        if (!config->no_callers)
                shell_reports_init(&m->reports, m->event, &m->timers, &m->jobs);
        jobs = (JobSetConfig){
                        .event = m->event,
                        .timers = &m->timers,
                        .store = &m->store,
                        .tree = &m->tree,
                        .keeper = &m->keeper,
                        .sessions = &m->sessions,
                        .program = m->boot->program,
                        .report_address = isempty(m->reports.address) ? NULL : m->reports.address,
                        .nofile = &m->boot->nofile,
                        .nice = m->boot->nice,
                        .main_is_session = config->is_machine,
                        .live_max = config->live_max,
                        .finished_max = config->finished_max,
        };
        r = job_set_init(&m->jobs, &jobs);
        if (r < 0)
                return r;
        m->jobs.stop_main = on_stop_main;
        job_set_observe(&m->jobs, &m->observer);
        unit_set_init(&m->units, &m->jobs, config->unit_folders);
        followers_init(&m->followers, m->event, &m->timers);
        shutdown_init(&m->shutdown, m->event, &m->timers, &m->jobs, config->stop_timeout, m->boot->is_pid1);
        m->shutdown.exit_codes = config->exit_codes;
        m->shutdown.power = config->is_machine ? POWER_OFF : POWER_NONE;
        m->shutdown.stop_units = on_stop_units;
        m->shutdown.begun = on_shutdown_begun;
        m->units.up = on_units_up;
        r = own_notice_init(&m->notice, &m->timers, env_get(config->environment, "NOTIFY_SOCKET"));
        return r < 0 ? r : unit_set_load(&m->units);
}

int manager_init(Manager *m, const ManagerConfig *config)
{
        int r;

        *m = (Manager){.boot = config->boot,
                       .signal_group = config->signal_group,
                       .capture = config->capture,
                       .warn_of_orphans = config->warn_of_orphans,
                       .rewrites = config->rewrites,
                       .foreground = FOREGROUND_NULL,
                       .signal_fd = -EBADF,
                       .tree.fd = -EBADF,
                       .observer.ops = &observer_ops};
        list_init(&m->observer.link);
        list_init(&m->main_watch.link);
        m->main_watch.notify = on_main_moment;
        timer_queue_init(&m->timers, on_timers_changed);
        m->start_time = clock_realtime();
        m->environment = environment_inherit(config->environment);
        if (!m->environment)
                return -ENOMEM;
        r = sd_event_new(&m->event);
        if (r < 0)
                return r;
        r = add_sources(m);
        if (r < 0)
                return r;
        return init_parts(m, config);
}

void manager_done(Manager *m)
{
        main_job_done(m);
        shutdown_done(&m->shutdown);
        own_notice_done(&m->notice);
        shell_reports_done(&m->reports);
        followers_done(&m->followers);
        unit_set_done(&m->units);
        job_set_done(&m->jobs);
        session_set_done(&m->sessions);
        scope_keeper_done(&m->keeper);
        line_watch_done(&m->lines);
        port_watch_done(&m->ports);
        if (m->event) {
                store_done(&m->store);
                cgroup_tree_close(&m->tree);
        }
        strv_free(m->environment);
        m->environment = NULL;
        m->reap_source = sd_event_source_disable_unref(m->reap_source);
        m->signal_source = sd_event_source_disable_unref(m->signal_source);
        m->timer_source = sd_event_source_disable_unref(m->timer_source);
        m->signal_fd = fd_close(m->signal_fd);
        m->event = sd_event_unref(m->event);
}

int manager_run(Manager *m)
{
        int r;

        m->ready = true;
        tell_up(m);
        r = sd_event_loop(m->event);
        if (r >= 0)
                own_notice_exit(&m->notice, r);
        return r;
}

/* As shells say it: 127 for a command that is not there, 126 for one that cannot be run. */
static void main_failed(Manager *m, const Error *e)
{
        log_error("%s", e->message);
        shutdown_set_exit_code(&m->shutdown, e->kind == ERROR_COMMAND_NOT_FOUND ? 127 : 126);
        m->main_job = NULL;
        if (!shutdown_is_under_way(&m->shutdown)) /* else it would be the second order, and kill the rest */
                shutdown_order(&m->shutdown, 0);
}

static void on_main_moment(JobWatch *w, Job *job, JobMoment moment)
{
        if (moment == JOB_MOMENT_START_FAILED)
                main_failed(container_of(w, Manager, main_watch), &job->start_error);
        if (moment == JOB_MOMENT_STARTED)
                tell_up(container_of(w, Manager, main_watch));
        if (moment == JOB_MOMENT_START_FAILED || moment == JOB_MOMENT_STARTED ||
            moment == JOB_MOMENT_REMOVED)
                job_watch_remove(w);
}

void manager_start_units(Manager *m)
{
        unit_set_boot(&m->units);
}

int manager_start_main(Manager *m, char *const *argv, Error *e)
{
        _cleanup_(exec_spec_done) ExecSpec spec;
        int r;

        exec_spec_init(&spec);
        spec.input = EXEC_INPUT_INHERIT;
        spec.capture = m->capture;
        main_job_prepare(m);
        r = exec_spec_set_argv(&spec, argv, e);
        if (r >= 0)
                r = job_set_start_main(&m->jobs, &spec, &m->main_job, e);
        if (r >= 0)
                job_watch_add(m->main_job, &m->main_watch);
        return r;
}

usec_t manager_now(void)
{
        return clock_monotonic();
}

const char *manager_state(const Manager *m)
{
        if (shutdown_is_under_way(&m->shutdown))
                return "stopping";
        return m->ready ? "running" : "starting";
}

const char *manager_containment(const Manager *m)
{
        return m->tree.fd >= 0 ? "cgroup" : "process-tree";
}
