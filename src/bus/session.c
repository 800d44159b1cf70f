/*
 * The table of org.reeve1.Session. Sessions hang on one fallback table a peer, as jobs do; Run is in exec.c,
 * closing in stop.c, for they are an Exec and a Stop.
 */

#include "bus/session.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "bus/errors.h"
#include "bus/exec.h"
#include "bus/freeze.h"
#include "bus/names.h"
#include "bus/options.h"
#include "bus/peer.h"
#include "bus/server.h"
#include "bus/session-properties.h"
#include "core/error.h"
#include "core/manager.h"

#define SIGNAL_SIZE 256U
#define ADDED_SIZE 4096U

static SessionSet *sessions_of(void *userdata)
{
        return &((Peer *) userdata)->server->manager->sessions;
}

int session_bus_path(const Session *session, char **ret)
{
        return sd_bus_path_encode(BUS_PATH_SESSION, session->name, ret);
}

static int find_session(sd_bus *bus, const char *path, const char *interface, void *userdata,
                        void **ret_found, sd_bus_error *ret_error)
{
        Peer *p = userdata;
        _cleanup_free_ char *name = NULL;
        Session *session;
        int r;

        r = sd_bus_path_decode(path, BUS_PATH_SESSION, &name);
        if (r <= 0)
                return r;
        session = session_set_get(sessions_of(p), name);
        if (!session)
                return 0;
        p->session = session;
        *ret_found = p;
        return 1;
}

static int enumerate_sessions(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                              sd_bus_error *ret_error)
{
        _cleanup_strv_ char **nodes = NULL;

        LIST_FOREACH (&sessions_of(userdata)->sessions, link) {
                const Session *session = container_of(link, Session, link);
                char *path;
                int r;

                if (!session->announced)
                        continue;
                r = session_bus_path(session, &path);
                if (r >= 0)
                        r = strv_consume(&nodes, path);
                if (r < 0)
                        return r;
        }
        *ret_nodes = TAKE_PTR(nodes);
        return 0;
}

static int get_property(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
        return session_property_append(reply, ((Peer *) userdata)->session, property);
}

static int set_working_directory(sd_bus *bus, const char *path, const char *interface, const char *property,
                                 sd_bus_message *value, void *userdata, sd_bus_error *ret_error)
{
        Error e = ERROR_NULL;
        const char *directory;
        int r;

        r = sd_bus_message_read(value, "s", &directory);
        if (r >= 0)
                r = session_set_directory(((Peer *) userdata)->session, directory, &e);
        return r < 0 ? bus_error_set(ret_error, &e, r) : 0;
}

static int method_run(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_session_method_run(m, p, p->session, ret_error);
}

static int method_set_environment(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        _cleanup_strv_ char **assignments = NULL, **unset = NULL;
        Error e = ERROR_NULL;
        int r;

        r = sd_bus_message_read_strv(m, &assignments);
        if (r >= 0)
                r = sd_bus_message_read_strv(m, &unset);
        if (r >= 0)
                r = session_set_environment(((Peer *) userdata)->session, assignments, unset, &e);
        return r < 0 ? bus_error_set(ret_error, &e, r) : sd_bus_reply_method_return(m, NULL);
}

static int method_set_properties(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Error e = ERROR_NULL;
        int r = options_read_limits(m, &e);

        return r < 0 ? bus_error_set(ret_error, &e, r) : sd_bus_reply_method_return(m, NULL);
}

static int method_freeze(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_freeze_session(m, p, p->session, true, ret_error);
}

static int method_thaw(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        return bus_freeze_session(m, p, p->session, false, ret_error);
}

#define CONST(name, signature)                                                                              \
        SD_BUS_PROPERTY(name, signature, get_property, 0, SD_BUS_VTABLE_PROPERTY_CONST)
#define ASK(name, signature) SD_BUS_PROPERTY(name, signature, get_property, 0, 0)

