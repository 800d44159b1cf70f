/*
 * What the settings of the table mean for a job. Most of them are a value in a field, so that is a table,
 * too: setting, copying out of a message, and telling two requests apart all walk it. The few that are words
 * or lists with rules have a check of their own.
 */

#include "core/exec-spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/strv.h"
#include "core/error.h"
#include "core/exec-rules.h"
#include "sys/capability.h"

#define NAME_MAX_LENGTH 64

typedef struct Field {
        size_t offset; /* 0: none, the setting is handled by name (argv is at 0) */
} Field;

#define FIELD(member)                                                                                       \
        {                                                                                                   \
                .offset = offsetof(ExecSpec, member)                                                        \
        }

/* By type of the setting: BOOL is bool, INT and SIGNAL int64_t, all unsigned ones uint64_t, STRING char *,
 * STRV and DICT char **, FD int. */
static const Field fields[_SETTING_MAX] = {
                [SETTING_ID] = FIELD(id),
                [SETTING_SESSION] = FIELD(session),
                [SETTING_DESCRIPTION] = FIELD(description),
                [SETTING_LABELS] = FIELD(labels),
                [SETTING_WORKING_DIRECTORY] = FIELD(working_directory),
                [SETTING_ENVIRONMENT] = FIELD(environment),
                [SETTING_UNSET_ENVIRONMENT] = FIELD(unset_environment),
                [SETTING_USER] = FIELD(user),
                [SETTING_GROUP] = FIELD(group),
                [SETTING_SUPPLEMENTARY_GROUPS] = FIELD(supplementary_groups),
                [SETTING_CAPABILITY_BOUNDING_SET] = FIELD(capability_bounding_set),
                [SETTING_UMASK] = FIELD(umask),
                [SETTING_NICE] = FIELD(nice),
                [SETTING_OOM_SCORE_ADJUST] = FIELD(oom_score_adjust),
                [SETTING_NO_NEW_PRIVILEGES] = FIELD(no_new_privileges),
                [SETTING_LIMIT_NOFILE] = FIELD(limits[RLIMIT_NOFILE]),
                [SETTING_LIMIT_NPROC] = FIELD(limits[RLIMIT_NPROC]),
                [SETTING_LIMIT_CORE] = FIELD(limits[RLIMIT_CORE]),
                [SETTING_LIMIT_FSIZE] = FIELD(limits[RLIMIT_FSIZE]),
                [SETTING_LIMIT_AS] = FIELD(limits[RLIMIT_AS]),
                [SETTING_LIMIT_CPU] = FIELD(limits[RLIMIT_CPU]),
                [SETTING_LIMIT_STACK] = FIELD(limits[RLIMIT_STACK]),
                [SETTING_LIMIT_MEMLOCK] = FIELD(limits[RLIMIT_MEMLOCK]),
                [SETTING_STANDARD_INPUT_FD] = FIELD(fds[0]),
                [SETTING_STANDARD_OUTPUT_FD] = FIELD(fds[1]),
                [SETTING_STANDARD_ERROR_FD] = FIELD(fds[2]),
                [SETTING_TEE] = FIELD(tee),
                [SETTING_MERGE_OUTPUT] = FIELD(merge_output),
                [SETTING_TTY] = FIELD(tty),
                [SETTING_TTY_ROWS] = FIELD(tty_rows),
                [SETTING_TTY_COLUMNS] = FIELD(tty_columns),
                [SETTING_TERM] = FIELD(term),
                [SETTING_RUNTIME_MAX] = FIELD(runtime_max),
                [SETTING_KILL_SIGNAL] = FIELD(kill_signal),
                [SETTING_TIMEOUT_STOP] = FIELD(timeout_stop),
                [SETTING_KILL_ON_EXIT] = FIELD(kill_on_exit),
                [SETTING_KILL_ON_DISCONNECT] = FIELD(kill_on_disconnect),
                [SETTING_KILL_ON_CANCEL] = FIELD(kill_on_cancel),
                [SETTING_RESTART_DELAY] = FIELD(restart_delay),
                [SETTING_RESTART_MAX_DELAY] = FIELD(restart_max_delay),
                [SETTING_START_LIMIT_BURST] = FIELD(start_limit_burst),
                [SETTING_START_LIMIT_INTERVAL] = FIELD(start_limit_interval),
                [SETTING_WATCHDOG] = FIELD(watchdog),
                [SETTING_INITIAL_OUTPUT] = FIELD(initial_output),
                [SETTING_DRAIN_TIMEOUT] = FIELD(drain_timeout),
                [SETTING_OUTPUT_MAX_BYTES] = FIELD(output_max_bytes),
                [SETTING_LOG_MAX_BYTES] = FIELD(log_max_bytes),
                [SETTING_TEXT] = FIELD(text),
};

