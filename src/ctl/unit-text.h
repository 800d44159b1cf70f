#pragma once

/* Units as people write and read them. */

#include <stdint.h>

#include "basic/macro.h"

typedef struct Buffer Buffer;

/* The name in full, to be freed: "web" is web.service, and so is all that does not end like a type of unit
 * ("a.b"). What is no name at all is left to reeve to refuse. NULL: no memory. */
char *unit_full_name(const char *name);

/* "FILE:LINE: MESSAGE" and a newline, escaped; line 0: it is the file as a whole. */
void unit_problem_format(Buffer *b, const char *file, uint32_t line, const char *message);
