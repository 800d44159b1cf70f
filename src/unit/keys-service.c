/*
 * Keys of [Service] that are not settings of a job: what is run, and when that counts as done.
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/parse.h"
#include "basic/strv.h"
#include "unit/command.h"
#include "unit/exit-status.h"
#include "unit/keys-internal.h"
#include "unit/unit-parse.h"

#define COMMANDS_MAX ((size_t) 256) /* of one key */
#define FILES_MAX ((size_t) 64)

static const char *const type_words[_UNIT_TYPE_MAX] = {
#define X(id, word) [UNIT_TYPE_##id] = (word),
                UNIT_TYPES(X)
#undef X
};

static const struct {
        const char *word, *reason;
} types_refused[] = {
                {"forking",
                 "is not possible: reeve follows the process that it starts, and no other; let the program "
                 "stay in the foreground, as simple, exec or notify"},
                {"dbus",
                 "is not possible: reeve does not watch names on a bus; notify can tell when it is ready"},
                {"idle",
                 "is not possible: there is no console that output could be kept off; simple is the same"},
                {"notify-reload", "is not possible: notify with ExecReload= can reload"},
};

int key_read_type(UnitParser *p, const UnitKey *key, const char *value)
{
        p->unit->type_place = p->place;
        if (isempty(value)) {
                p->unit->type = UNIT_TYPE_SIMPLE;
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(types_refused); i++)
                if (streq(value, types_refused[i].word))
                        return key_refuse(p, key->name, value, types_refused[i].reason);
        for (UnitType type = 0; type < _UNIT_TYPE_MAX; type++)
                if (streq(value, type_words[type])) {
                        p->unit->type = type;
                        return 0;
                }
        return key_refuse(p, key->name, value, "must be one of simple|exec|oneshot|notify");
}

static int commands_append(UnitParser *p, const UnitKey *key, const char *value, UnitCommand *more, size_t n)
{
        UnitCommand **list = &p->unit->commands[key->variant], *longer;
        size_t *count = &p->unit->n_commands[key->variant];

        if (*count + n > COMMANDS_MAX)
                return key_refuse(p, key->name, value, "is more than 256 commands");
        longer = alloc_resize(*list, *count + n, sizeof(UnitCommand));
        if (!longer)
                return -ENOMEM;
        *list = longer;
        for (size_t i = 0; i < n; i++) {
                longer[*count + i] = more[i];
                more[i] = (UnitCommand){0};
        }
        *count += n;
        if (key->variant == UNIT_EXEC_START && *count > 1 && p->second_command.line == 0)
                p->second_command = p->place;
        return 0;
}

int key_read_commands(UnitParser *p, const UnitKey *key, const char *value)
{
        _cleanup_free_ char *reason = NULL;
        UnitCommand *more = NULL;
        size_t n = 0;
        int r;

        if (isempty(value)) {
                unit_commands_free(p->unit->commands[key->variant], p->unit->n_commands[key->variant]);
                p->unit->commands[key->variant] = NULL;
                p->unit->n_commands[key->variant] = 0;
                if (key->variant == UNIT_EXEC_START)
                        p->second_command = (UnitPlace){0};
                return 0;
        }
        r = unit_commands_parse(value, &p->specifiers, p->place, &more, &n, &reason);
        if (r == -EINVAL)
                return key_refuse(p, key->name, value, reason);
        if (r < 0)
                return r;
        r = commands_append(p, key, value, more, n);
        unit_commands_free(more, n);
        return r;
}

static void environment_files_drop(Unit *u)
{
        for (size_t i = 0; i < u->n_environment_files; i++)
                free(u->environment_files[i].path);
        free(u->environment_files);
        u->environment_files = NULL;
        u->n_environment_files = 0;
}

