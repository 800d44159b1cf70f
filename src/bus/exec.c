/*
 * Exec, Start and Run are the same up to exec, and then differ in when they answer: Start as soon as exec
 * succeeded (or a little later, with the first output), Exec when the leader has ended and its output is
 * drained. Drained is EOF on the pipes; where others of the job hold them open, it is silence for
 * DrainTimeoutUSec, and when there is no silence, ten times that after the end: what the leader itself wrote
 * was taken at its end, and an answer that waits for ever on a stranger's chatter would be the hang that
 * reeve is there to prevent.
 */

#include "bus/exec.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "bus/errors.h"
#include "bus/hold.h"
#include "bus/job.h"
#include "bus/options.h"
#include "bus/output.h"
#include "bus/peer.h"
#include "bus/pending.h"
#include "bus/server.h"
#include "core/error.h"
#include "core/job.h"
#include "core/manager.h"
#include "core/session-run.h"
#include "journal/ring.h"

#define DRAIN_PATIENCE 10

typedef struct PendingExec {
        Pending pending;
        JobWatch watch;
        Job *job;
        Hold *hold;        /* of KillOnDisconnect, until there is the job; NULL */
        Hold *cancel_hold; /* of KillOnCancel, until it is answered; NULL */
        SessionRun run;    /* of a Run that waits for its turn */
        bool start, of_session, existing;
        usec_t initial_output, drain_timeout;
        OutputRequest output;
} PendingExec;

static usec_t times(usec_t a, unsigned n)
{
        return a > USEC_INFINITY / n ? USEC_INFINITY : a * n;
}

static int append_exec_details(sd_bus_message *m, const PendingExec *pe, OutputResult *carried)
{
        Job *job = pe->job;
        ScopeUsage usage;
        RingStat stat;
        bool truncated;
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = output_append_text(m, job, &pe->output, carried);
        if (r < 0)
                return r;
        ring_stat(job->ring, &stat);
        job_usage(job, &usage);
        truncated = carried->size[STREAM_STDOUT] < stat.bytes[STREAM_STDOUT] ||
                    carried->size[STREAM_STDERR] < stat.bytes[STREAM_STDERR];
        r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}",     /**/
                                  "StdoutBytes", "t", stat.bytes[STREAM_STDOUT], /**/
                                  "StderrBytes", "t", stat.bytes[STREAM_STDERR], /**/
                                  "Truncated", "b", (int) truncated,             /**/
                                  "PID", "u", (uint32_t) job->pid,               /**/
                                  "StartTimestamp", "t", job->start_time,        /**/
                                  "ExitTimestamp", "t", job->exit_time,          /**/
                                  "CPUUsageNSec", "t", usage.cpu_nsec,           /**/
                                  "MemoryPeak", "t", usage.memory_peak,          /**/
                                  "TasksRemaining", "u", (uint32_t) job_count_processes(job));
        if (r >= 0 && pe->of_session)
                r = sd_bus_message_append(m, "{sv}", "StateKept", "b", (int) job->state_kept);
        if (r >= 0)
                r = output_append_cursor(m, "LogCursor", job);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int exec_reply_new(const PendingExec *pe, sd_bus_message **ret, size_t *ret_size)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        OutputResult carried = {0};
        Job *job = pe->job;
        int r;

        r = sd_bus_message_new_method_return(pe->pending.call, &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "siis", job->id, (int32_t) job->exit_code,
                                          (int32_t) job->signal, job_result_to_string(job->result));
        if (r >= 0)
                r = output_append_arrays(m, job, &pe->output, &carried);
        if (r >= 0)
                r = append_exec_details(m, pe, &carried);
        if (r < 0)
                return r;
        *ret_size = carried.size[STREAM_STDOUT] + carried.size[STREAM_STDERR] + 1024;
        *ret = TAKE_PTR(m);
        return 0;
}

