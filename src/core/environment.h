#pragma once

#include "basic/time.h"

/* The environment of a job, in the order of the contract: the session's; HOME, USER, LOGNAME and SHELL of
 * the user where one is given; PATH where none is set; TERM with a terminal; REEVE_JOB and REEVE_SESSION;
 * NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID;
 * the options' own; less what is unset. */

typedef struct UserRecord UserRecord;

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

typedef struct EnvironmentRequest {
        char *const *session;          /* the session's environment */
        const UserRecord *user;        /* NULL: none was given */
        const char *working_directory; /* told as PWD to a shell; NULL: to nobody */
        const char *term;              /* NULL: no terminal */
        const char *job_id, *session_name;
        const char *notify_socket; /* NULL: it has none */
        usec_t watchdog;           /* 0: none */
        char *const *set;   /* NAME=VALUE */
        char *const *unset; /* NAME */
} EnvironmentRequest;

/* The value of WATCHDOG_PID: room for a number that nobody knows before the process is there. */
#define ENVIRONMENT_PID_SLOT "0000000000"

/* 0 or -ENOMEM; *ret is strv_free()'s. */
int environment_make(const EnvironmentRequest *request, char ***ret);

/* What a session begins with: of base, HOME and the like of the user (may be NULL), and what is set.
 * -ENOMEM. */
int environment_make_session(char *const *base, const UserRecord *user, char *const *set, char ***ret);

/* What reeve itself was given, less what was meant for it alone (NOTIFY_SOCKET and the like). NULL: no
 * memory. */
char **environment_inherit(char *const *environ_of_reeve);
