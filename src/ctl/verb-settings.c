/* reevectl settings: what -p takes, from the table that reeve itself reads. It asks nobody, and works
 * without a reeve. */

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/options.h"
#include "ctl/verbs.h"

int verb_settings(const Verb *verb, Client *c, char **args)
{
        int r;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        return r > 0 ? job_options_list(c->json) : r;
}
