/*
 * A copy of PID 1 that reads the folders. It allocates, which a copy may, since PID 1 has no threads; and
 * it keeps all signals blocked, so that only SIGKILL ends it.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "sys/pidref.h"
#include "sys/unit-files.h"
#include "sys/worker.h"

static _Noreturn void work(int out, const char *const *folders)
{
        Buffer block = BUFFER_INIT;
        const char *p;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        (void) prctl(PR_SET_NAME, "reeve-units", 0, 0, 0);
        if (out != STDIN_FILENO && dup2(out, STDIN_FILENO) < 0)
                _exit(1);
        worker_close_from(STDIN_FILENO + 1);
        if (unit_files_collect(folders, &block) < 0)
                _exit(1);
        p = block.data;
        while (block.size > 0) {
                ssize_t n = write(STDIN_FILENO, p, block.size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        _exit(1);
                p += n;
                block.size -= (size_t) n;
        }
        _exit(0);
}

int unit_files_start(const char *const *folders, PidRef *ret_worker, int *ret_fd)
{
        _cleanup_close_ int in = -EBADF, out = -EBADF;
        int fds[2];
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        in = fds[0];
        out = fds[1];
        if (fcntl(in, F_SETFL, O_RDONLY | O_NONBLOCK) < 0)
                return -errno;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                work(out, folders);
        *ret_worker = (PidRef){.pid = pid, .fd = -EBADF};
        (void) pidref_open(pid, ret_worker); /* it is not reaped before we return */
        *ret_fd = TAKE_FD(in);
        return 0;
}
