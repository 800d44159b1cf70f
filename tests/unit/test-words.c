/* Words as systemd splits them. Where its manual and its code differ, the code was asked (systemd-tmpfiles
 * 252). */

#include "unit/words.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "test-main.h"

/* text becomes these words, written here with a bar between them. */
static void check_words(const char *text, const char *expected)
{
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *joined = NULL;
        const char *reason = NULL;
        int r;

        r = words_split(text, &words, &reason);
        ck_assert_msg(r == 0, "%s: %s", text, reason);
        joined = strv_join(words, "|");
        ck_assert_str_eq(joined, expected);
}

static void check_refused(const char *text, const char *part_of_reason)
{
        char **words = (char **) text;
        const char *reason = NULL;

        ck_assert_msg(words_split(text, &words, &reason) == -EINVAL, "%s was taken", text);
        ck_assert_ptr_eq(words, text); /* untouched */
        ck_assert_ptr_nonnull(strstr(reason, part_of_reason));
}

START_TEST(blanks_separate)
{
        check_words("", "");
        check_words(" \t\r\n", "");
        check_words("a", "a");
        check_words("  a  b\tc\n", "a|b|c");
        check_words("$HOME %h ; | & > *", "$HOME|%h|;|||&|>|*");
        check_words("gr\xc3\xbc\xc3\x9f"
                    "e \xff",
                    "gr\xc3\xbc\xc3\x9f"
                    "e|\xff");
}
END_TEST

START_TEST(nothing_is_an_array_of_none)
{
        char **words = NULL;
        const char *reason;

        ck_assert_int_eq(words_split(" ", &words, &reason), 0);
        ck_assert_ptr_nonnull(words);
        ck_assert_ptr_null(words[0]);
        strv_free(words);
}
END_TEST

START_TEST(quotes_hold_together)
{
        check_words("\"a b\" 'c d'", "a b|c d");
        check_words("'it is \"so\"' \"it's\"", "it is \"so\"|it's");
        check_words("sh -c 'dmesg | tac'", "sh|-c|dmesg | tac");
        check_words("\"\" ''", "|"); /* two empty words */
        check_words("a \"\"", "a|");
        check_words("\"a\nb\"", "a\nb");
}
END_TEST

START_TEST(quotes_may_start_within_a_word)
{
        check_words("FOO=\"a b\" BAR='c'd", "FOO=a b|BAR=cd");
        check_words("\"a\"'b'c", "abc");
}
END_TEST

START_TEST(escapes_are_those_of_C)
{
        check_words("\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\\'\\s", "\a\b\f\n\r\t\v\\\"' ");
        check_words("a\\sb \"c\\sd\" 'e\\sf'", "a b|c d|e f");
        check_words("\\x41\\x6a\\x6A \\101\\377", "Ajj|A\xff");
        check_words("'\\''", "'");
        check_words("\\x419", "A9"); /* two digits, no more */
}
END_TEST

START_TEST(code_points_become_utf8)
{
        check_words("\\u0041 \\u00fc \\u20ac \\U0001f600 \\U0010ffff",
                    "A|\xc3\xbc|\xe2\x82\xac|\xf0\x9f\x98\x80|\xf4\x8f\xbf\xbf");
        check_refused("\\ud800", "escape"); /* a surrogate */
        check_refused("\\udfff", "escape");
        check_refused("\\U00110000", "escape");
        check_refused("\\Uffffffff", "escape");
}
END_TEST

START_TEST(what_is_not_known_is_refused)
{
        static const char *const bad[] = {"\\",  "\\q",   "\\x",     "\\x4", "\\x4g", "\\00", "\\400",
                                          "\\8", "\\u12", "\\U0001", "\\ ",  "\\$",   "\\;",  "a\\"};

        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                check_refused(bad[i], "escape");
}
END_TEST

START_TEST(no_word_holds_NUL)
{
        check_refused("\\x00", "escape");
        check_refused("\\000", "escape");
        check_refused("\\u0000", "escape");
        check_refused("\\U00000000", "escape");
}
END_TEST

