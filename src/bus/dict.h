#pragma once

/* Reading a{sv}: each key at most once, each with the type that its table says; anything else is InvalidArgs
 * naming the key. */

#include <systemd/sd-bus.h>

#include "unit/settings.h"

typedef struct Error Error;

/* A key of a small dictionary of options (not of the settings table): its type, and where the value goes:
 * bool, int64_t (INT), uint64_t (all unsigned), char * and char ** (owned by the caller afterwards). */
typedef struct DictKey {
        const char *name;
        SettingType type;
        void *target;
        uint64_t max;          /* of unsigned ones; 0: no bound */
        const char *signature; /* of one whose type no setting has; else NULL */
        /* of one whose type no setting has: reads the value of that signature into target. -EINVAL with e
         * set */
        int (*read)(sd_bus_message *m, const char *name, void *target, Error *e);
        bool unavailable; /* of the contract, not built in this version: NotSupported, after everything else
                             was found right */
} DictKey;

/* Bit i of *ret_given (may be NULL): key i was there. On failure what was read already stays in the targets,
 * for the caller to free. */
int dict_read(sd_bus_message *m, const DictKey *keys, size_t n_keys, uint64_t *ret_given, Error *e);

/* The next value is a variant of this type: 0; -EINVAL with key named in e. */
int dict_read_variant(sd_bus_message *m, const char *key, SettingType type, SettingValue *ret, Error *e);
