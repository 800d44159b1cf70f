/* reeve's own log: lines on stderr. PID 1 must never wait for whoever reads them, and must not change the
 * inherited description either: O_NONBLOCK is a flag of the open file, not of the descriptor, and the main
 * job has the same one. So the file is opened once more through /proc/self/fd. Sockets cannot be opened
 * again, but take MSG_DONTWAIT a message; regular files never block, and keep the shared offset, so that
 * reeve's lines and the job's do not overwrite each other. For the rest (a terminal that may not be opened,
 * no /proc yet) poll(2) is asked before each write. The daemon ignores SIGPIPE.
 *
 * A line is one write of less than PIPE_BUF bytes, so a pipe takes it whole or not at all. The one piece of
 * global state of the project is here. */

#include "basic/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "basic/errno-name.h"
#include "basic/fd.h"
#include "basic/parse.h"

#define LOG_LINE_MAX 2048U
#define LOG_RECORD_MAX                                                                                      \
        960U                  /* of the kernel's log: EINVAL for one that is longer, kernel/printk/printk.c \
                               */
#define LOG_FACILITY (3 << 3) /* daemon */
static_assert(LOG_LINE_MAX <= PIPE_BUF, "a line is written whole");

typedef enum LogWay {
        LOG_WAY_WRITE, /* of our own and non-blocking, or one that never blocks */
        LOG_WAY_SEND,
        LOG_WAY_POLL,
        LOG_WAY_KERNEL,
} LogWay;

static struct {
        int fd;
        LogWay way;
        LogLevel level;
        uint64_t lost; /* messages, since the last one that was written */
        bool torn;     /* only the beginning of the last line was taken */
} state = {.fd = -EBADF, .level = LOG_LEVEL_INFO};

void log_close(void)
{
        state.fd = fd_close(state.fd);
        state.lost = 0;
        state.torn = false;
}

int log_open(int fd)
{
        char path[64];
        struct stat st;
        LogWay way = LOG_WAY_WRITE;
        int own = -EBADF;

        if (fstat(fd, &st) < 0)
                return -errno;

        if (S_ISSOCK(st.st_mode))
                way = LOG_WAY_SEND;
        else if (!S_ISREG(st.st_mode)) {
                snprintf(path, sizeof(path), "/proc/self/fd/%i", fd);
                own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
                if (own < 0)
                        way = LOG_WAY_POLL;
        }
        if (own < 0) {
                /* 3: the numbers of stdio stay free for what is put there. */
                own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                if (own < 0)
                        return -errno;
        }

        log_close();
        state.fd = own;
        state.way = way;
        return 0;
}

int log_open_kernel_take(int fd)
{
        int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        int r = own < 0 ? -errno : 0;

        fd_close(fd);
        if (r < 0)
                return r;
        log_close();
        state.fd = own;
        state.way = LOG_WAY_KERNEL;
        return 0;
}

void log_set_level(LogLevel level)
{
        state.level = level;
}

LogLevel log_level(void)
{
        return state.level;
}

int log_level_from_string(const char *s)
{
        static const char *const names[] = {
                        [LOG_LEVEL_ERROR] = "err",     [LOG_LEVEL_WARNING] = "warning",
                        [LOG_LEVEL_NOTICE] = "notice", [LOG_LEVEL_INFO] = "info",
                        [LOG_LEVEL_DEBUG] = "debug",
        };
        uint64_t n;

        if (parse_u64(s, &n) >= 0)
                return n >= LOG_LEVEL_ERROR && n <= LOG_LEVEL_DEBUG ? (int) n : -EINVAL;
        for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++)
                if (streq(s, names[i]))
                        return i;
        return -EINVAL;
}

static ssize_t log_write(const char *line, size_t size)
{
        struct pollfd p = {.fd = state.fd, .events = POLLOUT};

        if (state.way == LOG_WAY_SEND)
                return send(state.fd, line, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (state.way == LOG_WAY_POLL && (poll(&p, 1, 0) <= 0 || !(p.revents & POLLOUT)))
                return -1;
        return write(state.fd, line, size);
}

void log_raw(const char *line, size_t size)
{
        static const char priority[] = "<27>"; /* daemon, error */
        struct iovec record[] = {{(char *) priority, sizeof(priority) - 1}, {(char *) line, size}};

        if (state.fd < 0)
                return;
        if (state.way == LOG_WAY_KERNEL)
                (void) !writev(state.fd, record, 2);
        else
                (void) log_write(line, size);
}

/* One line at most: what a client named must not look like a message of its own, nor move a terminal's
 * cursor. */
static void blank_control_characters(char *s)
{
        for (; *s; s++)
                if ((unsigned char) *s < 0x20 || *s == 0x7f)
                        *s = '?';
}

/* What stands before a message: of the kernel's records each is one message. */
static int log_begin(char line[static LOG_LINE_MAX], LogLevel level)
{
        char lost[64] = "";
        bool kernel = state.way == LOG_WAY_KERNEL;

        if (state.lost > 0)
                snprintf(lost, sizeof(lost), "reeve: %" PRIu64 " message%s lost%s", state.lost,
                         state.lost == 1 ? "" : "s", kernel ? "; " : "\n");
        if (kernel)
                return snprintf(line, LOG_LINE_MAX, "<%d>%sreeve: ", LOG_FACILITY | (int) level, lost);
        return snprintf(line, LOG_LINE_MAX, "%s%sreeve: ", state.torn ? "\n" : "", lost);
}

static size_t log_format(char line[static LOG_LINE_MAX], LogLevel level, int error, const char *format,
                         va_list ap)
{
        size_t room, n, max = state.way == LOG_WAY_KERNEL ? LOG_RECORD_MAX : LOG_LINE_MAX;
        char reason[96] = "";
        int start;

        if (error != 0)
                snprintf(reason, sizeof(reason), ": %s", errno_text(error));
        start = log_begin(line, level);

        /* The message is what gives way when the line is full; the reason and the newline are always there.
         */
        room = max - start - strlen(reason) - 1;
        if (vsnprintf(line + start, room, format, ap) < 0)
                snprintf(line + start, room, "?");
        blank_control_characters(line + start);
        n = start + strlen(line + start);
        return stpcpy(stpcpy(line + n, reason), "\n") - line;
}

int log_full(LogLevel level, int error, const char *format, ...)
{
        char line[LOG_LINE_MAX];
        int saved = errno;
        va_list ap;
        ssize_t n;
        size_t size;

        if (state.fd < 0 || level > state.level)
                return error;

        va_start(ap, format);
        size = log_format(line, level, error, format, ap);
        va_end(ap);

        n = log_write(line, size);
        if (n == (ssize_t) size) {
                state.lost = 0;
                state.torn = false;
        } else {
                state.lost++;
                state.torn = state.torn || n > 0;
        }
        errno = saved;
        return error;
}
