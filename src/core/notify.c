/*
 * Who sends is looked up while there still is something to be seen of him: so these sockets come before the
 * reaper, and what waits in them is taken before a process is reaped. A job that says more than a turn takes
 * loses that place and waits like everybody else, until it has been heard out.
 *
 * What is heard is told on at once inside (Wait, services); to those who watch properties at most once in a
 * tenth of a second.
 */

#include "core/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "basic/utf8.h"
#include "core/error.h"
#include "core/job-set.h"
#include "core/job-start.h"
#include "core/notify-leader.h"
#include "core/notify-message.h"
#include "sys/clock.h"

#define PRIORITY_FIRST (SD_EVENT_PRIORITY_IMPORTANT - 10) /* the reaper's is IMPORTANT */
#define TURN_BUDGET 32U
/* Of one socket, when a process is about to be reaped: more than net.unix.max_dgram_qlen, where that was not
 * raised a lot. */
#define END_BUDGET 600U
#define ORPHANS_BUDGET 1024U /* of all sockets, in a turn */
#define TELL_PAUSE (100 * USEC_PER_MSEC)
#define SAY_PAUSE (10 * USEC_PER_SEC)

static const char *const drop_texts[_NOTIFY_DROP_MAX] = {
#define X(id, text) [NOTIFY_DROP_##id] = (text),
                NOTIFY_DROPS(X)
#undef X
};

static TimerQueue *timers_of(const JobNotify *n)
{
        return n->job->set->config.timers;
}

static void say_drops(JobNotify *n)
{
        for (NotifyDrop i = 0; i < _NOTIFY_DROP_MAX; i++)
                if (n->n_dropped[i] > 0) {
                        log_notice("Job %s: dropped notifications %s: %u", n->job->id, drop_texts[i],
                                   n->n_dropped[i]);
                        n->n_dropped[i] = 0;
                }
        n->drops_said = clock_monotonic();
}

/* The first is said at once, more of them in a while, or when the run is over. */
static void drop(JobNotify *n, NotifyDrop why)
{
        n->n_dropped[why]++;
        if (n->drops_said == 0 || clock_monotonic() - n->drops_said >= SAY_PAUSE)
                say_drops(n);
}

static void tell_changes(JobNotify *n)
{
        usec_t now = clock_monotonic();

        if (!n->changed)
                return;
        if (n->told != 0 && now - n->told < TELL_PAUSE) {
                if (!timer_is_armed(&n->tell_timer))
                        timer_arm(timers_of(n), &n->tell_timer, n->told + TELL_PAUSE);
                return;
        }
        n->changed = false;
        n->told = now;
        timer_disarm(timers_of(n), &n->tell_timer);
        job_set_tell(n->job->set, n->job, JOB_SET_CHANGED);
}

static void on_tell_timer(Timer *t, usec_t now)
{
        tell_changes(container_of(t, JobNotify, tell_timer));
}

/* Its time counts from readiness, and only while it runs of its own accord. */
static void arm_watchdog(JobNotify *n)
{
        if (n->watchdog > 0 && n->job->fsm.state == JOB_RUNNING && job_is_ready(n->job))
                timer_arm(timers_of(n), &n->watchdog_timer, usec_add(clock_monotonic(), n->watchdog));
        else
                timer_disarm(timers_of(n), &n->watchdog_timer);
}

static void watchdog_over(JobNotify *n, const char *why)
{
        Job *job = n->job;

        timer_disarm(timers_of(n), &n->watchdog_timer);
        if (job->fsm.state != JOB_RUNNING)
                return;
        log_warning("Job %s: watchdog: %s", job->id, why);
        job_note(job, "watchdog: %s: ended with SIGABRT", why);
        n->watchdog_is_over = true;
        job_end_run(job, SIGABRT, job->spec.timeout_stop);
}

static void on_watchdog(Timer *t, usec_t now)
{
        JobNotify *n = container_of(t, JobNotify, watchdog_timer);
        char span[40], why[80];

        if (job_is_frozen(n->job)) { /* who stands still can give no sign */
                arm_watchdog(n);
                return;
        }
        format_timespan(n->watchdog, span, sizeof(span));
        (void) snprintf(why, sizeof(why), "no sign of life for %s", span);
        watchdog_over(n, why);
}

static void set_ready(JobNotify *n, bool ready)
{
        if (n->ready == ready)
                return;
        n->ready = ready;
        n->changed = true;
        n->told = 0; /* at once */
        job_tell(n->job, JOB_MOMENT_READY);
}

