/* Command lines, systemd.service(5): each rule and each example of the page. */

#include "unit/command.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/strv.h"
#include "test-main.h"
#include "unit/specifier.h"

static const SpecifierContext context = {.name = "web@a\\x2db.service", .hostname = "hal"};

/* Flags, path, arguments with commas, a bar behind each command; or "! reason". */
static char *read_line(const char *text)
{
        _cleanup_free_ char *reason = NULL;
        UnitCommand *list = NULL;
        Buffer b = BUFFER_INIT;
        size_t n = 0;
        int r;

        r = unit_commands_parse(text, &context, (UnitPlace){.line = 7}, &list, &n, &reason);
        if (r == -EINVAL) {
                ck_assert_ptr_null(list);
                return str_printf("! %s", reason);
        }
        ck_assert_int_eq(r, 0);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *argv = strv_join(list[i].argv, ",");

                ck_assert_uint_eq(list[i].place.line, 7);
                buffer_printf(&b, "%s%s%s%s(%s)|", list[i].ignore_failure ? "-" : "",
                              list[i].no_variables ? ":" : "", list[i].privileged ? "+" : "", list[i].path,
                              argv);
        }
        unit_commands_free(list, n);
        return buffer_take(&b, NULL);
}

static const struct {
        const char *text, *commands;
} line_cases[] = {
                {"/bin/x", "/bin/x(/bin/x)|"},
                {"x a", "x(x,a)|"},
                {"/bin/x  a\t'b c' \"d e\"", "/bin/x(/bin/x,a,b c,d e)|"},
                {"\"/bin/x y\" a", "/bin/x y(/bin/x y,a)|"},
                {"/bin/x \"\"", "/bin/x(/bin/x,)|"},
                {"/bin/x a\\tb \\x41 \\101 \\u00e4", "/bin/x(/bin/x,a\tb,A,A,ä)|"},
                /* no shell */
                {"/bin/echo > | & * ? ~ #x", "/bin/echo(/bin/echo,>,|,&,*,?,~,#x)|"},
                {"/bin/sh -c 'a && b'", "/bin/sh(/bin/sh,-c,a && b)|"},
                {"/bin/sh -c 'dmesg | tac'", "/bin/sh(/bin/sh,-c,dmesg | tac)|"},
                /* prefixes */
                {"-/bin/x", "-/bin/x(/bin/x)|"},
                {":/bin/x $A", ":/bin/x(/bin/x,$A)|"},
                {"+/bin/x", "+/bin/x(/bin/x)|"},
                {"@/bin/x y z", "/bin/x(y,z)|"},
                {"@/bin/x y", "/bin/x(y)|"},
                {"-@:+/bin/x y", "-:+/bin/x(y)|"},
                {"+:@-/bin/x y", "-:+/bin/x(y)|"},
                {"-x", "-x(x)|"},
                {"/bin/x -y", "/bin/x(/bin/x,-y)|"}, /* only at the beginning */
                {"--/bin/x", "! has a prefix twice"},
                {"@@/bin/x y", "! has a prefix twice"},
                {"@/bin/x", "! has the prefix \"@\", but no second word, which would be argv[0]"},
                {"@/bin/x ; /bin/y", "! has the prefix \"@\", but no second word, which would be argv[0]"},
                /* several */
                {"/bin/echo one ; /bin/echo \"two two\"",
                 "/bin/echo(/bin/echo,one)|/bin/echo(/bin/echo,two two)|"},
                {"/bin/x a ; -/bin/y b ; @/bin/z zz", "/bin/x(/bin/x,a)|-/bin/y(/bin/y,b)|/bin/z(zz)|"},
                {"/bin/x a\\sb ;", "/bin/x(/bin/x,a b)|"},
                {"/bin/x a \\; b", "/bin/x(/bin/x,a,;,b)|"},
                {"/bin/x \\;", "/bin/x(/bin/x,;)|"},
                {"/bin/x a; b", "/bin/x(/bin/x,a;,b)|"}, /* not alone */
                {"/bin/x ;b", "/bin/x(/bin/x,;b)|"},
                {"/bin/x ';' b", "/bin/x(/bin/x,;,b)|"},
                {"; /bin/x", "! names no program"},
                {"/bin/x ; ; /bin/y", "! names no program"},
                {"/bin/x \\;a", "! has a backslash"},
                /* specifiers, in the program, too; resolved behind the splitting */
                {"/bin/%p %i %I %% %n %N %H %j", "/bin/web(/bin/web,a\\x2db,a-b,%,web@a\\x2db.service,"
                                                 "web@a\\x2db,hal,web)|"},
                {"/bin/x %x", "! has the specifier %x, which reeve has not (a plain % is %%)"},
                {"/bin/x 5%", "! ends in a single %"},
                /* programs */
                {"bin/x", "! must have an absolute path or a plain name as its program"},
                {"./x", "! must have an absolute path or a plain name as its program"},
                {"/bin/", "! names a directory, not a program"},
                {"..", "! names a directory, not a program"},
                {"", "! names no program"},
                {"-", "! names no program"},
                {"''", "! names no program"},
                {"!/bin/x", "! has the prefix \"!\""},
                {"!!/bin/x", "! has the prefix \"!\""},
                {"-!/bin/x", "! has the prefix \"!\""},
                /* quotes */
                {"/bin/x 'a", "! has a quote that is not closed"},
                {"/bin/x a\\q", "! has a backslash"},
                {"/bin/x it's", "! has a quote that is not closed"},
};