static const int limit_settings[RLIM_NLIMITS] = {
                [RLIMIT_NOFILE] = SETTING_LIMIT_NOFILE, [RLIMIT_NPROC] = SETTING_LIMIT_NPROC,
                [RLIMIT_CORE] = SETTING_LIMIT_CORE,     [RLIMIT_FSIZE] = SETTING_LIMIT_FSIZE,
                [RLIMIT_AS] = SETTING_LIMIT_AS,         [RLIMIT_CPU] = SETTING_LIMIT_CPU,
                [RLIMIT_STACK] = SETTING_LIMIT_STACK,   [RLIMIT_MEMLOCK] = SETTING_LIMIT_MEMLOCK,
};

void exec_spec_init(ExecSpec *s)
{
        *s = (ExecSpec){
                        .fds = {-EBADF, -EBADF, -EBADF},
                        .runtime_max = USEC_INFINITY,
                        .timeout_stop = 10 * USEC_PER_SEC,
                        .kill_signal = 15,
                        .restart_delay = 100 * USEC_PER_MSEC,
                        .restart_max_delay = USEC_INFINITY,
                        .start_limit_burst = 5,
                        .start_limit_interval = 10 * USEC_PER_SEC,
                        .drain_timeout = 100 * USEC_PER_MSEC,
                        .output_max_bytes = EXEC_OUTPUT_DEFAULT,
        };
}

void exec_spec_close_descriptors(ExecSpec *s)
{
        for (size_t i = 0; i < ELEMENTSOF(s->fds); i++)
                s->fds[i] = fd_close(s->fds[i]);
}

bool exec_spec_has_descriptors(const ExecSpec *s)
{
        return exec_spec_is_given(s, SETTING_STANDARD_INPUT_FD) ||
               exec_spec_is_given(s, SETTING_STANDARD_OUTPUT_FD) ||
               exec_spec_is_given(s, SETTING_STANDARD_ERROR_FD);
}

void exec_spec_trim(ExecSpec *s)
{
        s->environment = strv_free(s->environment);
        s->unset_environment = strv_free(s->unset_environment);
        free(s->input_data);
        s->input_data = NULL;
        s->input_size = 0;
}

void exec_spec_done(ExecSpec *s)
{
        exec_spec_trim(s);
        exec_spec_close_descriptors(s);
        s->argv = strv_free(s->argv);
        free(s->program);
        for (SettingId id = 0; id < _SETTING_MAX; id++) {
                void *field = (char *) s + fields[id].offset;

                if (fields[id].offset == 0)
                        continue;
                if (settings[id].type == SETTING_TYPE_STRING)
                        freep(field);
                else if (settings[id].type == SETTING_TYPE_STRV || settings[id].type == SETTING_TYPE_DICT)
                        strv_free(*(char ***) field);
        }
        exec_spec_init(s);
}

bool job_name_is_valid(const char *s)
{
        size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

        return n > 0 && n <= NAME_MAX_LENGTH && s[n] == '\0';
}

static int check_list(SettingId id, char *const *list, Error *e)
{
        for (char *const *s = list; s && *s; s++) {
                if (id == SETTING_ENVIRONMENT && !env_assignment_is_valid(*s))
                        return error_set(e, ERROR_INVALID_ARGS,
                                         "Environment: \"%s\" is not NAME=VALUE with a name of "
                                         "[A-Za-z_][A-Za-z0-9_]*",
                                         *s);
                if (id == SETTING_UNSET_ENVIRONMENT && !env_name_is_valid(*s, strlen(*s)))
                        return error_set(e, ERROR_INVALID_ARGS,
                                         "UnsetEnvironment: \"%s\" is no name of a variable", *s);
                if (id == SETTING_CAPABILITY_BOUNDING_SET && capability_from_string(*s) < 0)
                        return error_set(e, ERROR_INVALID_ARGS,
                                         "CapabilityBoundingSet: \"%s\" is no capability", *s);
                if (id == SETTING_SUPPLEMENTARY_GROUPS && isempty(*s))
                        return error_set(e, ERROR_INVALID_ARGS, "SupplementaryGroups: a name is empty");
        }
        return 0;
}

