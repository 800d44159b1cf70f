/* reeve's own log: one line a message, and never waiting for the reader. */

#include "basic/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "test-main.h"

/* What can be read now, as text. */
static const char *read_all(int fd)
{
        static char text[200000];
        size_t size = 0;
        ssize_t n;

        while ((n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
                size += n;
        text[size] = 0;
        return text;
}

static void pipe_open(int p[2])
{
        ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
        ck_assert_int_eq(fcntl(p[0], F_SETFL, O_NONBLOCK), 0);
        ck_assert_int_eq(log_open(p[1]), 0);
        log_set_level(LOG_LEVEL_INFO);
}

static void pipe_done(int p[2])
{
        log_close();
        fd_close(p[0]);
        fd_close(p[1]);
}

START_TEST(lines)
{
        int p[2];

        pipe_open(p);
        log_info("hello %i", 7);
        ck_assert_int_eq(log_error_errno(-ENOENT, "opening %s", "x"), -ENOENT);
        log_debug("not shown");
        ck_assert_str_eq(read_all(p[0]), "reeve: hello 7\nreeve: opening x: No such file or directory\n");

        log_set_level(LOG_LEVEL_ERROR);
        log_warning("not shown");
        log_set_level(LOG_LEVEL_DEBUG);
        log_debug("shown");
        ck_assert_str_eq(read_all(p[0]), "reeve: shown\n");

        log_set_level(LOG_LEVEL_ERROR);
        log_raw("as it is\n", strlen("as it is\n"));
        ck_assert_str_eq(read_all(p[0]), "as it is\n");
        pipe_done(p);
        log_raw("to nobody\n", strlen("to nobody\n"));
}
END_TEST

START_TEST(one_line_however_long)
{
        static const char reason[] = ": Operation not permitted\n";
        char expected[2048] = "reeve: a?b?[2J", text[5001];
        int p[2];

        pipe_open(p);
        memset(text, 'x', 5000);
        text[5000] = 0;
        errno = EXDEV;
        log_error_errno(-EPERM, "a\nb\033[2J%s", text);
        ck_assert_int_eq(errno, EXDEV);
        memset(expected + strlen(expected), 'x', sizeof(expected) - strlen(expected));
        strcpy(expected + sizeof(expected) - sizeof(reason), reason);
        ck_assert_str_eq(read_all(p[0]), expected);
        pipe_done(p);
}
END_TEST

START_TEST(nobody_reads)
{
        unsigned written = 0, lost;
        char expected[80];
        const char *text;
        int p[2];

        pipe_open(p);
        /* More than fits; that we come out of the loop is the test. */
        for (unsigned i = 0; i < 2000; i++)
                log_info("%100i", i);
        text = read_all(p[0]);
        for (const char *c = text; *c; c++)
                written += *c == '\n';
        ck_assert_uint_gt(written, 100);
        ck_assert_uint_lt(written, 2000);
        ck_assert_ptr_null(strstr(text, "lost"));

        lost = 2000 - written;
        log_info("again");
        snprintf(expected, sizeof(expected), "reeve: %u messages lost\nreeve: again\n", lost);
        ck_assert_str_eq(read_all(p[0]), expected);
        log_info("and again");
        ck_assert_str_eq(read_all(p[0]), "reeve: and again\n");
        pipe_done(p);
}
END_TEST

START_TEST(inherited_flags_stay)
{
        int p[2];

        pipe_open(p);
        ck_assert_int_eq(fcntl(p[1], F_GETFL) & O_NONBLOCK, 0);
        pipe_done(p);
}
END_TEST

START_TEST(nobody_is_there)
{
        int p[2];

        signal(SIGPIPE, SIG_IGN); /* as the daemon does */
        pipe_open(p);
        p[0] = fd_close(p[0]);
        log_info("into the void");
        log_info("into the void");
        pipe_done(p);
        log_info("closed");
}
END_TEST

START_TEST(sockets)
{
        char expected[80];
        unsigned sent = 0;
        int s[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
        ck_assert_int_eq(fcntl(s[0], F_SETFL, O_NONBLOCK), 0);
        ck_assert_int_eq(log_open(s[1]), 0);
        log_set_level(LOG_LEVEL_INFO);
        for (unsigned i = 0; i < 100000; i++)
                log_info("x");
        for (char packet[64]; read(s[0], packet, sizeof(packet)) > 0; sent++)
                ck_assert_mem_eq(packet, "reeve: x\n", 9);
        ck_assert_uint_gt(sent, 0);
        ck_assert_uint_lt(sent, 100000);
        log_info("y");
        snprintf(expected, sizeof(expected), "reeve: %u messages lost\nreeve: y\n", 100000 - sent);
        ck_assert_str_eq(read_all(s[0]), expected);
        s[0] = fd_close(s[0]);
        log_info("no SIGPIPE from a socket");
        log_close();
        fd_close(s[1]);
}
END_TEST

/* The job has the same file, at the same offset. */
START_TEST(regular_files)
{
        int fd = memfd_create("test", MFD_CLOEXEC);

        ck_assert_int_eq(log_open(fd), 0);
        log_set_level(LOG_LEVEL_INFO);
        ck_assert_int_eq(write(fd, "job\n", 4), 4);
        log_info("one");
        ck_assert_int_eq(write(fd, "job\n", 4), 4);
        log_info("two");
        ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
        ck_assert_str_eq(read_all(fd), "job\nreeve: one\njob\nreeve: two\n");
        log_close();
        fd_close(fd);
}
END_TEST

START_TEST(not_open)
{
        ck_assert_int_eq(log_open(-1), -EBADF);
        ck_assert_int_eq(log_error_errno(-EIO, "nowhere"), -EIO);
}
END_TEST

START_TEST(levels)
{
        ck_assert_int_eq(log_level_from_string("err"), LOG_LEVEL_ERROR);
        ck_assert_int_eq(log_level_from_string("debug"), LOG_LEVEL_DEBUG);
        ck_assert_int_eq(log_level_from_string("4"), LOG_LEVEL_WARNING);
        ck_assert_int_eq(log_level_from_string("2"), -EINVAL);
        ck_assert_int_eq(log_level_from_string("8"), -EINVAL);
        ck_assert_int_eq(log_level_from_string(""), -EINVAL);
        ck_assert_int_eq(log_level_from_string("loud"), -EINVAL);
}
END_TEST

/* A pipe keeps writes apart, too. */
static const char *read_record(int fd)
{
        static char record[4096];
        ssize_t n = read(fd, record, sizeof(record) - 1);

        record[n > 0 ? n : 0] = 0;
        return record;
}

/* A record is one write, with its priority, and never so long that the kernel refuses it. */
START_TEST(the_kernels_log)
{
        char text[5001], expected[80];
        unsigned taken = 0;
        const char *record;
        int p[2];

        ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK | O_DIRECT), 0);
        ck_assert_int_eq(log_open_kernel_take(p[1]), 0);
        ck_assert_int_eq(fcntl(p[1], F_GETFD), -1); /* taken */
        log_set_level(LOG_LEVEL_INFO);
        log_error("hello %i", 7);
        ck_assert_str_eq(read_record(p[0]), "<27>reeve: hello 7\n");
        log_info("a\nb");
        ck_assert_str_eq(read_record(p[0]), "<30>reeve: a?b\n");
        log_raw("raw\n", 4);
        ck_assert_str_eq(read_record(p[0]), "<27>raw\n");

        memset(text, 'x', 5000);
        text[5000] = 0;
        log_warning_errno(-EPERM, "%s", text);
        record = read_record(p[0]);
        ck_assert_uint_eq(strlen(record), 959);
        ck_assert_ptr_nonnull(strstr(record, "xxx: Operation not permitted\n"));

        for (unsigned i = 0; i < 2000; i++)
                log_info("much");
        for (; *read_record(p[0]); taken++)
                ;
        ck_assert_uint_lt(taken, 2000);
        log_info("again");
        snprintf(expected, sizeof(expected), "<30>reeve: %u messages lost; reeve: again\n", 2000 - taken);
        ck_assert_str_eq(read_record(p[0]), expected);
        log_close();
        fd_close(p[0]);
        ck_assert_int_eq(log_open_kernel_take(-EBADF), -EBADF);
}
END_TEST

TEST_MAIN("log", lines, one_line_however_long, nobody_reads, inherited_flags_stay, nobody_is_there, sockets,
          regular_files, not_open, levels, the_kernels_log)
