/*
 * The one reader of option dictionaries. Strict on purpose: a misspelt option that is passed over in silence
 * is a command that ran without its limits.
 */

#include "bus/dict.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/strv.h"
#include "core/error.h"

static int read_strv(sd_bus_message *m, SettingValue *v)
{
        char **strv = NULL;
        int r;

        r = sd_bus_message_read_strv(m, &strv);
        if (r < 0)
                return r;
        v->strv = strv;
        return 0;
}

static int read_pairs(sd_bus_message *m, SettingValue *v)
{
        const char *key, *value;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{ss}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "{ss}", &key, &value)) > 0) {
                char *pair = str_printf("%s=%s", key, value);

                r = pair ? strv_consume(&v->strv, pair) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_blob(sd_bus_message *m, SettingValue *v)
{
        const void *data;
        size_t size;
        int r;

        r = sd_bus_message_read_array(m, 'y', &data, &size);
        if (r < 0)
                return r;
        v->blob.data = alloc_copy(data, size);
        v->blob.size = size;
        return v->blob.data ? 0 : -ENOMEM;
}

static int read_value(sd_bus_message *m, SettingValue *v)
{
        int r;

        switch (v->type) {
        case SETTING_TYPE_BOOL: {
                int b = 0;

                r = sd_bus_message_read(m, "b", &b);
                v->boolean = b;
                return r;
        }
        case SETTING_TYPE_INT:
        case SETTING_TYPE_SIGNAL: {
                int32_t i = 0;

                r = sd_bus_message_read(m, "i", &i);
                v->number = i;
                return r;
        }
        case SETTING_TYPE_UINT16: {
                uint16_t q = 0;

                r = sd_bus_message_read(m, "q", &q);
                v->unsigned_ = q;
                return r;
        }
        case SETTING_TYPE_MODE:
        case SETTING_TYPE_UINT32: {
                uint32_t u = 0;

                r = sd_bus_message_read(m, "u", &u);
                v->unsigned_ = u;
                return r;
        }
        case SETTING_TYPE_UINT64:
        case SETTING_TYPE_BYTES:
        case SETTING_TYPE_USEC: return sd_bus_message_read(m, "t", &v->unsigned_);
        case SETTING_TYPE_STRING: {
                const char *s;

                r = sd_bus_message_read(m, "s", &s);
                if (r < 0)
                        return r;
                v->string = str_copy(s);
                return v->string ? 0 : -ENOMEM;
        }
        case SETTING_TYPE_STRV: return read_strv(m, v);
        case SETTING_TYPE_DICT: return read_pairs(m, v);
        case SETTING_TYPE_BLOB: return read_blob(m, v);
        case SETTING_TYPE_FD: {
                int fd; /* the message's own */

                v->fd = -EBADF;
                r = sd_bus_message_read(m, "h", &fd);
                if (r >= 0)
                        r = v->fd = fd_dup(fd);
                return MIN(r, 0);
        }
        default: return -EINVAL;
        }
}

static int check_type(sd_bus_message *m, const char *key, const char *signature, Error *e)
{
        const char *contents;
        char found;
        int r;

        r = sd_bus_message_peek_type(m, &found, &contents);
        if (r < 0)
                return r;
        if (found != 'v')
                return error_set(e, ERROR_INVALID_ARGS, "%s: is no variant", key);
        if (!streq(contents, signature))
                return error_set(e, ERROR_INVALID_ARGS, "%s: has type %s, must be %s", key, contents,
                                 signature);
        return 0;
}

static int read_own(sd_bus_message *m, const DictKey *k, Error *e)
{
        int r;

        r = check_type(m, k->name, k->signature, e);
        if (r < 0)
                return r;
        if (k->unavailable)
                return sd_bus_message_skip(m, "v");
        r = sd_bus_message_enter_container(m, 'v', k->signature);
        if (r >= 0)
                r = k->read(m, k->name, k->target, e);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int dict_read_variant(sd_bus_message *m, const char *key, SettingType type, SettingValue *ret, Error *e)
{
        const char *signature = setting_signature(type);
        SettingValue v = {.type = type};
        int r;

        if (type == SETTING_TYPE_FD)
                v.fd = -EBADF; /* 0 would be one */
        r = check_type(m, key, signature, e);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'v', signature);
        if (r >= 0)
                r = read_value(m, &v);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0) {
                setting_value_done(&v);
                if (r == -EMFILE || r == -ENFILE)
                        return error_set(e, ERROR_LIMITS_EXCEEDED, "%s: reeve has no descriptor left for it",
                                         key);
                return r == -ENOMEM ? error_no_memory(e) : r;
        }
        *ret = v;
        return 0;
}

static int store_value(const DictKey *k, SettingValue *v, Error *e)
{
        switch (k->type) {
        case SETTING_TYPE_BOOL: *(bool *) k->target = v->boolean; return 0;
        case SETTING_TYPE_INT:
        case SETTING_TYPE_SIGNAL: *(int64_t *) k->target = v->number; return 0;
        case SETTING_TYPE_STRING: *(char **) k->target = TAKE_PTR(v->string); return 0;
        case SETTING_TYPE_STRV:
                /* sd-bus makes NULL of an empty one, which is what is not given. */
                if (!v->strv)
                        v->strv = alloc_zero(sizeof(char *));
                if (!v->strv)
                        return error_no_memory(e);
                *(char ***) k->target = TAKE_PTR(v->strv);
                return 0;
        default:
                if (k->max && v->unsigned_ > k->max)
                        return error_set(e, ERROR_INVALID_ARGS, "%s: is out of range", k->name);
                *(uint64_t *) k->target = v->unsigned_;
                return 0;
        }
}

static int read_entry(sd_bus_message *m, const DictKey *keys, size_t n_keys, uint64_t *given, Error *e)
{
        SettingValue v = {0};
        const char *name;
        size_t i;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        for (i = 0; i < n_keys && !streq(keys[i].name, name); i++)
                ;
        if (i == n_keys)
                return error_set(e, ERROR_INVALID_ARGS, "%s: there is no such option here", name);
        if (*given & (UINT64_C(1) << i))
                return error_set(e, ERROR_INVALID_ARGS, "%s: given twice", name);
        r = keys[i].signature ? read_own(m, &keys[i], e) : dict_read_variant(m, name, keys[i].type, &v, e);
        if (r < 0)
                return r;
        *given |= UINT64_C(1) << i;
        if (!keys[i].unavailable && !keys[i].signature)
                r = store_value(&keys[i], &v, e);
        setting_value_done(&v);
        return r;
}

int dict_read(sd_bus_message *m, const DictKey *keys, size_t n_keys, uint64_t *ret_given, Error *e)
{
        uint64_t given = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_entry(m, keys, n_keys, &given, e);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_keys; i++)
                if (keys[i].unavailable && (given & (UINT64_C(1) << i)))
                        return error_set(e, ERROR_NOT_SUPPORTED,
                                         "%s: not available in version " REEVE_VERSION, keys[i].name);
        if (ret_given)
                *ret_given = given;
        return 0;
}