static int check_value(SettingId id, const SettingValue *v, Error *e)
{
        const char *name = settings[id].name, *reason = NULL;
        int r;

        r = setting_check(id, v, &reason);
        if (r < 0)
                return error_set(e, ERROR_INVALID_ARGS, "%s: %s", name, reason ?: "not such a value");
        switch (settings[id].type) {
        case SETTING_TYPE_STRV: return check_list(id, v->strv, e);
        case SETTING_TYPE_STRING:
                if ((id == SETTING_ID || id == SETTING_SESSION) && !job_name_is_valid(v->string))
                        return error_set(e, ERROR_INVALID_ARGS, "%s: must be 1 to 64 of [A-Za-z0-9_.-]",
                                         name);
                if ((id == SETTING_USER || id == SETTING_GROUP || id == SETTING_WORKING_DIRECTORY ||
                     id == SETTING_TERM) &&
                    isempty(v->string))
                        return error_set(e, ERROR_INVALID_ARGS, "%s: is empty", name);
                return 0;
        case SETTING_TYPE_BLOB:
                if (v->blob.size > EXEC_INPUT_DATA_MAX)
                        return error_set(e, ERROR_LIMITS_EXCEEDED, "%s: more than 16 MiB", name);
                return 0;
        case SETTING_TYPE_DICT:
                for (char *const *s = v->strv; s && *s; s++)
                        if (**s == '=')
                                return error_set(e, ERROR_INVALID_ARGS, "%s: a name is empty", name);
                return 0;
        default: return 0;
        }
}

