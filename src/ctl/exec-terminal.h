#pragma once

/* exec -t and start -t: a job with a terminal that is like the one here. */

typedef struct Client Client;
typedef struct Foreground Foreground;
typedef struct JobOptions JobOptions;
typedef struct Terminal Terminal;
typedef struct Verb Verb;

/* Adds to the options what a terminal needs, as far as they do not say it: its size and kind, where there is
 * one here. 0, or one of output.h. */
int job_options_set_terminal(JobOptions *o, const Verb *verb, const Terminal *t);

/* Starts argv with a terminal, and is in front of it: the exit status of the command, or one of output.h. */
int exec_on_terminal(JobOptions *o, const Foreground *f, const Verb *verb, Client *c, char **argv);
