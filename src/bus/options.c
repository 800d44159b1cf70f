/*
 * The bus end of the settings table: name -> type -> value; what the value means is core's business.
 */

#include "bus/options.h"

#include "basic/strv.h"
#include "bus/dict.h"
#include "core/error.h"
#include "core/exec-spec.h"
#include "core/session.h"

typedef int (*ReadOption)(sd_bus_message *m, void *spec, Error *e);

static int read_dict(sd_bus_message *m, ReadOption read, void *spec, Error *e)
{
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read(m, spec, e);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_option(sd_bus_message *m, void *spec, Error *e)
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

int options_read_dict(sd_bus_message *m, ExecSpec *spec, Error *e)
{
        return read_dict(m, read_option, spec, e);
}

int options_read_spec(sd_bus_message *m, bool start, ExecSpec *spec, Error *e)
{
        _cleanup_strv_ char **argv = NULL;
        int r;

        r = sd_bus_message_read_strv(m, &argv);
        if (r < 0)
                return r;
        r = exec_spec_set_argv(spec, argv, e);
        if (r >= 0)
                r = options_read_dict(m, spec, e);
        return r < 0 ? r : exec_spec_check(spec, start, e);
}

static const SettingId limits[] = {
                SETTING_MEMORY_MAX, SETTING_MEMORY_HIGH, SETTING_MEMORY_SWAP_MAX, SETTING_TASKS_MAX,
                SETTING_CPU_QUOTA,  SETTING_CPU_WEIGHT,  SETTING_IO_WEIGHT,
};

static bool is_among(SettingId id, const SettingId *ids, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (ids[i] == id)
                        return true;
        return false;
}

static int read_session_option(sd_bus_message *m, void *userdata, Error *e)
{
        SessionSpec *spec = userdata;
        static const SettingId of_exec[] = {
                        SETTING_WORKING_DIRECTORY,
                        SETTING_ENVIRONMENT,
                        SETTING_USER,
                        SETTING_GROUP,
                        SETTING_UMASK,
        };
        SettingValue v = {0};
        const char *name;
        SettingId id;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        if (streq(name, "CleanEnvironment")) {
                r = dict_read_variant(m, name, SETTING_TYPE_BOOL, &v, e);
                spec->clean_environment = v.boolean;
                return r;
        }
        if (streq(name, "Shell")) {
                r = dict_read_variant(m, name, SETTING_TYPE_STRING, &v, e);
                if (r >= 0 && (spec->shell || v.string[0] != '/')) {
                        r = error_set(e, ERROR_INVALID_ARGS,
                                      spec->shell ? "Shell: given twice"
                                                  : "Shell: must be an absolute path");
                        setting_value_done(&v);
                        return r;
                }
                if (r >= 0)
                        spec->shell = v.string;
                return r;
        }
        id = setting_by_name(name);
        if (!is_among(id, of_exec, ELEMENTSOF(of_exec)) && !is_among(id, limits, ELEMENTSOF(limits)))
                return error_set(e, ERROR_INVALID_ARGS, "%s: there is no such option", name);
        r = dict_read_variant(m, name, settings[id].type, &v, e);
        if (r < 0)
                return r;
        r = exec_spec_set(&spec->exec, id, &v, e);
        setting_value_done(&v);
        return r;
}

int options_read_session(sd_bus_message *m, SessionSpec *spec, Error *e)
{
        int r = read_dict(m, read_session_option, spec, e);

        return r < 0 ? r : exec_spec_check(&spec->exec, true, e);
}

int options_read_limits(sd_bus_message *m, Error *e)
{
        _cleanup_(exec_spec_done) ExecSpec spec;
        int r;

        exec_spec_init(&spec);
        r = options_read_dict(m, &spec, e);
        if (r < 0)
                return r;
        for (SettingId id = 0; id < _SETTING_MAX; id++)
                if (exec_spec_is_given(&spec, id) && !is_among(id, limits, ELEMENTSOF(limits)))
                        return error_set(e, ERROR_INVALID_ARGS, "%s: is no limit", settings[id].name);
        return exec_spec_check(&spec, true, e);
}
