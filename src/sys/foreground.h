#pragma once

/* The controlling terminal, if there is one, and which process group is in front of it. Signals that a
 * terminal sends are blocked here (sys/boot.h), so nothing of this can stop reeve but foreground_stop(). */

#include <sys/types.h>

#include "basic/macro.h"

typedef struct Foreground {
        int fd; /* of the controlling terminal; -EBADF: there is none */
} Foreground;

#define FOREGROUND_NULL ((Foreground){.fd = -EBADF})

void foreground_open(Foreground *ret);
void foreground_close(Foreground *f);

/* Whether reeve's own process group is in front. */
bool foreground_is_ours(const Foreground *f);
bool foreground_is(const Foreground *f, pid_t group);
void foreground_give(const Foreground *f, pid_t group);
/* Back to reeve's own process group, where that has a number here. */
void foreground_take_back(const Foreground *f);

/* Stops reeve and its process group by SIGTSTP, SIGTTIN or SIGTTOU, and returns when somebody lets them go
 * on; SIGCONT is to be read then. False: nobody is there who could, and nothing was stopped. */
bool foreground_stop(int sig);
