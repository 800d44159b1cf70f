/*
 * Specifiers are resolved word by word, behind the splitting, so that an instance's name cannot become
 * several words; variables only when the command is run, for they may come from files. All is as systemd
 * does it, except that what cannot be meant is refused instead of passed on.
 */

#include "unit/command.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "unit/specifier.h"
#include "unit/words.h"

#define BLANKS " \t\n\r"
#define COMMANDS_MAX ((size_t) 64)
#define WORDS_MAX ((size_t) 1024)

typedef struct Reader {
        const char *text;
        const SpecifierContext *specifiers;
        char **ret_reason;
} Reader;

void unit_command_done(UnitCommand *c)
{
        free(c->path);
        strv_free(c->argv);
        *c = (UnitCommand){0};
}

void unit_commands_free(UnitCommand *commands, size_t n)
{
        for (size_t i = 0; i < n; i++)
                unit_command_done(&commands[i]);
        free(commands);
}

static int refuse(Reader *r, const char *reason)
{
        *r->ret_reason = str_copy(reason);
        return -EINVAL;
}

/* The next word with its specifiers resolved: 1, 0, -EINVAL, -ENOMEM. */
static int word_take(Reader *r, char **ret)
{
        _cleanup_free_ char *word = NULL;
        const char *reason = NULL;
        int k;

        k = word_next(&r->text, &word, &reason);
        if (k == -EINVAL)
                return refuse(r, reason);
        if (k <= 0)
                return k;
        k = specifiers_resolve(word, r->specifiers, ret, r->ret_reason);
        return k < 0 ? k : 1;
}

/* Takes the prefixes off, which stand in the first word before anything else. */
static int prefixes_read(Reader *r, const char **word, UnitCommand *c, bool *ret_own_name)
{
        const char *p;

        for (p = *word;; p++) {
                bool *flag = *p == '-'   ? &c->ignore_failure
                             : *p == ':' ? &c->no_variables
                             : *p == '+' ? &c->privileged
                             : *p == '@' ? ret_own_name
                                         : NULL;

                if (*p == '!')
                        return refuse(r, "has the prefix \"!\", and reeve has no ambient capabilities that "
                                         "it could "
                                         "leave to a command: \"+\" is without restrictions");
                if (!flag)
                        break;
                if (*flag)
                        return refuse(r, "has a prefix twice");
                *flag = true;
        }
        *word = p;
        return 0;
}

static int program_check(Reader *r, const char *path)
{
        size_t n = strlen(path);

        if (n == 0 || streq(path, ";"))
                return refuse(r, "names no program");
        if (path[n - 1] == '/')
                return refuse(r, "names a directory, not a program");
        if (path[0] != '/' && strchr(path, '/'))
                return refuse(r, "must have an absolute path or a plain name as its program");
        if (streq(path, ".") || streq(path, ".."))
                return refuse(r, "names a directory, not a program");
        return 0;
}

/* A ";" alone, which ends the command, or "\;", which is an argument. */
static bool semicolon_is_next(Reader *r, const char *spelled)
{
        const char *p = r->text + strspn(r->text, BLANKS);
        const char *rest = startswith(p, spelled);

        if (!rest || (*rest && !strchr(BLANKS, *rest)))
                return false;
        r->text = rest;
        return true;
}

static int arguments_read(Reader *r, UnitCommand *c, bool *ret_more)
{
        size_t n = strv_length(c->argv), allocated = c->argv ? n + 1 : 0;
        int k;

        *ret_more = false;
        for (;;) {
                char *word = NULL;

                if (semicolon_is_next(r, ";")) {
                        *ret_more = true;
                        return 0;
                }
                if (semicolon_is_next(r, "\\;")) {
                        word = str_copy(";");
                        k = word ? 1 : -ENOMEM;
                } else {
                        k = word_take(r, &word);
                }
                if (k <= 0)
                        return k;
                if (n >= WORDS_MAX + 1) {
                        free(word);
                        return refuse(r, "has more than 1024 arguments");
                }
                k = strv_push(&c->argv, &n, &allocated, word);
                if (k < 0)
                        return k;
        }
}

/* 1; 0: there is none. */
static int command_read(Reader *r, UnitCommand *c, bool *ret_more)
{
        _cleanup_free_ char *word = NULL;
        const char *program;
        bool own_name = false;
        int k;

        k = word_take(r, &word);
        if (k <= 0)
                return k;
        program = word;
        k = prefixes_read(r, &program, c, &own_name);
        if (k >= 0)
                k = program_check(r, program);
        if (k < 0)
                return k;
        c->path = str_copy(program);
        if (!c->path)
                return -ENOMEM;
        k = own_name ? 0 : strv_append(&c->argv, c->path);
        if (k >= 0)
                k = arguments_read(r, c, ret_more);
        if (k < 0)
                return k;
        if (!c->argv)
                return refuse(r, "has the prefix \"@\", but no second word, which would be argv[0]");
        return 1;
}

int unit_commands_parse(const char *text, const SpecifierContext *specifiers, UnitPlace place,
                        UnitCommand **ret, size_t *ret_n, char **ret_reason)
{
        Reader reader = {.text = text, .specifiers = specifiers, .ret_reason = ret_reason};
        UnitCommand *list = NULL;
        size_t n = 0;
        bool more = true;
        int k = 0;

        while (more) {
                UnitCommand c = {.place = place}, *longer;

                more = false;
                k = command_read(&reader, &c, &more);
                if (k > 0 && n == COMMANDS_MAX)
                        k = refuse(&reader, "has more than 64 commands");
                longer = k > 0 ? alloc_resize(list, n + 1, sizeof(UnitCommand)) : NULL;
                if (!longer) {
                        unit_command_done(&c);
                        k = k > 0 ? -ENOMEM : k;
                        break;
                }
                list = longer;
                list[n++] = c;
        }
        if (k >= 0 && n == 0)
                k = refuse(&reader, "names no program");
        if (k < 0) {
                unit_commands_free(list, n);
                return k;
        }
        *ret = list;
        *ret_n = n;
        return 0;
}
