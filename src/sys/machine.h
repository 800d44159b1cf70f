#pragma once

/*
 * What only the first process of a whole machine does, once, early: knows that it is one, mounts what there
 * is none of yet, and sets what the kernel leaves to it. What fails is told to the caller, and left as it
 * is.
 */

#include <stddef.h>
#include <sys/resource.h>

#include "basic/macro.h"

/* What could not be done, for people, and a negative errno. */
typedef void (*MachineSay)(const char *what, int error);

/* Whether the kernel started us as the init of a machine, and no container's. Mounts /proc, where that is
 * needed to tell; nothing else changes. */
bool machine_is_ours(void);

/* /dev, /proc, /sys, /run, /tmp, their like and cgroup2, where nothing is mounted there yet. */
#define MACHINE_MOUNTS_MAX 16
typedef struct MachineMounts {
        int error[MACHINE_MOUNTS_MAX]; /* negative errno; 0: it was there, or is now */
} MachineMounts;
void machine_mount(MachineMounts *ret);
/* What machine_mount() could not do; by then there is a log to say it in. */
void machine_mount_tell(const MachineMounts *m, MachineSay say);

/* The console becomes 0, 1 and 2 where those are closed, or are the one that the kernel found before /dev
 * was mounted. 0, or why there is none: a negative errno. */
int machine_console_stdio(void);

/* The kernel's log, for writing: one write(2) a record. all: none is to be dropped, however many come at
 * once (printk.devkmsg). Negative errno. */
int machine_log_open(bool all);
/* The kernel's command line, to be freed. Negative errno. */
int machine_command_line(char **ret);

/* lo is up. */
int machine_loopback_up(void);
/* wanted, or else, where the kernel has no name, /etc/hostname's, or else "localhost". */
int machine_set_hostname(const char *wanted);
/* ctrl-alt-del is SIGINT to us, and no reset. */
int machine_take_ctrl_alt_del(void);
/* More descriptors for reeve than the 4 096 that the kernel gives its init; *nofile is what jobs get. */
void machine_raise_nofile(struct rlimit *nofile);
