/*
 * Who ends too early is not asked who he is: PID 1 looks up the sender's scope in /proc. So this waits for
 * PID 1 to hang up.
 */

#include "sys/shell-report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "basic/buffer.h"
#include "basic/fd.h"
#include "sys/unix-socket.h"

#define PATIENCE_SEC 10

static void append_field(Buffer *b, char letter, const char *value)
{
        buffer_append(b, &letter, 1);
        buffer_append(b, value, strlen(value) + 1);
}

/* The one that the shell says, with the symbolic links that were taken to it, as long as it is true, or when
 * no truth is to be had: a directory that is gone has that name still. The caller frees it; NULL: none can
 * be told. */
static char *working_directory(const char *pwd)
{
        struct stat here, there;
        char *cwd;

        if (pwd[0] != '/')
                pwd = NULL;
        if (pwd && stat(pwd, &there) >= 0 && stat(".", &here) >= 0 && here.st_ino == there.st_ino &&
            here.st_dev == there.st_dev)
                return strdup(pwd);
        cwd = getcwd(NULL, 0);
        return !cwd && pwd ? strdup(pwd) : cwd;
}

static int report_make(Buffer *b, const char *pwd, const char *oldpwd)
{
        char *directory = working_directory(pwd), mode[16];
        mode_t mask = umask(0);

        if (!directory || directory[0] != '/') {
                free(directory);
                return -ENOENT;
        }
        (void) snprintf(mode, sizeof(mode), "%04o", (unsigned) mask);
        append_field(b, 'u', mode);
        append_field(b, 'd', directory);
        free(directory);
        if (oldpwd[0] != '\0' && setenv("OLDPWD", oldpwd, true) < 0)
                return -errno;
        for (char **s = environ; s && *s; s++)
                append_field(b, 'e', *s);
        append_field(b, '.', "");
        return b->error;
}

static int send_all(int fd, const char *data, size_t size)
{
        while (size > 0) {
                ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                data += n;
                size -= (size_t) n;
        }
        return 0;
}

int shell_report_send(const char *address, const char *pwd, const char *oldpwd)
{
        const struct timeval patience = {.tv_sec = PATIENCE_SEC};
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_close_ int fd = -EBADF;
        char c;
        int r;

        r = socket_connect(address, true, &fd);
        if (r < 0)
                return r;
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        r = report_make(&b, pwd, oldpwd);
        if (r >= 0)
                r = send_all(fd, b.data, b.size);
        if (r < 0)
                return r;
        if (shutdown(fd, SHUT_WR) < 0)
                return -errno;
        return recv(fd, &c, 1, 0) < 0 ? -errno : 0;
}
