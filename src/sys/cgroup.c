/*
 * The top of reeve's own tree. cgroup v2 allows no processes in a folder that hands controllers down, so
 * whatever is in the cgroup that we find ourselves in goes to init.scope first; jobs come beside that. As
 * PID 1 of a container this is every process of our PID namespace (those that entered from outside read as
 * 0, and cannot be named); anywhere else the others in our cgroup are none of our business, and reeve goes
 * alone into a cgroup of its own.
 *
 * Whether the tree can be written is found out by writing it: a mount option, a mode and a seccomp filter
 * each tell a part of the truth. That there is none is an ordinary outcome (docker's default), with a
 * sentence that says why.
 */

#include "sys/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/fd.h"
#include "basic/parse.h"
#include "basic/strv.h"
#include "sys/cgroup-folder.h"
#include "sys/cgroup-mount.h"

#define INIT_SCOPE "init.scope"
#define MOVE_ROUNDS 8
#define ENABLE_ROUNDS 4

/* clang-format off */
static const char *const controller_names[_CGROUP_CONTROLLER_MAX] = {
#define X(id, name) [CGROUP_##id] = name,
                CGROUP_CONTROLLERS(X)
#undef X
};
/* clang-format on */

const char *cgroup_controller_to_string(CgroupController c)
{
        return c >= 0 && c < _CGROUP_CONTROLLER_MAX ? controller_names[c] : NULL;
}

int cgroup_of_pid(pid_t pid, char **ret)
{
        _cleanup_free_ char *text = NULL;
        char file[32] = "/proc/self/cgroup", *save = NULL, *path;
        int r;

        if (pid > 0)
                (void) snprintf(file, sizeof(file), "/proc/%d/cgroup", (int) pid);
        r = read_small_file(AT_FDCWD, file, 65536, &text);
        if (r < 0)
                return pid > 0 && r == -ENOENT ? -ESRCH : r;

        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                static const char deleted[] = " (deleted)";
                const char *found = startswith(line, "0::");
                size_t n;

                if (!found)
                        continue;
                /* The kernel says so of a zombie whose folder was removed. */
                n = strlen(found);
                if (n > strlen(deleted) && streq(found + n - strlen(deleted), deleted))
                        n -= strlen(deleted);
                path = str_copy_n(found, n);
                if (!path)
                        return -ENOMEM;
                *ret = path;
                return 0;
        }
        return -ENODATA;
}

/* Notes the first reason why there is no tree. 0 or -ENOMEM. */
static int tree_refuse(CgroupTree *t, int error, const char *what, const char *folder)
{
        if (t->refusal)
                return 0;
        t->refusal = error < 0 ? str_printf("%s %s: %s", what, folder, errno_text(error))
                               : str_printf("%s %s", what, folder);
        return t->refusal ? 0 : -ENOMEM;
}

static unsigned available_controllers(int dir_fd)
{
        _cleanup_free_ char *text = NULL;
        unsigned available = 0;
        char *save = NULL;

        if (read_small_file(dir_fd, "cgroup.controllers", 4096, &text) < 0)
                return 0;
        for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
                for (int c = 0; c < _CGROUP_CONTROLLER_MAX; c++)
                        if (streq(word, controller_names[c]))
                                available |= 1U << c;
        return available;
}

/* Everybody of our PID namespace goes to init.scope; again for what was forked meanwhile. One that ends, and
 * a kernel thread (in the root cgroup of a machine), does not go, and that is no failure. */
static void move_all_to_init_scope(int fd)
{
        for (int round = 0; round < MOVE_ROUNDS; round++) {
                _cleanup_pid_list_ PidList l = {0};
                size_t moved = 0;

                if (cgroup_folder_ids(fd, ".", "cgroup.procs", false, &l) < 0)
                        return;
                for (size_t i = 0; i < l.n; i++) {
                        char number[16];

                        (void) snprintf(number, sizeof(number), "%d", (int) l.pids[i]);
                        if (write_small_file(fd, INIT_SCOPE "/cgroup.procs", number) >= 0)
                                moved++;
                }
                if (moved == 0)
                        return;
        }
}

