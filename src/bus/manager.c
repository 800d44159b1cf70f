/*
 * The table of org.reeve1.Manager, its properties, its signals, and the methods that are answered at once.
 * Those that wait have files of their own: exec.c, stop.c.
 */

#include "bus/manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "bus/dict.h"
#include "bus/errors.h"
#include "bus/exec.h"
#include "bus/job-properties.h"
#include "bus/job.h"
#include "bus/names.h"
#include "bus/peer.h"
#include "bus/selector.h"
#include "bus/server.h"
#include "bus/session.h"
#include "bus/stop.h"
#include "bus/unit.h"
#include "core/error.h"
#include "core/job.h"
#include "core/manager.h"
#include "core/selector.h"
#include "journal/ring.h"

/* What a signal of ours weighs in a queue, about. */
#define SIGNAL_SIZE 256U

static Manager *manager_of(void *userdata)
{
        return ((Peer *) userdata)->server->manager;
}

static int method_list_jobs(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(job_selector_done) JobSelector selector = {0};
        JobSet *jobs = &manager_of(userdata)->jobs;
        Error e = ERROR_NULL;
        bool usage = false;
        size_t size = 0;
        int r;

        r = bus_selector_read_filter(m, &selector, &usage, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        LIST_FOREACH (&jobs->jobs, link) {
                Job *job = container_of(link, Job, by_age);

                if (r < 0 || !job->announced || !job_selector_match(&selector, job))
                        continue;
                r = job_properties_append_all(reply, job, usage);
                size += 1024;
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = peer_send(userdata, reply);
        if (r < 0)
                return r;
        peer_sent(userdata, size);
        return 1;
}

static int reply_path(sd_bus_message *m, const Job *job)
{
        _cleanup_free_ char *path = NULL;
        int r;

        r = job_bus_path(job, &path);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "o", path);
}

static int method_get_job(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *id;
        Job *job;
        int r;

        r = sd_bus_message_read(m, "s", &id);
        if (r < 0)
                return r;
        job = job_set_get(&manager_of(userdata)->jobs, id);
        if (!job)
                return sd_bus_error_setf(ret_error, BUS_ERROR_NO_SUCH_JOB, "There is no job \"%s\"", id);
        return reply_path(m, job);
}

static int method_get_job_by_pid(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Job *job = NULL;
        uint32_t pid;
        int r;

        r = sd_bus_message_read(m, "u", &pid);
        if (r < 0)
                return r;
        if (pid > 0 && pid <= INT32_MAX)
                job = job_set_get_by_pid(&manager_of(userdata)->jobs, (pid_t) pid);
        if (!job)
                return sd_bus_error_setf(ret_error, BUS_ERROR_NO_SUCH_PROCESS, "No job holds process %u",
                                         pid);
        return reply_path(m, job);
}

static int method_shutdown(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Shutdown *shutdown = &manager_of(userdata)->shutdown;
        const char *action;
        int32_t code;
        int power, r;

        r = sd_bus_message_read(m, "si", &action, &code);
        if (r < 0)
                return r;
        if (code < 0 || code > 255)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_INVALID_ARGS, "exit_code: must be 0 to 255");
        power = shutdown_power_from_string(action);
        if (power < 0)
                return sd_bus_error_setf(ret_error, SD_BUS_ERROR_INVALID_ARGS,
                                         "action: must be one of exit|poweroff|reboot|halt");
        if (power != POWER_NONE && shutdown->power == POWER_NONE)
                return sd_bus_error_setf(
                                ret_error, SD_BUS_ERROR_NOT_SUPPORTED,
                                "action: \"%s\" is for the init of a machine, this is a container's",
                                action);
        r = sd_bus_reply_method_return(m, NULL);
        if (r < 0)
                return r;
        shutdown_set_exit_code(shutdown, code);
        if (shutdown->power == POWER_NONE)
                shutdown_order(shutdown, 0);
        else
                shutdown_order_power(shutdown, power == POWER_NONE ? POWER_OFF : (PowerAction) power);
        return 1;
}

