/*
 * reevectl unit status: what a unit is, how its job does, and the end of its log. The exit status is that of
 * `systemctl status`, which scripts rely on: 3 where a unit is not active.
 */

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/log-page.h"
#include "ctl/output.h"
#include "ctl/status-lines.h"
#include "ctl/text.h"
#include "ctl/unit-text.h"
#include "ctl/verbs.h"

#define STATUS_NOT_ACTIVE 3

static const StatusLine unit_lines[] = {
                {"Description", "Description", STATUS_STRING}, {"File", "Path", STATUS_STRING},
                {"Load", "LoadState", STATUS_STRING},          {"Active", "ActiveState", STATUS_STRING},
                {"Result", "Result", STATUS_STRING},           {"Restarts", "NRestarts", STATUS_COUNT},
};

static const StatusLine job_lines[] = {
                {"Job", "Id", STATUS_STRING},
                {"State", "State", STATUS_STATE},
                {"Status", "StatusText", STATUS_STRING},
                {"Last end", "Result", STATUS_OUTCOME},
                {"PID", "PID", STATUS_COUNT},
                {"Started", "StartTimestamp", STATUS_TIME},
                {"Exited", "ExitTimestamp", STATUS_TIME},
                {"Cgroup", "ControlGroup", STATUS_STRING},
                {"Tasks", "TasksCurrent", STATUS_COUNT},
                {"CPU time", "CPUUsageNSec", STATUS_NSEC},
                {"Memory", "MemoryCurrent", STATUS_BYTES},
                {"Ports", "ListeningPorts", STATUS_WORDS},
};

/* Of the units in m, which is read from its beginning. 1: *ret is that one, and m stands behind it; 0: there
 * is none of that name; negative errno. */
static int find_unit(sd_bus_message *m, const char *name, size_t *ret_index, Properties *ret)
{
        int r;

        r = sd_bus_message_rewind(m, true);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        for (size_t i = 0; r >= 0 && sd_bus_message_at_end(m, false) == 0; i++) {
                _cleanup_(properties_done) Properties unit = PROPERTIES_INIT;

                r = properties_read(m, &unit);
                if (r < 0 || !streq(properties_string(&unit, "Name"), name))
                        continue;
                *ret_index = i;
                *ret = unit;
                unit = PROPERTIES_INIT;
                return 1;
        }
        return r < 0 ? r : 0;
}

static int print_json(sd_bus_message *m, size_t index)
{
        int r;

        r = sd_bus_message_rewind(m, true);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        for (size_t i = 0; r >= 0 && i < index; i++)
                r = sd_bus_message_skip(m, "a{sv}");
        return r < 0 ? client_message_failed(r) : client_print_json(m);
}

/* Behind that a job of the name is looked for, which may have gone in between. */
static int append_job(Client *c, const char *id, Buffer *b)
{
        _cleanup_(properties_done) Properties job = PROPERTIES_INIT;
        _cleanup_free_ char *path = NULL;
        int r;

        r = client_job_path(c, id, &path);
        if (r >= 0)
                r = client_properties(c, path, BUS_INTERFACE_JOB, &job);
        if (r < 0)
                return r;
        status_lines_append(b, job_lines, ELEMENTSOF(job_lines), &job);
        return log_page_append_tail(c, path, &job, "\n", b);
}

static int print_text(Client *c, const Properties *unit, bool first)
{
        const char *job = properties_string(unit, "Job");
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r = 0;

        buffer_append_string(&b, first ? "" : "\n");
        text_escape(&b, properties_string(unit, "Name"));
        buffer_append_string(&b, "\n");
        status_lines_append(&b, unit_lines, ELEMENTSOF(unit_lines), unit);
        if (*job)
                r = append_job(c, job, &b);
        return r < 0 ? r : output_buffer(&b);
}

static int no_such_unit(Client *c, const char *name)
{
        _cleanup_free_ char *message = str_printf("There is no unit \"%s\"", name);
        const sd_bus_error error =
                        SD_BUS_ERROR_MAKE_CONST(BUS_ERROR_NO_SUCH_UNIT, message ?: "There is no such unit");

        return client_report(c, &error);
}

/* 0, the status for one that is not active, or one of output.h. */
static int status_unit(Client *c, sd_bus_message *m, const char *name, bool first)
{
        _cleanup_(properties_done) Properties unit = PROPERTIES_INIT;
        _cleanup_free_ char *full = unit_full_name(name);
        size_t index;
        int r;

        if (!full)
                return fail("out of memory");
        r = find_unit(m, full, &index, &unit);
        if (r < 0)
                return client_message_failed(r);
        if (r == 0)
                return no_such_unit(c, full);
        r = c->json ? print_json(m, index) : print_text(c, &unit, first);
        return r < 0 || streq(properties_string(&unit, "ActiveState"), "active") ? r : STATUS_NOT_ACTIVE;
}

int verb_unit_status(const Verb *verb, Client *c, char **args)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r, status = 0;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "ListUnits", &m);
        if (r >= 0)
                r = client_call(c, m, &reply);
        if (r < 0)
                return r;
        for (char **name = args; *name; name++) {
                r = status_unit(c, reply, *name, name == args);
                if (r == CLOSED)
                        return r;
                if (r != 0 && status >= 0)
                        status = r; /* said; the others may be there */
        }
        return status;
}
