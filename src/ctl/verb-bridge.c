/*
 * reevectl bridge: stdin and stdout stand for a connection to reeve, for whoever can start a program where
 * reeve is, and no more (D-Bus addresses "unixexec:", docker exec, ssh). Bytes are copied both ways, each
 * way with a buffer of its own and without ever waiting for one side only: a client may write much before it
 * reads, and the other way round. The open files that stdin and stdout are may be shared with others, so
 * they stay blocking, and no more is written at once than poll(2) has promised room for.
 *
 * Descriptors cannot be copied, so a client must not think they can: its wish to send some is made a word
 * that no D-Bus server knows, and is declined by reeve itself, in the same number of lines.
 */

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/address.h"
#include "basic/fd.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

#define WISH "NEGOTIATE_UNIX_FD\r\n"
#define NO_WISH "NEGOTIATE_NOTHING\r\n"

typedef struct Way {
        int from, to;
        bool eof;    /* nothing more comes; */
        bool closed; /* nobody takes any more */
        size_t begin, end;
        char data[65536];
} Way;

/* The client's side of the authentication: lines, up to BEGIN. */
typedef struct Handshake {
        bool over;
        size_t line; /* where in the buffer the one begins that is not complete */
} Handshake;

static bool is_line(const char *line, size_t length, const char *what)
{
        /* The very first byte of a connection is a NUL, before its first line. */
        if (length > 0 && line[0] == '\0')
                line++, length--;
        return length == strlen(what) && memcmp(line, what, length) == 0;
}

/* Looks at the lines that are complete, and lets them through. */
static void handshake_look(Handshake *h, Way *up)
{
        char *newline;

        while (!h->over && (newline = memchr(up->data + h->line, '\n', up->end - h->line))) {
                char *line = up->data + h->line;
                size_t length = (size_t) (newline - line) + 1;

                if (is_line(line, length, WISH))
                        memcpy(newline + 1 - strlen(WISH), NO_WISH, strlen(WISH));
                h->over = is_line(line, length, "BEGIN\r\n");
                h->line += length;
        }
        if (up->end - h->line == sizeof(up->data)) /* no line is that long: it is no D-Bus */
                h->over = true;
}

/* What may be written now. */
static size_t way_ready(const Way *w, const Handshake *h)
{
        return (h && !h->over && !w->eof ? h->line : w->end) - w->begin;
}

static size_t way_room(const Way *w)
{
        return w->eof || w->closed ? 0 : sizeof(w->data) - w->end;
}

/* h: of the way up, else NULL. */
static void way_compact(Way *w, Handshake *h)
{
        if (w->begin == 0 || (w->begin < w->end && w->end < sizeof(w->data)))
                return;
        memmove(w->data, w->data + w->begin, w->end - w->begin);
        w->end -= w->begin;
        if (h)
                h->line -= MIN(h->line, w->begin);
        w->begin = 0;
}

static void way_read(Way *w)
{
        ssize_t n = read(w->from, w->data + w->end, sizeof(w->data) - w->end);

        if (n > 0)
                w->end += (size_t) n;
        else if (n == 0 || (errno != EINTR && errno != EAGAIN))
                w->eof = true;
}

static void way_write(Way *w, Handshake *h)
{
        size_t size = way_ready(w, h);
        ssize_t n = send(w->to, w->data + w->begin, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == ENOTSOCK) /* a pipe that is writable has room for that much */
                n = write(w->to, w->data + w->begin, MIN(size, (size_t) PIPE_BUF));
        if (n < 0) {
                w->closed = errno != EINTR && errno != EAGAIN;
                return;
        }
        w->begin += (size_t) n;
        way_compact(w, h);
}

static struct pollfd poll_for(int fd, bool in, bool out)
{
        return (struct pollfd){.fd = fd, .events = (short) ((in ? POLLIN : 0) | (out ? POLLOUT : 0))};
}

/* Until reeve has closed its side, and all of it was passed on. */
static int copy(int fd, Way *up, Way *down)
{
        Handshake h = {0};
        bool up_ended = false;

        while (!down->closed && !(down->eof && way_ready(down, NULL) == 0)) {
                bool take = way_room(up) > 0, give = way_ready(down, NULL) > 0;
                bool get = way_room(down) > 0, put = !up->closed && way_ready(up, &h) > 0;
                struct pollfd p[] = {
                                poll_for(take ? up->from : -1, take, false),
                                poll_for(get || put ? fd : -1, get, put),
                                poll_for(down->to, false, give), /* or for its reader to go */
                };

                if (poll(p, ELEMENTSOF(p), -1) < 0 && errno != EINTR)
                        return -errno;
                if (take && p[0].revents) {
                        way_read(up);
                        handshake_look(&h, up);
                        way_compact(up, &h);
                }
                if (get && (p[1].revents & ~POLLOUT)) {
                        way_read(down);
                        way_compact(down, NULL);
                }
                if (put && (p[1].revents & ~POLLIN))
                        way_write(up, &h);
                if (give && p[2].revents)
                        way_write(down, NULL);
                else if (p[2].revents & (POLLERR | POLLHUP | POLLNVAL))
                        down->closed = true;
                if (up->eof && way_ready(up, &h) == 0 && !up_ended) {
                        (void) shutdown(fd, SHUT_WR);
                        up_ended = true;
                }
        }
        return 0;
}

static int connect_to(const Client *c, int *ret_fd)
{
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -EBADF;
        int n;

        n = address_parse_unix(c->address, true, sa.sun_path, sizeof(sa.sun_path));
        if (n < 0)
                return client_unreachable(c, n);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &sa,
                              (socklen_t) (offsetof(struct sockaddr_un, sun_path) + (size_t) n +
                                           (sa.sun_path[0] != '\0'))) < 0)
                return client_unreachable(c, -errno);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int verb_bridge(const Verb *verb, Client *c, char **args)
{
        static Way up, down; /* too large for a stack that one does not know */
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        r = connect_to(c, &fd);
        if (r < 0)
                return r;
        up.from = STDIN_FILENO;
        down.to = STDOUT_FILENO;
        up.to = down.from = fd;
        r = copy(fd, &up, &down);
        if (r < 0)
                return fail_errno(r, "cannot wait for input");
        if (down.closed)
                return CLOSED;
        return up.eof ? 0 : fail("reeve at %s closed the connection", c->address);
}
