/*
 * A selector is plain data with one question. That an Id is not there is an error to who wants to kill it,
 * and an empty answer to who wants to see it; so asking that is a function of its own.
 */

#include "core/selector.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "core/error.h"
#include "core/job-set.h"
#include "core/job.h"
#include "core/session.h"

void job_selector_done(JobSelector *s)
{
        free(s->id);
        free(s->session);
        free(s->unit);
        free(s->label);
        pattern_done(&s->pattern);
        *s = (JobSelector){0};
}

static unsigned states_of(const char *word)
{
        unsigned found = 0;

        for (JobState state = 0; state < _JOB_STATE_MAX; state++)
                if (streq(job_state_to_string(state), word))
                        found |= 1U << state;
        return found;
}

int job_selector_add_state(JobSelector *s, const char *key, const char *word, Error *e)
{
        unsigned found = states_of(word);

        if (!found)
                return error_set(e, ERROR_INVALID_ARGS, "%s: \"%s\" is not a state of a job", key, word);
        s->states |= found;
        return 0;
}

int job_selector_check(const JobSelector *s, const JobSet *set, Error *e)
{
        if (s->n_keys == 0)
                return error_set(e, ERROR_INVALID_ARGS,
                                 "selector: is empty; \"All\" with true means every job");
        if (s->id && !job_set_get(set, s->id))
                return error_set(e, ERROR_NO_SUCH_JOB, "Id: there is no job \"%s\"", s->id);
        if (s->session && !session_set_get(set->config.sessions, s->session))
                return error_set(e, ERROR_NO_SUCH_SESSION, "Session: there is no session \"%s\"",
                                 s->session);
        return 0;
}

int job_selector_resolve(JobSelector *s, const JobSet *set, Error *e)
{
        if (s->pid == 0)
                return 0;
        s->pid_job = job_set_get_by_pid(set, s->pid);
        if (!s->pid_job)
                return error_set(e, ERROR_NO_SUCH_PROCESS, "PID: no job holds process %d", (int) s->pid);
        return 0;
}

bool job_selector_match(JobSelector *s, const Job *job)
{
        if (s->id && !streq(s->id, job->id))
                return false;
        if (s->session && !streq(s->session, job->session))
                return false;
        if (s->unit && !streq(s->unit, job->is_unit ? job->id : ""))
                return false;
        if (s->states && !(s->states & states_of(job_state_word(job))))
                return false;
        if (s->pid && s->pid_job != job)
                return false;
        if (s->label && !strv_contains(job->spec.labels, s->label))
                return false;
        if (s->pattern.compiled) {
                _cleanup_free_ char *command = strv_join(job->spec.argv, " ");

                if (!command || !pattern_match(&s->pattern, command))
                        return false;
        }
        return true;
}
