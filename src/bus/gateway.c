/*
 * Nothing here waits for the bus: a call that it has not answered is a slot, and a bus that does not read
 * stops what we read, first from the callers' connections and from the bus itself, then, with its queue
 * full, the announcer's connection ends; then we leave the bus, which is how its clients learn that they
 * have missed something, and come back.
 *
 * The bus tells pids and uids as it sees them. Ours, by its word, show whether it lives where we do: with
 * other pids a caller counts as one from another PID namespace, whose pid is 0; with other uids nobody can
 * be told from root, so nobody is let in.
 */

#include "bus/gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/log.h"
#include "bus/caller.h"
#include "bus/names.h"
#include "bus/server.h"
#include "core/manager.h"

#define DRIVER_NAME "org.freedesktop.DBus"
#define DRIVER_PATH "/org/freedesktop/DBus"

/* Answers of RequestName, D-Bus Specification. */
#define NAME_OWNED 1U
#define NAME_IN_QUEUE 2U
#define NAME_OWNED_ALREADY 4U

static TimerQueue *timers(Gateway *g)
{
        return &g->server->manager->timers;
}

static void leave(Gateway *g)
{
        timer_disarm(timers(g), &g->patience);
        LIST_FOREACH_SAFE (&g->callers_by_age, link)
                caller_free(container_of(link, Caller, by_age), NULL);
        announcer_stop(&g->announcer);
        link_done(&g->link);
        g->joined = g->owner = g->same_pids = g->same_users = g->congested = false;
        g->error = NULL;
}

/* The connection is at its end: said once, until one succeeds. */
static void leave_and_return(Gateway *g, const char *why, int error)
{
        bool steady = g->joined && usec_sub(manager_now(), g->joined_time) >= GATEWAY_STEADY_USEC;

        log_message(g->complained ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, error,
                    "Message bus at %s: %s; coming back to it", g->connector.address, why);
        g->complained = true;
        leave(g);
        if (steady)
                connector_seek(&g->connector);
        else
                connector_seek_later(&g->connector);
}

void gateway_fail(Gateway *g, const char *why)
{
        if (!g->link.bus || g->error)
                return;
        g->error = why;
        link_end(&g->link);
}

int gateway_send(Gateway *g, sd_bus_message *m, size_t size)
{
        int r;

        if (!g->link.bus)
                return -ENOTCONN;
        r = sd_bus_send(g->link.bus, m, NULL);
        if (r >= 0 && link_sent(&g->link, size) < 0)
                gateway_fail(g, "it does not read");
        return r;
}

bool gateway_is_congested(Gateway *g)
{
        bool is = link_queued(&g->link) >= GATEWAY_QUEUE_PAUSE ||
                  link_queued_bytes(&g->link) >= GATEWAY_QUEUE_PAUSE_BYTES;

        g->congested = is || g->congested;
        return is;
}

/* Those who were told to wait take their turn: a message may be with sd-bus already, and give no sign. */
static void go_on(Gateway *g)
{
        g->congested = false;
        LIST_FOREACH (&g->callers_by_age, link) {
                Caller *c = container_of(link, Caller, by_age);

                if (c->link.bus)
                        link_kick(&c->link);
        }
        link_kick(&g->announcer.link);
        link_kick(&g->link);
}

int gateway_open_pair(Gateway *g, PeerKind kind, const PeerCredentials *credentials, unsigned queue_max,
                      const BusLinkOps *ops, BusLink *link)
{
        int fds[2], r;
        Peer *peer;

        if (!server_make_room(g->server))
                return -EUSERS;
        r = connector_pair(fds);
        if (r < 0)
                return r;
        r = peer_new(g->server, fds[0], kind, credentials, queue_max, &peer);
        if (r < 0) {
                fd_close(fds[1]);
                return r;
        }
        peer->called = true; /* it is none of those that never do, and can be let go */
        r = link_open(link, ops, fds[1], PEER_QUEUE_MAX, false);
        if (r >= 0)
                r = sd_bus_set_anonymous(link->bus, 1);
        if (r >= 0)
                r = sd_bus_negotiate_fds(link->bus, 1);
        if (r >= 0)
                r = sd_bus_start(link->bus);
        if (r >= 0)
                r = link_attach(link, g->server->manager->event);
        if (r < 0)
                link_done(link); /* the peer sees it, and goes */
        return r;
}

int gateway_ask_credentials(Gateway *g, const char *name, sd_bus_slot **ret_slot,
                            sd_bus_message_handler_t answered, void *userdata)
{
        return sd_bus_call_method_async(g->link.bus, ret_slot, DRIVER_NAME, DRIVER_PATH, DRIVER_NAME,
                                        "GetConnectionCredentials", answered, userdata, "s", name);
}

