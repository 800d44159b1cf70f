#pragma once

/* A command in front: exec and run. Its output and its exit status become those of reevectl. */

#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "ctl/option.h"

typedef struct Client Client;
typedef struct JobOptions JobOptions;
typedef struct Verb Verb;

typedef struct Foreground {
        bool verbose, keep;
} Foreground;

enum {
        OPTION_VERBOSE = OPTION_FOREGROUND,
        OPTION_KEEP,
};

/* For the verb's table of options. */
#define FOREGROUND_OPTIONS                                                                                  \
        {OPTION_VERBOSE, 'v', "verbose", NULL, "say on stderr which job it was and how it ended"},          \
        {                                                                                                   \
                OPTION_KEEP, 0, "keep", NULL,                                                               \
                                "let the job go on when reevectl is interrupted; so it does with --id"      \
        }

#define STATUS_SIGNAL 128 /* and the number of the signal */

/* The exit status that a shell has for such an end; FAILED: it did not exit, and of no signal. */
int outcome_status(const char *result, int exit_code, int sig);

/* Whether it was one of these options. */
bool foreground_set(Foreground *f, int id);
/* The settings that such a job has when nothing else was said. 0, or one of output.h. */
int foreground_prepare(const Foreground *f, JobOptions *o, const Verb *verb);
/* Calls Exec or Run, which m is: the exit status, or one of output.h. */
int foreground_call(const Foreground *f, Client *c, sd_bus_message *m);
/* An error that reeve answered to such a call, or to Start: says it; the exit status that a shell has for
 * it, or FAILED. */
int foreground_refused(Client *c, const sd_bus_error *error);
/* With -v, of a job that has ended, what foreground_call() says then. */
void foreground_say_job(const Foreground *f, Client *c, const char *id, const char *path);
