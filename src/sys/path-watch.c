/*
 * One watch at a time, on the last folder of the path that is there. The way goes from the root downwards,
 * and the watch above is given up only when the one below is made: so what appears between two steps is
 * either seen by the step or told by the watch.
 */

#include "sys/path-watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"

#define EVENTS (IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

int path_watch_open(PathWatch *w, const char *path)
{
        PathWatch new = PATH_WATCH_INIT;

        if (path[0] != '/')
                return -EINVAL;
        new.path = str_copy(path);
        if (!new.path)
                return -ENOMEM;
        new.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (new.fd < 0) {
                int r = -errno;

                free(new.path);
                return r;
        }
        *w = new;
        return 0;
}

void path_watch_close(PathWatch *w)
{
        fd_close(w->fd);
        free(w->path);
        *w = PATH_WATCH_INIT;
}

static void forget(PathWatch *w)
{
        if (w->watch >= 0)
                (void) inotify_rm_watch(w->fd, w->watch);
        w->watch = -1;
}

/* The folder that the path's first `length` bytes name, "/" for none. */
static int watch_folder(PathWatch *w, size_t length)
{
        _cleanup_free_ char *folder = str_copy_n(w->path, MAX(length, (size_t) 1));
        int watch;

        if (!folder)
                return -ENOMEM;
        watch = inotify_add_watch(w->fd, folder, EVENTS);
        if (watch < 0)
                return -errno;
        if (watch != w->watch) /* "a//b" and "a/./b" are steps to where one is */
                forget(w);
        w->watch = watch;
        return 0;
}

int path_watch_arm(PathWatch *w)
{
        size_t end = 0;
        int r;

        forget(w);
        r = watch_folder(w, 0);
        while (r >= 0) {
                w->next = end + strspn(w->path + end, "/");
                w->next_length = strcspn(w->path + w->next, "/");
                end = w->next + w->next_length;
                if (w->path[end] == '\0')
                        return 0;
                r = watch_folder(w, end);
        }
        return r == -ENOENT || r == -ENOTDIR ? 0 : r;
}

static bool matters(const PathWatch *w, const struct inotify_event *e)
{
        if (e->mask & IN_Q_OVERFLOW)
                return true;
        if (e->wd != w->watch)
                return false;
        return e->len == 0 || (strlen(e->name) == w->next_length &&
                               memcmp(e->name, w->path + w->next, w->next_length) == 0);
}

int path_watch_read(PathWatch *w)
{
        _Alignas(struct inotify_event) char buffer[4096];
        bool found = false;

        for (;;) {
                ssize_t size = read(w->fd, buffer, sizeof(buffer));
                const struct inotify_event *e;

                if (size < 0 && errno == EINTR)
                        continue;
                if (size < 0)
                        return errno == EAGAIN ? found : -errno;
                for (ssize_t at = 0; at < size; at += (ssize_t) (sizeof(*e) + e->len)) {
                        e = (const struct inotify_event *) (buffer + at);
                        found = matters(w, e) || found;
                }
        }
}
