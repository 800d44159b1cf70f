#pragma once

/* An a{sv}, read whole: properties of a job or of reeve, details of an answer. Strings belong to the
 * message, which is kept. */

#include <stdint.h>

#include <systemd/sd-bus.h>

#include "basic/macro.h"

typedef struct Property {
        const char *name;
        char type; /* 'b' and unsigned numbers: u; signed: i; 's', 'o', 'g': string; 'a': strv; 'y': bytes */
        union {
                uint64_t number;
                int64_t integer;
                const char *string;
                char **strv; /* as; a{ss} as NAME=VALUE; numbers as text */
                struct {
                        const void *data;
                        size_t size;
                } bytes;
        };
} Property;

typedef struct Properties {
        sd_bus_message *message;
        Property *items;
        size_t n;
} Properties;

#define PROPERTIES_INIT ((Properties){0})

/* Reads the a{sv} that comes next in m; types that nobody here asks for are left out. 0 or a negative errno.
 */
int properties_read(sd_bus_message *m, Properties *ret);
void properties_done(Properties *p);

bool properties_has(const Properties *p, const char *name, char type);
/* What is not there, or of another type, is "" or NULL or 0 or `otherwise`. */
const char *properties_string(const Properties *p, const char *name);
uint64_t properties_number(const Properties *p, const char *name, uint64_t otherwise);
int64_t properties_integer(const Properties *p, const char *name, int64_t otherwise);
bool properties_boolean(const Properties *p, const char *name);
char **properties_strv(const Properties *p, const char *name);
const void *properties_bytes(const Properties *p, const char *name, size_t *ret_size);