int gateway_read_credentials(sd_bus_message *m, PeerCredentials *ret)
{
        uint32_t uid = UINT32_MAX, pid = 0;
        const char *key;
        int r;

        if (sd_bus_message_is_method_error(m, NULL) > 0)
                return -sd_bus_message_get_errno(m);
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read_basic(m, 's', &key);
                if (r < 0)
                        break;
                if (streq(key, "UnixUserID"))
                        r = sd_bus_message_read(m, "v", "u", &uid);
                else if (streq(key, "ProcessID"))
                        r = sd_bus_message_read(m, "v", "u", &pid);
                else
                        r = sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                return r;
        if (uid == UINT32_MAX)
                return -ENODATA;
        *ret = (PeerCredentials){.pid = (pid_t) pid, .uid = uid, .gid = (gid_t) -1};
        return 0;
}

/* The name */

static void name_owned(Gateway *g)
{
        if (!g->owner)
                log_notice("On the message bus at %s as " BUS_NAME " (%s)", g->connector.address,
                           g->unique_name);
        g->owner = true;
}

static int on_name_answer(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Gateway *g = userdata;
        uint32_t answer = 0;

        if (sd_bus_message_is_method_error(m, NULL) > 0) {
                log_warning("The message bus at %s does not let us be " BUS_NAME ": %s",
                            g->connector.address, sd_bus_message_get_error(m)->message ?: "no reason given");
                return 1;
        }
        (void) sd_bus_message_read(m, "u", &answer);
        if (answer == NAME_OWNED || answer == NAME_OWNED_ALREADY)
                name_owned(g);
        else if (answer == NAME_IN_QUEUE)
                log_warning("Somebody else is " BUS_NAME " on the message bus at %s: next in turn",
                            g->connector.address);
        return 1;
}

static void request_name(Gateway *g)
{
        /* Without flags one is put into the queue for it. */
        if (sd_bus_call_method_async(g->link.bus, NULL, DRIVER_NAME, DRIVER_PATH, DRIVER_NAME, "RequestName",
                                     on_name_answer, g, "su", BUS_NAME, 0U) < 0)
                gateway_fail(g, "the name could not be asked for");
}

static void on_name_signal(Gateway *g, sd_bus_message *m)
{
        const char *name;

        if (!streq_ptr(sd_bus_message_get_sender(m), DRIVER_NAME))
                return;
        if (sd_bus_message_is_signal(m, DRIVER_NAME, "NameAcquired") > 0) {
                if (sd_bus_message_read(m, "s", &name) > 0 && streq(name, BUS_NAME))
                        name_owned(g);
        } else if (sd_bus_message_is_signal(m, DRIVER_NAME, "NameLost") > 0) {
                if (sd_bus_message_read(m, "s", &name) > 0 && streq(name, BUS_NAME)) {
                        log_warning("No longer " BUS_NAME " on the message bus at %s", g->connector.address);
                        g->owner = false;
                }
        }
        (void) sd_bus_message_rewind(m, true);
}

/* What comes from the bus */

/* The oldest of those that are refused gives up its place. */
static bool make_room(Gateway *g)
{
        if (g->callers.n_entries < GATEWAY_CALLERS_MAX)
                return true;
        LIST_FOREACH (&g->callers_by_age, link) {
                Caller *c = container_of(link, Caller, by_age);

                if (c->state == CALLER_REFUSED) {
                        caller_free(c, NULL);
                        return true;
                }
        }
        return false;
}

static int on_call(Gateway *g, sd_bus_message *m, sd_bus_error *ret_error)
{
        const char *sender = sd_bus_message_get_sender(m);
        Caller *c;
        int r;

        if (!sender)
                return sd_bus_error_set(ret_error, SD_BUS_ERROR_ACCESS_DENIED, "A call without a sender");
        c = hashmap_get_string(&g->callers, sender);
        if (!c) {
                if (!make_room(g))
                        return sd_bus_error_setf(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                                 "%u clients of this bus call reeve, the most that may",
                                                 GATEWAY_CALLERS_MAX);
                r = caller_new(g, sender, &c);
                if (r < 0)
                        return r;
        }
        return caller_take(c, m, ret_error);
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Gateway *g = userdata;

        if (sd_bus_message_is_method_call(m, NULL, NULL) > 0)
                return on_call(g, m, ret_error);
        if (sd_bus_message_is_signal(m, DRIVER_NAME, NULL) > 0)
                on_name_signal(g, m);
        return 0;
}

/* Joining */

static int on_own_credentials(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Gateway *g = userdata;
        PeerCredentials c;

        if (gateway_read_credentials(m, &c) < 0) {
                gateway_fail(g, "it does not tell who its clients are");
                return 1;
        }
        g->same_pids = c.pid == getpid();
        g->same_users = c.uid == geteuid();
        if (!g->same_users)
                log_warning("The message bus at %s takes us for user %u: it is of another user namespace, "
                            "and "
                            "nobody is let in from there",
                            g->connector.address, (unsigned) c.uid);
        return 1;
}

