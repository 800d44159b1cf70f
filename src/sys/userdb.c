/*
 * Users and groups, read from the two files. The C library's own getpwnam(3) would load NSS modules into PID
 * 1, which may talk to a directory server and wait for it. Only regular files are read, so that opening one
 * cannot block either. Entries of the old "+" kind, which mean other sources, name nobody.
 */

#include "sys/userdb.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/parse.h"

#define LINE_FIRST 1024U
#define LINE_MAX_BYTES (1024U * 1024)

typedef struct Database {
        FILE *file; /* NULL: there is no such file, which names nobody */
        char *buf;
        size_t size;
} Database;

static void database_done(Database *d)
{
        if (d->file)
                (void) fclose(d->file);
        free(d->buf);
        *d = (Database){0};
}

static int database_open(Database *d, const char *root, const char *file)
{
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *path = NULL;
        struct stat st;

        path = str_printf("%s/%s", root, file);
        if (!path)
                return -ENOMEM;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADF;

        d->size = LINE_FIRST;
        d->buf = alloc_array(char, d->size);
        if (!d->buf)
                return -ENOMEM;
        d->file = fdopen(fd, "re");
        if (!d->file)
                return -ENOMEM;
        (void) TAKE_FD(fd);
        return 0;
}

/* The entry did not fit: a larger buffer, and the same line again, to which the C library went back. */
static int database_grow(Database *d)
{
        char *buf;

        if (d->size >= LINE_MAX_BYTES)
                return -EFBIG;
        buf = alloc_resize(d->buf, d->size * 4, 1);
        if (!buf)
                return -ENOMEM;
        d->buf = buf;
        d->size *= 4;
        return 0;
}

/* 1: an entry; 0: no more. It lives until the next call. */
static int next_user(Database *d, struct passwd *pw)
{
        struct passwd *found;
        int r = 0;

        while (d->file && r >= 0) {
                r = -fgetpwent_r(d->file, pw, d->buf, d->size, &found);
                if (r == -ERANGE)
                        r = database_grow(d);
                else if (r == 0 && pw->pw_name[0] != '+' && pw->pw_name[0] != '-')
                        return 1;
        }
        return r == -ENOENT ? 0 : r;
}

static int next_group(Database *d, struct group *gr)
{
        struct group *found;
        int r = 0;

        while (d->file && r >= 0) {
                r = -fgetgrent_r(d->file, gr, d->buf, d->size, &found);
                if (r == -ERANGE)
                        r = database_grow(d);
                else if (r == 0 && gr->gr_name[0] != '+' && gr->gr_name[0] != '-')
                        return 1;
        }
        return r == -ENOENT ? 0 : r;
}

/* 1: name is a number, *ret; 0: a name. -EINVAL: a number that means "none" somewhere: -1 in 32 bits and in
 * 16. */
static int parse_id(const char *name, uint32_t *ret)
{
        uint64_t n;

        if (!*name || name[strspn(name, "0123456789")])
                return 0;
        if (parse_u64(name, &n) < 0 || n >= UINT32_MAX || n == UINT16_MAX)
                return -EINVAL;
        *ret = (uint32_t) n;
        return 1;
}

void user_record_done(UserRecord *u)
{
        free(u->name);
        free(u->home);
        free(u->shell);
        *u = (UserRecord){0};
}

static int record_copy(const struct passwd *pw, UserRecord *ret)
{
        UserRecord u = {.uid = pw->pw_uid, .gid = pw->pw_gid};

        u.name = str_copy(pw->pw_name);
        u.home = str_copy(pw->pw_dir);
        u.shell = str_copy(pw->pw_shell);
        if (!u.name || !u.home || !u.shell) {
                user_record_done(&u);
                return -ENOMEM;
        }
        *ret = u;
        return 0;
}

int userdb_user(const char *root, const char *name, UserRecord *ret)
{
        _cleanup_(database_done) Database d = {0};
        struct passwd pw;
        uint32_t uid = 0;
        int r, number;

        number = parse_id(name, &uid);
        if (number < 0)
                return number;
        r = database_open(&d, root, "etc/passwd");
        if (r < 0)
                return r;

        while ((r = next_user(&d, &pw)) > 0) {
                if (number ? pw.pw_uid != uid : !streq(pw.pw_name, name))
                        continue;
                if (pw.pw_uid == UINT32_MAX || pw.pw_uid == UINT16_MAX)
                        return -EINVAL;
                return record_copy(&pw, ret);
        }
        if (r < 0)
                return r;
        if (!number)
                return -ESRCH;
        *ret = (UserRecord){.uid = uid, .gid = uid};
        return 0;
}

int userdb_group(const char *root, const char *name, gid_t *ret)
{
        _cleanup_(database_done) Database d = {0};
        struct group gr;
        uint32_t gid;
        int r;

        r = parse_id(name, &gid);
        if (r > 0)
                *ret = gid;
        if (r != 0)
                return r < 0 ? r : 0;
        r = database_open(&d, root, "etc/group");
        if (r < 0)
                return r;

        while ((r = next_group(&d, &gr)) > 0)
                if (streq(gr.gr_name, name)) {
                        *ret = gr.gr_gid;
                        return 0;
                }
        return r < 0 ? r : -ESRCH;
}

static int groups_add(gid_t **groups, size_t *n, gid_t gid)
{
        gid_t *more;

        for (size_t i = 0; i < *n; i++)
                if ((*groups)[i] == gid)
                        return 0;
        if (*n >= NGROUPS_MAX)
                return -E2BIG;
        more = alloc_resize(*groups, *n + 1, sizeof(gid_t));
        if (!more)
                return -ENOMEM;
        more[(*n)++] = gid;
        *groups = more;
        return 0;
}

int userdb_groups(const char *root, const char *name, gid_t gid, gid_t **ret, size_t *ret_n)
{
        _cleanup_(database_done) Database d = {0};
        _cleanup_free_ gid_t *groups = NULL;
        struct group gr;
        size_t n = 0;
        int r;

        r = groups_add(&groups, &n, gid);
        if (r >= 0)
                r = database_open(&d, root, "etc/group");
        if (r < 0)
                return r;

        while ((r = next_group(&d, &gr)) > 0)
                for (char **member = gr.gr_mem; *member; member++)
                        if (streq(*member, name)) {
                                r = groups_add(&groups, &n, gr.gr_gid);
                                if (r < 0)
                                        return r;
                                break;
                        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(groups);
        *ret_n = n;
        return 0;
}