START_TEST(lines)
{
        for (size_t i = 0; i < ELEMENTSOF(line_cases); i++) {
                _cleanup_free_ char *found = read_line(line_cases[i].text);

                ck_assert_msg(line_cases[i].commands[0] == '!'
                                              ? startswith(found, line_cases[i].commands) != NULL
                                              : streq(found, line_cases[i].commands),
                              "%s\ngives %s\nnot   %s", line_cases[i].text, found, line_cases[i].commands);
        }
}
END_TEST

static char *repeat(const char *first, const char *more, unsigned n)
{
        Buffer b = BUFFER_INIT;

        buffer_append_string(&b, first);
        for (unsigned i = 0; i < n; i++)
                buffer_append_string(&b, more);
        return buffer_take(&b, NULL);
}

START_TEST(lines_have_an_end)
{
        _cleanup_free_ char *fits = repeat("/x", " a", 1024), *too_long = repeat("/x", " a", 1025),
                            *commands = repeat("/x", " ; /x", 63), *too_many = repeat("/x", " ; /x", 64);
        _cleanup_free_ char *a = read_line(fits), *b = read_line(too_long), *c = read_line(commands),
                            *d = read_line(too_many);

        ck_assert_uint_eq(strlen(a), strlen("/x(/x") + 2 * 1024 + strlen(")|"));
        ck_assert_str_eq(b, "! has more than 1024 arguments");
        ck_assert_uint_eq(strlen(c), 64 * strlen("/x(/x)|"));
        ck_assert_str_eq(d, "! has more than 64 commands");
}
END_TEST

static char *environment[] = {(char *) "ONE=one",
                              (char *) "TWO=two two",
                              (char *) "EMPTY=",
                              (char *) "SP= a  b ",
                              (char *) "QUOTED='x y' z\"w\" p\\ q",
                              (char *) "OPEN=a 'b c",
                              (char *) "NEST=$ONE ${TWO}",
                              (char *) "_U1=u",
                              NULL};

