/*
 * A message is walked by its own signature, so that whatever reeve answers, in this version or a later one,
 * comes out whole: no verb knows the type of a property that it prints for programs.
 */

#include "ctl/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/utf8.h"

static void append_characters(Buffer *b, const char *s, size_t size)
{
        static const char plain[] = "\"\"\\\\\bb\ff\nn\rr\tt";

        for (size_t done = 0; done < size;) {
                const char *special;
                size_t n = done;

                while (n < size && (unsigned char) s[n] >= 0x20 && s[n] != '"' && s[n] != '\\' &&
                       s[n] != 0x7f)
                        n++;
                buffer_append(b, s + done, n - done);
                if (n == size)
                        break;
                for (special = plain; *special && *special != s[n]; special += 2)
                        ;
                if (*special)
                        buffer_append(b, (char[]){'\\', special[1]}, 2);
                else
                        buffer_printf(b, "\\u%04x", (unsigned char) s[n]);
                done = n + 1;
        }
}

void json_string(Buffer *b, const char *s)
{
        _cleanup_free_ char *valid = NULL;
        size_t size = strlen(s);

        /* D-Bus carries UTF-8 only; what comes from the command line may be anything. */
        if (!utf8_is_valid(s, size)) {
                valid = utf8_sanitize(s, size);
                if (!valid)
                        b->error = -ENOMEM;
                s = valid ?: "";
        }
        buffer_append(b, "\"", 1);
        append_characters(b, s, strlen(s));
        buffer_append(b, "\"", 1);
}

static void append_base64(Buffer *b, const unsigned char *s, size_t size)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

        for (size_t i = 0; i < size; i += 3) {
                uint32_t group = s[i] << 16 | (i + 1 < size ? s[i + 1] : 0) << 8 |
                                 (i + 2 < size ? s[i + 2] : 0);

                buffer_append(b,
                              (char[]){digits[group >> 18], digits[group >> 12 & 63],
                                       i + 1 < size ? digits[group >> 6 & 63] : '=',
                                       i + 2 < size ? digits[group & 63] : '='},
                              4);
        }
}

void json_bytes(Buffer *b, const void *data, size_t size)
{
        if (utf8_is_valid(data, size)) {
                buffer_append(b, "\"", 1);
                append_characters(b, data, size);
                buffer_append(b, "\"", 1);
                return;
        }
        buffer_append_string(b, "{\"base64\":\"");
        append_base64(b, data, size);
        buffer_append_string(b, "\"}");
}

static int basic_value(Buffer *b, sd_bus_message *m, char type)
{
        union {
                uint8_t y;
                int b;
                int16_t n;
                uint16_t q;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
                double d;
                const char *s;
        } v;
        int r;

        r = sd_bus_message_read_basic(m, type, &v);
        if (r < 0)
                return r;

        switch (type) {
        case 'y': buffer_printf(b, "%" PRIu8, v.y); break;
        case 'b': buffer_append_string(b, v.b ? "true" : "false"); break;
        case 'n': buffer_printf(b, "%" PRIi16, v.n); break;
        case 'q': buffer_printf(b, "%" PRIu16, v.q); break;
        case 'h':
        case 'i': buffer_printf(b, "%" PRIi32, v.i); break;
        case 'u': buffer_printf(b, "%" PRIu32, v.u); break;
        case 'x': buffer_printf(b, "%" PRIi64, v.x); break;
        case 't':
                if (v.t == UINT64_MAX)
                        buffer_append_string(b, "null");
                else
                        buffer_printf(b, "%" PRIu64, v.t);
                break;
        case 'd':
                if (isfinite(v.d))
                        buffer_printf(b, "%.17g", v.d);
                else
                        buffer_append_string(b, "null");
                break;
        default: json_string(b, v.s); break;
        }
        return 0;
}

/* A key of an object has to be a string, so numbers and such are quoted. */
static int dict_entry(Buffer *b, sd_bus_message *m, const char *contents)
{
        bool quoted = strchr("sog", contents[0]);
        int r;

        r = sd_bus_message_enter_container(m, 'e', contents);
        if (r < 0)
                return r;
        if (!quoted)
                buffer_append(b, "\"", 1);
        r = basic_value(b, m, contents[0]);
        if (r < 0)
                return r;
        buffer_append_string(b, quoted ? ":" : "\":");
        r = json_value(b, m);
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

/* What is in the container that m has entered, up to its end, with commas. */
static int members(Buffer *b, sd_bus_message *m)
{
        for (size_t i = 0;; i++) {
                const char *contents;
                char type;
                int r;

                r = sd_bus_message_peek_type(m, &type, &contents);
                if (r <= 0)
                        return r;
                if (i > 0)
                        buffer_append(b, ",", 1);
                r = type == 'e' ? dict_entry(b, m, contents) : json_value(b, m);
                if (r < 0)
                        return r;
        }
}

static int container_value(Buffer *b, sd_bus_message *m, char type, const char *contents)
{
        bool object = type == 'a' && contents[0] == '{';
        int r;

        r = sd_bus_message_enter_container(m, type, contents);
        if (r < 0)
                return r;
        if (type == 'v') {
                r = json_value(b, m);
                if (r < 0)
                        return r;
        } else {
                buffer_append(b, object ? "{" : "[", 1);
                r = members(b, m);
                if (r < 0)
                        return r;
                buffer_append(b, object ? "}" : "]", 1);
        }
        r = sd_bus_message_exit_container(m);
        return r < 0 ? r : 0;
}

int json_value(Buffer *b, sd_bus_message *m)
{
        const char *contents;
        const void *data;
        size_t size;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (r == 0)
                return -EBADMSG;

        if (type == 'a' && streq(contents, "y")) {
                r = sd_bus_message_read_array(m, 'y', &data, &size);
                if (r < 0)
                        return r;
                json_bytes(b, data, size);
                return 0;
        }
        if (contents)
                return container_value(b, m, type, contents);
        return basic_value(b, m, type);
}

int json_arguments(Buffer *b, sd_bus_message *m, const char *const *names)
{
        int r;

        for (const char *const *name = names; *name; name++) {
                buffer_append(b, name == names ? "{" : ",", 1);
                json_string(b, *name);
                buffer_append(b, ":", 1);
                r = json_value(b, m);
                if (r < 0)
                        return r;
        }
        buffer_append(b, "}", 1);
        return 0;
}
