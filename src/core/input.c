/*
 * A pipe and a terminal take bytes in the same way and end in different ones. The end of a pipe is that
 * nobody has it open for writing, so it is closed. The end of a terminal's input is a character, which its
 * line discipline takes for that as long as the job lets it: nothing ends, and more may follow.
 */

#include "core/input.h"

#include <errno.h>

#include "basic/errno-name.h"
#include "basic/fd.h"
#include "core/error.h"
#include "sys/pty.h"
#include "sys/stdio.h"

void input_init(Input *in)
{
        *in = (Input){.kind = INPUT_NONE, .fd = -EBADF, .slave = -EBADF};
}

void input_close(Input *in)
{
        in->fd = fd_close(in->fd);
        in->slave = fd_close(in->slave);
}

void input_done(Input *in)
{
        input_close(in);
        in->kind = INPUT_NONE;
}

void input_set_pipe(Input *in, int fd)
{
        *in = (Input){.kind = INPUT_PIPE, .fd = fd, .slave = -EBADF};
}

void input_set_tty(Input *in, int master, int slave)
{
        *in = (Input){.kind = INPUT_TTY, .fd = master, .slave = slave};
}

void input_leader_ended(Input *in)
{
        in->slave = fd_close(in->slave);
}

static int check_open(const Input *in, Error *e)
{
        if (in->kind == INPUT_NONE)
                return error_set(e, ERROR_INPUT_CLOSED,
                                 "The job takes no input: StandardInput is not \"pipe\"");
        if (in->fd < 0)
                return error_set(e, ERROR_INPUT_CLOSED, "The job's input is closed");
        return 0;
}

/* How much was taken, 0 for none now. */
static ssize_t take(Input *in, const void *data, size_t size, Error *e)
{
        ssize_t n = size > 0 ? stdio_write(in->fd, data, size) : 0;

        if (n == -EAGAIN)
                return 0;
        if (n == -EPIPE || n == -EIO) { /* the latter of a terminal */
                input_close(in);
                return error_set(e, ERROR_INPUT_CLOSED, "Nobody has the job's input open any more");
        }
        if (n < 0)
                return error_set(e, ERROR_INPUT_CLOSED, "The job's input cannot be written: %s (%s)",
                                 errno_text((int) n), errno_name((int) n));
        return n;
}

/* The last byte and the character go together: so that the caller, who is told of bytes, knows of the
 * character. */
static int write_tty_eof(Input *in, const char *last, size_t *accepted, Error *e)
{
        char text[2];
        size_t size = 0;
        ssize_t n;
        int r;

        r = pty_eof_character(in->fd, &text[1]);
        if (r < 0)
                return error_set(e, ERROR_NOT_SUPPORTED,
                                 "eof: the terminal has no end-of-file character now");
        if (last) {
                text[0] = *last;
                size = 1;
        } else {
                text[0] = text[1];
        }
        n = take(in, text, size + 1, e);
        if (n < 0)
                return (int) n;
        *accepted += MIN((size_t) n, size);
        if ((size_t) n == size + 1 || (last && n == 0))
                return 0;
        return error_set(e, ERROR_LIMITS_EXCEEDED,
                         "eof: the terminal took all of the data, but not its end-of-file character: send "
                         "that "
                         "alone, a little later");
}

int input_write(Input *in, const void *data, size_t size, bool eof, size_t *ret_accepted, Error *e)
{
        size_t held = eof && in->kind == INPUT_TTY && size > 0, accepted;
        ssize_t n;
        int r;

        r = check_open(in, e);
        if (r < 0)
                return r;
        n = take(in, data, size - held, e);
        if (n < 0)
                return (int) n;
        accepted = (size_t) n;
        if (eof && accepted == size - held) {
                if (in->kind == INPUT_TTY) {
                        r = write_tty_eof(in, held ? (const char *) data + size - 1 : NULL, &accepted, e);
                        if (r < 0)
                                return r;
                } else {
                        input_close(in);
                }
        }
        *ret_accepted = accepted;
        return 0;
}

int input_resize(Input *in, unsigned rows, unsigned columns, Error *e)
{
        int r;

        if (in->kind != INPUT_TTY || in->fd < 0)
                return error_set(e, ERROR_NOT_A_TTY, "The job has no terminal%s",
                                 in->kind == INPUT_TTY ? " any more" : ": it was started without TTY");
        r = pty_set_size(in->fd, rows, columns);
        if (r < 0)
                return error_set(e, ERROR_NOT_A_TTY, "The size of the terminal cannot be set: %s (%s)",
                                 errno_text(r), errno_name(r));
        return 0;
}
