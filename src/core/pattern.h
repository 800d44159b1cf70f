#pragma once

/* Regular expressions of callers, POSIX extended (regex(7)), that PID 1 can afford to run: no
 * back-references, and intervals ({m,n}) only as large as keeps the program small. Bytes, in the C locale.
 */

#include "core/pattern-parse.h"

typedef struct Error Error;

#define PATTERN_LENGTH_MAX 1024U
#define PATTERN_TEXT_MAX 4096U /* so much of a text is looked at */

typedef struct Pattern {
        PatternProgram program;
        bool compiled;
} Pattern;

/* key: the option, for the message. -EINVAL. */
int pattern_compile(Pattern *p, const char *key, const char *text, Error *e);
void pattern_done(Pattern *p);
/* text: its first PATTERN_TEXT_MAX bytes. Allocates nothing. */
bool pattern_match(const Pattern *p, const char *text);
