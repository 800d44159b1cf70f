#pragma once

/* A unit as text, all that is not as it is by default; and tables of what is said of a file and what it
 * becomes. */

#include "unit-fixture.h"

static inline void put_names(Buffer *b, const char *key, char *const *list)
{
        for (size_t i = 0; list && list[i]; i++)
                buffer_printf(b, "%s%s", i > 0 ? " " : key, list[i]);
        if (list && list[0])
                buffer_append_string(b, ";");
}

static inline void put_set(Buffer *b, const char *key, const ExitStatusSet *s)
{
        static const ExitStatusSet none;

        if (memcmp(s, &none, sizeof(none)) == 0)
                return;
        buffer_append_string(b, key);
        for (int code = 0; code < 256; code++)
                if (exit_status_set_has(s, code, 0))
                        buffer_printf(b, "%d ", code);
        for (int signal = 1; signal <= 64; signal++)
                if (exit_status_set_has(s, 0, signal))
                        buffer_printf(b, "S%d ", signal);
        buffer_append_string(b, ";");
}

static inline void put_time(Buffer *b, const char *key, usec_t t)
{
        if (t == USEC_INFINITY)
                buffer_printf(b, "%sinf;", key);
        else
                buffer_printf(b, "%s%llu;", key, (unsigned long long) t);
}

static inline void put_setting(Buffer *b, SettingId id, const SettingValue *v)
{
        buffer_printf(b, "%s=", settings[id].key);
        switch (v->type) {
        case SETTING_TYPE_BOOL: buffer_append_string(b, v->boolean ? "yes" : "no"); break;
        case SETTING_TYPE_INT:
        case SETTING_TYPE_SIGNAL: buffer_printf(b, "%lld", (long long) v->number); break;
        case SETTING_TYPE_STRING: buffer_append_string(b, v->string); break;
        case SETTING_TYPE_STRV:
        case SETTING_TYPE_DICT: put_names(b, "", v->strv); return;
        case SETTING_TYPE_BLOB: buffer_append(b, v->blob.data, v->blob.size); break;
        default:
                if (v->unsigned_ == UINT64_MAX)
                        buffer_append_string(b, "inf");
                else
                        buffer_printf(b, "%llu", (unsigned long long) v->unsigned_);
        }
        buffer_append_string(b, ";");
}

static inline void put_commands(Buffer *b, const Unit *u)
{
        for (unsigned kind = 0; kind < _UNIT_COMMAND_KIND_MAX; kind++)
                for (size_t i = 0; i < u->n_commands[kind]; i++) {
                        const UnitCommand *c = &u->commands[kind][i];

                        buffer_printf(b, "%u:%u%s%s%s %s", kind, c->place.line, c->ignore_failure ? "-" : "",
                                      c->no_variables ? ":" : "", c->privileged ? "+" : "", c->path);
                        for (char **a = c->argv; *a; a++)
                                buffer_printf(b, ",%s", *a);
                        buffer_append_string(b, ";");
                }
}

/* All that is not as it is by default, but for a first ExecStart=/x and what Type= gives. */
static inline char *unit_text(const Unit *u)
{
        static const char *const types[] = {"", "exec;", "oneshot;", "notify;"};
        Buffer b = BUFFER_INIT;

        buffer_append_string(&b, types[u->type]);
        put_names(&b, "after ", u->after);
        put_names(&b, "before ", u->before);
        put_names(&b, "requires ", u->requires);
        put_names(&b, "wants ", u->wants);
        put_names(&b, "conflicts ", u->conflicts);
        for (size_t i = 0; i < u->n_conditions; i++)
                buffer_printf(&b, "if%s%s %s;", u->conditions[i].triggering ? "|" : "",
                              u->conditions[i].negated ? "!" : "", u->conditions[i].path);
        buffer_append_string(&b, u->wanted_at_boot ? "boot;" : "");
        put_commands(&b, u);
        for (size_t i = 0; i < u->n_environment_files; i++)
                buffer_printf(&b, "file%s %s;", u->environment_files[i].optional ? "-" : "",
                              u->environment_files[i].path);
        buffer_append_string(&b, u->remain_after_exit ? "remain;" : "");
        if (u->timeout_start != (u->type == UNIT_TYPE_ONESHOT ? USEC_INFINITY : 90 * USEC_PER_SEC))
                put_time(&b, "start ", u->timeout_start);
        if (u->watchdog > 0)
                put_time(&b, "watchdog ", u->watchdog);
        if (u->restart_steps > 0)
                buffer_printf(&b, "steps %u;", u->restart_steps);
        put_set(&b, "success ", &u->success_exit_status);
        put_set(&b, "prevent ", &u->restart_prevent_exit_status);
        for (SettingId id = 0; id < _SETTING_MAX; id++)
                if (u->given[id])
                        put_setting(&b, id, &u->values[id]);
        return buffer_take(&b, NULL);
}

typedef struct Case {
        const char *text; /* behind "[Service]\n"; "[" at its start: the whole */
        const char *unit; /* NULL: it is refused */
        const char *said; /* NULL: nothing. What stands in it must be said */
} Case;

static inline void check_cases(const Case *cases, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *text = str_printf(
                                "%s%s\n", cases[i].text[0] == '[' ? "" : "[Service]\n", cases[i].text);
                _cleanup_parsed_ Parsed p = parse("web@a-b.service", text);
                _cleanup_free_ char *unit = unit_text(p.unit);

                ck_assert_msg(p.unit->refused == !cases[i].unit, "%s\nrefused: %d\n%s", text,
                              p.unit->refused, p.said);
                ck_assert(p.unit->refused == (p.problems.n_refused > 0));
                ck_assert(p.unit->refused == (p.unit->reason != NULL));
                if (cases[i].unit)
                        ck_assert_msg(streq(unit, cases[i].unit), "%s\ngives %s\nnot   %s", text, unit,
                                      cases[i].unit);
                ck_assert_msg(cases[i].said ? strstr(p.said, cases[i].said) != NULL : p.said[0] == '\0',
                              "%s\nsays %s\nnot  %s", text, p.said, cases[i].said ?: "");
        }
}

#define CHECK_CASES(...)                                                                                    \
        do {                                                                                                \
                static const Case cases_[] = {__VA_ARGS__};                                                 \
                                                                                                            \
                check_cases(cases_, ELEMENTSOF(cases_));                                                    \
        } while (0)
