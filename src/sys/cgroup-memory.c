/*
 * How much memory there is for us: the least that any cgroup from ours up to the last visible one allows, or
 * else the machine's. The folder is looked for anew where there is no tree: the limits of a container whose
 * cgroups are mounted read-only, which is docker's default, are there to be read.
 */

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/parse.h"
#include "basic/strv.h"
#include "sys/cgroup-mount.h"
#include "sys/cgroup.h"

#define DEPTH_MAX 64

static unsigned path_depth(const char *path)
{
        unsigned n = 0;

        for (const char *c = path; *c; c++)
                n += c[0] == '/' && c[1] != '\0';
        return n;
}

static bool fd_is_cgroup2(int fd)
{
        struct statfs sf;

        return fstatfs(fd, &sf) >= 0 && sf.f_type == CGROUP2_SUPER_MAGIC;
}

/* The folder of our cgroup, and how many levels lie above it. */
static int folder_open(const CgroupTree *t, unsigned *ret_depth)
{
        _cleanup_strv_ char **folders = NULL;
        _cleanup_free_ char *own = NULL;
        int fd, r;

        if (t->fd >= 0) {
                fd = openat(t->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                *ret_depth = path_depth(t->path);
                return fd < 0 ? -errno : fd;
        }

        r = cgroup_of_pid(0, &own);
        if (r >= 0)
                r = cgroup_mount_find(own, &folders);
        if (r < 0)
                return r;
        STRV_FOREACH (folder, folders) {
                fd = open(*folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (fd >= 0 && fd_is_cgroup2(fd)) {
                        *ret_depth = path_depth(own);
                        return fd;
                }
                fd_close(fd);
        }
        return -ENOENT;
}

static uint64_t machine_memory(void)
{
        struct sysinfo si;

        if (sysinfo(&si) < 0)
                return UINT64_MAX;
        return (uint64_t) si.totalram * si.mem_unit;
}

uint64_t cgroup_memory_limit(const CgroupTree *t)
{
        _cleanup_close_ int fd = -EBADF;
        uint64_t limit = machine_memory();
        unsigned depth = 0;

        fd = folder_open(t, &depth);
        for (unsigned level = 0; fd >= 0 && level <= MIN(depth, DEPTH_MAX); level++) {
                _cleanup_free_ char *text = NULL;
                uint64_t n;
                int parent;

                /* Not there in the root, nor without the controller; "max" is no number. */
                if (read_small_file(fd, "memory.max", 64, &text) >= 0 && parse_u64(text, &n) >= 0)
                        limit = MIN(limit, n);
                parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                fd_close(fd);
                fd = parent;
                if (fd >= 0 && !fd_is_cgroup2(fd)) /* above the mount */
                        break;
        }
        return limit;
}
