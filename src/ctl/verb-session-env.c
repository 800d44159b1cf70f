/*
 * reevectl session env: change the environment that commands of a session start with, or see which names
 * there are. Values may be secrets, and reeve shows them to nobody: a command of the session has them.
 */

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/verbs.h"

enum {
        OPTION_UNSET = 1,
};

const Option session_env_options[] = {
                {OPTION_UNSET, 'u', "unset", "VARIABLE", "take that variable away; may be given again"},
                {0},
};

static int env_set_option(void *object, const Verb *verb, int id, const char *value)
{
        char ***unset = object;

        if (!env_name_is_valid(value, strlen(value)))
                return misuse(verb, "--unset=%s: that is no name of an environment variable", value);
        return strv_append(unset, value) < 0 ? fail("out of memory") : 0;
}

static int change(Client *c, const char *path, char **assignments, char **unset)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = client_message(c, path, BUS_INTERFACE_SESSION, "SetEnvironment", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(m, assignments);
        if (r >= 0)
                r = sd_bus_message_append_strv(m, unset);
        return r < 0 ? client_message_failed(r) : client_call(c, m, &reply);
}

static int show(Client *c, const char *path)
{
        _cleanup_(properties_done) Properties session = PROPERTIES_INIT;
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        char **names;
        int r;

        r = client_properties(c, path, BUS_INTERFACE_SESSION, &session);
        if (r < 0)
                return r;
        names = properties_strv(&session, "EnvironmentNames");
        buffer_append_string(&b, c->json ? "[" : "");
        STRV_FOREACH (name, names) {
                if (c->json) {
                        buffer_append_string(&b, name == names ? "" : ",");
                        json_string(&b, *name);
                        continue;
                }
                text_escape(&b, *name);
                buffer_append_string(&b, "\n");
        }
        buffer_append_string(&b, c->json ? "]\n" : "");
        return output_buffer(&b);
}

static int env_run(const Verb *verb, Client *c, char **args, char **unset)
{
        _cleanup_free_ char *path = NULL;
        int r;

        STRV_FOREACH (s, args + 1)
                if (!env_assignment_is_valid(*s))
                        return misuse(verb, "%s: NAME=VALUE is needed", *s);
        r = client_session_path(c, args[0], &path);
        if (r < 0)
                return r;
        return args[1] || unset ? change(c, path, args + 1, unset) : show(c, path);
}

int verb_session_env(const Verb *verb, Client *c, char **args)
{
        _cleanup_strv_ char **unset = NULL;
        int r;

        r = args_parse(verb, c, args, env_set_option, &unset, &args);
        return r > 0 ? env_run(verb, c, args, unset) : r;
}
