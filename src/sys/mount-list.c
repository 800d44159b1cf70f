/*
 * The mount table, as far as it takes to unmount what is in it. Only the last mount of a path can be
 * reached; those below it come up when that is gone, so a list is read again after each round.
 */

#include "sys/mount-list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/strv.h"

#define MOUNTINFO_MAX (16U * 1024 * 1024)

void mount_unescape(char *s)
{
        char *to = s;

        while (*s) {
                if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
                    s[3] >= '0' && s[3] <= '7') {
                        *to++ = (char) ((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
                        s += 4;
                } else {
                        *to++ = *s++;
                }
        }
        *to = '\0';
}

void mount_list_done(MountList *l)
{
        for (size_t i = 0; i < l->n; i++) {
                free(l->mounts[i].path);
                free(l->mounts[i].type);
        }
        free(l->mounts);
        *l = (MountList){0};
}

/* "ro" or "ro,...". */
static bool options_say_ro(const char *options)
{
        const char *rest = startswith(options, "ro");

        return rest && (*rest == '\0' || *rest == ',');
}

static size_t split(char *s, char *fields[], size_t max)
{
        char *save = NULL;
        size_t n = 0;

        for (char *f = strtok_r(s, " ", &save); f && n < max; f = strtok_r(NULL, " ", &save))
                fields[n++] = f;
        return n;
}

/* 36 35 98:0 ROOT MOUNTPOINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS */
static int add_line(MountList *l, char *line)
{
        char *left[6], *right[3], *rest = strstr(line, " - ");
        Mount *mounts, m;

        if (!rest)
                return 0;
        *rest = '\0';
        if (split(line, left, ELEMENTSOF(left)) < ELEMENTSOF(left) ||
            split(rest + strlen(" - "), right, ELEMENTSOF(right)) < ELEMENTSOF(right))
                return 0;
        mount_unescape(left[4]);
        mounts = alloc_resize(l->mounts, l->n + 1, sizeof(Mount));
        if (!mounts)
                return -ENOMEM;
        l->mounts = mounts;
        m = (Mount){
                        .path = str_copy(left[4]),
                        .type = str_copy(right[0]),
                        .read_only = options_say_ro(left[5]) || options_say_ro(right[2]),
        };
        mounts[l->n++] = m;
        return m.path && m.type ? 0 : -ENOMEM;
}

int mount_list_parse(const char *mountinfo, MountList *ret)
{
        _cleanup_(mount_list_done) MountList l = {0};
        _cleanup_free_ char *text = str_copy(mountinfo);
        char *save = NULL;

        if (!text)
                return -ENOMEM;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                int r = add_line(&l, line);

                if (r < 0)
                        return r;
        }
        *ret = l;
        l = (MountList){0};
        return 0;
}

int mount_list_read(MountList *ret)
{
        _cleanup_free_ char *text = NULL;
        int r;

        r = read_small_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text);
        return r < 0 ? r : mount_list_parse(text, ret);
}
