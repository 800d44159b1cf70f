/*
 * All calls go out at once: three jobs that take ten seconds each to stop take ten seconds. What one of them
 * answers does not change what the others did, so an error is said and remembered, and the rest is reported.
 */

#include "ctl/reach.h"

#include <errno.h>
#include <inttypes.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/output.h"
#include "ctl/selector.h"
#include "ctl/text.h"

void reached_done(Reached *r)
{
        r->ids = strv_free(r->ids);
        free(r->pids);
        *r = REACHED_INIT;
}

static int read_ids(sd_bus_message *m, Reached *reached)
{
        const char *id;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read_basic(m, 's', &id)) > 0) {
                r = strv_append(&reached->ids, id);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_pids(sd_bus_message *m, Reached *reached)
{
        const void *data;
        uint32_t *pids;
        size_t size;
        int r;

        r = sd_bus_message_read_array(m, 'u', &data, &size);
        if (r < 0 || size == 0)
                return r;
        pids = alloc_resize(reached->pids, reached->n_pids + size / sizeof(uint32_t), sizeof(uint32_t));
        if (!pids)
                return -ENOMEM;
        memcpy(pids + reached->n_pids, data, size);
        reached->pids = pids;
        reached->n_pids += size / sizeof(uint32_t);
        return 0;
}

static int read_reply(Client *c, sd_bus_message *m, Reached *reached)
{
        uint32_t remaining = 0;
        int r;

        if (sd_bus_message_is_method_error(m, NULL) > 0) {
                client_report(c, sd_bus_message_get_error(m));
                reached->failed = true;
                return 0;
        }
        r = read_ids(m, reached);
        if (r >= 0)
                r = read_pids(m, reached);
        if (r >= 0 && sd_bus_message_at_end(m, true) == 0) {
                r = sd_bus_message_read_basic(m, 'u', &remaining);
                reached->tells_remaining = true;
        }
        reached->remaining += remaining;
        return r < 0 ? client_message_failed(r) : 0;
}

int reach_calls(Client *c, Call *calls, size_t n, Reached *ret)
{
        int r;

        r = client_call_all(c, calls, n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = read_reply(c, calls[i].reply, ret);
        return r;
}

int reach_jobs(Client *c, const Selector *s, const char *member,
               int (*append)(const void *object, sd_bus_message *m), const void *object, Reached *ret)
{
        size_t n = MAX(strv_length(s->ids), (size_t) 1);
        Call *calls;
        int r = 0;

        calls = alloc_zero(n * sizeof(Call));
        if (!calls)
                return client_message_failed(-ENOMEM);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = client_message(c, NULL, BUS_INTERFACE_MANAGER, member, &calls[i].message);
                if (r < 0)
                        break;
                r = selector_append(s, s->ids[i], calls[i].message);
                if (r >= 0)
                        r = append(object, calls[i].message);
                if (r < 0)
                        r = client_message_failed(r);
        }
        if (r >= 0)
                r = reach_calls(c, calls, n, ret);
        calls_free(calls, n);
        return r;
}

int reached_check(const Reached *reached)
{
        if (reached->remaining > 0)
                return fail("%u process%s still there: the kernel cannot end a process that is stuck inside "
                            "it",
                            reached->remaining, reached->remaining == 1 ? " is" : "es are");
        return reached->failed ? FAILED : 0;
}

static void reached_json(const Reached *reached, Buffer *b)
{
        buffer_append_string(b, "{\"ids\":[");
        STRV_FOREACH (id, reached->ids) {
                buffer_append_string(b, id == reached->ids ? "" : ",");
                json_string(b, *id);
        }
        buffer_append_string(b, "],\"pids\":[");
        for (size_t i = 0; i < reached->n_pids; i++)
                buffer_printf(b, "%s%" PRIu32, i > 0 ? "," : "", reached->pids[i]);
        buffer_append_string(b, "]");
        if (reached->tells_remaining)
                buffer_printf(b, ",\"remaining\":%" PRIu32, reached->remaining);
        buffer_append_string(b, "}\n");
}

int reached_print(const Reached *reached, Client *c, const char *done)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;

        if (c->json) {
                reached_json(reached, &b);
                return output_buffer(&b);
        }
        if (!reached->ids) {
                if (!reached->failed)
                        remark("nothing that runs was chosen: there is nothing to do");
                return 0;
        }
        buffer_printf(&b, "%s ", done);
        STRV_FOREACH (id, reached->ids) {
                buffer_append_string(&b, id == reached->ids ? "" : ", ");
                text_escape(&b, *id);
        }
        buffer_printf(&b, " (%zu process%s)\n", reached->n_pids, reached->n_pids == 1 ? "" : "es");
        return output_buffer(&b);
}
