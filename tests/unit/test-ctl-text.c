/* What a terminal is shown: nothing of it may be obeyed, all of it can be told apart. */

#include "ctl/text.h"

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "test-main.h"

static void check_escaped(const char *text, const char *expected)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *shown = NULL;

        text_escape(&b, text);
        shown = buffer_take(&b, NULL);
        ck_assert_str_eq(shown, expected);
}

static void check_command(const char *const *argv, const char *expected)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *shown = NULL;

        text_command(&b, (char *const *) argv);
        shown = buffer_take(&b, NULL);
        ck_assert_str_eq(shown, expected);
}

START_TEST(plain_text_is_itself)
{
        check_escaped("", "");
        check_escaped("a b\"'\\c", "a b\"'\\c");
        check_escaped("gr\xc3\xbc\xc3\x9f"
                      "e \xe2\x82\xac \xf0\x9f\x98\x80",
                      "gr\xc3\xbc\xc3\x9f"
                      "e \xe2\x82\xac \xf0\x9f\x98\x80");
}
END_TEST

START_TEST(controls_are_written_out)
{
        check_escaped("\a\b\f\n\r\t\v", "\\a\\b\\f\\n\\r\\t\\v");
        check_escaped("\033[31m\177", "\\x1b[31m\\x7f");
        check_escaped("\xc2\x9b"
                      "31m\xc2\xa0",
                      "\\xc2\\x9b"
                      "31m\xc2\xa0"); /* CSI in C1; the blank after C1 is none */
}
END_TEST

START_TEST(nul_is_a_control_too)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *shown = NULL;

        text_escape_bytes(&b, "a\0\0b", 4);
        text_escape_bytes(&b, NULL, 0);
        shown = buffer_take(&b, NULL);
        ck_assert_str_eq(shown, "a\\x00\\x00b");
}
END_TEST

START_TEST(what_is_not_utf8_is_written_out)
{
        check_escaped("a\xff"
                      "b\xc3",
                      "a\\xffb\\xc3");
        check_escaped("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
}
END_TEST

START_TEST(commands_are_quoted_as_a_shell_wants_them)
{
        check_command((const char *[]){"sleep", "100", NULL}, "sleep 100");
        check_command((const char *[]){"a=b", "./x-y_z,1:2@3%+", NULL}, "a=b ./x-y_z,1:2@3%+");
        check_command((const char *[]){"sh", "-c", "echo $A; exit", "", NULL}, "sh -c 'echo $A; exit' ''");
        check_command((const char *[]){"it's", "'", NULL}, "'it'\\''s' ''\\'''");
        check_command((const char *[]){"a\nb", NULL}, "'a\\nb'");
        check_command((const char *[]){NULL}, "");
        check_command(NULL, "");
}
END_TEST

START_TEST(columns_are_characters)
{
        ck_assert_uint_eq(text_width(""), 0);
        ck_assert_uint_eq(text_width("abc"), 3);
        ck_assert_uint_eq(text_width("\xc3\xbc\xe2\x82\xac"), 2);
        ck_assert_uint_eq(text_prefix("\xc3\xbc\xe2\x82\xac!", 0), 0);
        ck_assert_uint_eq(text_prefix("\xc3\xbc\xe2\x82\xac!", 1), 2);
        ck_assert_uint_eq(text_prefix("\xc3\xbc\xe2\x82\xac!", 2), 5);
        ck_assert_uint_eq(text_prefix("\xc3\xbc\xe2\x82\xac!", 9), 6);
}
END_TEST

START_TEST(distance_counts_edits)
{
        static const struct {
                const char *a, *b;
                unsigned distance;
        } pairs[] = {
                        {"", "", 0},          {"", "abc", 3},          {"list", "list", 0},
                        {"list", "lists", 1}, {"list", "ist", 1},      {"list", "lest", 1},
                        {"list", "lsit", 1},  {"status", "sattus", 1}, {"kill", "stop", 4},
                        {"ab", "ba", 1},      {"abcd", "badc", 2},
        };

        for (size_t i = 0; i < ELEMENTSOF(pairs); i++) {
                ck_assert_msg(text_distance(pairs[i].a, pairs[i].b) == pairs[i].distance, "%s, %s",
                              pairs[i].a, pairs[i].b);
                ck_assert_uint_eq(text_distance(pairs[i].b, pairs[i].a), pairs[i].distance);
        }
}
END_TEST

START_TEST(distance_of_long_words_ends)
{
        char a[200], b[200];

        memset(a, 'a', sizeof(a) - 1);
        memset(b, 'b', sizeof(b) - 1);
        a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
        ck_assert_uint_eq(text_distance(a, a), 0);
        ck_assert_uint_eq(text_distance(a, b), 63); /* so many are compared */
        ck_assert_uint_eq(text_distance(a, ""), 63);
}
END_TEST

TEST_MAIN("ctl-text", plain_text_is_itself, controls_are_written_out, nul_is_a_control_too,
          what_is_not_utf8_is_written_out, commands_are_quoted_as_a_shell_wants_them, columns_are_characters,
          distance_counts_edits, distance_of_long_words_ends)
