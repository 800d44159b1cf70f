/*
 * Two dumps over netlink, one a family: the kernel picks the listening sockets (and the port) itself, so the
 * answer is as short as what listens, however many connections there are. A dump is made as it is received:
 * each recv(2) finds its part ready, and there is nothing to wait for.
 *
 * Where the kernel has no sock_diag(7), or a filter refuses it, the tables of procfs say the same. Linux
 * begins them with what listens, other kernels do not: so some lines of another state are passed over, and
 * where there are more the reading ends.
 */

#include "sys/netlisten.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"

#define DUMP_PART_SIZE 32768U
#define PROC_PART_SIZE 16384U
#define PROC_OTHERS_MAX 4096U /* lines of sockets that do not listen */

typedef struct Listeners {
        NetListener *items;
        size_t n, allocated;
} Listeners;

static void listeners_done(Listeners *l)
{
        free(l->items);
}

static int listeners_add(Listeners *l, uint16_t port, uint64_t inode)
{
        if (l->n == NETLISTEN_MAX)
                return -E2BIG;
        if (l->n == l->allocated) {
                size_t n = l->allocated ? l->allocated * 2 : 32;
                NetListener *items = alloc_resize(l->items, n, sizeof(NetListener));

                if (!items)
                        return -ENOMEM;
                l->items = items;
                l->allocated = n;
        }
        l->items[l->n++] = (NetListener){.inode = inode, .port = port};
        return 0;
}

static int ask(int fd, int family, uint16_t port)
{
        struct {
                struct nlmsghdr header;
                struct inet_diag_req_v2 request;
        } m = {
                        .header = {.nlmsg_len = sizeof(m),
                                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                        .request = {.sdiag_family = (uint8_t) family,
                                    .sdiag_protocol = IPPROTO_TCP,
                                    .idiag_states = 1U << TCP_LISTEN,
                                    .id.idiag_sport = htons(port)},
        };
        ssize_t n = send(fd, &m, sizeof(m), MSG_NOSIGNAL);

        return n < 0 ? -errno : 0;
}

/* 1: that was the end of the dump. */
static int take_message(Listeners *l, const struct nlmsghdr *h)
{
        const struct inet_diag_msg *m = NLMSG_DATA(h);

        if (h->nlmsg_type == NLMSG_DONE)
                return 1;
        if (h->nlmsg_type == NLMSG_ERROR) {
                const struct nlmsgerr *e = NLMSG_DATA(h);

                if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) || e->error >= 0)
                        return -EBADMSG;
                return e->error;
        }
        if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
                return 0;
        if (m->idiag_state != TCP_LISTEN)
                return 0;
        return listeners_add(l, ntohs(m->id.idiag_sport), m->idiag_inode);
}

static int take_dump(int fd, Listeners *l, char *part)
{
        for (;;) {
                ssize_t size = recv(fd, part, DUMP_PART_SIZE, MSG_DONTWAIT);
                const struct nlmsghdr *h = (const struct nlmsghdr *) part;

                if (size < 0 && errno == EINTR)
                        continue;
                if (size <= 0)
                        return size < 0 ? -errno : -EBADMSG;
                for (size_t left = (size_t) size; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
                        int r = take_message(l, h);

                        if (r != 0)
                                return r < 0 ? r : 0;
                }
        }
}

static int read_netlink(Listeners *l, uint16_t port, char *part)
{
        static const int families[] = {AF_INET, AF_INET6};
        _cleanup_close_ int fd =
                        socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);

        if (fd < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(families); i++) {
                int r = ask(fd, families[i], port);

                if (r >= 0)
                        r = take_dump(fd, l, part);
                /* A kernel without IPv6 has nothing to say of it. */
                if (r < 0 && !(families[i] == AF_INET6 && r == -ENOENT))
                        return r;
        }
        return 0;
}

/* 1: it is of a socket that does not listen. */
static int take_line(Listeners *l, const char *line, uint16_t port)
{
        unsigned found, state;
        uint64_t inode;

        /* sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode */
        if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %" SCNu64, &found,
                   &state, &inode) != 3)
                return 0; /* the heading */
        if (state != TCP_LISTEN)
                return 1;
        return port == 0 || found == port ? listeners_add(l, (uint16_t) found, inode) : 0;
}

static int read_table(Listeners *l, const char *path, uint16_t port, char *part)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        unsigned others = 0;
        size_t held = 0;

        if (fd < 0)
                return -errno;
        for (;;) {
                ssize_t n = read(fd, part + held, PROC_PART_SIZE - held - 1);
                char *line = part, *end;

                if (n <= 0)
                        return n < 0 ? -errno : 0;
                part[held + (size_t) n] = '\0';
                for (; (end = strchr(line, '\n')); line = end + 1) {
                        int r;

                        *end = '\0';
                        r = take_line(l, line, port);
                        if (r < 0)
                                return r;
                        others += (unsigned) r;
                        if (others > PROC_OTHERS_MAX)
                                return 0;
                }
                held = strlen(line);
                if (held >= PROC_PART_SIZE - 1)
                        return -EBADMSG;
                memmove(part, line, held);
        }
}

static int read_procfs(Listeners *l, uint16_t port, char *part)
{
        int r;

        r = read_table(l, "/proc/net/tcp", port, part);
        if (r < 0)
                return r;
        r = read_table(l, "/proc/net/tcp6", port, part);
        return r == -ENOENT ? 0 : r;
}

static int compare(const void *a, const void *b)
{
        const NetListener *x = a, *y = b;

        return (x->inode > y->inode) - (x->inode < y->inode);
}

int netlisten_read(uint16_t port, NetListener **ret, size_t *ret_n)
{
        _cleanup_(listeners_done) Listeners l = {0};
        _cleanup_free_ char *part = alloc_zero(DUMP_PART_SIZE);
        int r;

        if (!part)
                return -ENOMEM;
        r = read_netlink(&l, port, part);
        if (r < 0 && r != -ENOMEM && r != -E2BIG && r != -EMFILE && r != -ENFILE) {
                l.n = 0;
                r = read_procfs(&l, port, part);
        }
        if (r < 0)
                return r;
        if (l.n > 0)
                qsort(l.items, l.n, sizeof(NetListener), compare);
        *ret = TAKE_PTR(l.items);
        *ret_n = l.n;
        return 0;
}

const NetListener *netlisten_find(const NetListener *listeners, size_t n, uint64_t inode)
{
        const NetListener key = {.inode = inode};

        return n > 0 ? bsearch(&key, listeners, n, sizeof(NetListener), compare) : NULL;
}