static int append_bytes(sd_bus_message *m, const char *key, const Job *job, const OutputRequest *request,
                        Stream stream, OutputResult *carried)
{
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "ay");
        if (r >= 0)
                r = output_append_array(m, job, stream, request, carried);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int start_reply_new(const PendingExec *pe, sd_bus_message **ret, size_t *ret_size)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_free_ char *path = NULL;
        OutputResult carried = {0};
        Job *job = pe->job;
        int r;

        r = job_bus_path(job, &path);
        if (r >= 0)
                r = sd_bus_message_new_method_return(pe->pending.call, &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "sou", job->id, path, (uint32_t) job->pid);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_bytes(m, "InitialStdout", job, &pe->output, STREAM_STDOUT, &carried);
        if (r >= 0)
                r = append_bytes(m, "InitialStderr", job, &pe->output, STREAM_STDERR, &carried);
        if (r >= 0)
                r = output_append_text(m, job, &pe->output, &carried);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}{sv}", "State", "s", job_state_word(job),
                                          "Existing", "b", (int) pe->existing);
        if (r >= 0)
                r = output_append_cursor(m, "LogCursor", job);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        *ret_size = carried.size[STREAM_STDOUT] + carried.size[STREAM_STDERR] + 1024;
        *ret = TAKE_PTR(m);
        return 0;
}

static void answer(PendingExec *pe)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        size_t size = 0;
        int r;

        hold_end(pe->cancel_hold);
        capture_flush(&pe->job->capture);
        r = pe->start ? start_reply_new(pe, &m, &size) : exec_reply_new(pe, &m, &size);
        pending_reply(&pe->pending, r < 0 ? NULL : m, size);
}

/* Answers, if it is time; else arms the timer for when it may be. */
static void consider_exec(PendingExec *pe, usec_t now)
{
        Job *job = pe->job;
        usec_t last, quiet, patience;

        if (!job_is_exited(job))
                return;
        /* What has SIGKILL on its way is waited for: an answer "timeout" means that nothing is left. */
        if (job_is_drained(job) && job->fsm.state != JOB_KILLING) {
                answer(pe);
                return;
        }
        last = MAX(job->exit_monotonic, job->capture.last_output);
        quiet = usec_add(last, pe->drain_timeout);
        patience = usec_add(job->exit_monotonic, times(pe->drain_timeout, DRAIN_PATIENCE));
        if (MIN(quiet, patience) <= now)
                answer(pe);
        else
                pending_arm(&pe->pending, MIN(quiet, patience));
}

static void consider_start(PendingExec *pe, bool begin)
{
        if (!pe->job->announced) /* what it was drained of was no command's */
                return;
        if (pe->initial_output == 0 || job_is_drained(pe->job))
                answer(pe);
        else if (begin)
                pending_arm(&pe->pending, usec_add(manager_now(), pe->initial_output));
}

static void on_timeout(Pending *p, usec_t now)
{
        PendingExec *pe = container_of(p, PendingExec, pending);

        if (pe->start)
                answer(pe);
        else
                consider_exec(pe, now);
}

static void on_destroy(Pending *p)
{
        PendingExec *pe = container_of(p, PendingExec, pending);

        job_watch_remove(&pe->watch);
        session_run_cancel(&pe->run);
        /* Without a job there is nothing to be held; with one, it is the peer that goes. */
        hold_end(pe->hold);
        pe->job ? hold_let_go(pe->cancel_hold) : hold_end(pe->cancel_hold);
        free(pe);
}

static const PendingOps ops = {.timeout = on_timeout, .destroy = on_destroy};

static void on_moment(JobWatch *w, Job *job, JobMoment moment)
{
        PendingExec *pe = container_of(w, PendingExec, watch);
        Error e;

        switch (moment) {
        case JOB_MOMENT_START_FAILED: pending_fail(&pe->pending, &job->start_error); break;
        case JOB_MOMENT_REMOVED:
                error_set(&e, ERROR_NO_SUCH_JOB, "Job \"%s\" was let go meanwhile", job->id);
                pending_fail(&pe->pending, &e);
                break;
        case JOB_MOMENT_STARTED:
                if (pe->start)
                        consider_start(pe, true);
                break;
        case JOB_MOMENT_EXITED:
        case JOB_MOMENT_DRAINED:
        case JOB_MOMENT_FINISHED:
                if (pe->start)
                        consider_start(pe, false);
                else
                        consider_exec(pe, manager_now());
                break;
        default: break;
        }
}

