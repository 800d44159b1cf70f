/*
 * Text for people. Whoever names a job chooses its bytes, so everything that comes over the bus is escaped
 * before it reaches a terminal. Columns are counted as characters: wide ones are rare in command lines, and
 * wcwidth(3) would need a locale.
 */

#include "ctl/text.h"

#include "basic/buffer.h"
#include "basic/utf8.h"

static void append_escaped_byte(Buffer *b, unsigned char c)
{
        static const char plain[] = "\aa\bb\ff\nn\rr\tt\vv";

        for (const char *s = plain; *s; s += 2)
                if ((unsigned char) *s == c) {
                        buffer_append(b, (char[]){'\\', s[1]}, 2);
                        return;
                }
        buffer_printf(b, "\\x%02x", c);
}

/* Of n bytes: those of C0, DEL, and of C1 (U+0080 to U+009F), which terminals obey as well. */
static bool is_control(const char *s, size_t n)
{
        unsigned char c = s[0];

        return n == 1 ? c < 0x20 || c == 0x7f : n == 2 && c == 0xc2 && (unsigned char) s[1] < 0xa0;
}

void text_escape_bytes(Buffer *b, const char *s, size_t size)
{
        while (size > 0) {
                size_t n = utf8_character(s, size, NULL);

                if (n > 0 && !is_control(s, n))
                        buffer_append(b, s, n);
                else {
                        n = MAX(n, (size_t) 1);
                        for (size_t i = 0; i < n; i++)
                                append_escaped_byte(b, s[i]);
                }
                s += n;
                size -= n;
        }
}

void text_escape(Buffer *b, const char *s)
{
        text_escape_bytes(b, s, strlen(s));
}

static void append_quoted(Buffer *b, const char *s)
{
        const char *quote;

        buffer_append_string(b, "'");
        for (; (quote = strchr(s, '\'')); s = quote + 1) {
                text_escape_bytes(b, s, quote - s);
                buffer_append_string(b, "'\\''");
        }
        text_escape(b, s);
        buffer_append_string(b, "'");
}

void text_command(Buffer *b, char *const *argv)
{
        static const char safe[] =
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

        for (char *const *word = argv; word && *word; word++) {
                if (word != argv)
                        buffer_append_string(b, " ");
                if (**word && !(*word)[strspn(*word, safe)])
                        buffer_append_string(b, *word);
                else
                        append_quoted(b, *word);
        }
}

size_t text_width(const char *s)
{
        size_t n = 0;

        for (; *s; s++)
                n += (*s & 0xc0) != 0x80;
        return n;
}

size_t text_prefix(const char *s, size_t columns)
{
        size_t i = 0;

        for (; s[i]; i++)
                if ((s[i] & 0xc0) != 0x80 && columns-- == 0)
                        break;
        return i;
}

unsigned text_distance(const char *a, const char *b)
{
        enum { LONGEST = 63 };
        unsigned row[3][LONGEST + 1];
        size_t n_a = strnlen(a, LONGEST), n_b = strnlen(b, LONGEST);

        /* Three rows of the table of all prefixes: this one, the one above, and the one above that for
         * swaps. */
        for (size_t j = 0; j <= n_b; j++)
                row[0][j] = j;
        for (size_t i = 1; i <= n_a; i++) {
                unsigned *now = row[i % 3];
                const unsigned *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];

                now[0] = i;
                for (size_t j = 1; j <= n_b; j++) {
                        now[j] = MIN(up[j], now[j - 1]) + 1;
                        now[j] = MIN(now[j], up[j - 1] + (a[i - 1] != b[j - 1]));
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                now[j] = MIN(now[j], up2[j - 2] + 1);
                }
        }
        return row[n_a % 3][n_b];
}
