/*
 * Job.Wait: what is waited for is read and checked, core does the waiting (core/job-wait.h), and the answer
 * is written.
 */

#include "bus/job-wait.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/strv.h"
#include "bus/dict.h"
#include "bus/errors.h"
#include "bus/job-log.h"
#include "bus/peer.h"
#include "bus/pending.h"
#include "bus/server.h"
#include "core/error.h"
#include "core/job-wait.h"
#include "core/manager.h"

#define REPLY_SIZE 256U

typedef struct PendingWait {
        Pending pending;
        JobWait wait;
} PendingWait;

static int check_ports(const char *name, const uint16_t *ports, size_t n, Error *e)
{
        if (n == 0)
                return error_set(e, ERROR_INVALID_ARGS, "%s: is empty", name);
        if (n > PORTS_MAX)
                return error_set(e, ERROR_INVALID_ARGS, "%s: are more than %u", name, PORTS_MAX);
        for (size_t i = 0; i < n; i++)
                if (ports[i] == 0)
                        return error_set(e, ERROR_INVALID_ARGS, "%s: 0 is no port", name);
        return 0;
}

static int set_ports(JobWait *w, WaitKey key, const uint16_t *ports, size_t n, Error *e)
{
        size_t i = key == WAIT_PORTS;
        int r;

        r = check_ports(wait_key_to_string(key), ports, n, e);
        if (r < 0)
                return r;
        w->ports[i] = alloc_copy(ports, n * sizeof(uint16_t));
        if (!w->ports[i])
                return error_no_memory(e);
        w->n_ports[i] = n;
        w->until[key] = true;
        return 0;
}

static int read_port(sd_bus_message *m, const char *name, void *target, Error *e)
{
        uint16_t port = 0;
        int r;

        r = sd_bus_message_read(m, "q", &port);
        return r < 0 ? r : set_ports(target, WAIT_PORT, &port, 1, e);
}

static int read_ports(sd_bus_message *m, const char *name, void *target, Error *e)
{
        const void *ports;
        size_t size;
        int r;

        r = sd_bus_message_read_array(m, 'q', &ports, &size);
        return r < 0 ? r : set_ports(target, WAIT_PORTS, ports, size / sizeof(uint16_t), e);
}

static int set_pattern(JobWait *w, const char *pattern, char *const *streams, Error *e)
{
        int r;

        if (!pattern)
                return streams ? error_set(e, ERROR_INVALID_ARGS,
                                           "LogStreams: are of LogPattern, which is not given")
                               : 0;
        r = bus_streams_from_strv("LogStreams", streams, STREAM_MASK_OUTPUT, &w->lines.streams, e);
        if (r >= 0)
                r = pattern_compile(&w->lines.pattern, "LogPattern", pattern, e);
        w->until[WAIT_LOG_PATTERN] = r >= 0;
        return r;
}

static int read_until(sd_bus_message *m, JobWait *w, Error *e)
{
        _cleanup_strv_ char **streams = NULL;
        _cleanup_free_ char *pattern = NULL;
#define MOMENT(id)                                                                                          \
        {                                                                                                   \
                wait_key_to_string(WAIT_##id), SETTING_TYPE_BOOL, &w->until[WAIT_##id]                      \
        }
        const DictKey keys[] = {
                        MOMENT(READY),
                        MOMENT(EXITED),
                        MOMENT(DRAINED),
                        MOMENT(FINISHED),
                        {"Port", .signature = "q", .read = read_port, .target = w},
                        {"Ports", .signature = "aq", .read = read_ports, .target = w},
                        {"LogPattern", SETTING_TYPE_STRING, &pattern},
                        {"LogStreams", SETTING_TYPE_STRV, &streams},
        };
#undef MOMENT
        int r;

        r = dict_read(m, keys, ELEMENTSOF(keys), NULL, e);
        if (r >= 0)
                r = set_pattern(w, pattern, streams, e);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(w->until); i++)
                if (w->until[i])
                        return 0;
        return error_set(e, ERROR_INVALID_ARGS, "until: names nothing to wait for");
}

