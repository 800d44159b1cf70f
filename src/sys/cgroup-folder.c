/*
 * Subtrees of cgroups. A job may make cgroups below its scope (a container engine in a sandbox does), as
 * deep and as many as it likes, so nothing here recurses: PID 1's stack and descriptors are not the job's to
 * spend. Listing keeps a heap of paths; removing walks up and down with one descriptor, and so reaches
 * deeper than a path can be long.
 */

#include "sys/cgroup-folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/parse.h"
#include "basic/strv.h"
#include "sys/cgroup.h"

/* cgroup.procs of a folder: seven digits and a newline for each of 4 194 304 processes. */
#define IDS_FILE_MAX (UINT64_C(8) * 4194304)
#define STAT_FILE_MAX UINT64_C(65536)
#define REMOVE_STEPS_MAX 1000000

static int parse_ids(PidList *l, char *text)
{
        char *save = NULL;
        int r;

        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                uint64_t id;

                if (parse_u64(line, &id) < 0 || id == 0 || id > INT32_MAX)
                        continue;
                r = pid_list_add(l, (pid_t) id);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Gone, or gone while it was read; or a threaded cgroup, whose processes are listed at its domain; or deeper
 * than a path can say: cgroup.kill still reaches that. */
static bool folder_error_is_none(int r)
{
        return r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP || r == -ENAMETOOLONG;
}

static int folder_read_ids(int dir_fd, const char *path, const char *file, PidList *l)
{
        _cleanup_free_ char *name = NULL, *text = NULL;
        int r;

        name = str_printf("%s/%s", path, file);
        if (!name)
                return -ENOMEM;
        r = read_small_file(dir_fd, name, IDS_FILE_MAX, &text);
        if (r < 0)
                return folder_error_is_none(r) ? 0 : r;
        return parse_ids(l, text);
}

static bool entry_is_folder(const struct dirent *de)
{
        return de->d_type == DT_DIR && !streq(de->d_name, ".") && !streq(de->d_name, "..");
}

/* Appends the cgroups right below path to *paths. */
static int folder_add_children(int dir_fd, const char *path, char ***paths)
{
        struct dirent *de;
        struct stat st;
        DIR *dir;
        int fd, r = 0;

        /* kernfs counts: two links and one a folder. Nearly all scopes have none below them. */
        if (fstatat(dir_fd, path, &st, 0) < 0 || st.st_nlink <= 2)
                return 0;
        fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) /* gone, or deeper than a path can say */
                return errno == ENOENT || errno == ENODEV || errno == ENAMETOOLONG ? 0 : -errno;
        dir = fdopendir(fd);
        if (!dir) {
                fd_close(fd);
                return -ENOMEM;
        }

        while (r >= 0 && (de = readdir(dir)))
                if (entry_is_folder(de))
                        r = strv_consume(paths, str_printf("%s/%s", path, de->d_name));
        (void) closedir(dir);
        return r < 0 ? r : 0;
}

int cgroup_folder_ids(int dir_fd, const char *path, const char *file, bool below, PidList *l)
{
        _cleanup_strv_ char **paths = NULL;
        int r;

        r = strv_append(&paths, path);
        for (size_t i = 0; r >= 0 && paths[i]; i++) {
                r = folder_read_ids(dir_fd, paths[i], file, l);
                if (r >= 0 && below)
                        r = folder_add_children(dir_fd, paths[i], &paths);
        }
        return r < 0 ? r : 0;
}

/* Removes the cgroups right below the open folder. 1: one would not go, its name is in buf; 0: there is none
 * left. *ret_removed: whether any went. */
static int folder_remove_leaves(int fd, char *buf, size_t size, bool *ret_removed)
{
        struct dirent *de;
        int copy, r = 0;
        DIR *dir;

        *ret_removed = false;
        copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (copy < 0)
                return -errno;
        dir = fdopendir(copy);
        if (!dir) {
                fd_close(copy);
                return -ENOMEM;
        }
        while (r == 0 && (de = readdir(dir))) {
                if (!entry_is_folder(de))
                        continue;
                if (unlinkat(fd, de->d_name, AT_REMOVEDIR) >= 0) {
                        *ret_removed = true;
                } else if (errno == EBUSY || errno == ENOTEMPTY) {
                        (void) snprintf(buf, size, "%s", de->d_name);
                        r = 1;
                } else if (errno != ENOENT) {
                        r = -errno;
                }
        }
        (void) closedir(dir);
        return r;
}

