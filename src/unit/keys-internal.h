#pragma once

/* What the table of keys is made of. All are as UnitKey.read says. */

#include "unit/keys.h"

/* What names of units of another type are worth: nothing is ever started of it. */
enum {
        KEY_NAMES_ORDER,    /* so there is nothing to wait for: no word of it */
        KEY_NAMES_WANTED,   /* a warning */
        KEY_NAMES_REQUIRED, /* refused; but a target is a name for a moment, not something that runs: a
                               warning */
};

enum {
        KEY_TIMEOUT_START = 1 << 0,
        KEY_TIMEOUT_STOP = 1 << 1,
};

int key_read_nothing(UnitParser *p, const UnitKey *key, const char *value);
int key_read_description(UnitParser *p, const UnitKey *key, const char *value);
int key_read_names(UnitParser *p, const UnitKey *key, const char *value);
int key_read_condition(UnitParser *p, const UnitKey *key, const char *value);
int key_read_wanted_by(UnitParser *p, const UnitKey *key, const char *value);

int key_read_type(UnitParser *p, const UnitKey *key, const char *value);
int key_read_commands(UnitParser *p, const UnitKey *key, const char *value);
int key_read_environment_file(UnitParser *p, const UnitKey *key, const char *value);
int key_read_bool(UnitParser *p, const UnitKey *key, const char *value);
int key_read_timeout(UnitParser *p, const UnitKey *key, const char *value);
int key_read_watchdog(UnitParser *p, const UnitKey *key, const char *value);
int key_read_unsigned(UnitParser *p, const UnitKey *key, const char *value);
int key_read_statuses(UnitParser *p, const UnitKey *key, const char *value);
int key_read_output(UnitParser *p, const UnitKey *key, const char *value);

int key_read_setting(UnitParser *p, const UnitKey *key, const char *value);
int key_read_input_text(UnitParser *p, const UnitKey *key, const char *value);
int key_read_quota(UnitParser *p, const UnitKey *key, const char *value);

/* `Key="VALUE" REASON.`, and the unit is refused; returns 0. reason NULL: there was no memory for it. */
int key_refuse(UnitParser *p, const char *name, const char *value, const char *reason);
/* text with its specifiers resolved. 1; 0: it is refused; -ENOMEM. */
int key_resolve(UnitParser *p, const char *name, const char *text, char **ret);
/* The words of value, resolved; with verbatim, backslashes are kept. 1; 0: refused; -ENOMEM. */
int key_words(UnitParser *p, const char *name, const char *value, bool verbatim, char ***ret);
