#pragma once

/* What every unit test has: its functions in one case of one suite, run, and told in TAP. */

#include <check.h>
#include <stdlib.h>

static inline int test_run(const char *name, const TTest *const *tests, size_t n)
{
        Suite *suite = suite_create(name);
        TCase *cases = tcase_create(name);
        SRunner *runner = srunner_create(suite);
        int failed;

        for (size_t i = 0; i < n; i++)
                tcase_add_test(cases, tests[i]);
        tcase_set_timeout(cases, 0); /* the harness has one, and knows how slow valgrind is */
        suite_add_tcase(suite, cases);
        srunner_set_tap(runner, "-");
        srunner_run_all(runner, CK_SILENT);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* TEST_MAIN("ring", test_one, test_two) */
#define TEST_MAIN(name, ...)                                                                                \
        int main(void)                                                                                      \
        {                                                                                                   \
                const TTest *const tests[] = {__VA_ARGS__};                                                 \
                                                                                                            \
                return test_run(name, tests, sizeof(tests) / sizeof(tests[0]));                             \
        }
