/*
 * Keys of [Unit] and [Install], and what reading any key takes.
 */

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "unit/keys-internal.h"
#include "unit/name.h"
#include "unit/unit-parse.h"
#include "unit/words.h"

#define LIST_MAX ((size_t) 1024)
#define WORDS_MAX ((size_t) 16384) /* of all lists, also of those that were emptied: reading takes time */

int key_refuse(UnitParser *p, const char *name, const char *value, const char *reason)
{
        unit_refuse(p->unit, p->place, p->problems, "%s: \"%.100s%s\" %s.", name, value,
                    strlen(value) > 100 ? "…" : "", reason ?: "cannot be read: out of memory");
        return 0;
}

int key_resolve(UnitParser *p, const char *name, const char *text, char **ret)
{
        _cleanup_free_ char *reason = NULL;
        int r;

        r = specifiers_resolve(text, &p->specifiers, ret, &reason);
        if (r == -EINVAL)
                return key_refuse(p, name, text, reason);
        return r < 0 ? r : 1;
}

int key_words(UnitParser *p, const char *name, const char *value, bool verbatim, char ***ret)
{
        _cleanup_strv_ char **words = NULL;
        const char *text = value, *reason = NULL;
        char *word = NULL, *resolved;
        size_t n = 0, allocated = 0;
        int r;

        for (;;) {
                r = verbatim ? word_next_verbatim(&text, &word, &reason) : word_next(&text, &word, &reason);
                if (r == -EINVAL)
                        return key_refuse(p, name, value, reason);
                if (r <= 0)
                        break;
                r = key_resolve(p, name, word, &resolved);
                free(word);
                if (r <= 0)
                        return r;
                r = strv_push(&words, &n, &allocated, resolved);
                if (r < 0)
                        return r;
                if (n > LIST_MAX)
                        return key_refuse(p, name, value, "has more than 1024 words");
                if (++p->n_words > WORDS_MAX)
                        return key_refuse(p, name, value,
                                          "is too much: there are 16384 words in lists already");
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(words);
        return 1;
}

int key_read_nothing(UnitParser *p, const UnitKey *key, const char *value)
{
        return 0;
}

int key_read_description(UnitParser *p, const UnitKey *key, const char *value)
{
        char *text = NULL;
        int r;

        r = key_resolve(p, key->name, value, &text);
        if (r <= 0)
                return r;
        free(p->unit->description);
        p->unit->description = NULL;
        if (*text)
                p->unit->description = text;
        else
                free(text);
        /* It is an option of the job, too. */
        return unit_key_read_setting(p, SETTING_DESCRIPTION, p->unit->description ?: "");
}

/* Of another type, or none at all. */
static int name_refuse(UnitParser *p, const UnitKey *key, const char *name, UnitNameKind kind)
{
        const char *dot = strrchr(name, '.');

        if (kind == UNIT_NAME_TEMPLATE)
                return key_refuse(p, key->name, name, "is a template, which needs an instance");
        if (kind != UNIT_NAME_FOREIGN)
                return key_refuse(p, key->name, name, "is not the name of a unit, such as web.service");
        if (key->variant == KEY_NAMES_REQUIRED && !streq(dot, ".target"))
                return key_refuse(p, key->name, name, "is not there: reeve has no units but services");
        if (key->variant != KEY_NAMES_ORDER)
                unit_warn(p->unit, p->place, p->problems,
                          "%s: \"%s\" is passed over: reeve has no units but services.", key->name, name);
        return 0;
}

int key_read_names(UnitParser *p, const UnitKey *key, const char *value)
{
        char ***list = (char ***) ((char *) p->unit + key->field);
        _cleanup_strv_ char **words = NULL;
        int r;

        if (isempty(value)) {
                *list = strv_free(*list);
                return 0;
        }
        r = key_words(p, key->name, value, true, &words);
        if (r <= 0)
                return r;
        STRV_FOREACH (word, words) {
                UnitNameKind kind = unit_name_kind(*word);

                if (kind == UNIT_NAME_PLAIN || kind == UNIT_NAME_INSTANCE) {
                        if (strv_contains(*list, *word))
                                continue;
                        if (strv_length(*list) >= LIST_MAX)
                                return key_refuse(p, key->name, *word, "is one too many: there are 1024");
                        r = strv_append(list, *word);
                } else {
                        r = name_refuse(p, key, *word, kind);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

static void conditions_drop(Unit *u)
{
        for (size_t i = 0; i < u->n_conditions; i++)
                free(u->conditions[i].path);
        free(u->conditions);
        u->conditions = NULL;
        u->n_conditions = 0;
}

int key_read_condition(UnitParser *p, const UnitKey *key, const char *value)
{
        Unit *u = p->unit;
        UnitCondition c = {0}, *longer;
        const char *path = value;
        int r;

        if (isempty(value)) {
                conditions_drop(u);
                return 0;
        }
        if (u->n_conditions >= LIST_MAX)
                return key_refuse(p, key->name, value, "is one too many: there are 1024");
        if (*path == '|') { /* stands first */
                c.triggering = true;
                path++;
        }
        if (*path == '!') {
                c.negated = true;
                path++;
        }
        r = key_resolve(p, key->name, path + strspn(path, " \t"), &c.path);
        if (r <= 0)
                return r;
        if (c.path[0] != '/') {
                free(c.path);
                return key_refuse(p, key->name, value,
                                  "is not an absolute path, with | and ! before it or without");
        }
        longer = alloc_resize(u->conditions, u->n_conditions + 1, sizeof(UnitCondition));
        if (!longer) {
                free(c.path);
                return -ENOMEM;
        }
        u->conditions = longer;
        u->conditions[u->n_conditions++] = c;
        return 0;
}

/* What a machine or a container is started for. */
static const char *const boot_targets[] = {"default", "default.target", "multi-user.target"};

int key_read_wanted_by(UnitParser *p, const UnitKey *key, const char *value)
{
        _cleanup_strv_ char **words = NULL;
        int r;

        if (isempty(value)) {
                p->unit->wanted_at_boot = false;
                return 0;
        }
        r = key_words(p, key->name, value, true, &words);
        if (r <= 0)
                return r;
        STRV_FOREACH (word, words) {
                bool found = false;

                for (size_t i = 0; i < ELEMENTSOF(boot_targets); i++)
                        found = found || streq(boot_targets[i], *word);
                if (found)
                        p->unit->wanted_at_boot = true;
                else
                        unit_warn(p->unit, p->place, p->problems,
                                  "WantedBy: \"%s\" is passed over: what is to start at boot is wanted by "
                                  "default, default.target or multi-user.target.",
                                  *word);
        }
        return 0;
}
