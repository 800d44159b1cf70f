#pragma once

/* A process, by number and by descriptor: the descriptor (pidfd_open(2)) cannot come to mean another
 * process. A value; where the kernel has no pidfds it is the number alone. */

#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

#include "basic/macro.h"

typedef struct PidRef {
        pid_t pid; /* 0: none */
        int fd;    /* -EBADF: none */
} PidRef;

#define PIDREF_NULL ((PidRef){.pid = 0, .fd = -EBADF})

/* The session that a process is in, getsid(2): its leader's number; 0 when there is no such process. */
static inline pid_t process_session(pid_t pid)
{
        pid_t session = getsid(pid);

        return session < 0 ? 0 : session;
}

static inline bool pidref_is_set(const PidRef *p)
{
        return p->pid > 0;
}

/* -ESRCH: there is no such process. */
int pidref_open(pid_t pid, PidRef *ret);
void pidref_done(PidRef *p);
/* pidfd_send_signal(2), else kill(2). -ESRCH: it is gone. */
int pidref_signal(const PidRef *p, int sig);
/* To the process group that it leads; -ESRCH: it is gone, or leads none. */
int pidref_signal_group(const PidRef *p, int sig);
