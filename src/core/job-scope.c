/*
 * What is asked of a job's scope: signals to who is in it, who that is, what it used. Nothing here changes
 * the job's state; the life of it is in job.c.
 */

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/strv.h"
#include "core/job-set.h"
#include "core/job.h"
#include "core/session.h"

/* All of its scope, and of that of the command that runs beside it. */
static int signal_all(Job *job, int sig, pid_t **ret, size_t *ret_n)
{
        _cleanup_free_ pid_t *beside = NULL;
        size_t n_beside = 0, n = 0;
        pid_t *pids = NULL, *more;
        int r = -ESRCH;

        if (job->control && job->control->scope)
                r = scope_signal(job->control->scope, sig, ret ? &beside : NULL, ret ? &n_beside : NULL);
        if (job->scope)
                r = scope_signal(job->scope, sig, ret ? &pids : NULL, ret ? &n : NULL);
        if (r < 0 || !ret)
                return r;
        if (n_beside > 0) {
                more = alloc_resize(pids, n + n_beside, sizeof(pid_t));
                if (!more) {
                        free(pids);
                        return -ENOMEM;
                }
                pids = more;
                memcpy(pids + n, beside, n_beside * sizeof(pid_t));
        }
        *ret = pids;
        *ret_n = n + n_beside;
        return 0;
}

int job_signal(Job *job, bool leader_only, int sig, pid_t **ret, size_t *ret_n)
{
        _cleanup_free_ pid_t *pids = NULL;
        int r;

        if (!leader_only)
                return signal_all(job, sig, ret, ret_n);
        if (!pidref_is_set(&job->leader))
                return -ESRCH;
        if (ret) {
                pids = alloc_array(pid_t, 1);
                if (!pids)
                        return -ENOMEM;
                pids[0] = job->leader.pid;
        }
        r = pidref_signal(&job->leader, sig);
        if (r < 0 || !ret)
                return r;
        *ret = TAKE_PTR(pids);
        *ret_n = 1;
        return 0;
}

int job_signal_group(Job *job, int sig)
{
        return pidref_signal_group(&job->leader, sig);
}

int job_signal_process(Job *job, pid_t pid, int sig)
{
        _cleanup_(pidref_done) PidRef p = PIDREF_NULL;
        _cleanup_free_ pid_t *pids = NULL;
        size_t n = 0;
        int r;

        if (!job->scope)
                return -ESRCH;
        r = pidref_open(pid, &p);
        if (r >= 0)
                r = scope_pids(job->scope, &pids,
                               &n); /* after the descriptor: its number is still the same process, or none */
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (pids[i] == pid)
                        return pidref_signal(&p, sig);
        return -ESRCH;
}

void job_usage(Job *job, ScopeUsage *ret)
{
        uint64_t iteration = 0;

        (void) sd_event_get_iteration(job->set->config.event, &iteration);
        if (job->scope && !job->usage_is_final && job->usage_iteration != iteration) {
                scope_usage(job->scope, &job->usage);
                job->usage_iteration = iteration;
        }
        *ret = job->usage;
}

size_t job_count_processes(const Job *job)
{
        _cleanup_free_ pid_t *pids = NULL;
        size_t n = 0;

        if (!job->scope || !job_is_running(job) || scope_pids(job->scope, &pids, &n) < 0)
                return 0;
        return n;
}

bool job_is_frozen(const Job *job)
{
        return job->scope && scope_is_frozen(job->scope) > 0;
}

int job_freeze(Job *job, bool frozen, Error *e)
{
        int r;

        if (!job->scope)
                return error_set(e, ERROR_NO_SUCH_PROCESS, "Job \"%s\" has no process%s", job->id,
                                 job_is_finished(job) ? ": it is finished" : " now");
        /* The watch first: what happens between the two must be heard of. */
        r = scope_keeper_watch(job->set->config.keeper, &job->scope_watch, job->scope);
        if (r >= 0)
                r = scope_freeze(job->scope, frozen);
        if (r < 0)
                return error_set(e, ERROR_NOT_SUPPORTED,
                                 "There is no cgroup here that could be frozen: %s (%s)", errno_text(r),
                                 errno_name(r));
        job_check_frozen(job);
        if (job->freeze_asked != frozen) {
                job->freeze_asked = frozen;
                job_freezing_overtaken(job);
        }
        /* In a session that stands still it does, too, whatever was asked of itself. */
        return job_is_frozen(job) == frozen || (job->session_of && session_is_frozen(job->session_of));
}

void job_detach(Job *job)
{
        session_remove_job(job);
        job->session[0] = '\0';
}

void job_hold(Job *job)
{
        job->n_holders++;
}

void job_let_go(Job *job)
{
        if (--job->n_holders == 0 && !job_is_finished(job))
                job_stop(job, 0, job->spec.timeout_stop);
}

void job_forget_shell(Job *job)
{
        job->shell_environment = strv_free(job->shell_environment);
        free(job->shell_report);
        job->shell_report = NULL;
}
