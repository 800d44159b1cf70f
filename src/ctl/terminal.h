#pragma once

/* The terminal that reevectl was started on: its size, and raw mode, which is undone whatever happens; and
 * the signals that concern it. */

#include <termios.h>

#include "basic/macro.h"

typedef struct Terminal {
        int fd;      /* 0, 1 or 2: the first that is one; -EBADF: none is */
        int signals; /* a signalfd(2): SIGWINCH, SIGCONT, SIGTSTP, and those that end reevectl */
        bool is_raw;
        struct termios saved;
} Terminal;

#define TERMINAL_NULL ((Terminal){.fd = -EBADF, .signals = -EBADF})

/* Only looks where it is; nothing is to be closed. */
void terminal_find(Terminal *ret);
/* Blocks those signals, which from now on are read. Says what goes wrong; 0 or FAILED. */
int terminal_open(Terminal *t);
/* Back to what it was. */
void terminal_close(Terminal *t);

/* Whether stdin is the terminal, so that what is typed can be had key by key. */
bool terminal_has_keys(const Terminal *t);
/* False: there is none, or it has no size. */
bool terminal_size(const Terminal *t, unsigned *ret_rows, unsigned *ret_columns);

/* As stty(1) raw -echo, only where stdin is it. 0 or FAILED. */
int terminal_set_raw(Terminal *t);
void terminal_restore(Terminal *t);

/* The next signal, 0 for none. SIGTSTP is done here: the terminal is given back, and taken again after
 * SIGCONT. */
int terminal_signal(Terminal *t);
