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
        bool signal_group;
        uint8_t exit_codes[256]; /* what that of the command becomes */
        char **command;          /* within argv; NULL: none */
} Options;

/* 1: go on; 0: --help or --version was answered; negative: what is wrong was said on stderr. */
int options_parse(Options *o, int argc, char **argv);
void options_done(Options *o);
