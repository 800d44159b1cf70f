/*
 * The table itself, spelled out from settings.h, and the reading of text by it. Lookups are linear: sixty
 * names, asked for once an option of a request; a hash would be longer than what it saves.
 */

#include "unit/settings.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/parse.h"
#include "basic/strv.h"
#include "unit/words.h"

/* clang-format off */
const Setting settings[_SETTING_MAX] = {
#define X(id, name_, key_, type_, flags_, min_, max_, words_, help_)                                        \
        [SETTING_##id] = {                                                                                  \
                .name = (name_),                                                                            \
                .key = (key_),                                                                              \
                .type = SETTING_TYPE_##type_,                                                               \
                .flags = (flags_),                                                                          \
                .min = (min_),                                                                              \
                .max = (max_),                                                                              \
                .words = (words_),                                                                          \
                .help = (help_),                                                                            \
        },
        SETTINGS(X)
#undef X
};

/* What is said of a word that is not among those allowed; of use only where there are any. */
static const char *const word_reasons[_SETTING_MAX] = {
#define X(id, name_, key_, type_, flags_, min_, max_, words_, help_)                                        \
        [SETTING_##id] = "must be one of " #words_,
        SETTINGS(X)
#undef X
};
/* clang-format on */

SettingId setting_by_name(const char *name)
{
        for (SettingId id = 0; id < _SETTING_MAX; id++)
                if (streq(settings[id].name, name))
                        return id;
        return _SETTING_MAX;
}

SettingId setting_by_key(const char *key)
{
        for (SettingId id = 0; id < _SETTING_MAX; id++)
                if (streq_ptr(settings[id].key, key) || streq(settings[id].name, key))
                        return id;
        return _SETTING_MAX;
}

const char *setting_signature(SettingType type)
{
        static const char *const table[_SETTING_TYPE_MAX] = {
                        [SETTING_TYPE_BOOL] = "b",   [SETTING_TYPE_INT] = "i",
                        [SETTING_TYPE_SIGNAL] = "i", [SETTING_TYPE_MODE] = "u",
                        [SETTING_TYPE_UINT16] = "q", [SETTING_TYPE_UINT32] = "u",
                        [SETTING_TYPE_UINT64] = "t", [SETTING_TYPE_BYTES] = "t",
                        [SETTING_TYPE_USEC] = "t",   [SETTING_TYPE_STRING] = "s",
                        [SETTING_TYPE_STRV] = "as",  [SETTING_TYPE_DICT] = "a{ss}",
                        [SETTING_TYPE_BLOB] = "ay",  [SETTING_TYPE_FD] = "h",
        };

        return table[type];
}

void setting_value_done(SettingValue *v)
{
        switch (v->type) {
        case SETTING_TYPE_STRING: free(v->string); break;
        case SETTING_TYPE_STRV:
        case SETTING_TYPE_DICT: strv_free(v->strv); break;
        case SETTING_TYPE_BLOB: free(v->blob.data); break;
        case SETTING_TYPE_FD: fd_close(v->fd); break;
        default: break;
        }
        *v = (SettingValue){.type = SETTING_TYPE_BOOL};
}

int setting_value_copy(const SettingValue *v, SettingValue *ret)
{
        SettingValue copy = *v;

        assert(v->type != SETTING_TYPE_FD);

        switch (v->type) {
        case SETTING_TYPE_STRING:
                copy.string = str_copy(v->string);
                if (!copy.string)
                        return -ENOMEM;
                break;
        case SETTING_TYPE_STRV:
        case SETTING_TYPE_DICT:
                copy.strv = strv_copy(v->strv);
                if (!copy.strv)
                        return -ENOMEM;
                break;
        case SETTING_TYPE_BLOB:
                copy.blob.data = alloc_copy(v->blob.data, v->blob.size);
                if (!copy.blob.data)
                        return -ENOMEM;
                break;
        default: break;
        }
        *ret = copy;
        return 0;
}

/* Whether word is one of "a|b|c". */
static bool word_is_listed(const char *words, const char *word)
{
        size_t n = strcspn(word, "|");

        if (n == 0 || word[n])
                return false;
        for (const char *p = words; p; p = strchr(p, '|')) {
                p += *p == '|';
                if (strncmp(p, word, n) == 0 && (p[n] == '|' || p[n] == '\0'))
                        return true;
        }
        return false;
}

int setting_check(SettingId id, const SettingValue *v, const char **ret_reason)
{
        const Setting *s = &settings[id];

        switch (s->type) {
        case SETTING_TYPE_INT:
        case SETTING_TYPE_SIGNAL:
                if (v->number >= s->min && v->number <= (int64_t) s->max)
                        return 0;
                *ret_reason = s->type == SETTING_TYPE_SIGNAL ? "must be a signal from 1 to 64"
                                                             : "is out of range";
                return -ERANGE;
        case SETTING_TYPE_MODE:
        case SETTING_TYPE_UINT16:
        case SETTING_TYPE_UINT32:
        case SETTING_TYPE_UINT64:
        case SETTING_TYPE_BYTES:
        case SETTING_TYPE_USEC:
                if (v->unsigned_ >= (uint64_t) s->min && v->unsigned_ <= s->max)
                        return 0;
                *ret_reason = "is out of range";
                return -ERANGE;
        case SETTING_TYPE_STRING:
                if (!s->words || word_is_listed(s->words, v->string))
                        return 0;
                *ret_reason = word_reasons[id];
                return -EINVAL;
        default: return 0;
        }
}

static int number_read(const Setting *s, const char *text, SettingValue *v, const char **ret_reason)
{
        uint32_t mode;
        int r, sig;

        switch (s->type) {
        case SETTING_TYPE_INT: *ret_reason = "is not a whole number"; return parse_i64(text, &v->number);
        case SETTING_TYPE_SIGNAL:
                *ret_reason = "is not a signal, such as SIGTERM, HUP, RTMIN+3 or 15";
                r = parse_signal(text, &sig);
                if (r == 0)
                        v->number = sig;
                return r;
        case SETTING_TYPE_MODE:
                *ret_reason = "is not an octal mode, such as 0022";
                r = parse_mode(text, &mode);
                if (r == 0)
                        v->unsigned_ = mode;
                return r;
        case SETTING_TYPE_BYTES:
                *ret_reason = "is not a size, such as 4096, 512K, 1.5G or infinity";
                return parse_bytes(text, &v->unsigned_);
        case SETTING_TYPE_USEC:
                *ret_reason = "is not a span of time, such as 90, 1min 30s, 100ms or infinity";
                return parse_usec(text, &v->unsigned_);
        default:
                *ret_reason = "is not a whole number of 0 or more";
                if (s->type == SETTING_TYPE_UINT64 && streq(text, "infinity")) {
                        v->unsigned_ = UINT64_MAX;
                        return 0;
                }
                return parse_u64(text, &v->unsigned_);
        }
}

/* Adds the words of text to those in *v; a DICT holds each name once. */
static int list_read(const Setting *s, const char *text, SettingValue *v, const char **ret_reason)
{
        _cleanup_strv_ char **words = NULL;
        int r;

        r = words_split(text, &words, ret_reason);
        if (r < 0)
                return r;

        STRV_FOREACH (word, words) {
                if (s->type == SETTING_TYPE_DICT && (**word == '=' || !strchr(*word, '='))) {
                        *ret_reason = "must be words of the form NAME=VALUE";
                        return -EINVAL;
                }
                r = s->type == SETTING_TYPE_DICT ? env_put(&v->strv, *word) : strv_append(&v->strv, *word);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int value_read(const Setting *s, const char *text, SettingValue *v, const char **ret_reason)
{
        int r;

        switch (s->type) {
        case SETTING_TYPE_BOOL:
                *ret_reason = "must be yes or no";
                r = parse_bool(text);
                if (r >= 0)
                        v->boolean = r;
                return MIN(r, 0);
        case SETTING_TYPE_STRING: v->string = str_copy(text); return v->string ? 0 : -ENOMEM;
        case SETTING_TYPE_STRV:
        case SETTING_TYPE_DICT: return list_read(s, text, v, ret_reason);
        case SETTING_TYPE_BLOB:
                v->blob.size = strlen(text);
                v->blob.data = alloc_copy(text, v->blob.size);
                return v->blob.data ? 0 : -ENOMEM;
        case SETTING_TYPE_FD:
                *ret_reason = "is a descriptor, which only a D-Bus message can carry";
                return -EINVAL;
        default: return number_read(s, text, v, ret_reason);
        }
}

static bool type_is_list(SettingType type)
{
        return type == SETTING_TYPE_STRV || type == SETTING_TYPE_DICT;
}

int setting_parse(SettingId id, const char *text, bool given, SettingValue *value, const char **ret_reason)
{
        const Setting *s = &settings[id];
        SettingValue v = {.type = s->type};
        int r;

        /* Read into a value of its own: what was given before stays when this is refused. An empty
         * assignment starts a list anew, as in systemd. */
        if (s->type == SETTING_TYPE_FD)
                v.fd = -EBADF;
        else if (type_is_list(s->type)) {
                v.strv = strv_copy(given && text[0] ? value->strv : NULL);
                if (!v.strv)
                        return -ENOMEM;
        }

        r = value_read(s, text, &v, ret_reason);
        if (r >= 0)
                r = setting_check(id, &v, ret_reason);
        else if (r == -ERANGE)
                *ret_reason = s->type == SETTING_TYPE_SIGNAL ? "must be a signal from 1 to 64"
                                                             : "is out of range";
        if (r < 0) {
                setting_value_done(&v);
                return r;
        }

        if (given)
                setting_value_done(value);
        *value = v;
        return 0;
}
