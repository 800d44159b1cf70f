/* Cursors as text. They come back from clients, so reading is as strict as it can be: what cursor_format()
 * would not have written is no cursor. There is one spelling of each place, and a client may compare them as
 * strings. */

#include "journal/cursor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

void cursor_format(const LogIdentity *log, const RingPosition *position, char buf[static CURSOR_TEXT_MAX])
{
        snprintf(buf, CURSOR_TEXT_MAX,
                 "r=%016" PRIx64 "%016" PRIx64 ";j=%" PRIx64 ";n=%" PRIx64 ";b=%" PRIx64 ";c=%" PRIx64,
                 log->run[0], log->run[1], log->serial, position->seqnum, position->bytes,
                 position->records);
}

/* `key`, then between min and 16 hexadecimal digits; more than min only without zeros in front. */
static bool scan_field(const char **s, const char *key, size_t min, uint64_t *ret)
{
        const char *digits = startswith(*s, key);
        uint64_t n = 0;
        size_t length;

        if (!digits)
                return false;
        length = strspn(digits, "0123456789abcdef");
        if (min == 16)
                length = MIN(length, min);
        if (length < min || length > 16 || (length > min && digits[0] == '0'))
                return false;
        for (size_t i = 0; i < length; i++)
                n = n << 4 | (digits[i] <= '9' ? digits[i] - '0' : digits[i] - 'a' + 10);
        *s = digits + length;
        *ret = n;
        return true;
}

int cursor_parse(const char *text, const LogIdentity *log, RingPosition *ret)
{
        LogIdentity found;
        RingPosition p;

        if (!scan_field(&text, "r=", 16, &found.run[0]) || !scan_field(&text, "", 16, &found.run[1]) ||
            !scan_field(&text, ";j=", 1, &found.serial) || !scan_field(&text, ";n=", 1, &p.seqnum) ||
            !scan_field(&text, ";b=", 1, &p.bytes) || !scan_field(&text, ";c=", 1, &p.records) || *text)
                return -EBADMSG;
        if (found.run[0] != log->run[0] || found.run[1] != log->run[1] || found.serial != log->serial)
                return -ESTALE;
        *ret = p;
        return 0;
}
