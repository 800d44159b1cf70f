/* The process that writes to a caller's descriptor: what it takes, what it says, and when it ends. */

#include "sys/tee.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "rig.h"

typedef struct Writer {
        PidRef process;
        int fd;
} Writer;

static Writer writer_new(int target)
{
        Writer w;

        ck_assert_int_eq(tee_start(target, &w.process, &w.fd), 0);
        ck_assert(fcntl(w.fd, F_GETFD) & FD_CLOEXEC);
        ck_assert(fcntl(w.fd, F_GETFL) & O_NONBLOCK);
        return w;
}

static void writer_send(const Writer *w, const char *data)
{
        ck_assert_int_eq(tee_send(w->fd, data, strlen(data)), strlen(data));
}

/* Until it has ended: how much was taken in all, and what failed. */
static uint64_t writer_end(Writer *w, int *ret_error)
{
        uint64_t all = 0, taken = 0;
        int error, r;

        *ret_error = 0;
        for (;;) {
                ck_assert_int_eq(rig_wait_readable(w->fd), 1);
                r = tee_receive(w->fd, &taken, &error);
                if (r == -EPIPE)
                        break;
                ck_assert_int_eq(r, 0);
                all += taken;
                *ret_error = error ?: *ret_error;
        }
        (void) rig_reap(w->process.pid);
        pidref_done(&w->process);
        w->fd = fd_close(w->fd);
        return all;
}

START_TEST(pipe_and_end)
{
        int fds[2], error;
        uint64_t taken;
        char buf[16];
        Writer w;

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        w = writer_new(fds[1]);
        fds[1] = fd_close(fds[1]);
        ck_assert_int_eq(tee_receive(w.fd, &taken, &error), -EAGAIN);
        writer_send(&w, "some");
        ck_assert_int_eq(read(fds[0], buf, sizeof(buf)), 4);
        ck_assert_mem_eq(buf, "some", 4);
        writer_send(&w, "thing");
        tee_send_end(w.fd);
        ck_assert_int_eq(tee_send(w.fd, "x", 1), -EPIPE);
        ck_assert_uint_eq(writer_end(&w, &error), 9);
        ck_assert_int_eq(error, 0);
        ck_assert_int_eq(read(fds[0], buf, sizeof(buf)), 5);
        ck_assert_int_eq(read(fds[0], buf, sizeof(buf)), 0); /* nobody keeps it open */
        fd_close(fds[0]);
}
END_TEST

START_TEST(file)
{
        const char *path = rig_file("tee", "before ", 0600);
        int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), error;
        char text[32] = "";
        Writer w;

        ck_assert_int_ge(fd, 0);
        w = writer_new(fd);
        writer_send(&w, "after");
        tee_send_end(w.fd);
        ck_assert_uint_eq(writer_end(&w, &error), 5);
        fd_close(fd);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        ck_assert_int_eq(read(fd, text, sizeof(text)), 12);
        ck_assert_str_eq(text, "before after");
        fd_close(fd);
}
END_TEST

/* The reader of a full pipe sees that nothing of it changed, and nobody waits but the process. */
START_TEST(nobody_reads)
{
        int fds[2], flags;
        Writer w;

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        while (write(fds[1], "full", 4) == 4)
                ;
        ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_WRONLY), 0);
        flags = fcntl(fds[1], F_GETFL);
        w = writer_new(fds[1]);
        writer_send(&w, "x");
        ck_assert_int_eq(fcntl(fds[1], F_GETFL), flags);
        ck_assert_int_eq(poll(&(struct pollfd){.fd = w.fd, .events = POLLIN}, 1, 50),
                         0);                                     /* it says nothing */
        ck_assert_int_eq(pidref_signal(&w.process, SIGTERM), 0); /* blocked, as all but one */
        ck_assert_int_eq(pidref_signal(&w.process, SIGKILL), 0);
        ck_assert_int_eq(rig_reap(w.process.pid).signal, SIGKILL);
        pidref_done(&w.process);
        fd_close(w.fd);
        fd_close(fds[0]);
        fd_close(fds[1]);
}
END_TEST

/* One that the caller has non-blocking is waited for, all the same. */
START_TEST(nonblocking)
{
        int fds[2], error;
        size_t size = 0;
        char buf[4096];
        ssize_t n;
        Writer w;

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        while (write(fds[1], "full", 4) == 4)
                size += 4;
        w = writer_new(fds[1]);
        fds[1] = fd_close(fds[1]);
        writer_send(&w, "more");
        tee_send_end(w.fd);
        while (rig_wait_readable(fds[0]) == 1 && (n = read(fds[0], buf, sizeof(buf))) > 0)
                size -= MIN(size, (size_t) n);
        ck_assert_uint_eq(size, 0);
        ck_assert_int_eq(n, 0);
        ck_assert_uint_eq(writer_end(&w, &error), 4);
        fd_close(fds[0]);
}
END_TEST

START_TEST(failures)
{
        int fds[2], fd, error;
        PidRef process = PIDREF_NULL;
        Writer w;

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        ck_assert_int_eq(tee_start(fds[0], &process, &fd), -EBADF); /* not for writing */
        fd = open("/", O_PATH | O_CLOEXEC);
        ck_assert_int_eq(tee_start(fd, &process, &fds[0]), -EBADF);
        fd_close(fd);

        w = writer_new(fds[1]);
        fd_close(fds[0]);
        fd_close(fds[1]);
        writer_send(&w, "x");
        ck_assert_uint_eq(writer_end(&w, &error), 0);
        ck_assert_int_eq(error, EPIPE);

        fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        w = writer_new(fd);
        fd_close(fd);
        writer_send(&w, "x");
        ck_assert_uint_eq(writer_end(&w, &error), 0);
        ck_assert_int_eq(error, ENOSPC);
}
END_TEST

/* It has its two descriptors, whatever we have. */
START_TEST(holds_nothing_else)
{
        int fds[2], other[2], error;
        char buf[1];
        Writer w;

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(other, O_CLOEXEC), 0);
        w = writer_new(fds[1]);
        writer_send(&w, "x"); /* once that has come it has closed the rest */
        ck_assert_int_eq(read(fds[0], buf, 1), 1);
        fd_close(other[1]);
        ck_assert_int_eq(read(other[0], buf, 1), 0);
        tee_send_end(w.fd);
        (void) writer_end(&w, &error);
        fd_close(other[0]);
        fd_close(fds[0]);
        fd_close(fds[1]);
}
END_TEST

static void block_all(void)
{
        sigset_t all;

        sigfillset(&all); /* as PID 1 has it */
        (void) sigprocmask(SIG_SETMASK, &all, NULL);
        (void) signal(SIGPIPE, SIG_IGN);
}

int main(void)
{
        const TTest *const tests[] = {pipe_and_end, file,     nobody_reads,
                                      nonblocking,  failures, holds_nothing_else};

        block_all();
        return test_run("tee", tests, sizeof(tests) / sizeof(tests[0]));
}
