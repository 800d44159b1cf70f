/*
 * Problems are said to people: on a terminal by --check-units, over D-Bus as strings, in the log as lines.
 * What a file holds must not reach any of these as it is.
 */

#include "unit/problem.h"

#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/utf8.h"

void unit_problems_done(UnitProblems *p)
{
        for (size_t i = 0; i < p->n; i++) {
                free(p->list[i].file);
                free(p->list[i].message);
        }
        free(p->list);
        *p = UNIT_PROBLEMS_INIT;
}

/* As one line for people; NULL: no memory. */
static char *text_make_plain(const char *text)
{
        char *plain = utf8_sanitize(text, strlen(text));

        for (char *s = plain; s && *s; s++)
                if ((unsigned char) *s < ' ' || *s == 0x7f)
                        *s = ' ';
        return plain;
}

/* false: no room, or no memory. Takes both texts over when it is true. */
static bool problem_put(UnitProblems *p, char *file, char *message, unsigned line, bool refused)
{
        size_t bytes;
        UnitProblem *list;

        if (!file || !message || p->n >= UNIT_PROBLEMS_MAX ||
            (!refused && p->n_warnings >= UNIT_WARNINGS_MAX))
                return false;
        bytes = strlen(file) + strlen(message);
        if (bytes > UNIT_PROBLEMS_BYTES_MAX - p->bytes)
                return false;
        if ((p->n & (p->n - 1)) == 0) { /* full: it is doubled at every power of two */
                list = alloc_resize(p->list, p->n ? p->n * 2 : 1, sizeof(UnitProblem));
                if (!list)
                        return false;
                p->list = list;
        }
        p->list[p->n++] = (UnitProblem){.file = file, .line = line, .refused = refused, .message = message};
        p->bytes += bytes;
        p->n_warnings += !refused;
        return true;
}

void unit_problems_add_v(UnitProblems *p, const char *file, unsigned line, bool refused, const char *format,
                         va_list ap)
{
        _cleanup_free_ char *text = NULL, *plain = NULL, *plain_file = NULL;

        if (!p)
                return;
        p->n_refused += refused;
        text = str_vprintf(format, ap);
        if (text)
                plain = text_make_plain(text);
        plain_file = text_make_plain(file);
        if (!problem_put(p, plain_file, plain, line, refused)) {
                p->left_out++;
                return;
        }
        plain = plain_file = NULL;
}

void unit_problems_add(UnitProblems *p, const char *file, unsigned line, bool refused, const char *format,
                       ...)
{
        va_list ap;

        va_start(ap, format);
        unit_problems_add_v(p, file, line, refused, format, ap);
        va_end(ap);
}
