#pragma once

/* reeve as the init of a machine: what it does there before and after all that it does anywhere. */

#include "sys/machine.h"
#include "sys/power.h"

typedef struct BootState BootState;

typedef struct Machine {
        bool first; /* the kernel started us, and no container is around us */
        bool is;    /* we are to be a machine's init: because of that, unless we were told otherwise */
        char **parameters; /* of the kernel's command line; NULL: not first, or it cannot be read */
        char **argv; /* reeve's command line, without what is none of reeve's; owned, the strings are not */
        MachineMounts mounts;
        int no_console; /* why there is none, negative errno */
} Machine;

/* Before the command line is read. *argc and *argv are replaced. */
void machine_look(Machine *m, int *argc, char ***argv);
void machine_done(Machine *m);

/* wanted: what the options say, negative where they do not. 1; -EINVAL: it cannot be, and that was said. */
int machine_decide(Machine *m, int wanted);

/* Mounts, stdio: what has to be there before anything is done. This and what follows does nothing where it
 * is none. */
void machine_begin(Machine *m);
/* The log is the kernel's from here on; then all that is set once. */
void machine_set_up(Machine *m, BootState *boot);

/* Everything is stopped: says the exit status on the console, lets go of the disks, and ends the machine.
 * Comes back only where the kernel refused that. */
void machine_end(const Machine *m, PowerAction action, int exit_code);
