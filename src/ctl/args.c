/*
 * getopt_long(3) would do for the reading, but not for the rest: it prints errors of its own, takes
 * abbreviations that break when an option is added, and knows nothing of help. One table an option, as for
 * verbs and settings, gives all three.
 */

#include "ctl/args.h"

#include <stdio.h>
#include <unistd.h>

#include "basic/buffer.h"
#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/verbs.h"

enum {
        OPTION_ADDRESS = OPTION_GLOBAL,
        OPTION_JSON,
        OPTION_HELP,
        OPTION_VERSION,
};

static const Option global_options[] = {
                {OPTION_ADDRESS, 0, "address", "ADDRESS",
                 "where reeve listens (default $REEVE_ADDRESS, else " BUS_ADDRESS_DEFAULT ")"},
                {OPTION_JSON, 0, "json", NULL, "answer with JSON, for programs"},
                {OPTION_HELP, 'h', "help", NULL, "show this help; after a verb, that of the verb"},
                {OPTION_VERSION, 0, "version", NULL, "show the version of reevectl"},
                {0},
};

/* Help */

#define HELP_COLUMNS 79U
#define HELP_LEFT 30U

/* text from column `left` on, broken at blanks; `at` is where the line is already. */
static void help_wrap(Buffer *b, size_t at, size_t left, const char *text)
{
        while (*text) {
                size_t fits = text_prefix(text, HELP_COLUMNS - left), end = fits;

                while (text[fits] && end > 0 && text[end] != ' ')
                        end--;
                end = end > 0 ? end : fits;
                buffer_printf(b, "%*s%.*s\n", (int) (left - at), "", (int) end, text);
                text += end;
                text += *text == ' ';
                at = 0;
        }
}

static void help_row(Buffer *b, const char *name, const char *help)
{
        size_t n = text_width(name);

        buffer_append_string(b, name);
        if (n + 2 > HELP_LEFT) {
                buffer_append_string(b, "\n");
                n = 0;
        }
        help_wrap(b, n, HELP_LEFT, help);
}

static void help_paragraph(Buffer *b, const char *text)
{
        help_wrap(b, 0, 0, text);
}

static void help_options(Buffer *b, const char *title, const Option *options)
{
        if (!options)
                return;
        buffer_printf(b, "\n%s:\n", title);
        for (const Option *o = options; o->id; o++) {
                char left[64];

                snprintf(left, sizeof(left), "  %c%c%s --%s%s%s", o->letter ? '-' : ' ', o->letter ?: ' ',
                         o->letter ? "," : " ", o->name, o->argument ? "=" : "", o->argument ?: "");
                help_row(b, left, o->help);
        }
}

int args_help(const char *group)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;

        buffer_printf(&b, "Usage: reevectl [OPTION...] %s%sVERB [ARGUMENT...]\n\n", group ?: "",
                      group ? " " : "");
        help_paragraph(&b, "Run commands in a sandbox that reeve is the init of, see them, end them.");
        buffer_append_string(&b, "\nVerbs:\n");
        for (size_t i = 0; i < n_verbs; i++) {
                char left[64];

                if (group && !verb_is_in_group(&verbs[i], group))
                        continue;
                snprintf(left, sizeof(left), "  %s %s", verbs[i].name, verbs[i].operands);
                help_row(&b, left, verbs[i].help);
        }
        help_options(&b, "Options", global_options);
        buffer_append_string(&b, "\nMore: reevectl VERB --help, reevectl(1)\n");
        return output_buffer(&b);
}

static int help_verb(const Verb *verb)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;

        buffer_printf(&b, "Usage: reevectl %s [OPTION...]%s%s\n\n", verb->name, *verb->operands ? " " : "",
                      verb->operands);
        help_paragraph(&b, verb->help);
        help_options(&b, "Options", verb->options);
        help_options(&b, verb->options ? "And" : "Options", verb->shared);
        help_options(&b, "With every verb", global_options);
        if (verb->notes) {
                buffer_append_string(&b, "\n");
                help_paragraph(&b, verb->notes);
        }
        return output_buffer(&b);
}

/* Reading */

static int option_global(Client *c, const Verb *verb, int id, const char *value)
{
        int r;

        switch (id) {
        case OPTION_ADDRESS: c->address = value; return 0;
        case OPTION_JSON:
                c->json = true;
                output_set_json(true);
                return 0;
        case OPTION_HELP: r = verb ? help_verb(verb) : args_help(NULL); return r < 0 ? r : 1;
        default:
                r = output_bytes(STDOUT_FILENO, "reevectl " REEVE_VERSION "\n",
                                 strlen("reevectl " REEVE_VERSION "\n"));
                return r < 0 ? r : 1;
        }
}

