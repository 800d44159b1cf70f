/*
 * Drop-ins come from folders of several names; a file's name counts over all of them, systemd.unit(5).
 */

#include "core/unit-dropins.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "core/unit-bundle.h"
#include "unit/name.h"

typedef struct Candidate {
        const UnitFile *file;
        unsigned distance; /* from the unit's own name */
} Candidate;

typedef struct Candidates {
        Candidate *list;
        size_t n;
        unsigned distance;
} Candidates;

static int folder_add(Candidates *c, const UnitBundle *b, const char *folder)
{
        size_t n = 0;
        const UnitFile *files = unit_bundle_dropins(b, folder, &n);
        Candidate *longer;

        c->distance++;
        if (n == 0)
                return 0;
        longer = alloc_resize(c->list, c->n + n, sizeof(Candidate));
        if (!longer)
                return -ENOMEM;
        c->list = longer;
        for (size_t i = 0; i < n; i++)
                c->list[c->n++] = (Candidate){.file = &files[i], .distance = c->distance};
        return 0;
}

/* web-a-b is of web-a- and web-, too. */
static int prefixes_add(Candidates *c, const UnitBundle *b, const char *unit)
{
        _cleanup_free_ char *prefix = unit_name_prefix(unit);
        int r = prefix ? 0 : -ENOMEM;
        char *dash;

        while (r >= 0 && (dash = strrchr(prefix, '-'))) {
                _cleanup_free_ char *folder = str_printf("%.*s-.service", (int) (dash - prefix), prefix);

                *dash = '\0';
                /* "web-" itself is no shorter prefix of "web-" */
                if (!folder)
                        return -ENOMEM;
                if (!streq(folder, unit))
                        r = folder_add(c, b, folder);
        }
        return r;
}

static int folders_add(Candidates *c, const UnitBundle *b, const char *unit)
{
        int r;

        r = folder_add(c, b, unit);
        if (r >= 0 && unit_name_kind(unit) == UNIT_NAME_INSTANCE) {
                _cleanup_free_ char *template = unit_name_template(unit);

                r = template ? folder_add(c, b, template) : -ENOMEM;
        }
        if (r >= 0)
                r = prefixes_add(c, b, unit);
        return r < 0 ? r : folder_add(c, b, "service");
}

static int compare_candidates(const void *a, const void *b)
{
        const Candidate *x = a, *y = b;
        int c = strcmp(x->file->name, y->file->name);

        if (c == 0)
                c = x->file->folder < y->file->folder ? -1 : x->file->folder > y->file->folder;
        return c != 0 ? c : x->distance < y->distance ? -1 : x->distance > y->distance;
}

int unit_dropins_find(const UnitBundle *b, const char *unit, const UnitFile ***ret)
{
        Candidates c = {0};
        const UnitFile **files;
        size_t n = 0;
        int r;

        r = folders_add(&c, b, unit);
        files = r < 0 ? NULL : alloc_array(const UnitFile *, c.n + 1);
        if (!files) {
                free(c.list);
                return -ENOMEM;
        }
        if (c.n > 0)
                qsort(c.list, c.n, sizeof(Candidate), compare_candidates);
        for (size_t i = 0; i < c.n; i++) {
                bool first = i == 0 || !streq(c.list[i - 1].file->name, c.list[i].file->name);

                if (first && !c.list[i].file->masked)
                        files[n++] = c.list[i].file;
        }
        files[n] = NULL;
        free(c.list);
        *ret = files;
        return 0;
}
