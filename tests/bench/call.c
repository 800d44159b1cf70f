/*
 * reeve as its callers have it: D-Bus calls of sd-bus(3) on the private socket. Calls have no timeout; a
 * benchmark that hangs is ended by whoever runs it, and main() cleans up.
 */

#include <stdio.h>
#include <string.h>

#include "bench.h"

#include "bus/names.h"

static sd_bus_message *call_new(sd_bus *bus, const char *path, const char *interface, const char *member)
{
        sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, BUS_NAME, path, interface, member);
        if (r < 0)
                bench_fail("%s: %s", member, strerror(-r));
        return m;
}

/* Takes m. */
static sd_bus_message *call_send(sd_bus *bus, sd_bus_message *m)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call(bus, m, UINT64_MAX, &error, &reply);
        if (r < 0)
                bench_fail("%s: %s: %s", sd_bus_message_get_member(m), error.name,
                           error.message ? error.message : strerror(-r));
        sd_bus_message_unref(m);
        return reply;
}

static void check(int r, const char *what)
{
        if (r < 0)
                bench_fail("%s: the message is not as it should be: %s", what, strerror(-r));
}

static sd_bus_message *command_new(sd_bus *bus, const char *member, char *const *argv)
{
        sd_bus_message *m = call_new(bus, BUS_PATH, BUS_INTERFACE_MANAGER, member);

        check(sd_bus_message_append_strv(m, (char **) argv), member);
        check(sd_bus_message_append(m, "a{sv}", 0), member);
        return m;
}

void call_exec(sd_bus *bus, char *const *argv)
{
        sd_bus_message *reply = call_send(bus, command_new(bus, "Exec", argv));
        int32_t exit_code = -1, sig = 0;
        const char *id, *result = "?";

        check(sd_bus_message_read(reply, "siis", &id, &exit_code, &sig, &result), "Exec");
        if (exit_code != 0)
                bench_fail("%s ended with %s, exit code %d", argv[0], result, exit_code);
        sd_bus_message_unref(reply);
}

void call_start(sd_bus *bus, char *const *argv, StartedJob *ret)
{
        sd_bus_message *reply = call_send(bus, command_new(bus, "Start", argv));
        const char *id, *path;

        check(sd_bus_message_read(reply, "so", &id, &path), "Start");
        snprintf(ret->id, sizeof(ret->id), "%s", id);
        snprintf(ret->path, sizeof(ret->path), "%s", path);
        sd_bus_message_unref(reply);
}

void call_wait(sd_bus *bus, const StartedJob *job, const char *until)
{
        sd_bus_message *m = call_new(bus, job->path, BUS_INTERFACE_JOB, "Wait");

        check(sd_bus_message_append(m, "a{sv}t", 1, until, "b", 1, UINT64_MAX), "Wait");
        sd_bus_message_unref(call_send(bus, m));
}

void call_wait_output(sd_bus *bus, const StartedJob *job)
{
        sd_bus_message *m = call_new(bus, job->path, BUS_INTERFACE_JOB, "ReadLog");
        sd_bus_message *reply;

        check(sd_bus_message_append(m, "sa{sv}", "", 1, "WaitUSec", "t", UINT64_MAX), "ReadLog");
        reply = call_send(bus, m);
        check(sd_bus_message_enter_container(reply, 'a', "(tttyay)"), "ReadLog");
        if (sd_bus_message_at_end(reply, false) > 0)
                bench_fail("job %s ended without a word", job->id);
        sd_bus_message_unref(reply);
}

size_t call_stop(sd_bus *bus, const StartedJob *job)
{
        sd_bus_message *m = call_new(bus, BUS_PATH, BUS_INTERFACE_MANAGER, "Stop");
        sd_bus_message *reply;
        uint32_t remaining = 0;
        const void *pids;
        size_t size = 0;

        check(sd_bus_message_append(m, "a{sv}a{sv}", 1, "Id", "s", job->id, 1, "TimeoutStopUSec", "t",
                                    UINT64_C(0)),
              "Stop");
        reply = call_send(bus, m);
        check(sd_bus_message_skip(reply, "as"), "Stop");
        check(sd_bus_message_read_array(reply, 'u', &pids, &size), "Stop");
        check(sd_bus_message_read(reply, "u", &remaining), "Stop");
        if (remaining > 0)
                bench_fail("Stop left %u processes", remaining);
        sd_bus_message_unref(reply);
        return size / sizeof(uint32_t);
}

void call_stop_all(sd_bus *bus)
{
        sd_bus_message *m = call_new(bus, BUS_PATH, BUS_INTERFACE_MANAGER, "Stop");

        check(sd_bus_message_append(m, "a{sv}a{sv}", 1, "All", "b", 1, 1, "TimeoutStopUSec", "t",
                                    UINT64_C(0)),
              "Stop");
        sd_bus_message_unref(call_send(bus, m));
}

void call_kill_leader(sd_bus *bus, const StartedJob *job, int sig)
{
        sd_bus_message *m = call_new(bus, job->path, BUS_INTERFACE_JOB, "Kill");

        check(sd_bus_message_append(m, "si", "main", (int32_t) sig), "Kill");
        sd_bus_message_unref(call_send(bus, m));
}

void call_ping(sd_bus *bus)
{
        sd_bus_message_unref(call_send(bus, call_new(bus, BUS_PATH, "org.freedesktop.DBus.Peer", "Ping")));
}

uint64_t call_orphans_reaped(sd_bus *bus)
{
        sd_bus_message *m = call_new(bus, BUS_PATH, "org.freedesktop.DBus.Properties", "Get");
        sd_bus_message *reply;
        uint64_t n = 0;

        check(sd_bus_message_append(m, "ss", BUS_INTERFACE_MANAGER, "NOrphansReaped"), "Get");
        reply = call_send(bus, m);
        check(sd_bus_message_read(reply, "v", "t", &n), "Get");
        sd_bus_message_unref(reply);
        return n;
}
