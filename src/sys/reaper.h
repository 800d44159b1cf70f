#pragma once

/*
 * Reaping: the only place that waits for children. waitid(2), never blocking, in two moves: peek (WNOWAIT)
 * while the process is still a zombie, so that its number means nobody else and /proc still has its cgroup;
 * then reap.
 */

#include <sys/types.h>

#include "basic/macro.h"

typedef struct ProcessEnd {
        pid_t pid;
        int exit_code; /* 0 to 255; -1: ended by a signal */
        int signal;    /* 0: exited */
        bool core_dumped;
} ProcessEnd;

/* pid 0: any child. 1: *ret is set, the process is still there; 0: none has ended; -ECHILD: there are no
 * children (no such child). */
int reaper_peek(pid_t pid, ProcessEnd *ret);
/* The signal that has stopped that child since it was asked last; 0: none. */
int reaper_stopped(pid_t pid);
/* 0, or negative errno. */
int reaper_reap(pid_t pid);
