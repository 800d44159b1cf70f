/*
 * The slave is not opened by its name: /dev/pts may not be mounted where reeve is, or be of another instance
 * of devpts than the master. TIOCGPTPEER (4.13) gives it from the master itself.
 *
 * A master that is open is a terminal that is there: only when the last copy of it is closed does the
 * terminal hang up. Reading from it is EIO while nobody has the slave open, and whoever is of the session
 * may open it again as /dev/tty.
 */

#include "sys/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "basic/fd.h"

/* The usual name, and the one that is there where nobody made the usual one. */
static const char *const names[] = {"/dev/ptmx", "/dev/pts/ptmx"};

static int open_master(const char **ret_what)
{
        int error = 0;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                int low = open(names[i], O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), fd;

                if (low < 0) {
                        if (error == 0)
                                error = -errno;
                        continue;
                }
                if (low > 2)
                        return low;
                fd = fd_dup(low);
                fd_close(low);
                return fd;
        }
        *ret_what = names[0];
        return error;
}

/* Erasing takes a whole character, not its last byte: termios(3). */
static int set_utf8(int slave)
{
        struct termios settings;

        if (tcgetattr(slave, &settings) < 0)
                return -errno;
        settings.c_iflag |= IUTF8;
        return tcsetattr(slave, TCSANOW, &settings) < 0 ? -errno : 0;
}

int pty_open(unsigned rows, unsigned columns, int *ret_master, int *ret_slave, const char **ret_what)
{
        _cleanup_close_ int master = -EBADF, slave = -EBADF;
        int unlocked = 0, r;

        master = open_master(ret_what);
        if (master < 0)
                return master;
        if (ioctl(master, TIOCSPTLCK, &unlocked) < 0) {
                *ret_what = "TIOCSPTLCK";
                return -errno;
        }
        slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (slave < 0) {
                *ret_what = "TIOCGPTPEER";
                return -errno;
        }
        if (slave <= 2) {
                int low = slave;

                slave = fd_dup(low);
                fd_close(low);
                if (slave < 0)
                        return slave;
        }
        r = set_utf8(slave);
        if (r >= 0)
                r = pty_set_size(master, rows, columns);
        if (r < 0) {
                *ret_what = "its settings";
                return r;
        }
        *ret_master = TAKE_FD(master);
        *ret_slave = TAKE_FD(slave);
        return 0;
}

int pty_give(int slave, uid_t uid)
{
        if (fchown(slave, uid, (gid_t) -1) < 0)
                return -errno;
        return fchmod(slave, S_IRUSR | S_IWUSR) < 0 ? -errno : 0;
}

int pty_set_size(int fd, unsigned rows, unsigned columns)
{
        const struct winsize size = {.ws_row = (unsigned short) rows, .ws_col = (unsigned short) columns};

        return ioctl(fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int pty_eof_character(int fd, char *ret)
{
        struct termios settings;

        if (tcgetattr(fd, &settings) < 0)
                return -errno;
        if (settings.c_cc[VEOF] == _POSIX_VDISABLE)
                return -ENODATA;
        *ret = (char) settings.c_cc[VEOF];
        return 0;
}
