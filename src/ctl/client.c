/*
 * The way to reeve: a direct connection to its socket, with no bus in between and no Hello, since what
 * answers there is reeve itself. No call has a timeout: how long a command may take is an option of the
 * command. sd_bus_call(3) waits for one answer, which is nearly always all there is to wait for; several
 * stops at once go out together, so that they take as long as the slowest and not as all of them.
 */

#include "ctl/client.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/errno-name.h"
#include "ctl/json.h"
#include "ctl/output.h"

/* What to do about it, where the message of reeve cannot know. */
static const struct {
        const char *error;
        const char *hint;
} hints[] = {
                {BUS_ERROR_NO_SUCH_JOB, "All that are known: reevectl list --all"},
                {BUS_ERROR_NO_SUCH_SESSION, "All that are known: reevectl session list"},
                {BUS_ERROR_NO_SUCH_UNIT, "All that are known: reevectl unit list"},
                {BUS_ERROR_SESSION_EXISTS, "Close it first, or take another name."},
                {BUS_ERROR_JOB_EXISTS, "Take another --id, or none."},
                {BUS_ERROR_BAD_CURSOR, "Without --cursor the log is read from its oldest record on."},
                {SD_BUS_ERROR_UNKNOWN_METHOD,
                 "reeve may be older than this reevectl: compare with reevectl version"},
                {SD_BUS_ERROR_SERVICE_UNKNOWN, "Something else than reeve listens there."},
};

void client_done(Client *c)
{
        c->bus = sd_bus_flush_close_unref(c->bus);
}

int client_unreachable(const Client *c, int error)
{
        _cleanup_free_ char *message = NULL;
        const char *hint = NULL;

        if (!strchr(c->address, ':') || error == -EINVAL)
                return fail("'%s' is no address of D-Bus, such as " BUS_ADDRESS_DEFAULT, c->address);
        switch (error) {
        case -ENOENT:
        case -ECONNREFUSED:
                hint = "Is it running? Another address is given with --address=… or in $REEVE_ADDRESS.";
                break;
        case -EACCES:
        case -EPERM:
        case -EPIPE: /* it was accepted, and closed at once */
        case -ECONNRESET:
                hint = "Only root is let in, unless reeve was started with --allow-uid or --allow-gid.";
                break;
        }
        message = str_printf("cannot reach reeve at %s: %s", c->address, errno_text(error));
        return fail_bus(NULL, message ?: "cannot reach reeve", hint);
}

static int client_connect(Client *c)
{
        sd_bus *bus = NULL;
        int r;

        if (c->bus)
                return 0;
        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, c->address);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_unref(bus);
                return client_unreachable(c, r);
        }
        c->bus = bus;
        return 0;
}

int client_message(Client *c, const char *path, const char *interface, const char *member,
                   sd_bus_message **ret)
{
        int r;

        r = client_connect(c);
        if (r < 0)
                return r;
        r = sd_bus_message_new_method_call(c->bus, ret, BUS_NAME, path ?: BUS_PATH, interface, member);
        return r < 0 ? client_message_failed(r) : 0;
}

int client_message_failed(int error)
{
        return error == -ENOMEM ? fail("out of memory")
                                : fail_errno(error, "a D-Bus message is not as it should be");
}

int client_report(Client *c, const sd_bus_error *error)
{
        const char *hint = NULL;

        for (size_t i = 0; i < ELEMENTSOF(hints); i++)
                if (streq(hints[i].error, error->name))
                        hint = hints[i].hint;
        return fail_bus(error->name, error->message ?: "reeve gives no reason", hint);
}

/* The connection itself failed, during a call. */
static int call_failed(const Client *c, int error)
{
        switch (error) {
        case -ECONNRESET:
        case -ENOTCONN:
        case -EPIPE:
                return fail("reeve at %s closed the connection: it ended, or does not let uid %u in",
                            c->address, (unsigned) geteuid());
        default: return fail_errno(error, "the call of reeve at %s failed", c->address);
        }
}

int client_call_error(Client *c, sd_bus_message *m, sd_bus_error *ret_error, sd_bus_message **ret_reply)
{
        int r;

        r = sd_bus_call(c->bus, m, UINT64_MAX, ret_error, ret_reply);
        if (r >= 0)
                return 0;
        /* sd-bus makes an error of a lost connection, too, that looks like a server's. */
        if (sd_bus_is_open(c->bus) <= 0 || !sd_bus_error_is_set(ret_error))
                return call_failed(c, r);
        return -EREMOTEIO;
}

int client_call(Client *c, sd_bus_message *m, sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = client_call_error(c, m, &error, ret_reply);
        return r == -EREMOTEIO ? client_report(c, &error) : r;
}

static int call_answered(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Call *call = userdata;

        call->reply = sd_bus_message_ref(m);
        --*call->pending;
        return 0;
}

