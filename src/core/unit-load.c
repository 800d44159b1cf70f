/*
 * Loading goes by names: what the folders hold, then what that refers to, until there is nothing new. A unit
 * that is refused stays in the table, so that people see it, and see why.
 */

#include "core/unit-load.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "core/error.h"
#include "core/exec-spec.h"
#include "core/unit-bundle.h"
#include "core/unit-dropins.h"
#include "core/unit-spec.h"
#include "unit/name.h"
#include "unit/order.h"
#include "unit/unit-parse.h"

void unit_table_init(UnitTable *t)
{
        *t = (UnitTable){0};
        hashmap_init(&t->by_name, HASHMAP_STRING);
}

/* Lets go of all from the nth on. */
static void table_cut(UnitTable *t, size_t n)
{
        while (t->n > n) {
                Unit *u = t->units[--t->n];

                hashmap_remove_string(&t->by_name, u->name);
                unit_free(u);
        }
}

void unit_table_done(UnitTable *t)
{
        table_cut(t, 0);
        hashmap_done(&t->by_name);
        free(t->units);
        unit_table_init(t);
}

void unit_table_take(UnitTable *t, Unit *unit)
{
        size_t i = 0;

        while (i < t->n && t->units[i] != unit)
                i++;
        if (i == t->n)
                return;
        hashmap_remove_string(&t->by_name, unit->name);
        memmove(&t->units[i], &t->units[i + 1], (t->n - i - 1) * sizeof(Unit *));
        t->n--;
}

Unit *unit_table_get(const UnitTable *t, const char *name)
{
        return hashmap_get_string(&t->by_name, name);
}

/* Takes u over, also when it fails. */
static int table_put(UnitTable *t, Unit *u)
{
        Unit **longer = alloc_resize(t->units, t->n + 1, sizeof(Unit *));
        int r = -ENOMEM;

        if (longer) {
                t->units = longer;
                r = hashmap_put_string(&t->by_name, u->name, u);
        }
        if (r < 0) {
                unit_free(u);
                return r;
        }
        t->units[t->n++] = u;
        return 0;
}

/* A file that is to be read: its text, or that it is refused. */
static int file_parse(UnitParser *p, const UnitFile *f)
{
        int r;

        if (f->error == 0)
                return unit_parser_read(p, f->path, f->text, f->size);
        r = unit_parser_read(p, f->path, "", 0);
        if (r < 0)
                return r;
        p->place.line = 0;
        if (f->error == -EBADFD)
                unit_refuse(p->unit, p->place, p->problems, "This is not a regular file.");
        else if (f->error == -EFBIG)
                unit_refuse(p->unit, p->place, p->problems, "This file has more than 256 KiB.");
        else if (f->error == -EDQUOT)
                unit_refuse(p->unit, p->place, p->problems,
                            "This file is left out: all unit files together have more than 16 MiB.");
        else
                unit_refuse(p->unit, p->place, p->problems, "This file cannot be read: %s.",
                            strerror(-f->error));
        return 0;
}

static int settings_check(Unit *u, UnitProblems *problems)
{
        SettingId id = _SETTING_MAX;
        Error e = ERROR_NULL;
        ExecSpec spec;
        int r;

        if (u->refused)
                return 0;
        exec_spec_init(&spec);
        r = unit_fill_exec_spec(u, &spec, &id, &e);
        exec_spec_done(&spec);
        if (r == -ENOMEM)
                return r;
        /* What is not possible here is no mistake of the file's: the one who starts it is told. */
        if (r < 0 && r != -EOPNOTSUPP)
                unit_refuse(u, id < _SETTING_MAX ? u->places[id] : (UnitPlace){0}, problems, "%s.",
                            e.message);
        return 0;
}

static int unit_read(const UnitBundle *b, Unit *u, const UnitFile *fragment, size_t *bytes,
                     UnitProblems *problems)
{
        _cleanup_free_ const UnitFile **dropins = NULL;
        UnitParser parser;
        int r;

        r = unit_dropins_find(b, u->name, &dropins);
        if (r < 0)
                return r;
        unit_parser_init(&parser, u, b->hostname, problems);
        r = file_parse(&parser, fragment);
        *bytes += fragment->size;
        for (const UnitFile **f = dropins; *f && r >= 0; f++) {
                r = file_parse(&parser, *f);
                *bytes += (*f)->size;
        }
        if (r < 0)
                return r;
        unit_parser_finish(&parser);
        return settings_check(u, problems);
}