static int append_line(sd_bus_message *m, const JobWait *w)
{
        const FoundLine *found = &w->lines.found;
        char cursor[CURSOR_TEXT_MAX];
        int r;

        cursor_format(&w->job->log, &found->end, cursor);
        r = sd_bus_message_append(m, "{sv}", "Cursor", "s", cursor);
        if (r >= 0 && found->lost_bytes > 0)
                r = sd_bus_message_append(m, "{sv}", "LineLostBytes", "t", found->lost_bytes);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", "Line");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "ay");
        if (r >= 0)
                r = sd_bus_message_append_array(m, 'y', found->text, found->size);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int reply_new(sd_bus_message *call, const JobWait *w, WaitKey key, sd_bus_message **ret)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const Job *job = w->job;
        int r;

        r = sd_bus_message_new_method_return(call, &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", wait_key_to_string(key));
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}{sv}{sv}{sv}",                            /**/
                                          "ExitCode", "i", (int32_t) job->exit_code,        /**/
                                          "Signal", "i", (int32_t) job->signal,             /**/
                                          "Result", "s", job_result_to_string(job->result), /**/
                                          "State", "s", job_state_word(job));
        if (r >= 0 && key == WAIT_PORT)
                r = sd_bus_message_append(m, "{sv}", "Port", "q", w->ports[0][0]);
        if (r >= 0 && key == WAIT_LOG_PATTERN)
                r = append_line(m, w);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

static int explain(int r, const JobWait *w, Error *e)
{
        switch (r) {
        case -ETIMEDOUT: return error_set(e, ERROR_TIMEOUT, "What was waited for has not come true in time");
        case -ENOENT: return error_set(e, ERROR_NO_SUCH_JOB, "Job \"%s\" was let go meanwhile", w->job->id);
        case -ENOMEM: return error_no_memory(e);
        default:
                return error_set(e, ERROR_LIMITS_EXCEEDED, "It cannot be seen who listens: %s",
                                 errno_text(r));
        }
}

static void answer(PendingWait *pw, int reached)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        size_t size = pw->wait.lines.found.size;
        Error e;

        if (reached < 0) {
                explain(reached, &pw->wait, &e);
                pending_fail(&pw->pending, &e);
                return;
        }
        (void) reply_new(pw->pending.call, &pw->wait, (WaitKey) reached, &m);
        pending_reply(&pw->pending, m, REPLY_SIZE + size);
}

static void on_done(JobWait *w, int reached)
{
        answer(container_of(w, PendingWait, wait), reached);
}

static void on_timeout(Pending *p, usec_t now)
{
        PendingWait *pw = container_of(p, PendingWait, pending);

        answer(pw, job_wait_time_out(&pw->wait));
}

static PendingWait *pending_wait_free(PendingWait *pw)
{
        if (pw) {
                job_wait_done(&pw->wait);
                free(pw);
        }
        return NULL;
}
DEFINE_CLEANUP(PendingWait *, pending_wait_free)

static void on_destroy(Pending *p)
{
        pending_wait_free(container_of(p, PendingWait, pending));
}

static const PendingOps ops = {.timeout = on_timeout, .destroy = on_destroy};

static int start(PendingWait *pw, sd_bus_message *m, Peer *peer, Job *job, usec_t timeout, Error *e)
{
        Manager *manager = peer->server->manager;
        int r;

        r = job_wait_start(&pw->wait, job, &manager->ports, &manager->lines);
        if (r >= 0 || r == -ETIMEDOUT)
                return r;
        if (r == -EAGAIN)
                r = pending_init(&pw->pending, &ops, peer, m, e);
        if (r < 0)
                return r;
        pending_arm(&pw->pending, pw->wait.once ? USEC_INFINITY : usec_add(manager_now(), timeout));
        return -EAGAIN;
}

int bus_job_method_wait(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error)
{
        _cleanup_(pending_wait_freep) PendingWait *pw = alloc_new(PendingWait);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Error e = ERROR_NULL;
        uint64_t timeout = 0;
        int r;

        if (!pw)
                return bus_error_set(ret_error, &e, error_no_memory(&e));
        job_wait_init(&pw->wait);
        pw->wait.done = on_done;
        r = read_until(m, &pw->wait, &e);
        if (r >= 0)
                r = sd_bus_message_read(m, "t", &timeout);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        pw->wait.once = timeout == 0;
        r = start(pw, m, peer, job, timeout, &e);
        if (r == -EAGAIN) {
                TAKE_PTR(pw);
                return 1;
        }
        if (r < 0) {
                if (e.kind == ERROR_NONE)
                        explain(r, &pw->wait, &e);
                return bus_error_set(ret_error, &e, r);
        }
        r = reply_new(m, &pw->wait, (WaitKey) r, &reply);
        return r < 0 ? r : peer_send(peer, reply);
}
