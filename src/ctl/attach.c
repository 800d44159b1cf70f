/*
 * Three things at once: the log comes over pipes (FollowLog), input goes by calls of which one is under way
 * at a time, and a Wait tells of the end. What was read here and not taken there yet is one piece; until it
 * is taken no more is read, so that who feeds a job that does not read is held up here, as by a pipe.
 *
 * The command has ended when its leader has; what it wrote is in the log by then, and is on its way to here.
 * A process that keeps the terminal could keep us for ever: so when nothing has come for a moment after the
 * end, that was all.
 */

#include "ctl/attach.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/time.h"
#include "ctl/client.h"
#include "ctl/log-page.h"
#include "ctl/outcome.h"
#include "ctl/output.h"

#define PIECE ((size_t) 4096)
#define RETRY_USEC (20 * USEC_PER_MSEC)
#define QUIET_USEC (100 * USEC_PER_MSEC)
#define ESCAPE 0x1d /* ^] */
#define ESCAPE_COUNT 3U
#define ESCAPE_USEC USEC_PER_SEC

typedef struct Attach {
        Client *c;
        Terminal *t;
        const AttachRequest *request;
        int follow[2]; /* to 1 and 2; -EBADF: at its end */

        char piece[PIECE];
        size_t size, taken;
        bool reading;  /* stdin has more */
        char last;     /* that was read; '\0': nothing yet */
        unsigned ends; /* end-of-file characters to be sent yet: the last piece was the end */
        bool calling;  /* a WriteInput is under way */
        usec_t retry;  /* when the next may be; 0: at once */

        unsigned escapes;
        usec_t first_escape;

        bool exited;  /* its leader has */
        bool held;    /* and somebody still has its output open */
        usec_t quiet; /* then no more is waited for, after that */
        int status;   /* of the command */
        bool detached;
        int error; /* of output.h */
} Attach;

static usec_t now_monotonic(void)
{
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / 1000;
}

static int message_new(Attach *a, const char *member, sd_bus_message **ret)
{
        return client_message(a->c, a->request->path, BUS_INTERFACE_JOB, member, ret);
}

static int call_later(Attach *a, sd_bus_message *m, sd_bus_message_handler_t answered)
{
        int r = sd_bus_call_async(a->c->bus, NULL, m, answered, a, UINT64_MAX);

        return r < 0 ? fail_errno(r, "the call of reeve failed") : 0;
}

/* The terminal */

static int ignore_answer(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        return 0;
}

static int send_size(Attach *a)
{
        _cleanup_message_ sd_bus_message *m = NULL;
        unsigned rows, columns;
        int r;

        if (a->request->kind != ATTACH_TTY || !terminal_size(a->t, &rows, &columns))
                return 0;
        r = message_new(a, "ResizeTTY", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "qq", (uint16_t) rows, (uint16_t) columns);
        return r < 0 ? client_message_failed(r) : call_later(a, m, ignore_answer);
}

static int read_signals(Attach *a)
{
        int sig, r = 0;

        while (r >= 0 && (sig = terminal_signal(a->t)) > 0)
                switch (sig) {
                case SIGWINCH:
                case SIGCONT:
                case SIGTSTP: r = send_size(a); break;
                default: a->detached = true; a->status = STATUS_SIGNAL + sig;
                }
        return r;
}

/* Following */

static int open_follow(Attach *a, unsigned streams, int *ret)
{
        const LogRequest request = {.cursor = "", .lines = a->request->lines, .streams = streams};
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r, fd;

        r = message_new(a, "FollowLog", &m);
        if (r < 0)
                return r;
        r = log_request_append(m, &request, "raw");
        if (r < 0)
                return client_message_failed(r);
        r = client_call(a->c, m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_read_basic(reply, 'h', &fd);
        if (r < 0)
                return client_message_failed(r);
        r = *ret = fd_dup(fd);
        return r < 0 ? fail_errno(r, "cannot keep the pipe of the log") : 0;
}

/* A reader that does not read holds up what is shown, and not the signals that end us. */
static int show(Attach *a, int fd, const char *data, size_t size)
{
        int r = 0;

        while (size > 0 && r >= 0 && !a->detached) {
                struct pollfd fds[] = {{.fd = fd, .events = POLLOUT},
                                       {.fd = a->t->signals, .events = POLLIN}};
                size_t n = MIN(size, (size_t) PIPE_BUF);

                if (poll(fds, ELEMENTSOF(fds), -1) < 0) {
                        r = errno == EINTR ? 0 : fail_errno(-errno, "cannot wait");
                        continue;
                }
                if (fds[1].revents)
                        r = read_signals(a);
                else {
                        r = output_bytes(fd, data, n);
                        data += n;
                        size -= n;
                }
        }
        return MIN(r, 0);
}

static void copy_output(Attach *a, size_t i)
{
        char buffer[16384];
        ssize_t n;

        n = read(a->follow[i], buffer, sizeof(buffer));
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0) {
                a->follow[i] = fd_close(a->follow[i]);
                return;
        }
        a->quiet = now_monotonic() + QUIET_USEC;
        a->error = show(a, STDOUT_FILENO + (int) i, buffer, (size_t) n);
}

