/* Descriptors, and the two things done with the files of procfs, sysfs and cgroupfs: read one whole, write
 * one whole. Such files have no size to ask for (stat says 0 or 4096), so reading goes on until the end; and
 * each write(2) to one is a command to the kernel, so a text is written in one call or not at all. */

#include "basic/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include "basic/alloc.h"

#define READ_FIRST 1024U

int fd_close(int fd)
{
        int saved = errno;

        /* Never again on EINTR: Linux has released the number by then, see close(2). */
        if (fd >= 0)
                (void) close(fd);
        errno = saved;
        return -EBADF;
}

static ssize_t read_retry(int fd, void *data, size_t size)
{
        ssize_t n;

        do
                n = read(fd, data, size);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

int fd_dup(int fd)
{
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        return copy < 0 ? -errno : copy;
}

int read_small_file(int dir_fd, const char *path, size_t max, char **ret)
{
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *text = NULL;
        size_t size = 0, allocated = 0;

        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;

        for (;;) {
                ssize_t n;

                if (size + 1 >= allocated) {
                        char *larger;

                        /* At most max bytes, one to see that there are more, and the NUL. */
                        allocated = allocated == 0 ? READ_FIRST : allocated * 2;
                        if (max <= SIZE_MAX - 2)
                                allocated = MIN(allocated, max + 2);
                        larger = alloc_resize(text, allocated, 1);
                        if (!larger)
                                return -ENOMEM;
                        text = larger;
                }

                n = read_retry(fd, text + size, allocated - size - 1);
                if (n < 0)
                        return n;
                if (n == 0)
                        break;
                size += n;
                if (size > max)
                        return -E2BIG;
        }

        if (size > 0 && text[size - 1] == '\n')
                size--;
        text[size] = 0;
        *ret = TAKE_PTR(text);
        return 0;
}

int write_small_file(int dir_fd, const char *path, const char *text)
{
        _cleanup_close_ int fd = -EBADF;
        size_t size = strlen(text);
        ssize_t n;

        fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;

        do
                n = write(fd, text, size);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        return (size_t) n == size ? 0 : -EIO;
}
