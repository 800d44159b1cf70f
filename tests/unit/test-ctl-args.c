/* The command line, with a table of verbs of the test's own: what is an option, what an operand, what is
 * wrong. */

#include "ctl/args.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/verbs.h"
#include "test-main.h"

static const Option own_options[] = {
                {1, 'v', "verbose", NULL, "say more"},
                {2, 's', "signal", "SIGNAL", "which"},
                {0},
};
static const Option shared_options[] = {
                {OPTION_JOB, 0, "session", "SESSION", "where"},
                {0},
};
const Verb verbs[] = {
                {.name = "kill",
                 .operands = "[ID...]",
                 .help = "Send a signal",
                 .notes = "Once.",
                 .options = own_options,
                 .shared = shared_options,
                 .max_operands = 2},
                {.name = "exec",
                 .operands = "COMMAND [ARG...]",
                 .help = "Run",
                 .options = own_options,
                 .flags = VERB_TAKES_COMMAND,
                 .min_operands = 1,
                 .max_operands = SIZE_MAX},
                {.name = "session open", .operands = "NAME", .help = "Make a session"},
};
const size_t n_verbs = ELEMENTSOF(verbs);

bool verb_is_in_group(const Verb *v, const char *group)
{
        const char *rest = startswith(v->name, group);

        return rest && *rest == ' ';
}

/* What a run of args_parse() has done: "1", "2=VALUE" for each option, then a bar, then the operands. */
typedef struct Outcome {
        int r;
        char **said;
        Client client;
        char *output; /* on stdout and stderr */
} Outcome;

static void outcome_done(Outcome *o)
{
        strv_free(o->said);
        free(o->output);
}

static int note_option(void *object, const Verb *verb, int id, const char *value)
{
        char ***said = object;

        ck_assert_int_eq(strv_consume(said, value ? str_printf("%d=%s", id, value) : str_printf("%d", id)),
                         0);
        return 0;
}

/* stdout and stderr go to a file while args are read. */
static Outcome parse(const Verb *verb, const char *const *words)
{
        char **args = (char *[16]){NULL}, **operands = NULL;
        int saved[2] = {dup(1), dup(2)};
        char path[] = "/tmp/test-ctl-args-XXXXXX";
        int fd = mkostemp(path, O_CLOEXEC);
        Outcome o = {0};
        off_t size;

        ck_assert_int_ge(fd, 0);
        unlink(path);
        for (size_t i = 0; words[i]; i++)
                args[i] = (char *) words[i];
        fflush(stdout);
        dup2(fd, 1);
        dup2(fd, 2);
        o.r = args_parse(verb, &o.client, args, note_option, &o.said, &operands);
        dup2(saved[0], 1);
        dup2(saved[1], 2);
        close(saved[0]);
        close(saved[1]);
        output_set_json(false);

        size = lseek(fd, 0, SEEK_END);
        o.output = alloc_zero(size + 1);
        ck_assert_int_eq(pread(fd, o.output, size, 0), size);
        close(fd);
        if (o.r == 1) {
                ck_assert_int_eq(strv_append(&o.said, "|"), 0);
                STRV_FOREACH (s, operands)
                        ck_assert_int_eq(strv_append(&o.said, *s), 0);
        }
        return o;
}

#define PARSE(verb, ...) parse(verb, (const char *[]){__VA_ARGS__, NULL})

/* expected: words with blanks between them. */
#define CHECK(verb, expected, ...)                                                                          \
        do {                                                                                                \
                Outcome o = PARSE(verb, __VA_ARGS__);                                                       \
                _cleanup_free_ char *said = strv_join(o.said, " ");                                         \
                                                                                                            \
                ck_assert_msg(o.r == 1, "%d: %s", o.r, o.output);                                           \
                ck_assert_str_eq(said, expected);                                                           \
                ck_assert_str_eq(o.output, "");                                                             \
                outcome_done(&o);                                                                           \
        } while (0)

#define CHECK_MISUSED(verb, message, ...)                                                                   \
        do {                                                                                                \
                Outcome o = PARSE(verb, __VA_ARGS__);                                                       \
                                                                                                            \
                ck_assert_int_eq(o.r, MISUSED);                                                             \
                ck_assert_msg(strstr(o.output, message), "%s", o.output);                                   \
                ck_assert_msg(strstr(o.output, "Try: reevectl "), "%s", o.output);                          \
                outcome_done(&o);                                                                           \
        } while (0)

