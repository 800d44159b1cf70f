#pragma once

/* In front of a job that runs: its output here, what is typed there. */

#include "ctl/terminal.h"

typedef struct Client Client;

typedef enum AttachKind {
        ATTACH_OUTPUT, /* it takes no input */
        ATTACH_PIPE,   /* lines, as the terminal here makes them */
        ATTACH_TTY,    /* keys */
} AttachKind;

typedef struct AttachRequest {
        const char *id, *path; /* of the job */
        AttachKind kind;
        bool exited;    /* its leader has ended already: what is left of it is waited for */
        uint64_t lines; /* of its output so far; UINT64_MAX: all */
} AttachRequest;

/* Until the command has ended and its output is here, the user detaches, or the connection is lost. The
 * terminal is what it was before. Says what goes wrong; the exit status of the command as a shell has it, 0
 * where the user detached, or one of output.h. */
int attach(Client *c, Terminal *t, const AttachRequest *request);
