/*
 * The quoting of unit files. The manual allows a quote at the beginning of a word only, the code of systemd
 * takes it anywhere, and people write Environment=FOO="a b": so what counts is the code. What is not known
 * is refused instead of passed on with a warning, since a command that was misread is worse than one that
 * did not start.
 */

#include "unit/words.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "basic/buffer.h"
#include "basic/strv.h"

#define BLANKS " \t\n\r"

static int digit_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return INT8_MAX;
}

/* Exactly n digits; 0 when they are not there, and for the number 0, which is no character that a word could
 * hold. */
static uint32_t code_read(const char **p, unsigned n, int base)
{
        uint32_t code = 0;

        for (unsigned i = 0; i < n; i++) {
                int digit = digit_value((*p)[i]);

                if (digit >= base)
                        return 0;
                code = code * base + digit;
        }
        *p += n;
        return code;
}

/* false: not a code point that UTF-8 can hold. */
static bool append_code_point(Buffer *b, uint32_t c)
{
        if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return false;
        if (c < 0x80)
                buffer_append(b, (char[]){(char) c}, 1);
        else if (c < 0x800)
                buffer_append(b, (char[]){(char) (0xc0 | c >> 6), (char) (0x80 | (c & 0x3f))}, 2);
        else if (c < 0x10000)
                buffer_append(b,
                              (char[]){(char) (0xe0 | c >> 12), (char) (0x80 | (c >> 6 & 0x3f)),
                                       (char) (0x80 | (c & 0x3f))},
                              3);
        else
                buffer_append(b,
                              (char[]){(char) (0xf0 | c >> 18), (char) (0x80 | (c >> 12 & 0x3f)),
                                       (char) (0x80 | (c >> 6 & 0x3f)), (char) (0x80 | (c & 0x3f))},
                              4);
        return true;
}

/* false: not a byte, or the one that ends strings. */
static bool append_byte(Buffer *b, uint32_t c)
{
        if (c == 0 || c > UINT8_MAX)
                return false;
        buffer_append(b, (char[]){(char) c}, 1);
        return true;
}

/* *p stands behind the backslash, and behind the whole sequence afterwards. false: there is no such
 * sequence. */
static bool unescape(const char **p, Buffer *b)
{
        static const char plain[] = "a\ab\bf\fn\nr\rt\tv\v\\\\\"\"''s ";
        char c = **p;

        switch (c) {
        case 'x': ++*p; return append_byte(b, code_read(p, 2, 16));
        case '0' ... '7': return append_byte(b, code_read(p, 3, 8));
        case 'u': ++*p; return append_code_point(b, code_read(p, 4, 16));
        case 'U': ++*p; return append_code_point(b, code_read(p, 8, 16));
        default:
                for (const char *s = plain; *s; s += 2)
                        if (*s == c) {
                                ++*p;
                                return append_byte(b, (unsigned char) s[1]);
                        }
                return false;
        }
}

typedef enum Escapes {
        ESCAPES_C,        /* those of the header, and no others */
        ESCAPES_VERBATIM, /* there are none */
        ESCAPES_RELAXED,  /* a backslash takes the next character as it is */
} Escapes;

/* *p stands at a backslash, and behind what it starts afterwards. false: it starts nothing. */
static bool escape_read(const char **p, Escapes escapes, Buffer *b)
{
        if (escapes == ESCAPES_RELAXED && (*p)[1])
                ++*p;
        if (escapes != ESCAPES_C) {
                buffer_append(b, *p, 1);
                ++*p;
                return true;
        }
        ++*p;
        return unescape(p, b);
}

static const char bad_escape[] = "has a backslash that starts no escape sequence (a plain one is \\\\)";

static int word_read(const char **text, Escapes escapes, char **ret, const char **ret_reason)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        const char *p = *text + strspn(*text, BLANKS);
        char quote = 0, *word;

        if (!*p)
                return 0;

        while (*p && (quote || !strchr(BLANKS, *p))) {
                if (*p == '\\') {
                        if (!escape_read(&p, escapes, &b)) {
                                *ret_reason = bad_escape;
                                return -EINVAL;
                        }
                        continue;
                }
                if (quote ? *p == quote : *p == '"' || *p == '\'')
                        quote = quote ? 0 : *p;
                else
                        buffer_append(&b, p, 1);
                p++;
        }
        if (quote && escapes != ESCAPES_RELAXED) {
                *ret_reason = "has a quote that is not closed";
                return -EINVAL;
        }

        word = buffer_take(&b, NULL);
        if (!word)
                return -ENOMEM;
        *ret = word;
        *text = p;
        return 1;
}

int word_next(const char **text, char **ret, const char **ret_reason)
{
        return word_read(text, ESCAPES_C, ret, ret_reason);
}

int word_next_verbatim(const char **text, char **ret, const char **ret_reason)
{
        return word_read(text, ESCAPES_VERBATIM, ret, ret_reason);
}

int word_next_relaxed(const char **text, char **ret)
{
        const char *reason;

        return word_read(text, ESCAPES_RELAXED, ret, &reason);
}

int text_unescape(const char *text, char **ret, const char **ret_reason)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        char *plain;

        while (*text) {
                size_t n = strcspn(text, "\\");

                buffer_append(&b, text, n);
                text += n;
                if (*text && !escape_read(&text, ESCAPES_C, &b)) {
                        *ret_reason = bad_escape;
                        return -EINVAL;
                }
        }
        plain = buffer_take(&b, NULL);
        if (!plain)
                return -ENOMEM;
        *ret = plain;
        return 0;
}

int words_split(const char *text, char ***ret, const char **ret_reason)
{
        _cleanup_strv_ char **words = NULL;
        char *word;
        int r;

        words = strv_copy(NULL);
        if (!words)
                return -ENOMEM;
        while ((r = word_next(&text, &word, ret_reason)) > 0) {
                r = strv_consume(&words, word);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(words);
        return 0;
}
