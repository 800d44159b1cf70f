/*
 * The selector of Kill and Stop and the filter of ListJobs are the same keys, and so are the options. A
 * selector takes one Id: several are several calls.
 */

#include "ctl/selector.h"

#include "basic/alloc.h"
#include "basic/parse.h"
#include "basic/strv.h"
#include "ctl/args.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

enum {
        OPTION_PID = OPTION_SELECTOR,
        OPTION_SESSION,
        OPTION_STATE,
        OPTION_LABEL,
        OPTION_PATTERN,
};

const Option selector_options[] = {
                {OPTION_PID, 0, "pid", "PID", "the job that this process belongs to"},
                {OPTION_SESSION, 0, "session", "SESSION", "jobs of that session"},
                {OPTION_STATE, 0, "state", "STATE[,STATE...]",
                 "jobs that are starting, running, exited, restarting, stopping or finished"},
                {OPTION_LABEL, 0, "label", "NAME=VALUE", "jobs with that label"},
                {OPTION_PATTERN, 0, "pattern", "REGEX",
                 "jobs whose command line matches the extended regular expression"},
                {0},
};

void selector_done(Selector *s)
{
        s->states = strv_free(s->states);
}

static const char *const states[] = {"starting", "running", "exited", "restarting", "stopping", "finished"};

static bool state_is_known(const char *state)
{
        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                if (streq(states[i], state))
                        return true;
        return false;
}

static int add_states(Selector *s, const Verb *verb, const char *value)
{
        for (const char *p = value;; p++) {
                size_t n = strcspn(p, ",");
                char *state = str_copy_n(p, n);

                if (!state || strv_consume(&s->states, state) < 0)
                        return fail("out of memory");
                if (!state_is_known(state))
                        return misuse(verb,
                                      "no job is ever '%s': starting, running, exited, restarting, stopping "
                                      "and finished"
                                      " are the states",
                                      state);
                p += n;
                if (!*p)
                        return 0;
        }
}

/* As reeve has it: of its own PID namespace, and 0 is nobody. */
static int set_pid(Selector *s, const Verb *verb, const char *value)
{
        uint64_t pid;

        if (parse_u64(value, &pid) < 0 || pid == 0 || pid > INT32_MAX)
                return misuse(verb, "--pid=%s: that is no process", value);
        s->pid = (uint32_t) pid;
        return 0;
}

int selector_set(Selector *s, const Verb *verb, int id, const char *value)
{
        switch (id) {
        case OPTION_PID: return set_pid(s, verb, value);
        case OPTION_SESSION: s->session = value; return 0;
        case OPTION_STATE: return add_states(s, verb, value);
        case OPTION_LABEL:
                if (*value == '=' || !strchr(value, '='))
                        return misuse(verb, "--label=%s: NAME=VALUE is needed", value);
                s->label = value;
                return 0;
        default: s->pattern = value; return 0;
        }
}

int selector_choose_live(Selector *s)
{
        for (size_t i = 0; i + 1 < ELEMENTSOF(states); i++) /* the last one is "finished" */
                if (strv_append(&s->states, states[i]) < 0)
                        return fail("out of memory");
        return 0;
}

static bool selector_has_conditions(const Selector *s)
{
        return s->all || s->pid > 0 || s->session || s->label || s->pattern || s->states;
}

int selector_check_ids(const Selector *s, const Verb *verb)
{
        if (*s->ids && selector_has_conditions(s))
                return misuse(verb, "either ids, or options that choose jobs, not both");
        return 0;
}

int selector_check(const Selector *s, const Verb *verb)
{
        int r;

        r = selector_check_ids(s, verb);
        if (r < 0)
                return r;
        if (!*s->ids && !selector_has_conditions(s))
                return misuse(verb,
                              "%s needs to know which jobs: ids, --pid=, --session=, --state=, --label=, "
                              "--pattern=, --all",
                              verb->name);
        return 0;
}

int selector_append(const Selector *s, const char *id, sd_bus_message *m)
{
        const struct {
                const char *key, *value;
        } strings[] = {{"Id", id}, {"Session", s->session}, {"Label", s->label}, {"Pattern", s->pattern}};
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(strings); i++)
                if (strings[i].value)
                        r = sd_bus_message_append(m, "{sv}", strings[i].key, "s", strings[i].value);
        if (r >= 0 && s->pid > 0)
                r = sd_bus_message_append(m, "{sv}", "PID", "u", s->pid);
        if (r >= 0 && s->all)
                r = sd_bus_message_append(m, "{sv}", "All", "b", 1);
        if (r >= 0 && s->states) {
                r = sd_bus_message_open_container(m, 'e', "sv");
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", "States");
                if (r >= 0)
                        r = sd_bus_message_open_container(m, 'v', "as");
                if (r >= 0)
                        r = sd_bus_message_append_strv(m, s->states);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}