static void set_status(JobNotify *n, const char *text, size_t size)
{
        char *status = size > 0 ? utf8_sanitize(text, size) : NULL;

        if (size > 0 && !status) {
                log_warning("Job %s: no memory for what it says of itself", n->job->id);
                return;
        }
        if (streq_ptr(status, n->status)) {
                free(status);
                return;
        }
        free(n->status);
        n->status = status;
        n->changed = true;
}

/* Never to less: what was given is kept. */
static void extend_time(JobNotify *n, usec_t by)
{
        Job *job = n->job;

        n->more_time = usec_add(clock_monotonic(), by);
        if (timer_is_armed(&job->stop_timer) && job->stop_timer.deadline < n->more_time)
                timer_arm(timers_of(n), &job->stop_timer, n->more_time);
        job_tell(job, JOB_MOMENT_MORE_TIME);
}

static void refuse_fdstore(JobNotify *n)
{
        if (!n->fdstore_said)
                log_notice("Job %s: wants to leave descriptors here (FDSTORE=1), which is not to be had: "
                           "they are "
                           "closed",
                           n->job->id);
        n->fdstore_said = true;
}

static void hear_watchdog(JobNotify *n, const NotifyMessage *m)
{
        if (notify_message_has(m, NOTIFY_WATCHDOG_USEC)) {
                usec_t given = m->numbers[NOTIFY_WATCHDOG_USEC];

                n->watchdog = given == USEC_INFINITY ? 0 : given;
                arm_watchdog(n);
        }
        if (notify_message_has(m, NOTIFY_WATCHDOG))
                arm_watchdog(n);
        if (notify_message_has(m, NOTIFY_WATCHDOG_TRIGGER))
                watchdog_over(n, "the job asks for it (WATCHDOG=trigger)");
}

static void hear(JobNotify *n, const NotifyMessage *m)
{
        if (m->wrong)
                drop(n, NOTIFY_DROP_WRONG);
        if (notify_message_has(m, NOTIFY_MAINPID) &&
            job_notify_move_leader(n, (pid_t) m->numbers[NOTIFY_MAINPID]) > 0)
                n->changed = true;
        if (notify_message_has(m, NOTIFY_STATUS))
                set_status(n, m->status, m->status_size);
        if (notify_message_has(m, NOTIFY_ERRNO) && m->numbers[NOTIFY_ERRNO] > 0)
                log_info("Job %s: says that it failed: %s", n->job->id,
                         errno_text((int) m->numbers[NOTIFY_ERRNO]));
        if (notify_message_has(m, NOTIFY_RELOADING))
                set_ready(n, false);
        if (notify_message_has(m, NOTIFY_READY) && !n->ready) {
                set_ready(n, true);
                arm_watchdog(n);
        }
        if (notify_message_has(m, NOTIFY_STOPPING)) {
                set_ready(n, false);
                timer_disarm(timers_of(n), &n->watchdog_timer);
        }
        if (notify_message_has(m, NOTIFY_EXTEND_TIMEOUT_USEC))
                extend_time(n, m->numbers[NOTIFY_EXTEND_TIMEOUT_USEC]);
        if (notify_message_has(m, NOTIFY_FDSTORE))
                refuse_fdstore(n);
        hear_watchdog(n, m);
}

static void hear_datagram(JobNotify *n, const NotifyDatagram *d)
{
        NotifyMessage m;
        int r;

        r = job_notify_check_sender(n, d);
        if (r < 0) {
                log_debug_errno(r, "Job %s: a notification of process %d does not count", n->job->id,
                                (int) d->pid);
                drop(n, r == -ESRCH ? NOTIFY_DROP_GONE : NOTIFY_DROP_FOREIGN);
                return;
        }
        if (d->truncated || notify_message_parse(d->text, d->size, &m) < 0)
                drop(n, NOTIFY_DROP_BROKEN);
        else
                hear(n, &m);
}

