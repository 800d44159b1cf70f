#pragma once

/* Messages that nobody sends: for what reads answers and signals of reeve. */

#include <sys/socket.h>

#include <systemd/sd-bus.h>

#include "test-main.h"

/* A bus that is connected to nobody; sd-bus makes messages only for one that was started. */
static inline sd_bus *message_bus(void)
{
        sd_bus *bus;
        int pair[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        ck_assert_int_ge(sd_bus_new(&bus), 0);
        ck_assert_int_ge(sd_bus_set_fd(bus, pair[0], pair[0]), 0);
        ck_assert_int_ge(sd_bus_start(bus), 0);
        close(pair[1]);
        return bus;
}

static inline sd_bus_message *message_signal(sd_bus *bus, const char *path, const char *interface,
                                             const char *member)
{
        sd_bus_message *m;

        ck_assert_int_ge(sd_bus_message_new_signal(bus, &m, path, interface, member), 0);
        return m;
}

/* Written: to be read from the start. */
static inline sd_bus_message *message_sealed(sd_bus_message *m)
{
        ck_assert_int_ge(sd_bus_message_seal(m, 1, 0), 0);
        ck_assert_int_ge(sd_bus_message_rewind(m, 1), 0);
        return m;
}
