#pragma once

/* Strings of jobs (command lines, descriptions) as a terminal may safely show them. */

#include <stddef.h>

#include "basic/macro.h"

typedef struct Buffer Buffer;

/* Appends s with control characters written out (\n, \x1b): what a job is called must not move the cursor.
 */
void text_escape(Buffer *b, const char *s);
/* The same of what may have NUL in it. */
void text_escape_bytes(Buffer *b, const char *s, size_t size);

/* Appends argv as a line that a shell would read back, except that it is escaped as above. */
void text_command(Buffer *b, char *const *argv);

/* Columns on a terminal, one a character; bytes that belong to the first `columns` of them. */
size_t text_width(const char *s) _pure_;
size_t text_prefix(const char *s, size_t columns) _pure_;

/* How many single edits (a character more, less, another, or two swapped) make a into b. Of words longer
 * than 63 just those are compared. */
unsigned text_distance(const char *a, const char *b) _pure_;
