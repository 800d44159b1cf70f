/*
 * reeve formats, this copies (raw, where it could not say what was lost, is made here). While nothing comes
 * it also looks at stdout: of `reevectl logs -f | head -1` the one that has had its line is gone, and
 * nothing else would tell.
 */

#include "ctl/log-follow.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "basic/buffer.h"
#include "basic/fd.h"
#include "ctl/client.h"
#include "ctl/log-raw.h"
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

/* raw NULL: as it comes. */
static int copy(LogRaw *raw, const char *data, size_t size)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        uint64_t lost;
        int r;

        if (!raw)
                return output_bytes(STDOUT_FILENO, data, size);
        lost = raw->lost;
        r = log_raw_feed(raw, data, size, &b);
        if (r < 0)
                return fail_errno(r, "cannot read the log");
        if (raw->lost > lost)
                remark("%" PRIu64 " bytes of the log are no longer held", raw->lost - lost);
        return output_buffer(&b);
}

int log_follow(Client *c, const char *path, const LogRequest *request, LogFormat f)
{
        _cleanup_(log_raw_done) LogRaw raw = {0};
        _cleanup_close_ int fd = -EBADF;
        char buffer[BUFFER_SIZE];
        int r;

        r = open_pipe(c, path, request, f == LOG_FORMAT_RAW ? LOG_FORMAT_EXPORT : f, &fd);
        while (r >= 0) {
                ssize_t n;

                r = output_wait(fd, POLLIN);
                if (r < 0)
                        break;
                n = read(fd, buffer, sizeof(buffer));
                if (n == 0)
                        return 0;
                if (n < 0 && errno != EINTR)
                        return fail_errno(-errno, "cannot read the log");
                if (n > 0)
                        r = copy(f == LOG_FORMAT_RAW ? &raw : NULL, buffer, (size_t) n);
        }
        return r;
}