static const sd_bus_vtable vtable[] = {
                SD_BUS_VTABLE_START(0),
                CONST("Name", "s"),
                SD_BUS_WRITABLE_PROPERTY("WorkingDirectory", "s", get_property, set_working_directory, 0,
                                         SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE | SD_BUS_VTABLE_UNPRIVILEGED),
                ASK("EnvironmentNames", "as"),
                CONST("User", "s"),
                CONST("Shell", "s"),
                /* Told without the value: it is long, and changes with each job. */
                SD_BUS_PROPERTY("Jobs", "as", get_property, 0, SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION),
                CONST("CreatedTimestamp", "t"),
                CONST("ControlGroup", "s"),
                ASK("Frozen", "b"),
                ASK("TasksCurrent", "t"),
                ASK("CPUUsageNSec", "t"),
                ASK("MemoryCurrent", "t"),
                ASK("MemoryPeak", "t"),

                SD_BUS_METHOD_WITH_ARGS("Run", SD_BUS_ARGS("s", command, "a{sv}", options),
                                        SD_BUS_RESULT("s", id, "i", exit_code, "i", signal, "s", result,
                                                      "ay", stdout, "ay", stderr, "a{sv}", details),
                                        method_run, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("SetEnvironment", SD_BUS_ARGS("as", assignments, "as", unset),
                                        SD_BUS_NO_RESULT, method_set_environment,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("SetProperties", SD_BUS_ARGS("a{sv}", properties), SD_BUS_NO_RESULT,
                                        method_set_properties, SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Freeze", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_freeze,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_METHOD_WITH_ARGS("Thaw", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_thaw,
                                        SD_BUS_VTABLE_UNPRIVILEGED),
                SD_BUS_VTABLE_END,
};

int bus_session_add(Peer *p)
{
        int r;

        r = sd_bus_add_fallback_vtable(p->bus, NULL, BUS_PATH_SESSION, BUS_INTERFACE_SESSION, vtable,
                                       find_session, p);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(p->bus, NULL, BUS_PATH_SESSION, enumerate_sessions, p);
}

static int reply_path(sd_bus_message *m, const Session *session)
{
        _cleanup_free_ char *path = NULL;
        int r = session_bus_path(session, &path);

        return r < 0 ? r : sd_bus_reply_method_return(m, "o", path);
}

int bus_method_open_session(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        _cleanup_(session_spec_done) SessionSpec spec;
        Session *session = NULL;
        Error e = ERROR_NULL;
        const char *name;
        int r;

        session_spec_init(&spec);
        r = sd_bus_message_read(m, "s", &name);
        if (r >= 0)
                r = options_read_session(m, &spec, &e);
        if (r >= 0)
                r = session_set_open(sessions_of(userdata), name, &spec, &session, &e);
        return r < 0 ? bus_error_set(ret_error, &e, r) : reply_path(m, session);
}

int bus_method_get_session(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const Session *session;
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        session = session_set_get(sessions_of(userdata), name);
        if (!session)
                return sd_bus_error_setf(ret_error, BUS_ERROR_NO_SUCH_SESSION, "There is no session \"%s\"",
                                         name);
        return reply_path(m, session);
}

int bus_method_list_sessions(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        size_t size = 0;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        LIST_FOREACH (&sessions_of(userdata)->sessions, link) {
                const Session *session = container_of(link, Session, link);

                if (r < 0 || !session->announced)
                        continue;
                r = session_properties_append_all(reply, session);
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

static void emit_with_path(Peer *p, const char *signal, const char *path, const Session *session)
{
        if (sd_bus_emit_signal(p->bus, BUS_PATH, BUS_INTERFACE_MANAGER, signal, "so", session->name, path) >=
            0)
                peer_sent(p, SIGNAL_SIZE);
}

void bus_session_emit_new(Peer *p, const Session *session)
{
        _cleanup_free_ char *path = NULL;

        if (session_bus_path(session, &path) < 0)
                return;
        if (sd_bus_emit_object_added(p->bus, path) >= 0)
                peer_sent(p, ADDED_SIZE);
        emit_with_path(p, "SessionNew", path, session);
}

void bus_session_emit_changed(Peer *p, const Session *session, SessionProperty what)
{
        static const char *const names[] = {
                        [SESSION_WORKING_DIRECTORY] = "WorkingDirectory", [SESSION_JOBS] = "Jobs"};
        _cleanup_free_ char *path = NULL;

        if (session_bus_path(session, &path) >= 0 &&
            sd_bus_emit_properties_changed(p->bus, path, BUS_INTERFACE_SESSION, names[what], NULL) >= 0)
                peer_sent(p, SIGNAL_SIZE);
}

void bus_session_emit_removed(Peer *p, const Session *session)
{
        _cleanup_free_ char *path = NULL;

        if (session_bus_path(session, &path) < 0)
                return;
        if (sd_bus_emit_object_removed(p->bus, path) >= 0)
                peer_sent(p, SIGNAL_SIZE);
        emit_with_path(p, "SessionRemoved", path, session);
}
