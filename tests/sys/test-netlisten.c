/* What listens, by real sockets: over netlink, and by procfs where netlink is refused. */

#include "sys/netlisten.h"

#include <arpa/inet.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "rig.h"

/* A listening socket; *ret_port is what the kernel gave. */
static int listen_on(int family, bool v6only, uint16_t *ret_port)
{
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                                  .sin6_addr = v6only ? in6addr_loopback : in6addr_any};
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        bool six = family == AF_INET6;
        int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = v6only;
        socklen_t size = six ? sizeof(v6) : sizeof(v4);
        struct sockaddr *a = six ? (struct sockaddr *) &v6 : (struct sockaddr *) &v4;

        RIG_CHECK(fd >= 0);
        if (six)
                RIG_CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0);
        RIG_CHECK(bind(fd, a, size) == 0 && listen(fd, 5) == 0 && getsockname(fd, a, &size) == 0);
        *ret_port = ntohs(six ? v6.sin6_port : v4.sin_port);
        return fd;
}

static uint64_t inode_of(int fd)
{
        struct stat st;

        RIG_CHECK(fstat(fd, &st) == 0);
        return st.st_ino;
}

/* Whether it is told, with that port, also when only that port is asked for. */
static bool is_told(int fd, uint16_t port)
{
        const uint16_t asked[] = {0, port};
        unsigned told = 0;

        for (size_t i = 0; i < 2; i++) {
                _cleanup_free_ NetListener *all = NULL;
                const NetListener *found;
                size_t n = 0;

                RIG_CHECK(netlisten_read(asked[i], &all, &n) == 0);
                for (size_t k = 1; k < n; k++)
                        RIG_CHECK(all[k - 1].inode <= all[k].inode);
                for (size_t k = 0; asked[i] && k < n; k++)
                        RIG_CHECK(all[k].port == port);
                found = netlisten_find(all, n, inode_of(fd));
                told += found && found->port == port;
        }
        RIG_CHECK(told != 1);
        return told == 2;
}

static int check_all(void *data)
{
        uint16_t port, other;
        int fd, client;
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

        fd = listen_on(AF_INET, false, &port);
        RIG_CHECK(is_told(fd, port));
        /* Neither who is connected to it nor the connection it takes. */
        client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        a.sin_port = htons(port);
        RIG_CHECK(connect(client, (struct sockaddr *) &a, sizeof(a)) == 0);
        RIG_CHECK(!is_told(client, port));
        fd_close(client);
        client = accept(fd, NULL, NULL);
        RIG_CHECK(client >= 0 && !is_told(client, port));
        fd_close(client);
        fd_close(fd);

        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        a.sin_port = 0;
        RIG_CHECK(bind(fd, (struct sockaddr *) &a, sizeof(a)) == 0); /* bound, but it does not listen */
        RIG_CHECK(!is_told(fd, port));
        fd_close(fd);

        for (unsigned v6only = 0; v6only < 2; v6only++) {
                fd = listen_on(AF_INET6, v6only, &other);
                RIG_CHECK(is_told(fd, other));
                fd_close(fd);
        }
        return 0;
}

/* More of them than one part of a dump holds. */
static int check_many(void *data)
{
        enum { N = 1500 };
        static int fds[N];
        static uint16_t ports[N];
        _cleanup_free_ NetListener *all = NULL;
        size_t n = 0;

        for (unsigned i = 0; i < N; i++)
                fds[i] = listen_on(i % 2 ? AF_INET : AF_INET6, i % 3 == 0, &ports[i]);
        RIG_CHECK(netlisten_read(0, &all, &n) == 0);
        RIG_CHECK(n >= N);
        for (unsigned i = 0; i < N; i++) {
                const NetListener *found = netlisten_find(all, n, inode_of(fds[i]));

                RIG_CHECK(found && found->port == ports[i]);
                fd_close(fds[i]);
        }
        return 0;
}

/* socket(AF_NETLINK) fails with that from now on, as in a sandbox. */
static void refuse_netlink(int error)
{
        struct sock_filter filter[] = {
                        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
                        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
                        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) error),
                        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = ELEMENTSOF(filter), .filter = filter};

        RIG_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        RIG_CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
        RIG_CHECK(socket(AF_NETLINK, SOCK_DGRAM, 0) < 0 && errno == error);
}

static int check_without_netlink(void *data)
{
        refuse_netlink(EAFNOSUPPORT);
        return check_all(NULL) | check_many(NULL);
}

static int check_other_namespace(void *data)
{
        _cleanup_free_ NetListener *all = NULL;
        uint16_t port;
        size_t n = 7;
        int fd = listen_on(AF_INET, false, &port);

        if (unshare(CLONE_NEWNET) < 0)
                return 77;
        RIG_CHECK(!is_told(fd, port));
        RIG_CHECK(netlisten_read(0, &all, &n) == 0 && n == 0);
        RIG_CHECK(!netlisten_find(all, n, 1));
        return 0;
}

static int check_no_descriptors(void *data)
{
        NetListener *all = (NetListener *) &all, *before = all;
        size_t n = 7;
        int fd;

        while ((fd = dup(1)) >= 0)
                ;
        RIG_CHECK(errno == EMFILE);
        RIG_CHECK(netlisten_read(0, &all, &n) == -EMFILE && all == before && n == 7);
        return 0;
}

static int check_no_memory(void *data)
{
        uint16_t port;
        int fd = listen_on(AF_INET, false, &port);

        for (unsigned nth = 1, hits = 1; hits > 0; nth++) {
                NetListener *all = NULL;
                size_t n = 0;
                int r;

                alloc_fault_set(nth, 0);
                r = netlisten_read(0, &all, &n);
                hits = alloc_fault_hits();
                alloc_fault_set(0, 0);
                RIG_CHECK(r == (hits ? -ENOMEM : 0));
                free(all);
        }
        fd_close(fd);
        return 0;
}

#define IN_CHILD(name, f)                                                                                   \
        START_TEST(name)                                                                                    \
        {                                                                                                   \
                ck_assert_int_eq(rig_in_child(f, NULL), 0);                                                 \
        }                                                                                                   \
        END_TEST

IN_CHILD(sockets, check_all)
IN_CHILD(many, check_many)
IN_CHILD(without_netlink, check_without_netlink)
IN_CHILD(other_namespace, check_other_namespace)
IN_CHILD(no_descriptors, check_no_descriptors)
IN_CHILD(no_memory, check_no_memory)

RIG_ROOT_MAIN("sys-netlisten", sockets, many, without_netlink, other_namespace, no_descriptors, no_memory)