static int property_string(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
        const Manager *m = manager_of(userdata);
        const char *value = REEVE_VERSION;

        if (streq(property, "State"))
                value = manager_state(m);
        else if (streq(property, "Containment"))
                value = manager_containment(m);
        else if (streq(property, "ControlGroup"))
                value = m->tree.path ?: "";
        return sd_bus_message_append(reply, "s", value);
}

static int property_controllers(sd_bus *bus, const char *path, const char *interface, const char *property,
                                sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
        unsigned controllers = manager_of(userdata)->tree.controllers;
        int r;

        r = sd_bus_message_open_container(reply, 'a', "s");
        for (CgroupController c = 0; r >= 0 && c < _CGROUP_CONTROLLER_MAX; c++)
                if (controllers & (1U << c))
                        r = sd_bus_message_append(reply, "s", cgroup_controller_to_string(c));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int property_count(sd_bus *bus, const char *path, const char *interface, const char *property,
                          sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
        const JobSet *jobs = &manager_of(userdata)->jobs;

        return sd_bus_message_append(reply, "u",
                                     streq(property, "NJobs") ? job_set_count(jobs)
                                                              : job_set_count_running(jobs));
}

static int property_number(sd_bus *bus, const char *path, const char *interface, const char *property,
                           sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
        const Manager *m = manager_of(userdata);
        const struct {
                const char *name;
                uint64_t value;
        } table[] = {
                        {"NReaped", m->n_reaped},          {"NOrphansReaped", m->n_orphans_reaped},
                        {"LogBytes", m->store.used},       {"LogMaxBytes", m->store.budget},
                        {"StartTimestamp", m->start_time},
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(table[i].name, property))
                        return sd_bus_message_append(reply, "t", table[i].value);
        return -EINVAL;
}

static int set_log_max_bytes(sd_bus *bus, const char *path, const char *interface, const char *property,
                             sd_bus_message *value, void *userdata, sd_bus_error *ret_error)
{
        uint64_t bytes;
        int r;

        r = sd_bus_message_read(value, "t", &bytes);
        if (r < 0)
                return r;
        if (bytes < RING_BYTES_MIN)
                return sd_bus_error_setf(ret_error, SD_BUS_ERROR_INVALID_ARGS,
                                         "LogMaxBytes: at least %" PRIu64, RING_BYTES_MIN);
        store_set_budget(&manager_of(userdata)->store, bytes);
        return 0;
}

static const sd_bus_vtable vtable[] = {
                SD_BUS_VTABLE_START(0),
                SD_BUS_METHOD_WITH_ARGS("Exec", SD_BUS_ARGS("as", argv, "a{sv}", options),
                                        SD_BUS_RESULT("s", id, "i", exit_code, "i", signal, "s", result,
                                                      "ay", stdout, "ay", stderr, "a{sv}", details),
                                        bus_method_exec, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Start", SD_BUS_ARGS("as", argv, "a{sv}", options),
                                        SD_BUS_RESULT("s", id, "o", job, "u", pid, "a{sv}", details),
                                        bus_method_start, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_ARGS("a{sv}", filter),
                                        SD_BUS_RESULT("aa{sv}", jobs), method_list_jobs,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("GetJob", SD_BUS_ARGS("s", id), SD_BUS_RESULT("o", job),
                                        method_get_job, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("GetJobByPID", SD_BUS_ARGS("u", pid), SD_BUS_RESULT("o", job),
                                        method_get_job_by_pid, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Kill",
                                        SD_BUS_ARGS("a{sv}", selector, "i", signal, "a{sv}", options),
                                        SD_BUS_RESULT("as", ids, "au", pids), bus_method_kill,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Stop", SD_BUS_ARGS("a{sv}", selector, "a{sv}", options),
                                        SD_BUS_RESULT("as", ids, "au", pids, "u", remaining),
                                        bus_method_stop, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("OpenSession", SD_BUS_ARGS("s", name, "a{sv}", options),
                                        SD_BUS_RESULT("o", session), bus_method_open_session,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("CloseSession", SD_BUS_ARGS("s", name, "a{sv}", options),
                                        SD_BUS_RESULT("as", ids, "au", pids, "u", remaining),
                                        bus_method_close_session, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("GetSession", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", session),
                                        bus_method_get_session, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("ListSessions", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", sessions),
                                        bus_method_list_sessions, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("ListUnits", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", units),
                                        bus_method_list_units, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("StartUnit", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", job),
                                        bus_method_start_unit, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("StopUnit", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
                                        bus_method_stop_unit, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("RestartUnit", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", job),
                                        bus_method_restart_unit, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("ReloadUnit", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
                                        bus_method_reload_unit, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(sus)", problems),
                                        bus_method_reload, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Shutdown", SD_BUS_ARGS("s", action, "i", exit_code),
                                        SD_BUS_NO_RESULT, method_shutdown, SD_BUS_VTABLE_UNPRIVILEGED),

                SD_BUS_SIGNAL_WITH_ARGS("JobNew", SD_BUS_ARGS("s", id, "o", job), 0),
                SD_BUS_SIGNAL_WITH_ARGS("JobExited",
                                        SD_BUS_ARGS("s", id, "s", result, "i", exit_code, "i", signal), 0),
                SD_BUS_SIGNAL_WITH_ARGS("JobFinished", SD_BUS_ARGS("s", id, "s", result), 0),
                SD_BUS_SIGNAL_WITH_ARGS("JobRemoved", SD_BUS_ARGS("s", id, "o", job), 0),
                SD_BUS_SIGNAL_WITH_ARGS("SessionNew", SD_BUS_ARGS("s", name, "o", session), 0),
                SD_BUS_SIGNAL_WITH_ARGS("SessionRemoved", SD_BUS_ARGS("s", name, "o", session), 0),

                SD_BUS_PROPERTY("Version", "s", property_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
                SD_BUS_PROPERTY("State", "s", property_string, 0, 0),
                SD_BUS_PROPERTY("Containment", "s", property_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
                SD_BUS_PROPERTY("ControlGroup", "s", property_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
                SD_BUS_PROPERTY("Controllers", "as", property_controllers, 0, SD_BUS_VTABLE_PROPERTY_CONST),
                SD_BUS_PROPERTY("NJobs", "u", property_count, 0, 0),
                SD_BUS_PROPERTY("NRunning", "u", property_count, 0, 0),
                SD_BUS_PROPERTY("NReaped", "t", property_number, 0, 0),
                SD_BUS_PROPERTY("NOrphansReaped", "t", property_number, 0, 0),
                SD_BUS_PROPERTY("LogBytes", "t", property_number, 0, 0),
                SD_BUS_WRITABLE_PROPERTY("LogMaxBytes", "t", property_number, set_log_max_bytes, 0,
                                         SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_PROPERTY("StartTimestamp", "t", property_number, 0, SD_BUS_VTABLE_PROPERTY_CONST),
                SD_BUS_VTABLE_END,
};

int bus_manager_add(Peer *p)
{
        return sd_bus_add_object_vtable(p->bus, NULL, BUS_PATH, BUS_INTERFACE_MANAGER, vtable, p);
}

static void emit_with_path(Peer *p, const char *signal, const Job *job)
{
        _cleanup_free_ char *path = NULL;

        if (job_bus_path(job, &path) < 0 ||
            sd_bus_emit_signal(p->bus, BUS_PATH, BUS_INTERFACE_MANAGER, signal, "so", job->id, path) < 0)
                return;
        peer_sent(p, SIGNAL_SIZE);
}

void bus_manager_emit_job_new(Peer *p, const Job *job)
{
        emit_with_path(p, "JobNew", job);
}

void bus_manager_emit_job_removed(Peer *p, const Job *job)
{
        emit_with_path(p, "JobRemoved", job);
}

void bus_manager_emit_job_exited(Peer *p, const Job *job)
{
        if (sd_bus_emit_signal(p->bus, BUS_PATH, BUS_INTERFACE_MANAGER, "JobExited", "ssii", job->id,
                               job_result_to_string(job->result), (int32_t) job->exit_code,
                               (int32_t) job->signal) >= 0)
                peer_sent(p, SIGNAL_SIZE);
}

void bus_manager_emit_job_finished(Peer *p, const Job *job)
{
        if (sd_bus_emit_signal(p->bus, BUS_PATH, BUS_INTERFACE_MANAGER, "JobFinished", "ss", job->id,
                               job_result_to_string(job->result)) >= 0)
                peer_sent(p, SIGNAL_SIZE);
}
