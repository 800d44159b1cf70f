/* Field by field, and without printf: with lines of a hundred bytes most of what is written are the fields
 * around them, for every reader again. */

#include "journal/format-entry.h"

#include <endian.h>
#include <string.h>

#include "basic/buffer.h"
#include "basic/utf8.h"

/* C1 control characters, which are two bytes in UTF-8, are some, too. */
bool is_clean_text(const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                unsigned char c = s[i], before = i > 0 ? s[i - 1] : 0;

                if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f || (before == 0xc2 && c < 0xa0))
                        return false;
        }
        return utf8_is_valid(s, n);
}

static void json_bytes(Buffer *b, const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                unsigned char c = s[i];
                char text[4], *p = text + sizeof(text);

                do
                        *--p = '0' + c % 10;
                while ((c /= 10) > 0);
                *--p = i == 0 ? '[' : ',';
                buffer_append(b, p, text + sizeof(text) - p);
        }
        buffer_append(b, n > 0 ? "]" : "[]", n > 0 ? 1 : 2);
}

static void json_string(Buffer *b, const char *s, size_t n)
{
        size_t start = 0;

        buffer_append(b, "\"", 1);
        for (size_t i = 0; i < n; i++) {
                char escape = s[i] == '\n' ? 'n' : s[i] == '\t' ? 't' : s[i];

                if (escape == s[i] && s[i] != '"' && s[i] != '\\')
                        continue;
                buffer_append(b, s + start, i - start);
                buffer_append(b, (const char[]){'\\', escape}, 2);
                start = i + 1;
        }
        buffer_append(b, s + start, n - start);
        buffer_append(b, "\"", 1);
}

static void json_field(Entry *e, const char *name, const char *value, size_t size)
{
        Buffer *b = e->buffer;

        buffer_append(b, e->begun ? ",\"" : "{\"", 2);
        buffer_append_string(b, name);
        buffer_append(b, "\":", 2);
        if (is_clean_text(value, size))
                json_string(b, value, size);
        else
                json_bytes(b, value, size);
}

static void export_field(Entry *e, const char *name, const char *value, size_t size)
{
        Buffer *b = e->buffer;

        buffer_append_string(b, name);
        if (!memchr(value, '\n', size) && is_clean_text(value, size)) {
                buffer_append(b, "=", 1);
        } else {
                uint64_t length = htole64(size);

                buffer_append(b, "\n", 1);
                buffer_append(b, &length, sizeof(length));
        }
        buffer_append(b, value, size);
        buffer_append(b, "\n", 1);
}

void entry_field(Entry *e, const char *name, const char *value, size_t size)
{
        if (e->json)
                json_field(e, name, value, size);
        else
                export_field(e, name, value, size);
        e->begun = true;
}

void entry_text(Entry *e, const char *name, const char *value)
{
        entry_field(e, name, value, strlen(value));
}

void entry_number(Entry *e, const char *name, int64_t value)
{
        uint64_t left = value < 0 ? -(uint64_t) value : (uint64_t) value;
        char text[24], *p = text + sizeof(text);

        do
                *--p = (char) ('0' + left % 10);
        while ((left /= 10) > 0);
        if (value < 0)
                *--p = '-';
        entry_field(e, name, p, (size_t) (text + sizeof(text) - p));
}

void entry_end(Entry *e)
{
        buffer_append(e->buffer, e->json ? "}\n" : "\n", e->json ? 2 : 1);
}
