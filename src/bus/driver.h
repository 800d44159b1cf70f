#pragma once

/* org.freedesktop.DBus on our own sockets: as much of a message bus (D-Bus Specification, "Message Bus
 * Messages") as clients ask for before they talk to who they came for. */

typedef struct Peer Peer;

int bus_driver_add(Peer *p);
