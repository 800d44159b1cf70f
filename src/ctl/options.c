/*
 * From KEY=VALUE to a{sv}. Nothing here knows any one setting: the table says what type it has,
 * setting_parse() reads it, and the type says how it is appended. What a value means, and whether values fit
 * together, reeve itself says.
 */

#include "ctl/options.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "basic/utf8.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/output.h"
#include "ctl/table.h"
#include "ctl/text.h"

#define STDIN_MAX (UINT64_C(16) * 1024 * 1024)

enum {
        OPTION_ENVIRONMENT = OPTION_PROPERTY + 1,
        OPTION_STDIN,
        OPTION_SETTING, /* and up: OPTION_SETTING + SettingId */
};

#define OF_ENVIRONMENT                                                                                      \
        {                                                                                                   \
                OPTION_ENVIRONMENT, 'E', "setenv", "NAME[=VALUE]",                                          \
                                "environment variable; without VALUE that of reevectl's own"                \
        }

const Option job_options[] = {
                {OPTION_SETTING + SETTING_ID, 0, "id", "ID",
                 "name of the job; the same request again is then the same job"},
                {OPTION_PROPERTY, 'p', "property", "KEY=VALUE", "any setting of a job; -p help lists them"},
                OF_ENVIRONMENT,
                {OPTION_SETTING + SETTING_SESSION, 0, "session", "SESSION", "session it belongs to"},
                {OPTION_SETTING + SETTING_WORKING_DIRECTORY, 0, "cd", "DIRECTORY", "directory to run in"},
                {OPTION_SETTING + SETTING_USER, 0, "user", "USER", "name or number of the user to run as"},
                {OPTION_SETTING + SETTING_RUNTIME_MAX, 0, "timeout", "SPAN",
                 "stop it after that time: 90, 5min, 1h 30min"},
                {OPTION_STDIN, 'i', "stdin", NULL, "give it the standard input of reevectl (16M at most)"},
                {0},
};

const Option session_job_options[] = {
                {OPTION_PROPERTY, 'p', "property", "KEY=VALUE",
                 "WorkingDirectory, Environment, User, Group, UMask, Shell, CleanEnvironment, or a limit"
                 " such as MemoryMax of all its jobs together"},
                OF_ENVIRONMENT,
                {OPTION_SETTING + SETTING_WORKING_DIRECTORY, 0, "cd", "DIRECTORY", "directory to begin in"},
                {OPTION_SETTING + SETTING_USER, 0, "user", "USER", "name or number of the user of its jobs"},
                {0},
};

void job_options_unset(JobOptions *o, SettingId id)
{
        if (o->given[id])
                setting_value_done(&o->values[id]);
        o->given[id] = false;
}

void job_options_done(JobOptions *o)
{
        for (SettingId id = 0; id < _SETTING_MAX; id++)
                job_options_unset(o, id);
        *o = (JobOptions){0};
}

static bool value_is_utf8(const SettingValue *v)
{
        if (v->type == SETTING_TYPE_STRING)
                return utf8_is_valid(v->string, strlen(v->string));
        if (v->type == SETTING_TYPE_STRV || v->type == SETTING_TYPE_DICT)
                STRV_FOREACH (s, v->strv)
                        if (!utf8_is_valid(*s, strlen(*s)))
                                return false;
        return true;
}

int job_options_set_text(JobOptions *o, const Verb *verb, SettingId id, const char *key, const char *text)
{
        const char *reason = NULL;
        int r;

        r = setting_parse(id, text, o->given[id], &o->values[id], &reason);
        if (r == -ENOMEM)
                return fail_errno(r, "%s", key);
        if (r < 0)
                return misuse(verb, "%s=%s: %s", key, text, reason ?: "not such a value");
        o->given[id] = true;
        /* An escape like \xff can make what the command line could not hold. */
        if (!value_is_utf8(&o->values[id]))
                return misuse(verb, "%s=%s: must be UTF-8", key, text);
        return 0;
}

static const char *nearest_key(const char *key)
{
        const char *nearest = NULL;
        unsigned distance = 4;

        for (SettingId id = 0; id < _SETTING_MAX; id++) {
                const char *const spellings[] = {settings[id].key, settings[id].name};

                for (size_t i = 0; i < ELEMENTSOF(spellings); i++) {
                        unsigned d = spellings[i] ? text_distance(key, spellings[i]) : distance;

                        if (d < distance) {
                                distance = d;
                                nearest = spellings[i];
                        }
                }
        }
        return nearest;
}

