/* All calls go out together, and each has its own answer: what is refused of one object does not keep the
 * others from it. */

#include "ctl/each.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/output.h"
#include "ctl/text.h"

static void append_name(Buffer *b, const Client *c, const char *name, size_t n)
{
        buffer_append_string(b, n == 0 ? "" : c->json ? "," : ", ");
        c->json ? json_string(b, name) : text_escape(b, name);
}

static int print_answers(Client *c, char **names, const Call *calls, const char *key, const char *done)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        size_t n = 0;
        int r, status = 0;

        c->json ? buffer_printf(&b, "{\"%s\":[", key) : buffer_printf(&b, "%s ", done);
        for (size_t i = 0; names[i]; i++) {
                if (sd_bus_message_is_method_error(calls[i].reply, NULL) > 0)
                        status = client_report(c, sd_bus_message_get_error(calls[i].reply));
                else
                        append_name(&b, c, names[i], n++);
        }
        buffer_append_string(&b, c->json ? "]}\n" : "\n");
        if (n == 0 && !c->json)
                return status;
        r = output_buffer(&b);
        return r < 0 ? r : status;
}

typedef int (*PathFinder)(Client *c, const char *name, char **ret_path);

/* Those that are not there are taken out of names, and that was said. 0; FAILED; *ret_missing: some were. */
static int make_calls(Client *c, char **names, PathFinder find, const char *interface, const char *member,
                      Call *calls, bool *ret_missing)
{
        size_t n = 0;
        int r;

        for (size_t i = 0; names[i]; i++) {
                _cleanup_free_ char *path = NULL;

                r = find(c, names[i], &path);
                if (r < 0) {
                        *ret_missing = true;
                        continue;
                }
                r = client_message(c, path, interface, member, &calls[n].message);
                if (r < 0)
                        return r;
                names[n++] = names[i];
        }
        names[n] = NULL;
        return client_call_all(c, calls, n);
}

static int each(Client *c, char **names, PathFinder find, const char *interface, const char *member,
                const char *key, const char *done)
{
        size_t n = strv_length(names);
        bool missing = false;
        Call *calls;
        int r;

        calls = alloc_zero(n * sizeof(Call));
        if (!calls)
                return client_message_failed(-ENOMEM);
        r = make_calls(c, names, find, interface, member, calls, &missing);
        if (r >= 0)
                r = print_answers(c, names, calls, key, done);
        calls_free(calls, n);
        return r == 0 && missing ? FAILED : r;
}

int each_job(Client *c, char **ids, const char *member, const char *done)
{
        return each(c, ids, client_job_path, BUS_INTERFACE_JOB, member, "ids", done);
}

int each_session(Client *c, char **names, const char *member, const char *done)
{
        return each(c, names, client_session_path, BUS_INTERFACE_SESSION, member, "sessions", done);
}
