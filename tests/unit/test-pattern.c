/* Patterns of callers: what they match, and which are too dear for PID 1. */

#include "core/pattern.h"

#include <errno.h>
#include <malloc.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "basic/alloc.h"
#include "core/error.h"
#include "test-main.h"

static bool matches(const char *pattern, const char *text)
{
        Pattern p = {0};
        Error e = ERROR_NULL;
        bool found;

        ck_assert_msg(pattern_compile(&p, "Pattern", pattern, &e) == 0, "%s: %s", pattern, e.message);
        ck_assert(p.compiled);
        found = pattern_match(&p, text);
        pattern_done(&p);
        ck_assert(!p.compiled);
        pattern_done(&p); /* twice does no harm */
        return found;
}

static void check_refused(const char *pattern, const char *part_of_message)
{
        Pattern p = {0};
        Error e = ERROR_NULL;

        ck_assert_msg(pattern_compile(&p, "Pattern", pattern, &e) == -EINVAL, "%s", pattern);
        ck_assert_int_eq(e.kind, ERROR_INVALID_ARGS);
        ck_assert_msg(strncmp(e.message, "Pattern: ", 9) == 0, "%s", e.message);
        ck_assert_msg(strstr(e.message, part_of_message), "%s: %s", pattern, e.message);
        ck_assert(!p.compiled);
        pattern_done(&p);
}

START_TEST(extended_expressions)
{
        ck_assert(matches("", "anything"));
        ck_assert(matches("sleep", "/bin/sleep 30"));
        ck_assert(!matches("^sleep", "/bin/sleep 30"));
        ck_assert(matches("^/bin/(sleep|true)( [0-9]+)?$", "/bin/sleep 30"));
        ck_assert(!matches("^/bin/(sleep|true)( [0-9]+)?$", "/bin/sleep soon"));
        ck_assert(!matches("SLEEP", "sleep"));
        ck_assert(matches("a{2,3}$", "baaa"));
        ck_assert(!matches("^a{2,3}$", "aaaa"));
        ck_assert(matches("^[[:alpha:]_]+$", "some_words"));
        ck_assert(matches("\\.\\(\\{\\\\", "a.({\\b")); /* escaped: not special */
        ck_assert(matches("^a\nb$", "a\nb"));
}
END_TEST

START_TEST(what_is_no_expression)
{
        check_refused("(", "");
        check_refused("[a", "");
        check_refused("a\\", "");
        check_refused("a{2,1}", "");
        check_refused("[[:nothing:]]", "");
        check_refused("*(a|b", "");
        check_refused("(a|b", "unmatched (");
        check_refused("a)", "unmatched )");
        check_refused("[]a", "unmatched [");
        check_refused("[^]", "unmatched [");
        check_refused("a\\", "backslash");
        check_refused("a\\b", "unknown escape");
        check_refused("\\<a", "unknown escape");
        check_refused("*a", "nothing to repeat");
        check_refused("a|*b", "nothing to repeat");
        check_refused("(+)", "nothing to repeat");
        check_refused("^*", "nothing to repeat");
        check_refused("{2}", "nothing to repeat");
        check_refused("a{", "bad interval");
        check_refused("a{x}", "bad interval");
        check_refused("a{1,2", "bad interval");
        check_refused("a{3,2}", "bad interval");
        check_refused("[b-a]", "bad range");
        check_refused("[a-c-e]", "bad range");
        check_refused("[[:digit:]-z]", "bad range");
        check_refused("[a-[:digit:]]", "bad range");
        check_refused("[[.a.]]", "collating element");
        check_refused("[[=a=]]", "collating element");
        check_refused("[[:nothing:]]", "unknown character class");
}
END_TEST

START_TEST(brackets)
{
        ck_assert(matches("^[]a]+$", "a]"));
        ck_assert(matches("^[^]a]$", "b"));
        ck_assert(!matches("^[^]a]$", "]"));
        ck_assert(matches("^[a-]+$", "a-a"));
        ck_assert(matches("^[-a]+$", "a-a"));
        ck_assert(matches("^[+--]+$", "+,-"));
        ck_assert(matches("^[a\\]+$", "a\\"));
        ck_assert(matches("^[[:digit:]a-c[:space:]]+$", "1 a2\tc"));
        ck_assert(matches("^\\w+\\s\\W\\S$", "a_9 -x"));
        ck_assert(!matches("\\w|\\s", "-"));
        ck_assert(matches("^[^a].[\x80-\xff]$", "\xff\xc3\xa4")); /* bytes, whatever they mean */
        ck_assert(!matches("[[:alpha:]]", "\xc3\xa4"));
}
END_TEST

START_TEST(nothing_matches_anything)
{
        ck_assert(matches("a||b", ""));
        ck_assert(matches("^()$", ""));
        ck_assert(matches("^(()*|(a*)*)+$", "aaa"));
        ck_assert(!matches("^(()*|(a*)*)+$", "aba"));
        ck_assert(matches("^(a|)b$", "b"));
}
END_TEST