/* The end */

static int connection_lost(Attach *a)
{
        terminal_restore(a->t);
        return fail("the connection to reeve at %s was lost; the job may run on", a->c->address);
}

static int on_drained(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Attach *a = userdata;

        /* If it is not, there may be no end of what comes; if it is, the pipes will have one. */
        a->held = sd_bus_message_is_method_error(m, NULL);
        a->quiet = now_monotonic() + QUIET_USEC;
        return 0;
}

/* The condition is looked at, and waited for at most `timeout`. */
static int call_wait(Attach *a, const char *until, uint64_t timeout, sd_bus_message_handler_t answered)
{
        _cleanup_message_ sd_bus_message *m = NULL;
        int r;

        r = message_new(a, "Wait", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "a{sv}t", 1, until, "b", 1, timeout);
        return r < 0 ? client_message_failed(r) : call_later(a, m, answered);
}

static int on_exited(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        _cleanup_(properties_done) Properties details = PROPERTIES_INIT;
        Attach *a = userdata;
        int r;

        if (sd_bus_message_is_method_error(m, NULL)) {
                terminal_restore(a->t);
                a->error = sd_bus_is_open(a->c->bus) > 0 ? client_report(a->c, sd_bus_message_get_error(m))
                                                         : connection_lost(a);
                return 0;
        }
        r = sd_bus_message_skip(m, "s");
        if (r >= 0)
                r = properties_read(m, &details);
        if (r < 0) {
                terminal_restore(a->t);
                a->error = client_message_failed(r);
                return 0;
        }
        a->status = outcome_status(properties_string(&details, "Result"),
                                   (int) properties_integer(&details, "ExitCode", -1),
                                   (int) properties_integer(&details, "Signal", 0));
        a->exited = true;
        a->error = call_wait(a, "Drained", 0, on_drained);
        return 0;
}

/* Input */

static int on_written(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
        Attach *a = userdata;
        uint64_t accepted = 0;

        a->calling = false;
        /* A full terminal has no room for its end-of-file character. */
        if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_LIMITS_EXCEEDED) > 0) {
                a->retry = now_monotonic() + RETRY_USEC;
                return 0;
        }
        if (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read_basic(m, 't', &accepted) < 0) {
                /* Nobody reads any more: nothing is to be sent. The end, if that is why, is told otherwise.
                 */
                a->reading = false;
                a->size = a->taken = 0;
                a->ends = 0;
                return 0;
        }
        a->taken += MIN((size_t) accepted, a->size - a->taken);
        if (a->taken < a->size) {
                a->retry = accepted > 0 ? 0 : now_monotonic() + RETRY_USEC;
                return 0;
        }
        a->size = a->taken = 0;
        a->retry = 0;
        if (a->ends > 0)
                a->ends--;
        return 0;
}

static int write_input(Attach *a)
{
        _cleanup_message_ sd_bus_message *m = NULL;
        int r;

        r = message_new(a, "WriteInput", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append_array(m, 'y', a->piece + a->taken, a->size - a->taken);
        if (r >= 0)
                r = sd_bus_message_append(m, "b", (int) (a->ends > 0));
        if (r < 0)
                return client_message_failed(r);
        a->calling = true;
        return call_later(a, m, on_written);
}

static bool has_input(const Attach *a)
{
        return a->size > a->taken || a->ends > 0;
}

/* Whether the user has pressed the keys that detach. They go to the job, too, but the last. */
static bool look_for_escape(Attach *a, size_t size)
{
        for (size_t i = 0; i < size; i++) {
                usec_t now;

                if (a->piece[i] != ESCAPE) {
                        a->escapes = 0;
                        continue;
                }
                now = now_monotonic();
                if (a->escapes == 0 || now - a->first_escape > ESCAPE_USEC) {
                        a->escapes = 0;
                        a->first_escape = now;
                }
                if (++a->escapes >= ESCAPE_COUNT)
                        return true;
        }
        return false;
}

static void read_input(Attach *a)
{
        ssize_t n = read(STDIN_FILENO, a->piece, sizeof(a->piece));

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n <= 0) {
                a->reading = false;
                if (a->t->is_raw) /* it hung up */
                        a->detached = true;
                else /* behind an unfinished line the first one only hands that on, see termios(3) */
                        a->ends = a->last == '\0' || a->last == '\n' ? 1 : 2;
                return;
        }
        if (terminal_has_keys(a->t) && look_for_escape(a, (size_t) n)) {
                a->detached = true;
                return;
        }
        a->size = (size_t) n;
        a->taken = 0;
        a->last = a->piece[n - 1];
}

