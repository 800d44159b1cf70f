/* The listening sockets: addresses, modes from the first moment, dead sockets, and who connected. */

#include "sys/socket-data.h"
#include "sys/unix-socket.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/fd.h"
#include "rig.h"

static const char *address(const char *name)
{
        static char buf[256];

        snprintf(buf, sizeof(buf), "unix:path=%s/%s", rig_folder(), name);
        return buf;
}

static int connect_to(const char *path, size_t n)
{
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(sa.sun_path, path, n);
        if (connect(fd, (struct sockaddr *) &sa, (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n)) <
            0) {
                close(fd);
                return -errno;
        }
        return fd;
}

static int connect_in_folder(const char *name)
{
        char path[256];

        snprintf(path, sizeof(path), "%s/%s", rig_folder(), name);
        return connect_to(path, strlen(path) + 1);
}

static mode_t mode_of(const char *name)
{
        char path[256];
        struct stat st;

        snprintf(path, sizeof(path), "%s/%s", rig_folder(), name);
        ck_assert_int_eq(lstat(path, &st), 0);
        return st.st_mode;
}

START_TEST(listens_and_accepts)
{
        int listener, client, peer = -EBADF;
        PeerCredentials who;
        size_t n;

        ck_assert_int_eq(socket_listen(address("a/b/bus"), 0600, &listener), 0);
        ck_assert(fcntl(listener, F_GETFD) & FD_CLOEXEC);
        ck_assert(fcntl(listener, F_GETFL) & O_NONBLOCK);
        ck_assert_int_eq(socket_accept(listener, &peer, &who), -EAGAIN);
        ck_assert_int_eq(peer, -EBADF);

        client = connect_in_folder("a/b/bus");
        ck_assert_int_ge(client, 0);
        ck_assert_int_eq(socket_accept(listener, &peer, &who), 0);
        ck_assert(fcntl(peer, F_GETFD) & FD_CLOEXEC);
        ck_assert(fcntl(peer, F_GETFL) & O_NONBLOCK);
        ck_assert_int_eq(who.pid, getpid());
        ck_assert_uint_eq(who.uid, geteuid());
        ck_assert_uint_eq(who.gid, getegid());

        ck_assert_int_eq(socket_readable_bytes(peer, &n), 0);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(write(client, "hello", 5), 5);
        ck_assert_int_eq(socket_readable_bytes(peer, &n), 0);
        ck_assert_uint_eq(n, 5);
        ck_assert_int_lt(socket_readable_bytes(-EBADF, &n), 0);

        fd_close(peer);
        fd_close(client);
        fd_close(listener);
        socket_unlink(address("a/b/bus"));
        ck_assert_int_eq(connect_in_folder("a/b/bus"), -ENOENT);
        socket_unlink(address("a/b/bus"));
}
END_TEST

START_TEST(modes)
{
        mode_t old = umask(077);
        int fd;

        ck_assert_int_eq(socket_listen(address("deep/er/bus"), 0666, &fd), 0);
        ck_assert_uint_eq(mode_of("deep/er/bus"), S_IFSOCK | 0666);
        ck_assert_uint_eq(mode_of("deep/er"), S_IFDIR | 0755);
        ck_assert_uint_eq(mode_of("deep"), S_IFDIR | 0755);
        fd_close(fd);
        ck_assert_int_eq(socket_listen(address("private"), 0600, &fd), 0);
        ck_assert_uint_eq(mode_of("private"), S_IFSOCK | 0600);
        fd_close(fd);
        ck_assert_uint_eq(umask(old), 077); /* and the umask is as it was */
}
END_TEST

START_TEST(a_dead_socket_gives_way)
{
        int first, second, client;

        ck_assert_int_eq(socket_listen(address("stale"), 0600, &first), 0);
        /* Somebody listens there. */
        ck_assert_int_eq(socket_listen(address("stale"), 0600, &second), -EADDRINUSE);
        client = connect_in_folder("stale");
        ck_assert_int_ge(client, 0);
        fd_close(client);

        fd_close(first);
        ck_assert_int_eq(connect_in_folder("stale"), -ECONNREFUSED);
        ck_assert_int_eq(socket_listen(address("stale"), 0600, &second), 0);
        client = connect_in_folder("stale");
        ck_assert_int_ge(client, 0);
        fd_close(client);
        fd_close(second);
}
END_TEST