static int send_all(Client *c, Call *calls, size_t n, size_t *pending)
{
        int r;

        for (size_t i = 0; i < n; i++) {
                calls[i].pending = pending;
                r = sd_bus_call_async(c->bus, NULL, calls[i].message, call_answered, &calls[i], UINT64_MAX);
                if (r < 0)
                        return call_failed(c, r);
        }
        return 0;
}

static int process_one(Client *c)
{
        int r;

        r = sd_bus_process(c->bus, NULL);
        if (r == 0)
                r = sd_bus_wait(c->bus, UINT64_MAX);
        return r < 0 && r != -EINTR ? call_failed(c, r) : 0;
}

int client_call_all(Client *c, Call *calls, size_t n)
{
        size_t pending = n;
        int r;

        if (n == 0)
                return 0;
        r = send_all(c, calls, n, &pending);
        while (r >= 0 && pending > 0)
                r = process_one(c);
        if (r < 0)
                return r;
        return sd_bus_is_open(c->bus) > 0 ? 0 : call_failed(c, -ECONNRESET);
}

int client_call_until_last(Client *c, Call *calls, size_t n)
{
        size_t pending = n;
        int r;

        r = send_all(c, calls, n, &pending);
        while (r >= 0 && !calls[n - 1].reply)
                r = process_one(c);
        if (r >= 0 && sd_bus_is_open(c->bus) <= 0)
                r = call_failed(c, -ECONNRESET);
        /* Nobody is there any more for the answers that are to come. */
        client_done(c);
        return r;
}

static int listening_failed(const Client *c, int error)
{
        if (error == -ECONNRESET || error == -ENOTCONN || error == -EPIPE)
                return fail("reeve at %s closed the connection: it has ended, or its signals were not read "
                            "as fast as they"
                            " came",
                            c->address);
        return fail_errno(error, "cannot listen to reeve at %s", c->address);
}

int client_listen(Client *c, int (*handler)(void *object, sd_bus_message *m), void *object)
{
        for (;;) {
                _cleanup_message_ sd_bus_message *m = NULL;
                int r;

                r = sd_bus_process(c->bus, &m);
                if (r < 0)
                        return listening_failed(c, r);
                if (r == 0) {
                        r = output_wait(sd_bus_get_fd(c->bus), (short) sd_bus_get_events(c->bus));
                        if (r < 0)
                                return r;
                }
                if (!m || sd_bus_message_is_signal(m, NULL, NULL) <= 0)
                        continue;
                if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local", "Disconnected") > 0)
                        return listening_failed(c, -ECONNRESET);
                r = handler(object, m);
                if (r != 0)
                        return r;
        }
}

void calls_free(Call *calls, size_t n)
{
        for (size_t i = 0; calls && i < n; i++) {
                sd_bus_message_unref(calls[i].message);
                sd_bus_message_unref(calls[i].reply);
        }
        free(calls);
}

int client_print_json(sd_bus_message *m)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r;

        r = json_value(&b, m);
        if (r < 0)
                return client_message_failed(r);
        buffer_append_string(&b, "\n");
        return output_buffer(&b);
}

int client_call_string(Client *c, const char *path, const char *interface, const char *member,
                       const char *argument, sd_bus_message **ret_reply)
{
        _cleanup_message_ sd_bus_message *m = NULL;
        int r;

        r = client_message(c, path, interface, member, &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append_basic(m, 's', argument);
        if (r < 0)
                return client_message_failed(r);
        return client_call(c, m, ret_reply);
}

int client_get_all(Client *c, const char *path, const char *interface, sd_bus_message **ret_reply)
{
        return client_call_string(c, path, "org.freedesktop.DBus.Properties", "GetAll", interface,
                                  ret_reply);
}

int client_properties(Client *c, const char *path, const char *interface, Properties *ret)
{
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r;

        r = client_get_all(c, path, interface, &reply);
        if (r < 0)
                return r;
        r = properties_read(reply, ret);
        return r < 0 ? client_message_failed(r) : 0;
}

int client_read_path(sd_bus_message *reply, char **ret_path)
{
        const char *path;
        int r;

        r = sd_bus_message_read_basic(reply, 'o', &path);
        if (r < 0)
                return client_message_failed(r);
        *ret_path = str_copy(path);
        return *ret_path ? 0 : client_message_failed(-ENOMEM);
}

/* The path could be made here, but only GetJob says NoSuchJob, and GetSession NoSuchSession. */
static int object_path(Client *c, const char *member, const char *name, char **ret_path)
{
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r;

        r = client_call_string(c, NULL, BUS_INTERFACE_MANAGER, member, name, &reply);
        return r < 0 ? r : client_read_path(reply, ret_path);
}

int client_job_path(Client *c, const char *id, char **ret_path)
{
        return object_path(c, "GetJob", id, ret_path);
}

int client_session_path(Client *c, const char *name, char **ret_path)
{
        return object_path(c, "GetSession", name, ret_path);
}
