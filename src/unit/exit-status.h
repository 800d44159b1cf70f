#pragma once

/* Lists of exit statuses as SuccessExitStatus= and RestartPreventExitStatus= have them: numbers, the names
 * of systemd.exec(5), "Process Exit Codes", and signals. */

#include "basic/macro.h"
#include "unit/unit.h"

/* "TEMPFAIL" is 75; -EINVAL: there is no such name. Case counts. */
int exit_status_from_name(const char *name);
/* Adds one word. 0, -EINVAL. */
int exit_status_set_add(ExitStatusSet *s, const char *word);