static unsigned enable_controllers(int fd, bool is_pid1)
{
        unsigned available = available_controllers(fd), enabled = 0;
        bool busy = true;

        for (int round = 0; busy && round < ENABLE_ROUNDS; round++) {
                if (round > 0 && is_pid1)
                        move_all_to_init_scope(fd);
                enabled |= cgroup_folder_enable(fd, ".", available & ~enabled, &busy);
        }
        return enabled;
}

/* systemd marks a folder that it leaves to its service (Delegate=yes). */
static bool folder_is_delegated(int fd)
{
        char value[2];

        return (fgetxattr(fd, "user.delegate", value, sizeof(value)) == 1 && value[0] == '1') ||
               (fgetxattr(fd, "trusted.delegate", value, sizeof(value)) == 1 && value[0] == '1');
}

/* Moves reeve to init.scope below fd. 1, or 0 and the refusal, or -ENOMEM. */
static int enter_init_scope(CgroupTree *t, int fd, const char *folder)
{
        bool made;
        int r;

        made = mkdirat(fd, INIT_SCOPE, 0755) >= 0;
        if (!made && errno != EEXIST)
                return tree_refuse(t, -errno, "making " INIT_SCOPE " in", folder);
        r = write_small_file(fd, INIT_SCOPE "/cgroup.procs", "0");
        if (r >= 0)
                return 1;
        if (made)
                (void) unlinkat(fd, INIT_SCOPE, AT_REMOVEDIR);
        return tree_refuse(t, r, "moving to " INIT_SCOPE " in", folder);
}

/* A machine's own root may hold processes beside its folders; and most of them are the kernel's threads, of
 * which each move would cost an RCU grace period. It is the one folder without a type. */
static bool is_root(int fd)
{
        return faccessat(fd, "cgroup.type", F_OK, 0) < 0 && errno == ENOENT;
}

/* Below the cgroup that we are in, as its owner. */
static int tree_take(CgroupTree *t, int fd, const char *folder)
{
        int r;

        r = enter_init_scope(t, fd, folder);
        if (r <= 0)
                return r;
        if (!is_root(fd))
                move_all_to_init_scope(fd);
        t->controllers = enable_controllers(fd, true);
        return 1;
}

/* A cgroup for us alone, below the one that we are in. */
static int tree_make(CgroupTree *t, int *fd, const char *folder)
{
        _cleanup_close_ int top = -EBADF;
        _cleanup_free_ char *path = NULL;
        char name[32];
        int r;

        (void) snprintf(name, sizeof(name), "reeve-%d", (int) getpid());
        path = str_printf("%s/%s", streq(t->path, "/") ? "" : t->path, name);
        if (!path)
                return -ENOMEM;
        (void) cgroup_folder_remove(*fd, name); /* of another who had our number */
        if (mkdirat(*fd, name, 0755) < 0)
                return tree_refuse(t, -errno, "making a cgroup in", folder);
        top = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (top < 0)
                r = tree_refuse(t, -errno, "opening the cgroup made in", folder);
        else
                r = enter_init_scope(t, top, folder);
        if (r <= 0) {
                (void) unlinkat(*fd, name, AT_REMOVEDIR);
                return r;
        }

        free(t->path);
        t->path = TAKE_PTR(path);
        t->temporary = true;
        if (folder_is_delegated(*fd))
                (void) cgroup_folder_enable(*fd, ".", available_controllers(*fd), NULL);
        t->controllers = enable_controllers(top, false);
        fd_close(*fd);
        *fd = TAKE_FD(top);
        return 1;
}

/* 1: there is a tree now; 0: not here, and the refusal says why; -ENOMEM. */
static int tree_try(CgroupTree *t, const char *folder, const char *path, bool is_pid1)
{
        _cleanup_close_ int fd = -EBADF;
        struct statfs sf;
        int r;

        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return tree_refuse(t, -errno, "opening", folder);
        if (fstatfs(fd, &sf) < 0)
                return tree_refuse(t, -errno, "looking at", folder);
        if (sf.f_type != CGROUP2_SUPER_MAGIC)
                return tree_refuse(t, 0, "another file system hides the cgroups at", folder);

        t->path = str_copy(path);
        if (!t->path)
                return -ENOMEM;
        r = is_pid1 ? tree_take(t, fd, folder) : tree_make(t, &fd, folder);
        if (r <= 0) {
                free(TAKE_PTR(t->path));
                return r;
        }
        t->fd = TAKE_FD(fd);
        free(TAKE_PTR(t->refusal));
        return 1;
}

