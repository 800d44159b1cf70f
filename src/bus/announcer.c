/*
 * It comes to the server like any direct peer and says Ping, since a connection gets signals once a call of
 * its was answered. Messages keep their order, so a later Ping that comes back has driven all earlier
 * signals before it.
 */

#include "bus/announcer.h"

#include <errno.h>
#include <unistd.h>

#include "bus/gateway.h"
#include "bus/message-copy.h"
#include "bus/names.h"

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *copy = NULL;
        Announcer *a = userdata;
        size_t size;
        int r;

        /* sd-bus tells of the connection itself by signals, too. */
        if (sd_bus_message_is_signal(m, NULL, NULL) <= 0 ||
            sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local", NULL) > 0)
                return 0;
        r = sd_bus_message_new_signal(a->gateway->link.bus, &copy, sd_bus_message_get_path(m),
                                      sd_bus_message_get_interface(m), sd_bus_message_get_member(m));
        if (r >= 0)
                r = message_copy_body(copy, m, &size);
        if (r >= 0)
                r = gateway_send(a->gateway, copy, size);
        if (r < 0)
                gateway_fail(a->gateway, sd_bus_is_open(a->gateway->link.bus) > 0
                                                         ? "a signal could not be told"
                                                         : "gone");
        return 1;
}

static int on_pong(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Announcer *a = userdata;

        a->pings--;
        gateway_announced(a->gateway);
        return 1;
}

int announcer_flush(Announcer *a)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(a->link.bus, &m, BUS_NAME, BUS_PATH, "org.freedesktop.DBus.Peer",
                                           "Ping");
        if (r >= 0)
                r = sd_bus_call_async(a->link.bus, NULL, m, on_pong, a, UINT64_MAX);
        if (r >= 0)
                a->pings++;
        return r;
}

static bool may_read(BusLink *l)
{
        return !gateway_is_congested(container_of(l, Announcer, link)->gateway);
}

static void on_turned(BusLink *l, int error, unsigned n_steps)
{
        if (error < 0)
                gateway_fail(container_of(l, Announcer, link)->gateway, "it does not read our signals");
}

static const BusLinkOps link_ops = {.may_read = may_read, .stepped = may_read, .turned = on_turned};

int announcer_start(Announcer *a, Gateway *g)
{
        const PeerCredentials ourselves = {.pid = getpid(), .uid = geteuid(), .gid = getegid()};
        int r;

        *a = (Announcer){.gateway = g, .link.fd = -EBADF};
        r = gateway_open_pair(g, PEER_DIRECT, &ourselves, ANNOUNCER_QUEUE_MAX, &link_ops, &a->link);
        if (r >= 0)
                r = sd_bus_add_filter(a->link.bus, NULL, on_signal, a);
        return r < 0 ? r : announcer_flush(a);
}

void announcer_stop(Announcer *a)
{
        if (a->gateway)
                link_done(&a->link);
        *a = (Announcer){.link.fd = -EBADF};
}
