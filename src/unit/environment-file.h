#pragma once

/* EnvironmentFile= of systemd.exec(5): what a shell would make of simple assignments. */

#include <stddef.h>

#include "basic/macro.h"

typedef struct UnitProblems UnitProblems;

/* The assignments, the last of a name, NAME=VALUE; *ret is strv_free()'s. Lines that are none, names that
 * are none, values that are not UTF-8 are left out, and a warning of file and line in problems (may be NULL)
 * says so. 0 or -ENOMEM. */
int environment_file_parse(const char *file, const char *text, size_t size, char ***ret,
                           UnitProblems *problems);
