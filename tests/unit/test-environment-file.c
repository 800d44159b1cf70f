/* EnvironmentFile=, systemd.exec(5). */

#include "unit/environment-file.h"

#include <errno.h>

#include "basic/strv.h"
#include "unit-fixture.h"

static const struct {
        const char *text, *variables, *said; /* joined with bars; NULL: nothing */
} cases[] = {
                {"", ""},
                {"A=b\n", "A=b"},
                {"A=b", "A=b"}, /* no newline at the end */
                {"A=b\r\nC=d\r\n", "A=b|C=d"},
                {"A=1\nB=2\nA=3\n", "A=3|B=2"}, /* the last counts */
                /* comments */
                {"# c\n; c\n \t# c\n\nA=b\n#A=c\n", "A=b"},
                {"A=b # c\n", "A=b # c"},
                {"# c \\\nA=b\n", "A=b"}, /* one line, whatever it ends in */
                {"# c", ""},
                /* blanks */
                {" A = b c \t\n", "A=b c"},
                {"A=\n", "A="},
                {"A=   \n", "A="},
                {"A=", "A="},
                {"A=b=c\n", "A=b=c"},
                /* quotes */
                {"A='b c'\n", "A=b c"},
                {"A=\"b c\"\n", "A=b c"},
                {"A='b\nc'\n", "A=b\nc"},
                {"A=\"b\nc\"\nD=e", "A=b\nc|D=e"},
                {"A='b'\"c\" 'd'\n", "A=bcd"}, /* one behind the other */
                {"A='b' c\n", "A=bc"},
                {"A=b'c'\n", "A=b'c'"}, /* only at the beginning */
                {"A='it\"s'\n", "A=it\"s"},
                {"A=' b '  \n", "A= b "},
                {"A='#b'\n", "A=#b"},
                {"A='b\\c'\n", "A=b\\c"}, /* no escapes in single quotes */
                {"A=''\n", "A="},
                {"A=\"\"\n", "A="},
                /* escapes */
                {"A=\"b\\\"c\\\\d\\$e\\`f\"\n", "A=b\"c\\d$e`f"},
                {"A=\"b\\nc\"\n", "A=b\\nc"}, /* only what a shell would need */
                {"A=\"b\\\nc\"\n", "A=bc"},
                {"A=b\\\nc\n", "A=bc"},
                {"A=b\\c\\\\d\n", "A=bc\\d"},
                {"A=b\\ \n", "A=b "},
                {"A=b\\", "A=b"},
                {"A=$B ${C}\n", "A=$B ${C}"}, /* nothing is expanded */
                {"A=gr\xc3\xbc\xc3\x9f\n", "A=gr\xc3\xbc\xc3\x9f"},
                /* what is no assignment */
                {"A\nB=c\n", "B=c", "1: There is no = in this line; ignored.\n"},
                {"B=c\nA", "B=c", "2: There is no = in this line; ignored.\n"},
                {"export A=b\n", "", "1: What stands before the = is no name of a variable; ignored.\n"},
                {"=b\nC=d\n", "C=d", "1: What stands before the = is no name of a variable; ignored.\n"},
                {"1A=b\n", "", "1: What stands before the = is no name of a variable; ignored.\n"},
                {"A-B=b\nC='d\ne'\nF-=g\n", "C=d\ne",
                 "1: What stands before the = is no name of a variable; ignored.\n"
                 "4: What stands before the = is no name of a variable; ignored.\n"},
                {"A=b\xff\n", "", "1: This value is not UTF-8 text; ignored.\n"},
                {"A=b\nC='d\nE=f\n", "A=b", "2: The quote of this value is not closed; ignored.\n"},
                {"C=\"d\\", "", "1: The quote of this value is not closed; ignored.\n"},
};

START_TEST(files)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                UnitProblems problems = UNIT_PROBLEMS_INIT;
                _cleanup_strv_ char **list = NULL;
                _cleanup_free_ char *said = NULL, *all = NULL;

                ck_assert_int_eq(environment_file_parse("/f", cases[i].text, strlen(cases[i].text), &list,
                                                        &problems),
                                 0);
                all = strv_join(list, "|");
                said = problems_text(&problems);
                ck_assert_msg(streq(all, cases[i].variables), "%s\ngives %s\nnot   %s", cases[i].text, all,
                              cases[i].variables);
                ck_assert_str_eq(said, cases[i].said ?: "");
                unit_problems_done(&problems);
        }
}
END_TEST

START_TEST(no_value_holds_NUL)
{
        static const char text[] = "A=b\0c\nD\0=e\nF=g";
        UnitProblems problems = UNIT_PROBLEMS_INIT;
        _cleanup_strv_ char **list = NULL;

        ck_assert_int_eq(environment_file_parse("/f", text, sizeof(text) - 1, &list, &problems), 0);
        ck_assert_uint_eq(strv_length(list), 1);
        ck_assert_str_eq(list[0], "F=g");
        ck_assert_uint_eq(problems.n, 2);
        unit_problems_done(&problems);
}
END_TEST

START_TEST(a_want_of_memory_is_told)
{
        static const char text[] = "A=b\nC='d e'\nbad\nF=g\n";

        for (unsigned nth = 1;; nth++) {
                char **list = NULL;
                unsigned hits;
                int r;

                alloc_fault_set(nth, 0);
                r = environment_file_parse("/f", text, sizeof(text) - 1, &list, NULL);
                hits = alloc_fault_hits();
                alloc_fault_set(0, 0);
                ck_assert_int_eq(r, hits > 0 ? -ENOMEM : 0);
                strv_free(list);
                if (hits == 0)
                        break;
        }
}
END_TEST

TEST_MAIN("environment-file", files, no_value_holds_NUL, a_want_of_memory_is_told)
