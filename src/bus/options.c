/*
 * The bus end of the settings table: name -> type -> value; what the value means is core's business.
 */

#include "bus/options.h"

#include "basic/strv.h"
#include "bus/dict.h"
#include "core/error.h"
#include "core/exec-spec.h"

static int read_option(sd_bus_message *m, ExecSpec *spec, Error *e)
{
        SettingValue v = {0};
        const char *name;
        SettingId id;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        id = setting_by_name(name);
        if (id == _SETTING_MAX)
                return error_set(e, ERROR_INVALID_ARGS, "%s: there is no such option", name);
        r = dict_read_variant(m, name, settings[id].type, &v, e);
        if (r < 0)
                return r;
        r = exec_spec_set(spec, id, &v, e);
        setting_value_done(&v);
        return r;
}

int options_read_spec(sd_bus_message *m, bool start, ExecSpec *spec, Error *e)
{
        _cleanup_strv_ char **argv = NULL;
        int r;

        r = sd_bus_message_read_strv(m, &argv);
        if (r < 0)
                return r;
        r = exec_spec_set_argv(spec, argv, e);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_option(m, spec, e);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : exec_spec_check(spec, start, e);
}
