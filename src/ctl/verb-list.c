/*
 * reevectl list: the jobs that run, and how many more there are. Up to a thousand finished ones are kept,
 * which nobody wants to read past; who asks for a state, or for all, gets what was asked for.
 */

#include <errno.h>
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

/* What is shown, of one answer or of one an id. */
typedef struct Listing {
        Table table;
        Buffer json;
        bool all;
        size_t n, n_hidden; /* those that do not run are only counted, unless all are asked for */
} Listing;

static int add_job(Listing *l, bool json, sd_bus_message *m, usec_t now)
{
        _cleanup_(properties_done) Properties job = PROPERTIES_INIT;
        int r;

        if (json) {
                buffer_append_string(&l->json, l->n++ > 0 ? "," : "");
                return json_value(&l->json, m);
        }
        r = properties_read(m, &job);
        if (r < 0)
                return r;
        if (l->all || properties_boolean(&job, "Running")) {
                add_row(&l->table, &job, now);
                l->n++;
        } else
                l->n_hidden++;
        return 0;
}

/* ListJobs: with an id, or by all that was given. *ret_n: how many jobs were answered. */
static int add_jobs(Listing *l, const Selector *s, Client *c, const char *id, size_t *ret_n)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        usec_t now = now_realtime();
        int r;

        *ret_n = 0;
        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "ListJobs", &m);
        if (r < 0)
                return r;
        r = selector_append(s, id, m);
        if (r < 0)
                return client_message_failed(r);
        r = client_call(c, m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(reply, 'a', "a{sv}");
        for (; r >= 0 && sd_bus_message_at_end(reply, false) == 0; ++*ret_n)
                r = add_job(l, c->json, reply, now);
        return r < 0 ? client_message_failed(r) : 0;
}

static int print_listing(Listing *l, Client *c)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r;

        if (c->json) {
                buffer_append_string(&l->json, "]\n");
                return output_buffer(&l->json);
        }
        if (l->n > 0)
                table_format(&l->table, output_columns(), &b);
        r = output_buffer(&b);
        if (r < 0)
                return r;
        if (l->n_hidden > 0)
                remark("%s%zu finished one%s not shown: reevectl list --all",
                       l->n > 0 ? "" : "nothing runs; ", l->n_hidden, l->n_hidden == 1 ? " is" : "s are");
        else if (l->n == 0)
                remark("there are no such jobs");
        return 0;
}

/* The filter of ListJobs has no PID, so the job is asked for first, and its Id is. */
static int find_pid(Client *c, uint32_t pid, char **ret_id)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        const char *path;
        int r;

        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "GetJobByPID", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append_basic(m, 'u', &pid);
        if (r < 0)
                return client_message_failed(r);
        r = client_call(c, m, &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_read_basic(reply, 'o', &path);
        if (r >= 0)
                r = sd_bus_path_decode(path, BUS_PATH_JOB, ret_id);
        return r <= 0 ? client_message_failed(r < 0 ? r : -EBADMSG) : 0;
}

/* Each id is a call, since a filter takes one; and one that is not there is an error, as everywhere. */
static int add_ids(Listing *l, const Selector *s, Client *c)
{
        int r, status = 0;

        STRV_FOREACH (id, s->ids) {
                _cleanup_free_ char *message = NULL;
                sd_bus_error error;
                size_t n;

                r = add_jobs(l, s, c, *id, &n);
                if (r < 0)
                        return r;
                if (n > 0)
                        continue;
                message = str_printf("There is no job \"%s\"", *id);
                error = SD_BUS_ERROR_MAKE_CONST(BUS_ERROR_NO_SUCH_JOB, message);
                status = client_report(c, &error);
        }
        return status;
}

static int list_run(ListOptions *l, Listing *listing, const Verb *verb, Client *c)
{
        _cleanup_free_ char *id = NULL;
        int r, status = 0;
        size_t n;

        r = selector_check_ids(&l->selector, verb);
        if (r >= 0 && l->selector.pid > 0)
                r = find_pid(c, l->selector.pid, &id);
        l->selector.pid = 0;
        listing->all = l->all || l->selector.states || *l->selector.ids || id;
        /* With JSON nobody is told what is hidden, so reeve need not send it. */
        if (r >= 0 && c->json && !listing->all)
                r = selector_choose_live(&l->selector);
        if (r < 0)
                return r;

        buffer_append_string(&listing->json, "[");
        if (*l->selector.ids)
                status = r = add_ids(listing, &l->selector, c);
        else
                r = add_jobs(listing, &l->selector, c, id, &n);
        if (r < 0 && listing->n == 0)
                return r;
        r = print_listing(listing, c);
        return r < 0 ? r : status;
}

int verb_list(const Verb *verb, Client *c, char **args)
{
        static const char *const headers[] = {"ID", "STATE", "PID", "RESULT", "STARTED", "COMMAND", NULL};
        Listing listing = {.table = TABLE_INIT(headers)};
        ListOptions l = {0};
        int r;

        r = args_parse(verb, c, args, list_set, &l, &l.selector.ids);
        if (r > 0)
                r = list_run(&l, &listing, verb, c);
        table_done(&listing.table);
        buffer_done(&listing.json);
        selector_done(&l.selector);
        return r;
}
