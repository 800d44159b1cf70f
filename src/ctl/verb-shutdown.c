/* reevectl exit, poweroff, reboot, halt: the end of all. The verb's name is what reeve calls it, too. */

#include "basic/parse.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

int verb_shutdown(const Verb *verb, Client *c, char **args)
{
        _cleanup_message_ sd_bus_message *m = NULL, *reply = NULL;
        uint64_t status = 0;
        int r;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        if (args[0] && (parse_u64(args[0], &status) < 0 || status > 255))
                return misuse(verb, "\"%s\" is no exit status, which is 0 to 255", args[0]);
        r = client_message(c, NULL, BUS_INTERFACE_MANAGER, "Shutdown", &m);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "si", verb->name, (int32_t) status);
        return r < 0 ? client_message_failed(r) : client_call(c, m, &reply);
}