void gateway_announced(Gateway *g)
{
        if (g->server->flushing)
                server_check_flushed(g->server);
        else if (!g->owner)
                request_name(g);
}

static void join(Gateway *g)
{
        const char *name = NULL;
        int r;

        g->joined = true;
        g->complained = false;
        g->joined_time = manager_now();
        timer_disarm(timers(g), &g->patience);
        r = sd_bus_get_unique_name(g->link.bus, &name);
        if (r >= 0) {
                snprintf(g->unique_name, sizeof(g->unique_name), "%s", name);
                r = gateway_ask_credentials(g, name, NULL, on_own_credentials, g);
        }
        if (r >= 0)
                r = announcer_start(&g->announcer, g);
        if (r < 0)
                leave_and_return(g, "cannot be served", r);
}

static bool may_read(BusLink *l)
{
        return !gateway_is_congested(container_of(l, Gateway, link));
}

static void on_turned(BusLink *l, int error, unsigned n_steps)
{
        Gateway *g = container_of(l, Gateway, link);

        if (error < 0) {
                leave_and_return(g,
                                 g->error
                                                 ?: g->joined ? "gone"
                                                              : "does not let us in",
                                 g->error ? 0 : error);
                server_check_flushed(g->server);
                return;
        }
        if (!g->joined && sd_bus_is_ready(l->bus) > 0) {
                join(g);
                return;
        }
        if (!gateway_is_congested(g) && g->congested)
                go_on(g);
        server_check_flushed(g->server);
}

static const BusLinkOps link_ops = {.may_read = may_read, .stepped = may_read, .turned = on_turned};

static void on_patience(Timer *t, usec_t now)
{
        gateway_fail(container_of(t, Gateway, patience), "does not answer");
}

static void on_connected(Connector *c, int fd)
{
        Gateway *g = container_of(c, Gateway, connector);
        int r;

        r = link_open(&g->link, &link_ops, fd, GATEWAY_QUEUE_MAX, false);
        if (r >= 0)
                r = sd_bus_set_bus_client(g->link.bus, 1);
        if (r >= 0)
                r = sd_bus_negotiate_fds(g->link.bus, 1);
        if (r >= 0) /* a bus that was stopped for a while has not refused what it did not answer in time */
                r = sd_bus_set_method_call_timeout(g->link.bus, UINT64_MAX);
        if (r >= 0)
                r = sd_bus_add_filter(g->link.bus, NULL, on_message, g);
        if (r >= 0)
                r = sd_bus_start(g->link.bus);
        if (r >= 0)
                r = link_attach(&g->link, g->server->manager->event);
        if (r < 0)
                leave_and_return(g, "cannot be joined", r);
        else
                timer_arm(timers(g), &g->patience, usec_add(manager_now(), GATEWAY_PATIENCE_USEC));
}

static void on_waiting(Connector *c, int error)
{
        Gateway *g = container_of(c, Gateway, connector);

        log_message(g->complained ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE, error,
                    "No message bus at %s; joining it when there is", c->address);
}

static const ConnectorOps connector_ops = {.connected = on_connected, .waiting = on_waiting};

int gateway_new(BusServer *server, const char *address, Gateway **ret)
{
        Gateway *g = alloc_new(Gateway);
        int r;

        if (!g)
                return -ENOMEM;
        g->server = server;
        g->link.fd = -EBADF;
        timer_init(&g->patience, on_patience);
        hashmap_init(&g->callers, HASHMAP_STRING);
        list_init(&g->callers_by_age);
        r = connector_init(&g->connector, server->manager->event, timers(g), address, &connector_ops);
        if (r < 0) {
                gateway_free(g);
                return r;
        }
        connector_seek(&g->connector);
        *ret = g;
        return 0;
}

Gateway *gateway_free(Gateway *g)
{
        if (!g)
                return NULL;
        leave(g);
        connector_done(&g->connector);
        hashmap_done(&g->callers);
        free(g);
        return NULL;
}

void gateway_rejoin(Gateway *g)
{
        if (!g->joined) {
                leave(g);
                connector_seek(&g->connector);
        } else if (!g->owner)
                request_name(g);
        else
                log_info("On the message bus at %s already", g->connector.address);
}

void gateway_flush(Gateway *g)
{
        if (g->joined && announcer_flush(&g->announcer) < 0)
                log_debug("Signals may not reach the message bus any more");
}

bool gateway_is_flushed(const Gateway *g)
{
        return !g->joined || (g->n_calls == 0 && g->announcer.pings == 0 && link_queued(&g->link) == 0);
}
