/*
 * A machine is told from a container by what no container can have: the first PID namespace, whose inode the
 * kernel numbers (include/linux/proc_ns.h), and kthreadd beside us as process 2. A kernel that is none, as
 * gVisor's, has at most the first. Who sets $container knows better.
 */

#include "sys/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/strv.h"

#define FIRST_PID_NAMESPACE 0xEFFFFFFCU
#define KTHREADD 2
#define COMMAND_LINE_MAX 65536
#define HOSTNAME_FILE_MAX 4096
#define NOFILE_SOFT 1024U
#define NOFILE_HARD 524288U

/* The kernel's threads are in no session and no process group; whoever else is process 2 has both. */
static bool kthreadd_is_there(void)
{
        return getsid(KTHREADD) == 0 && getpgid(KTHREADD) == 0;
}

bool machine_is_ours(void)
{
        struct stat st;

        if (getpid() != 1 || !isempty(getenv("container")) || !kthreadd_is_there())
                return false;
        if (access("/proc/self", F_OK) < 0) {
                (void) mkdir("/proc", 0755);
                (void) mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
        }
        return stat("/proc/self/ns/pid", &st) >= 0 && st.st_ino == FIRST_PID_NAMESPACE;
}

/* A console from before /dev was mounted is one that no path leads to any more, and ttyname(3) knows no name
 * for it. */
static bool needs_console(int fd)
{
        struct stat st;

        return fstat(fd, &st) < 0 || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(TTYAUX_MAJOR, 1));
}

int machine_console_stdio(void)
{
        int console, r = 0;

        if (!needs_console(0) && !needs_console(1) && !needs_console(2))
                return 0;
        console = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (console < 0)
                return -errno;
        for (int fd = 0; fd <= 2; fd++)
                if (fd != console && needs_console(fd) && dup2(console, fd) < 0)
                        r = -errno;
        if (console > 2)
                fd_close(console);
        else
                (void) fcntl(console, F_SETFD, 0);
        return r;
}

int machine_log_open(bool all)
{
        _cleanup_close_ int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return -errno;
        if (all)
                (void) write_small_file(AT_FDCWD, "/proc/sys/kernel/printk_devkmsg", "on");
        return TAKE_FD(fd);
}

int machine_command_line(char **ret)
{
        return read_small_file(AT_FDCWD, "/proc/cmdline", COMMAND_LINE_MAX, ret);
}

/* An interface is named over any socket, also where the kernel has no IP. */
int machine_loopback_up(void)
{
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = {.ifr_name = "lo"};

        if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
                return -errno;
        if (request.ifr_flags & IFF_UP)
                return 0;
        request.ifr_flags |= IFF_UP;
        return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

/* The first word that is no comment; hostname(5). */
static char *hostname_file(void)
{
        _cleanup_free_ char *text = NULL;
        char *save = NULL;

        if (read_small_file(AT_FDCWD, "/etc/hostname", HOSTNAME_FILE_MAX, &text) < 0)
                return NULL;
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                line += strspn(line, " \t\r");
                line[strcspn(line, " \t\r")] = '\0';
                if (*line && *line != '#')
                        return str_copy(line);
        }
        return NULL;
}

int machine_set_hostname(const char *wanted)
{
        _cleanup_free_ char *read = NULL;
        struct utsname names;

        if (isempty(wanted)) {
                if (uname(&names) >= 0 && !streq(names.nodename, "(none)") && !isempty(names.nodename))
                        return 0;
                read = hostname_file();
                wanted = read ?: "localhost";
        }
        return sethostname(wanted, strlen(wanted)) < 0 ? -errno : 0;
}

int machine_take_ctrl_alt_del(void)
{
        return reboot(RB_DISABLE_CAD) < 0 ? -errno : 0;
}

void machine_raise_nofile(struct rlimit *nofile)
{
        struct rlimit own = {.rlim_cur = NOFILE_HARD, .rlim_max = NOFILE_HARD};

        if (nofile->rlim_max >= NOFILE_HARD || setrlimit(RLIMIT_NOFILE, &own) < 0)
                return;
        *nofile = (struct rlimit){.rlim_cur = NOFILE_SOFT, .rlim_max = NOFILE_HARD};
}
