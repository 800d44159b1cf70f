/*
 * Settings that do not go together, as a table: the first line that is true of a request is what the caller
 * is told. Not here are the ranges of single values (unit/settings.c), and what is right but not possible.
 */

#include "core/exec-rules.h"

#include <errno.h>

#include "core/error.h"
#include "core/exec-spec.h"

static bool is_tty(const ExecSpec *s)
{
        return s->tty;
}

static bool is_no_tty(const ExecSpec *s)
{
        return !s->tty;
}

static bool is_split_tty(const ExecSpec *s)
{
        return s->tty && !s->merge_output;
}

static bool is_teed_tty(const ExecSpec *s)
{
        return s->tty && s->tee;
}

static bool has_no_data(const ExecSpec *s)
{
        return s->input != EXEC_INPUT_DATA;
}

static bool has_input(const ExecSpec *s)
{
        return exec_spec_is_given(s, SETTING_STANDARD_INPUT);
}

static bool is_merged_beside_error(const ExecSpec *s)
{
        return s->merge_output && exec_spec_is_given(s, SETTING_STANDARD_ERROR_FD);
}

static bool is_tee_of_nothing(const ExecSpec *s)
{
        return s->tee && !exec_spec_is_given(s, SETTING_STANDARD_OUTPUT_FD) &&
               !exec_spec_is_given(s, SETTING_STANDARD_ERROR_FD);
}

/* When `setting` is given, and that is so, it is wrong. */
static const struct {
        SettingId setting;
        bool (*is_so)(const ExecSpec *s);
        const char *text;
} rules[] = {
                {SETTING_STANDARD_INPUT, is_tty, "not together with TTY"},
                {SETTING_STANDARD_INPUT_DATA, is_tty, "not together with TTY"},
                {SETTING_STANDARD_INPUT_FD, is_tty, "not together with TTY"},
                {SETTING_STANDARD_OUTPUT_FD, is_tty, "not together with TTY"},
                {SETTING_STANDARD_ERROR_FD, is_tty, "not together with TTY"},
                {SETTING_TEE, is_teed_tty, "not together with TTY"},
                {SETTING_MERGE_OUTPUT, is_split_tty,
                 "a terminal has one stream: false is not possible with TTY"},
                {SETTING_TTY_ROWS, is_no_tty, "only with TTY"},
                {SETTING_TTY_COLUMNS, is_no_tty, "only with TTY"},
                {SETTING_TERM, is_no_tty, "only with TTY"},
                {SETTING_STANDARD_INPUT_DATA, has_no_data, "only with StandardInput \"data\""},
                {SETTING_STANDARD_INPUT_FD, has_input, "not together with StandardInput"},
                {SETTING_MERGE_OUTPUT, is_merged_beside_error,
                 "not together with StandardErrorFileDescriptor"},
                {SETTING_TEE, is_tee_of_nothing,
                 "only with StandardOutputFileDescriptor or StandardErrorFileDescriptor"},
};

int exec_rules_check(const ExecSpec *s, Error *e)
{
        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                if (exec_spec_is_given(s, rules[i].setting) && rules[i].is_so(s))
                        return error_set(e, ERROR_INVALID_ARGS, "%s: %s", settings[rules[i].setting].name,
                                         rules[i].text);
        return 0;
}
