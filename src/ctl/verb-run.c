/*
 * reevectl run: a shell command in a session. It is like exec, but for what the command leaves behind: the
 * directory, the environment and the umask are the session's afterwards. Like exec, it makes a session that
 * does not exist yet.
 */

#include <errno.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/options.h"
#include "ctl/outcome.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

const Option run_options[] = {
                FOREGROUND_OPTIONS,
                {0},
};

typedef struct Run {
        JobOptions job;
        Foreground foreground;
} Run;

static int run_set(void *object, const Verb *verb, int id, const char *value)
{
        Run *run = object;

        return foreground_set(&run->foreground, id) ? 0 : job_options_set(&run->job, verb, id, value);
}

/* The object of a session. 1; 0: there is no such session, which nobody was told yet; FAILED. */
static int get_session(Client *c, const char *name, sd_bus_error *ret_error, char **ret_path)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "GetSession", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append_basic(m, 's', name);
        if (r < 0)
                return client_message_failed(r);
        r = client_call_error(c, m, ret_error, &reply);
        if (r == -EREMOTEIO)
                return sd_bus_error_has_name(ret_error, BUS_ERROR_NO_SUCH_SESSION)
                                       ? 0
                                       : client_report(c, ret_error);
        if (r >= 0)
                r = client_read_path(reply, ret_path);
        return r < 0 ? r : 1;
}

static int open_session(Client *c, const char *name, char **ret_path)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "OpenSession", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "sa{sv}", name, 0);
        if (r < 0)
                return client_message_failed(r);
        r = client_call(c, m, &reply);
        return r < 0 ? r : client_read_path(reply, ret_path);
}

/* "default" is always there; who does not see it is inside of a job, and has its own session only. */
static int find_session(Client *c, const char *name, char **ret_path)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *own = getenv("REEVE_SESSION");
        int r;

        r = get_session(c, name ?: "default", &error, ret_path);
        if (r != 0)
                return r;
        if (name)
                return open_session(c, name, ret_path);
        return isempty(own) ? client_report(c, &error) : client_session_path(c, own, ret_path);
}

static int run_run(Run *run, const Verb *verb, Client *c, char **words)
{
        _cleanup_message_ sd_bus_message *m = NULL;
        _cleanup_free_ char *path = NULL, *command = NULL;
        bool named = run->job.given[SETTING_SESSION];
        int r;

        r = foreground_prepare(&run->foreground, &run->job, verb);
        if (r < 0)
                return r;
        r = find_session(c, named ? run->job.values[SETTING_SESSION].string : NULL, &path);
        if (r < 0)
                return r;
        job_options_unset(&run->job, SETTING_SESSION);

        command = strv_join(words, " ");
        if (!command)
                return fail("out of memory");
        r = client_message(c, path, BUS_INTERFACE_SESSION, "Run", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append_basic(m, 's', command);
        if (r < 0)
                return client_message_failed(r);
        r = job_options_append(&run->job, m);
        return r < 0 ? r : foreground_call(&run->foreground, c, m);
}

int verb_run(const Verb *verb, Client *c, char **args)
{
        Run run = {0};
        int r;

        r = args_parse(verb, c, args, run_set, &run, &args);
        if (r > 0)
                r = run_run(&run, verb, c, args);
        job_options_done(&run.job);
        return r;
}
