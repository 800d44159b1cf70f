/*
 * The state machine of systemd's reader, as systemd.exec(5) describes it: quotes count at the beginning of a
 * value only (or behind another quoted part), in double quotes a backslash escapes what a shell would need
 * escaped, and outside of quotes whatever follows. A comment is one line, whatever it ends in.
 */

#include "unit/environment-file.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "basic/utf8.h"
#include "unit/problem.h"

#define VARIABLES_MAX ((size_t) 4096)

typedef enum State {
        BEFORE_NAME,
        COMMENT,
        NAME,
        BEFORE_VALUE,
        VALUE,
        VALUE_ESCAPE,
        SINGLE_QUOTE,
        DOUBLE_QUOTE,
        DOUBLE_QUOTE_ESCAPE,
} State;

typedef struct Reader {
        const char *file;
        UnitProblems *problems;
        State state;
        unsigned line, first_line; /* now, and where the assignment began */
        Buffer text;               /* NAME, then NAME=VALUE */
        size_t name_size;          /* without "=" */
        size_t kept;               /* bytes of text that blanks at the end do not belong to */
        char **list;
        size_t n, allocated;
} Reader;

static bool is_newline(char c)
{
        return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static void put(Reader *r, char c, bool counts)
{
        buffer_append(&r->text, &c, 1);
        if (counts)
                r->kept = r->text.size;
}

static void complain(Reader *r, const char *what)
{
        unit_problems_add(r->problems, r->file, r->first_line, false, "%s; ignored.", what);
}

/* An assignment is complete. */
static int assignment_end(Reader *r)
{
        _cleanup_free_ char *text = NULL;
        size_t kept = r->kept, name_size = r->name_size;

        text = buffer_take(&r->text, NULL);
        r->kept = 0;
        r->state = BEFORE_NAME;
        if (!text)
                return -ENOMEM;
        text[kept] = '\0';
        if (strlen(text) != kept || !utf8_is_valid(text, kept)) {
                complain(r, "This value is not UTF-8 text");
                return 0;
        }
        if (!env_name_is_valid(text, name_size)) {
                complain(r, "What stands before the = is no name of a variable");
                return 0;
        }
        if (r->n >= VARIABLES_MAX) {
                complain(r, "This is more than 4096 variables");
                return 0;
        }
        return strv_push(&r->list, &r->n, &r->allocated, TAKE_PTR(text));
}

static void name_end(Reader *r)
{
        r->text.size = r->name_size = r->kept;
        put(r, '=', true);
        r->state = BEFORE_VALUE;
}

static void read_before_name(Reader *r, char c)
{
        if (c == '#' || c == ';') {
                r->state = COMMENT;
        } else if (!is_newline(c) && !is_blank(c)) {
                r->state = NAME;
                r->first_line = r->line;
                r->text.size = r->kept = 0;
                if (c == '=')
                        name_end(r);
                else
                        put(r, c, true);
        }
}

static void read_name(Reader *r, char c)
{
        if (c == '=') {
                name_end(r);
        } else if (is_newline(c)) {
                complain(r, "There is no = in this line");
                r->state = BEFORE_NAME;
        } else {
                put(r, c, !is_blank(c));
        }
}

/* Outside of quotes. */
static int read_value(Reader *r, char c)
{
        bool before = r->state == BEFORE_VALUE;

        if (is_newline(c))
                return assignment_end(r);
        if (c == '\\') {
                r->state = VALUE_ESCAPE;
        } else if (before && (c == '\'' || c == '"')) {
                r->state = c == '"' ? DOUBLE_QUOTE : SINGLE_QUOTE;
        } else if (!before || !is_blank(c)) {
                r->state = VALUE;
                put(r, c, !is_blank(c));
        }
        return 0;
}

static void read_quoted(Reader *r, char c)
{
        if (c == (r->state == DOUBLE_QUOTE ? '"' : '\''))
                r->state = BEFORE_VALUE;
        else if (c == '\\' && r->state == DOUBLE_QUOTE)
                r->state = DOUBLE_QUOTE_ESCAPE;
        else
                put(r, c, true);
}

static void read_escaped(Reader *r, char c)
{
        bool quoted = r->state == DOUBLE_QUOTE_ESCAPE;

        r->state = quoted ? DOUBLE_QUOTE : VALUE;
        if (is_newline(c)) /* both are gone */
                return;
        if (quoted && (c == '\0' || !strchr("\"\\`$", c)))
                put(r, '\\', true);
        put(r, c, true);
}

static int read_character(Reader *r, char c)
{
        switch (r->state) {
        case BEFORE_NAME: read_before_name(r, c); return 0;
        case COMMENT:
                if (is_newline(c))
                        r->state = BEFORE_NAME;
                return 0;
        case NAME: read_name(r, c); return 0;
        case BEFORE_VALUE:
        case VALUE: return read_value(r, c);
        case SINGLE_QUOTE:
        case DOUBLE_QUOTE: read_quoted(r, c); return 0;
        case VALUE_ESCAPE:
        case DOUBLE_QUOTE_ESCAPE: read_escaped(r, c); return 0;
        }
        return 0;
}

static int read_all(Reader *r, const char *text, size_t size)
{
        int k;

        for (size_t i = 0; i < size; i++) {
                k = read_character(r, text[i]);
                if (k < 0)
                        return k;
                r->line += text[i] == '\n';
        }
        if (r->state == SINGLE_QUOTE || r->state == DOUBLE_QUOTE || r->state == DOUBLE_QUOTE_ESCAPE)
                complain(r, "The quote of this value is not closed");
        else if (r->state == NAME)
                complain(r, "There is no = in this line");
        else if (r->state >= BEFORE_VALUE)
                return assignment_end(r);
        return 0;
}

int environment_file_parse(const char *file, const char *text, size_t size, char ***ret,
                           UnitProblems *problems)
{
        Reader r = {.file = file, .problems = problems, .line = 1, .text = BUFFER_INIT};
        int k;

        k = read_all(&r, text, size);
        buffer_done(&r.text);
        if (k >= 0 && !r.list)
                r.list = strv_copy(NULL);
        if (k >= 0)
                k = r.list ? env_settle(r.list) : -ENOMEM;
        if (k < 0) {
                strv_free(r.list);
                return k;
        }
        *ret = r.list;
        return 0;
}
