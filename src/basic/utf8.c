/* UTF-8, for two purposes: to cut a stream of bytes where no character is torn, and to say whether bytes may
 * be shown or sent as text (D-Bus disconnects who sends a string that is not UTF-8). libc's mbrtowc(3)
 * depends on the locale, which PID 1 does not have, so the table of RFC 3629 section 4 stands here. */

#include "basic/utf8.h"

#include "basic/alloc.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

size_t utf8_character(const char *s, size_t n, bool *ret_incomplete)
{
        const unsigned char *u = (const unsigned char *) s;
        unsigned char low = 0x80, high = 0xbf; /* of the second byte */
        size_t length;

        assert(n >= 1);

        if (ret_incomplete)
                *ret_incomplete = false;
        if (u[0] < 0x80)
                return 1;
        if (u[0] < 0xc2 || u[0] > 0xf4) /* a continuation, a longer form of ASCII, over U+10FFFF */
                return 0;
        length = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
        switch (u[0]) {
        case 0xe0: low = 0xa0; break;  /* shorter forms exist */
        case 0xed: high = 0x9f; break; /* surrogates */
        case 0xf0: low = 0x90; break;  /* shorter forms exist */
        case 0xf4: high = 0x8f; break; /* over U+10FFFF */
        default: break;
        }

        for (size_t i = 1; i < length; i++) {
                if (i >= n) {
                        if (ret_incomplete)
                                *ret_incomplete = true;
                        return 0;
                }
                if (u[i] < low || u[i] > high)
                        return 0;
                low = 0x80;
                high = 0xbf;
        }
        return length;
}

size_t utf8_incomplete_tail(const char *s, size_t n)
{
        for (size_t k = 1; k <= 3 && k <= n; k++) {
                bool incomplete;

                if (((unsigned char) s[n - k] & 0xc0) ==
                    0x80) /* a continuation: its beginning is further left */
                        continue;
                utf8_character(s + n - k, k, &incomplete);
                return incomplete ? k : 0;
        }
        return 0;
}

/* How many ASCII bytes s starts with, at least; most text is nothing else, so eight at a time. */
static size_t ascii_prefix(const char *s, size_t n)
{
        size_t i = 0;

        for (uint64_t word; i + sizeof(word) <= n; i += sizeof(word)) {
                memcpy(&word, s + i, sizeof(word));
                if (word & UINT64_C(0x8080808080808080))
                        break;
        }
        return i;
}

bool utf8_is_valid(const char *s, size_t n)
{
        size_t i = ascii_prefix(s, n);

        while (i < n) {
                size_t length = utf8_character(s + i, n - i, NULL);

                if (length == 0)
                        return false;
                i += length;
                if (length == 1 && n - i >= 8)
                        i += ascii_prefix(s + i, n - i);
        }
        return true;
}

char *utf8_sanitize(const char *s, size_t n)
{
        size_t size = 1, length;
        char *text, *end;

        for (size_t i = 0; i < n; i += MAX(length, (size_t) 1)) {
                length = s[i] ? utf8_character(s + i, n - i, NULL) : 0;
                if (__builtin_add_overflow(size, length > 0 ? length : strlen(REPLACEMENT), &size))
                        return NULL;
        }
        text = alloc_resize(NULL, size, 1);
        if (!text)
                return NULL;

        end = text;
        for (size_t i = 0; i < n; i += MAX(length, (size_t) 1)) {
                length = s[i] ? utf8_character(s + i, n - i, NULL) : 0;
                end = length > 0 ? mempcpy(end, s + i, length) : stpcpy(end, REPLACEMENT);
        }
        *end = 0;
        return text;
}
