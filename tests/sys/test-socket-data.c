/* Bytes and descriptors through sockets: how many come, and that none is ever left over. */

#include "sys/socket-data.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "rig.h"
#include "sys/outlet.h"

static unsigned count_fds(void)
{
        DIR *d = opendir("/proc/self/fd");
        unsigned n = 0;

        ck_assert_ptr_nonnull(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

START_TEST(bytes)
{
        char buf[16];
        size_t none = 0;
        int pair[2];

        ck_assert_int_eq(socket_pair(pair), 0);
        ck_assert_int_ne(fcntl(pair[0], F_GETFD) & FD_CLOEXEC, 0);
        ck_assert_int_ne(fcntl(pair[1], F_GETFL) & O_NONBLOCK, 0);
        ck_assert_int_eq(socket_peek(pair[1], buf, sizeof(buf)), -EAGAIN);
        ck_assert_int_eq(socket_receive(pair[1], buf, sizeof(buf), NULL, &none), -EAGAIN);
        ck_assert_int_eq(socket_is_taken(pair[0]), 1);
        ck_assert_int_eq(socket_send(pair[0], "abcdef", 6, NULL, 0), 6);
        ck_assert_int_eq(socket_is_taken(pair[0]), 0);
        ck_assert_int_eq(socket_peek(pair[1], buf, sizeof(buf)), 6);
        ck_assert_int_eq(socket_receive(pair[1], buf, 4, NULL, &none), 4);
        ck_assert_mem_eq(buf, "abcd", 4);
        ck_assert_int_eq(socket_receive(pair[1], buf, sizeof(buf), NULL, &none), 2);
        ck_assert_int_eq(socket_is_taken(pair[0]), 1);
        fd_close(pair[0]);
        ck_assert_int_eq(socket_peek(pair[1], buf, sizeof(buf)), 0);
        ck_assert_int_eq(socket_receive(pair[1], buf, sizeof(buf), NULL, &none), 0);
        ck_assert_int_eq(socket_send(pair[1], "x", 1, NULL, 0), -EPIPE);
        fd_close(pair[1]);
        ck_assert_int_lt(socket_is_taken(-EBADF), 0);
}
END_TEST

/* As many as there is room for, and when there are more, none. */
START_TEST(descriptors)
{
        int many[64], fds[64], pair[2], foreseen[8];
        unsigned before;
        size_t n;
        char c;

        ck_assert_int_eq(socket_pair(pair), 0);
        memset(many, 0, sizeof(many)); /* stdin, again and again */
        before = count_fds();
        for (size_t sent = 0; sent <= 8; sent++) {
                ck_assert_int_eq(socket_send(pair[0], "x", 1, many, sent), 1);
                ck_assert_uint_eq(descriptor_foresee(foreseen, sent), sent);
                ck_assert_uint_eq(count_fds(), before);
                n = 8;
                ck_assert_int_eq(socket_receive(pair[1], &c, 1, fds, &n), 1);
                ck_assert_uint_eq(n, sent);
                for (size_t i = 0; i < n; i++) {
                        ck_assert_int_eq(fds[i], foreseen[i]);
                        ck_assert_int_ne(fcntl(fds[i], F_GETFD) & FD_CLOEXEC, 0);
                        fd_close(fds[i]);
                }
        }
        for (size_t room = 0; room <= 8; room++) {
                ck_assert_int_eq(socket_send(pair[0], "x", 1, many, 9 + room * 5), 1);
                n = room;
                ck_assert_int_eq(socket_receive(pair[1], &c, 1, fds, &n), -ENOBUFS);
                ck_assert_uint_eq(count_fds(), before);
        }
        ck_assert_int_eq(socket_send(pair[0], "x", 1, many, 65), -EINVAL);
        fd_close(pair[0]);
        fd_close(pair[1]);
}
END_TEST

/* Closing one must not wait for whoever is at its other side. */
START_TEST(sockets_do_not_linger)
{
        struct linger linger = {.l_onoff = 1, .l_linger = 20};
        socklen_t size = sizeof(linger);
        int pair[2], fds[2], tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        size_t n = 2;
        char c;

        ck_assert_int_eq(socket_pair(pair), 0);
        ck_assert_int_eq(setsockopt(tcp, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
        ck_assert_int_eq(socket_send(pair[0], "x", 1, (int[]){tcp, 0}, 2), 1);
        ck_assert_int_eq(socket_receive(pair[1], &c, 1, fds, &n), 1);
        ck_assert_uint_eq(n, 2);
        ck_assert_int_eq(getsockopt(fds[0], SOL_SOCKET, SO_LINGER, &linger, &size), 0);
        ck_assert_int_eq(linger.l_onoff, 0);
        for (size_t i = 0; i < 2; i++) {
                fd_close(fds[i]);
                fd_close(pair[i]);
        }
        fd_close(tcp);
}
END_TEST

/* The lowest free numbers, also where there are holes. */
START_TEST(foresees_holes)
{
        int held[6], foreseen[4];

        for (size_t i = 0; i < 6; i++)
                held[i] = fd_dup(0);
        fd_close(held[1]);
        fd_close(held[4]);
        ck_assert_uint_eq(descriptor_foresee(foreseen, 4), 4);
        ck_assert_int_eq(foreseen[0], held[1]);
        ck_assert_int_eq(foreseen[1], held[4]);
        ck_assert_int_gt(foreseen[2], held[5]);
        for (size_t i = 0; i < 6; i++)
                if (i != 1 && i != 4)
                        fd_close(held[i]);
}
END_TEST

START_TEST(outlet)
{
        char data[70000] = {0};
        int pipe[2];

        ck_assert_int_eq(outlet_pipe(pipe), 0);
        ck_assert_int_eq(fcntl(pipe[0], F_GETFL) & O_NONBLOCK, 0);
        ck_assert_int_ne(fcntl(pipe[1], F_GETFL) & O_NONBLOCK, 0);
        ck_assert_int_ne(fcntl(pipe[0], F_GETFD) & FD_CLOEXEC, 0);
        ck_assert_int_ne(fcntl(pipe[1], F_GETFD) & FD_CLOEXEC, 0);
        ck_assert_int_lt(outlet_write(pipe[1], data, sizeof(data)), (int) sizeof(data));
        ck_assert_int_eq(outlet_write(pipe[1], data, sizeof(data)), -EAGAIN);
        fd_close(pipe[0]);
        signal(SIGPIPE, SIG_IGN);
        ck_assert_int_eq(outlet_write(pipe[1], data, 1), -EPIPE);
        signal(SIGPIPE, SIG_DFL);
        fd_close(pipe[1]);
}
END_TEST

TEST_MAIN("socket-data", bytes, descriptors, sockets_do_not_linger, foresees_holes, outlet)
