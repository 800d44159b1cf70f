/*
 * Settings of a job in unit files. The table reads single values; lists are read here, since specifiers are
 * resolved word by word, behind the splitting.
 */

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/parse.h"
#include "basic/strv.h"
#include "unit/keys-internal.h"
#include "unit/unit-parse.h"
#include "unit/words.h"

#define LIST_MAX ((size_t) 1024)

/* These are read for the unit, whatever a job makes of them. */
static bool setting_is_units_own(SettingId id)
{
        return id == SETTING_NOTIFY_ACCESS || (settings[id].flags & SETTING_START_ONLY);
}

static void setting_drop(Unit *u, SettingId id)
{
        if (u->given[id])
                setting_value_done(&u->values[id]);
        u->given[id] = false;
}

/* Takes over what v holds. */
static int setting_put(UnitParser *p, const char *name, SettingId id, SettingValue *v)
{
        Unit *u = p->unit;

        setting_drop(u, id);
        u->places[id] = p->place;
        if ((settings[id].flags & SETTING_UNAVAILABLE) && !setting_is_units_own(id)) {
                setting_value_done(v);
                unit_warn(u, p->place, p->problems, "%s= is not possible in this version of reeve; ignored.",
                          name);
                return 0;
        }
        u->values[id] = *v;
        u->given[id] = true;
        return 0;
}

/* A word that a list of that setting cannot have: why, or NULL. */
static const char *word_check(SettingId id, const char *word)
{
        if (id == SETTING_ENVIRONMENT && !env_assignment_is_valid(word))
                return "is not NAME=VALUE with a name of [A-Za-z_][A-Za-z0-9_]*";
        if (settings[id].type == SETTING_TYPE_DICT && (*word == '=' || !strchr(word, '=')))
                return "is not NAME=VALUE";
        return NULL;
}

static int read_list(UnitParser *p, SettingId id, const char *value)
{
        const char *name = settings[id].key, *reason;
        _cleanup_(setting_value_done) SettingValue v = {.type = settings[id].type};
        _cleanup_strv_ char **words = NULL;
        int r;

        r = key_words(p, name, value, false, &words);
        if (r <= 0)
                return r;
        v.strv = strv_copy(p->unit->given[id] ? p->unit->values[id].strv : NULL);
        if (!v.strv)
                return -ENOMEM;
        STRV_FOREACH (word, words) {
                reason = word_check(id, *word);
                if (reason)
                        return key_refuse(p, name, *word, reason);
        }
        r = strv_extend(&v.strv, words);
        if (r >= 0 && v.type == SETTING_TYPE_DICT)
                r = env_settle(v.strv); /* a name counts once */
        if (r < 0)
                return r;
        if (strv_length(v.strv) > LIST_MAX)
                return key_refuse(p, name, value, "makes more than 1024 words");
        r = setting_put(p, name, id, &v);
        v = (SettingValue){0};
        return r;
}

int unit_key_read_setting(UnitParser *p, SettingId id, const char *value)
{
        _cleanup_free_ char *text = NULL;
        const char *reason = NULL;
        SettingValue v;
        int r;

        if (isempty(value)) {
                setting_drop(p->unit, id);
                return 0;
        }
        if (settings[id].type == SETTING_TYPE_STRV || settings[id].type == SETTING_TYPE_DICT)
                return read_list(p, id, value);
        /* Description's are resolved where it is read. */
        text = id == SETTING_DESCRIPTION ? str_copy(value) : NULL;
        r = id == SETTING_DESCRIPTION ? (text ? 1 : -ENOMEM)
                                      : key_resolve(p, settings[id].key, value, &text);
        if (r <= 0)
                return r;
        r = setting_parse(id, text, false, &v, &reason);
        if (r == -EINVAL || r == -ERANGE)
                return key_refuse(p, settings[id].key, value, reason ?: "is not such a value");
        return r < 0 ? r : setting_put(p, settings[id].key, id, &v);
}

int key_read_setting(UnitParser *p, const UnitKey *key, const char *value)
{
        return unit_key_read_setting(p, (SettingId) key->variant, value);
}

/* Each assignment is one more line. */
int key_read_input_text(UnitParser *p, const UnitKey *key, const char *value)
{
        const SettingId id = SETTING_STANDARD_INPUT_DATA;
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *plain = NULL, *text = NULL;
        SettingValue v = {.type = SETTING_TYPE_BLOB};
        const char *reason = NULL;
        int r;

        if (isempty(value)) {
                setting_drop(p->unit, id);
                return 0;
        }
        r = text_unescape(value, &plain, &reason);
        if (r == -EINVAL)
                return key_refuse(p, key->name, value, reason);
        if (r >= 0)
                r = key_resolve(p, key->name, plain, &text);
        if (r <= 0)
                return r;
        if (p->unit->given[id])
                buffer_append(&b, p->unit->values[id].blob.data, p->unit->values[id].blob.size);
        buffer_append_string(&b, text);
        buffer_append(&b, "\n", 1);
        v.blob.data = buffer_take(&b, &v.blob.size);
        return v.blob.data ? setting_put(p, key->name, id, &v) : -ENOMEM;
}

/* "20%", "150%", "12.5%": of one CPU, at most two digits behind the point. */
static int percent_read(const char *text, uint64_t *ret_hundredths)
{
        size_t whole = strspn(text, "0123456789"), rest;
        uint64_t n = 0;

        if (whole == 0 || whole > 9)
                return -EINVAL;
        for (size_t i = 0; i < whole; i++)
                n = n * 10 + (uint64_t) (text[i] - '0');
        text += whole;
        rest = *text == '.' ? strspn(text + 1, "0123456789") : 0;
        if (*text == '.' && (rest == 0 || rest > 2))
                return -EINVAL;
        for (size_t i = 0; i < 2; i++)
                n = n * 10 + (i < rest ? (uint64_t) (text[1 + i] - '0') : 0);
        text += rest > 0 ? rest + 1 : 0;
        if (!streq(text, "%") || n == 0)
                return -EINVAL;
        *ret_hundredths = n;
        return 0;
}

int key_read_quota(UnitParser *p, const UnitKey *key, const char *value)
{
        SettingValue v = {.type = SETTING_TYPE_USEC};
        uint64_t hundredths;

        if (isempty(value)) {
                setting_drop(p->unit, SETTING_CPU_QUOTA);
                return 0;
        }
        if (percent_read(value, &hundredths) < 0)
                return key_refuse(p, key->name, value,
                                  "is not a part of one CPU's time, such as 20% or 150%");
        v.unsigned_ = hundredths * 100; /* microseconds a second */
        return setting_put(p, key->name, SETTING_CPU_QUOTA, &v);
}
