/*
 * The C library's matcher has two prices that a caller could make PID 1 pay. It compiles
 * "(a{1,1000}){1,1000}" into a million states: so what a pattern will cost is looked at first; the estimate
 * multiplies all intervals, nested or not, too strict for some that nobody writes. And it keeps every state
 * that a text leads it to, for ever: so texts are cut, and after some of them it starts anew.
 */

#include "core/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
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
        unsigned long price = strlen(text);

        if (price > PATTERN_LENGTH_MAX)
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

                        if (bound > PATTERN_PRICE_MAX || price * bound > PATTERN_PRICE_MAX)
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
        p->text = str_copy(text);
        if (!p->text) {
                pattern_done(p);
                return error_no_memory(e);
        }
        return 0;
}

void pattern_done(Pattern *p)
{
        if (p->compiled)
                regfree(&p->regex);
        free(p->text);
        *p = (Pattern){.compiled = false};
}

/* Where there is no memory for it, the old one goes on. */
static void start_anew(Pattern *p)
{
        regex_t fresh;

        if (regcomp(&fresh, p->text, REG_EXTENDED | REG_NOSUB) != 0)
                return;
        regfree(&p->regex);
        p->regex = fresh;
        p->matched = 0;
}

bool pattern_match(Pattern *p, const char *text)
{
        char cut[PATTERN_TEXT_MAX + 1];
        size_t n = strnlen(text, PATTERN_TEXT_MAX);

        if (p->matched > PATTERN_TEXT_MAX)
                start_anew(p);
        p->matched += n;
        memcpy(cut, text, n);
        cut[n] = '\0';
        return regexec(&p->regex, cut, 0, NULL, 0) == 0;
}
