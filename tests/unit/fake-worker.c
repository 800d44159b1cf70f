/* Workers of the fake: they do their work at once, in this process, and what they wrote can be read. */

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "fake-internal.h"
#include "fake-sys.h"
#include "sys/pidref.h"
#include "sys/service-check.h"
#include "sys/unit-files.h"
#include "sys/worker.h"

int worker_start(const char *name, WorkerFunction *work, void *userdata, PidRef *ret, int *ret_fd)
{
        int fds[2];

        if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        (void) work(fds[1], userdata);
        (void) close(fds[1]);
        *ret = (PidRef){.pid = 98000, .fd = -EBADF};
        *ret_fd = fds[0];
        return 0;
}

ssize_t worker_read(int fd, void *buffer, size_t size)
{
        ssize_t n = read(fd, buffer, size);

        return n < 0 ? -errno : n;
}

int worker_write(int fd, const void *data, size_t size)
{
        return write(fd, data, size) == (ssize_t) size ? 0 : -EIO;
}

int unit_files_work(int fd, void *userdata)
{
        _cleanup_(buffer_done) Buffer block = BUFFER_INIT;

        if (unit_files_collect(userdata, &block) < 0)
                return -ENOMEM;
        return worker_write(fd, block.data, block.size);
}
