#pragma once

/* Paths as text. */

#include "basic/macro.h"

/* path, or where it is relative, base and path; given to free(). NULL: no memory. */
char *path_absolute(const char *base, const char *path);
