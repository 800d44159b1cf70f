/*
 * The keys of a selector, read like any other dictionary of options, then put into what core understands.
 */

#include "bus/selector.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "bus/dict.h"
#include "core/error.h"
#include "core/selector.h"

typedef struct RawSelector {
        char *pattern, *state;
        char **states;
        uint64_t pid;
        bool usage;
} RawSelector;

static void raw_selector_done(RawSelector *raw)
{
        free(raw->pattern);
        free(raw->state);
        strv_free(raw->states);
}

static int finish(RawSelector *raw, JobSelector *s, Error *e)
{
        const char *equals = s->label ? strchr(s->label, '=') : "=";
        int r = 0;

        if (!equals || equals == s->label)
                return error_set(e, ERROR_INVALID_ARGS, "Label: must be \"NAME=VALUE\"");
        if (raw->state)
                r = job_selector_add_state(s, "State", raw->state, e);
        for (char **word = raw->states; r >= 0 && word && *word; word++)
                r = job_selector_add_state(s, "States", *word, e);
        if (r >= 0 && raw->states && !raw->states[0])
                return error_set(e, ERROR_INVALID_ARGS, "States: is empty");
        if (r >= 0 && raw->pattern)
                r = pattern_compile(&s->pattern, "Pattern", raw->pattern, e);
        return r;
}

static int read_keys(sd_bus_message *m, bool selector, JobSelector *s, bool *ret_usage, Error *e)
{
        _cleanup_(raw_selector_done) RawSelector raw = {0};
        uint64_t given = 0;
        int r;
        const DictKey keys[] = {
                        {"Id", SETTING_TYPE_STRING, &s->id},
                        {"Session", SETTING_TYPE_STRING, &s->session},
                        {"Unit", SETTING_TYPE_STRING, &s->unit},
                        {"Label", SETTING_TYPE_STRING, &s->label},
                        {"Pattern", SETTING_TYPE_STRING, &raw.pattern},
                        {"State", SETTING_TYPE_STRING, &raw.state},
                        {"States", SETTING_TYPE_STRV, &raw.states},
                        /* The last ones are not everybody's. */
                        {"PID", SETTING_TYPE_UINT32, &raw.pid},
                        {"All", SETTING_TYPE_BOOL, &s->all},
        };
        const DictKey filter_keys[] = {
                        keys[0], keys[1], keys[2], keys[3],
                        keys[4], keys[5], keys[6], {"Usage", SETTING_TYPE_BOOL, &raw.usage},
        };

        r = selector ? dict_read(m, keys, ELEMENTSOF(keys), &given, e)
                     : dict_read(m, filter_keys, ELEMENTSOF(filter_keys), &given, e);
        if (r < 0)
                return r;
        if (selector && (given & (1U << 7))) {
                if (raw.pid == 0 || raw.pid > INT32_MAX)
                        return error_set(e, ERROR_INVALID_ARGS, "PID: is out of range");
                s->pid = (pid_t) raw.pid;
        }
        /* "All" that is false selects nothing by itself. */
        if (selector && (given & (1U << 8)) && !s->all)
                given &= ~(UINT64_C(1) << 8);
        s->n_keys = (unsigned) __builtin_popcountll(given);
        if (ret_usage)
                *ret_usage = raw.usage;
        return finish(&raw, s, e);
}

int bus_selector_read_filter(sd_bus_message *m, JobSelector *s, bool *ret_usage, Error *e)
{
        return read_keys(m, false, s, ret_usage, e);
}

int bus_selector_read(sd_bus_message *m, const JobSet *set, JobSelector *s, Error *e)
{
        int r;

        r = read_keys(m, true, s, NULL, e);
        if (r >= 0)
                r = job_selector_check(s, set, e);
        if (r >= 0)
                r = job_selector_resolve(s, set, e);
        return r;
}
