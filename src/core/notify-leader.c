/*
 * The leader is our own child and not reaped yet, so that its number is sure; anybody else is looked up.
 *
 * A leader that a job names is mostly a child of the one that we started, which then ends: so it becomes
 * ours, and the reaper tells its end. As long as it is somebody else's child its pidfd does; how it ended is
 * its parent's knowledge then.
 */

#include "core/notify-leader.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/log.h"
#include "core/job-set.h"
#include "sys/cgroup.h"
#include "sys/reaper.h"

/* Without a tree a job is the session that its leader has made. */
static int check_session(const JobNotify *n, pid_t pid)
{
        pid_t session = process_session(pid);

        return session == 0 ? -ESRCH : session == n->session ? 0 : -EPERM;
}

/* What the kernel still knows of one that is gone. */
static int check_gone(const Job *job, const NotifyDatagram *d)
{
        uint64_t id, own;

        if (!job->scope || notify_sender_cgroup_id(d, &id) < 0 || scope_id(job->scope, &own) < 0)
                return -ESRCH;
        return id == own ? 0 : -EPERM;
}

int job_notify_check_sender(const JobNotify *n, const NotifyDatagram *d)
{
        _cleanup_free_ char *path = NULL;
        const Job *job = n->job;
        int r;

        if (d->pid <= 0)
                return -EPERM;
        if (pidref_is_set(&job->leader) && job->leader.pid == d->pid)
                return 0;
        if (pidref_is_set(&n->former) && n->former.pid == d->pid && pidref_signal(&n->former, 0) >= 0)
                return 0;
        if (exec_spec_notify_access(&job->spec) != NOTIFY_ACCESS_ALL)
                return -EPERM;
        if (job->set->config.tree->fd < 0)
                return check_session(n, d->pid);
        r = notify_sender_cgroup(d, &path);
        if (r == -ESRCH)
                return check_gone(job, d);
        if (r < 0)
                return r;
        return job->scope && scope_has_path(job->scope, path) ? 0 : -EPERM;
}

static int check_leader(const JobNotify *n, pid_t pid)
{
        _cleanup_free_ char *path = NULL;
        const Job *job = n->job;
        int r;

        if (!job->fsm.leader)
                return -ESRCH;
        if (job->set->config.tree->fd < 0)
                return check_session(n, pid);
        r = cgroup_of_pid(pid, &path);
        if (r < 0)
                return r;
        return job->scope && scope_has_path(job->scope, path) ? 0 : -EPERM;
}

static bool is_child(pid_t pid)
{
        ProcessEnd end;

        return reaper_peek(pid, &end) != -ECHILD;
}

static int on_leader_ended(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
        JobNotify *n = userdata;
        const ProcessEnd end = {.pid = n->job->leader.pid};

        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (is_child(end.pid)) /* by now: the reaper knows more */
                return 0;
        log_info("Job %s: its leader %d, another's child, has ended; how is not known", n->job->id,
                 (int) end.pid);
        (void) job_set_child_ended(n->job->set, &end);
        return 0;
}

/* Takes *leader over when it succeeds. */
static int move_leader(JobNotify *n, PidRef *leader)
{
        _cleanup_(sd_event_source_disable_unrefp) sd_event_source *source = NULL;
        Job *job = n->job;
        int r;

        r = check_leader(n, leader->pid);
        if (r >= 0 && !is_child(leader->pid))
                r = leader->fd < 0 ? -EOPNOTSUPP
                                   : sd_event_add_io(job->set->config.event, &source, leader->fd, EPOLLIN,
                                                     on_leader_ended, n);
        if (r >= 0)
                r = job_set_replace_leader(job->set, job, leader->pid, is_child(job->pid));
        if (r < 0)
                return r;
        n->leader_source = sd_event_source_disable_unref(n->leader_source);
        n->leader_source = TAKE_PTR(source);
        pidref_done(&n->former);
        n->former = job->leader;
        job->leader = *leader;
        job->pid = leader->pid;
        *leader = PIDREF_NULL;
        return 0;
}

int job_notify_move_leader(JobNotify *n, pid_t pid)
{
        _cleanup_(pidref_done) PidRef leader = PIDREF_NULL;
        int r;

        if (pidref_is_set(&n->job->leader) && n->job->leader.pid == pid)
                return 0;
        r = pidref_open(pid, &leader);
        if (r >= 0) /* after the descriptor: its number is still the same process, or none */
                r = move_leader(n, &leader);
        if (r < 0) {
                log_notice("Job %s: process %d cannot be its leader (MAINPID=): %s", n->job->id, (int) pid,
                           errno_text(r));
                return r;
        }
        log_info("Job %s: its leader is process %d now", n->job->id, (int) pid);
        return 1;
}
