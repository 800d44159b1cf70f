/*
 * The answers of reeve are open sets of named values: what an older or a newer server leaves out is shown as
 * nothing instead of failing the whole answer. So they are read into one form, and the verbs ask it for the
 * names they know.
 */

#include "ctl/properties.h"

#include <errno.h>
#include <inttypes.h>

#include "basic/alloc.h"
#include "basic/strv.h"

static int read_list(sd_bus_message *m, const char *contents, Property *p)
{
        _cleanup_strv_ char **v = NULL;
        const char *key, *value;
        uint16_t number;
        char *item;
        int r;

        v = strv_copy(NULL);
        if (!v)
                return -ENOMEM;
        r = sd_bus_message_enter_container(m, 'a', contents);
        if (r < 0)
                return r;
        for (;;) {
                item = NULL;
                if (streq(contents, "{ss}")) {
                        r = sd_bus_message_read(m, "{ss}", &key, &value);
                        if (r > 0)
                                item = str_printf("%s=%s", key, value);
                } else if (streq(contents, "q")) {
                        r = sd_bus_message_read_basic(m, 'q', &number);
                        if (r > 0)
                                item = str_printf("%" PRIu16, number);
                } else {
                        r = sd_bus_message_read_basic(m, 's', &value);
                        if (r > 0)
                                item = str_copy(value);
                }
                if (r < 0)
                        return r;
                if (r == 0)
                        break;
                if (!item)
                        return -ENOMEM;
                r = strv_consume(&v, item);
                if (r < 0)
                        return r;
        }
        p->type = 'a';
        p->strv = TAKE_PTR(v);
        return sd_bus_message_exit_container(m);
}

static int read_number(sd_bus_message *m, char type, Property *p)
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
        } v;
        int r;

        r = sd_bus_message_read_basic(m, type, &v);
        if (r < 0)
                return r;
        p->type = strchr("nix", type) ? 'i' : type == 'b' ? 'b' : 'u';
        switch (type) {
        case 'y': p->number = v.y; break;
        case 'b': p->number = v.b; break;
        case 'n': p->integer = v.n; break;
        case 'q': p->number = v.q; break;
        case 'i': p->integer = v.i; break;
        case 'u': p->number = v.u; break;
        case 'x': p->integer = v.x; break;
        default: p->number = v.t; break;
        }
        return 0;
}

/* 1: a value; 0: of a type that is left out. */
static int read_value(sd_bus_message *m, const char *type, Property *p)
{
        int r;

        if (strchr("ybnqiuxt", type[0])) {
                r = read_number(m, type[0], p);
                return r < 0 ? r : 1;
        }
        if (strchr("sog", type[0])) {
                p->type = 's';
                r = sd_bus_message_read_basic(m, type[0], &p->string);
                return r < 0 ? r : 1;
        }
        if (streq(type, "ay")) {
                p->type = 'y';
                r = sd_bus_message_read_array(m, 'y', &p->bytes.data, &p->bytes.size);
                return r < 0 ? r : 1;
        }
        if (streq(type, "as") || streq(type, "a{ss}") || streq(type, "aq")) {
                r = read_list(m, type + 1, p);
                return r < 0 ? r : 1;
        }
        return sd_bus_message_skip(m, type);
}

static int properties_append(Properties *ps, const Property *p)
{
        Property *items;

        items = alloc_resize(ps->items, ps->n + 1, sizeof(Property));
        if (!items) {
                if (p->type == 'a')
                        strv_free(p->strv);
                return -ENOMEM;
        }
        ps->items = items;
        ps->items[ps->n++] = *p;
        return 0;
}

static int read_entry(sd_bus_message *m, Properties *ps)
{
        const char *contents;
        Property p = {0};
        int r;

        r = sd_bus_message_read_basic(m, 's', &p.name);
        if (r < 0)
                return r;
        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r < 0)
                return r;
        r = read_value(m, contents, &p);
        if (r < 0)
                return r;
        if (p.type) {
                r = properties_append(ps, &p);
                if (r < 0)
                        return r;
        }
        return sd_bus_message_exit_container(m);
}

int properties_read(sd_bus_message *m, Properties *ret)
{
        _cleanup_(properties_done) Properties ps = PROPERTIES_INIT;
        int r;

        ps.message = sd_bus_message_ref(m);
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_entry(m, &ps);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = ps;
        ps = PROPERTIES_INIT;
        return 0;
}

void properties_done(Properties *p)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->items[i].type == 'a')
                        strv_free(p->items[i].strv);
        free(p->items);
        sd_bus_message_unref(p->message);
        *p = PROPERTIES_INIT;
}

static const Property *property_find(const Properties *p, const char *name, char type)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->items[i].type == type && streq(p->items[i].name, name))
                        return &p->items[i];
        return NULL;
}

bool properties_has(const Properties *p, const char *name, char type)
{
        return property_find(p, name, type);
}

const char *properties_string(const Properties *p, const char *name)
{
        const Property *item = property_find(p, name, 's');

        return item ? item->string : "";
}

uint64_t properties_number(const Properties *p, const char *name, uint64_t otherwise)
{
        const Property *item = property_find(p, name, 'u');

        return item ? item->number : otherwise;
}

int64_t properties_integer(const Properties *p, const char *name, int64_t otherwise)
{
        const Property *item = property_find(p, name, 'i');

        return item ? item->integer : otherwise;
}

bool properties_boolean(const Properties *p, const char *name)
{
        const Property *item = property_find(p, name, 'b');

        return item && item->number;
}

char **properties_strv(const Properties *p, const char *name)
{
        const Property *item = property_find(p, name, 'a');

        return item ? item->strv : NULL;
}

const void *properties_bytes(const Properties *p, const char *name, size_t *ret_size)
{
        const Property *item = property_find(p, name, 'y');

        *ret_size = item ? item->bytes.size : 0;
        return item ? item->bytes.data : NULL;
}
