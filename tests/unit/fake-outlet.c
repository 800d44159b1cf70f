/* The pipes of followers, and the host's name. The pipes are real. */

#include "fake-sys.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "sys/hostname.h"
#include "sys/outlet.h"

int outlet_pipe(int ret[static 2])
{
        if (fake.pipe_error)
                return fake.pipe_error;
        if (pipe2(ret, O_CLOEXEC) < 0)
                return -errno;
        ck_assert_int_eq(fcntl(ret[1], F_SETFL, O_NONBLOCK), 0);
        return 0;
}

ssize_t outlet_write(int fd, const void *data, size_t size)
{
        ssize_t n = write(fd, data, fake.write_max > 0 ? MIN(size, fake.write_max) : size);

        ck_assert_uint_gt(size, 0);
        return n < 0 ? -errno : n;
}

void hostname_get(char buf[static HOSTNAME_SIZE])
{
        snprintf(buf, HOSTNAME_SIZE, "box");
}
