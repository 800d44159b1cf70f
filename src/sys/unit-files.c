/*
 * Only regular files are read: a FIFO or a device below the name of a unit could keep us for ever, or be
 * changed by being opened. Names are sorted before anything is read, so that it is the same ones that are
 * left out when there are too many.
 */

#include "sys/unit-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/strv.h"

#define NAMES_MAX ((size_t) 10000) /* of one folder, before they are sorted */

typedef struct Collector {
        Buffer *block;
        unsigned folder, n_files;
        size_t bytes;
        bool full; /* said once */
} Collector;

static void put(Collector *c, UnitFileRecord record, const char *path, const void *text)
{
        record.folder = c->folder;
        record.path_size = (uint32_t) strlen(path);
        buffer_append(c->block, &record, sizeof(record));
        buffer_append(c->block, path, record.path_size);
        buffer_append(c->block, text, record.text_size);
        c->bytes += record.text_size;
}

static bool ends_with(const char *s, const char *suffix)
{
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && streq(s + n - m, suffix);
}

static bool is_null_device(const struct stat *st)
{
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static bool is_masked(int dir, const char *name)
{
        char target[sizeof("/dev/null")];
        ssize_t n = readlinkat(dir, name, target, sizeof(target));
        struct stat st;

        if (n == (ssize_t) strlen("/dev/null") && memcmp(target, "/dev/null", (size_t) n) == 0)
                return true;
        return fstatat(dir, name, &st, 0) == 0 && is_null_device(&st);
}

/* As long as there are bytes, to max and one more. -EFBIG. */
static int text_read(int fd, size_t max, char **ret, size_t *ret_size)
{
        _cleanup_free_ char *text = alloc_resize(NULL, max + 1, 1);
        size_t size = 0;
        ssize_t n;

        if (!text)
                return -ENOMEM;
        do {
                n = read(fd, text + size, max + 1 - size);
                if (n < 0 && errno != EINTR)
                        return -errno;
                size += n > 0 ? (size_t) n : 0;
        } while ((n > 0 || (n < 0 && errno == EINTR)) && size <= max);
        if (size > max)
                return -EFBIG;
        *ret = TAKE_PTR(text);
        *ret_size = size;
        return 0;
}

static int file_read(int dir, const char *name, char **ret, size_t *ret_size)
{
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        /* Before it is opened, and after it. */
        if (fstatat(dir, name, &st, 0) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADFD;
        fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADFD;
        return text_read(fd, UNIT_FILE_BYTES_MAX, ret, ret_size);
}

static int collect_file(Collector *c, int dir, const char *path, UnitFileKind kind)
{
        const char *name = strrchr(path, '/') + 1;
        UnitFileRecord record = {.kind = kind};
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        int r = 0;

        if (kind != UNIT_FILE_OTHER) {
                record.masked = is_masked(dir, name);
                if (!record.masked)
                        r = file_read(dir, name, &text, &size);
        }
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && size > UNIT_FILES_BYTES_MAX - c->bytes)
                r = -EDQUOT;
        record.error = r;
        record.text_size = r < 0 ? 0 : (uint32_t) size;
        put(c, record, path, text);
        return 0;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Names that are not hidden, sorted. 0; -ENOMEM; -EDQUOT: there were more; any other error: not to the end.
 */
static int names_read(int dir, char ***ret)
{
        _cleanup_free_ char **names = alloc_array(char *, NAMES_MAX + 1);
        size_t n = 0;
        int fd, r = 0;
        DIR *d;

        if (!names)
                return -ENOMEM;
        fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        d = fd < 0 ? NULL : fdopendir(fd);
        if (!d) {
                r = -errno;
                fd_close(fd);
                return r;
        }
        for (;;) {
                const struct dirent *entry;

                errno = 0;
                entry = readdir(d);
                if (!entry) {
                        r = -errno;
                        break;
                }
                if (entry->d_name[0] == '.')
                        continue;
                if (n == NAMES_MAX) {
                        r = -EDQUOT;
                        break;
                }
                names[n] = str_copy(entry->d_name);
                if (!names[n]) {
                        r = -ENOMEM;
                        break;
                }
                n++;
        }
        (void) closedir(d);
        names[n] = NULL;
        if (r == -ENOMEM) {
                strv_free(TAKE_PTR(names));
                return r;
        }
        qsort(names, n, sizeof(char *), compare_names);
        *ret = TAKE_PTR(names);
        return r;
}

static int collect_folder(Collector *c, int parent, const char *name, const char *path, bool dropins);

static int collect_entry(Collector *c, int dir, const char *folder, const char *name, bool dropins)
{
        _cleanup_free_ char *path = str_printf("%s/%s", folder, name);

        if (!path)
                return -ENOMEM;
        if (!dropins && (streq(name, "service.d") || ends_with(name, ".service.d")))
                return collect_folder(c, dir, name, path, true);
        if (dropins && !ends_with(name, ".conf"))
                return 0;
        if (c->n_files >= UNIT_FILES_MAX) {
                if (!c->full)
                        put(c, (UnitFileRecord){.kind = UNIT_FILE_FOLDER, .error = -EDQUOT}, folder, NULL);
                c->full = true;
                return 0;
        }
        c->n_files++;
        return collect_file(c, dir, path,
                            dropins                       ? UNIT_FILE_DROPIN
                            : ends_with(name, ".service") ? UNIT_FILE_FRAGMENT
                                                          : UNIT_FILE_OTHER);
}

static int collect_folder(Collector *c, int parent, const char *name, const char *path, bool dropins)
{
        _cleanup_close_ int dir = -EBADF;
        _cleanup_strv_ char **names = NULL;
        int r = 0;

        dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
        if (dir < 0)
                r = -errno;
        else
                r = names_read(dir, &names);
        if (r == -ENOMEM || r == -ENOENT)
                return r == -ENOENT ? 0 : r;
        if (r < 0)
                put(c, (UnitFileRecord){.kind = UNIT_FILE_FOLDER, .error = r}, path, NULL);
        STRV_FOREACH (entry, names) {
                r = collect_entry(c, dir, path, *entry, dropins);
                if (r < 0)
                        return r;
        }
        return 0;
}

int unit_files_collect(const char *const *folders, Buffer *ret)
{
        Collector c = {.block = ret};
        int r;

        for (; folders[c.folder]; c.folder++) {
                r = collect_folder(&c, AT_FDCWD, folders[c.folder], folders[c.folder], false);
                if (r < 0)
                        return r;
        }
        put(&c, (UnitFileRecord){.kind = UNIT_FILE_END}, "", NULL);
        return ret->error;
}
