/* Terminals: which end blocks, what is set, when it is at its end, and that a job gets it as its own. */

#include "sys/pty.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "basic/fd.h"
#include "rig.h"
#include "sys/stdio.h"

typedef struct Pty {
        int master, slave;
} Pty;

static Pty pty_new(void)
{
        const char *what = NULL;
        Pty p;
        int r = pty_open(24, 80, &p.master, &p.slave, &what);

        ck_assert_msg(r == 0, "%s: %d", what, r);
        return p;
}

static void pty_done(Pty *p)
{
        fd_close(p->slave);
        fd_close(p->master);
}

/* What there is; the kernel hands it on from a thread of its own. */
static char *read_now(int fd)
{
        static char text[8192];
        ssize_t n;

        ck_assert_int_eq(rig_wait_readable(fd), 1);
        n = stdio_read(fd, text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = '\0';
        return text;
}

START_TEST(descriptors)
{
        struct termios settings;
        struct winsize size;
        Pty p = pty_new();

        ck_assert(p.master > 2 && p.slave > 2);
        ck_assert(fcntl(p.master, F_GETFD) & FD_CLOEXEC);
        ck_assert(fcntl(p.slave, F_GETFD) & FD_CLOEXEC);
        ck_assert(fcntl(p.master, F_GETFL) & O_NONBLOCK);
        ck_assert(!(fcntl(p.slave, F_GETFL) & O_NONBLOCK));
        ck_assert(isatty(p.slave));
        ck_assert_int_eq(ioctl(p.slave, TIOCGWINSZ, &size), 0);
        ck_assert(size.ws_row == 24 && size.ws_col == 80);
        ck_assert_int_eq(tcgetattr(p.slave, &settings), 0);
        ck_assert(settings.c_iflag & IUTF8);
        ck_assert_int_eq(pty_set_size(p.master, 50, 132), 0);
        ck_assert_int_eq(ioctl(p.slave, TIOCGWINSZ, &size), 0);
        ck_assert(size.ws_row == 50 && size.ws_col == 132);
        ck_assert_int_lt(pty_set_size(-EBADF, 1, 1), 0);
        pty_done(&p);
}
END_TEST

START_TEST(both_ways)
{
        Pty p = pty_new();
        char buf[16];

        ck_assert_int_eq(stdio_read(p.master, buf, sizeof(buf)), -EAGAIN);
        ck_assert_int_eq(stdio_write(p.master, "in\n", 3), 3);
        ck_assert_str_eq(read_now(p.master), "in\r\n"); /* the echo */
        ck_assert_int_eq(read(p.slave, buf, sizeof(buf)), 3);
        ck_assert_mem_eq(buf, "in\n", 3);
        ck_assert_int_eq(write(p.slave, "out\n", 4), 4);
        ck_assert_str_eq(read_now(p.master), "out\r\n");
        pty_done(&p);
}
END_TEST

/* All that was written is there at once for who reads after the writer has gone, and then the end. */
START_TEST(last_words)
{
        for (unsigned i = 0; i < 200; i++) {
                size_t size = 0;
                char buf[8192];
                Pty p = pty_new();
                ssize_t n;

                memset(buf, 'x', 3000);
                ck_assert_int_eq(write(p.slave, buf, 3000), 3000);
                p.slave = fd_close(p.slave);
                while ((n = stdio_read(p.master, buf, sizeof(buf))) > 0)
                        size += (size_t) n;
                ck_assert_uint_eq(size, 3000);
                ck_assert_int_eq(n, -EIO);
                pty_done(&p);
        }
}
END_TEST

START_TEST(eof_character)
{
        struct termios settings;
        Pty p = pty_new();
        char c = 'x', buf[4];

        ck_assert_int_eq(pty_eof_character(p.master, &c), 0);
        ck_assert_int_eq(c, 4);
        ck_assert_int_eq(stdio_write(p.master, &c, 1), 1);
        ck_assert_int_eq(read(p.slave, buf, sizeof(buf)), 0);

        ck_assert_int_eq(tcgetattr(p.slave, &settings), 0);
        settings.c_cc[VEOF] = '%';
        ck_assert_int_eq(tcsetattr(p.slave, TCSANOW, &settings), 0);
        ck_assert_int_eq(pty_eof_character(p.master, &c), 0);
        ck_assert_int_eq(c, '%');
        settings.c_cc[VEOF] = _POSIX_VDISABLE;
        ck_assert_int_eq(tcsetattr(p.slave, TCSANOW, &settings), 0);
        ck_assert_int_eq(pty_eof_character(p.master, &c), -ENODATA);
        ck_assert_int_eq(c, '%');
        pty_done(&p);
}
END_TEST

/* It takes some, and then nothing: never all, and never by waiting. */
START_TEST(full)
{
        struct termios settings;
        Pty p = pty_new();
        char buf[65536] = {0};
        size_t size = 0;
        ssize_t n = 0;

        ck_assert_int_eq(tcgetattr(p.slave, &settings), 0);
        cfmakeraw(&settings);
        ck_assert_int_eq(tcsetattr(p.slave, TCSANOW, &settings), 0);
        for (unsigned i = 0; i < 100 && (n = stdio_write(p.master, buf, sizeof(buf))) > 0; i++)
                size += (size_t) n;
        ck_assert_int_eq(n, -EAGAIN);
        ck_assert_uint_gt(size, 0);
        pty_done(&p);
}
END_TEST

START_TEST(given)
{
        Pty p = pty_new();
        struct stat st;

        ck_assert_int_eq(pty_give(p.slave, 1234), 0);
        ck_assert_int_eq(fstat(p.slave, &st), 0);
        ck_assert_uint_eq(st.st_uid, 1234);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_lt(pty_give(-EBADF, 0), 0);
        pty_done(&p);
}
END_TEST

/* The terminal is the session's: /dev/tty is it, and the job is in its foreground. */
START_TEST(spawned)
{
        char *const argv[] = {
                        (char *) "/bin/sh", (char *) "-c",
                        (char *) "echo mine >/dev/tty; test \"$(ps -o tpgid= -p $$ | tr -d ' ')\" = $$ && "
                                 "echo front",
                        NULL};
        SpawnParameters parameters = rig_parameters(argv);
        char output[256] = "";
        SpawnFailure failure;
        Pty p = pty_new();
        PidRef child;
        ssize_t n;

        for (size_t i = 0; i < 3; i++)
                parameters.fds[i] = p.slave;
        parameters.terminal = true;
        ck_assert_int_eq(rig_start(&parameters, &child, &failure), 0);
        p.slave = fd_close(p.slave);
        while (rig_wait_readable(p.master) == 1 &&
               (n = stdio_read(p.master, output + strlen(output), sizeof(output) - strlen(output) - 1)) > 0)
                ;
        ck_assert_str_eq(output, "mine\r\nfront\r\n");
        ck_assert_int_eq(rig_reap(child.pid).exit_code, 0);
        pidref_done(&child);
        pty_done(&p);
}
END_TEST

static int without_devpts(void *data)
{
        const char *what = NULL;
        int master = -EBADF, slave = -EBADF;

        RIG_CHECK(unshare(CLONE_NEWNS) == 0);
        RIG_CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        RIG_CHECK(mount("tmpfs", "/dev", "tmpfs", 0, NULL) == 0);
        RIG_CHECK(pty_open(1, 1, &master, &slave, &what) == -ENOENT);
        RIG_CHECK(strcmp(what, "/dev/ptmx") == 0 && master == -EBADF && slave == -EBADF);

        /* An instance of its own, which has the other name alone. */
        RIG_CHECK(mkdir("/dev/pts", 0755) == 0);
        RIG_CHECK(mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666") == 0);
        RIG_CHECK(pty_open(1, 1, &master, &slave, &what) == 0);
        RIG_CHECK(isatty(slave));
        return 0;
}

START_TEST(places_to_find_it)
{
        ck_assert_int_eq(rig_in_child(without_devpts, NULL), 0);
}
END_TEST

RIG_ROOT_MAIN("pty", descriptors, both_ways, last_words, eof_character, full, given, spawned,
              places_to_find_it)