/* The file that makes a unit of that name: -EINVAL, -ENOENT, -ESHUTDOWN, -ENOMEM. */
static int fragment_find(const UnitBundle *b, const char *name, const UnitFile **ret)
{
        UnitNameKind kind = unit_name_kind(name);
        const UnitFile *f;

        if (kind != UNIT_NAME_PLAIN && kind != UNIT_NAME_INSTANCE)
                return -EINVAL;
        f = unit_bundle_fragment(b, name);
        if (!f && kind == UNIT_NAME_INSTANCE) {
                _cleanup_free_ char *template = unit_name_template(name);

                if (!template)
                        return -ENOMEM;
                f = unit_bundle_fragment(b, template);
        }
        if (!f)
                return -ENOENT;
        if (f->masked)
                return -ESHUTDOWN;
        *ret = f;
        return 0;
}

/* That one alone. Errors as unit_load_one(). */
static int unit_add(const UnitBundle *b, const char *name, UnitTable *t, UnitProblems *problems)
{
        const UnitFile *fragment;
        _cleanup_unit_ Unit *u = NULL;
        int r;

        if (unit_table_get(t, name))
                return 0;
        r = fragment_find(b, name, &fragment);
        if (r < 0)
                return r;
        if (t->n >= UNITS_MAX || t->bytes > UNITS_BYTES_MAX)
                return -EDQUOT;
        u = unit_new(name);
        if (!u)
                return -ENOMEM;
        r = unit_read(b, u, fragment, &t->bytes, problems);
        return r < 0 ? r : table_put(t, TAKE_PTR(u));
}

static int names_add(const UnitBundle *b, char *const *names, UnitTable *t, UnitProblems *problems)
{
        for (; names && *names; names++) {
                int r = unit_add(b, *names, t, problems);

                if (r == -ENOMEM)
                        return r;
                if (r == -EDQUOT)
                        unit_problems_add(problems, *names, 0, true,
                                          "There are more than %zu units, or more than 32 MiB of them; this "
                                          "one is "
                                          "left out.",
                                          UNITS_MAX);
        }
        return 0;
}

static int requirements_check(const UnitBundle *b, const UnitTable *t, Unit *u, UnitProblems *problems)
{
        const UnitFile *f;

        STRV_FOREACH (name, u->requires) {
                int r = unit_table_get(t, *name) ? 0 : fragment_find(b, *name, &f);

                if (r == -ENOMEM)
                        return r;
                if (!unit_table_get(t, *name))
                        unit_refuse(u, (UnitPlace){0}, problems, "Requires: \"%s\" %s.", *name,
                                    r == -ESHUTDOWN ? "is masked"
                                    : r == 0        ? "is left out"
                                                    : "is not there");
        }
        STRV_FOREACH (name, u->wants) {
                int r = unit_table_get(t, *name) ? 0 : fragment_find(b, *name, &f);

                if (r == -ENOMEM)
                        return r;
                if (r == -ENOENT)
                        unit_warn(u, (UnitPlace){0}, problems, "Wants: \"%s\" is not there.", *name);
        }
        return 0;
}

/* What the units from the first on refer to, and whether it is there; then the order of all. */
static int table_complete(const UnitBundle *b, UnitTable *t, size_t first, UnitProblems *problems)
{
        int r = 0;

        for (size_t i = first; i < t->n && r >= 0; i++) {
                const Unit *u = t->units[i];

                r = names_add(b, u->requires, t, problems);
                if (r >= 0)
                        r = names_add(b, u->wants, t, problems);
                if (r >= 0)
                        r = names_add(b, u->after, t, problems);
        }
        for (size_t i = first; i < t->n && r >= 0; i++)
                r = requirements_check(b, t, t->units[i], problems);
        return r < 0 ? r : unit_order_break_circles(t->units, t->n, problems);
}

static int fragments_add(const UnitBundle *b, UnitTable *t, UnitProblems *problems)
{
        for (size_t i = 0; i < b->n_fragments; i++) {
                const UnitFile *f = &b->files[i];
                char *const name[] = {(char *) f->name, NULL};
                int r;

                if (unit_name_kind(f->name) == UNIT_NAME_INVALID)
                        unit_problems_add(problems, f->path, 0, false,
                                          "This is not a name that a unit can have; ignored.");
                r = names_add(b, name, t, problems);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int compare_units(const void *a, const void *b)
{
        return strcmp((*(Unit *const *) a)->name, (*(Unit *const *) b)->name);
}

int unit_load_all(const UnitBundle *b, UnitTable *ret, UnitProblems *problems)
{
        UnitTable t;
        int r;

        unit_table_init(&t);
        r = fragments_add(b, &t, problems);
        if (r >= 0)
                r = table_complete(b, &t, 0, problems);
        if (r < 0) {
                unit_table_done(&t);
                return r;
        }
        if (t.n > 0)
                qsort(t.units, t.n, sizeof(Unit *), compare_units);
        *ret = t;
        return 0;
}

int unit_load_one(const UnitBundle *b, const char *name, UnitTable *t, UnitProblems *problems)
{
        size_t before = t->n;
        int r;

        r = unit_add(b, name, t, problems);
        if (r >= 0)
                r = table_complete(b, t, before, problems);
        if (r < 0)
                table_cut(t, before);
        return r;
}