START_TEST(quotes_must_be_closed)
{
        check_refused("'", "quote");
        check_refused("\"a b", "quote");
        check_refused("don't", "quote");
        check_refused("\"a'", "quote");
        check_refused("'\\'", "quote"); /* the escape counts within quotes, too */
        check_refused("fine 'not", "quote");
}
END_TEST

START_TEST(words_come_one_by_one)
{
        const char *text = " one 'two' ; three", *reason = NULL, *before;
        char *word = NULL;

        ck_assert_int_eq(word_next(&text, &word, &reason), 1);
        ck_assert_str_eq(word, "one");
        ck_assert_str_eq(text, " 'two' ; three");
        free(word);
        ck_assert_int_eq(word_next(&text, &word, &reason), 1);
        ck_assert_str_eq(word, "two");
        ck_assert_str_eq(text, " ; three");
        free(word);

        text = "  ";
        word = NULL;
        ck_assert_int_eq(word_next(&text, &word, &reason), 0);
        ck_assert_ptr_null(word);

        text = before = " 'x";
        ck_assert_int_eq(word_next(&text, &word, &reason), -EINVAL);
        ck_assert_ptr_eq(text, before);
}
END_TEST

START_TEST(names_keep_their_backslashes)
{
        const char *text = " a\\x2db 'c d' e\\", *reason = NULL;
        const char *const expected[] = {"a\\x2db", "c d", "e\\"};
        char *word;

        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                ck_assert_int_eq(word_next_verbatim(&text, &word, &reason), 1);
                ck_assert_str_eq(word, expected[i]);
                free(word);
        }
        ck_assert_int_eq(word_next_verbatim(&text, &word, &reason), 0);
        text = "'a";
        ck_assert_int_eq(word_next_verbatim(&text, &word, &reason), -EINVAL);
}
END_TEST

START_TEST(values_of_variables_are_never_wrong)
{
        const char *text = "a\\ b 'c d'\"e\" \\q\\\\ 'f g\\";
        const char *const expected[] = {"a b", "c de", "q\\", "f g\\"};
        char *word;

        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                ck_assert_int_eq(word_next_relaxed(&text, &word), 1);
                ck_assert_str_eq(word, expected[i]);
                free(word);
        }
        ck_assert_int_eq(word_next_relaxed(&text, &word), 0);
}
END_TEST

START_TEST(escapes_outside_of_words)
{
        const char *reason = NULL;
        char *plain = NULL;

        ck_assert_int_eq(text_unescape(" it's \\\"a\\tb\\\"  ", &plain, &reason), 0);
        ck_assert_str_eq(plain, " it's \"a\tb\"  ");
        free(plain);
        plain = NULL;
        ck_assert_int_eq(text_unescape("a\\q", &plain, &reason), -EINVAL);
        ck_assert_ptr_null(plain);
        ck_assert_ptr_nonnull(strstr(reason, "escape"));
}
END_TEST

START_TEST(a_want_of_memory_loses_nothing)
{
        for (unsigned nth = 1;; nth++) {
                char **words = NULL;
                const char *reason;
                unsigned hits;
                int r;

                alloc_fault_set(nth, false);
                r = words_split("one 'two three' \"four\"", &words, &reason);
                hits = alloc_fault_hits();
                alloc_fault_set(0, false);
                if (hits == 0) {
                        ck_assert_int_eq(r, 0);
                        ck_assert_uint_eq(strv_length(words), 3);
                        strv_free(words);
                        return;
                }
                ck_assert_int_eq(r, -ENOMEM);
                ck_assert_ptr_null(words);
        }
}
END_TEST

TEST_MAIN("words", blanks_separate, nothing_is_an_array_of_none, quotes_hold_together,
          quotes_may_start_within_a_word, escapes_are_those_of_C, code_points_become_utf8,
          what_is_not_known_is_refused, no_word_holds_NUL, quotes_must_be_closed, words_come_one_by_one,
          names_keep_their_backslashes, values_of_variables_are_never_wrong, escapes_outside_of_words,
          a_want_of_memory_loses_nothing)
