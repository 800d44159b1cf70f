/*
 * What jobs get as 0, 1 and 2. Two things decide everything here: our end never blocks, since PID 1 reads
 * it, and the job's end always blocks, since programs do not expect EAGAIN on stdout. The two ends of a pipe
 * are separate open file descriptions, so the flag of one is not the other's.
 */

#include "sys/stdio.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* Takes fd and gives one above 2: dup2 in the child must not run over what it is about to copy. */
static int fd_above_stdio_take(int fd)
{
        int copy, r;

        if (fd < 0 || fd > 2)
                return fd;
        copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        r = copy < 0 ? -errno : copy;
        fd_close(fd);
        return r;
}

/* our_end: which of the two that pipe(2) gives is ours. */
static int pipe_new(size_t our_end, int ret[static 2])
{
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        int fds[2];

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        ours = fd_above_stdio_take(fds[our_end]);
        theirs = fd_above_stdio_take(fds[1 - our_end]);
        if (ours < 0)
                return ours;
        if (theirs < 0)
                return theirs;

        if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0) /* a new pipe has no other flags that could be set */
                return -errno;

        ret[0] = TAKE_FD(ours);
        ret[1] = TAKE_FD(theirs);
        return 0;
}

int stdio_output_pipe(int ret[static 2])
{
        return pipe_new(0, ret);
}

int stdio_input_pipe(int ret[static 2])
{
        return pipe_new(1, ret);
}

int stdio_enlarge_pipe(int fd, size_t size)
{
        if (size > INT_MAX)
                return -EINVAL;
        return fcntl(fd, F_SETPIPE_SZ, (int) size) < 0 ? -errno : 0;
}

int stdio_give(int fd, uid_t uid)
{
        return fchown(fd, uid, (gid_t) -1) < 0 ? -errno : 0;
}

size_t stdio_pipe_size(int fd)
{
        int size = fcntl(fd, F_GETPIPE_SZ);

        return size < 0 ? 0 : (size_t) size;
}

size_t stdio_unread(int fd)
{
        int n;

        return ioctl(fd, FIONREAD, &n) < 0 || n < 0 ? 0 : (size_t) n;
}

bool stdio_same_file(int a, int b)
{
        struct stat x, y;

        return fstat(a, &x) >= 0 && fstat(b, &y) >= 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int stdio_null(void)
{
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);

        return fd < 0 ? -errno : fd_above_stdio_take(fd);
}

/* From 6.3 on the kernel wants to be told that no memfd of ours is a program (and may refuse one of which it
 * is not); before, the flag is unknown. */
static int memfd_new(const char *name)
{
        int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

        if (fd < 0 && errno == EINVAL)
                fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return fd < 0 ? -errno : fd;
}

int stdio_data(const void *data, size_t size)
{
        _cleanup_close_ int fd = -EBADF;
        const char *p = data;

        fd = fd_above_stdio_take(memfd_new("reeve-stdin"));
        if (fd < 0)
                return fd;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                p += n;
                size -= (size_t) n;
        }
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        /* A job can open /dev/stdin anew, for writing: the seals are what holds. */
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return -errno;
        return TAKE_FD(fd);
}

ssize_t stdio_read(int fd, void *buf, size_t size)
{
        ssize_t n = read(fd, buf, size);

        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        return n;
}

ssize_t stdio_write(int fd, const void *data, size_t size)
{
        ssize_t n = write(fd, data, size);

        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        return n;
}
