#pragma once

/* The environment of a job, in the order of the contract: the session's; HOME, USER, LOGNAME and SHELL of
 * the user where one is given; PATH where none is set; REEVE_JOB and REEVE_SESSION; the options' own; less
 * what is unset. */

typedef struct UserRecord UserRecord;

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

typedef struct EnvironmentRequest {
        char *const *session;   /* the session's environment */
        const UserRecord *user; /* NULL: none was given */
        const char *job_id, *session_name;
        char *const *set;   /* NAME=VALUE */
        char *const *unset; /* NAME */
} EnvironmentRequest;

/* 0 or -ENOMEM; *ret is strv_free()'s. */
int environment_make(const EnvironmentRequest *request, char ***ret);

/* What reeve itself was given, less what was meant for it alone (NOTIFY_SOCKET and the like). NULL: no
 * memory. */
char **environment_inherit(char *const *environ_of_reeve);
