/* What jobs get as 0, 1 and 2: which end blocks, what is sealed, and that nothing lands among 0 to 2. */

#include "sys/stdio.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "rig.h"

static bool is_cloexec(int fd)
{
        return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

START_TEST(output_pipe)
{
        char buf[8];
        int fds[2];

        ck_assert_int_eq(stdio_output_pipe(fds), 0);
        ck_assert(is_cloexec(fds[0]) && is_cloexec(fds[1]));
        ck_assert(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
        ck_assert(!(fcntl(fds[1], F_GETFL) & O_NONBLOCK));

        ck_assert_int_eq(stdio_read(fds[0], buf, sizeof(buf)), -EAGAIN);
        ck_assert_int_eq(write(fds[1], "abc", 3), 3);
        ck_assert_int_eq(stdio_read(fds[0], buf, sizeof(buf)), 3);
        fd_close(fds[1]);
        ck_assert_int_eq(stdio_read(fds[0], buf, sizeof(buf)), 0);
        fd_close(fds[0]);
        ck_assert_int_eq(stdio_read(fds[0], buf, sizeof(buf)), -EBADF);
}
END_TEST

START_TEST(input_pipe)
{
        char buf[8] = "";
        int fds[2];

        ck_assert_int_eq(stdio_input_pipe(fds), 0);
        ck_assert(fds[0] > 2 && fds[1] > 2);
        ck_assert(is_cloexec(fds[0]) && is_cloexec(fds[1]));
        ck_assert(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
        ck_assert(!(fcntl(fds[1], F_GETFL) & O_NONBLOCK));

        ck_assert_int_eq(stdio_write(fds[0], "abc", 3), 3);
        ck_assert_int_eq(read(fds[1], buf, sizeof(buf)), 3);
        ck_assert_str_eq(buf, "abc");
        while (stdio_write(fds[0], buf, sizeof(buf)) == sizeof(buf))
                ;
        ck_assert_int_eq(stdio_write(fds[0], buf, sizeof(buf)), -EAGAIN);
        fd_close(fds[1]);
        (void) signal(SIGPIPE, SIG_IGN); /* as PID 1 has it */
        ck_assert_int_eq(stdio_write(fds[0], "x", 1), -EPIPE);
        fd_close(fds[0]);
        ck_assert_int_eq(stdio_write(fds[0], "x", 1), -EBADF);
}
END_TEST

START_TEST(enlarge)
{
        int fds[2];

        ck_assert_int_eq(stdio_output_pipe(fds), 0);
        ck_assert_int_eq(stdio_enlarge_pipe(fds[0], 262144), 0);
        ck_assert_int_eq(fcntl(fds[1], F_GETPIPE_SZ), 262144);
        ck_assert_int_eq(stdio_enlarge_pipe(fds[0], SIZE_MAX), -EINVAL);
        ck_assert_int_lt(stdio_enlarge_pipe(-EBADF, 65536), 0);
        fd_close(fds[0]);
        fd_close(fds[1]);
}
END_TEST

START_TEST(null)
{
        struct stat a, b;
        int fd = stdio_null();

        ck_assert_int_gt(fd, 2);
        ck_assert(is_cloexec(fd));
        ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
        ck_assert_int_eq(fstat(fd, &a), 0);
        ck_assert_int_eq(stat("/dev/null", &b), 0);
        ck_assert_uint_eq(a.st_rdev, b.st_rdev);
        fd_close(fd);
}
END_TEST

START_TEST(sealed_data)
{
        static const char bytes[] = "a\0b\n\xff";
        char buf[16], path[64];
        int fd = stdio_data(bytes, sizeof(bytes)), again;

        ck_assert_int_gt(fd, 2);
        ck_assert(is_cloexec(fd));
        ck_assert_int_eq(read(fd, buf, sizeof(buf)), sizeof(bytes));
        ck_assert_mem_eq(buf, bytes, sizeof(bytes));
        ck_assert_int_eq(read(fd, buf, sizeof(buf)), 0);

        /* Opened anew, as /dev/stdin is: from the beginning, and not to be changed either. */
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        again = open(path, O_RDWR | O_CLOEXEC);
        if (again >= 0) {
                ck_assert_int_eq(write(again, "x", 1), -1);
                ck_assert_int_eq(errno, EPERM);
                ck_assert_int_eq(ftruncate(again, 0), -1);
                ck_assert_int_eq(ftruncate(again, 100), -1);
                ck_assert_int_eq(read(again, buf, sizeof(buf)), sizeof(bytes));
                fd_close(again);
        }
        fd_close(fd);
}
END_TEST

START_TEST(no_data)
{
        char c;
        int fd = stdio_data(NULL, 0);

        ck_assert_int_gt(fd, 2);
        ck_assert_int_eq(read(fd, &c, 1), 0);
        fd_close(fd);
}
END_TEST

START_TEST(much_data)
{
        size_t size = 9 * 1024 * 1024, n;
        char *bytes = malloc(size), *got;
        int fd;

        for (size_t i = 0; i < size; i++)
                bytes[i] = (char) (i * 31 + i / 4096);
        fd = stdio_data(bytes, size);
        ck_assert_int_gt(fd, 2);
        got = rig_read_all(fd, &n);
        ck_assert_uint_eq(n, size);
        ck_assert_int_eq(memcmp(got, bytes, size), 0);
        free(got);
        free(bytes);
        fd_close(fd);
}
END_TEST

static int with_stdio_closed(void *data)
{
        int fds[2], fd;

        close(0);
        close(1);
        RIG_CHECK(stdio_output_pipe(fds) == 0);
        RIG_CHECK(fds[0] > 2 && fds[1] > 2);
        RIG_CHECK(is_cloexec(fds[0]) && is_cloexec(fds[1]));
        fd = stdio_null();
        RIG_CHECK(fd > 2 && is_cloexec(fd));
        fd = stdio_data("x", 1);
        RIG_CHECK(fd > 2 && is_cloexec(fd));
        RIG_CHECK(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0); /* and nothing was left there */
        return 0;
}

START_TEST(never_among_the_standard_ones)
{
        ck_assert_int_eq(rig_in_child(with_stdio_closed, NULL), 0);
}
END_TEST

TEST_MAIN("stdio", output_pipe, input_pipe, enlarge, null, sealed_data, no_data, much_data,
          never_among_the_standard_ones)