START_TEST(anchors)
{
        ck_assert(matches("(^a|b$)", "ac"));
        ck_assert(matches("(^a|b$)", "cb"));
        ck_assert(!matches("(^a|b$)", "cabc"));
        ck_assert(matches("^$", ""));
        ck_assert(!matches("^$", "\n"));
        ck_assert(!matches("(x|^)a", "ba"));
        ck_assert(matches("(x|^)a(b|$)", "cxa"));
        ck_assert(!matches("a^b", "ab"));
        ck_assert(!matches("a$b", "a$b"));
        ck_assert(!matches("(a(b^)?){2}", "aba"));
        ck_assert(matches("(^a|b){2}c", "abc"));
}
END_TEST

START_TEST(nesting_is_bounded)
{
        char text[2 * (PATTERN_NESTING_MAX + 1) + 2];

        for (unsigned n = PATTERN_NESTING_MAX; n <= PATTERN_NESTING_MAX + 1; n++) {
                memset(text, '(', n);
                text[n] = 'a';
                memset(text + n + 1, ')', n);
                text[2 * n + 1] = '\0';
                if (n == PATTERN_NESTING_MAX)
                        ck_assert(matches(text, "a"));
                else
                        check_refused(text, "nested too deeply");
        }
}
END_TEST

START_TEST(back_references_are_refused)
{
        check_refused("(a)\\1", "back-reference");
        check_refused("(a*)*\\9$", "back-reference");
        check_refused("\\\\\\1", "back-reference"); /* an escaped backslash, and then one */
        ck_assert(matches("a\\\\1", "a\\1"));       /* the escaped backslash alone */
        ck_assert(matches("\\$1", "$1"));
}
END_TEST

START_TEST(intervals_are_bounded)
{
        char text[64];

        check_refused("a{2001}", "repeats too much");
        check_refused("a{1001}", "repeats too much");
        check_refused("a{1,1001}", "repeats too much");
        check_refused("a{,1001}", "repeats too much");
        check_refused("a{1001,}", "repeats too much");
        check_refused("a{99999999999999999999999}", "repeats too much");
        check_refused("a{18446744073709551617}", "repeats too much"); /* 2^64 + 1 */
        check_refused("((a{10}){10}){21}", "repeats too much");
        check_refused("(a{1,500}){1,500}", "repeats too much");
        check_refused("[a\\]{1000}{1000}", "repeats too much"); /* in brackets a backslash is a letter */
        check_refused("(aaaaaaaaaa){201}", "repeats too much"); /* what is repeated counts, too */
        check_refused("a{1000}(aa){0,1000}", "repeats too much");
        check_refused("a{1000}b{999}c", "too large"); /* with the match, one too many */
        ck_assert(!matches("a{1000}b{999}", "a"));
        ck_assert(matches("a{1000}{0}b{1,}", "b"));
        ck_assert(!matches("((a{5}){5}){5}", "aaaa"));
        ck_assert(matches("a\\{5000\\}", "a{5000}"));
        snprintf(text, sizeof(text), "^a{%d}$", 3);
        ck_assert(matches(text, "aaa"));
}
END_TEST

START_TEST(length_is_bounded)
{
        char text[PATTERN_LENGTH_MAX + 2];

        memset(text, 'a', sizeof(text));
        text[PATTERN_LENGTH_MAX + 1] = '\0';
        check_refused(text, "longer than 1024 bytes");
        text[PATTERN_LENGTH_MAX] = '\0';
        ck_assert(!matches(text, "a"));
}
END_TEST

