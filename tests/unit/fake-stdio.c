/* What becomes a job's 0, 1 and 2, the users that there are, and memory for rings. Pipes are real; a
 * terminal is a pair of sockets, which has a line discipline as little as it has one. */

#include "fake-sys.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "sys/capability.h"
#include "sys/pidref.h"
#include "sys/pty.h"
#include "sys/ring-memory.h"
#include "sys/stdio.h"
#include "sys/tee.h"
#include "sys/userdb.h"

void fake_write(FakeProcess *p, int fd, const void *data, size_t size)
{
        ck_assert_msg(p->alive && p->fds[fd] >= 0, "%d has no %d", (int) p->pid, fd);
        if (size > 65536)
                ck_assert_int_ge(fcntl(p->fds[fd], F_SETPIPE_SZ, size), size);
        ck_assert_int_eq(write(p->fds[fd], data, size), size);
}

void fake_print(FakeProcess *p, int fd, const char *text)
{
        fake_write(p, fd, text, strlen(text));
}

void fake_close(FakeProcess *p, int fd)
{
        p->fds[fd] = fd_close(p->fds[fd]);
}

/* sys/stdio.h */

int stdio_output_pipe(int ret[static 2])
{
        if (fake.pipe_error)
                return fake.pipe_error;
        if (pipe2(ret, O_CLOEXEC) < 0)
                return -errno;
        ck_assert_int_eq(fcntl(ret[0], F_SETFL, O_NONBLOCK), 0);
        return 0;
}

