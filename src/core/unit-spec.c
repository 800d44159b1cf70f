/*
 * A unit's settings are those of any request, and are checked by the same code: what a caller could not ask
 * for a unit file cannot, either.
 */

#include "core/unit-spec.h"

#include "core/error.h"
#include "core/exec-spec.h"
#include "unit/unit.h"

int unit_fill_exec_spec(const Unit *u, ExecSpec *spec, SettingId *ret_setting, Error *e)
{
        int r;

        for (SettingId id = 0; id < _SETTING_MAX; id++) {
                SettingValue v;

                if (!u->given[id])
                        continue;
                if (ret_setting)
                        *ret_setting = id;
                r = setting_value_copy(&u->values[id], &v);
                if (r < 0)
                        return error_no_memory(e);
                r = exec_spec_set(spec, id, &v, e);
                setting_value_done(&v);
                if (r < 0)
                        return r;
        }
        if (ret_setting)
                *ret_setting = _SETTING_MAX;
        spec->watchdog = u->watchdog;
        /* Whether others wait for READY=1 says the type, not who may say it. */
        spec->notify_ready = u->type == UNIT_TYPE_NOTIFY;
        return exec_spec_check(spec, true, e);
}
