/*
 * /proc/PID/fd has a link "socket:[INODE]" for each socket. Reading it needs what ptrace(2) needs: without
 * CAP_SYS_PTRACE, which containers do not get unless asked, root may not look into a process of another
 * user, only that user may. So where reeve is refused it looks as that user: for the length of one system
 * call the identity with which files are seen is his (setfsuid(2); nothing else changes by it).
 */

#include "sys/socket-walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "sys/scope.h"

#define NOBODY_ELSE ((uid_t) -1)

static void become(const SocketWalk *w)
{
        if (w->uid == NOBODY_ELSE)
                return;
        (void) setfsgid(w->gid);
        (void) setfsuid(w->uid);
}

/* The kernel takes a change of identity for a reason to hide the process from its own user; it is not. */
static void become_oneself(const SocketWalk *w)
{
        if (w->uid == NOBODY_ELSE)
                return;
        (void) setfsuid(geteuid());
        (void) setfsgid(getegid());
        (void) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

int socket_walk_start(SocketWalk *w, const Scope *scope)
{
        SocketWalk walk = {.uid = NOBODY_ELSE};
        int r;

        r = scope_pids(scope, &walk.pids, &walk.n_pids);
        if (r < 0)
                return r;
        *w = walk;
        return 0;
}

/* Who looks from now on at the process at hand: its own user. Whether that is worth another try. */
static bool look_as_owner(SocketWalk *w, int error)
{
        char path[64];
        struct stat st;

        if ((error != EACCES && error != EPERM) || w->uid != NOBODY_ELSE || geteuid() != 0)
                return false;
        snprintf(path, sizeof(path), "/proc/%d", (int) w->pids[w->next - 1]);
        if (stat(path, &st) < 0)
                return false;
        w->uid = st.st_uid;
        w->gid = st.st_gid;
        return true;
}

static int open_once(const SocketWalk *w)
{
        char path[64];
        int fd, error;

        snprintf(path, sizeof(path), "/proc/%d/fd", (int) w->pids[w->next - 1]);
        become(w);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        error = errno;
        become_oneself(w);
        return fd < 0 ? -error : fd;
}

static int open_process(SocketWalk *w)
{
        int fd;

        w->uid = NOBODY_ELSE;
        fd = open_once(w);
        if (fd < 0 && look_as_owner(w, -fd))
                fd = open_once(w);
        if (fd < 0)
                return fd == -ENOMEM || fd == -EMFILE || fd == -ENFILE ? fd : 0;
        w->folder = fdopendir(fd);
        if (!w->folder) {
                fd_close(fd);
                return -ENOMEM;
        }
        return 0;
}

static void close_process(SocketWalk *w)
{
        if (w->folder)
                closedir(w->folder);
        w->folder = NULL;
}

/* -errno, or how long the link is. */
static int link_once(const SocketWalk *w, const char *name, char *target, size_t size)
{
        ssize_t n;
        int error;

        become(w);
        n = readlinkat(dirfd(w->folder), name, target, size);
        error = errno;
        become_oneself(w);
        return n < 0 ? -error : (int) n;
}

/* Whether the descriptor of that name is a socket. */
static bool read_link(SocketWalk *w, const char *name, uint64_t *ret_inode)
{
        char target[64];
        int n = link_once(w, name, target, sizeof(target) - 1);

        if (n < 0 && look_as_owner(w, -n))
                n = link_once(w, name, target, sizeof(target) - 1);
        if (n < 0)
                return false;
        target[n] = '\0';
        return sscanf(target, "socket:[%" SCNu64 "]", ret_inode) == 1;
}

int socket_walk_step(SocketWalk *w, uint64_t *ret_inode)
{
        const struct dirent *entry;
        uint64_t inode;

        if (!w->folder) {
                if (w->next >= w->n_pids)
                        return -ENODATA;
                w->next++;
                return open_process(w);
        }
        entry = readdir(w->folder);
        if (!entry) {
                close_process(w);
                return 0;
        }
        if (!read_link(w, entry->d_name, &inode))
                return 0;
        *ret_inode = inode;
        return 1;
}

void socket_walk_done(SocketWalk *w)
{
        close_process(w);
        free(w->pids);
        *w = SOCKET_WALK_NULL;
}
