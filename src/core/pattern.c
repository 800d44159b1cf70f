/*
 * The C library matches without back-references in linear time, but compiles "(a{1,1000}){1,1000}" into a
 * million states: so the price of a pattern is looked at before it is paid. The estimate multiplies all
 * intervals, nested or not: too strict for some that nobody writes.
 */

#include "core/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "core/error.h"

/* The upper bound of the interval at s ("{2,5}"), at least 1. */
static unsigned long interval_bound(const char *s)
{
        const char *comma = strchr(s, ','), *close = strchr(s, '}');
        unsigned long low = strtoul(s + 1, NULL, 10), high = 0;

        if (comma && close && comma < close)
                high = strtoul(comma + 1, NULL, 10);
        high = MAX(low, high);
        return MAX(high, 1UL);
}

static const char *objection(const char *text)
{
        unsigned long price = 1;

        if (strlen(text) > PATTERN_LENGTH_MAX)
                return "is longer than 1024 bytes";
        for (const char *s = text; *s; s++) {
                if (*s == '\\') {
                        s++;
                        if (isdigit((unsigned char) *s))
                                return "has a back-reference";
                        if (*s == '\0')
                                break;
                } else if (*s == '{') {
                        unsigned long bound = interval_bound(s);

                        if (bound > PATTERN_REPEAT_MAX || price * bound > PATTERN_REPEAT_MAX)
                                return "repeats too much";
                        price *= bound;
                }
        }
        return NULL;
}

int pattern_compile(Pattern *p, const char *key, const char *text, Error *e)
{
        const char *reason = objection(text);
        char message[128];
        int r;

        if (reason)
                return error_set(e, ERROR_INVALID_ARGS, "%s: %s", key, reason);
        r = regcomp(&p->regex, text, REG_EXTENDED | REG_NOSUB);
        if (r == REG_ESPACE)
                return error_no_memory(e);
        if (r != 0) {
                regerror(r, NULL, message, sizeof(message));
                return error_set(e, ERROR_INVALID_ARGS, "%s: %s", key, message);
        }
        p->compiled = true;
        return 0;
}

void pattern_done(Pattern *p)
{
        if (p->compiled)
                regfree(&p->regex);
        p->compiled = false;
}

bool pattern_match(const Pattern *p, const char *text)
{
        return regexec(&p->regex, text, 0, NULL, 0) == 0;
}
