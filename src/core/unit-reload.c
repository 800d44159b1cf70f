/*
 * The files are read by a process of its own, for a file system may stand still; what they say takes the
 * place of what was read before as soon as nothing runs by that any more.
 */

#include <errno.h>

#include "basic/alloc.h"
#include "basic/errno-name.h"
#include "basic/log.h"
#include "core/error.h"
#include "core/job-set.h"
#include "core/unit-set.h"
#include "sys/unit-files.h"
#include "unit/problem.h"

#define RELOAD_LIMIT (30 * USEC_PER_SEC)

/* The units of the old table that something still runs by are kept for as long as it does. */
static void take_table(UnitSet *set, UnitTable *table)
{
        LIST_FOREACH (&set->services, link) {
                Service *s = container_of(link, Service, link);

                if (s->old) /* of an earlier table still */
                        continue;
                s->old = unit_table_get(&set->table, s->name);
                unit_table_take(&set->table, s->old);
        }
        unit_table_done(&set->table);
        set->table = *table;
}

static int read_anew(UnitSet *set, const void *data, size_t size, UnitProblems *problems)
{
        UnitBundle bundle = UNIT_BUNDLE_INIT;
        UnitTable table;
        void *copy = alloc_copy(data, size);
        int r;

        if (!copy)
                return -ENOMEM;
        r = unit_bundle_take(copy, size, &bundle, problems);
        if (r < 0)
                return r;
        unit_table_init(&table);
        r = unit_load_all(&bundle, &table, problems);
        if (r < 0) {
                unit_bundle_done(&bundle);
                return r;
        }
        take_table(set, &table);
        unit_bundle_done(&set->bundle);
        set->bundle = bundle;
        unit_queue_advance(set); /* and so what nothing runs by is renewed */
        return unit_set_add_services(set);
}

static int start_reading(UnitSet *set)
{
        set->read_again = false;
        return errand_start(&set->reading, set->jobs, "reeve-units", unit_files_work, (void *) set->folders,
                            RELOAD_LIMIT, UNIT_FILES_BLOCK_MAX);
}

void unit_set_read(Errand *errand, int r, const void *data, size_t size)
{
        UnitSet *set = container_of(errand, UnitSet, reading);
        _cleanup_(unit_problems_done) UnitProblems problems = UNIT_PROBLEMS_INIT;

        if (set->read_again && start_reading(set) >= 0)
                return;
        if (r >= 0)
                r = read_anew(set, data, size, &problems);
        if (r < 0)
                log_error_errno(r, "Cannot read the unit files anew");
        unit_set_say_problems(&problems);
        LIST_FOREACH_SAFE (&set->reloads, link) {
                UnitReload *w = container_of(link, UnitReload, link);

                list_remove(&w->link);
                w->done(w, r, &problems);
        }
}

int unit_set_reload(UnitSet *set, UnitReload *wait, Error *e)
{
        int r = 0;

        if (!set->folders)
                return error_set(e, ERROR_NOT_SUPPORTED, "There are no units here (--no-units)");
        if (errand_is_busy(&set->reading))
                set->read_again = true;
        else
                r = start_reading(set);
        if (r < 0)
                return error_set(e, ERROR_START_FAILED, "fork: %s (%d %s)", errno_text(r), -r,
                                 errno_name(r));
        if (wait)
                list_append(&set->reloads, &wait->link);
        return 0;
}
