#pragma once

/* The kernel's command line, as it reads it itself (kernel/params.c, init/main.c of the kernel). Pure text.
 */

#include "basic/macro.h"

/* The words before "--", parameters of the kernel, and those after it, which are for its init; quotes are
 * taken off as the kernel takes them off. 0 or -ENOMEM. Both are given to strv_free(). */
int kernel_line_split(const char *line, char ***ret_parameters, char ***ret_init);

/* The value of a parameter: "" where it has none, NULL where it is not there. The last one counts; "-" and
 * "_" are the same in a name. */
const char *kernel_line_get(char *const *parameters, const char *name);

/* How many of argv, behind argv[0], are parameters that the kernel did not know and passed on to its init:
 * such words come first, and are none of init's own. */
size_t kernel_line_strays(char *const *argv, char *const *parameters, char *const *init);
