/*
 * reevectl: the command line of org.reeve1. Every verb is a file and an entry of a table; here is only what
 * comes before and after it: where reeve is, which verb, and the exit status. It is a program of one task
 * and a short life, so an error is said where it is met and then handed up; nothing is retried.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
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

/* args[0] is that of a group, args[1] none of its verbs. */
static int group_misused(char *const *args)
{
        _cleanup_(buffer_done) Buffer words = BUFFER_INIT;
        _cleanup_free_ char *text = NULL;

        if (args[1] && (streq(args[1], "--help") || streq(args[1], "-h")))
                return args_help(args[0]);
        for (size_t i = 0; i < n_verbs; i++)
                if (verb_is_in_group(&verbs[i], args[0]))
                        buffer_printf(&words, "%s%s", words.size > 0 ? ", " : "",
                                      strchr(verbs[i].name, ' ') + 1);
        text = buffer_take(&words, NULL);
        return misuse(NULL, "%s %s%s%sone of these is needed: %s", args[0], args[1] ? "'" : "",
                      args[1] ?: "", args[1] ? "' is not known: " : "what? ", text ?: "");
}

/* 1: *ret is the verb, and its words are the first *ret_n; 0: help was shown; MISUSED. */
static int verb_choose(char *const *args, const Verb **ret, size_t *ret_n)
{
        const char *nearest = NULL;
        unsigned distance = 3;

        *ret = verb_find(args, ret_n);
        if (*ret)
                return 1;
        for (size_t i = 0; i < n_verbs; i++) {
                unsigned d = text_distance(verbs[i].name, args[0]);

                if (verb_is_in_group(&verbs[i], args[0]))
                        return group_misused(args);
                if (d < distance) {
                        distance = d;
                        nearest = verbs[i].name;
                }
        }
        return misuse(NULL, "there is no verb '%s'%s%s%s", args[0], nearest ? ": is " : "", nearest ?: "",
                      nearest ? " meant?" : "");
}

static int run(Client *c, char **args, const Verb **ret_verb)
{
        size_t n;
        int r;

        r = args_parse(NULL, c, args, NULL, NULL, &args);
        if (r <= 0)
                return r;
        if (!*args)
                return misuse(NULL, "what is to be done? exec, list, logs and stop are some of the verbs");
        r = verb_choose(args, ret_verb, &n);
        if (r <= 0)
                return r;
        r = arguments_check(*ret_verb, args + n);
        return r < 0 ? r : (*ret_verb)->run(*ret_verb, c, args + n);
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
