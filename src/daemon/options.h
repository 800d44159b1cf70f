#pragma once

/* The command line of reeve, reeve(8). */

#include <stdint.h>

#include "basic/log.h"
#include "basic/time.h"

typedef struct Options {
        char **addresses; /* NULL: the default one */
        bool no_bus;
        const char *bus; /* the address of a message bus; NULL: none */
        char **units;    /* folders of unit files; NULL: the default ones */
        bool no_units, check_units;
        unsigned max_finished;
        uint64_t log_max_bytes; /* 0: by the memory there is */
        usec_t stop_timeout;
        LogLevel log_level;
        bool signal_group, capture, warn_of_orphans;
        int parent_death;        /* a signal; 0: none */
        uint8_t rewrites[65];    /* what each signal is taken for; 0: nothing */
        uint8_t exit_codes[256]; /* what that of the command becomes */
        int machine;             /* the init of a machine: 1, 0, or -1 for what it is */
        char **command;          /* within argv; NULL: none */
} Options;

/* parameters: of the kernel's command line, of which "reeve.NAME=VALUE" stands for --NAME=VALUE; what argv
 * has counts more. They outlive *o. forgiving: what is wrong is said and left out, for a machine that has
 * nobody but us. 1: go on; 0:
 * --help or --version was answered; negative: what is wrong was said on stderr. */
int options_parse(Options *o, int argc, char **argv, char *const *parameters, bool forgiving);
void options_done(Options *o);
