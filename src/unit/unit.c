/*
 * A unit's life is short: made by the loader, read by the rest, freed.
 */

#include "unit/unit.h"

#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "unit/command.h"

#define TIMEOUT_START_DEFAULT (90 * USEC_PER_SEC)

Unit *unit_new(const char *name)
{
        Unit *u = alloc_new(Unit);

        if (!u)
                return NULL;
        u->name = str_copy(name);
        u->timeout_start = TIMEOUT_START_DEFAULT;
        return u->name ? u : unit_free(u);
}

Unit *unit_free(Unit *u)
{
        if (!u)
                return NULL;
        free(u->name);
        free(u->path);
        free(u->reason);
        free(u->description);
        strv_free(u->files);
        strv_free(u->after);
        strv_free(u->before);
        strv_free(u->requires);
        strv_free(u->wants);
        strv_free(u->conflicts);
        for (size_t i = 0; i < u->n_conditions; i++)
                free(u->conditions[i].path);
        free(u->conditions);
        for (size_t i = 0; i < u->n_environment_files; i++)
                free(u->environment_files[i].path);
        free(u->environment_files);
        for (size_t kind = 0; kind < _UNIT_COMMAND_KIND_MAX; kind++)
                unit_commands_free(u->commands[kind], u->n_commands[kind]);
        for (SettingId id = 0; id < _SETTING_MAX; id++)
                if (u->given[id])
                        setting_value_done(&u->values[id]);
        free(u);
        return NULL;
}