/* The first PATTERN_TEXT_MAX bytes of a text are looked at, in one of many as in the first. */
START_TEST(long_texts)
{
        char text[PATTERN_TEXT_MAX + 100];
        Pattern p = {0};

        memset(text, '.', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        ck_assert_int_eq(pattern_compile(&p, "Pattern", "x", NULL), 0);
        for (unsigned i = 0; i < 10; i++) {
                text[PATTERN_TEXT_MAX] = 'x';
                text[PATTERN_TEXT_MAX - 1] = '.';
                ck_assert(!pattern_match(&p, text));
                text[PATTERN_TEXT_MAX - 1] = 'x';
                ck_assert(pattern_match(&p, text));
                ck_assert(pattern_match(&p, "x"));
                ck_assert(!pattern_match(&p, ""));
        }
        pattern_done(&p);
}
END_TEST

START_TEST(each_allocation_may_fail)
{
        Error e = ERROR_NULL;
        Pattern p = {0};
        unsigned n;

        for (n = 1;; n++) {
                alloc_fault_set(n, false);
                if (pattern_compile(&p, "Pattern", "([ab]\\w|a{2,9})+", &e) == 0)
                        break;
                ck_assert_int_eq(e.kind, ERROR_NO_MEMORY);
                ck_assert(!p.compiled);
        }
        ck_assert_uint_eq(alloc_fault_hits(), 0);
        alloc_fault_set(0, false);
        ck_assert(pattern_match(&p, "aa"));
        pattern_done(&p);
}
END_TEST

#define NESTED 3

/* A piece of an expression. Anchors are at its top only: of those in what is repeated the C library loses
 * count
 * ("(a(b^)?){2}" matches "aba" there). */
static void append_random(char *pattern, unsigned depth)
{
        static const char *const atoms[] = {"a", "b", "c", ".", "[ab]", "[^a]", "[a-b]", "ab"};
        static const char *const repeats[] = {"*", "+", "?", "{2}", "{0,2}", "{1,3}", "{2,}", "{,2}", "{0}"};

        for (unsigned n = 1 + rand() % 3; n > 0; n--) {
                if (strlen(pattern) > 48)
                        return;
                if (depth == NESTED && rand() % 8 == 0)
                        strcat(pattern, "^");
                if (depth > 0 && rand() % 3 == 0) {
                        strcat(pattern, "(");
                        append_random(pattern, depth - 1);
                        strcat(pattern, ")");
                } else {
                        strcat(pattern, atoms[rand() % ELEMENTSOF(atoms)]);
                }
                if (rand() % 3 == 0)
                        strcat(pattern, repeats[rand() % ELEMENTSOF(repeats)]);
                if (depth == NESTED && rand() % 8 == 0)
                        strcat(pattern, "$");
                if (n > 1 && rand() % 4 == 0)
                        strcat(pattern, "|");
        }
}

static void random_text(char *text, size_t size)
{
        size_t n = rand() % size;

        for (size_t i = 0; i < n; i++)
                text[i] = "aabbc"[rand() % 5];
        text[n] = '\0';
}

/* What both accept matches the same. */
START_TEST(as_the_c_library_does)
{
        unsigned compared = 0, matched = 0;

        srand(1);
        for (unsigned i = 0; i < 5000; i++) {
                char pattern[128] = "", text[9];
                Pattern p = {0};
                regex_t regex;

                append_random(pattern, NESTED);
                if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                        continue;
                for (unsigned k = 0; k < 20 && pattern_compile(&p, "Pattern", pattern, NULL) == 0; k++) {
                        bool expected, found;

                        random_text(text, sizeof(text));
                        expected = regexec(&regex, text, 0, NULL, 0) == 0;
                        found = pattern_match(&p, text);
                        ck_assert_msg(found == expected, "\"%s\" on \"%s\": %d", pattern, text, found);
                        compared++;
                        matched += found;
                        pattern_done(&p);
                }
                regfree(&regex);
        }
        ck_assert_uint_gt(compared, 50000);
        ck_assert_uint_gt(matched, compared / 10);
        ck_assert_uint_lt(matched, compared - compared / 10);
}
END_TEST

static size_t memory_in_use(void)
{
        struct mallinfo2 m = mallinfo2();

        return m.uordblks + m.hblkhd;
}

/* Refused, or compiled and matched within what PID 1 can spare for one request. (The sanitizers' malloc
 * tells nothing of itself; there only the time is looked at.) */
static void check_affordable(const char *pattern, const char *text)
{
        size_t before = memory_in_use(), after;
        clock_t begin = clock();
        Pattern p = {0};

        if (pattern_compile(&p, "Pattern", pattern, NULL) < 0)
                return;
        (void) pattern_match(&p, text);
        after = memory_in_use();
        pattern_done(&p);
        ck_assert_msg(after - before < 16U * 1024 * 1024, "\"%.40s\" took %zu bytes", pattern,
                      after - before);
        ck_assert_msg(clock() - begin < CLOCKS_PER_SEC, "\"%.40s\" took too long", pattern);
}

START_TEST(no_pattern_is_dear_to_compile)
{
        char text[PATTERN_LENGTH_MAX + 1];

        memset(text, 'a', sizeof(text));
        text[0] = '(';
        strcpy(text + PATTERN_LENGTH_MAX - 7, "){1000}");
        check_affordable(text, "b"); /* a million states, one after the other */
        memset(text, '(', 400);
        memset(text + 400, ')', 400);
        text[800] = '\0';
        check_affordable(text, "b");
}
END_TEST

START_TEST(no_pattern_is_dear_to_match)
{
        /* The first makes a state of its own with each letter, the second a new set of them from each
         * beginning. */
        static const char *const patterns[] = {"(a|b)*a(a|b){100}$", "(.*a.{30}){3}c",
                                               "(a|b|ab|ba)*a(a|b){60}$", "(a?){600}$c"};
        char text[1025];

        srand(1);
        for (size_t i = 0; i < 1024; i++)
                text[i] = "ab"[rand() / 1024 % 2];
        text[1024] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(patterns); i++)
                check_affordable(patterns[i], text);
}
END_TEST

TEST_MAIN("pattern", extended_expressions, brackets, anchors, nothing_matches_anything,
          what_is_no_expression, back_references_are_refused, intervals_are_bounded, nesting_is_bounded,
          length_is_bounded, long_texts, each_allocation_may_fail, as_the_c_library_does,
          no_pattern_is_dear_to_compile, no_pattern_is_dear_to_match)
