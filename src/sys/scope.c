/*
 * All processes of one job, as a folder. A scope holds no descriptor: there may be thousands, and a path
 * below the tree's costs nothing. The folder of the session comes and goes with its first and last scope;
 * whatever a job makes below its own goes with it.
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

static bool component_is_valid(const char *s)
{
        size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

        return n > 0 && s[n] == '\0' && n <= 200;
}

/* The slice hands on what controllers the tree has: without that its scopes have none. */
static int slice_make(const CgroupTree *tree, const char *slice)
{
        if (mkdirat(tree->fd, slice, 0755) < 0)
                return errno == EEXIST ? 0 : -errno;
        (void) cgroup_folder_enable(tree->fd, slice, tree->controllers, NULL);
        return 0;
}

/* The slice is there more often than not: it is made when it turns out to be missing. */
static int scope_make(const CgroupTree *tree, const char *slice, const char *folder)
{
        int r;

        if (mkdirat(tree->fd, folder, 0755) >= 0)
                return 0;
        r = -errno;
        if (r == -ENOENT) {
                r = slice_make(tree, slice);
                if (r < 0)
                        return r;
                if (mkdirat(tree->fd, folder, 0755) >= 0)
                        return 0;
                r = -errno;
        }
        if (r == -EEXIST) {
                /* Made anew, so that it counts from nothing. */
                r = cgroup_folder_remove(tree->fd, folder);
                if (r >= 0 && mkdirat(tree->fd, folder, 0755) >= 0)
                        return 0;
                if (r >= 0)
                        r = -errno;
        }
        (void) unlinkat(tree->fd, slice, AT_REMOVEDIR);
        return r;
}

/* What was there by that name may not be quite gone (the kernel lets go of a cgroup after its last process
 * was reaped): then this is the second, or the third. */
static int scope_make_named(Scope *s, const char *slice, const char *name, unsigned number)
{
        _cleanup_free_ char *folder = NULL;
        char suffix[16] = "";
        int r;

        if (number > 1)
                (void) snprintf(suffix, sizeof(suffix), "~%u", number);
        free(s->path);
        folder = str_printf("%s/%s%s.scope", slice, name, suffix);
        s->path = str_printf("%s/%s", streq(s->tree->path, "/") ? "" : s->tree->path, folder ?: "");
        if (!folder || !s->path)
                return -ENOMEM;
        r = scope_make(s->tree, slice, folder);
        if (r >= 0)
                s->folder = TAKE_PTR(folder);
        return r;
}

int scope_new(const CgroupTree *tree, const char *session, const char *name, Scope **ret)
{
        _cleanup_free_ char *slice = NULL;
        _cleanup_(scope_freep) Scope *s = NULL;
        int r = -EBUSY;

        if (!component_is_valid(session) || !component_is_valid(name))
                return -EINVAL;
        s = alloc_new(Scope);
        if (!s)
                return -ENOMEM;
        s->tree = tree;

        if (tree->fd < 0) {
                *ret = TAKE_PTR(s);
                return 0;
        }

        slice = str_printf("%s.slice", session);
        if (!slice)
                return -ENOMEM;
        for (unsigned number = 1; r == -EBUSY && number <= SCOPES_OF_A_NAME_MAX; number++)
                r = scope_make_named(s, slice, name, number);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
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
        _cleanup_free_ char *slice = NULL;
        int r;

        if (scope_is_group(s))
                return 0;
        r = cgroup_folder_remove(s->tree->fd, s->folder);
        if (r < 0)
                return r;
        s->removed = true;

        slice = str_copy_n(s->folder, strcspn(s->folder, "/"));
        if (!slice)
                return -ENOMEM;
        if (streq_ptr(slice, s->tree->kept_slice))
                return 0;
        (void) unlinkat(s->tree->fd, slice, AT_REMOVEDIR); /* unless there are others */
        return 0;
}
