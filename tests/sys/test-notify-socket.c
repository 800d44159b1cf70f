/* Real datagrams: what is said, by whom, and what comes along. */

#include "sys/notify-socket.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "rig.h"
#include "sys/cgroup.h"

static NotifyDatagram d;

static int send_with(const char *address, const void *text, size_t size, const int *fds, size_t n_fds)
{
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(253 * sizeof(int))];
        } control = {0};
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        struct iovec iov = {.iov_base = (void *) text, .iov_len = size};
        struct msghdr m = {.msg_name = &sa, .msg_iov = &iov, .msg_iovlen = 1};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

        m.msg_namelen = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(address));
        memcpy(sa.sun_path + 1, address + 1, strlen(address) - 1);
        if (n_fds > 0) {
                control.align.cmsg_level = SOL_SOCKET;
                control.align.cmsg_type = SCM_RIGHTS;
                control.align.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(&control.align), fds, n_fds * sizeof(int));
                m.msg_control = &control;
                m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        }
        r = sendmsg(fd, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
        close(fd);
        return r;
}

static int open_here(char address[static NOTIFY_ADDRESS_SIZE])
{
        int fd = -1;

        ck_assert_int_eq(notify_socket_open(address, &fd), 0);
        ck_assert_int_ge(fd, 0);
        return fd;
}

static void check_text(const char *expected)
{
        ck_assert_uint_eq(d.size, strlen(expected));
        ck_assert_int_eq(memcmp(d.text, expected, d.size), 0);
}

START_TEST(a_message_and_its_sender)
{
        char address[NOTIFY_ADDRESS_SIZE], other[NOTIFY_ADDRESS_SIZE];
        _cleanup_close_ int fd = open_here(address), second = open_here(other);
        _cleanup_free_ char *path = NULL, *own = NULL;

        ck_assert_str_ne(address, other);
        ck_assert_int_eq(address[0], '@');
        ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
        ck_assert_int_eq(notify_socket_receive(fd, &d), -EAGAIN);

        ck_assert_int_eq(notify_send(address, "READY=1\nSTATUS=x"), 0);
        ck_assert_int_eq(notify_socket_receive(second, &d), -EAGAIN);
        ck_assert_int_eq(notify_socket_receive(fd, &d), 0);
        check_text("READY=1\nSTATUS=x");
        ck_assert(!d.truncated && !d.is_gone);
        ck_assert_uint_eq(d.n_fds, 0);
        ck_assert_int_eq(d.pid, getpid());
        if (cgroup_of_pid(0, &own) == 0) {
                ck_assert_int_eq(notify_sender_cgroup(&d, &path), 0);
                ck_assert_str_eq(path, own);
        }
        if (d.pidfd >= 0)
                ck_assert(fcntl(d.pidfd, F_GETFD) & FD_CLOEXEC);
        notify_datagram_done(&d);
        ck_assert_int_lt(d.pidfd, 0);
        ck_assert_int_eq(notify_socket_receive(fd, &d), -EAGAIN);
}
END_TEST

START_TEST(messages_keep_their_order)
{
        char address[NOTIFY_ADDRESS_SIZE];
        _cleanup_close_ int fd = open_here(address);

        for (char c = '0'; c < '8'; c++)
                ck_assert_int_eq(notify_send(address, (const char[]){c, '\0'}), 0);
        ck_assert_int_eq(send_with(address, "", 0, NULL, 0), 0);
        for (char c = '0'; c < '8'; c++) {
                ck_assert_int_eq(notify_socket_receive(fd, &d), 0);
                check_text((const char[]){c, '\0'});
                notify_datagram_done(&d);
        }
        ck_assert_int_eq(notify_socket_receive(fd, &d), 0);
        ck_assert_uint_eq(d.size, 0);
        ck_assert_int_eq(d.pid, getpid());
        notify_datagram_done(&d);
}
END_TEST

