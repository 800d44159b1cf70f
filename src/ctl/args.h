#pragma once

/* The command line, by tables of options: reading it, and the --help that is made of the same tables. */

#include "basic/macro.h"
#include "ctl/option.h"

typedef struct Client Client;
typedef struct Verb Verb;

/* Takes one option of the verb's tables; value is NULL where the option has no argument. 0; 1: the user has
 * been shown what was asked for, there is nothing more to do; or one of output.h. */
typedef int (*OptionSetter)(void *object, const Verb *verb, int id, const char *value);

/* The --help of everything; or of the verbs of a group alone. 0, or one of output.h. */
int args_help(const char *group);

/*
 * Reads args (NULL-terminated) up to the first operand when verb is NULL or takes a command, else all of it,
 * and sets the global options in *c. 1: *ret_operands, in the place of args, are what is left, as many as
 * the verb takes; 0: help or such was shown; or one of output.h.
 */
int args_parse(const Verb *verb, Client *c, char **args, OptionSetter set, void *object,
               char ***ret_operands);
