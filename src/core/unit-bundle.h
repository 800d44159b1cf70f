#pragma once

/*
 * All unit files there are, read but not yet understood: what sys/unit-files.h collects, taken apart. It is
 * plain memory, so that whoever must not wait for a file system can let another process collect it and read
 * it from a pipe.
 */

#include <stddef.h>

#include "basic/hashmap.h"
#include "basic/macro.h"
#include "sys/hostname.h"

typedef struct UnitProblems UnitProblems;

typedef struct UnitFile {
        char *path;       /* /etc/reeve/units/web.service.d/10-port.conf */
        const char *name; /* within path: web.service; of a drop-in 10-port.conf */
        char *unit;       /* of a drop-in: web.service, web@.service, service; else NULL */
        unsigned folder;  /* from 0, the one with the highest priority */
        bool masked;      /* a symlink to /dev/null, or empty */
        int error;        /* 0, or why it could not be read, a negative errno */
        const char *text; /* not NUL-terminated */
        size_t size;
} UnitFile;

typedef struct UnitBundle {
        void *data;      /* what the texts point into */
        UnitFile *files; /* fragments by name and folder, then drop-ins by unit, name and folder */
        size_t n, n_fragments;
        Hashmap fragments, dropins;   /* the first of a name, the first of a unit */
        char hostname[HOSTNAME_SIZE]; /* %H */
} UnitBundle;

#define UNIT_BUNDLE_INIT ((UnitBundle){0})

/* /etc/reeve/units, /run/reeve/units, /usr/lib/reeve/units: in the order of their priority. */
extern const char *const unit_folders_default[];

/* Reads the folders (NULL: the default ones) in this process: may wait for a file system. What cannot be
 * read is a problem, not a failure; a folder that is not there is neither. 0 or -ENOMEM. */
int unit_bundle_collect(const char *const *folders, UnitBundle *ret, UnitProblems *problems);

/* Takes over data, given to free(), that unit_files_collect() (sys/unit-files.h) made, in this process or in
 * another; frees it in any case. 0, -ENOMEM, or -EBADMSG when it is something else or not complete. */
int unit_bundle_take(void *data, size_t size, UnitBundle *ret, UnitProblems *problems);

void unit_bundle_done(UnitBundle *b);

/* The fragment of that very name which has priority; NULL: there is none. */
const UnitFile *unit_bundle_fragment(const UnitBundle *b, const char *name);
/* The drop-ins of that very unit, *ret_n of them in a row. */
const UnitFile *unit_bundle_dropins(const UnitBundle *b, const char *unit, size_t *ret_n);
