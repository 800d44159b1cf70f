#pragma once

/* A method that takes and answers nothing, called of several objects at once. The array of names is used up.
 */

#include "basic/macro.h"

typedef struct Client Client;

/* Of jobs. Prints as JSON what it was done to, or "DONE j1, j2"; says what is refused. 0, or one of
 * output.h. */
int each_job(Client *c, char **ids, const char *member, const char *done);
/* Of sessions, likewise. */
int each_session(Client *c, char **names, const char *member, const char *done);