static char *expand(const char *text)
{
        _cleanup_free_ char *reason = NULL;
        _cleanup_strv_ char **argv = NULL;
        UnitCommand *list = NULL;
        size_t n = 0;

        ck_assert_int_eq(unit_commands_parse(text, &context, (UnitPlace){0}, &list, &n, &reason), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_int_eq(unit_command_expand(&list[0], environment, &argv), 0);
        unit_commands_free(list, n);
        return strv_join(argv, "|");
}

START_TEST(variables)
{
        static const struct {
                const char *text, *argv;
        } cases[] = {
                        /* the examples of systemd.service(5) */
                        {"/bin/echo $ONE $TWO ${TWO}", "/bin/echo|one|two|two|two two"},
                        {"/bin/echo / >/dev/null & \\; ls", "/bin/echo|/|>/dev/null|&|;|ls"},
                        /* alone: split */
                        {"x $SP", "x|a|b"},
                        {"x $EMPTY $UNSET y", "x|y"},
                        {"x $QUOTED", "x|x y|zw|p q"},
                        {"x $OPEN", "x|a|b c"},
                        {"x $NEST", "x|$ONE|${TWO}"}, /* once */
                        {"x '$TWO'", "x|two|two"},    /* the quotes are gone by then */
                        {"x $_U1", "x|u"},
                        /* in braces: one word, anywhere */
                        {"x ${SP}", "x| a  b "},
                        {"x ${EMPTY} ${UNSET} y", "x|||y"},
                        {"x a${ONE}b${TWO}c", "x|aonebtwo twoc"},
                        {"x ${QUOTED}", "x|'x y' z\"w\" p\\ q"},
                        {"x ${NEST}", "x|$ONE ${TWO}"},
                        {"x ${}", "x|"},
                        {"x ${ONE", "x|${ONE"},
                        /* without braces only alone */
                        {"x a$ONE", "x|a$ONE"},
                        {"x \"$ONE $TWO\"", "x"}, /* there is no variable of that name */
                        {"x a$", "x|a$"},
                        {"x a$b$$c", "x|a$b$c"},
                        /* dollars */
                        {"x $$ONE", "x|$ONE"},
                        {"x $${ONE}", "x|${ONE}"},
                        {"x a$$b", "x|a$b"},
                        {"x $$$$", "x|$$"},
                        {"x $$", "x|$"},
                        {"x $$${ONE}", "x|$one"},
                        /* not at all */
                        {":x $ONE ${TWO} $$", "x|$ONE|${TWO}|$$"},
                        /* the program is no variable; what it is called can have one */
                        {"/bin/${ONE}", "/bin/${ONE}"},
                        {"@x ${ONE}-y $ONE", "one-y|one"},
                        {"@x $ONE", "$ONE"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *found = expand(cases[i].text);

                ck_assert_msg(streq(found, cases[i].argv), "%s\ngives %s\nnot   %s", cases[i].text, found,
                              cases[i].argv);
        }
}
END_TEST

START_TEST(what_comes_out_has_an_end)
{
        static char value[100 * 1024 + 3] = "A=";
        char *const large[] = {value, NULL};
        _cleanup_free_ char *text = repeat("/x", " ${A}", 30), *words = repeat("/x", " $A", 30),
                            *joined = repeat("/x ", "${A}", 30), *fits = repeat("/x", " ${A}", 10);
        const char *const long_lines[] = {text, words, joined, fits};

        memset(value + 2, 'a', sizeof(value) - 3);
        for (size_t i = 0; i < ELEMENTSOF(long_lines); i++) {
                _cleanup_free_ char *reason = NULL;
                UnitCommand *list = NULL;
                char **argv = NULL;
                size_t n = 0;

                ck_assert_int_eq(unit_commands_parse(long_lines[i], &context, (UnitPlace){0}, &list, &n,
                                                     &reason),
                                 0);
                ck_assert_int_eq(unit_command_expand(&list[0], large, &argv),
                                 long_lines[i] == fits ? 0 : -E2BIG);
                strv_free(argv);
                unit_commands_free(list, n);
        }
}
END_TEST

START_TEST(a_want_of_memory_changes_nothing)
{
        for (unsigned nth = 1;; nth++) {
                _cleanup_free_ char *reason = NULL;
                UnitCommand *list = NULL;
                char **argv = NULL;
                unsigned hits;
                size_t n = 0;
                int r;

                alloc_fault_set(nth, 0);
                r = unit_commands_parse("-@/bin/%p '%i' $TWO a${ONE} \\; ; /y", &context, (UnitPlace){0},
                                        &list, &n, &reason);
                if (r >= 0)
                        r = unit_command_expand(&list[0], environment, &argv);
                hits = alloc_fault_hits();
                alloc_fault_set(0, 0);
                if (r >= 0)
                        ck_assert_uint_eq(strv_length(argv), 5);
                else
                        ck_assert_int_eq(r, -ENOMEM);
                strv_free(argv);
                unit_commands_free(list, n);
                if (hits == 0) {
                        ck_assert_int_eq(r, 0);
                        break;
                }
        }
}
END_TEST

TEST_MAIN("unit-command", lines, lines_have_an_end, variables, what_comes_out_has_an_end,
          a_want_of_memory_changes_nothing)
