/* reevectl version: of both sides, since they come from different images more often than not. */

#include "basic/buffer.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/json.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/verbs.h"

static void append_json(Buffer *b, const Properties *reeve)
{
        buffer_append_string(b, "{\"client\":");
        json_string(b, REEVE_VERSION);
        buffer_append_string(b, ",\"server\":");
        json_string(b, properties_string(reeve, "Version"));
        buffer_append_string(b, ",\"containment\":");
        json_string(b, properties_string(reeve, "Containment"));
        buffer_append_string(b, "}\n");
}

int verb_version(const Verb *verb, Client *c, char **args)
{
        _cleanup_(properties_done) Properties reeve = PROPERTIES_INIT;
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        int r;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        r = client_properties(c, NULL, BUS_INTERFACE_MANAGER, &reeve);
        if (r < 0)
                return r;
        if (c->json)
                append_json(&b, &reeve);
        else {
                buffer_append_string(&b, "reevectl " REEVE_VERSION "\nreeve ");
                text_escape(&b, properties_string(&reeve, "Version"));
                buffer_append_string(&b, ", containment ");
                text_escape(&b, properties_string(&reeve, "Containment"));
                buffer_append_string(&b, "\n");
        }
        return output_buffer(&b);
}
