#pragma once

/* The options of a job, as exec and start take them: those of the settings table, by -p and by shorter
 * names. */

#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "ctl/option.h"
#include "unit/settings.h"

typedef struct Verb Verb;

typedef struct JobOptions {
        SettingValue values[_SETTING_MAX];
        bool given[_SETTING_MAX];
        bool stdin_is_data; /* -i */
} JobOptions;

extern const Option job_options[];         /* ids from OPTION_JOB on */
#define run_job_options (&job_options[1])  /* but --id, which Session.Run does not take */
extern const Option session_job_options[]; /* those of them that a session has, too */

enum {
        OPTION_PROPERTY = OPTION_JOB, /* -p, whose value is KEY=VALUE */
};

void job_options_done(JobOptions *o);

void job_options_unset(JobOptions *o, SettingId id);

/* As an OptionSetter does (args.h). */
int job_options_set(JobOptions *o, const Verb *verb, int id, const char *value);

/* One setting, whose text the user gave as `key`. */
int job_options_set_text(JobOptions *o, const Verb *verb, SettingId id, const char *key, const char *text);

/* Reads what -i asks for, and appends all that was given as a{sv}. Says what goes wrong; 0 or FAILED. */
int job_options_append(JobOptions *o, sd_bus_message *m);
/* The entries alone, into an a{sv} that is open; without what -i asks for. */
int job_options_append_entries(const JobOptions *o, sd_bus_message *m);

/* The settings of the table that text can be given for, for people or as JSON. 0, or one of output.h. */
int job_options_list(bool json);
