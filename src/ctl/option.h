#pragma once

/* An option of the command line, as the tables of verbs have it. */

typedef struct Option {
        int id;               /* not 0, which ends a table */
        char letter;          /* 0: none */
        const char *name;     /* without its "--" */
        const char *argument; /* NULL: takes none */
        const char *help;
} Option;

/* Ids of the shared tables; a verb's own start at 1. */
enum {
        OPTION_SELECTOR = 100,
        OPTION_JOB = 200,
        OPTION_FOREGROUND = 300,
        OPTION_GLOBAL = 1000,
};
