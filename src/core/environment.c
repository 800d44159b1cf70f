/*
 * Environments are built once a start, from the caller's side outwards: later layers replace what earlier
 * ones said of a name.
 */

#include "core/environment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/macro.h"
#include "basic/strv.h"
#include "sys/userdb.h"

/* Told to reeve by who started it, of no meaning to a job: sd_notify(3), sd_listen_fds(3), systemd.exec(5).
 */
static const char *const of_reeve_alone[] = {
                "NOTIFY_SOCKET",  "LISTEN_PID",   "LISTEN_FDS",    "LISTEN_FDNAMES",
                "LISTEN_PIDFDID", "WATCHDOG_PID", "WATCHDOG_USEC", "CREDENTIALS_DIRECTORY",
                "MAINPID",
};

char **environment_inherit(char *const *environ_of_reeve)
{
        char **v = strv_copy(environ_of_reeve), **kept = v;

        STRV_FOREACH (s, v) /* what is no assignment is nothing to a job, nor to env_settle() */
                if (strchr(*s, '='))
                        *kept++ = *s;
                else
                        free(*s);
        if (v)
                *kept = NULL;
        if (v)
                for (size_t i = 0; i < ELEMENTSOF(of_reeve_alone); i++)
                        env_unset(v, of_reeve_alone[i]);
        return v;
}

static int set_user(char ***v, const UserRecord *user)
{
        const struct {
                const char *name, *value;
        } table[] = {
                        {"HOME", user->home},
                        {"USER", user->name},
                        {"LOGNAME", user->name},
                        {"SHELL", user->shell},
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                int r = table[i].value ? env_set(v, table[i].name, table[i].value) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

int environment_make_session(char *const *base, const UserRecord *user, char *const *set, char ***ret)
{
        _cleanup_strv_ char **v = strv_copy(base);
        int r = v ? 0 : -ENOMEM;

        if (r >= 0 && user)
                r = set_user(&v, user);
        if (r >= 0)
                r = strv_extend(&v, set);
        if (r >= 0)
                r = env_settle(v);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(v);
        return 0;
}

static int set_notify(char ***v, const EnvironmentRequest *request)
{
        char text[24];
        int r;

        r = request->notify_socket ? env_set(v, "NOTIFY_SOCKET", request->notify_socket) : 0;
        if (r < 0 || request->watchdog == 0)
                return r;
        (void) snprintf(text, sizeof(text), "%" PRIu64, request->watchdog);
        r = env_set(v, "WATCHDOG_USEC", text);
        return r < 0 ? r : env_set(v, "WATCHDOG_PID", ENVIRONMENT_PID_SLOT);
}

int environment_make(const EnvironmentRequest *request, char ***ret)
{
        _cleanup_strv_ char **v = strv_copy(request->session);
        int r;

        if (!v)
                return -ENOMEM;
        if (request->user) {
                r = set_user(&v, request->user);
                if (r < 0)
                        return r;
        }
        if (!env_get(v, "PATH")) {
                r = env_set(&v, "PATH", DEFAULT_PATH);
                if (r < 0)
                        return r;
        }
        if (request->working_directory) {
                r = env_set(&v, "PWD", request->working_directory);
                if (r < 0)
                        return r;
        }
        r = request->term ? env_set(&v, "TERM", request->term) : 0;
        if (r >= 0)
                r = env_set(&v, "REEVE_JOB", request->job_id);
        if (r >= 0)
                r = env_set(&v, "REEVE_SESSION", request->session_name);
        if (r >= 0)
                r = set_notify(&v, request);
        if (r < 0)
                return r;
        /* Callers' lists may be long: all at once. */
        r = strv_extend(&v, request->set);
        if (r >= 0)
                r = strv_extend(&v, request->unset);
        if (r >= 0)
                r = env_settle(v);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(v);
        return 0;
}
