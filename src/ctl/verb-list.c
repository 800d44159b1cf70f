/*
 * reevectl list: the jobs that run, and how many more there are. Up to a thousand finished ones are kept,
 * which nobody wants to read past; who asks for a state, or for all, gets what was asked for.
 */

#include <stdio.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "basic/time.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/job-text.h"
#include "ctl/json.h"
#include "ctl/output.h"
#include "ctl/selector.h"
#include "ctl/table.h"
#include "ctl/text.h"
#include "ctl/verbs.h"

enum {
        OPTION_ALL = 1,
};

const Option list_options[] = {
                {OPTION_ALL, 'a', "all", NULL, "finished ones, too"},
                {0},
};

typedef struct ListOptions {
        Selector selector;
        bool all;
} ListOptions;

static int list_set(void *object, const Verb *verb, int id, const char *value)
{
        ListOptions *l = object;

        if (id != OPTION_ALL)
                return selector_set(&l->selector, verb, id, value);
        l->all = true;
        return 0;
}

static void add_row(Table *t, const Properties *job, usec_t now)
{
        char state[64], outcome[64], started[40], pid[16] = "";
        uint32_t leader = properties_number(job, "PID", 0);
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *command = NULL;

        job_state(job, state, sizeof(state));
        job_outcome(job, outcome, sizeof(outcome));
        text_command(&b, properties_strv(job, "Command"));
        command = buffer_take(&b, NULL);
        time_ago(properties_number(job, "StartTimestamp", 0), now, started, sizeof(started));
        if (leader > 0)
                snprintf(pid, sizeof(pid), "%u", leader);

        table_cell(t, "%s", properties_string(job, "Id"));
        table_cell(t, "%s", state);
        table_cell(t, "%s", pid);
        table_cell(t, "%s", outcome);
        table_cell(t, "%s", started);
        table_cell(t, "%s", command ?: "");
        if (!command)
                t->error = b.error;
}

/* The jobs of aa{sv}; those that do not run are only counted, unless all are asked for. */
static int add_rows(Table *t, sd_bus_message *m, bool all, size_t *ret_shown, size_t *ret_hidden)
{
        size_t n_shown = 0, n_hidden = 0;
        usec_t now = now_realtime();
        int r;

        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        while (r >= 0 && sd_bus_message_at_end(m, false) == 0) {
                _cleanup_(properties_done) Properties job = PROPERTIES_INIT;

                r = properties_read(m, &job);
                if (r < 0)
                        break;
                if (all || properties_boolean(&job, "Running")) {
                        add_row(t, &job, now);
                        n_shown++;
                } else
                        n_hidden++;
        }
        *ret_shown = n_shown;
        *ret_hidden = n_hidden;
        return r;
}

static int print_table(sd_bus_message *m, bool all)
{
        static const char *const headers[] = {"ID", "STATE", "PID", "RESULT", "STARTED", "COMMAND", NULL};
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_(table_done) Table t = TABLE_INIT(headers);
        size_t n_shown, n_hidden;
        int r;

        r = add_rows(&t, m, all, &n_shown, &n_hidden);
        if (r < 0)
                return client_message_failed(r);
        if (n_shown > 0)
                table_format(&t, output_columns(), &b);
        r = output_buffer(&b);
        if (r < 0)
                return r;
        if (n_hidden > 0)
                remark("%s%zu finished one%s not shown: reevectl list --all",
                       n_shown > 0 ? "" : "nothing runs; ", n_hidden, n_hidden == 1 ? " is" : "s are");
        else if (n_shown == 0)
                remark("there are no such jobs");
        return 0;
}

static int print_json(sd_bus_message *m)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r;

        r = json_value(&b, m);
        if (r < 0)
                return client_message_failed(r);
        buffer_append_string(&b, "\n");
        return output_buffer(&b);
}

/* With JSON nobody is told what is hidden, so reeve need not send it. */
static int choose_running(Selector *s)
{
        static const char *const states[] = {"starting", "running", "exited", "restarting", "stopping"};

        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                if (strv_append(&s->states, states[i]) < 0)
                        return fail("out of memory");
        return 0;
}

static int list_run(ListOptions *l, Client *c)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        bool all = l->all || l->selector.states;
        int r;

        if (c->json && !all) {
                r = choose_running(&l->selector);
                if (r < 0)
                        return r;
        }
        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "ListJobs", &m);
        if (r < 0)
                return r;
        r = selector_append(&l->selector, NULL, m);
        if (r < 0)
                return client_message_failed(r);
        r = client_call(c, m, &reply);
        if (r < 0)
                return r;
        return c->json ? print_json(reply) : print_table(reply, all);
}

int verb_list(const Verb *verb, Client *c, char **args)
{
        ListOptions l = {0};
        int r;

        r = args_parse(verb, c, args, list_set, &l, &l.selector.ids);
        if (r > 0)
                r = list_run(&l, c);
        selector_done(&l.selector);
        return r;
}
