#pragma once

/* The body of a message, descriptors and all, in a message of another connection. */

#include <stddef.h>
#include <systemd/sd-bus.h>

/* Appends what `from`, which is read from its beginning, holds; to NULL: only counts it. *ret_size: bytes of
 * it, about. -EOPNOTSUPP: there is a descriptor in it, and the other connection carries none. */
int message_copy_body(sd_bus_message *to, sd_bus_message *from, size_t *ret_size);
