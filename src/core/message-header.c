/*
 * The header of a message with descriptors is looked at before sd-bus sees it: of what that finds malformed
 * it forgets not only the descriptors but also the memory in which it notes them. So this is never more
 * lenient than sd-bus (D-Bus specification, "Message Format", "Valid Names", "Type System"). Pure.
 */

#include "core/message-header.h"

#include <stdint.h>
#include <string.h>

#define HEADER_SIZE 16U
#define NAME_MAX_BYTES 255U
#define DEPTH_MAX 16U
#define LOCAL_INTERFACE "org.freedesktop.DBus.Local"
#define LOCAL_PATH "/org/freedesktop/DBus/Local"

enum { /* of the specification */
       FIELD_PATH = 1,
       FIELD_INTERFACE,
       FIELD_MEMBER,
       FIELD_ERROR_NAME,
       FIELD_REPLY_SERIAL,
       FIELD_DESTINATION,
       FIELD_SENDER,
       FIELD_SIGNATURE,
       FIELD_UNIX_FDS,
       _FIELD_MAX,
};

typedef struct Scan {
        const uint8_t *data;
        size_t at, end;
        bool big;
} Scan;

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

/* Padding is of zeros. */
static bool scan_align(Scan *s, size_t n)
{
        for (; s->at % n != 0; s->at++)
                if (s->at >= s->end || s->data[s->at] != 0)
                        return false;
        return true;
}

static bool scan_byte(Scan *s, uint8_t *ret)
{
        if (s->at >= s->end)
                return false;
        *ret = s->data[s->at++];
        return true;
}

static bool scan_number(Scan *s, uint32_t *ret)
{
        const uint8_t *p;

        if (!scan_align(s, 4) || s->end - MIN(s->at, s->end) < 4)
                return false;
        p = s->data + s->at;
        s->at += 4;
        *ret = s->big ? (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3]
                      : (uint32_t) p[3] << 24 | (uint32_t) p[2] << 16 | (uint32_t) p[1] << 8 | p[0];
        return true;
}

/* Text of so many bytes and its NUL, which is the only one. */
static bool scan_text(Scan *s, size_t size, const char **ret)
{
        const char *text = (const char *) s->data + s->at;

        if (s->end - MIN(s->at, s->end) <= size || text[size] != '\0' || memchr(text, '\0', size))
                return false;
        s->at += size + 1;
        *ret = text;
        return true;
}

static bool path_is_sound(const char *path)
{
        if (path[0] != '/' || streq(path, LOCAL_PATH))
                return false;
        if (path[1] == '\0')
                return true;
        for (const char *p = path; *p; p++)
                if (*p == '/' ? !is_word(p[1]) : !is_word(*p))
                        return false;
        return true;
}

/* Words with dots between; a unique name begins with a colon, and its words may begin with digits. */
static bool name_is_sound(const char *name, bool is_bus_name, bool dotted)
{
        bool unique = is_bus_name && name[0] == ':', dot = false;
        const char *first = unique ? name + 1 : name;

        if (strlen(name) > NAME_MAX_BYTES || streq(name, LOCAL_INTERFACE))
                return false;
        for (const char *p = first; *p || p == first; p++) {
                bool starts = p == first || p[-1] == '.';

                if (*p == '.') {
                        if (starts || p[1] == '\0' || !dotted)
                                return false;
                        dot = true;
                } else if (!is_word(*p) && !(is_bus_name && *p == '-')) {
                        return false;
                } else if (starts && is_digit(*p) && !unique) {
                        return false;
                }
        }
        return dot == dotted;
}

/* One complete type at *s, which moves behind it. */
static bool scan_type(const char **s, unsigned depth)
{
        char c = *(*s)++;

        if (depth > DEPTH_MAX || c == '\0')
                return false;
        if (c == 'a' && **s == '{') {
                (*s)++;
                if (**s == '\0' || !strchr("ybnqiuxtdsogh", **s))
                        return false;
                (*s)++;
                return scan_type(s, depth + 1) && *(*s)++ == '}';
        }
        if (c == 'a')
                return scan_type(s, depth + 1);
        if (c == '(') {
                do
                        if (!scan_type(s, depth + 1))
                                return false;
                while (**s != ')');
                (*s)++;
                return true;
        }
        return strchr("ybnqiuxtdsoghv", c);
}

static bool signature_is_sound(const char *s)
{
        while (*s)
                if (!scan_type(&s, 0))
                        return false;
        return true;
}

/* The value of a field of that code, whose type was right. */
static bool scan_value(Scan *s, uint8_t code, char type, size_t n_descriptors)
{
        uint32_t number;
        const char *text;
        uint8_t size;

        if (type == 'g')
                return scan_byte(s, &size) && scan_text(s, size, &text) && signature_is_sound(text);
        if (!scan_number(s, &number))
                return false;
        if (type == 'u')
                return number == n_descriptors;
        if (!scan_text(s, number, &text))
                return false;
        if (code == FIELD_PATH)
                return path_is_sound(text);
        return name_is_sound(text, code == FIELD_DESTINATION || code == FIELD_SENDER, code != FIELD_MEMBER);
}

/* A call has neither an error's name nor a reply's serial. */
static bool scan_field(Scan *s, unsigned *seen, size_t n_descriptors)
{
        static const char types[_FIELD_MAX] = {
                        [FIELD_PATH] = 'o',        [FIELD_INTERFACE] = 's', [FIELD_MEMBER] = 's',
                        [FIELD_DESTINATION] = 's', [FIELD_SENDER] = 's',    [FIELD_SIGNATURE] = 'g',
                        [FIELD_UNIX_FDS] = 'u',
        };
        uint8_t code, length;
        const char *signature;

        if (!scan_align(s, 8) || !scan_byte(s, &code) || code >= _FIELD_MAX || !types[code] ||
            (*seen & (1U << code)))
                return false;
        *seen |= 1U << code;
        if (!scan_byte(s, &length) || length != 1 || !scan_text(s, length, &signature) ||
            signature[0] != types[code])
                return false;
        return scan_value(s, code, types[code], n_descriptors);
}

bool message_header_is_sound(const void *data, size_t size, size_t n_descriptors)
{
        const unsigned needed = 1U << FIELD_PATH | 1U << FIELD_MEMBER | 1U << FIELD_UNIX_FDS;
        Scan s = {.data = data, .at = 8, .end = HEADER_SIZE};
        uint32_t serial, fields;
        unsigned seen = 0;

        if (size < HEADER_SIZE || (s.data[0] != 'l' && s.data[0] != 'B') || s.data[1] != 1 || s.data[3] != 1)
                return false;
        s.big = s.data[0] == 'B';
        if (!scan_number(&s, &serial) || serial == 0 || !scan_number(&s, &fields) ||
            fields > size - HEADER_SIZE)
                return false;
        s.end = HEADER_SIZE + fields;
        while (s.at < s.end)
                if (!scan_field(&s, &seen, n_descriptors))
                        return false;
        return (seen & needed) == needed;
}