static int set_property(JobOptions *o, const Verb *verb, const char *text)
{
        _cleanup_free_ char *key = NULL;
        const char *eq = strchr(text, '='), *nearest;
        SettingId id;

        if (streq(text, "help") || streq(text, "list")) {
                int r = job_options_list(false);

                return r < 0 ? r : 1;
        }
        if (!eq)
                return misuse(verb, "-p %s: KEY=VALUE is needed, or help", text);
        key = str_copy_n(text, eq - text);
        if (!key)
                return fail_errno(-ENOMEM, "-p");

        id = setting_by_key(key);
        if (id == _SETTING_MAX) {
                nearest = nearest_key(key);
                return misuse(verb, "there is no setting '%s'%s%s%s (-p help lists them)", key,
                              nearest ? ": is " : "", nearest ?: "", nearest ? " meant?" : "");
        }
        return job_options_set_text(o, verb, id, key, eq + 1);
}

/* As it is, without the quoting that a list in one text needs. */
static int set_environment(JobOptions *o, const Verb *verb, const char *text)
{
        SettingValue *v = &o->values[SETTING_ENVIRONMENT];
        const char *value;
        int r;

        if (!env_name_is_valid(text, strcspn(text, "=")))
                return misuse(verb, "-E %s: that is no name of an environment variable", text);
        value = strchr(text, '=') ? NULL : getenv(text);
        if (!strchr(text, '=') && !value)
                return misuse(verb, "-E %s: it is not set here; give NAME=VALUE", text);
        if (value && !utf8_is_valid(value, strlen(value)))
                return misuse(verb, "-E %s: its value is not UTF-8, and D-Bus carries nothing else", text);

        if (!o->given[SETTING_ENVIRONMENT])
                *v = (SettingValue){.type = SETTING_TYPE_STRV};
        o->given[SETTING_ENVIRONMENT] = true;
        r = value ? env_set(&v->strv, text, value) : env_put(&v->strv, text);
        return r < 0 ? fail_errno(r, "-E %s", text) : 0;
}

int job_options_set(JobOptions *o, const Verb *verb, int id, const char *value)
{
        switch (id) {
        case OPTION_PROPERTY: return set_property(o, verb, value);
        case OPTION_ENVIRONMENT: return set_environment(o, verb, value);
        case OPTION_STDIN: o->stdin_is_data = true; return 0;
        default:
                for (const Option *p = job_options; p->id; p++)
                        if (p->id == id)
                                return job_options_set_text(o, verb, id - OPTION_SETTING, p->name, value);
                assert(false);
                return FAILED;
        }
}

static int read_stdin(JobOptions *o)
{
        SettingValue *data = &o->values[SETTING_STANDARD_INPUT_DATA],
                     *kind = &o->values[SETTING_STANDARD_INPUT];
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        char piece[65536];
        ssize_t n;

        if (o->given[SETTING_STANDARD_INPUT_DATA] || o->given[SETTING_STANDARD_INPUT])
                return fail("-i does not go with -p StandardInput= or -p StandardInputText=");

        while ((n = read(STDIN_FILENO, piece, sizeof(piece))) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return fail_errno(-errno, "cannot read stdin");
                if (b.size + n > STDIN_MAX)
                        return fail("stdin is larger than 16 MiB, which is all that -i takes: put it into a "
                                    "file");
                buffer_append(&b, piece, n);
        }

        *data = (SettingValue){.type = SETTING_TYPE_BLOB};
        data->blob.data = buffer_take(&b, &data->blob.size);
        *kind = (SettingValue){.type = SETTING_TYPE_STRING, .string = str_copy("data")};
        o->given[SETTING_STANDARD_INPUT_DATA] = o->given[SETTING_STANDARD_INPUT] = true;
        return data->blob.data && kind->string ? 0 : fail_errno(-ENOMEM, "cannot read stdin");
}

