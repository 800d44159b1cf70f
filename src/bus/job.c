/*
 * The table of org.reeve1.Job. All jobs hang on one fallback table a peer, so that a job costs its peers
 * nothing; the find callback notes in the peer which job the path at hand means.
 */

#include "bus/job.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "bus/errors.h"
#include "bus/freeze.h"
#include "bus/job-follow.h"
#include "bus/job-input.h"
#include "bus/job-log.h"
#include "bus/job-properties.h"
#include "bus/job-wait.h"
#include "bus/names.h"
#include "bus/peer.h"
#include "bus/server.h"
#include "bus/stop.h"
#include "core/error.h"
#include "core/job.h"
#include "core/manager.h"
#include "core/notify.h"

#define SIGNAL_SIZE 1024U
#define ADDED_SIZE 4096U

int job_bus_path(const Job *job, char **ret)
{
        return sd_bus_path_encode(BUS_PATH_JOB, job->id, ret);
}

static int find_job(sd_bus *bus, const char *path, const char *interface, void *userdata, void **ret_found,
                    sd_bus_error *ret_error)
{
        Peer *p = userdata;
        _cleanup_free_ char *id = NULL;
        Job *job;
        int r;

        r = sd_bus_path_decode(path, BUS_PATH_JOB, &id);
        if (r <= 0)
                return r;
        job = job_set_get(&p->server->manager->jobs, id);
        if (!job)
                return 0;
        p->job = job;
        *ret_found = p;
        return 1;
}

static int enumerate_jobs(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                          sd_bus_error *ret_error)
{
        JobSet *jobs = &((Peer *) userdata)->server->manager->jobs;
        _cleanup_free_ char **nodes = alloc_array(char *, job_set_count(jobs) + 1);
        size_t n = 0;
        int r = nodes ? 0 : -ENOMEM;

        LIST_FOREACH (&jobs->jobs, link) {
                const Job *job = container_of(link, Job, by_age);

                if (r >= 0 && job->announced)
                        r = job_bus_path(job, &nodes[n++]);
        }
        if (r < 0) {
                while (nodes && n > 0)
                        free(nodes[--n]);
                return r;
        }
        nodes[n] = NULL;
        *ret_nodes = TAKE_PTR(nodes);
        return 0;
}

static int get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
        return job_property_append(reply, ((Peer *) userdata)->job, property);
}

static int method_kill(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_job_method_kill(m, p, p->job, ret_error);
}

static int method_stop(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_job_method_stop(m, p, p->job, ret_error);
}

static int method_get_output(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_job_method_get_output(m, p, p->job, ret_error);
}

static int method_read_log(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_job_method_read_log(m, p, p->job, ret_error);
}

static int method_follow_log(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_job_method_follow_log(m, p, p->job, ret_error);
}

static int method_wait(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_job_method_wait(m, p, p->job, ret_error);
}

static int method_write_input(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_job_method_write_input(m, p, p->job, ret_error);
}

static int method_resize_tty(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_job_method_resize_tty(m, p, p->job, ret_error);
}

