#pragma once

/* What is done once, before anything else: to cure whatever was inherited, and to remember what jobs are to
 * be given of it. */

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "basic/macro.h"

typedef struct BootState {
        bool is_pid1;
        bool is_subreaper;       /* not PID 1: orphans of our children come to us (PR_SET_CHILD_SUBREAPER) */
        char *working_directory; /* as inherited; "/" where that is gone. PID 1's own is / from then on */
        struct rlimit nofile;    /* as inherited; our own soft limit is the hard one */
        char *program;           /* our own path; NULL: not known */
        mode_t umask;            /* as inherited */
        int nice; /* as inherited; PID 1 itself runs a little before what it starts, where it may */
        unsigned closed_stdio; /* bit n: descriptor n was closed, and is /dev/null now */
} BootState;

/* SIGCHLD and all other dispositions to default, SIGPIPE ignored, every signal blocked that can be (they are
 * read from descriptors), stdio made whole, stray descriptors CLOEXEC, /. 0 or -ENOMEM. */
int boot_cure(BootState *ret);
void boot_state_done(BootState *b);

/* The signal that we are to be sent when our parent ends. Negative errno. */
int boot_parent_death(int sig);

/* A signal to all others: as PID 1 to every process of the namespace, else to all that descend from us (only
 * PID 1 may say "everybody else"; for another that would be the machine). Whether there were any; sig 0 only
 * looks. */
bool boot_signal_rest(bool is_pid1, int sig);