#define KILL (&verbs[0])
#define EXEC (&verbs[1])

START_TEST(options_in_all_their_forms)
{
        CHECK(KILL, "1 2=9 200=w | a", "--verbose", "--signal=9", "--session", "w", "a");
        CHECK(KILL, "1 2=9 |", "-v", "-s", "9");
        CHECK(KILL, "1 2=9 |", "-vs9");
        CHECK(KILL, "2=9=x 2= |", "--signal=9=x", "--signal=");
        CHECK(KILL, "2=-v |", "-s", "-v"); /* an argument may begin with a dash */
}
END_TEST

START_TEST(operands_may_stand_between_options)
{
        CHECK(KILL, "1 2=9 | a b", "a", "-v", "b", "-s9");
        CHECK(KILL, "1 | a -v", "-v", "--", "a", "-v");
        CHECK(KILL, "1 | - ", "-v", "-", ""); /* "-" alone is no option, nor is nothing */
}
END_TEST

START_TEST(a_command_ends_the_options)
{
        CHECK(EXEC, "1 | ls -v --signal=9 --", "-v", "ls", "-v", "--signal=9", "--");
        CHECK(EXEC, "1 | -v", "-v", "--", "-v");
        CHECK(NULL, "| kill -s 9", "kill", "-s", "9"); /* so does the verb */
}
END_TEST

START_TEST(global_options_stand_anywhere)
{
        Outcome o = PARSE(KILL, "a", "--address=unix:path=/x", "--json");

        ck_assert_int_eq(o.r, 1);
        ck_assert_str_eq(o.client.address, "unix:path=/x");
        ck_assert(o.client.json);
        outcome_done(&o);
        o = PARSE(NULL, "--json", "kill", "--address=y");
        ck_assert(o.client.json);
        ck_assert_ptr_null(o.client.address); /* the verb reads that one */
        outcome_done(&o);
}
END_TEST

START_TEST(mistakes_are_named)
{
        CHECK_MISUSED(KILL, "there is no option --nix", "--nix");
        CHECK_MISUSED(KILL, "is --signal meant?", "--singal=9");
        CHECK_MISUSED(KILL, "there is no option -x", "-vx");
        CHECK_MISUSED(KILL, "--signal needs SIGNAL", "--signal");
        CHECK_MISUSED(KILL, "-s needs SIGNAL", "-vs");
        CHECK_MISUSED(KILL, "--verbose takes no argument", "--verbose=1");
        CHECK_MISUSED(KILL, "one too many: 'c'", "a", "b", "c");
        CHECK_MISUSED(EXEC, "exec needs COMMAND", "-v");
        CHECK_MISUSED(KILL, "there is no option --sig", "--sig=9"); /* no abbreviations */
}
END_TEST

START_TEST(help_is_made_of_the_tables)
{
        Outcome o = PARSE(KILL, "--help", "--nix");

        ck_assert_int_eq(o.r, 0);
        ck_assert_ptr_nonnull(strstr(o.output, "Usage: reevectl kill [OPTION...] [ID...]\n"));
        ck_assert_ptr_nonnull(strstr(o.output, "\n  -s, --signal=SIGNAL         which\n"));
        ck_assert_ptr_nonnull(strstr(o.output, "\n      --session=SESSION       where\n"));
        ck_assert_ptr_nonnull(strstr(o.output, "\nOnce.\n"));
        outcome_done(&o);
        o = PARSE(NULL, "-h");
        ck_assert_int_eq(o.r, 0);
        ck_assert_ptr_nonnull(strstr(o.output, "\n  kill [ID...]                Send a signal\n"));
        ck_assert_ptr_nonnull(strstr(o.output, "\n  session open NAME           Make a session\n"));
        outcome_done(&o);
}
END_TEST

TEST_MAIN("ctl-args", options_in_all_their_forms, operands_may_stand_between_options,
          a_command_ends_the_options, global_options_stand_anywhere, mistakes_are_named,
          help_is_made_of_the_tables)
