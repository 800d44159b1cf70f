#pragma once

/* What is mounted, proc(5), /proc/self/mountinfo. */

#include <stddef.h>

#include "basic/macro.h"

typedef struct Mount {
        char *path, *type;
        bool read_only; /* the mount, or its file system */
} Mount;

typedef struct MountList {
        Mount *mounts; /* the oldest first */
        size_t n;
} MountList;

/* 0 or negative errno. */
int mount_list_read(MountList *ret);
/* Of that text. */
int mount_list_parse(const char *mountinfo, MountList *ret);
void mount_list_done(MountList *l);

/* \040 and the like, in place. */
void mount_unescape(char *s);