static int append_dict(sd_bus_message *m, char **strv)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{ss}");
        STRV_FOREACH (s, strv) {
                char *eq = strchr(*s, '=');

                *eq = 0;
                if (r >= 0)
                        r = sd_bus_message_append(m, "{ss}", *s, eq + 1);
                *eq = '=';
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_value(sd_bus_message *m, const SettingValue *v)
{
        switch (v->type) {
        case SETTING_TYPE_BOOL: return sd_bus_message_append(m, "b", v->boolean);
        case SETTING_TYPE_INT:
        case SETTING_TYPE_SIGNAL: return sd_bus_message_append(m, "i", (int) v->number);
        case SETTING_TYPE_UINT16: return sd_bus_message_append(m, "q", (unsigned) v->unsigned_);
        case SETTING_TYPE_MODE:
        case SETTING_TYPE_UINT32: return sd_bus_message_append(m, "u", (uint32_t) v->unsigned_);
        case SETTING_TYPE_STRING: return sd_bus_message_append(m, "s", v->string);
        case SETTING_TYPE_STRV: return sd_bus_message_append_strv(m, v->strv);
        case SETTING_TYPE_DICT: return append_dict(m, v->strv);
        case SETTING_TYPE_BLOB: return sd_bus_message_append_array(m, 'y', v->blob.data, v->blob.size);
        case SETTING_TYPE_FD: return sd_bus_message_append(m, "h", v->fd);
        default: return sd_bus_message_append(m, "t", v->unsigned_);
        }
}

static int append_option(sd_bus_message *m, SettingId id, const SettingValue *v)
{
        const char *signature = setting_signature(settings[id].type);
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r < 0)
                return r;
        r = sd_bus_message_append_basic(m, 's', settings[id].name);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'v', signature);
        if (r < 0)
                return r;
        r = append_value(m, v);
        if (r < 0)
                return r;
        r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int job_options_append_entries(const JobOptions *o, sd_bus_message *m)
{
        int r = 0;

        for (SettingId id = 0; r >= 0 && id < _SETTING_MAX; id++)
                if (o->given[id])
                        r = append_option(m, id, &o->values[id]);
        return r;
}

int job_options_append(JobOptions *o, sd_bus_message *m)
{
        int r;

        if (o->stdin_is_data) {
                r = read_stdin(o);
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = job_options_append_entries(o, m);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? client_message_failed(r) : 0;
}

/* The list of settings */

static const char *type_text(const Setting *s)
{
        static const char *const table[_SETTING_TYPE_MAX] = {
                        [SETTING_TYPE_BOOL] = "yes|no",   [SETTING_TYPE_INT] = "NUMBER",
                        [SETTING_TYPE_SIGNAL] = "SIGNAL", [SETTING_TYPE_MODE] = "OCTAL",
                        [SETTING_TYPE_UINT16] = "NUMBER", [SETTING_TYPE_UINT32] = "NUMBER",
                        [SETTING_TYPE_UINT64] = "NUMBER", [SETTING_TYPE_BYTES] = "SIZE",
                        [SETTING_TYPE_USEC] = "SPAN",     [SETTING_TYPE_STRING] = "TEXT",
                        [SETTING_TYPE_STRV] = "WORDS",    [SETTING_TYPE_DICT] = "NAME=VALUE",
                        [SETTING_TYPE_BLOB] = "TEXT",     [SETTING_TYPE_FD] = "DESCRIPTOR",
        };

        return s->words ? "WORD" : table[s->type];
}

static void setting_json(Buffer *b, const Setting *s)
{
        buffer_append_string(b, "{\"name\":");
        json_string(b, s->name);
        buffer_append_string(b, ",\"key\":");
        s->key ? json_string(b, s->key) : buffer_append_string(b, "null");
        buffer_append_string(b, ",\"signature\":");
        json_string(b, setting_signature(s->type));
        buffer_append_string(b, ",\"value\":");
        json_string(b, s->words ?: type_text(s));
        buffer_append_string(b, ",\"help\":");
        json_string(b, s->help);
        buffer_printf(b, ",\"available\":%s}", s->flags & SETTING_UNAVAILABLE ? "false" : "true");
}

int job_options_list(bool json)
{
        static const char *const headers[] = {"KEY", "VALUE", "WHAT IT IS", NULL};
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_(table_done) Table t = TABLE_INIT(headers);
        size_t n = 0;

        for (SettingId id = 0; id < _SETTING_MAX; id++) {
                const Setting *s = &settings[id];

                if (s->type == SETTING_TYPE_FD)
                        continue;
                if (json) {
                        buffer_append_string(&b, n++ > 0 ? "," : "[");
                        setting_json(&b, s);
                        continue;
                }
                table_cell(&t, "%s", s->key ?: s->name);
                table_cell(&t, "%s", type_text(s));
                table_cell(&t, "%s%s%s%s", s->help, s->words ? ": " : "", s->words ?: "",
                           s->flags & SETTING_UNAVAILABLE ? " (not in this version)" : "");
        }
        if (json)
                buffer_append_string(&b, "]\n");
        else
                table_format(&t, output_columns(), &b);
        return output_buffer(&b);
}
