#pragma once

/* For session.c and session-state.c alone; the rest is in session.h. */

#include "basic/macro.h"

typedef struct Error Error;
typedef struct SessionSet SessionSet;
typedef struct SessionSpec SessionSpec;
typedef struct UserRecord UserRecord;

/* More than SESSION_ENVIRONMENT_MAX. */
bool session_environment_is_too_long(char **v);
/* The kernel goes to no path of PATH_MAX bytes: -EINVAL with e set. NULL is none. */
int session_check_path(const char *key, const char *path, Error *e);
/* What a session begins with; user may be NULL. -ENOMEM. */
int session_make_state(const SessionSet *set, const SessionSpec *spec, const UserRecord *user,
                       char **ret_directory, char ***ret_environment);
