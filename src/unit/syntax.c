/*
 * As systemd reads lines: a backslash at the end joins the next line, and becomes a space; lines that are
 * comments are skipped between joined ones, empty ones are not. Where systemd only warns (no "=", no section
 * before it, a broken header) the line is told to be broken: it is most often half of a command whose
 * backslash got lost.
 */

#include "unit/syntax.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/buffer.h"
#include "basic/utf8.h"

#define BLANKS " \t\r"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

const char *unit_text_check(const char *text, size_t size, unsigned *ret_line)
{
        const char *reason = NULL;
        unsigned line = 1;
        size_t n;

        if (size >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0)
                reason = "begins with a byte order mark, which is no part of UTF-8 text here";
        for (size_t i = 0; i < size && !reason; i += n) {
                n = utf8_character(text + i, size - i, NULL);
                if (n == 0)
                        reason = "has bytes that are not UTF-8";
                else if (text[i] == '\0')
                        reason = "has a NUL byte";
                else
                        line += text[i] == '\n';
        }
        if (reason)
                *ret_line = line;
        return reason;
}

/* The next physical line without its end; false: there are none left. */
static bool line_next(UnitText *t, const char **ret, size_t *ret_size)
{
        const char *start = t->text + t->position, *end;
        size_t rest = t->size - t->position;

        if (rest == 0)
                return false;
        end = memchr(start, '\n', rest);
        t->position += end ? (size_t) (end - start) + 1 : rest;
        t->line++;
        *ret = start;
        *ret_size = end ? (size_t) (end - start) : rest;
        if (*ret_size > 0 && start[*ret_size - 1] == '\r')
                --*ret_size;
        return true;
}

static bool line_is_comment(const char *line, size_t size)
{
        while (size > 0 && strchr(BLANKS, *line)) {
                line++;
                size--;
        }
        return size > 0 && (*line == '#' || *line == ';');
}

/* An odd number of backslashes at the end. */
static bool line_goes_on(const char *line, size_t size)
{
        size_t n = 0;

        while (n < size && line[size - 1 - n] == '\\')
                n++;
        return n % 2 == 1;
}

/* A whole line, joined. 1; 0: there are none left; -E2BIG: too long, and skipped; -ENOMEM. */
static int line_read(UnitText *t, char **ret, unsigned *ret_number)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        bool any = false, goes_on = true, too_long = false;
        const char *line;
        size_t size;

        while (goes_on && line_next(t, &line, &size)) {
                if (line_is_comment(line, size))
                        continue;
                if (!any)
                        *ret_number = t->line;
                any = true;
                goes_on = line_goes_on(line, size);
                too_long = too_long || size > UNIT_LINE_MAX - b.size;
                if (too_long)
                        continue;
                buffer_append(&b, line, size - goes_on);
                if (goes_on)
                        buffer_append(&b, " ", 1);
        }
        if (!any)
                return 0;
        if (too_long)
                return -E2BIG;
        *ret = buffer_take(&b, NULL);
        return *ret ? 1 : -ENOMEM;
}

static char *strip(char *s)
{
        char *end;

        s += strspn(s, BLANKS);
        end = s + strlen(s);
        while (end > s && strchr(BLANKS, end[-1]))
                end--;
        *end = '\0';
        return s;
}

static void broken(UnitItem *item, const char *reason)
{
        item->type = UNIT_ITEM_BROKEN;
        item->reason = reason;
}

static void section_read(char *s, UnitItem *item)
{
        size_t n = strlen(s);

        if (n < 3 || s[n - 1] != ']' || strcspn(s + 1, "[]") != n - 2) {
                broken(item, "This is no header of a section, which is a name in [ and ].");
                return;
        }
        s[n - 1] = '\0';
        item->type = UNIT_ITEM_SECTION;
        item->name = s + 1;
}

static void assignment_read(char *s, UnitItem *item)
{
        char *equals = strchr(s, '=');

        if (!equals) {
                broken(item, "There is no = in this line.");
                return;
        }
        *equals = '\0';
        item->type = UNIT_ITEM_ASSIGNMENT;
        item->name = strip(s);
        item->value = strip(equals + 1);
        if (isempty(item->name))
                broken(item, "There is nothing before the = of this line.");
}

int unit_text_next(UnitText *t, UnitItem *ret)
{
        UnitItem item = {.type = UNIT_ITEM_END};
        int r;

        do {
                char *line = NULL, *s;

                r = line_read(t, &line, &item.line);
                if (r == -ENOMEM)
                        return r;
                free(t->current);
                t->current = line;
                if (r <= 0)
                        break;
                s = strip(line);
                if (*s == '[')
                        section_read(s, &item);
                else if (*s)
                        assignment_read(s, &item);
        } while (item.type == UNIT_ITEM_END);
        if (r == -E2BIG)
                broken(&item, "This line is longer than 64 KiB.");
        *ret = item;
        return 0;
}

void unit_text_done(UnitText *t)
{
        free(t->current);
        t->current = NULL;
}
