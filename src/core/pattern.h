#pragma once

/* Regular expressions of callers, POSIX extended (regex(7)), that PID 1 can afford to run: no
 * back-references, and intervals ({m,n}) only as large as keeps the automaton small. */

#include <regex.h>

#include "basic/macro.h"

typedef struct Error Error;

#define PATTERN_LENGTH_MAX 1024U
#define PATTERN_REPEAT_MAX 1000U /* the upper bounds of all intervals, multiplied */

typedef struct Pattern {
        regex_t regex;
        bool compiled;
} Pattern;

/* key: the option, for the message. -EINVAL. */
int pattern_compile(Pattern *p, const char *key, const char *text, Error *e);
void pattern_done(Pattern *p);
bool pattern_match(const Pattern *p, const char *text);
