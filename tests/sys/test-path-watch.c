/* Waiting for a path: for its folders, too, whichever comes and goes. */

#include "sys/path-watch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "rig.h"

static const char *in_folder(const char *name)
{
        static char buf[2][256];
        static unsigned n;
        char *path = buf[n++ % 2];

        snprintf(path, sizeof(buf[0]), "%s/%s", rig_folder(), name);
        return path;
}

static void make(const char *name)
{
        int fd = open(in_folder(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        close(fd);
}

/* It tells of something, and is armed again. */
static void check_told(PathWatch *w, bool told)
{
        if (told)
                ck_assert_int_eq(rig_wait_readable(w->fd), 1);
        ck_assert_int_eq(path_watch_read(w), told);
        ck_assert_int_eq(path_watch_arm(w), 0);
        ck_assert_int_eq(path_watch_read(w), 0);
}

START_TEST(step_by_step)
{
        PathWatch w;

        ck_assert_int_eq(path_watch_open(&w, in_folder("a/b//./c")), 0);
        ck_assert_int_eq(path_watch_arm(&w), 0);
        make("other");
        make("aa");
        check_told(&w, false);
        ck_assert_int_eq(mkdir(in_folder("a"), 0755), 0);
        check_told(&w, true);
        make("a/c");
        check_told(&w, false);
        ck_assert_int_eq(mkdir(in_folder("a/b"), 0755), 0);
        check_told(&w, true);
        make("a/b/c");
        check_told(&w, true);
        ck_assert_int_eq(chmod(in_folder("a/b/c"), 0644), 0);
        check_told(&w, true);
        path_watch_close(&w);
        path_watch_close(&w);
}
END_TEST

START_TEST(all_at_once)
{
        PathWatch w;

        ck_assert_int_eq(path_watch_open(&w, in_folder("x/y/z")), 0);
        ck_assert_int_eq(path_watch_arm(&w), 0);
        ck_assert_int_eq(mkdir(in_folder("x"), 0755), 0);
        ck_assert_int_eq(mkdir(in_folder("x/y"), 0755), 0);
        make("x/y/z");
        check_told(&w, true);
        path_watch_close(&w);
}
END_TEST

START_TEST(folders_that_go)
{
        PathWatch w;

        ck_assert_int_eq(mkdir(in_folder("p"), 0755), 0);
        ck_assert_int_eq(mkdir(in_folder("p/q"), 0755), 0);
        ck_assert_int_eq(path_watch_open(&w, in_folder("p/q/r")), 0);
        ck_assert_int_eq(path_watch_arm(&w), 0);
        ck_assert_int_eq(rmdir(in_folder("p/q")), 0);
        check_told(&w, true);
        ck_assert_int_eq(mkdir(in_folder("p/q"), 0755), 0);
        check_told(&w, true);
        ck_assert_int_eq(rename(in_folder("p/q"), in_folder("p/elsewhere")), 0);
        check_told(&w, true);
        ck_assert_int_eq(rename(in_folder("p/elsewhere"), in_folder("p/q")), 0);
        check_told(&w, true);
        make("p/q/r");
        check_told(&w, true);
        path_watch_close(&w);
}
END_TEST

START_TEST(through_a_link)
{
        PathWatch w;

        ck_assert_int_eq(mkdir(in_folder("real"), 0755), 0);
        ck_assert_int_eq(symlink("real", in_folder("link")), 0);
        ck_assert_int_eq(path_watch_open(&w, in_folder("link/file")), 0);
        ck_assert_int_eq(path_watch_arm(&w), 0);
        make("real/file");
        check_told(&w, true);
        path_watch_close(&w);
}
END_TEST

START_TEST(what_cannot_be_watched)
{
        PathWatch w = PATH_WATCH_INIT;

        ck_assert_int_eq(path_watch_open(&w, "relative"), -EINVAL);
        path_watch_close(&w);
        make("file");
        ck_assert_int_eq(path_watch_open(&w, in_folder("file/x/y")), 0);
        ck_assert_int_eq(path_watch_arm(&w), 0); /* the file may become a folder */
        ck_assert_int_eq(unlink(in_folder("file")), 0);
        ck_assert_int_eq(mkdir(in_folder("file"), 0755), 0);
        check_told(&w, true);
        path_watch_close(&w);
}
END_TEST

TEST_MAIN("path-watch", step_by_step, all_at_once, folders_that_go, through_a_link, what_cannot_be_watched)