/* A full backlog is a listener all the same. */
START_TEST(a_busy_socket_stays)
{
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        int listener, clients[8], second;
        size_t n;

        snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/busy", rig_folder());
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(listener, (struct sockaddr *) &sa, sizeof(sa)), 0);
        ck_assert_int_eq(listen(listener, 0), 0);
        for (n = 0; n < ELEMENTSOF(clients); n++) {
                clients[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                if (connect(clients[n], (struct sockaddr *) &sa, sizeof(sa)) < 0)
                        break;
        }
        ck_assert_uint_lt(n, ELEMENTSOF(clients));
        ck_assert_int_eq(errno, EAGAIN);
        ck_assert_int_eq(socket_listen(address("busy"), 0600, &second), -EADDRINUSE);
        for (size_t i = 0; i <= n; i++)
                fd_close(clients[i]);
        fd_close(listener);
}
END_TEST

START_TEST(what_is_no_socket_stays)
{
        char path[256];
        int fd = -EBADF;

        rig_file("plain", "precious", 0644);
        ck_assert_int_eq(socket_listen(address("plain"), 0600, &fd), -EEXIST);
        socket_unlink(address("plain"));
        ck_assert_uint_eq(mode_of("plain"), S_IFREG | 0644);

        snprintf(path, sizeof(path), "%s/link", rig_folder());
        ck_assert_int_eq(symlink("/nowhere", path), 0);
        ck_assert_int_eq(socket_listen(address("link"), 0600, &fd), -EEXIST);
        ck_assert_int_eq(socket_listen(address("plain/below"), 0600, &fd), -ENOTDIR);
        ck_assert_int_eq(fd, -EBADF);
}
END_TEST

START_TEST(abstract)
{
        char path[64], escaped[96];
        int fd, client;

        path[0] = '\0';
        snprintf(path + 1, sizeof(path) - 1, "reeve test/%d", getpid());
        snprintf(escaped, sizeof(escaped), "unix:abstract=reeve%%20test%%2f%d", getpid());
        ck_assert_int_eq(socket_listen(escaped, 0600, &fd), 0);
        client = connect_to(path, 1 + strlen(path + 1));
        ck_assert_int_ge(client, 0);
        fd_close(client);
        ck_assert_int_eq(socket_listen(escaped, 0600, &client), -EADDRINUSE);
        socket_unlink(escaped);
        fd_close(fd);
}
END_TEST

START_TEST(escapes)
{
        int fd;

        ck_assert_int_eq(socket_listen(address("with%20blank%2Cand%c3%a4"), 0600, &fd), 0);
        ck_assert_uint_eq(mode_of("with blank,andä"), S_IFSOCK | 0600);
        fd_close(fd);
        socket_unlink(address("with%20blank%2Cand%c3%a4"));
}
END_TEST

START_TEST(no_addresses)
{
        static const char *const bad[] = {
                        "",
                        "unix:",
                        "unix:path=",
                        "unix:abstract=",
                        "unix:path=relative",
                        "unix:path=/a,guid=1",
                        "unix:path=/a;unix:path=/b",
                        "unix:path=/a%",
                        "unix:path=/a%2",
                        "unix:path=/a%zz",
                        "unix:path=/a%00b",
                        "unix:tmpdir=/tmp",
                        "tcp:host=localhost,port=1",
                        "/run/reeve/bus",
        };
        char longer[300] = "unix:path=/";
        int fd = -EBADF;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                ck_assert_msg(socket_listen(bad[i], 0600, &fd) == -EINVAL, "%s", bad[i]);
                socket_unlink(bad[i]);
        }
        memset(longer + strlen(longer), 'x', 200);
        ck_assert_int_eq(socket_listen(longer, 0600, &fd), -ENAMETOOLONG);
        ck_assert_int_eq(fd, -EBADF);
}
END_TEST

