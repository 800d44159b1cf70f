/* What the init of a machine does, done in namespaces of our own, below a root that is empty. How it knows a
 * machine, and how it ends one, is for the tests in virtual ones. */

#include "sys/machine.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "rig.h"

static unsigned n_said;

static void say(const char *what, int error)
{
        fprintf(stderr, "%s: %s\n", what, strerror(-error));
        n_said++;
}

/* An empty root, in a mount namespace of our own. A cgroup namespace, too: in the first one the options of a
 * cgroup2 mount are those of the machine's whole hierarchy, for everybody. */
static void enter_empty_root(void)
{
        const char *root = rig_folder();

        RIG_CHECK(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP) == 0);
        RIG_CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        RIG_CHECK(mount("root", root, "tmpfs", 0, NULL) == 0);
        RIG_CHECK(chdir(root) == 0 && chroot(".") == 0);
}

static bool is_type(const char *path, long type)
{
        struct statfs sf;

        return statfs(path, &sf) == 0 && sf.f_type == type;
}

static unsigned mode_of(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static int mounts_child(void *data)
{
        MachineMounts m;
        char target[64] = "";

        enter_empty_root();
        RIG_CHECK(mkdir("/tmp", 0755) == 0 && mount("mine", "/tmp", "tmpfs", 0, "mode=0700") == 0);
        umask(077);
        machine_mount(&m);
        RIG_CHECK(umask(022) == 077);
        machine_mount_tell(&m, say);
        RIG_CHECK(n_said == 0);
        RIG_CHECK(is_type("/proc", PROC_SUPER_MAGIC) && is_type("/sys", SYSFS_MAGIC));
        RIG_CHECK(is_type("/dev/pts", DEVPTS_SUPER_MAGIC) && is_type("/dev/shm", TMPFS_MAGIC));
        RIG_CHECK(is_type("/run", TMPFS_MAGIC) && is_type("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC));
        RIG_CHECK(mode_of("/run") == 0755 && mode_of("/dev/shm") == 01777);
        RIG_CHECK(mode_of("/tmp") == 0700); /* was there, and stays */
        RIG_CHECK(readlink("/dev/fd", target, sizeof(target) - 1) > 0 &&
                  strcmp(target, "/proc/self/fd") == 0);
        RIG_CHECK(access("/dev/null", R_OK | W_OK) == 0 && access("/proc/self/fd/0", F_OK) == 0);

        /* Again, and nothing is mounted twice. */
        machine_mount(&m);
        machine_mount_tell(&m, say);
        RIG_CHECK(n_said == 0);
        RIG_CHECK(umount("/run") == 0 && rmdir("/run") == 0);
        return 0;
}

START_TEST(mounts)
{
        ck_assert_int_eq(rig_in_child(mounts_child, NULL), 0);
}
END_TEST

static int refused_child(void *data)
{
        MachineMounts m;

        enter_empty_root();
        RIG_CHECK(close(open("/run", O_CREAT | O_WRONLY | O_CLOEXEC, 0644)) == 0); /* no folder */
        machine_mount(&m);
        machine_mount_tell(&m, say);
        RIG_CHECK(n_said == 1);
        RIG_CHECK(is_type("/proc", PROC_SUPER_MAGIC) && is_type("/tmp", TMPFS_MAGIC));
        return 0;
}

START_TEST(what_cannot_be_mounted_is_said)
{
        ck_assert_int_eq(rig_in_child(refused_child, NULL), 0);
}
END_TEST

static const char *name_now(void)
{
        static struct utsname names;

        return uname(&names) == 0 ? names.nodename : "";
}

static void write_hostname(const char *text)
{
        int fd = open("/etc/hostname", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

        RIG_CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t) strlen(text) && close(fd) == 0);
}

static int hostname_child(void *data)
{
        static const struct {
                const char *before, *file, *wanted, *after;
        } cases[] = {
                        {"(none)", NULL, NULL, "localhost"},
                        {"", NULL, NULL, "localhost"},
                        {"(none)", "vessel\n", NULL, "vessel"},
                        {"(none)", "# vessel\n\n \tbarge  # that one\nthird\n", NULL, "barge"},
                        {"(none)", "\n#\n", NULL, "localhost"},
                        {"given", "vessel\n", NULL, "given"},
                        {"given", "vessel\n", "", "given"},
                        {"given", "vessel\n", "wanted", "wanted"},
        };

        enter_empty_root();
        RIG_CHECK(mkdir("/etc", 0755) == 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                RIG_CHECK(sethostname(cases[i].before, strlen(cases[i].before)) == 0);
                (void) unlink("/etc/hostname");
                if (cases[i].file)
                        write_hostname(cases[i].file);
                RIG_CHECK(machine_set_hostname(cases[i].wanted) == 0);
                RIG_CHECK(strcmp(name_now(), cases[i].after) == 0);
        }
        RIG_CHECK(machine_set_hostname("a-name-of-more-than-64-bytes-which-is-more-than-the-kernel-takes-"
                                       "from-us") == -EINVAL);
        return 0;
}

START_TEST(hostname)
{
        ck_assert_int_eq(rig_in_child(hostname_child, NULL), 0);
}
END_TEST

static bool loopback_is_up(void)
{
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = {.ifr_name = "lo"};

        RIG_CHECK(ioctl(fd, SIOCGIFFLAGS, &request) == 0);
        close(fd);
        return request.ifr_flags & IFF_UP;
}

static int loopback_child(void *data)
{
        enter_empty_root();
        RIG_CHECK(!loopback_is_up());
        RIG_CHECK(machine_loopback_up() == 0 && loopback_is_up());
        RIG_CHECK(machine_loopback_up() == 0 && loopback_is_up());
        return 0;
}

START_TEST(loopback)
{
        ck_assert_int_eq(rig_in_child(loopback_child, NULL), 0);
}
END_TEST

static int console_child(void *data)
{
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        struct stat st;

        enter_empty_root();
        RIG_CHECK(dup2(null, 1) == 1); /* whatever it was, no console */
        close(0);
        close(2);
        if (machine_console_stdio() != -ENOENT || fcntl(0, F_GETFD) >= 0 || fcntl(2, F_GETFD) >= 0)
                return 1;

        /* A pipe is as good: what matters is which descriptors are replaced. */
        if (mkdir("/dev", 0755) < 0 || mkfifo("/dev/console", 0600) < 0 || machine_console_stdio() < 0)
                return 2;
        for (int fd = 0; fd <= 2; fd++)
                if (fstat(fd, &st) < 0 || fcntl(fd, F_GETFD) != 0 || S_ISFIFO(st.st_mode) != (fd != 1))
                        return 3 + fd;
        return 0;
}

START_TEST(console)
{
        ck_assert_int_eq(rig_in_child(console_child, NULL), 0);
}
END_TEST

static int nofile_child(void *data)
{
        struct rlimit limit = {1024, 4096}, own;

        RIG_CHECK(getrlimit(RLIMIT_NOFILE, &own) == 0);
        machine_raise_nofile(&limit);
        if (limit.rlim_max == 4096) /* not allowed to us here */
                return 0;
        RIG_CHECK(limit.rlim_cur == 1024 && limit.rlim_max == 524288);
        RIG_CHECK(getrlimit(RLIMIT_NOFILE, &own) == 0 && own.rlim_cur == 524288);

        limit = (struct rlimit){2000, 1000000}; /* more than that: stays */
        machine_raise_nofile(&limit);
        RIG_CHECK(limit.rlim_cur == 2000 && limit.rlim_max == 1000000);
        return 0;
}

START_TEST(descriptors)
{
        ck_assert_int_eq(rig_in_child(nofile_child, NULL), 0);
}
END_TEST

START_TEST(this_is_no_machine_of_ours)
{
        ck_assert(!machine_is_ours());
}
END_TEST

RIG_ROOT_MAIN("machine", mounts, what_cannot_be_mounted_is_said, hostname, loopback, console, descriptors,
              this_is_no_machine_of_ours)
