/*
 * How emptiness is heard of: cgroup.events changes, and inotify says so. One descriptor serves all scopes.
 * The watch is made through /proc/self/fd, since inotify_add_watch(2) takes no directory descriptor and the
 * tree's own path is not known.
 */

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "sys/cgroup.h"
#include "sys/scope-internal.h"

int scope_watch_open(void)
{
        int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int scope_watch_add(int watch_fd, const Scope *s, int *ret_watch)
{
        _cleanup_free_ char *path = NULL;
        int watch;

        if (scope_is_group(s))
                return -EOPNOTSUPP;
        path = str_printf("/proc/self/fd/%d/%s/cgroup.events", s->tree->fd, s->folder);
        if (!path)
                return -ENOMEM;
        watch = inotify_add_watch(watch_fd, path, IN_MODIFY);
        if (watch < 0)
                return -errno;
        *ret_watch = watch;
        return 0;
}

void scope_watch_remove(int watch_fd, int watch)
{
        /* Fails when the file is gone: then so is the watch. */
        (void) inotify_rm_watch(watch_fd, watch);
}

int scope_watch_read(int watch_fd, int *watches, size_t max)
{
        struct inotify_event events[64]; /* of files, not folders: no names behind them */
        int n = 0;

        while (n == 0) {
                ssize_t size = read(watch_fd, events, MIN(max, ELEMENTSOF(events)) * sizeof(events[0]));

                if (size < 0 && errno == EINTR)
                        continue;
                if (size < 0)
                        return errno == EAGAIN ? 0 : -errno;
                if (size == 0)
                        return 0;
                for (size_t i = 0; i < (size_t) size / sizeof(events[0]); i++) {
                        if (events[i].mask & IN_Q_OVERFLOW)
                                return -EOVERFLOW;
                        if (events[i].mask & IN_MODIFY)
                                watches[n++] = events[i].wd;
                }
        }
        return n;
}
