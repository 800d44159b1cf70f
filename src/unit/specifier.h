#pragma once

/*
 * Specifiers, systemd.unit(5): %n name, %N name without suffix, %p prefix, %i instance, %I the same
 * unescaped, %j what follows the last "-" of the prefix, %H host name, %% a percent sign. systemd leaves
 * what it does not know as it is; here it is an error, for it has quite a few more.
 */

#include "basic/macro.h"

typedef struct SpecifierContext {
        const char *name;     /* of the unit */
        const char *hostname; /* NULL: not known, %H is refused */
} SpecifierContext;

/* 0; -EINVAL with *ret_reason, to be read after the text, given to free() (NULL: no memory for it); -ENOMEM.
 */
int specifiers_resolve(const char *text, const SpecifierContext *context, char **ret, char **ret_reason);
