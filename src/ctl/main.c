/*
 * reevectl: the command line of org.reeve1. Every verb is a file and an entry of a table; here is only what
 * comes before and after it: where reeve is, which verb, and the exit status. It is a program of one task
 * and a short life, so an error is said where it is met and then handed up; nothing is retried.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/utf8.h"
#include "ctl/args.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/verbs.h"

#define STATUS_FAILED 1
#define STATUS_MISUSED 2
#define STATUS_COMMAND_FAILED                                                                               \
        125 /* as env(1), timeout(1), docker(1): not of the command, but of who was to run it */

/* With one of 0, 1, 2 closed the connection would get its number, and the output of a command would go to
 * reeve. What stands in for it gives the same error as a closed one: it is open the other way round. */
static void open_standard_descriptors(void)
{
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0)
                        (void) open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* sd-bus would send other bytes and be disconnected for it. */
static int arguments_check(const Verb *verb, char *const *args)
{
        for (size_t i = 0; args[i]; i++)
                if (!utf8_is_valid(args[i], strlen(args[i])))
                        return misuse(verb, "argument %zu, '%s', is not UTF-8: D-Bus carries nothing else",
                                      i + 1, args[i]);
        return 0;
}

static const Verb *verb_choose(const char *name)
{
        const Verb *nearest = NULL, *verb = verb_find(name);
        unsigned distance = 3;

        if (verb)
                return verb;
        for (size_t i = 0; i < n_verbs; i++) {
                unsigned d = text_distance(verbs[i].name, name);

                if (d < distance) {
                        distance = d;
                        nearest = &verbs[i];
                }
        }
        misuse(NULL, "there is no verb '%s'%s%s%s", name, nearest ? ": is " : "",
               nearest ? nearest->name : "", nearest ? " meant?" : "");
        return NULL;
}

static int run(Client *c, char **args, const Verb **ret_verb)
{
        int r;

        r = args_parse(NULL, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        if (!*args)
                return misuse(NULL, "what is to be done? exec, list, logs and stop are some of the verbs");
        *ret_verb = verb_choose(*args);
        if (!*ret_verb)
                return MISUSED;
        r = arguments_check(*ret_verb, args + 1);
        return r < 0 ? r : (*ret_verb)->run(*ret_verb, c, args + 1);
}

static int exit_status(int r, const Verb *verb)
{
        if (r >= 0)
                return r;
        if (r == CLOSED)
                return 128 + SIGPIPE; /* as if it had not been ignored */
        if (verb && (verb->flags & VERB_IS_COMMAND))
                return STATUS_COMMAND_FAILED;
        return r == MISUSED ? STATUS_MISUSED : STATUS_FAILED;
}

int main(int argc, char *argv[])
{
        const char *address = getenv("REEVE_ADDRESS");
        Client c = {.address = isempty(address) ? BUS_ADDRESS_DEFAULT : address};
        const Verb *verb = NULL;
        int r;

        open_standard_descriptors();
        r = run(&c, argv + (argc > 0), &verb);
        client_done(&c);
        return exit_status(r, verb);
}
