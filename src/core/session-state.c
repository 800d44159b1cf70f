/*
 * What a session hands to the commands that run in it, and takes from a shell: its directory and its
 * environment. Each change is made whole or not at all.
 */

#include "core/session-state.h"

#include <limits.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/path.h"
#include "basic/strv.h"
#include "core/environment.h"
#include "core/error.h"
#include "core/session.h"

bool session_environment_is_too_long(char **v)
{
        uint64_t size = 0;

        STRV_FOREACH (s, v)
                size += strlen(*s) + 1;
        return size > SESSION_ENVIRONMENT_MAX;
}

int session_check_path(const char *key, const char *path, Error *e)
{
        return path && strlen(path) >= PATH_MAX ? error_set(e, ERROR_INVALID_ARGS,
                                                            "%s: is longer than %d bytes", key, PATH_MAX - 1)
                                                : 0;
}

int session_make_state(const SessionSet *set, const SessionSpec *spec, const UserRecord *user,
                       char **ret_directory, char ***ret_environment)
{
        const SessionSetConfig *c = &set->config;
        const char *given = spec->exec.working_directory;
        _cleanup_free_ char *directory = NULL;
        int r;

        directory = given ? path_absolute(c->working_directory, given) : str_copy(c->working_directory);
        if (!directory)
                return -ENOMEM;
        r = environment_make_session(spec->clean_environment ? NULL : c->environment, user,
                                     spec->exec.environment, ret_environment);
        if (r < 0)
                return r;
        *ret_directory = TAKE_PTR(directory);
        return 0;
}

static int set_environment_changes(Session *session, char *const *changes, Error *e)
{
        _cleanup_strv_ char **v = strv_copy(session->environment);

        if (!v || strv_extend(&v, changes) < 0 || env_settle(v) < 0)
                return error_no_memory(e);
        if (session_environment_is_too_long(v))
                return error_set(e, ERROR_LIMITS_EXCEEDED,
                                 "assignments: the session's environment is more than 1 MiB with them");
        strv_free(session->environment);
        session->environment = TAKE_PTR(v);
        return 0;
}

int session_set_environment(Session *session, char *const *assignments, char *const *unset, Error *e)
{
        _cleanup_strv_ char **changes = NULL;

        for (char *const *s = assignments; s && *s; s++)
                if (!env_assignment_is_valid(*s))
                        return error_set(e, ERROR_INVALID_ARGS,
                                         "assignments: \"%s\" is not NAME=VALUE with a name of "
                                         "[A-Za-z_][A-Za-z0-9_]*",
                                         *s);
        for (char *const *s = unset; s && *s; s++)
                if (!env_name_is_valid(*s, strlen(*s)))
                        return error_set(e, ERROR_INVALID_ARGS, "unset: \"%s\" is no name of a variable",
                                         *s);
        if (strv_extend(&changes, assignments) < 0 || strv_extend(&changes, unset) < 0)
                return error_no_memory(e);
        return set_environment_changes(session, changes, e);
}

static int make_directory(const Session *session, const char *directory, char **ret, Error *e)
{
        _cleanup_free_ char *path = NULL;
        int r;

        if (isempty(directory))
                return error_set(e, ERROR_INVALID_ARGS, "WorkingDirectory: is empty");
        path = path_absolute(session->working_directory, directory);
        if (!path)
                return error_no_memory(e);
        r = session_check_path("WorkingDirectory", path, e);
        if (r >= 0)
                *ret = TAKE_PTR(path);
        return r;
}

/* Takes path over. */
static void take_directory(Session *session, char *path)
{
        bool same = streq(path, session->working_directory);

        free(session->working_directory);
        session->working_directory = path;
        if (!same)
                session_tell_changed(session, SESSION_WORKING_DIRECTORY);
}

int session_set_directory(Session *session, const char *directory, Error *e)
{
        char *path;
        int r = make_directory(session, directory, &path, e);

        if (r >= 0)
                take_directory(session, path);
        return r;
}

int session_keep(Session *session, char *const *changes, const char *directory, Error *e)
{
        _cleanup_free_ char *path = NULL;
        int r = directory ? make_directory(session, directory, &path, e) : 0;

        if (r >= 0)
                r = set_environment_changes(session, changes, e);
        if (r >= 0 && path)
                take_directory(session, TAKE_PTR(path));
        return r;
}
