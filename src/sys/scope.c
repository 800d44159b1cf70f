/*
 * All processes of one job, as a folder. A scope holds no descriptor: there may be thousands, and a path
 * below the tree's costs nothing. The folder of a session, its slice, is the same kind of thing one step
 * higher: what is asked of it is asked of all scopes in it. Whatever a job makes below its own folder goes
 * with it.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "sys/cgroup-folder.h"
#include "sys/cgroup.h"
#include "sys/scope-internal.h"

#define SCOPES_OF_A_NAME_MAX 16U
#define SLICE_SUFFIX ".slice"

static bool component_is_valid(const char *s)
{
        /* Ids of jobs, and names of units. */
        size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-:@\\");

        return n > 0 && s[n] == '\0' && n <= SCOPE_NAME_MAX;
}

/* As scope_new_slice() calls them: a component, "~2" perhaps, and the suffix. */
static bool slice_is_valid(const char *s)
{
        size_t n = strlen(s), suffix = strlen(SLICE_SUFFIX);

        return n > suffix && streq(s + n - suffix, SLICE_SUFFIX) && !strchr(s, '/') && s[0] != '~';
}

/* A folder of its own, which counts from nothing: one that was left there goes first. -EBUSY: somebody lives
 * in that. */
static int folder_make(int dir_fd, const char *folder)
{
        int r;

        if (mkdirat(dir_fd, folder, 0755) >= 0)
                return 0;
        if (errno != EEXIST)
                return -errno;
        r = cgroup_folder_remove(dir_fd, folder);
        if (r < 0)
                return r;
        return mkdirat(dir_fd, folder, 0755) < 0 ? -errno : 0;
}

/* The slice hands on what controllers the tree has: without that its scopes have none. */
static void slice_enable(const CgroupTree *tree, const char *slice)
{
        (void) cgroup_folder_enable(tree->fd, slice, tree->controllers, NULL);
}

/* The slice is there, unless a job with the means to has removed it: then it is made again. */
static int scope_make(const CgroupTree *tree, const char *slice, const char *folder)
{
        int r;

        r = folder_make(tree->fd, folder);
        if (r != -ENOENT)
                return r;
        if (mkdirat(tree->fd, slice, 0755) < 0)
                return -errno;
        slice_enable(tree, slice);
        r = folder_make(tree->fd, folder);
        if (r < 0)
                (void) unlinkat(tree->fd, slice, AT_REMOVEDIR);
        return r;
}

/* slice NULL: it is itself one. What was there by that name may not be quite gone (the kernel lets go of a
 * cgroup after its last process was reaped): then this is the second, or the third. */
static int scope_make_named(Scope *s, const char *slice, const char *name, unsigned number)
{
        _cleanup_free_ char *folder = NULL;
        char suffix[16] = "";
        int r;

        if (number > 1)
                (void) snprintf(suffix, sizeof(suffix), "~%u", number);
        free(s->path);
        folder = slice ? str_printf("%s/%s%s.scope", slice, name, suffix)
                       : str_printf("%s%s" SLICE_SUFFIX, name, suffix);
        s->path = str_printf("%s/%s", streq(s->tree->path, "/") ? "" : s->tree->path, folder ?: "");
        if (!folder || !s->path)
                return -ENOMEM;
        r = slice ? scope_make(s->tree, slice, folder) : folder_make(s->tree->fd, folder);
        if (r < 0)
                return r;
        if (!slice)
                slice_enable(s->tree, folder);
        s->folder = TAKE_PTR(folder);
        return 0;
}

static int make(const CgroupTree *tree, const char *slice, const char *name, Scope **ret)
{
        _cleanup_(scope_freep) Scope *s = NULL;
        int r = -EBUSY;

        s = alloc_new(Scope);
        if (!s)
                return -ENOMEM;
        s->tree = tree;
        for (unsigned number = 1; tree->fd >= 0 && r == -EBUSY && number <= SCOPES_OF_A_NAME_MAX; number++)
                r = scope_make_named(s, slice, name, number);
        if (tree->fd >= 0 && r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

int scope_new_slice(const CgroupTree *tree, const char *session, Scope **ret)
{
        return component_is_valid(session) ? make(tree, NULL, session, ret) : -EINVAL;
}

int scope_new(const CgroupTree *tree, const char *slice, const char *name, Scope **ret)
{
        if ((tree->fd >= 0 && !slice_is_valid(slice)) || !component_is_valid(name))
                return -EINVAL;
        return make(tree, slice, name, ret);
}

const char *scope_folder(const Scope *s)
{
        return s->folder ?: "";
}

Scope *scope_free(Scope *s)
{
        if (!s)
                return NULL;
        if (!s->removed)
                (void) scope_remove(s);
        free(s->folder);
        free(s->path);
        free(s);
        return NULL;
}

int scope_open_fd(const Scope *s)
{
        int fd;

        if (scope_is_group(s))
                return -EBADF;
        fd = openat(s->tree->fd, s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int scope_id(const Scope *s, uint64_t *ret)
{
        struct stat st;

        if (scope_is_group(s))
                return -EOPNOTSUPP;
        if (fstatat(s->tree->fd, s->folder, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        *ret = st.st_ino;
        return 0;
}

void scope_set_leader(Scope *s, pid_t leader)
{
        s->leader = leader;
}

const char *scope_path(const Scope *s)
{
        return scope_is_group(s) ? "" : s->path;
}

bool scope_has_path(const Scope *s, const char *cgroup_path)
{
        const char *rest;

        if (scope_is_group(s))
                return false;
        rest = startswith(cgroup_path, s->path);
        return rest && (*rest == '\0' || *rest == '/');
}

int scope_is_populated(const Scope *s)
{
        uint64_t populated;
        int r;

        if (scope_is_group(s))
                return scope_group_is_populated(s);

        r = cgroup_folder_value(s->tree->fd, s->folder, "cgroup.events", "populated", &populated);
        if (r == -ENOENT || r == -ENODEV) /* removed */
                return 0;
        return r < 0 ? r : populated > 0;
}

int scope_is_frozen(const Scope *s)
{
        uint64_t frozen;
        int r;

        if (scope_is_group(s))
                return 0;
        r = cgroup_folder_value(s->tree->fd, s->folder, "cgroup.events", "frozen", &frozen);
        return r < 0 ? r : frozen > 0;
}

int scope_freeze(Scope *s, bool frozen)
{
        _cleanup_free_ char *file = NULL;

        if (scope_is_group(s))
                return -EOPNOTSUPP;
        file = str_printf("%s/cgroup.freeze", s->folder);
        if (!file)
                return -ENOMEM;
        return write_small_file(s->tree->fd, file, frozen ? "1" : "0");
}

int scope_pids(const Scope *s, pid_t **ret, size_t *ret_n)
{
        _cleanup_pid_list_ PidList l = {0};
        int r;

        if (scope_is_group(s))
                r = scope_group_pids(s, GROUP_ANY, &l);
        else
                r = cgroup_folder_ids(s->tree->fd, s->folder, "cgroup.procs", true, &l);
        if (r < 0)
                return r;
        *ret_n = l.n;
        *ret = TAKE_PTR(l.pids);
        return 0;
}

int scope_remove(Scope *s)
{
        int r;

        if (scope_is_group(s))
                return 0;
        r = cgroup_folder_remove(s->tree->fd, s->folder);
        if (r >= 0)
                s->removed = true;
        return r;
}
