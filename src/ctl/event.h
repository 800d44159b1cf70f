#pragma once

/* What happens in reeve, as its signals tell it: a line an event, for people or as JSON. */

#include <systemd/sd-bus.h>

#include "basic/hashmap.h"
#include "basic/macro.h"
#include "basic/time.h"

typedef struct Buffer Buffer;
typedef struct Properties Properties;

typedef struct Events {
        bool json;
        Hashmap states; /* of jobs and sessions, by path: what was said of each last */
} Events;

void events_init(Events *e, bool json);
void events_done(Events *e);

/* How it stands at the beginning: properties is the a{sv} of the manager's, which comes next in m. */
int events_begin(Events *e, sd_bus_message *m, usec_t now, Buffer *b);

/* Appends the line for a signal, or nothing when there is nothing to say. 0 or a negative errno. */
int events_append(Events *e, sd_bus_message *m, usec_t now, Buffer *b);
