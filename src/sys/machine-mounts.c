/*
 * What programs take for granted of a machine, with the flags and modes that systemd gives it. A folder that
 * is a mount already, of the kernel (CONFIG_DEVTMPFS_MOUNT) or of an initramfs, stays as it is.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "sys/machine.h"

/* devpts: terminals are written to by their group, which is tty everywhere (5). */
typedef struct ApiMount {
        const char *type, *path, *options,
                        *simple_options; /* simple: for a kernel that refuses the others */
        unsigned long flags;
} ApiMount;

#define NO_FILES (MS_NOSUID | MS_NOEXEC | MS_NODEV)
#define FILES (MS_NOSUID | MS_NODEV | MS_STRICTATIME)
#define DEVICES (MS_NOSUID | MS_STRICTATIME)
#define TERMINALS (MS_NOSUID | MS_NOEXEC)

/* In the order in which they can be made. */
/* clang-format off */
static const ApiMount mounts[] = {
        {"proc",     "/proc",    NULL, NULL, NO_FILES},
        {"sysfs",    "/sys",     NULL, NULL, NO_FILES},
        {"devtmpfs", "/dev",     "mode=0755", NULL, DEVICES},
        {"devpts",   "/dev/pts", "mode=0620,gid=5,ptmxmode=0666", "mode=0620,gid=5", TERMINALS},
        {"tmpfs",    "/dev/shm", "mode=01777", NULL, FILES},
        {"tmpfs",    "/run",     "mode=0755,size=20%", "mode=0755", FILES},
        {"tmpfs",    "/tmp",     "mode=01777,size=50%", "mode=01777", FILES},
        {"cgroup2",  "/sys/fs/cgroup", "nsdelegate,memory_recursiveprot", "nsdelegate", NO_FILES},
};
/* clang-format on */
static_assert(ELEMENTSOF(mounts) <= MACHINE_MOUNTS_MAX, "all have a result");

/* Names that devtmpfs has not, and that shells and programs open. */
static const struct {
        const char *path, *target;
} links[] = {
                {"/dev/fd", "/proc/self/fd"},
                {"/dev/stdin", "/proc/self/fd/0"},
                {"/dev/stdout", "/proc/self/fd/1"},
                {"/dev/stderr", "/proc/self/fd/2"},
};

/* The kernel says so from 5.8 on; before, by the device, which is another one for all that is in the table.
 */
static bool is_mount(const char *path)
{
        _cleanup_free_ char *parent = str_printf("%s/..", path);
        struct stat own, above;
        struct statx st;

        if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &st) >= 0 &&
            st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
                return st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
        return parent && stat(path, &own) >= 0 && stat(parent, &above) >= 0 && own.st_dev != above.st_dev;
}

static int mount_one(const ApiMount *m)
{
        if (is_mount(m->path))
                return 0;
        (void) mkdir(m->path, 0755);
        if (mount(m->type, m->path, m->type, m->flags, m->options) >= 0)
                return 0;
        if (errno == EINVAL && m->options &&
            (mount(m->type, m->path, m->type, m->flags, m->simple_options) >= 0 ||
             mount(m->type, m->path, m->type, m->flags, NULL) >= 0))
                return 0;
        return -errno;
}

void machine_mount(MachineMounts *ret)
{
        mode_t before = umask(022);

        *ret = (MachineMounts){0};
        for (size_t i = 0; i < ELEMENTSOF(mounts); i++)
                ret->error[i] = mount_one(&mounts[i]);
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                (void) symlink(links[i].target, links[i].path);
        (void) umask(before);
}

void machine_mount_tell(const MachineMounts *m, MachineSay say)
{
        char what[64];

        for (size_t i = 0; i < ELEMENTSOF(mounts); i++) {
                if (m->error[i] >= 0)
                        continue;
                (void) snprintf(what, sizeof(what), "mounting %s on %s", mounts[i].type, mounts[i].path);
                say(what, m->error[i]);
        }
}