/* What is in init.scope already was put there by a reeve before us: the tree is around it. */
static int tree_home(const char *own, bool is_pid1, char **ret, char ***ret_folders)
{
        size_t n = strlen(own), suffix = strlen("/" INIT_SCOPE);
        char *home;
        int r;

        if (is_pid1 && n >= suffix && streq(own + n - suffix, "/" INIT_SCOPE)) {
                home = n == suffix ? str_copy("/") : str_copy_n(own, n - suffix);
                if (!home)
                        return -ENOMEM;
                r = cgroup_mount_find(home, ret_folders);
                if (r >= 0 && *ret_folders && **ret_folders) {
                        *ret = home;
                        return 0;
                }
                free(home);
                if (r < 0)
                        return r;
                *ret_folders = strv_free(*ret_folders);
        }

        home = str_copy(own);
        if (!home)
                return -ENOMEM;
        r = cgroup_mount_find(home, ret_folders);
        if (r < 0) {
                free(home);
                return r;
        }
        *ret = home;
        return 0;
}

static int tree_open(CgroupTree *t, bool is_pid1)
{
        _cleanup_free_ char *own = NULL, *home = NULL;
        _cleanup_strv_ char **folders = NULL;
        int r;

        r = cgroup_of_pid(0, &own);
        if (r == -ENOMEM)
                return r;
        if (r == -ENODATA)
                return tree_refuse(t, 0, "no cgroup2 hierarchy in", "/proc/self/cgroup");
        if (r < 0)
                return tree_refuse(t, r, "reading", "/proc/self/cgroup");

        r = tree_home(own, is_pid1, &home, &folders);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return tree_refuse(t, r, "reading", "/proc/self/mountinfo");
        STRV_FOREACH (folder, folders) {
                r = tree_try(t, *folder, home, is_pid1);
                if (r != 0)
                        return r;
        }
        return tree_refuse(t, 0, "no cgroup2 file system is mounted that shows our cgroup", own);
}

int cgroup_tree_open(CgroupTree *ret, bool is_pid1)
{
        CgroupTree t = {.fd = -EBADF};
        int r;

        r = tree_open(&t, is_pid1);
        if (r < 0) {
                cgroup_tree_close(&t);
                return r;
        }
        *ret = t;
        return 0;
}

/* Back to where we came from, or the folder could not be removed. What a systemd delegated to us was handed
 * down by us: nobody may be in a folder that does so. */
static void tree_leave(const CgroupTree *t)
{
        _cleanup_close_ int parent = -EBADF;
        const char *name = strrchr(t->path, '/') + 1;

        parent = openat(t->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent < 0)
                return;
        if (write_small_file(parent, "cgroup.procs", "0") == -EBUSY && folder_is_delegated(parent)) {
                for (int c = 0; c < _CGROUP_CONTROLLER_MAX; c++) {
                        char word[32];

                        (void) snprintf(word, sizeof(word), "-%s", controller_names[c]);
                        (void) write_small_file(t->fd, "cgroup.subtree_control", word);
                        (void) write_small_file(parent, "cgroup.subtree_control", word);
                }
                (void) write_small_file(parent, "cgroup.procs", "0");
        }
        (void) cgroup_folder_remove(parent, name);
}

void cgroup_tree_close(CgroupTree *t)
{
        if (t->fd >= 0 && t->temporary)
                tree_leave(t);
        fd_close(t->fd);
        free(t->path);
        free(t->refusal);
        *t = (CgroupTree){.fd = -EBADF};
}

bool cgroup_tree_holds_job(const CgroupTree *t, const char *path)
{
        const char *below;
        size_t n;

        if (t->fd < 0)
                return false;
        below = startswith(path, streq(t->path, "/") ? "" : t->path);
        if (!below || *below != '/')
                return false;
        n = strcspn(below + 1, "/");
        return n > strlen(".slice") &&
               strncmp(below + 1 + n - strlen(".slice"), ".slice", strlen(".slice")) == 0;
}
