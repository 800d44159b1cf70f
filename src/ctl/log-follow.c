/*
 * reeve formats, this copies. While nothing comes it also looks at stdout: of `reevectl logs -f | head -1`
 * the one that has had its line is gone, and nothing else would tell.
 */

#include "ctl/log-follow.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "basic/fd.h"
#include "ctl/client.h"
#include "ctl/output.h"

#define BUFFER_SIZE ((size_t) 64 * 1024)

/* The pipe: a descriptor of its own. */
static int open_pipe(Client *c, const char *path, const LogRequest *request, LogFormat f, int *ret)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r, fd;

        r = client_message(c, path, BUS_INTERFACE_JOB, "FollowLog", &m);
        if (r < 0)
                return r;
        r = log_request_append(m, request, log_format_to_string(f));
        if (r < 0)
                return client_message_failed(r);
        r = client_call(c, m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "h", &fd);
        if (r < 0)
                return client_message_failed(r);
        fd = fd_dup(fd);
        if (fd < 0)
                return fail_errno(fd, "cannot keep the pipe");
        *ret = fd;
        return 0;
}

/* Until there is something to read. */
static int wait_for_more(int fd)
{
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};

        while (poll(fds, ELEMENTSOF(fds), -1) < 0)
                if (errno != EINTR)
                        return fail_errno(-errno, "cannot wait for the log");
        return fds[1].revents & POLLERR ? CLOSED : 0;
}

int log_follow(Client *c, const char *path, const LogRequest *request, LogFormat f)
{
        _cleanup_close_ int fd = -EBADF;
        char buffer[BUFFER_SIZE];
        int r;

        r = open_pipe(c, path, request, f, &fd);
        while (r >= 0) {
                ssize_t n;

                r = wait_for_more(fd);
                if (r < 0)
                        break;
                n = read(fd, buffer, sizeof(buffer));
                if (n == 0)
                        return 0;
                if (n < 0 && errno != EINTR)
                        return fail_errno(-errno, "cannot read the log");
                if (n > 0)
                        r = output_bytes(STDOUT_FILENO, buffer, (size_t) n);
        }
        return r;
}
