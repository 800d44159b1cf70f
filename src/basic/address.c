/*
 * One socket only: an address with more keys or alternatives is refused rather than read in part. What leads
 * to other kinds of addresses (a host name to look up, a program to start) is for nobody here.
 */

#include "basic/address.h"

#include <errno.h>

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -EINVAL;
}

/* The value of a key, up to where it ends, %XX undone. Its length, or negative errno. */
static int unescape(const char *value, const char *end, char *to, size_t size)
{
        size_t n = 0;

        for (; value < end; value++) {
                char c = *value;

                if (c == ',' || c == ';') /* more keys, more addresses */
                        return -EINVAL;
                if (c == '%') {
                        int high = hex_digit(value[1]), low = high < 0 ? high : hex_digit(value[2]);

                        if (low < 0)
                                return low;
                        c = (char) (high * 16 + low);
                        value += 2;
                }
                if (c == '\0')
                        return -EINVAL;
                if (n >= size)
                        return -ENAMETOOLONG;
                to[n++] = c;
        }
        return n > 0 ? (int) n : -EINVAL;
}

/* Where the address ends, or a guid begins. */
static const char *end_of(const char *address, bool with_guid)
{
        const char *guid = with_guid ? strstr(address, ",guid=") : NULL;

        if (guid && guid[6 + strspn(guid + 6, "0123456789abcdefABCDEF")] == '\0')
                return guid;
        return address + strlen(address);
}

int address_parse_unix(const char *address, bool with_guid, char *to, size_t size)
{
        const char *value, *end = end_of(address, with_guid);
        int n;

        if ((value = startswith(address, "unix:path="))) {
                n = unescape(value, end, to, size - 1);
                return n > 0 && to[0] != '/' ? -EINVAL : n;
        }
        value = startswith(address, "unix:abstract=");
        if (!value)
                return -EINVAL;
        to[0] = '\0';
        n = unescape(value, end, to + 1, size - 1);
        return n < 0 ? n : n + 1;
}
