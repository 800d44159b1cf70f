/*
 * A report is read as it comes, into memory that is the connection's until it is whole; then it is the
 * job's, until the leader has ended. Hanging up says to the other side that it was taken.
 */

#include "core/shell-reports.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "core/job-set.h"
#include "core/job.h"
#include "core/listener.h"
#include "core/timer.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/stdio.h"

#define READ_SIZE ((size_t) 64 * 1024)

typedef struct ShellReport {
        List link;
        ShellReports *reports;
        Job *job;
        JobWatch watch;
        Timer patience;
        int fd;
        sd_event_source *source;
        Buffer buffer;
} ShellReport;

static ShellReport *report_free(ShellReport *r)
{
        list_remove(&r->link);
        r->reports->n_connections--;
        job_watch_remove(&r->watch);
        timer_disarm(r->reports->timers, &r->patience);
        sd_event_source_disable_unref(r->source);
        fd_close(r->fd);
        buffer_done(&r->buffer);
        free(r);
        return NULL;
}

/* The last word counts: a job may have several shells that think so of themselves. */
static void report_is_whole(ShellReport *r)
{
        size_t size;
        char *data = buffer_take(&r->buffer, &size);

        if (data) {
                free(r->job->shell_report);
                r->job->shell_report = data;
                r->job->shell_report_size = size;
        }
        report_free(r);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        ShellReport *r = userdata;
        char *buffer = r->reports->jobs->capture_host.buffer;
        ssize_t n = stdio_read(fd, buffer, MIN(READ_SIZE, CAPTURE_BUFFER_SIZE));

        if (n == -EAGAIN)
                return 0;
        if (n == 0) {
                report_is_whole(r);
                return 0;
        }
        if (n > 0)
                buffer_append(&r->buffer, buffer, (size_t) n);
        if (n < 0 || r->buffer.error < 0 || r->buffer.size > SHELL_REPORT_MAX)
                report_free(r);
        return 0;
}

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        if (moment == JOB_MOMENT_EXITED || moment == JOB_MOMENT_REMOVED)
                report_free(container_of(w, ShellReport, watch));
}

static void on_patience(Timer *t, usec_t now)
{
        report_free(container_of(t, ShellReport, patience));
}

/* One at a time of a job, the last: so none keeps the others' places. */
static void forget_earlier(ShellReports *s, const Job *job)
{
        LIST_FOREACH_SAFE (&s->connections, link) {
                ShellReport *r = container_of(link, ShellReport, link);

                if (r->job == job)
                        report_free(r);
        }
}

static void on_connected(Listener *l, int fd, const PeerCredentials *c)
{
        ShellReports *s = l->userdata;
        Job *job = c->pid > 0 ? job_set_get_by_pid(s->jobs, c->pid) : NULL;
        ShellReport *r = NULL;

        if (job && job->spec.shell_command && !job_is_exited(job)) {
                forget_earlier(s, job);
                r = s->n_connections < SHELL_REPORTS_MAX ? alloc_new(ShellReport) : NULL;
        }
        if (!r) {
                log_debug("Process %d has nothing to report", (int) c->pid);
                fd_close(fd);
                return;
        }
        r->reports = s;
        r->job = job;
        r->fd = fd;
        list_init(&r->link);
        list_append(&s->connections, &r->link);
        s->n_connections++;
        list_init(&r->watch.link);
        r->watch.notify = on_moment;
        job_watch_add(job, &r->watch);
        timer_init(&r->patience, on_patience);
        timer_arm(s->timers, &r->patience, clock_monotonic() + SHELL_REPORT_PATIENCE);
        if (sd_event_add_io(s->event, &r->source, fd, EPOLLIN, on_readable, r) < 0)
                report_free(r);
}

void shell_reports_init(ShellReports *s, sd_event *event, TimerQueue *timers, JobSet *jobs)
{
        uint64_t name[2];
        int r;

        *s = (ShellReports){.event = event, .timers = timers, .jobs = jobs};
        list_init(&s->connections);
        random_bytes(name, sizeof(name));
        (void) snprintf(s->address, sizeof(s->address), "unix:abstract=reeve-%016" PRIx64 "%016" PRIx64,
                        name[0], name[1]);
        r = listener_new(event, s->address, on_connected, s, &s->listener);
        if (r < 0) {
                log_warning_errno(r, "Cannot hear from shells: sessions keep no directory and environment");
                s->address[0] = '\0';
        }
}

void shell_reports_done(ShellReports *s)
{
        if (!s->event)
                return;
        LIST_FOREACH_SAFE (&s->connections, link)
                report_free(container_of(link, ShellReport, link));
        s->listener = listener_free(s->listener);
        *s = (ShellReports){0};
}
