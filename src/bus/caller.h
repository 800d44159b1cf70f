#pragma once

/*
 * A client of the message bus that has called us: it is given a connection of its own to the server, as if
 * it had come to the private socket, and its calls go through that. So every rule and bound of a connection
 * is its too, and when it leaves the bus the connection ends, with all that ends with one.
 */

#include <systemd/sd-bus.h>

#include "basic/list.h"
#include "bus/link.h"

typedef struct Gateway Gateway;

#define CALLER_CALLS_MAX 1024U /* that wait for their answer, as PEER_PENDING_MAX */

typedef enum CallerState {
        CALLER_UNKNOWN,    /* the bus was asked who it is; its calls are kept meanwhile, */
        CALLER_CONNECTING, /* and until its connection is ready */
        CALLER_ADMITTED,
        CALLER_REFUSED, /* may not call: told so at each call */
} CallerState;

typedef struct Caller {
        List by_age; /* Gateway.callers_by_age */
        Gateway *gateway;
        char *name; /* ":1.7"; the gateway's table has it under that */
        CallerState state;
        uid_t uid;                                 /* of a refused one */
        sd_bus_slot *gone_slot, *credentials_slot; /* of the message bus */
        List calls;                                /* CallerCall.link */
        unsigned n_calls;
        BusLink link; /* to its peer */
} Caller;

/* Asks the bus who it is, and to be told when it leaves. */
int caller_new(Gateway *g, const char *name, Caller **ret);
/* Its calls that wait are answered with that; why NULL: nobody is there to be answered. Not from within its
 * own turn. */
void caller_free(Caller *c, const sd_bus_error *why);

/* One call of its. As a sd-bus handler: 1, or an error for the caller. */
int caller_take(Caller *c, sd_bus_message *m, sd_bus_error *ret_error);
