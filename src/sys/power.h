#pragma once

/* The end of a machine: what is written gets to its disks, and the machine goes. */

#include "basic/macro.h"
#include "basic/time.h"

typedef enum PowerAction {
        POWER_NONE, /* no machine's init: it just exits */
        POWER_OFF,
        POWER_REBOOT,
        POWER_HALT,
        _POWER_MAX,
} PowerAction;

/* What could not be done to a file system or a swap space, and a negative errno. */
typedef void (*PowerSay)(const char *what, const char *where, int error);

/* Off with all swap; then every file system but those of the kernel itself is unmounted, the last mount
 * first, and what stays busy is made read-only. Whatever is written by then is synced. May take for ever:
 * see below. */
void power_let_go_of_disks(PowerSay say);
/* What was written gets to the disks; may take for ever, too. */
void power_sync(void);
/* Writes a line to the console, and waits until it is out, which may be for ever, too. */
void power_tell_console(const char *line);

/* Runs what may hang in a child, and waits for it no longer than limit. 0; -ETIMEDOUT: it is left to itself.
 * Without a child (no memory) it runs here. Only for PID 1 with no children of its own left, and SIGCHLD
 * blocked. */
int power_run(void (*function)(void *data), void *data, usec_t limit);

/* reboot(2). Comes back only when that was refused: a negative errno. */
int power_do(PowerAction action);
