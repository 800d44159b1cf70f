#pragma once

/* Waiting for a file to come into being where there is no folder yet, inotify(7). */

#include <stddef.h>

typedef struct PathWatch {
        int fd;                   /* an event source's; -EBADF: closed */
        int watch;                /* on the last folder of the path that is there; -1: none */
        char *path;               /* absolute */
        size_t next, next_length; /* within path: what is to appear in that folder */
} PathWatch;

#define PATH_WATCH_INIT ((PathWatch){.fd = -EBADF, .watch = -1})

/* Negative errno; -EMFILE: too many inotify instances of this user. */
int path_watch_open(PathWatch *w, const char *path);
void path_watch_close(PathWatch *w);

/* Watches from now on for the path, or for the first folder on the way to it that is missing, to appear, go,
 * or change its mode. Look whether the file is there after this, not before. Negative errno. */
int path_watch_arm(PathWatch *w);
/* What has happened since. 1: something that calls for a look and path_watch_arm(); 0: nothing that does. */
int path_watch_read(PathWatch *w);
