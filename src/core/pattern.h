#pragma once

/* Regular expressions of callers, POSIX extended (regex(7)), that PID 1 can afford to run: no
 * back-references, and intervals ({m,n}) only as large as keeps the program small. Bytes, in the C locale.
 */

#include "core/pattern-parse.h"

typedef struct Error Error;

#define PATTERN_LENGTH_MAX 1024U
#define PATTERN_TEXT_MAX 4096U /* so much of a text that is matched at once is looked at */

typedef struct Pattern {
        PatternProgram program;
        PatternSet first; /* the bytes that a match can begin with, but at the beginning of the text */
        bool compiled;
} Pattern;

/* key: the option, for the message. -EINVAL. */
int pattern_compile(Pattern *p, const char *key, const char *text, Error *e);
void pattern_done(Pattern *p);
/* text: its first PATTERN_TEXT_MAX bytes. Allocates nothing. */
bool pattern_match(const Pattern *p, const char *text);

/* A text that comes in pieces: what is carried from one to the next. */
typedef struct PatternRun {
        uint16_t *states; /* steps that wait for a byte, or for the end */
        unsigned n_states;
        size_t n_bytes; /* of the text so far */
        bool begun;
        bool idle;    /* the states are those of a match that has not begun yet */
        bool matched; /* whatever follows */
        bool dead;    /* it never will be, whatever follows */
} PatternRun;

/* Room for that pattern; -ENOMEM. */
int pattern_run_init(PatternRun *run, const Pattern *p);
void pattern_run_done(PatternRun *run);
/* Another text begins. */
void pattern_run_reset(PatternRun *run);
/* The next piece. Work is taken off *budget, a unit being about a nanosecond; how many bytes were looked at:
 * fewer than size when the budget is used up. */
size_t pattern_run_feed(PatternRun *run, const Pattern *p, const void *data, size_t size, uint64_t *budget);
/* The text ends here: whether it matches. pattern_run_reset() comes next. Always done in whole, whatever is
 * left of the budget. */
bool pattern_run_end(PatternRun *run, const Pattern *p, uint64_t *budget);
