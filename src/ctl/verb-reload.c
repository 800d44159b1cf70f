/*
 * reevectl reload: reeve reads its unit files anew, and says what is wrong with them. The answer does not
 * say which problem refuses a unit and which merely has no effect; the list of units does, so that is asked
 * for, and the exit status is as that of reeve --check-units.
 */

#include "basic/buffer.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/output.h"
#include "ctl/unit-text.h"
#include "ctl/verbs.h"

#define STATUS_REFUSED 1

static int print_problems(sd_bus_message *m)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        const char *file, *message;
        uint32_t line;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(sus)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(sus)", &file, &line, &message)) > 0)
                unit_problem_format(&b, file, line, message);
        return r < 0 ? client_message_failed(r) : output_buffer(&b);
}

static int print_json(sd_bus_message *m)
{
        static const char *const names[] = {"file", "line", "message", NULL};
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        size_t n = 0;
        int r;

        buffer_append_string(&b, "[");
        r = sd_bus_message_enter_container(m, 'a', "(sus)");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "sus")) > 0) {
                buffer_append_string(&b, n++ > 0 ? "," : "");
                r = json_arguments(&b, m, names);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                return client_message_failed(r);
        buffer_append_string(&b, "]\n");
        return output_buffer(&b);
}

/* 1, 0, or FAILED. */
static int is_any_refused(Client *c)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        bool refused = false;
        int r;

        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "ListUnits", &m);
        if (r >= 0)
                r = client_call(c, m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(reply, 'a', "a{sv}");
        while (r >= 0 && sd_bus_message_at_end(reply, false) == 0) {
                _cleanup_(properties_done) Properties unit = PROPERTIES_INIT;

                r = properties_read(reply, &unit);
                refused |= r >= 0 && streq(properties_string(&unit, "LoadState"), "bad-setting");
        }
        return r < 0 ? client_message_failed(r) : refused;
}

int verb_reload(const Verb *verb, Client *c, char **args)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "Reload", &m);
        if (r >= 0)
                r = client_call(c, m, &reply);
        if (r >= 0)
                r = c->json ? print_json(reply) : print_problems(reply);
        if (r >= 0)
                r = is_any_refused(c);
        return r > 0 ? STATUS_REFUSED : r;
}
