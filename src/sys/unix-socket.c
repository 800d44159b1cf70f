/*
 * Listening, accepting, connecting. The credentials that count are those which the kernel noted when the
 * peer connected (SO_PEERCRED): whatever a message says of its sender is its sender's word.
 */

#include "sys/unix-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/address.h"
#include "basic/alloc.h"
#include "basic/fd.h"

typedef struct UnixAddress {
        struct sockaddr_un sa;
        socklen_t length;
        bool abstract;
} UnixAddress;

static int parse_address(const char *address, bool with_guid, UnixAddress *ret)
{
        UnixAddress a = {.sa.sun_family = AF_UNIX};
        int n;

        n = address_parse_unix(address, with_guid, a.sa.sun_path, sizeof(a.sa.sun_path));
        if (n < 0)
                return n;
        a.abstract = a.sa.sun_path[0] == '\0';
        a.length = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + (size_t) n + !a.abstract);
        *ret = a;
        return 0;
}

/* The folders above path, as far as they are missing. */
static int make_parents(const char *path)
{
        char parent[sizeof(((struct sockaddr_un *) NULL)->sun_path)];

        for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                size_t n = (size_t) (slash - path);

                memcpy(parent, path, n);
                parent[n] = '\0';
                if (mkdir(parent, 0755) < 0 && errno != EEXIST) {
                        struct stat st;
                        int r = -errno;

                        if (stat(parent, &st) < 0 || !S_ISDIR(st.st_mode)) /* EROFS of one that is there */
                                return r;
                }
        }
        return 0;
}

/* Takes the socket file of somebody who is gone away. 0: the place is free. */
static int remove_stale(const UnixAddress *a)
{
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (lstat(a->sa.sun_path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(st.st_mode))
                return -EEXIST;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) &a->sa, a->length) >= 0 || errno != ECONNREFUSED)
                return -EADDRINUSE;
        return unlink(a->sa.sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/* The file is born with its mode: 0777 without the umask. reeve has one thread, so the umask is nobody
 * else's. */
static int bind_with_mode(int fd, const UnixAddress *a, mode_t mode)
{
        mode_t old = umask(~mode & 0777);
        int r = bind(fd, (const struct sockaddr *) &a->sa, a->length) < 0 ? -errno : 0;

        (void) umask(old);
        return r;
}

static int bind_path(int fd, const UnixAddress *a, mode_t mode)
{
        mode_t old = umask(022);
        int r = make_parents(a->sa.sun_path);

        (void) umask(old);
        if (r < 0)
                return r;
        r = bind_with_mode(fd, a, mode);
        if (r != -EADDRINUSE)
                return r;
        r = remove_stale(a);
        return r < 0 ? r : bind_with_mode(fd, a, mode);
}

int socket_listen(const char *address, mode_t mode, int *ret_fd)
{
        _cleanup_close_ int fd = -EBADF;
        UnixAddress a;
        int r;

        r = parse_address(address, false, &a);
        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        r = a.abstract ? bind_with_mode(fd, &a, mode) : bind_path(fd, &a, mode);
        if (r < 0)
                return r;
        if (listen(fd, SOMAXCONN) < 0) {
                r = -errno;
                socket_unlink(address);
                return r;
        }
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int socket_connect(const char *address, bool wait, int *ret_fd)
{
        _cleanup_close_ int fd = -EBADF;
        UnixAddress a;
        int r;

        r = parse_address(address, true, &a);
        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (wait ? 0 : SOCK_NONBLOCK), 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) &a.sa, a.length) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int socket_address_path(const char *address, char **ret)
{
        char *path = NULL;
        UnixAddress a;
        int r;

        r = parse_address(address, true, &a);
        if (r < 0)
                return r;
        if (!a.abstract) {
                path = str_copy(a.sa.sun_path);
                if (!path)
                        return -ENOMEM;
        }
        *ret = path;
        return 0;
}

void socket_unlink(const char *address)
{
        UnixAddress a;
        struct stat st;

        if (parse_address(address, false, &a) < 0 || a.abstract)
                return;
        if (lstat(a.sa.sun_path, &st) >= 0 && S_ISSOCK(st.st_mode))
                (void) unlink(a.sa.sun_path);
}

int socket_accept(int listen_fd, int *ret_fd, PeerCredentials *ret)
{
        _cleanup_close_ int fd = -EBADF;
        struct ucred uc;
        socklen_t size = sizeof(uc);

        do
                fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
        if (fd < 0)
                return -errno;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &uc, &size) < 0)
                return -errno;

        *ret_fd = TAKE_FD(fd);
        *ret = (PeerCredentials){.pid = uc.pid, .uid = uc.uid, .gid = uc.gid};
        return 0;
}

int socket_readable_bytes(int fd, size_t *ret)
{
        int n = 0;

        if (ioctl(fd, SIOCINQ, &n) < 0)
                return -errno;
        *ret = n > 0 ? (size_t) n : 0;
        return 0;
}
