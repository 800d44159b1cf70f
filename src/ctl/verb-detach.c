/* reevectl detach: let jobs outlive their session. */

#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/each.h"
#include "ctl/verbs.h"

int verb_detach(const Verb *verb, Client *c, char **args)
{
        int r;

        r = args_parse(verb, c, args, NULL, NULL, &args);
        return r > 0 ? each_job(c, args, "Detach", "detached") : r;
}
