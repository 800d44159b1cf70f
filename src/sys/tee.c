/*
 * Why a process: the descriptor may be anything. The flags of an open file are shared with the caller, so
 * O_NONBLOCK is not ours to set; poll(2) says of a pipe that it takes something, not how much; what is true
 * of sockets (MSG_DONTWAIT) and of pipes (opened anew) is not of a file, whose file system may be a program
 * in the very sandbox, and stand still. So the one that may wait is not PID 1. It is a copy of PID 1 that
 * never execs: it closes everything but its two descriptors first, calls only what signal-safety(7) allows,
 * and keeps all signals blocked, so that only SIGKILL ends it.
 */

#include "sys/tee.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "sys/pidref.h"
#include "sys/worker.h"

/* What a pipe takes whole or not at all, and so, as it happens, do local sockets: a write that waits when
 * the process is killed has taken nothing then, and the count is right to the byte. (A terminal may have
 * shown a part of it.) */
#define PIECE ((size_t) PIPE_BUF)

/* What the process says: so much was taken, or that error came. */
typedef struct Report {
        uint32_t taken;
        int32_t error;
} Report;

static void report(uint32_t taken, int error)
{
        const Report r = {.taken = taken, .error = error};

        /* Nobody is there any more: then there is nothing to be said. */
        if (write(STDIN_FILENO, &r, sizeof(r)) != (ssize_t) sizeof(r))
                _exit(1);
}

static void write_all(const char *data, size_t size)
{
        while (size > 0) {
                ssize_t n = write(STDOUT_FILENO, data, size);

                if (n < 0 && errno == EAGAIN) { /* the caller has it non-blocking */
                        struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

                        (void) poll(&p, 1, -1);
                        continue;
                }
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0) {
                        report(0, n < 0 ? errno : EIO);
                        _exit(1);
                }
                report((uint32_t) n, 0);
                data += n;
                size -= (size_t) n;
        }
}

static _Noreturn void work(int socket, int target)
{
        char piece[PIECE];

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        (void) prctl(PR_SET_NAME, "reeve-tee", 0, 0, 0);
        /* Both are above 2. */
        if (dup2(socket, STDIN_FILENO) < 0 || dup2(target, STDOUT_FILENO) < 0)
                _exit(1);
        worker_close_from(STDERR_FILENO);
        for (;;) {
                ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        _exit(0);
                write_all(piece, (size_t) n);
        }
}

static int check_writable(int fd)
{
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0)
                return -errno;
        return (flags & O_PATH) || (flags & O_ACCMODE) == O_RDONLY ? -EBADF : 0;
}

static int socket_above_stdio_take(int fd)
{
        int copy;

        if (fd > 2)
                return fd;
        copy = fd_dup(fd);
        fd_close(fd);
        return copy;
}

int tee_start(int target, PidRef *ret_worker, int *ret_fd)
{
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        int fds[2], r;
        pid_t pid;

        r = check_writable(target);
        if (r < 0)
                return r;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;
        ours = fds[0];
        theirs = socket_above_stdio_take(fds[1]);
        if (theirs < 0)
                return theirs;
        if (fcntl(ours, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
                return -errno;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                work(theirs, target);
        *ret_worker = (PidRef){.pid = pid, .fd = -EBADF};
        (void) pidref_open(pid, ret_worker); /* it is not reaped before we return */
        *ret_fd = TAKE_FD(ours);
        return 0;
}

ssize_t tee_send(int fd, const void *data, size_t size)
{
        ssize_t n = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0)
                return errno == EINTR ? -EAGAIN : errno == ECONNRESET ? -EPIPE : -errno;
        return n;
}

void tee_send_end(int fd)
{
        (void) shutdown(fd, SHUT_WR);
}

int tee_receive(int fd, uint64_t *ret_taken, int *ret_error)
{
        Report reports[64];
        uint64_t taken = 0;
        ssize_t n;

        n = recv(fd, reports, sizeof(reports), MSG_DONTWAIT);
        if (n < 0)
                return errno == EINTR ? -EAGAIN : errno == ECONNRESET ? -EPIPE : -errno;
        if (n == 0)
                return -EPIPE;
        *ret_error = 0;
        /* Each was written whole, into a socket that holds whole ones: no half one can come. */
        for (size_t i = 0; i < (size_t) n / sizeof(Report); i++) {
                taken += reports[i].taken;
                if (reports[i].error > 0)
                        *ret_error = reports[i].error;
        }
        *ret_taken = taken;
        return 0;
}
