/* Where cgroups are mounted, by mount tables as they are found: this is text against text, and needs no
 * kernel. */

#include "sys/cgroup-mount.h"

#include "basic/alloc.h"
#include "basic/strv.h"
#include "rig.h"

#define V2(root, point) "40 31 0:38 " root " " point " rw,relatime shared:5 master:1 - cgroup2 cgroup2 rw\n"

static const char plain[] = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" V2("/", "/sys/fs/cgroup");
static const char hybrid[] = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n" V2(
                "/", "/sys/fs/cgroup/unified") "33 31 0:30 / /cg2 rw - tmpfs cgroup2 rw\n";

static void finds(const char *mountinfo, const char *path, const char *expected)
{
        _cleanup_strv_ char **folders = NULL;
        _cleanup_free_ char *joined = NULL;

        ck_assert_int_eq(cgroup_mount_folders(mountinfo, path, &folders), 0);
        joined = strv_join(folders, " ");
        ck_assert_str_eq(joined, expected);
}

START_TEST(usual_places)
{
        finds(plain, "/", "/sys/fs/cgroup");
        finds(plain, "/a/b", "/sys/fs/cgroup/a/b");
        finds(hybrid, "/", "/sys/fs/cgroup/unified");
        finds(hybrid, "/x.slice", "/sys/fs/cgroup/unified/x.slice");
        finds(V2("/", "/"), "/", "/");
        finds(V2("/", "/"), "/a", "/a");
}
END_TEST

START_TEST(mounts_of_a_part)
{
        /* A container without a cgroup namespace: its own cgroup, bind-mounted. */
        finds(V2("/docker/abc", "/sys/fs/cgroup"), "/docker/abc", "/sys/fs/cgroup");
        finds(V2("/docker/abc", "/sys/fs/cgroup"), "/docker/abc/x", "/sys/fs/cgroup/x");
        finds(V2("/docker/abc", "/sys/fs/cgroup"), "/docker/abcdef", "");
        finds(V2("/docker/abc", "/sys/fs/cgroup"), "/docker", "");
        finds(V2("/docker/abc", "/sys/fs/cgroup"), "/", "");
}
END_TEST

START_TEST(outside_of_the_namespace)
{
        finds(V2("/..", "/sys/fs/cgroup"), "/", "");
        finds(V2("/../..", "/sys/fs/cgroup"), "/", "");
        finds(V2("/", "/sys/fs/cgroup"), "/../other", "");
        finds(V2("/../other", "/sys/fs/cgroup"), "/../other", "");
        finds(V2("/..name", "/sys/fs/cgroup"), "/..name/a", "/sys/fs/cgroup/a");
}
END_TEST

START_TEST(last_mount_first)
{
        finds(V2("/", "/a") V2("/b", "/c") V2("/", "/d"), "/b", "/d/b /c /a/b");
}
END_TEST

START_TEST(strange_lines)
{
        finds("", "/", "");
        finds("\n\n", "/", "");
        finds("garbage\n - cgroup2 \n1 2 3 - cgroup2 x rw\n", "/", "");
        finds(V2("/with\\040blank", "/mnt\\011tab\\134x"), "/with blank/y", "/mnt\ttab\\x/y");
        finds("40 31 0:38 / /no-tags rw - cgroup2 none rw", "/", "/no-tags");
        finds("40 31 0:38 / /other rw - cgroup2fs none rw", "/", "");
}
END_TEST

START_TEST(without_memory)
{
        for (unsigned nth = 1;; nth++) {
                char **folders = NULL;
                int r;

                alloc_fault_set(nth, false);
                r = cgroup_mount_folders(plain, "/a", &folders);
                if (r == 0) {
                        strv_free(folders);
                        break;
                }
                ck_assert_int_eq(r, -ENOMEM);
                ck_assert_ptr_null(folders);
        }
        alloc_fault_set(0, false);
}
END_TEST

TEST_MAIN("cgroup-mount", usual_places, mounts_of_a_part, outside_of_the_namespace, last_mount_first,
          strange_lines, without_memory)