static int method_forget(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;
        Error e = ERROR_NULL;
        int r;

        r = job_set_forget(&p->server->manager->jobs, p->job, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        p->job = NULL;
        return sd_bus_reply_method_return(m, NULL);
}

static int method_freeze(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_freeze_job(m, p, p->job, true, ret_error);
}

static int method_thaw(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_freeze_job(m, p, p->job, false, ret_error);
}

static int method_detach(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        job_detach(((Peer *) userdata)->job);
        return sd_bus_reply_method_return(m, NULL);
}

#define CONST(name, signature)                                                                              \
        SD_BUS_PROPERTY(name, signature, get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST)
#define CHANGES(name, signature)                                                                            \
        SD_BUS_PROPERTY(name, signature, get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)
#define ASK(name, signature) SD_BUS_PROPERTY(name, signature, get_property, 0, 0)

static const sd_bus_vtable vtable[] = {
                SD_BUS_VTABLE_START(0),
                CONST("Id", "s"),
                ASK("Session", "s"),
                CONST("Unit", "s"),
                CONST("Description", "s"),
                CONST("Labels", "a{ss}"),
                CONST("Command", "as"),
                CONST("WorkingDirectory", "s"),
                CONST("User", "s"),
                CONST("StandardInput", "s"),
                CHANGES("State", "s"),
                CHANGES("Running", "b"),
                CHANGES("Frozen", "b"),
                CHANGES("Ready", "b"),
                CHANGES("StatusText", "s"),
                CHANGES("Result", "s"),
                CHANGES("PID", "u"),
                CHANGES("ExitCode", "i"),
                CHANGES("Signal", "i"),
                CHANGES("NRestarts", "u"),
                ASK("StartTimestamp", "t"),
                ASK("ExitTimestamp", "t"),
                ASK("FinishTimestamp", "t"),
                CONST("ControlGroup", "s"),
                ASK("TasksCurrent", "t"),
                ASK("CPUUsageNSec", "t"),
                ASK("CPUUserNSec", "t"),
                ASK("CPUSystemNSec", "t"),
                ASK("MemoryCurrent", "t"),
                ASK("MemoryPeak", "t"),
                ASK("IOReadBytes", "t"),
                ASK("IOWriteBytes", "t"),
                ASK("OOMKills", "t"),
                ASK("LogBytes", "t"),
                ASK("LogLostBytes", "t"),
                ASK("LogLostRecords", "t"),
                ASK("LogMaxBytes", "t"),
                ASK("LogCursor", "s"),
                ASK("ListeningPorts", "aq"),

                SD_BUS_METHOD_WITH_ARGS("Kill", SD_BUS_ARGS("s", whom, "i", signal),
                                        SD_BUS_RESULT("au", pids), method_kill, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Stop", SD_BUS_ARGS("a{sv}", options),
                                        SD_BUS_RESULT("au", pids, "u", remaining), method_stop,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Freeze", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_freeze,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Thaw", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_thaw,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("GetOutput", SD_BUS_ARGS("a{sv}", options),
                                        SD_BUS_RESULT("ay", stdout, "ay", stderr, "a{sv}", details),
                                        method_get_output, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("ReadLog", SD_BUS_ARGS("s", cursor, "a{sv}", options),
                                        SD_BUS_RESULT("a(tttyay)", records, "s", next, "t", lost, "b", eof),
                                        method_read_log, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("FollowLog", SD_BUS_ARGS("s", cursor, "a{sv}", options),
                                        SD_BUS_RESULT("h", fd), method_follow_log,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Wait", SD_BUS_ARGS("a{sv}", until, "t", timeout_usec),
                                        SD_BUS_RESULT("s", reached, "a{sv}", details), method_wait,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Detach", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_detach,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("WriteInput", SD_BUS_ARGS("ay", data, "b", eof),
                                        SD_BUS_RESULT("t", accepted), method_write_input,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("ResizeTTY", SD_BUS_ARGS("q", rows, "q", columns), SD_BUS_NO_RESULT,
                                        method_resize_tty, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Forget", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_forget,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_VTABLE_END,
};

int bus_job_add(Peer *p)
{
        int r;

        r = sd_bus_add_fallback_vtable(p->bus, NULL, BUS_PATH_JOB, BUS_INTERFACE_JOB, vtable, find_job, p);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(p->bus, NULL, BUS_PATH_JOB, enumerate_jobs, p);
}

/* Of the message that says all about a new job; what can be long in it is the command line and the like. */
static size_t added_size(const Job *job)
{
        size_t size = ADDED_SIZE + strlen(job->spec.description ?: "");

        STRV_FOREACH (s, job->spec.argv)
                size += strlen(*s);
        STRV_FOREACH (s, job->spec.labels)
                size += strlen(*s);
        return size;
}

void bus_job_emit_added(Peer *p, const Job *job)
{
        _cleanup_free_ char *path = NULL;

        if (job_bus_path(job, &path) >= 0 && sd_bus_emit_object_added(p->bus, path) >= 0)
                peer_sent(p, added_size(job));
}

void bus_job_emit_removed(Peer *p, const Job *job)
{
        _cleanup_free_ char *path = NULL;

        if (job_bus_path(job, &path) >= 0 && sd_bus_emit_object_removed(p->bus, path) >= 0)
                peer_sent(p, SIGNAL_SIZE);
}

void bus_job_emit_changed(Peer *p, const Job *job)
{
        _cleanup_free_ char *path = NULL;

        if (job_bus_path(job, &path) >= 0 &&
            sd_bus_emit_properties_changed(p->bus, path, BUS_INTERFACE_JOB, "State", "Running", "Frozen",
                                           "Ready", "StatusText", "Result", "PID", "ExitCode", "Signal",
                                           NULL) >= 0)
                peer_sent(p, SIGNAL_SIZE + (job->notify ? strlen(job->notify->status ?: "") : 0));
}
