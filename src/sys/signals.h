#pragma once

/* Signals to reeve itself, read from one signalfd(2): the numbers of signal(7), and who sent them. */

#include <sys/types.h>

#include "basic/macro.h"

typedef struct SignalInfo {
        int signal;
        pid_t sender;         /* 0: the kernel, or a process outside our PID namespace */
        bool sender_is_known; /* by the kernel; with sigqueue(3) it is what the sender says */
        bool by_us;           /* reeve itself, also the kernel for what it did: SIGPIPE */
        bool by_process;      /* kill(2) and its like; else the kernel's own, as for a terminal's ^C */
} SignalInfo;

/* A descriptor that gets every signal that boot_cure() blocks. Negative errno. */
int signals_open(void);
/* 1: *ret is one of them; 0: there are no more. */
int signals_read(int fd, SignalInfo *ret);