/* Down where a folder will not go, up again when nothing is left below it. One that will not go although
 * nothing is below it holds a process, or the kernel is not done with it. */
static int folder_remove_below(int top_fd)
{
        _cleanup_close_ int fd = -EBADF;
        unsigned depth = 0;
        char name[256];
        bool removed;
        int next, r;

        fd = openat(top_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        /* The bound is for somebody who makes folders as fast as they are removed. */
        for (unsigned steps = 0; steps < REMOVE_STEPS_MAX; steps++) {
                r = folder_remove_leaves(fd, name, sizeof(name), &removed);
                if (r < 0)
                        return r;
                if (r == 0 && depth == 0)
                        return 0;
                if (r == 0 && !removed)
                        return -EBUSY;
                next = openat(fd, r > 0 ? name : "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (next < 0)
                        return errno == ENOENT ? -EBUSY : -errno;
                fd_close(fd);
                fd = next;
                depth += r > 0 ? 1U : -1U;
        }
        return -EBUSY;
}

int cgroup_folder_remove(int dir_fd, const char *path)
{
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (unlinkat(dir_fd, path, AT_REMOVEDIR) >= 0 || errno == ENOENT)
                return 0;
        if (errno != EBUSY && errno != ENOTEMPTY)
                return -errno;

        fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        r = folder_remove_below(fd);
        if (r < 0)
                return r;
        if (unlinkat(dir_fd, path, AT_REMOVEDIR) >= 0 || errno == ENOENT)
                return 0;
        return -errno;
}

int cgroup_text_value(const char *text, const char *key, uint64_t *ret)
{
        size_t n = strlen(key);

        for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                char digits[24] = "";

                if (strncmp(line, key, n) != 0 || line[n] != ' ')
                        continue;
                if (sscanf(line + n + 1, "%23[0-9]", digits) != 1)
                        return -EBADMSG;
                return parse_u64(digits, ret);
        }
        return -ENODATA;
}

int cgroup_folder_value(int dir_fd, const char *path, const char *file, const char *key, uint64_t *ret)
{
        _cleanup_free_ char *name = NULL, *text = NULL;
        int r;

        name = str_printf("%s/%s", path, file);
        if (!name)
                return -ENOMEM;
        r = read_small_file(dir_fd, name, STAT_FILE_MAX, &text);
        if (r < 0)
                return r;
        return cgroup_text_value(text, key, ret);
}

/* One write is one change of the tree, however many controllers it is about. */
static bool enable_all(int dir_fd, const char *file, unsigned controllers)
{
        char words[128] = "";
        size_t n = 0;

        for (int c = 0; c < _CGROUP_CONTROLLER_MAX; c++)
                if (controllers & (1U << c))
                        n += (size_t) snprintf(words + n, sizeof(words) - n, "+%s ",
                                               cgroup_controller_to_string((CgroupController) c));
        return n > 0 && write_small_file(dir_fd, file, words) >= 0;
}

unsigned cgroup_folder_enable(int dir_fd, const char *path, unsigned controllers, bool *ret_busy)
{
        unsigned enabled = 0;
        char file[512], word[32];

        if (ret_busy)
                *ret_busy = false;
        if (snprintf(file, sizeof(file), "%s/cgroup.subtree_control", path) >= (int) sizeof(file))
                return 0;

        if (enable_all(dir_fd, file, controllers))
                return controllers;
        /* One by one then: a list is refused whole for one that is not to be had. */
        for (int c = 0; c < _CGROUP_CONTROLLER_MAX; c++) {
                int r;

                if (!(controllers & (1U << c)))
                        continue;
                (void) snprintf(word, sizeof(word), "+%s",
                                cgroup_controller_to_string((CgroupController) c));
                r = write_small_file(dir_fd, file, word);
                if (r >= 0)
                        enabled |= 1U << c;
                else if (r == -EBUSY && ret_busy)
                        *ret_busy = true;
        }
        return enabled;
}
