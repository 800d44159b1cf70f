/*
 * The rules are systemd's, since the files are. An instance may hold "@" again, a prefix may not.
 */

#include "unit/name.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/buffer.h"

#define CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.\\-"
#define SUFFIX ".service"
#define SUFFIX_LENGTH (sizeof(SUFFIX) - 1)

static const char *const foreign_types[] = {".target", ".socket", ".mount", ".automount", ".swap",
                                            ".timer",  ".path",   ".slice", ".scope",     ".device"};

static bool type_is_foreign(const char *suffix)
{
        for (size_t i = 0; i < ELEMENTSOF(foreign_types); i++)
                if (streq(suffix, foreign_types[i]))
                        return true;
        return false;
}

UnitNameKind unit_name_kind(const char *name)
{
        const char *dot = strrchr(name, '.');
        size_t n = strlen(name), prefix = strspn(name, CHARACTERS);

        if (!dot || dot == name || n > UNIT_NAME_LENGTH_MAX || prefix == 0 ||
            strspn(name, CHARACTERS "@") != n)
                return UNIT_NAME_INVALID;
        if (!streq(dot, SUFFIX))
                return type_is_foreign(dot) ? UNIT_NAME_FOREIGN : UNIT_NAME_INVALID;
        if (prefix == n)
                return UNIT_NAME_PLAIN;
        return name + prefix + 1 == dot ? UNIT_NAME_TEMPLATE : UNIT_NAME_INSTANCE;
}

char *unit_name_template(const char *instance)
{
        return str_printf("%.*s@" SUFFIX, (int) strcspn(instance, "@"), instance);
}

char *unit_name_base(const char *name)
{
        return str_copy_n(name, strlen(name) - SUFFIX_LENGTH);
}

char *unit_name_prefix(const char *name)
{
        const char *at = strchr(name, '@');

        return at ? str_copy_n(name, (size_t) (at - name)) : unit_name_base(name);
}

char *unit_name_instance(const char *name)
{
        const char *at = strchr(name, '@');

        return at ? str_copy_n(at + 1, strlen(at + 1) - SUFFIX_LENGTH) : str_copy("");
}

static int hex_value(char c)
{
        static const char digits[] = "0123456789abcdef";
        const char *digit = c ? strchr(digits, c | ('A' <= c && c <= 'F' ? 0x20 : 0)) : NULL;

        return digit ? (int) (digit - digits) : -1;
}

int unit_name_unescape(const char *text, char **ret)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        char *plain;

        for (const char *s = text; *s; s++) {
                char c = *s == '-' ? '/' : *s;

                if (*s == '\\') {
                        int high = s[1] == 'x' ? hex_value(s[2]) : -1,
                            low = high >= 0 ? hex_value(s[3]) : -1;

                        if (low < 0 || (high == 0 && low == 0))
                                return -EINVAL;
                        c = (char) (high * 16 + low);
                        s += 3;
                }
                buffer_append(&b, &c, 1);
        }
        plain = buffer_take(&b, NULL);
        if (!plain)
                return -ENOMEM;
        *ret = plain;
        return 0;
}
