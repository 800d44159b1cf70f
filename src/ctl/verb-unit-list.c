/* reevectl unit list: the units that reeve knows, those of templates only once they were asked for. */

#include <inttypes.h>

#include "basic/buffer.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/table.h"
#include "ctl/verbs.h"

static void add_row(Table *t, const Properties *unit)
{
        uint64_t restarts = properties_number(unit, "NRestarts", 0);

        table_cell(t, "%s", properties_string(unit, "Name"));
        table_cell(t, "%s", properties_string(unit, "LoadState"));
        table_cell(t, "%s", properties_string(unit, "ActiveState"));
        table_cell(t, "%s", properties_string(unit, "Result"));
        table_cell(t, "%" PRIu64, restarts);
        table_cell(t, "%s", properties_string(unit, "Description"));
}

static int print_table(sd_bus_message *m)
{
        static const char *const headers[] = {"UNIT",     "LOAD",        "ACTIVE", "RESULT",
                                              "RESTARTS", "DESCRIPTION", NULL};
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_(table_done) Table t = TABLE_INIT(headers);
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "a{sv}");
        for (; r >= 0 && sd_bus_message_at_end(m, false) == 0; n++) {
                _cleanup_(properties_done) Properties unit = PROPERTIES_INIT;

                r = properties_read(m, &unit);
                if (r >= 0)
                        add_row(&t, &unit);
        }
        if (r < 0)
                return client_message_failed(r);
        if (n == 0) {
                remark("there are no units");
                return 0;
        }
        table_format(&t, output_columns(), &b);
        return output_buffer(&b);
}

int verb_unit_list(const Verb *verb, Client *c, char **args)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "ListUnits", &m);
        if (r < 0)
                return r;
        r = client_call(c, m, &reply);
        if (r < 0)
                return r;
        return c->json ? client_print_json(reply) : print_table(reply);
}
