/*
 * Resolved at load, once: a unit's name and the name of its host do not change while it runs.
 */

#include "unit/specifier.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "unit/name.h"

static char *get_name(const SpecifierContext *c)
{
        return str_copy(c->name);
}

static char *get_base(const SpecifierContext *c)
{
        return unit_name_base(c->name);
}

static char *get_prefix(const SpecifierContext *c)
{
        return unit_name_prefix(c->name);
}

static char *get_instance(const SpecifierContext *c)
{
        return unit_name_instance(c->name);
}

static char *get_last_of_prefix(const SpecifierContext *c)
{
        _cleanup_free_ char *prefix = unit_name_prefix(c->name);
        const char *dash = prefix ? strrchr(prefix, '-') : NULL;

        return dash ? str_copy(dash + 1) : TAKE_PTR(prefix);
}

static char *get_hostname(const SpecifierContext *c)
{
        return str_copy(c->hostname);
}

static char *get_percent(const SpecifierContext *c)
{
        return str_copy("%");
}

static const struct {
        char letter;
        char *(*get)(const SpecifierContext *c);
} table[] = {
                {'n', get_name},     {'N', get_base},           {'p', get_prefix},   {'i', get_instance},
                {'I', get_instance}, {'j', get_last_of_prefix}, {'H', get_hostname}, {'%', get_percent},
};

/* -EINVAL: the instance cannot be unescaped. */
static int specifier_get(size_t i, const SpecifierContext *context, char **ret)
{
        _cleanup_free_ char *value = table[i].get(context);

        if (!value)
                return -ENOMEM;
        if (table[i].letter == 'I')
                return unit_name_unescape(value, ret);
        *ret = TAKE_PTR(value);
        return 0;
}

static size_t specifier_find(char letter, const SpecifierContext *context)
{
        size_t i = 0;

        while (i < ELEMENTSOF(table) && table[i].letter != letter)
                i++;
        return i < ELEMENTSOF(table) && letter == 'H' && !context->hostname ? ELEMENTSOF(table) : i;
}

static int specifier_append(Buffer *b, char letter, const SpecifierContext *context, char **ret_reason)
{
        _cleanup_free_ char *value = NULL;
        size_t i = specifier_find(letter, context);
        int r;

        if (!letter) {
                *ret_reason = str_copy("ends in a single % (a plain one is %%)");
                return -EINVAL;
        }
        if (i == ELEMENTSOF(table)) {
                *ret_reason = (unsigned char) letter < 0x80
                                              ? str_printf("has the specifier %%%c, which reeve has not "
                                                           "(a plain %% is %%%%)",
                                                           letter)
                                              : str_copy("has a % that starts no specifier (a plain one is "
                                                         "%%)");
                return -EINVAL;
        }
        r = specifier_get(i, context, &value);
        if (r == -EINVAL)
                *ret_reason = str_copy(
                                "has the specifier %I, but the instance's name is not an escaped one");
        if (r < 0)
                return r;
        buffer_append_string(b, value);
        return 0;
}

int specifiers_resolve(const char *text, const SpecifierContext *context, char **ret, char **ret_reason)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        char *resolved;
        int r;

        for (const char *s = text; *s;) {
                size_t plain = strcspn(s, "%");

                buffer_append(&b, s, plain);
                s += plain;
                if (!*s)
                        break;
                r = specifier_append(&b, s[1], context, ret_reason);
                if (r < 0)
                        return r;
                s += 2;
        }
        resolved = buffer_take(&b, NULL);
        if (!resolved)
                return -ENOMEM;
        *ret = resolved;
        return 0;
}
