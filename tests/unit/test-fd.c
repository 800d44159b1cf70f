/* Descriptors and small files. */

#include "basic/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "test-main.h"

static int file_with(const char *text, char path[static 64])
{
        int fd = memfd_create("test", MFD_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
        snprintf(path, 64, "/proc/self/fd/%i", fd);
        return fd;
}

START_TEST(close_keeps_errno)
{
        int fd = memfd_create("test", MFD_CLOEXEC);

        errno = EXDEV;
        ck_assert_int_eq(fd_close(fd), -EBADF);
        ck_assert_int_eq(fd_close(-EBADF), -EBADF);
        ck_assert_int_eq(errno, EXDEV);
        ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(cleanup_closes_and_take_keeps)
{
        int fd, kept;

        {
                _cleanup_close_ int a = memfd_create("test", MFD_CLOEXEC),
                                    b = memfd_create("test", MFD_CLOEXEC);

                fd = a;
                kept = TAKE_FD(b);
                ck_assert_int_eq(b, -EBADF);
        }
        ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
        ck_assert_int_ge(fcntl(kept, F_GETFD), 0);
        fd_close(kept);
}
END_TEST

START_TEST(reads_whole)
{
        static const struct {
                const char *text, *read;
        } cases[] = {{"", ""}, {"\n", ""}, {"1\n", "1"}, {"a\nb\n\n", "a\nb\n"}, {"max", "max"}};
        char path[64];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_close_ _unused_ int fd = file_with(cases[i].text, path);
                _cleanup_free_ char *text = NULL;

                ck_assert_int_eq(read_small_file(AT_FDCWD, path, 100, &text), 0);
                ck_assert_str_eq(text, cases[i].read);
        }
}
END_TEST

START_TEST(reads_up_to_max)
{
        _cleanup_free_ char *text = NULL, *long_text = alloc_zero(5001);
        _cleanup_close_ int fd = -EBADF;
        char path[64];

        memset(long_text, 'x', 5000);
        fd = file_with(long_text, path);
        ck_assert_int_eq(read_small_file(AT_FDCWD, path, 4999, &text), -E2BIG);
        ck_assert_int_eq(read_small_file(AT_FDCWD, path, 0, &text), -E2BIG);
        ck_assert_ptr_null(text);
        ck_assert_int_eq(read_small_file(AT_FDCWD, path, 5000, &text), 0);
        ck_assert_str_eq(text, long_text);
}
END_TEST

START_TEST(read_errors)
{
        _cleanup_close_ int fd = -EBADF;
        char path[64], *text = NULL;

        fd = file_with("x", path);
        ck_assert_int_eq(read_small_file(AT_FDCWD, "/proc/self/not-there", 100, &text), -ENOENT);
        ck_assert_int_eq(read_small_file(AT_FDCWD, "/proc", 100, &text), -EISDIR);
        alloc_fault_set(1, false);
        ck_assert_int_eq(read_small_file(AT_FDCWD, path, 100, &text), -ENOMEM);
        ck_assert_ptr_null(text);
}
END_TEST

START_TEST(writes)
{
        _cleanup_close_ int fd = -EBADF, dir = -EBADF;
        _cleanup_free_ char *text = NULL;
        char path[64];

        fd = file_with("old", path);
        dir = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(write_small_file(dir, strrchr(path, '/') + 1, "new"), 0);
        ck_assert_int_eq(read_small_file(dir, strrchr(path, '/') + 1, 100, &text), 0);
        ck_assert_str_eq(text, "new");
        ck_assert_int_eq(write_small_file(dir, "not-there", "new"), -ENOENT);
        ck_assert_int_eq(write_small_file(AT_FDCWD, "/dev/full", "new"), -ENOSPC);
}
END_TEST

TEST_MAIN("fd", close_keeps_errno, cleanup_closes_and_take_keeps, reads_whole, reads_up_to_max, read_errors,
          writes)