static int compare_strings(const void *a, const void *b)
{
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void field_take(ExecSpec *s, SettingId id, SettingValue *v)
{
        void *field = (char *) s + fields[id].offset;

        switch (settings[id].type) {
        case SETTING_TYPE_BOOL: *(bool *) field = v->boolean; break;
        case SETTING_TYPE_INT:
        case SETTING_TYPE_SIGNAL: *(int64_t *) field = v->number; break;
        case SETTING_TYPE_STRING: *(char **) field = TAKE_PTR(v->string); break;
        case SETTING_TYPE_DICT: /* the order of a dictionary means nothing, and makes no other request */
                if (v->strv)
                        qsort(v->strv, strv_length(v->strv), sizeof(char *), compare_strings);
                *(char ***) field = TAKE_PTR(v->strv);
                break;
        case SETTING_TYPE_STRV: *(char ***) field = TAKE_PTR(v->strv); break;
        case SETTING_TYPE_FD: *(int *) field = TAKE_FD(v->fd); break;
        default: *(uint64_t *) field = v->unsigned_;
        }
}

/* One of the words of the table: it was checked. */
static RestartWhen restart_when(const char *word)
{
        static const char *const words[] = {
                        [RESTART_NO] = "no",
                        [RESTART_ON_FAILURE] = "on-failure",
                        [RESTART_ON_ABNORMAL] = "on-abnormal",
                        [RESTART_ALWAYS] = "always",
                        [RESTART_ON_SUCCESS] = "on-success",
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (streq(words[i], word))
                        return (RestartWhen) i;
        return RESTART_NO;
}

int exec_spec_set(ExecSpec *s, SettingId id, SettingValue *value, Error *e)
{
        int r;

        assert(id < _SETTING_MAX);

        if (exec_spec_is_given(s, id))
                return error_set(e, ERROR_INVALID_ARGS, "%s: given twice", settings[id].name);
        r = check_value(id, value, e);
        if (r < 0)
                return r;
        s->given[id / 64] |= UINT64_C(1) << (id % 64);

        if (fields[id].offset) {
                field_take(s, id, value);
                if (id == SETTING_RUNTIME_MAX && s->runtime_max == 0)
                        s->runtime_max = USEC_INFINITY;
                if (id == SETTING_WATCHDOG && s->watchdog == USEC_INFINITY)
                        s->watchdog = 0;
        } else if (id == SETTING_STANDARD_INPUT) {
                s->input = streq(value->string, "data")   ? EXEC_INPUT_DATA
                           : streq(value->string, "pipe") ? EXEC_INPUT_PIPE
                                                          : EXEC_INPUT_NULL;
        } else if (id == SETTING_STANDARD_INPUT_DATA) {
                s->input_data = TAKE_PTR(value->blob.data);
                s->input_size = value->blob.size;
        } else if (id == SETTING_KILL_MODE) {
                s->kill_mixed = streq(value->string, "mixed");
        } else if (id == SETTING_NOTIFY_ACCESS) {
                s->notify_access = streq(value->string, "all")    ? NOTIFY_ACCESS_ALL
                                   : streq(value->string, "main") ? NOTIFY_ACCESS_MAIN
                                                                  : NOTIFY_ACCESS_NONE;
                s->notify_ready = s->notify_access != NOTIFY_ACCESS_NONE;
        } else if (id == SETTING_RESTART) {
                s->restart = restart_when(value->string);
        }
        return 0;
}

int exec_spec_set_argv(ExecSpec *s, char *const *argv, Error *e)
{
        char **copy;

        if (!argv || !argv[0])
                return error_set(e, ERROR_INVALID_ARGS, "argv: is empty");
        copy = strv_copy(argv);
        if (!copy)
                return error_no_memory(e);
        strv_free(s->argv);
        s->argv = copy;
        return 0;
}

int exec_spec_check(const ExecSpec *s, bool start, Error *e)
{
        int r;

        if (!start)
                for (SettingId id = 0; id < _SETTING_MAX; id++)
                        if (exec_spec_is_given(s, id) && (settings[id].flags & SETTING_START_ONLY))
                                return error_set(e, ERROR_INVALID_ARGS, "%s: only with Start",
                                                 settings[id].name);
        r = exec_rules_check(s, e);
        if (r < 0)
                return r;
        for (SettingId id = 0; id < _SETTING_MAX; id++)
                if (exec_spec_is_given(s, id) && (settings[id].flags & SETTING_UNAVAILABLE))
                        return error_set(e, ERROR_NOT_SUPPORTED,
                                         "%s: not available in version " REEVE_VERSION, settings[id].name);
        return 0;
}

NotifyAccess exec_spec_notify_access(const ExecSpec *s)
{
        return s->notify_access == NOTIFY_ACCESS_NONE && (s->watchdog > 0 || s->notify_ready)
                               ? NOTIFY_ACCESS_MAIN
                               : s->notify_access;
}

int exec_spec_limit_setting(int resource)
{
        return resource >= 0 && resource < (int) RLIM_NLIMITS && limit_settings[resource] != SETTING_ID
                               ? limit_settings[resource]
                               : -ENOENT;
}

static void digest_bytes(RequestDigest *d, const void *data, size_t size)
{
        /* The 128-bit FNV prime, 2^88 + 2^8 + 0x3b (the FNV page of Landon Curt Noll). */
        const unsigned __int128 prime = ((unsigned __int128) 1 << 88) + 0x13b;
        unsigned __int128 hash = ((unsigned __int128) d->word[1] << 64) | d->word[0];

        for (const uint8_t *p = data, *end = p + size; p < end; p++)
                hash = (hash ^ *p) * prime;
        d->word[0] = (uint64_t) hash;
        d->word[1] = (uint64_t) (hash >> 64);
}

/* The length goes first, so that no two lists run into one another. */
static void digest_block(RequestDigest *d, const void *data, size_t size)
{
        uint64_t n = size;

        digest_bytes(d, &n, sizeof(n));
        digest_bytes(d, data, size);
}

static void digest_strv(RequestDigest *d, char *const *v)
{
        uint64_t n = strv_length(v);

        digest_bytes(d, &n, sizeof(n));
        for (; v && *v; v++)
                digest_block(d, *v, strlen(*v));
}

static void digest_field(RequestDigest *d, const ExecSpec *s, SettingId id)
{
        const void *field = (const char *) s + fields[id].offset;

        switch (settings[id].type) {
        case SETTING_TYPE_BOOL: digest_block(d, field, sizeof(bool)); break;
        case SETTING_TYPE_STRING:
                digest_block(d, *(char *const *) field, strlen(*(char *const *) field));
                break;
        case SETTING_TYPE_STRV:
        case SETTING_TYPE_DICT: digest_strv(d, *(char **const *) field); break;
        case SETTING_TYPE_FD: break; /* a number that says nothing: no two are the same */
        default: digest_block(d, field, sizeof(uint64_t));
        }
}

void exec_spec_digest(const ExecSpec *s, RequestDigest *ret)
{
        /* The offset basis of FNV-1a, 128 bits. */
        RequestDigest d = {.word = {UINT64_C(0x62b821756295c58d), UINT64_C(0x6c62272e07bb0142)}};

        digest_strv(&d, s->argv);
        for (SettingId id = 0; id < _SETTING_MAX; id++) {
                if (!exec_spec_is_given(s, id) || (settings[id].flags & SETTING_NEUTRAL))
                        continue;
                digest_block(&d, &id, sizeof(id));
                if (fields[id].offset)
                        digest_field(&d, s, id);
        }
        digest_block(&d, s->input_data, s->input_size);
        digest_block(&d, &s->input, sizeof(s->input));
        digest_block(&d, &s->kill_mixed, sizeof(s->kill_mixed));
        digest_block(&d, &s->notify_access, sizeof(s->notify_access));
        digest_block(&d, &s->restart, sizeof(s->restart));
        digest_block(&d, &s->shell_command, sizeof(s->shell_command));
        *ret = d;
}
