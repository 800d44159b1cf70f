/*
 * Not Exec but Start and then attach: an answer that comes with all of the output at its end is no terminal.
 * So the job is there like any other that was started, and when the user goes (by the keys, or because his
 * own terminal went) it stays.
 */

#include "ctl/exec-terminal.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/utf8.h"
#include "ctl/attach.h"
#include "ctl/client.h"
#include "ctl/options.h"
#include "ctl/outcome.h"
#include "ctl/output.h"
#include "ctl/terminal.h"

static void set_number(JobOptions *o, SettingId id, unsigned value)
{
        if (o->given[id])
                return;
        o->values[id] = (SettingValue){.type = settings[id].type, .unsigned_ = value};
        o->given[id] = true;
}

int job_options_set_terminal(JobOptions *o, const Verb *verb, const Terminal *t)
{
        const char *term = getenv("TERM");
        unsigned rows, columns;

        if (o->stdin_is_data)
                return misuse(verb,
                              "-i does not go with -t: what comes on stdin is typed on the terminal anyway");
        if (!o->given[SETTING_TTY]) {
                o->values[SETTING_TTY] = (SettingValue){.type = SETTING_TYPE_BOOL, .boolean = true};
                o->given[SETTING_TTY] = true;
        }
        if (terminal_size(t, &rows, &columns)) {
                set_number(o, SETTING_TTY_ROWS, rows);
                set_number(o, SETTING_TTY_COLUMNS, columns);
        }
        if (o->given[SETTING_TERM] || t->fd < 0 || isempty(term) || !utf8_is_valid(term, strlen(term)))
                return 0;
        o->values[SETTING_TERM] = (SettingValue){.type = SETTING_TYPE_STRING, .string = str_copy(term)};
        if (!o->values[SETTING_TERM].string)
                return fail("out of memory");
        o->given[SETTING_TERM] = true;
        return 0;
}

/* 0: it runs, and *ret is the answer; else the exit status, or one of output.h. */
static int start(JobOptions *o, Client *c, char **argv, sd_bus_message **ret)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_message_ sd_bus_message *m = NULL;
        int r;

        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "Start", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(m, argv);
        if (r < 0)
                return client_message_failed(r);
        r = job_options_append(o, m);
        if (r < 0)
                return r;
        r = client_call_error(c, m, &error, ret);
        return r == -EREMOTEIO ? foreground_refused(c, &error) : r;
}

static int run(JobOptions *o, const Foreground *f, const Verb *verb, Client *c, char **argv, Terminal *t)
{
        _cleanup_message_ sd_bus_message *reply = NULL;
        AttachRequest request = {.kind = ATTACH_TTY, .lines = UINT64_MAX};
        int r;

        r = job_options_set_terminal(o, verb, t);
        if (r < 0)
                return r;
        r = start(o, c, argv, &reply);
        if (r != 0)
                return r;
        r = sd_bus_message_read(reply, "so", &request.id, &request.path);
        if (r < 0)
                return client_message_failed(r);
        r = attach(c, t, &request);
        if (r >= 0)
                foreground_say_job(f, c, request.id, request.path);
        return r;
}

int exec_on_terminal(JobOptions *o, const Foreground *f, const Verb *verb, Client *c, char **argv)
{
        Terminal t = TERMINAL_NULL;
        int r;

        if (c->json)
                return misuse(verb, "--json does not go with -t");
        r = terminal_open(&t);
        if (r >= 0)
                r = run(o, f, verb, c, argv, &t);
        terminal_close(&t);
        return r;
}