static int as_another_user(void *data)
{
        RIG_CHECK(setresgid(4243, 4243, 4243) == 0 && setresuid(4242, 4242, 4242) == 0);
        int fd = connect_in_folder("public");
        char c;

        RIG_CHECK(fd >= 0);
        RIG_CHECK(read(fd, &c, 1) == 0);
        return 0;
}

static int accepts_another(void *data)
{
        int listener, peer;
        PeerCredentials who;
        pid_t pid;

        RIG_CHECK(socket_listen(address("public"), 0666, &listener) == 0);
        pid = fork();
        if (pid == 0)
                _exit(as_another_user(NULL));
        RIG_CHECK(rig_wait_readable(listener) > 0);
        RIG_CHECK(socket_accept(listener, &peer, &who) == 0);
        RIG_CHECK(who.pid == pid && who.uid == 4242 && who.gid == 4243);
        fd_close(peer);
        RIG_CHECK(rig_reap(pid).exit_code == 0);
        return 0;
}

START_TEST(another_user)
{
        ck_assert_ptr_nonnull(rig_folder());
        if (geteuid() == 0)
                ck_assert_int_eq(rig_in_child(accepts_another, NULL), 0);
}
END_TEST

/* Who connects without waiting is told at once how it stands. */
START_TEST(connects)
{
        char with_guid[300];
        char *path = NULL;
        int listener, fd, peer;
        PeerCredentials who;

        ck_assert_int_eq(socket_connect(address("to"), false, &fd), -ENOENT);
        ck_assert_int_eq(socket_connect("unix:abstract=reeve-nobody-is-there", false, &fd), -ECONNREFUSED);
        ck_assert_int_eq(socket_connect("tcp:host=x", false, &fd), -EINVAL);
        ck_assert_int_eq(socket_listen(address("to"), 0600, &listener), 0);
        snprintf(with_guid, sizeof(with_guid), "%s,guid=00ff", address("to"));
        ck_assert_int_eq(socket_connect(with_guid, false, &fd), 0);
        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
        ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
        ck_assert_int_eq(socket_accept(listener, &peer, &who), 0);
        ck_assert_int_eq(who.pid, getpid());
        ck_assert_int_eq(socket_address_path(with_guid, &path), 0);
        ck_assert_str_eq(path, strchr(address("to"), '=') + 1);
        free(path);
        ck_assert_int_eq(socket_address_path("unix:abstract=x", &path), 0);
        ck_assert_ptr_null(path);
        fd_close(fd);
        fd_close(peer);
        fd_close(listener);
        ck_assert_int_eq(socket_connect(address("to"), false, &fd), -ECONNREFUSED);
        socket_unlink(address("to"));
}
END_TEST

/* The queue of who listens is full: no waiting for a place in it. */
START_TEST(connects_to_the_busy)
{
        int fds[64], listener, r = 0;
        size_t n;

        ck_assert_int_eq(socket_listen(address("busy"), 0600, &listener), 0);
        ck_assert_int_eq(listen(listener, 1), 0);
        for (n = 0; n < ELEMENTSOF(fds) && r >= 0; n++)
                r = socket_connect(address("busy"), false, &fds[n]);
        ck_assert_int_eq(r, -EAGAIN);
        while (--n > 0)
                fd_close(fds[n - 1]);
        fd_close(listener);
        socket_unlink(address("busy"));
}
END_TEST

START_TEST(pairs)
{
        int fds[2];
        char c;

        ck_assert_int_eq(socket_pair(fds), 0);
        ck_assert_int_eq(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(write(fds[0], "x", 1), 1);
        ck_assert_int_eq(read(fds[1], &c, 1), 1);
        ck_assert_int_eq(read(fds[1], &c, 1), -1);
        ck_assert_int_eq(errno, EAGAIN);
        fd_close(fds[0]);
        ck_assert_int_eq(read(fds[1], &c, 1), 0);
        fd_close(fds[1]);
}
END_TEST

TEST_MAIN("unix-socket", listens_and_accepts, modes, a_dead_socket_gives_way, a_busy_socket_stays,
          what_is_no_socket_stays, abstract, escapes, no_addresses, another_user, connects,
          connects_to_the_busy, pairs)
