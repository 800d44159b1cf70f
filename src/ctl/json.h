#pragma once

/*
 * D-Bus values as JSON (RFC 8259), in one line:
 *      a{s…}          an object; other arrays and structures are arrays; a variant is what it holds
 *      ay             a string when the bytes are UTF-8, otherwise {"base64": "…"}
 *      t, UINT64_MAX  null: it stands for "infinity" and for "not known"; other numbers in full
 *      d              null when it is not finite
 */

#include <stddef.h>

#include <systemd/sd-bus.h>

#include "basic/macro.h"

typedef struct Buffer Buffer;

void json_string(Buffer *b, const char *s); /* bytes that are not UTF-8 become U+FFFD */
void json_bytes(Buffer *b, const void *data, size_t size);

/* The next complete value of m. 0, or a negative errno of sd-bus. */
int json_value(Buffer *b, sd_bus_message *m);

/* An object of all arguments that are left in m, under these names (NULL-terminated). */
int json_arguments(Buffer *b, sd_bus_message *m, const char *const *names);
