#pragma once

/*
 * Command lines of unit files, systemd.service(5), "Command lines": prefixes, words, several commands
 * separated by ";", and the variables in them, which are known only when the command is run.
 */

#include <stddef.h>

#include "basic/macro.h"
#include "unit/unit.h"

typedef struct SpecifierContext SpecifierContext;

void unit_command_done(UnitCommand *c);

/* All commands of one line, in an array given to unit_commands_free(). text is not empty. 0, and *ret_n is
 * at least 1; -EINVAL with a text for people in *ret_reason, given to free() (NULL: no memory for it);
 * -ENOMEM. */
int unit_commands_parse(const char *text, const SpecifierContext *specifiers, UnitPlace place,
                        UnitCommand **ret, size_t *ret_n, char **ret_reason);
void unit_commands_free(UnitCommand *commands, size_t n);

#define UNIT_COMMAND_EXPANDED_MAX ((size_t) 2 * 1024 * 1024) /* bytes of all arguments: what exec(2) takes  \
                                                              */

/* The argv to run: $NAME as a whole argument is split at blanks into any number of arguments, ${NAME}
 * anywhere is replaced, $$ is a dollar; what is not set is nothing. Unless the command has ":"; argv[0]
 * takes only ${NAME}, and only with "@". environment: NAME=VALUE, as the command will have it. *ret is
 * strv_free()'s. 0, -ENOMEM, -E2BIG. */
int unit_command_expand(const UnitCommand *c, char *const *environment, char ***ret);
