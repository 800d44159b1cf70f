#pragma once

/*
 * What a job reads that callers write: a pipe, a terminal, or nothing that they could. A write takes what
 * the kernel takes at once and says how much that was; nothing is queued here, and nothing waits.
 */

#include <stdint.h>

#include "basic/macro.h"

typedef struct Error Error;

typedef enum InputKind {
        INPUT_NONE, /* nothing, data of its own, or a descriptor of the caller's */
        INPUT_PIPE,
        INPUT_TTY,
} InputKind;

typedef struct Input {
        InputKind kind;
        int fd;    /* a pipe's write end, a terminal's master, non-blocking; -EBADF: closed, or never was */
        int slave; /* the terminal's other side, held until the leader has ended, or -EBADF: while it is open
                      the terminal is not hung up, though no process of the job may have it open just then */
} Input;

void input_init(Input *in);
void input_done(Input *in);

/* Takes fd over. */
void input_set_pipe(Input *in, int fd);
/* Takes both over. */
void input_set_tty(Input *in, int master, int slave);

/*
 * *ret_accepted: how much of data was taken, 0 where there is no room now. With eof, once all of it is: a
 * pipe is closed; a terminal gets its end-of-file character. -EPIPE (InputClosed): there is no input, it was
 * closed, or nobody has it open to read. On a terminal -EOPNOTSUPP: it has no such character now; -EDQUOT:
 * there was no room for it, though there was for the data.
 */
int input_write(Input *in, const void *data, size_t size, bool eof, size_t *ret_accepted, Error *e);

/* -ENOTTY (NotATTY): it has no terminal, or not any more. */
int input_resize(Input *in, unsigned rows, unsigned columns, Error *e);

/* The leader has ended: from now on the terminal is there for as long as somebody of the job has it open. */
void input_leader_ended(Input *in);
/* Nobody reads any more. */
void input_close(Input *in);
