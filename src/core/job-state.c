/*
 * What can be said of a job without asking anybody: pure, and for everybody who watches one.
 */

#include "core/job.h"
#include "core/notify.h"

const char *job_result_to_string(JobResult result)
{
        static const char *const words[_JOB_RESULT_MAX] = {
#define X(id, word) [JOB_RESULT_##id] = (word),
                        JOB_RESULTS(X)
#undef X
        };

        return words[result];
}

const char *job_state_word(const Job *job)
{
        static const char *const resting[] = {
                        [JOB_REST_RESTART] = "restarting",
                        [JOB_REST_START] = "starting",
                        [JOB_REST_DONE] = "exited",
                        [JOB_REST_STOP] = "stopping",
        };

        return job->fsm.state == JOB_RESTING ? resting[job->rest] : job_state_to_string(job->fsm.state);
}

bool job_is_running(const Job *job)
{
        return job->fsm.leader || job->fsm.processes ||
               (job->fsm.state == JOB_RESTING && job->fsm.held && job->rest != JOB_REST_DONE);
}

bool job_is_ready(const Job *job)
{
        return job->announced && job->fsm.state != JOB_STARTING && job->fsm.state != JOB_RESTING &&
               (!job->spec.notify_ready || (job->notify && job->notify->ready));
}

bool job_is_exited(const Job *job)
{
        return !job->fsm.leader;
}

bool job_is_drained(const Job *job)
{
        return !job->fsm.output && !job->fsm.held;
}

bool job_is_finished(const Job *job)
{
        return job->fsm.state == JOB_FINISHED;
}

void job_watch_add(Job *job, JobWatch *w)
{
        list_append(&job->watches, &w->link);
}

void job_watch_remove(JobWatch *w)
{
        list_remove(&w->link);
}
