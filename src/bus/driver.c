/*
 * Most bindings cannot talk to a socket without a bus: they say Hello, add matches, ask who owns a name.
 * There are two names here, ours and the driver's, and one owner. A peer that says Hello gets signals only
 * once it has added a match, and then all of them: its own library sorts them.
 */

#include "bus/driver.h"

#include <errno.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "bus/names.h"
#include "bus/peer.h"
#include "bus/server.h"

#define DRIVER_NAME "org.freedesktop.DBus"
#define DRIVER_PATH "/org/freedesktop/DBus"
#define NO_OWNER "org.freedesktop.DBus.Error.NameHasNoOwner"

/* Replies of RequestName and StartServiceByName, D-Bus Specification. */
#define START_ALREADY_RUNNING 2U

static int method_hello(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        if (p->hello)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_FAILED, "Hello was said already");
        p->hello = true;
        return sd_bus_reply_method_return(m, "s", p->name);
}

static int method_list_names(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        return sd_bus_reply_method_return(m, "as", 4, DRIVER_NAME, BUS_NAME, SERVER_UNIQUE_NAME,
                                          ((Peer *) userdata)->name);
}

static int method_list_activatable_names(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        return sd_bus_reply_method_return(m, "as", 1, DRIVER_NAME);
}

/* The unique name that a name belongs to; NULL: nobody's. */
static const char *owner_of(const Peer *p, const char *name)
{
        if (streq(name, DRIVER_NAME))
                return DRIVER_NAME;
        if (streq(name, BUS_NAME) || streq(name, SERVER_UNIQUE_NAME))
                return SERVER_UNIQUE_NAME;
        return streq(name, p->name) ? p->name : NULL;
}

static int read_owned_name(sd_bus_message *m, const Peer *p, const char **ret_owner, sd_bus_error *ret_error)
{
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        *ret_owner = owner_of(p, name);
        if (!*ret_owner)
                return sd_bus_error_setf(ret_error, NO_OWNER, "Nobody here is called %s", name);
        return 0;
}

static int method_name_has_owner(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "b", owner_of(userdata, name) != NULL);
}

static int method_get_name_owner(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *owner;
        int r;

        r = read_owned_name(m, userdata, &owner, ret_error);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "s", owner);
}

static int method_add_match(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        if (p->n_matches >= PEER_MATCHES_MAX)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many matches");
        p->n_matches++;
        return sd_bus_reply_method_return(m, NULL);
}

static int method_remove_match(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;

        if (p->n_matches > 0)
                p->n_matches--;
        return sd_bus_reply_method_return(m, NULL);
}

static int method_request_name(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        return sd_bus_error_set(ret_error, SD_BUS_ERROR_ACCESS_DENIED,
                                "This is no bus: names cannot be owned here");
}

static int method_start_service_by_name(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *name;
        uint32_t flags;
        int r;

        r = sd_bus_message_read(m, "su", &name, &flags);
        if (r < 0)
                return r;
        if (!owner_of(userdata, name))
                return sd_bus_error_setf(ret_error, SD_BUS_ERROR_SERVICE_UNKNOWN,
                                         "There is no %s here, only " BUS_NAME, name);
        return sd_bus_reply_method_return(m, "u", START_ALREADY_RUNNING);
}

/* Whose credentials: the caller's for its own name, else ours. */
static PeerCredentials credentials_of(const Peer *p, const char *owner)
{
        if (streq(owner, p->name))
                return p->credentials;
        return (PeerCredentials){.pid = getpid(), .uid = geteuid(), .gid = getegid()};
}

static int method_get_unix_user(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *owner;
        int r;

        r = read_owned_name(m, userdata, &owner, ret_error);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "u", (uint32_t) credentials_of(userdata, owner).uid);
}

static int method_get_unix_process_id(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        const char *owner;
        int r;

        r = read_owned_name(m, userdata, &owner, ret_error);
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, "u", (uint32_t) credentials_of(userdata, owner).pid);
}

static int method_get_credentials(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        PeerCredentials c;
        const char *owner;
        int r;

        r = read_owned_name(m, userdata, &owner, ret_error);
        if (r < 0)
                return r;
        c = credentials_of(userdata, owner);
        return sd_bus_reply_method_return(m, "a{sv}", 2, "UnixUserID", "u", (uint32_t) c.uid, "ProcessID",
                                          "u", (uint32_t) c.pid);
}

static int method_get_id(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        char id[SD_ID128_STRING_MAX];

        return sd_bus_reply_method_return(m, "s", sd_id128_to_string(((Peer *) userdata)->server->id, id));
}

/* A monitor sees everything that passes; on a direct connection that is our signals. */
static int method_become_monitor(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Peer *p = userdata;
        int r;

        r = sd_bus_reply_method_return(m, NULL);
        if (r < 0)
                return r;
        p->n_matches++;
        p->answered = true;
        return sd_bus_emit_signal(p->bus, DRIVER_PATH, DRIVER_NAME, "NameLost", "s", p->name);
}

#define METHOD(name, in, in_names, out, out_names, handler)                                                 \
        SD_BUS_METHOD_WITH_NAMES(name, in, in_names, out, out_names, handler, SD_BUS_VTABLE_UNPRIVILEGED)
#define P SD_BUS_PARAM

static const sd_bus_vtable driver_vtable[] = {
                SD_BUS_VTABLE_START(0),
                METHOD("Hello", "", , "s", P(name), method_hello),
                METHOD("ListNames", "", , "as", P(names), method_list_names),
                METHOD("ListActivatableNames", "", , "as", P(names), method_list_activatable_names),
                METHOD("NameHasOwner", "s", P(name), "b", P(has_owner), method_name_has_owner),
                METHOD("GetNameOwner", "s", P(name), "s", P(owner), method_get_name_owner),
                METHOD("AddMatch", "s", P(rule), "", , method_add_match),
                METHOD("RemoveMatch", "s", P(rule), "", , method_remove_match),
                METHOD("RequestName", "su", P(name) P(flags), "u", P(result), method_request_name),
                METHOD("StartServiceByName", "su", P(name) P(flags), "u", P(result),
                       method_start_service_by_name),
                METHOD("GetConnectionUnixUser", "s", P(name), "u", P(uid), method_get_unix_user),
                METHOD("GetConnectionUnixProcessID", "s", P(name), "u", P(pid), method_get_unix_process_id),
                METHOD("GetConnectionCredentials", "s", P(name), "a{sv}", P(credentials),
                       method_get_credentials),
                METHOD("GetId", "", , "s", P(id), method_get_id),
                SD_BUS_SIGNAL_WITH_NAMES("NameLost", "s", P(name), 0),
                SD_BUS_VTABLE_END,
};

static const sd_bus_vtable monitoring_vtable[] = {
                SD_BUS_VTABLE_START(0),
                METHOD("BecomeMonitor", "asu", P(rules) P(flags), "", , method_become_monitor),
                SD_BUS_VTABLE_END,
};

int bus_driver_add(Peer *p)
{
        int r;

        r = sd_bus_add_object_vtable(p->bus, NULL, DRIVER_PATH, DRIVER_NAME, driver_vtable, p);
        if (r < 0)
                return r;
        return sd_bus_add_object_vtable(p->bus, NULL, DRIVER_PATH, "org.freedesktop.DBus.Monitoring",
                                        monitoring_vtable, p);
}
