/* Which sockets processes hold: real ones, of other users too, with and without the capability to look. */

#include "sys/socket-walk.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "basic/fd.h"
#include "rig.h"
#include "sys/cgroup.h"
#include "sys/scope.h"

#define SOMEBODY 12345

static const CgroupTree no_tree = {.fd = -EBADF};

/* A sleeping process group that holds `held` (-1: none), by a grandchild of the leader when that is asked
 * for, after its exec; as that user. */
static Scope *start_holder(int held, bool in_grandchild, uid_t uid, pid_t *ret_pid)
{
        Scope *s = NULL;
        int started[2];
        pid_t pid;
        char c;

        ck_assert_int_eq(scope_new(&no_tree, "default", "j1", &s), 0);
        ck_assert_int_eq(pipe2(started, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                setsid();
                for (unsigned n = 0; in_grandchild && n < 2; n++)
                        if (fork() > 0) {
                                fd_close(held);
                                held = -1;
                                break;
                        }
                if (held >= 0 && (dup2(held, 100) < 0))
                        _exit(1);
                if (uid != 0 && (setgroups(0, NULL) < 0 || setgid(uid) < 0 || setuid(uid) < 0))
                        _exit(1);
                execlp("sleep", "sleep", "60", NULL);
                _exit(1);
        }
        ck_assert_int_gt(pid, 0);
        fd_close(started[1]);
        ck_assert_int_eq(read(started[0], &c, 1), 0); /* all of them are past their exec */
        fd_close(started[0]);
        scope_set_leader(s, pid);
        *ret_pid = pid;
        return s;
}

static void end_holder(Scope *s, pid_t pid)
{
        kill(-pid, SIGKILL);
        (void) rig_reap(pid);
        scope_free(s);
}

static int new_socket(uint64_t *ret_inode)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct stat st;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fstat(fd, &st), 0);
        *ret_inode = st.st_ino;
        return fd;
}

typedef struct Looked {
        const Scope *scope;
        uint64_t inode;
} Looked;

static bool is_held(const Looked *l)
{
        SocketWalk walk = SOCKET_WALK_NULL;
        bool found = false;
        uint64_t inode;
        int r;

        RIG_CHECK(socket_walk_start(&walk, l->scope) == 0);
        while ((r = socket_walk_step(&walk, &inode)) >= 0)
                found |= r == 1 && inode == l->inode;
        RIG_CHECK(r == -ENODATA);
        RIG_CHECK(socket_walk_step(&walk, &inode) == -ENODATA);
        socket_walk_done(&walk);
        socket_walk_done(&walk);
        return found;
}

START_TEST(holders)
{
        for (unsigned variant = 0; variant < 4; variant++) {
                uid_t uid = variant & 1 ? SOMEBODY : 0;
                Scope *s, *other;
                pid_t pid, other_pid;
                Looked l, of_other;
                int fd = new_socket(&l.inode);

                s = start_holder(fd, variant & 2, uid, &pid);
                other = start_holder(-1, false, uid, &other_pid);
                l.scope = s;
                of_other = (Looked){.scope = other, .inode = l.inode};
                ck_assert(is_held(&l));
                ck_assert(!is_held(&of_other));
                end_holder(other, other_pid);
                end_holder(s, pid);
                fd_close(fd);
        }
}
END_TEST

static void drop_capability(int capability)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2];
        unsigned mask = ~(1U << (capability % 32));

        RIG_CHECK(syscall(SYS_capget, &header, data) == 0);
        data[capability / 32].effective &= mask;
        data[capability / 32].permitted &= mask;
        RIG_CHECK(syscall(SYS_capset, &header, data) == 0);
}

/* As root of a container is: without the right to look into others, by itself. */
static int look_without_ptrace(void *data)
{
        Looked *l = data;

        drop_capability(CAP_SYS_PTRACE);
        RIG_CHECK(is_held(l));
        drop_capability(CAP_DAC_OVERRIDE);
        drop_capability(CAP_DAC_READ_SEARCH);
        RIG_CHECK(is_held(l));
        /* And it is itself again. */
        RIG_CHECK(setfsuid((uid_t) -1) == 0 && setfsgid((gid_t) -1) == 0);
        RIG_CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
        return 0;
}

START_TEST(of_another_user)
{
        Looked l;
        int fd = new_socket(&l.inode);
        pid_t pid;
        Scope *s = start_holder(fd, false, SOMEBODY, &pid);

        l.scope = s;
        ck_assert_int_eq(rig_in_child(look_without_ptrace, &l), 0);
        end_holder(s, pid);
        fd_close(fd);
}
END_TEST

static int look_without_descriptors(void *data)
{
        Looked *l = data;
        SocketWalk walk = SOCKET_WALK_NULL;
        uint64_t inode = 7;
        int fd;

        RIG_CHECK(socket_walk_start(&walk, l->scope) == 0);
        while ((fd = dup(1)) >= 0)
                ;
        RIG_CHECK(socket_walk_step(&walk, &inode) == -EMFILE && inode == 7);
        socket_walk_done(&walk);
        return 0;
}

START_TEST(no_descriptors)
{
        Looked l;
        int fd = new_socket(&l.inode);
        pid_t pid;
        Scope *s = start_holder(fd, false, 0, &pid);

        l.scope = s;
        ck_assert_int_eq(rig_in_child(look_without_descriptors, &l), 0);
        end_holder(s, pid);
        fd_close(fd);
}
END_TEST

/* Who ends between two steps is passed over. */
START_TEST(ends_meanwhile)
{
        SocketWalk walk = SOCKET_WALK_NULL;
        unsigned steps = 0;
        uint64_t inode;
        pid_t pid;
        Scope *s = start_holder(-1, true, 0, &pid);
        int r;

        ck_assert_int_eq(socket_walk_start(&walk, s), 0);
        ck_assert_uint_eq(walk.n_pids, 3);
        ck_assert_int_ge(socket_walk_step(&walk, &inode), 0);
        end_holder(s, pid);
        while ((r = socket_walk_step(&walk, &inode)) >= 0)
                ck_assert_uint_lt(++steps, 100);
        ck_assert_int_eq(r, -ENODATA);
        socket_walk_done(&walk);
}
END_TEST

RIG_ROOT_MAIN("sys-socket-walk", holders, of_another_user, no_descriptors, ends_meanwhile)
