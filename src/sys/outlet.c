/*
 * The two ends of a pipe are separate open file descriptions: so ours can be non-blocking and the reader's
 * not, as programs expect of what they read.
 */

#include "sys/outlet.h"

#include <fcntl.h>
#include <unistd.h>

#include "basic/fd.h"

int outlet_pipe(int ret[static 2])
{
        _cleanup_close_ int theirs = -EBADF, ours = -EBADF;
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        theirs = fds[0];
        ours = fds[1];
        if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        ret[0] = TAKE_FD(theirs);
        ret[1] = TAKE_FD(ours);
        return 0;
}

ssize_t outlet_write(int fd, const void *data, size_t size)
{
        ssize_t n = write(fd, data, size);

        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        return n;
}
