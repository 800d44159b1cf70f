#pragma once

/* What the server tells all of its connections, told to the message bus: a connection of the server's that
 * does nothing but listen. */

#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "bus/link.h"

typedef struct Gateway Gateway;

/* Signals that may wait: those of some thousand jobs that end in one moment. */
#define ANNOUNCER_QUEUE_MAX 8192U

typedef struct Announcer {
        Gateway *gateway; /* NULL: stopped */
        BusLink link;
        unsigned pings; /* that are not answered yet: what was told before them is not through */
} Announcer;

/* gateway_announced() when it hears what there is to hear. */
int announcer_start(Announcer *a, Gateway *g);
void announcer_stop(Announcer *a);
/* What it was told until now is through at the next gateway_announced(). */
int announcer_flush(Announcer *a);
