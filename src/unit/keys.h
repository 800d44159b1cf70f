#pragma once

/* The keys of unit files: those reeve has, with what reads them, and those it only knows of. */

#include "basic/macro.h"
#include "unit/settings.h"

typedef struct UnitParser UnitParser;
typedef struct UnitKey UnitKey;

struct UnitKey {
        const char *section, *name;
        /* value is without blanks around it, empty to go back to the default. What is wrong with it is said
         * by unit_refuse(), which is no failure. 0 or -ENOMEM. */
        int (*read)(UnitParser *p, const UnitKey *key, const char *value);
        size_t field;     /* offset within Unit, for those that need one */
        unsigned variant; /* SettingId, UnitCommandKind: what `read` takes it for */
};

/* NULL: reeve has no such key in that section. */
const UnitKey *unit_key_find(const char *section, const char *name);
/* The section in which reeve has a key of that name; NULL: in none. */
const char *unit_key_section(const char *name);
/* A setting of the table by its key in [Service]; _SETTING_MAX: none that files may have there. */
SettingId unit_key_setting(const char *name);
int unit_key_read_setting(UnitParser *p, SettingId id, const char *value);

bool unit_section_is_known(const char *section);
/* Whether systemd has that key there. */
bool systemd_key_exists(const char *section, const char *name);
