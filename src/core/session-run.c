/*
 * The queue. A run that waits is no job yet: it costs a request, and goes with who asked for it. The next
 * one is started from a timer, never from within the end of the one before.
 */

#include "core/session-run.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/log.h"
#include "basic/strv.h"
#include "core/error.h"
#include "core/job-set.h"
#include "core/job.h"
#include "core/session.h"
#include "core/shell-state.h"
#include "sys/clock.h"

int session_run_prepare(const Session *session, ExecSpec *spec, const char *command, Error *e)
{
        char *const argv[] = {session->shell, (char *) "-c", (char *) command, NULL};

        if (spec->id)
                return error_set(e, ERROR_INVALID_ARGS, "Id: not with Run");
        if (spec->session && !streq(spec->session, session->name))
                return error_set(e, ERROR_INVALID_ARGS, "Session: the command runs in \"%s\"",
                                 session->name);
        if (!spec->session) {
                spec->session = str_copy(session->name);
                if (!spec->session)
                        return error_no_memory(e);
        }
        spec->shell_command = true;
        return exec_spec_set_argv(spec, argv, e);
}

static void begin(Session *session, SessionRun *run)
{
        Error e = ERROR_NULL;
        bool existing;
        Job *job;
        int r;

        r = job_set_start(run->jobs, &run->spec, &job, &existing, &e);
        exec_spec_done(&run->spec);
        if (r < 0) {
                run->failed(run, &e);
                return;
        }
        session->current = job;
        job_watch_add(job, &session->run_watch);
        run->begun(run, job);
}

static void on_timer(Timer *t, usec_t now)
{
        Session *session = container_of(t, Session, run_timer);
        List *first;

        while (!session->current && (first = list_first(&session->runs))) {
                list_remove(first);
                begin(session, container_of(first, SessionRun, link));
        }
}

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        Session *session = container_of(w, Session, run_watch);

        if (moment != JOB_MOMENT_EXITED && moment != JOB_MOMENT_START_FAILED && moment != JOB_MOMENT_REMOVED)
                return;
        job_watch_remove(w);
        session->current = NULL;
        if (!list_is_empty(&session->runs))
                timer_arm(session->set->config.timers, &session->run_timer, clock_monotonic());
}

void session_run_init(Session *session)
{
        list_init(&session->runs);
        list_init(&session->run_watch.link);
        session->run_watch.notify = on_moment;
        timer_init(&session->run_timer, on_timer);
}

void session_run(Session *session, SessionRun *run)
{
        if (!session->current && list_is_empty(&session->runs))
                begin(session, run);
        else
                list_append(&session->runs, &run->link);
}

void session_run_cancel(SessionRun *run)
{
        list_remove(&run->link);
        exec_spec_done(&run->spec);
}

void session_run_stop_all(Session *session)
{
        Error e;

        timer_disarm(session->set->config.timers, &session->run_timer);
        error_set(&e, ERROR_NO_SUCH_SESSION, "Session: \"%s\" was closed meanwhile", session->name);
        LIST_FOREACH_SAFE (&session->runs, link) {
                SessionRun *run = container_of(link, SessionRun, link);

                session_run_cancel(run);
                run->failed(run, &e);
        }
}

void session_run_done(Session *session)
{
        session_run_stop_all(session);
        job_watch_remove(&session->run_watch);
}

static int keep(Session *session, Job *job, const ShellState *state)
{
        _cleanup_strv_ char **changes = NULL;
        Error e = ERROR_NULL;
        int r;

        r = shell_state_changes(job->shell_environment, state->environment, &changes);
        if (r >= 0)
                r = session_keep(session, changes,
                                 streq(state->directory, job->working_directory) ? NULL : state->directory,
                                 &e);
        if (r < 0)
                return r;
        if (state->umask != job->shell_umask)
                session->umask = state->umask;
        return 0;
}

void session_run_ended(Job *job)
{
        _cleanup_(shell_state_done) ShellState state = {0};
        int r;

        /* What a shell says on its way out of a fatal signal (bash does) is not what it would have come to.
         */
        if (job->session_of && job->shell_environment && job->shell_report && job->signal == 0 &&
            !job->timed_out) {
                r = shell_state_parse(job->shell_report, job->shell_report_size, &state);
                if (r >= 0)
                        r = keep(job->session_of, job, &state);
                if (r < 0)
                        log_debug_errno(r, "Job %s: what its shell left is not kept", job->id);
                job->state_kept = r >= 0;
        }
        job_forget_shell(job);
}
