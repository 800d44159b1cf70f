/*
 * One line a key, with the function that reads its kind. What stands in the settings table needs no line,
 * but where it is in another section or is spelled in a way of its own.
 */

#include "unit/keys.h"

#include "unit/keys-internal.h"
#include "unit/unit-parse.h"

static const UnitKey table[] = {
                {"Unit", "Description", key_read_description, 0, 0},
                {"Unit", "Documentation", key_read_nothing, 0, 0},
                {"Unit", "After", key_read_names, offsetof(Unit, after), KEY_NAMES_ORDER},
                {"Unit", "Before", key_read_names, offsetof(Unit, before), KEY_NAMES_ORDER},
                {"Unit", "Requires", key_read_names, offsetof(Unit, requires), KEY_NAMES_REQUIRED},
                {"Unit", "Wants", key_read_names, offsetof(Unit, wants), KEY_NAMES_WANTED},
                {"Unit", "Conflicts", key_read_names, offsetof(Unit, conflicts), KEY_NAMES_ORDER},
                {"Unit", "ConditionPathExists", key_read_condition, 0, 0},
                {"Unit", "StartLimitBurst", key_read_setting, 0, SETTING_START_LIMIT_BURST},
                {"Unit", "StartLimitIntervalSec", key_read_setting, 0, SETTING_START_LIMIT_INTERVAL},
                {"Service", "Type", key_read_type, 0, 0},
                {"Service", "ExecStartPre", key_read_commands, 0, UNIT_EXEC_START_PRE},
                {"Service", "ExecStart", key_read_commands, 0, UNIT_EXEC_START},
                {"Service", "ExecStartPost", key_read_commands, 0, UNIT_EXEC_START_POST},
                {"Service", "ExecReload", key_read_commands, 0, UNIT_EXEC_RELOAD},
                {"Service", "ExecStop", key_read_commands, 0, UNIT_EXEC_STOP},
                {"Service", "ExecStopPost", key_read_commands, 0, UNIT_EXEC_STOP_POST},
                {"Service", "EnvironmentFile", key_read_environment_file, 0, 0},
                {"Service", "RemainAfterExit", key_read_bool, offsetof(Unit, remain_after_exit), 0},
                {"Service", "TimeoutStartSec", key_read_timeout, 0, KEY_TIMEOUT_START},
                {"Service", "TimeoutStopSec", key_read_timeout, 0, KEY_TIMEOUT_STOP},
                {"Service", "TimeoutSec", key_read_timeout, 0, KEY_TIMEOUT_START | KEY_TIMEOUT_STOP},
                {"Service", "WatchdogSec", key_read_watchdog, 0, 0},
                {"Service", "RestartSteps", key_read_unsigned, offsetof(Unit, restart_steps), 0},
                {"Service", "SuccessExitStatus", key_read_statuses, offsetof(Unit, success_exit_status), 0},
                {"Service", "RestartPreventExitStatus", key_read_statuses,
                 offsetof(Unit, restart_prevent_exit_status), 0},
                {"Service", "StandardOutput", key_read_output, 0, 0},
                {"Service", "StandardError", key_read_output, 0, 0},
                {"Service", "StandardInputText", key_read_input_text, 0, 0},
                {"Service", "CPUQuota", key_read_quota, 0, 0},
                {"Install", "WantedBy", key_read_wanted_by, 0, 0},
};

/* Settings with a line above, or with a spelling that belongs to the bus alone. */
static const SettingId elsewhere[] = {
                SETTING_DESCRIPTION,  SETTING_START_LIMIT_BURST,   SETTING_START_LIMIT_INTERVAL,
                SETTING_TIMEOUT_STOP, SETTING_STANDARD_INPUT_DATA, SETTING_CPU_QUOTA,
};

const UnitKey *unit_key_find(const char *section, const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(table[i].section, section) && streq(table[i].name, name))
                        return &table[i];
        return NULL;
}

SettingId unit_key_setting(const char *name)
{
        SettingId id = setting_by_key(name);

        if (id == _SETTING_MAX || (settings[id].flags & SETTING_BUS_ONLY) ||
            !streq_ptr(settings[id].key, name))
                return _SETTING_MAX;
        for (size_t i = 0; i < ELEMENTSOF(elsewhere); i++)
                if (elsewhere[i] == id)
                        return _SETTING_MAX;
        return id;
}

const char *unit_key_section(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                if (streq(table[i].name, name))
                        return table[i].section;
        return unit_key_setting(name) < _SETTING_MAX ? "Service" : NULL;
}

bool unit_section_is_known(const char *section)
{
        return streq(section, "Unit") || streq(section, "Service") || streq(section, "Install");
}