int key_read_environment_file(UnitParser *p, const UnitKey *key, const char *value)
{
        Unit *u = p->unit;
        UnitEnvironmentFile f = {.optional = value[0] == '-'}, *longer;
        int r;

        if (isempty(value)) {
                environment_files_drop(u);
                return 0;
        }
        if (u->n_environment_files >= FILES_MAX)
                return key_refuse(p, key->name, value, "is one too many: there are 64");
        r = key_resolve(p, key->name, value + f.optional, &f.path);
        if (r <= 0)
                return r;
        if (f.path[0] != '/' || strpbrk(f.path, "*?[")) {
                bool pattern = f.path[0] == '/';

                free(f.path);
                return key_refuse(p, key->name, value,
                                  pattern ? "is a pattern, and reeve reads only files that are named"
                                          : "is not an absolute path, with a - before it or without");
        }
        longer = alloc_resize(u->environment_files, u->n_environment_files + 1, sizeof(*longer));
        if (!longer) {
                free(f.path);
                return -ENOMEM;
        }
        u->environment_files = longer;
        u->environment_files[u->n_environment_files++] = f;
        return 0;
}

int key_read_bool(UnitParser *p, const UnitKey *key, const char *value)
{
        int b = isempty(value) ? 0 : parse_bool(value);

        if (b < 0)
                return key_refuse(p, key->name, value, "must be yes or no");
        *(bool *) ((char *) p->unit + key->field) = b;
        return 0;
}

int key_read_unsigned(UnitParser *p, const UnitKey *key, const char *value)
{
        uint64_t n = 0;

        if (!isempty(value) && (parse_u64(value, &n) < 0 || n > UINT32_MAX))
                return key_refuse(p, key->name, value, "is not a whole number from 0 to 4294967295");
        *(unsigned *) ((char *) p->unit + key->field) = (unsigned) n;
        return 0;
}

/* As ever with systemd, 0 is no limit. 1; 0: refused. */
static int timeout_read(UnitParser *p, const UnitKey *key, const char *value, usec_t *ret)
{
        usec_t t;

        if (parse_usec(value, &t) < 0)
                return key_refuse(p, key->name, value,
                                  "is not a span of time, such as 90, 1min 30s, 100ms or infinity");
        *ret = t == 0 ? USEC_INFINITY : t;
        return 1;
}

int key_read_timeout(UnitParser *p, const UnitKey *key, const char *value)
{
        Unit *u = p->unit;
        usec_t t = 0;

        if (!isempty(value) && timeout_read(p, key, value, &t) <= 0)
                return 0;
        if (key->variant & KEY_TIMEOUT_START) {
                p->timeout_start_given = t > 0;
                u->timeout_start = t > 0 ? t : 90 * USEC_PER_SEC;
        }
        if (key->variant & KEY_TIMEOUT_STOP) {
                u->given[SETTING_TIMEOUT_STOP] = t > 0;
                u->values[SETTING_TIMEOUT_STOP] = (SettingValue){.type = SETTING_TYPE_USEC, .unsigned_ = t};
                u->places[SETTING_TIMEOUT_STOP] = p->place;
        }
        return 0;
}

int key_read_watchdog(UnitParser *p, const UnitKey *key, const char *value)
{
        usec_t t = USEC_INFINITY;

        if (!isempty(value) && timeout_read(p, key, value, &t) <= 0)
                return 0;
        p->unit->watchdog = t == USEC_INFINITY ? 0 : t;
        return 0;
}

int key_read_statuses(UnitParser *p, const UnitKey *key, const char *value)
{
        ExitStatusSet *set = (ExitStatusSet *) ((char *) p->unit + key->field), more = *set;
        _cleanup_strv_ char **words = NULL;
        int r;

        if (isempty(value)) {
                *set = (ExitStatusSet){0};
                return 0;
        }
        r = key_words(p, key->name, value, false, &words);
        if (r <= 0)
                return r;
        STRV_FOREACH (word, words)
                if (exit_status_set_add(&more, *word) < 0)
                        return key_refuse(p, key->name, *word,
                                          "is not an exit status: a number from 0 to 255, a name such as "
                                          "TEMPFAIL, "
                                          "or a signal");
        *set = more;
        return 0;
}

/* What a job writes is in its log, always: what asks for that, or for less, is fulfilled. */
int key_read_output(UnitParser *p, const UnitKey *key, const char *value)
{
        if (isempty(value) || streq(value, "journal") || streq(value, "inherit"))
                return 0;
        unit_warn(p->unit, p->place, p->problems, "%s=%s: the output goes to the log of the job; ignored.",
                  key->name, value);
        return 0;
}
