/*
 * Finds the folder of a cgroup. The place is never known beforehand: a hybrid host has cgroup2 at
 * /sys/fs/cgroup/unified; a container without a cgroup namespace has a bind mount of its own cgroup, whose
 * root is then part of the path; somebody may have mounted it once more, writable. So the mount table is
 * read, and whoever asks tries what is found, last mount first.
 */

#include "sys/cgroup-mount.h"

#include <fcntl.h>
#include <stdio.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/strv.h"
#include "sys/mount-list.h"

#define MOUNTINFO_MAX (16U * 1024 * 1024)

/* "/..", "/../a": outside of our cgroup namespace, of which no path of ours can tell. */
static bool path_is_outside(const char *path)
{
        const char *rest = startswith(path, "/..");

        return rest && (*rest == '\0' || *rest == '/');
}

/* What of path lies below root: "" or "/a/b"; NULL when root does not cover it. */
static const char *path_below(const char *root, const char *path)
{
        const char *rest;

        if (path_is_outside(root) || path_is_outside(path))
                return NULL;
        if (streq(root, "/"))
                return streq(path, "/") ? "" : path;
        rest = startswith(path, root);
        return rest && (*rest == '\0' || *rest == '/') ? rest : NULL;
}

/* One line: 36 35 98:0 ROOT MOUNTPOINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS. 1 and *ret: it reaches the
 * cgroup. */
static int parse_line(char *line, const char *cgroup_path, char **ret)
{
        char *field[5], *save = NULL, *rest;
        const char *below;
        size_t n = 0;

        rest = strstr(line, " - ");
        if (!rest || !startswith(rest, " - cgroup2 "))
                return 0;
        *rest = '\0';
        for (char *f = strtok_r(line, " ", &save); f && n < ELEMENTSOF(field);
             f = strtok_r(NULL, " ", &save))
                field[n++] = f;
        if (n < ELEMENTSOF(field))
                return 0;

        mount_unescape(field[3]);
        mount_unescape(field[4]);
        below = path_below(field[3], cgroup_path);
        if (!below)
                return 0;
        *ret = str_printf("%s%s", streq(field[4], "/") && *below ? "" : field[4], below);
        return *ret ? 1 : -ENOMEM;
}

int cgroup_mount_folders(const char *mountinfo, const char *cgroup_path, char ***ret)
{
        _cleanup_strv_ char **folders = NULL;
        _cleanup_free_ char *text = NULL;
        char *save = NULL;
        size_t n;
        int r;

        text = str_copy(mountinfo);
        if (!text)
                return -ENOMEM;

        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *folder = NULL;

                r = parse_line(line, cgroup_path, &folder);
                if (r > 0)
                        r = strv_consume(&folders, folder);
                if (r < 0)
                        return r;
        }

        n = strv_length(folders);
        for (size_t i = 0; i < n / 2; i++) {
                char *swap = folders[i];

                folders[i] = folders[n - 1 - i];
                folders[n - 1 - i] = swap;
        }
        *ret = TAKE_PTR(folders);
        return 0;
}

int cgroup_mount_find(const char *cgroup_path, char ***ret)
{
        _cleanup_free_ char *text = NULL;
        int r;

        r = read_small_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text);
        if (r < 0)
                return r;
        return cgroup_mount_folders(text, cgroup_path, ret);
}