static int pending_exec_new(Peer *peer, sd_bus_message *m, const ExecSpec *spec, bool start,
                            PendingExec **ret, Error *e)
{
        PendingExec *pe = alloc_new(PendingExec);
        int r;

        if (!pe)
                return error_no_memory(e);
        list_init(&pe->watch.link);
        pe->watch.notify = on_moment;
        list_init(&pe->run.link);
        exec_spec_init(&pe->run.spec);
        pe->start = start;
        pe->initial_output = spec->initial_output;
        pe->drain_timeout = spec->drain_timeout;
        pe->output = (OutputRequest){
                        .streams = STREAM_MASK_OUTPUT,
                        .max_bytes = spec->output_max_bytes,
                        .lines = UINT64_MAX,
                        .text = spec->text,
        };
        r = spec->kill_on_disconnect ? hold_new(peer, &pe->hold) : 0;
        if (r >= 0 && spec->kill_on_cancel)
                r = hold_new(peer, &pe->cancel_hold);
        r = r < 0 ? error_no_memory(e) : pending_init(&pe->pending, &ops, peer, m, e);
        if (r < 0) {
                hold_end(pe->hold);
                hold_end(pe->cancel_hold);
                free(pe);
                return r;
        }
        *ret = pe;
        return 0;
}

/* There is the job, on its way to exec, or known from an earlier request. */
static void begun(PendingExec *pe, Job *job, bool existing)
{
        pe->job = job;
        pe->existing = existing;
        if (pe->cancel_hold)
                hold_set(pe->cancel_hold, job);
        if (pe->hold) {
                hold_set(pe->hold, job);
                hold_let_go(pe->hold);
        }
        job_watch_add(job, &pe->watch);
        if (!existing || !job->announced)
                return;
        if (pe->start)
                consider_start(pe, true);
        else
                consider_exec(pe, manager_now());
}

static int method_run(sd_bus_message *m, Peer *peer, bool start, sd_bus_error *ret_error)
{
        _cleanup_(exec_spec_done) ExecSpec spec;
        Error e = ERROR_NULL;
        PendingExec *pe = NULL;
        bool existing = false;
        Job *job = NULL;
        int r;

        exec_spec_init(&spec);
        r = options_read_spec(m, start, &spec, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        /* The place to answer from comes first: a job that nobody could be told of must not start. */
        r = pending_exec_new(peer, m, &spec, start, &pe, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        r = job_set_start(&peer->server->manager->jobs, &spec, &job, &existing, &e);
        if (r < 0)
                pending_fail(&pe->pending, &e);
        else
                begun(pe, job, existing);
        return 1;
}

static void on_run_begun(SessionRun *run, Job *job)
{
        begun(container_of(run, PendingExec, run), job, false);
}

static void on_run_failed(SessionRun *run, const Error *e)
{
        pending_fail(&container_of(run, PendingExec, run)->pending, e);
}

int bus_session_method_run(sd_bus_message *m, Peer *peer, Session *session, sd_bus_error *ret_error)
{
        _cleanup_(exec_spec_done) ExecSpec spec;
        Error e = ERROR_NULL;
        PendingExec *pe = NULL;
        const char *command;
        int r;

        exec_spec_init(&spec);
        r = sd_bus_message_read(m, "s", &command);
        if (r >= 0)
                r = options_read_dict(m, &spec, &e);
        if (r >= 0)
                r = session_run_prepare(session, &spec, command, &e);
        if (r >= 0)
                r = exec_spec_check(&spec, false, &e);
        if (r >= 0)
                r = pending_exec_new(peer, m, &spec, false, &pe, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        pe->of_session = true;
        pe->run.jobs = &peer->server->manager->jobs;
        pe->run.begun = on_run_begun;
        pe->run.failed = on_run_failed;
        pe->run.spec = spec;
        exec_spec_init(&spec);
        session_run(session, &pe->run);
        return 1;
}

int bus_method_exec(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        return method_run(m, userdata, false, ret_error);
}

int bus_method_start(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        return method_run(m, userdata, true, ret_error);
}
