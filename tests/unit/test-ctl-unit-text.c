/* Names of units as people write them, and what is wrong with unit files as people read it. */

#include "ctl/unit-text.h"

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "test-main.h"

static void check_name(const char *name, const char *expected)
{
        _cleanup_free_ char *full = unit_full_name(name);

        ck_assert_str_eq(full, expected);
}

START_TEST(names)
{
        check_name("web", "web.service");
        check_name("web.service", "web.service");
        check_name("web@", "web@.service");
        check_name("web@80", "web@80.service");
        check_name("web@80.service", "web@80.service");
        check_name("web@a.b", "web@a.b.service");
        check_name("org.example.Web", "org.example.Web.service");
        check_name(".service", ".service.service");
        check_name("network.target", "network.target"); /* reeve has none, and says so */
}
END_TEST

START_TEST(names_that_are_none)
{
        check_name("", ".service");
        check_name("a/b", "a/b.service");
        check_name("a b.service", "a b.service.service");
}
END_TEST

static void check_problem(const char *file, uint32_t line, const char *message, const char *expected)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *text = NULL;

        unit_problem_format(&b, file, line, message);
        text = buffer_take(&b, NULL);
        ck_assert_str_eq(text, expected);
}

START_TEST(problems)
{
        check_problem("/u/web.service", 3, "Nice: no.", "/u/web.service:3: Nice: no.\n");
        check_problem("/u", 0, "It is gone.", "/u: It is gone.\n");
        check_problem("/u/\n", 4294967295, "\x1b[2J", "/u/\\n:4294967295: \\x1b[2J\n");
}
END_TEST

TEST_MAIN("ctl-unit-text", names, names_that_are_none, problems)