/* How many there were. */
static unsigned take(JobNotify *n, unsigned budget)
{
        NotifyDatagram d;
        unsigned i = 0;

        for (; i < budget && n->fd >= 0; i++) {
                int r = notify_socket_receive(n->fd, &d);

                if (r < 0) {
                        if (r != -EAGAIN)
                                log_debug_errno(r, "Job %s: cannot hear it", n->job->id);
                        break;
                }
                hear_datagram(n, &d);
                notify_datagram_done(&d);
        }
        if (i > 0)
                tell_changes(n);
        return i;
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        JobNotify *n = userdata;
        bool is_behind = take(n, TURN_BUDGET) == TURN_BUDGET;

        if (is_behind != n->is_behind && n->source)
                (void) sd_event_source_set_priority(n->source,
                                                    is_behind ? SD_EVENT_PRIORITY_NORMAL : PRIORITY_FIRST);
        n->is_behind = is_behind;
        return 0;
}

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        JobNotify *n = container_of(w, JobNotify, watch);

        if (moment == JOB_MOMENT_STARTED && n->source) {
                n->session = job->pid;
                (void) sd_event_source_set_enabled(n->source, SD_EVENT_ON);
                arm_watchdog(n); /* of one that is ready by its exec */
        }
        if (moment == JOB_MOMENT_FREEZER && !job->frozen && timer_is_armed(&n->watchdog_timer))
                arm_watchdog(n);
        if (moment == JOB_MOMENT_REMOVED)
                job_watch_remove(w);
}

static JobNotify *notify_new(Job *job)
{
        JobNotify *n = alloc_new(JobNotify);

        if (!n)
                return NULL;
        n->job = job;
        n->fd = -EBADF;
        n->former = PIDREF_NULL;
        n->watch.notify = on_moment;
        list_init(&n->watch.link);
        list_init(&n->link);
        timer_init(&n->watchdog_timer, on_watchdog);
        timer_init(&n->tell_timer, on_tell_timer);
        job_watch_add(job, &n->watch);
        return n;
}

static int open_socket(JobNotify *n)
{
        sd_event *event = n->job->set->config.event;
        int r;

        r = notify_socket_open(n->address, &n->fd);
        if (r >= 0)
                r = sd_event_add_io(event, &n->source, n->fd, EPOLLIN, on_readable, n);
        if (r >= 0) /* before its exec is known there is nobody to be heard */
                r = sd_event_source_set_enabled(n->source, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_priority(n->source, PRIORITY_FIRST);
        return r;
}

int job_notify_open(Job *job, Error *e)
{
        JobNotify *n;
        int r;

        if (exec_spec_notify_access(&job->spec) == NOTIFY_ACCESS_NONE)
                return 0;
        n = job->notify = job->notify ?: notify_new(job);
        if (!n)
                return error_no_memory(e);
        job_notify_close(job);
        n->ready = n->is_behind = n->watchdog_is_over = n->fdstore_said = false;
        free(n->status);
        n->status = NULL;
        n->watchdog = job->spec.watchdog;
        n->more_time = 0;
        r = open_socket(n);
        if (r < 0) {
                job_notify_close(job);
                return job_start_failed(e, "notify", r);
        }
        list_append(&job->set->notified, &n->link);
        return 0;
}

void job_notify_close(Job *job)
{
        JobNotify *n = job->notify;

        if (!n)
                return;
        list_remove(&n->link);
        timer_disarm(timers_of(n), &n->watchdog_timer);
        n->source = sd_event_source_disable_unref(n->source);
        n->fd = fd_close(n->fd);
        n->leader_source = sd_event_source_disable_unref(n->leader_source);
        pidref_done(&n->former);
        say_drops(n);
        n->drops_said = 0;
}

void job_notify_free(Job *job)
{
        JobNotify *n = job->notify;

        if (!n)
                return;
        job_notify_close(job);
        timer_disarm(timers_of(n), &n->tell_timer);
        job_watch_remove(&n->watch);
        free(n->status);
        free(n);
        job->notify = NULL;
}

void job_notify_leader_ends(Job *job)
{
        JobNotify *n = job->notify;

        if (!n)
                return;
        (void) take(n, END_BUDGET);
        timer_disarm(timers_of(n), &n->watchdog_timer);
        n->leader_source = sd_event_source_disable_unref(n->leader_source);
}

void job_notify_orphan_ends(JobSet *set)
{
        uint64_t turn = 0;

        if (list_is_empty(&set->notified))
                return;
        (void) sd_event_get_iteration(set->config.event, &turn);
        if (turn != set->notify_turn) {
                set->notify_turn = turn;
                set->notify_budget = ORPHANS_BUDGET;
        }
        LIST_FOREACH_SAFE (&set->notified, link) {
                JobNotify *n = container_of(link, JobNotify, link);

                if (set->notify_budget == 0)
                        return;
                set->notify_budget--;
                if (n->job->fsm.state != JOB_STARTING)
                        set->notify_budget -= take(n, MIN(TURN_BUDGET, set->notify_budget));
        }
}
