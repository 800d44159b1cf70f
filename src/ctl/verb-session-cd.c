/* reevectl session cd: the directory that commands of a session start in, from now on; or which it is. */

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/verbs.h"

static int change(Client *c, const char *path, const char *directory)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = client_message(c, path, "org.freedesktop.DBus.Properties", "Set", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "ssv", BUS_INTERFACE_SESSION, "WorkingDirectory", "s", directory);
        return r < 0 ? client_message_failed(r) : client_call(c, m, &reply);
}

static int show(Client *c, const char *path)
{
        _cleanup_(properties_done) Properties session = PROPERTIES_INIT;
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        const char *directory;
        int r;

        r = client_properties(c, path, BUS_INTERFACE_SESSION, &session);
        if (r < 0)
                return r;
        directory = properties_string(&session, "WorkingDirectory");
        c->json ? json_string(&b, directory) : text_escape(&b, directory);
        buffer_append_string(&b, "\n");
        return output_buffer(&b);
}

int verb_session_cd(const Verb *verb, Client *c, char **args)
{
        _cleanup_free_ char *path = NULL;
        int r;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        r = client_session_path(c, args[0], &path);
        if (r < 0)
                return r;
        return args[1] ? change(c, path, args[1]) : show(c, path);
}
