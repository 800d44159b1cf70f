/*
 * stdout is for what was asked, stderr for everything else, and both are written with write(2): the output
 * of a command goes through here, and stdio would neither keep its bytes in step nor tell a full disk from a
 * closed pipe.
 */

#include "ctl/output.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/errno-name.h"
#include "basic/parse.h"
#include "ctl/json.h"
#include "ctl/text.h"
#include "ctl/verbs.h"

static bool errors_as_json;

void output_set_json(bool json)
{
        errors_as_json = json;
}

static int write_all(int fd, const char *data, size_t size)
{
        while (size > 0) {
                ssize_t n = write(fd, data, size);

                if (n >= 0) {
                        data += n;
                        size -= n;
                } else if (errno == EAGAIN) {
                        struct pollfd p = {.fd = fd, .events = POLLOUT};

                        if (poll(&p, 1, -1) < 0 && errno != EINTR)
                                return -errno;
                } else if (errno != EINTR)
                        return -errno;
        }
        return 0;
}

/* name and hint may be NULL. A failure to write to stderr has nowhere to be said. */
static void print_error(const char *name, const char *message, const char *hint)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        const char *dot = name ? strrchr(name, '.') : NULL;

        if (errors_as_json) {
                buffer_append_string(&b, "{\"error\":");
                name ? json_string(&b, name) : buffer_append_string(&b, "null");
                buffer_append_string(&b, ",\"message\":");
                json_string(&b, message);
                if (hint) {
                        buffer_append_string(&b, ",\"hint\":");
                        json_string(&b, hint);
                }
                buffer_append_string(&b, "}\n");
        } else {
                buffer_append_string(&b, "reevectl: ");
                text_escape(&b, message);
                if (name)
                        buffer_printf(&b, " (%s)", dot ? dot + 1 : name);
                buffer_append_string(&b, "\n");
                if (hint)
                        buffer_printf(&b, "%s\n", hint);
        }
        write_all(STDERR_FILENO, b.data, b.size);
}

static void print_error_format(int error, const char *hint, const char *format, va_list ap)
{
        _cleanup_free_ char *message = NULL, *full = NULL;

        message = str_vprintf(format, ap);
        if (message && error < 0)
                full = str_printf("%s: %s", message, errno_text(error));
        print_error(NULL, full ?: message ?: "out of memory", hint);
}

int fail(const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        print_error_format(0, NULL, format, ap);
        va_end(ap);
        return FAILED;
}

int fail_errno(int error, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        print_error_format(error, NULL, format, ap);
        va_end(ap);
        return FAILED;
}

int fail_bus(const char *name, const char *message, const char *hint)
{
        print_error(name, message, hint);
        return FAILED;
}

int misuse(const Verb *verb, const char *format, ...)
{
        _cleanup_free_ char *hint = NULL;
        va_list ap;

        hint = str_printf("Try: reevectl%s%s --help", verb ? " " : "", verb ? verb->name : "");
        va_start(ap, format);
        print_error_format(0, hint, format, ap);
        va_end(ap);
        return MISUSED;
}

void remark(const char *format, ...)
{
        va_list ap;

        if (errors_as_json)
                return;
        va_start(ap, format);
        print_error_format(0, NULL, format, ap);
        va_end(ap);
}

int output_bytes(int fd, const void *data, size_t size)
{
        int r;

        r = write_all(fd, data, size);
        if (r == -EPIPE)
                return CLOSED;
        if (r < 0)
                return fail_errno(r, "cannot write to %s", fd == STDOUT_FILENO ? "stdout" : "stderr");
        return 0;
}

int output_buffer(Buffer *b)
{
        if (b->error < 0)
                return fail_errno(b->error, "cannot make the output");
        return output_bytes(STDOUT_FILENO, b->data, b->size);
}

/* Of `reevectl monitor | grep -m1 web` the one that has had its line is gone, and nothing else would tell.
 */
int output_wait(int fd, short events)
{
        struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = STDOUT_FILENO}};

        while (poll(fds, ELEMENTSOF(fds), -1) < 0)
                if (errno != EINTR)
                        return fail_errno(-errno, "cannot wait for what is to be shown");
        return fds[1].revents & POLLERR ? CLOSED : 0;
}

size_t output_columns(void)
{
        const char *columns = getenv("COLUMNS");
        struct winsize size;
        uint64_t n;

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
                return 0;
        if (size.ws_col > 0)
                return size.ws_col;
        return columns && parse_u64(columns, &n) == 0 && n > 0 ? n : 80;
}

usec_t now_realtime(void)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return t.tv_sec * USEC_PER_SEC + t.tv_nsec / NSEC_PER_USEC;
}
