/* reevectl freeze, reevectl thaw: jobs stand still, and go on. Of a session it is what is in its slice, and
 * what will be. */

#include "basic/strv.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/each.h"
#include "ctl/output.h"
#include "ctl/verbs.h"

enum {
        OPTION_SESSION = 1,
};

const Option freeze_options[] = {
                {OPTION_SESSION, 0, "session", "SESSION", "that session as a whole, instead of jobs"},
                {0},
};

static int freeze_set(void *object, const Verb *verb, int id, const char *value)
{
        const char **session = object;

        *session = value;
        return 0;
}

static int freeze_or_thaw(const Verb *verb, Client *c, char **args, const char *member, const char *done)
{
        const char *session = NULL;
        int r;

        r = args_parse(verb, c, args, freeze_set, &session, &args);
        if (r <= 0)
                return r;
        if (!session == !*args)
                return misuse(verb, "%s needs either ids of jobs, or --session=", verb->name);
        if (session)
                return each_session(c, (char *[]){(char *) session, NULL}, member, done);
        return each_job(c, args, member, done);
}

int verb_freeze(const Verb *verb, Client *c, char **args)
{
        return freeze_or_thaw(verb, c, args, "Freeze", "froze");
}

int verb_thaw(const Verb *verb, Client *c, char **args)
{
        return freeze_or_thaw(verb, c, args, "Thaw", "thawed");
}