START_TEST(what_is_too_long_is_cut_and_said)
{
        char address[NOTIFY_ADDRESS_SIZE], *text = malloc(NOTIFY_MESSAGE_MAX * 20);
        _cleanup_close_ int fd = open_here(address);

        memset(text, 'a', NOTIFY_MESSAGE_MAX * 20);
        ck_assert_int_eq(send_with(address, text, NOTIFY_MESSAGE_MAX, NULL, 0), 0);
        ck_assert_int_eq(send_with(address, text, NOTIFY_MESSAGE_MAX + 1, NULL, 0), 0);
        ck_assert_int_eq(send_with(address, text, (size_t) NOTIFY_MESSAGE_MAX * 20, NULL, 0), 0);
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(notify_socket_receive(fd, &d), 0);
                ck_assert_uint_eq(d.size, NOTIFY_MESSAGE_MAX);
                ck_assert_int_eq(d.truncated, i > 0);
                ck_assert_int_eq(d.pid, getpid());
                notify_datagram_done(&d);
        }
        free(text);
}
END_TEST

static bool is_hung_up(int fd)
{
        struct pollfd p = {.fd = fd};

        return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP);
}

static int lowest_free(void)
{
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        close(fd);
        return fd;
}

START_TEST(descriptors_are_closed_at_once)
{
        char address[NOTIFY_ADDRESS_SIZE];
        _cleanup_close_ int fd = open_here(address);
        int free_before, pipe_fds[2], many[253];

        free_before = lowest_free();
        for (size_t n = 1; n <= 253; n += 126) {
                ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
                for (size_t i = 0; i < n; i++)
                        many[i] = pipe_fds[1];
                ck_assert_int_eq(send_with(address, "BARRIER=1", 9, many, n), 0);
                close(pipe_fds[1]);
                ck_assert(!is_hung_up(pipe_fds[0]));
                ck_assert_int_eq(notify_socket_receive(fd, &d), 0);
                check_text("BARRIER=1");
                ck_assert_uint_eq(d.n_fds, n);
                ck_assert_int_eq(d.pid, getpid());
                ck_assert(is_hung_up(pipe_fds[0]));
                close(pipe_fds[0]);
                notify_datagram_done(&d);
                ck_assert_int_eq(lowest_free(), free_before);
        }
}
END_TEST

static int with_no_descriptor_left(void *data)
{
        char address[NOTIFY_ADDRESS_SIZE];
        int fd, pipe_fds[2];

        RIG_CHECK(notify_socket_open(address, &fd) == 0);
        RIG_CHECK(pipe2(pipe_fds, O_CLOEXEC) == 0);
        RIG_CHECK(send_with(address, "BARRIER=1", 9, &pipe_fds[1], 1) == 0);
        close(pipe_fds[1]);
        while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
                ;
        RIG_CHECK(errno == EMFILE);
        RIG_CHECK(notify_socket_receive(fd, &d) == 0);
        RIG_CHECK(d.size == 9 && d.pid == getpid() && !d.is_gone);
        RIG_CHECK(is_hung_up(pipe_fds[0]));
        return 0;
}

START_TEST(without_a_free_descriptor_it_is_heard_all_the_same)
{
        ck_assert_int_eq(rig_in_child(with_no_descriptor_left, NULL), 0);
}
END_TEST

/* A TCP socket with data that nobody reads, set to linger, whose last descriptor is in the message: whoever
 * closes it waits, unless that is taken back. */
static int a_lingering_socket(void)
{
        struct sockaddr_storage ss;
        const struct linger long_time = {.l_onoff = 1, .l_linger = 3600};
        socklen_t n = sizeof(ss);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char data[65536] = {0};

        if (listen(listener, 1) < 0 || getsockname(listener, (struct sockaddr *) &ss, &n) < 0 ||
            connect(fd, (struct sockaddr *) &ss, n) < 0)
                return -errno;
        while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
                ;
        if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &long_time, sizeof(long_time)) < 0)
                return -errno;
        return fd; /* the listener stays open, and never accepts */
}

static int take_a_lingering_one(void *data)
{
        char address[NOTIFY_ADDRESS_SIZE];
        int fd, socket_fd = a_lingering_socket();

        RIG_CHECK(notify_socket_open(address, &fd) == 0);
        if (socket_fd < 0) /* no network here */
                return 0;
        RIG_CHECK(send_with(address, "X=1", 3, &socket_fd, 1) == 0);
        close(socket_fd); /* that in the message is the last */
        (void) signal(SIGALRM, SIG_DFL); /* Check would end the whole process group */
        (void) alarm(RIG_LIMIT_MSEC / 1000);
        RIG_CHECK(notify_socket_receive(fd, &d) == 0);
        RIG_CHECK(d.n_fds == 1);
        return 0;
}

