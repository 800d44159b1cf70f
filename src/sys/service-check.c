/* The worker and PID 1 are one program: numbers go over the pipe as they are in memory. */

#include "sys/service-check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/fd.h"
#include "sys/worker.h"

typedef struct FileHeader {
        int32_t error;
        uint32_t size;
} FileHeader;

static ssize_t read_file(const char *path, char *buffer)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;
        size_t size = 0;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) /* /dev/null: empty */
                return 0;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        for (;;) {
                ssize_t n = read(fd, buffer + size, SERVICE_FILE_MAX + 1 - size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                size += (size_t) n;
                if (size > SERVICE_FILE_MAX)
                        return -EFBIG;
                if (n == 0)
                        return (ssize_t) size;
        }
}

static int answer_file(int fd, const char *path, char *buffer)
{
        ssize_t n = read_file(path, buffer);
        const FileHeader header = {n < 0 ? (int32_t) n : 0, n < 0 ? 0 : (uint32_t) n};
        int r;

        r = worker_write(fd, &header, sizeof(header));
        return r < 0 ? r : worker_write(fd, buffer, header.size);
}

int service_check_work(int fd, void *userdata)
{
        const ServiceCheck *c = userdata;
        char *buffer = malloc(SERVICE_FILE_MAX + 1);
        int r = buffer ? 0 : -ENOMEM;

        for (size_t i = 0; i < c->n_paths && r >= 0; i++) {
                char there = access(c->paths[i], F_OK) == 0;

                r = worker_write(fd, &there, 1);
        }
        for (size_t i = 0; i < c->n_files && r >= 0; i++)
                r = answer_file(fd, c->files[i], buffer);
        free(buffer);
        return r;
}

static const char *take(ServiceCheckReader *r, size_t size)
{
        const char *data = r->data;

        if (r->size < size)
                return NULL;
        r->data += size;
        r->size -= size;
        return data;
}

int service_check_next_path(ServiceCheckReader *r)
{
        const char *there = take(r, 1);

        return there ? *there != 0 : -EBADMSG;
}

int service_check_next_file(ServiceCheckReader *r, const char **ret, size_t *ret_size)
{
        const char *header = take(r, sizeof(FileHeader)), *data;
        FileHeader h;

        if (!header)
                return -EBADMSG;
        memcpy(&h, header, sizeof(h));
        if (h.error < 0)
                return h.error;
        data = take(r, h.size);
        if (!data)
                return -EBADMSG;
        *ret = data;
        *ret_size = h.size;
        return 0;
}
