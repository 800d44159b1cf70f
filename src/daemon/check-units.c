/*
 * Reads the unit files as reeve would, and says what reeve would say. Templates are checked, too, by an
 * instance of each that nobody asked for.
 */

#include "daemon/check-units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "core/unit-bundle.h"
#include "core/unit-load.h"
#include "daemon/options.h"
#include "unit/name.h"

static int check_templates(const UnitBundle *b, UnitTable *t, UnitProblems *problems)
{
        int r = 0;

        for (size_t i = 0; i < b->n_fragments && r != -ENOMEM; i++) {
                _cleanup_free_ char *prefix = NULL, *instance = NULL;

                if (unit_name_kind(b->files[i].name) != UNIT_NAME_TEMPLATE)
                        continue;
                prefix = unit_name_prefix(b->files[i].name);
                instance = prefix ? str_printf("%s@instance.service", prefix) : NULL;
                r = instance ? unit_load_one(b, instance, t, problems) : -ENOMEM;
        }
        return r == -ENOMEM ? r : 0;
}

static int check_all(const UnitBundle *b, UnitProblems *problems)
{
        UnitTable t;
        int r;

        r = unit_load_all(b, &t, problems);
        if (r < 0)
                return r;
        r = check_templates(b, &t, problems);
        unit_table_done(&t);
        return r;
}

static void tell(const UnitProblems *p)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->list[i].line > 0)
                        printf("%s:%u: %s\n", p->list[i].file, p->list[i].line, p->list[i].message);
                else
                        printf("%s: %s\n", p->list[i].file, p->list[i].message);
        if (p->left_out > 0)
                printf("and %zu more\n", p->left_out);
}

int check_units(const Options *o)
{
        UnitProblems problems = UNIT_PROBLEMS_INIT;
        UnitBundle b = UNIT_BUNDLE_INIT;
        bool refused;
        int r;

        /* A default folder need not be there; one that was named should be. */
        for (char **folder = o->units; folder && *folder; folder++)
                if (access(*folder, F_OK) < 0)
                        unit_problems_add(&problems, *folder, 0, true, "This folder cannot be read: %s.",
                                          strerror(errno));
        r = unit_bundle_collect((const char *const *) o->units, &b, &problems);
        if (r >= 0)
                r = check_all(&b, &problems);
        unit_bundle_done(&b);
        tell(&problems);
        refused = problems.n_refused > 0;
        unit_problems_done(&problems);
        if (r < 0)
                fprintf(stderr, "reeve: out of memory\n");
        return r < 0 || refused ? EXIT_FAILURE : EXIT_SUCCESS;
}