START_TEST(a_socket_that_lingers_holds_up_nobody)
{
        ck_assert_int_eq(rig_in_child(take_a_lingering_one, NULL), 0);
}
END_TEST

START_TEST(a_sender_that_is_gone)
{
        char address[NOTIFY_ADDRESS_SIZE];
        _cleanup_close_ int fd = open_here(address);
        char *path = NULL;
        siginfo_t info;
        pid_t pid = fork();

        if (pid == 0)
                _exit(notify_send(address, "READY=1") == 0 ? 0 : 1);
        /* A zombie is told of still. */
        ck_assert_int_eq(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
        ck_assert_int_eq(notify_socket_receive(fd, &d), 0);
        ck_assert_int_eq(d.pid, pid);
        if (rig_has_cgroups()) {
                ck_assert_int_eq(notify_sender_cgroup(&d, &path), 0);
                free(path);
        }
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        path = NULL;
        ck_assert_int_eq(notify_sender_cgroup(&d, &path), -ESRCH);
        ck_assert_ptr_null(path);
        notify_datagram_done(&d);

        pid = fork();
        if (pid == 0)
                _exit(notify_send(address, "READY=1") == 0 ? 0 : 1);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert_int_eq(notify_socket_receive(fd, &d), 0);
        ck_assert_int_eq(d.pid, pid);
        ck_assert_int_eq(notify_sender_cgroup(&d, &path), -ESRCH);
        notify_datagram_done(&d);
}
END_TEST

START_TEST(sending_never_waits)
{
        char address[NOTIFY_ADDRESS_SIZE];
        _cleanup_close_ int fd = open_here(address);
        unsigned n = 0;
        int r;

        while ((r = notify_send(address, "X=1")) == 0 && n < 100000)
                n++;
        ck_assert_int_eq(r, -EAGAIN);
        ck_assert_uint_gt(n, 0);
        while (n-- > 0) {
                ck_assert_int_eq(notify_socket_receive(fd, &d), 0);
                notify_datagram_done(&d);
        }
        ck_assert_int_eq(notify_send(address, "X=1"), 0);
}
END_TEST

START_TEST(addresses_of_others)
{
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        char path[256], longer[200], got[64] = "";
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        snprintf(path, sizeof(path), "%s/notify", rig_folder());
        memcpy(sa.sun_path, path, strlen(path) + 1);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &sa, sizeof(sa)), 0);
        ck_assert_int_eq(notify_send(path, "READY=1"), 0);
        ck_assert_int_eq(recv(fd, got, sizeof(got), MSG_DONTWAIT), 7);
        ck_assert_str_eq(got, "READY=1");

        ck_assert_int_eq(notify_send("", "X"), -EINVAL);
        ck_assert_int_eq(notify_send("@", "X"), -EINVAL);
        ck_assert_int_eq(notify_send("relative/path", "X"), -EINVAL);
        ck_assert_int_eq(notify_send("vsock:2:1", "X"), -EINVAL);
        memset(longer, 'x', sizeof(longer) - 1);
        longer[0] = '/';
        longer[sizeof(longer) - 1] = '\0';
        ck_assert_int_eq(notify_send(longer, "X"), -EINVAL);
        ck_assert_int_eq(notify_send("/nonexistent/x", "X"), -ENOENT);
        ck_assert_int_eq(notify_send("@reeve-nobody-is-here", "X"), -ECONNREFUSED);
}
END_TEST

TEST_MAIN("notify-socket", a_message_and_its_sender, messages_keep_their_order,
          what_is_too_long_is_cut_and_said, descriptors_are_closed_at_once,
          without_a_free_descriptor_it_is_heard_all_the_same, a_socket_that_lingers_holds_up_nobody,
          a_sender_that_is_gone, sending_never_waits, addresses_of_others)
