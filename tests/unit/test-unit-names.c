/* The small words of unit files: names of units, specifiers, exit statuses. */

#include <errno.h>

#include "basic/alloc.h"
#include "test-main.h"
#include "unit/exit-status.h"
#include "unit/name.h"
#include "unit/specifier.h"

START_TEST(names_have_a_kind)
{
        static const struct {
                const char *name;
                UnitNameKind kind;
        } cases[] = {
                        {"a.service", UNIT_NAME_PLAIN},
                        {"a-b_c:d.e\\x2df.service", UNIT_NAME_PLAIN},
                        {"a@.service", UNIT_NAME_TEMPLATE},
                        {"a@b.service", UNIT_NAME_INSTANCE},
                        {"a@b@c.d.service", UNIT_NAME_INSTANCE},
                        {"a@@.service", UNIT_NAME_INSTANCE},
                        {"network.target", UNIT_NAME_FOREIGN},
                        {"dbus.socket", UNIT_NAME_FOREIGN},
                        {"dev-sda1.device", UNIT_NAME_FOREIGN},
                        {"", UNIT_NAME_INVALID},
                        {"a", UNIT_NAME_INVALID},
                        {".service", UNIT_NAME_INVALID},
                        {"@.service", UNIT_NAME_INVALID},
                        {"@a.service", UNIT_NAME_INVALID},
                        {"a.conf", UNIT_NAME_INVALID},
                        {"a.Service", UNIT_NAME_INVALID},
                        {"a b.service", UNIT_NAME_INVALID},
                        {"a/b.service", UNIT_NAME_INVALID},
                        {"\xc3\xa4.service", UNIT_NAME_INVALID},
                        {"a.service.d", UNIT_NAME_INVALID},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                ck_assert_msg(unit_name_kind(cases[i].name) == cases[i].kind, "%s", cases[i].name);
}
END_TEST

START_TEST(names_have_a_length)
{
        char name[UNIT_NAME_LENGTH_MAX + 2];

        memset(name, 'a', sizeof(name));
        strcpy(name + UNIT_NAME_LENGTH_MAX - 8, ".service");
        ck_assert_int_eq(unit_name_kind(name), UNIT_NAME_PLAIN);
        strcpy(name + UNIT_NAME_LENGTH_MAX - 7, ".service");
        ck_assert_int_eq(unit_name_kind(name), UNIT_NAME_INVALID);
}
END_TEST

START_TEST(specifiers)
{
        static const struct {
                const char *unit, *text, *result; /* result "!" and a part of the reason */
        } cases[] = {
                        {"a.service", "", ""},
                        {"a.service", "plain", "plain"},
                        {"a.service", "%n %N %p [%i] [%I] %j %H %%", "a.service a a [] [] a hal %"},
                        {"a-b-c.service", "%j", "c"},
                        {"a-b@c-d.service", "%n %N %p %i %I %j", "a-b@c-d.service a-b@c-d a-b c-d c/d b"},
                        {"a@b@c.service", "%p %i", "a b@c"},
                        {"a@x\\x2dy.service", "%i %I", "x\\x2dy x-y"},
                        {"a@\\x41\\x7a.service", "%I", "Az"},
                        {"a@b.service", "%%i", "%i"},
                        {"a@b.service", "%%%i%%", "%b%"},
                        {"a@b.service", "%i%i", "bb"},
                        {"a@\\x4.service", "%i", "\\x4"},
                        {"a@\\x4.service", "%I", "!not an escaped one"},
                        {"a@\\q.service", "%I", "!not an escaped one"},
                        {"a@\\x00.service", "%I", "!not an escaped one"},
                        {"a.service", "100%", "!ends in a single %"},
                        {"a.service", "%t/x", "!has the specifier %t"},
                        {"a.service", "% x", "!has the specifier % "},
                        {"a.service", "%\xc3\xa4", "!has a % that starts no specifier"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const SpecifierContext c = {.name = cases[i].unit, .hostname = "hal"};
                _cleanup_free_ char *result = NULL, *reason = NULL;
                int r = specifiers_resolve(cases[i].text, &c, &result, &reason);

                if (cases[i].result[0] == '!') {
                        ck_assert_int_eq(r, -EINVAL);
                        ck_assert_ptr_nonnull(strstr(reason, cases[i].result + 1));
                } else {
                        ck_assert_int_eq(r, 0);
                        ck_assert_str_eq(result, cases[i].result);
                }
        }
}
END_TEST

START_TEST(a_host_without_a_name)
{
        const SpecifierContext c = {.name = "a.service"};
        _cleanup_free_ char *result = NULL, *reason = NULL;

        ck_assert_int_eq(specifiers_resolve("%H", &c, &result, &reason), -EINVAL);
        ck_assert_ptr_null(result);
}
END_TEST

START_TEST(exit_statuses)
{
        static const struct {
                const char *word;
                int code, signal; /* code -1: none; both: refused */
        } cases[] = {
                        {"0", 0, 0},           {"255", 255, 0},
                        {"1", 1, 0},           {"SUCCESS", 0, 0},
                        {"TEMPFAIL", 75, 0},   {"USAGE", 64, 0},
                        {"EXCEPTION", 255, 0}, {"EXEC", 203, 0},
                        {"SIGKILL", -1, 9},    {"KILL", -1, 9},
                        {"TERM", -1, 15},      {"RTMIN+3", -1, 37},
                        {"256", -1, -1},       {"-1", -1, -1},
                        {"+1", -1, -1},        {"tempfail", -1, -1},
                        {"SIGNONE", -1, -1},   {"", -1, -1},
                        {"1x", -1, -1},        {"99999999999999999999", -1, -1},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                ExitStatusSet s = {0}, none = {0};
                int r = exit_status_set_add(&s, cases[i].word);

                if (cases[i].code < 0 && cases[i].signal < 0) {
                        ck_assert_msg(r == -EINVAL, "%s", cases[i].word);
                        ck_assert_mem_eq(&s, &none, sizeof(s));
                        continue;
                }
                ck_assert_msg(r == 0, "%s", cases[i].word);
                for (int code = 0; code < 256; code++)
                        ck_assert(exit_status_set_has(&s, code, 0) == (code == cases[i].code));
                for (int signal = 1; signal <= 64; signal++)
                        ck_assert(exit_status_set_has(&s, 0, signal) == (signal == cases[i].signal));
        }
        ck_assert(!exit_status_set_has(&(ExitStatusSet){{~UINT64_C(0)}, ~UINT64_C(0)}, 0, 65));
}
END_TEST

TEST_MAIN("unit-names", names_have_a_kind, names_have_a_length, specifiers, a_host_without_a_name,
          exit_statuses)
