/*
 * A disk that does not answer, a server that is gone, a terminal whose other side holds it: each can keep a
 * system call waiting for ever. So all of it is done by a child, whom PID 1 gives so much time, and then
 * leaves where it is: reboot(2) asks nobody.
 */

#include "sys/power.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/strv.h"
#include "sys/clock.h"
#include "sys/mount-list.h"

#define SWAPS_MAX (1024U * 1024)
/* A mount that is busy because of another is free in the next round. */
#define UNMOUNT_ROUNDS 8

static void swap_off(PowerSay say)
{
        _cleanup_free_ char *text = NULL;
        char *save = NULL, *line;

        if (read_small_file(AT_FDCWD, "/proc/swaps", SWAPS_MAX, &text) < 0)
                return;
        (void) strtok_r(text, "\n", &save); /* the headings */
        while ((line = strtok_r(NULL, "\n", &save))) {
                line[strcspn(line, " \t")] = '\0';
                mount_unescape(line);
                if (swapoff(line) < 0)
                        say("swapoff", line, -errno);
        }
}

/* Those of the kernel itself: nothing of them is on a disk, and they are needed until the end. */
static bool is_kept(const Mount *m)
{
        static const char *const kept[] = {"/proc", "/sys", "/dev"};

        if (streq(m->path, "/"))
                return true;
        for (size_t i = 0; i < ELEMENTSOF(kept); i++) {
                const char *rest = startswith(m->path, kept[i]);

                if (rest && (*rest == '\0' || *rest == '/'))
                        return true;
        }
        return false;
}

static bool unmount_round(void)
{
        _cleanup_(mount_list_done) MountList l = {0};
        bool progress = false;

        if (mount_list_read(&l) < 0)
                return false;
        for (size_t i = l.n; i-- > 0;)
                if (!is_kept(&l.mounts[i]) && umount2(l.mounts[i].path, UMOUNT_NOFOLLOW) >= 0)
                        progress = true;
        return progress;
}

static bool is_in_memory(const Mount *m)
{
        static const char *const types[] = {"rootfs", "ramfs", "tmpfs",  "devtmpfs",
                                            "proc",   "sysfs", "devpts", "cgroup2"};

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (streq(m->type, types[i]))
                        return true;
        return false;
}

static void remount_read_only(PowerSay say)
{
        _cleanup_(mount_list_done) MountList l = {0};

        if (mount_list_read(&l) < 0)
                return;
        for (size_t i = l.n; i-- > 0;) {
                const Mount *m = &l.mounts[i];

                if (is_in_memory(m) || m->read_only || (is_kept(m) && !streq(m->path, "/")))
                        continue;
                if (mount(NULL, m->path, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
                        say("read-only remount", m->path, -errno);
        }
}

void power_sync(void)
{
        sync();
}

void power_let_go_of_disks(PowerSay say)
{
        sync();
        swap_off(say);
        for (unsigned round = 0; round < UNMOUNT_ROUNDS && unmount_round(); round++)
                ;
        remount_read_only(say);
        sync();
}

void power_tell_console(const char *line)
{
        _cleanup_close_ int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

        if (fd < 0)
                return;
        if (write(fd, line, strlen(line)) >= 0)
                (void) tcdrain(fd);
}

/* Whoever else ends meanwhile is nobody's concern any more. */
static int wait_for(pid_t pid, usec_t limit)
{
        usec_t deadline = usec_add(clock_monotonic(), limit);
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGCHLD);
        /* Where reeve did not get so far as to block it, nobody would wake us. */
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        for (;;) {
                usec_t now = clock_monotonic(), left = now < deadline ? deadline - now : 0;
                struct timespec time = {.tv_sec = (time_t) (left / USEC_PER_SEC),
                                        .tv_nsec = (long) (left % USEC_PER_SEC * NSEC_PER_USEC)};

                if (waitpid(pid, NULL, WNOHANG) != 0)
                        return 0;
                if (left == 0)
                        return -ETIMEDOUT;
                (void) sigtimedwait(&set, NULL, &time);
        }
}

int power_run(void (*function)(void *data), void *data, usec_t limit)
{
        pid_t pid = _Fork(); /* also after a fault, when fork(3) might wait for a lock */

        if (pid < 0) {
                function(data);
                return 0;
        }
        if (pid == 0) {
                function(data);
                _exit(EXIT_SUCCESS);
        }
        return wait_for(pid, limit);
}

int power_do(PowerAction action)
{
        static const int commands[_POWER_MAX] = {
                        [POWER_OFF] = RB_POWER_OFF,
                        [POWER_REBOOT] = RB_AUTOBOOT,
                        [POWER_HALT] = RB_HALT_SYSTEM,
        };

        return reboot(commands[action]) < 0 ? -errno : -ENOTSUP;
}