int stdio_input_pipe(int ret[static 2])
{
        int fds[2];

        if (fake.pipe_error)
                return fake.pipe_error;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        ck_assert_int_eq(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
        ret[0] = fds[1];
        ret[1] = fds[0];
        return 0;
}

int stdio_enlarge_pipe(int fd, size_t size)
{
        fake.n_enlarged++;
        return fcntl(fd, F_SETPIPE_SZ, (int) size) < 0 ? -errno : 0;
}

int stdio_give(int fd, uid_t uid)
{
        ck_assert_int_ge(fcntl(fd, F_GETPIPE_SZ), 0);
        fake.n_given++;
        fake.given_to = uid;
        return fake.give_error;
}

size_t stdio_pipe_size(int fd)
{
        int size = fcntl(fd, F_GETPIPE_SZ);

        return size < 0 ? 0 : (size_t) size;
}

size_t stdio_unread(int fd)
{
        int n;

        return ioctl(fd, FIONREAD, &n) < 0 ? 0 : (size_t) n;
}

bool stdio_same_file(int a, int b)
{
        return fake.same_file;
}

int stdio_null(void)
{
        return open("/dev/null", O_RDWR | O_CLOEXEC);
}

int stdio_data(const void *data, size_t size)
{
        int fd = memfd_create("fake", MFD_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite(fd, data, size, 0), size);
        return fd;
}

ssize_t stdio_read(int fd, void *buf, size_t size)
{
        ssize_t n = read(fd, buf, fake.read_max > 0 ? MIN(size, fake.read_max) : size);

        return n < 0 ? -errno : n;
}

ssize_t stdio_write(int fd, const void *data, size_t size)
{
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

        if (n < 0 && errno == ENOTSOCK)
                n = write(fd, data, size);
        return n < 0 ? -errno : n;
}

/* sys/pty.h */

int pty_open(unsigned rows, unsigned columns, int *ret_master, int *ret_slave, const char **ret_what)
{
        int fds[2];

        *ret_what = "/dev/ptmx";
        if (fake.pty_error)
                return fake.pty_error;
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        ck_assert_int_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
        fake.tty_rows = rows;
        fake.tty_columns = columns;
        *ret_master = fds[0];
        *ret_slave = fds[1];
        return 0;
}

int pty_give(int slave, uid_t uid)
{
        fake.n_given++;
        fake.given_to = uid;
        return fake.give_error;
}

int pty_set_size(int fd, unsigned rows, unsigned columns)
{
        ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
        fake.tty_rows = rows;
        fake.tty_columns = columns;
        return 0;
}

int pty_eof_character(int fd, char *ret)
{
        if (fake.tty_has_no_eof)
                return -ENODATA;
        *ret = 4;
        return 0;
}

/* sys/tee.h: the process is the test, at the other end of a pair of sockets. */

typedef struct Report {
        uint64_t taken;
        int error;
} Report;

int tee_start(int target, PidRef *ret_worker, int *ret_fd)
{
        int fds[2];

        if (fake.tee_error)
                return fake.tee_error;
        ck_assert_int_ge(fcntl(target, F_GETFD), 0);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        fake.tee_fds[fake.n_tees++] = fds[1];
        *ret_worker = (PidRef){.pid = 99000 + (pid_t) fake.n_tees, .fd = -EBADF};
        *ret_fd = fds[0];
        return 0;
}

ssize_t tee_send(int fd, const void *data, size_t size)
{
        ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

        return n < 0 ? -errno : n;
}

void tee_send_end(int fd)
{
        ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
}

int tee_receive(int fd, uint64_t *ret_taken, int *ret_error)
{
        Report r;
        ssize_t n = recv(fd, &r, sizeof(r), 0);

        if (n < 0)
                return -errno;
        if (n == 0)
                return -EPIPE;
        *ret_taken = r.taken;
        *ret_error = r.error;
        return 0;
}

size_t fake_tee_take(unsigned tee, char *to, size_t size)
{
        ssize_t n = recv(fake.tee_fds[tee], to, size, 0);
        const Report r = {.taken = n > 0 ? (uint64_t) n : 0};

        if (n > 0)
                ck_assert_int_eq(send(fake.tee_fds[tee], &r, sizeof(r), MSG_NOSIGNAL), sizeof(r));
        if (n == 0)
                fake_tee_end(tee, 0);
        return n > 0 ? (size_t) n : 0;
}

void fake_tee_end(unsigned tee, int error)
{
        const Report r = {.error = error};

        if (error > 0)
                ck_assert_int_eq(send(fake.tee_fds[tee], &r, sizeof(r), MSG_NOSIGNAL), sizeof(r));
        fake.tee_fds[tee] = fd_close(fake.tee_fds[tee]);
}

/* sys/userdb.h: alice, of the group alice (1000) and a member of wheel (10) and video (44); root. */

void user_record_done(UserRecord *u)
{
        free(u->name);
        free(u->home);
        free(u->shell);
        *u = (UserRecord){0};
}

static bool is_number(const char *name, unsigned long *ret)
{
        char *end;

        *ret = strtoul(name, &end, 10);
        return *name && !*end;
}

static int user_copy(const char *name, const char *home, const char *shell, uid_t id, UserRecord *ret)
{
        *ret = (UserRecord){
                        .name = str_copy(name),
                        .home = str_copy(home),
                        .shell = str_copy(shell),
                        .uid = id,
                        .gid = id,
        };
        if (ret->name && ret->home && ret->shell)
                return 0;
        user_record_done(ret);
        return -ENOMEM;
}

int userdb_user(const char *root, const char *name, UserRecord *ret)
{
        unsigned long n;

        ck_assert_str_eq(root, "/");
        if (streq(name, "alice") || streq(name, "1000"))
                return user_copy("alice", "/home/alice", "/bin/bash", 1000, ret);
        if (streq(name, "root") || streq(name, "0"))
                return user_copy("root", "/root", "/bin/sh", 0, ret);
        if (!is_number(name, &n))
                return -ESRCH;
        if (n == 65535 || n >= UINT32_MAX)
                return -EINVAL;
        *ret = (UserRecord){.uid = (uid_t) n, .gid = (gid_t) n};
        return 0;
}

int userdb_group(const char *root, const char *name, gid_t *ret)
{
        unsigned long n;

        ck_assert_str_eq(root, "/");
        if (streq(name, "alice"))
                n = 1000;
        else if (streq(name, "wheel"))
                n = 10;
        else if (streq(name, "video"))
                n = 44;
        else if (!is_number(name, &n))
                return -ESRCH;
        if (n == 65535 || n >= UINT32_MAX)
                return -EINVAL;
        *ret = (gid_t) n;
        return 0;
}

int userdb_groups(const char *root, const char *name, gid_t gid, gid_t **ret, size_t *ret_n)
{
        const gid_t of_alice[] = {gid, 10, 44};
        size_t n = streq(name, "alice") ? 3 : 1;
        gid_t *groups;

        if (fake.userdb_groups_error)
                return fake.userdb_groups_error;
        groups = alloc_copy(of_alice, n * sizeof(gid_t));
        if (!groups)
                return -ENOMEM;
        *ret = groups;
        *ret_n = n;
        return 0;
}

/* sys/capability.h */

int capability_from_string(const char *name)
{
        static const struct {
                const char *name;
                int number;
        } table[] = {{"CAP_CHOWN", 0}, {"CAP_KILL", 5}, {"CAP_NET_BIND_SERVICE", 10}, {"CAP_SYS_ADMIN", 21}};

        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(table[i].name, name))
                        return table[i].number;
        return -EINVAL;
}

int capability_last(void)
{
        return 40;
}

/* sys/ring-memory.h */

void *ring_memory_map(size_t size)
{
        void *memory = fake.map_fails ? NULL : calloc(1, size);

        fake.mapped += memory ? size : 0;
        return memory;
}

void ring_memory_unmap(void *memory, size_t size)
{
        if (!memory)
                return;
        fake.mapped -= size;
        free(memory);
}