typedef struct Tables {
        const Option *tables[3];
} Tables;

static const Option *option_by_letter(const Tables *t, char letter)
{
        for (size_t i = 0; i < ELEMENTSOF(t->tables); i++)
                for (const Option *o = t->tables[i]; o && o->id; o++)
                        if (o->letter == letter)
                                return o;
        return NULL;
}

/* name is the first n bytes of what was given. *ret_nearest: what it may be meant as, or NULL. */
static const Option *option_by_name(const Tables *t, const char *name, size_t n, const char **ret_nearest)
{
        unsigned distance = 3; /* what is further away is no slip of the finger */
        char given[64];

        *ret_nearest = NULL;
        snprintf(given, sizeof(given), "%.*s", (int) MIN(n, sizeof(given)), name);
        for (size_t i = 0; i < ELEMENTSOF(t->tables); i++)
                for (const Option *o = t->tables[i]; o && o->id; o++) {
                        unsigned d = text_distance(o->name, given);

                        if (d == 0)
                                return o;
                        if (d < distance) {
                                distance = d;
                                *ret_nearest = o->name;
                        }
                }
        return NULL;
}

/* One option is read: its argument and the setter of its table. */
typedef struct Parser {
        const Verb *verb;
        Client *client;
        OptionSetter set;
        void *object;
        Tables tables;
        char **next;
} Parser;

static int option_take(Parser *p, const Option *o, const char *value)
{
        if (o->id >= OPTION_GLOBAL)
                return option_global(p->client, p->verb, o->id, value);
        return p->set(p->object, p->verb, o->id, value);
}

static int parse_long(Parser *p, const char *arg)
{
        const char *name = arg + 2, *nearest, *value = NULL;
        size_t n = strcspn(name, "=");
        const Option *o;

        o = option_by_name(&p->tables, name, n, &nearest);
        if (!o)
                return misuse(p->verb, "there is no option --%.*s%s%s%s", (int) n, name,
                              nearest ? ": is --" : "", nearest ?: "", nearest ? " meant?" : "");
        if (name[n] == '=')
                value = name + n + 1;
        else if (o->argument && *p->next)
                value = *p->next++;
        if (o->argument && !value)
                return misuse(p->verb, "--%s needs %s", o->name, o->argument);
        if (!o->argument && value)
                return misuse(p->verb, "--%s takes no argument", o->name);
        return option_take(p, o, value);
}

/* "-iv", "-pKEY=VALUE", "-p KEY=VALUE". */
static int parse_letters(Parser *p, const char *arg)
{
        for (const char *letter = arg + 1; *letter; letter++) {
                const char *value = NULL;
                const Option *o;
                int r;

                o = option_by_letter(&p->tables, *letter);
                if (!o)
                        return misuse(p->verb, "there is no option -%c", *letter);
                if (o->argument) {
                        value = letter[1] ? letter + 1 : *p->next ? *p->next++ : NULL;
                        if (!value)
                                return misuse(p->verb, "-%c needs %s", *letter, o->argument);
                }
                r = option_take(p, o, value);
                if (r != 0 || o->argument)
                        return r;
        }
        return 0;
}

static int operands_check(const Verb *verb, char *const *operands)
{
        size_t n = 0;

        if (!verb)
                return 1;
        while (operands[n])
                n++;
        if (n < verb->min_operands)
                return misuse(verb, "%s needs %s", verb->name, verb->operands);
        if (n > verb->max_operands)
                return misuse(verb, "%s: one too many: '%s'", verb->name, operands[verb->max_operands]);
        return 1;
}

int args_parse(const Verb *verb, Client *c, char **args, OptionSetter set, void *object,
               char ***ret_operands)
{
        bool stops = !verb || (verb->flags & VERB_TAKES_COMMAND);
        Parser p = {
                        .verb = verb,
                        .client = c,
                        .set = set,
                        .object = object,
                        .tables = {{verb ? verb->options : NULL, verb ? verb->shared : NULL,
                                    global_options}},
                        .next = args,
        };
        char **end = args;
        int r;

        while (*p.next) {
                char *arg = *p.next;

                if (arg[0] != '-' || !arg[1]) { /* "-" alone is an operand, as everywhere */
                        if (stops)
                                break;
                        *end++ = arg;
                        p.next++;
                        continue;
                }
                p.next++;
                if (streq(arg, "--"))
                        break;
                r = arg[1] == '-' ? parse_long(&p, arg) : parse_letters(&p, arg);
                if (r != 0)
                        return r > 0 ? 0 : r;
        }
        while (*p.next)
                *end++ = *p.next++;
        *end = NULL;
        *ret_operands = args;
        return operands_check(verb, args);
}
