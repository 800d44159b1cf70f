#pragma once

/* Which jobs a verb is about: by id, or by what they have in common. */

#include <stdint.h>

#include <systemd/sd-bus.h>

#include "basic/macro.h"
#include "ctl/option.h"

typedef struct Verb Verb;

typedef struct Selector {
        char **ids; /* the operands of the command line, not owned; may be empty, but is never NULL */
        bool all;
        uint32_t pid; /* 0: not given */
        const char *session, *label, *pattern;
        char **states; /* owned */
} Selector;

extern const Option selector_options[]; /* ids from OPTION_SELECTOR on */

void selector_done(Selector *s);

/* As an OptionSetter does (args.h). */
int selector_set(Selector *s, const Verb *verb, int id, const char *value);

/* All states but "finished". 0 or FAILED. */
int selector_choose_live(Selector *s);

/* For a verb that must be told whom it concerns: 0 or MISUSED. */
int selector_check(const Selector *s, const Verb *verb);

/* Ids, or other options, not both: 0 or MISUSED. */
int selector_check_ids(const Selector *s, const Verb *verb);

/* As a{sv}; id: one of the ids, or NULL. 0 or a negative errno. */
int selector_append(const Selector *s, const char *id, sd_bus_message *m);