/* The loop */

static bool is_over(const Attach *a)
{
        if (a->error < 0 || a->detached)
                return true;
        if (!a->exited)
                return false;
        return (a->follow[0] < 0 && a->follow[1] < 0) ||
               (!a->request->exited && a->held && now_monotonic() >= a->quiet);
}

static usec_t next_deadline(const Attach *a)
{
        usec_t next = USEC_INFINITY, bus = USEC_INFINITY;

        if (has_input(a) && !a->calling)
                next = a->retry;
        if (a->held && !a->request->exited)
                next = MIN(next, a->quiet);
        if (sd_bus_get_timeout(a->c->bus, &bus) >= 0)
                next = MIN(next, bus);
        return next;
}

static int wait_for_something(Attach *a)
{
        struct pollfd fds[] = {
                        {.fd = a->follow[0], .events = POLLIN},
                        {.fd = a->follow[1], .events = POLLIN},
                        {.fd = a->reading && !has_input(a) && !a->calling ? STDIN_FILENO : -1,
                         .events = POLLIN},
                        {.fd = a->t->signals, .events = POLLIN},
                        {.fd = sd_bus_get_fd(a->c->bus), .events = (short) sd_bus_get_events(a->c->bus)},
        };
        usec_t deadline = next_deadline(a), now = now_monotonic();
        usec_t left = usec_sub(deadline, now);
        int timeout = deadline == USEC_INFINITY ? -1 : (int) MIN((left + 999) / 1000, (usec_t) 60000);

        if (poll(fds, ELEMENTSOF(fds), timeout) < 0)
                return errno == EINTR ? 0 : fail_errno(-errno, "cannot wait");
        for (size_t i = 0; i < 2; i++)
                if (fds[i].revents && a->error >= 0)
                        copy_output(a, i);
        if (fds[2].revents)
                read_input(a);
        return fds[3].revents ? read_signals(a) : 0;
}

static int turn(Attach *a)
{
        int r;

        do
                r = sd_bus_process(a->c->bus, NULL);
        while (r > 0 && a->error >= 0);
        if (r < 0)
                return connection_lost(a);
        if (is_over(a))
                return 0;
        if (has_input(a) && !a->calling && now_monotonic() >= a->retry) {
                r = write_input(a);
                if (r < 0)
                        return r;
        }
        return wait_for_something(a);
}

static int begin(Attach *a)
{
        bool split = a->request->kind != ATTACH_TTY;
        int r;

        r = open_follow(a, split ? STREAM_MASK(STREAM_STDOUT) : STREAM_MASK_OUTPUT, &a->follow[0]);
        if (r >= 0 && split)
                r = open_follow(a, STREAM_MASK(STREAM_STDERR), &a->follow[1]);
        if (r >= 0)
                r = call_wait(a, "Exited", UINT64_MAX, on_exited);
        if (r >= 0)
                r = send_size(a);
        if (r >= 0 && a->request->kind == ATTACH_TTY)
                r = terminal_set_raw(a->t);
        return r;
}

int attach(Client *c, Terminal *t, const AttachRequest *request)
{
        Attach a = {
                        .c = c,
                        .t = t,
                        .request = request,
                        .follow = {-EBADF, -EBADF},
                        .reading = request->kind != ATTACH_OUTPUT,
        };
        int r;

        r = begin(&a);
        while (r >= 0 && !is_over(&a))
                r = turn(&a);
        terminal_restore(t);
        fd_close(a.follow[0]);
        fd_close(a.follow[1]);
        if (r < 0 || a.error < 0)
                return r < 0 ? r : a.error;
        if (a.detached) {
                remark("detached; the job goes on: reevectl attach %s", request->id);
                return a.status;
        }
        return a.status == FAILED ? fail("how the command ended is not known") : a.status;
}
