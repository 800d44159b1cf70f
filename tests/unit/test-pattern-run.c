/* A text in pieces, with budgets that end in the middle of them: it matches as it does in one. */

#include "core/pattern.h"

#include <errno.h>

#include <stdio.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "core/error.h"
#include "test-main.h"

static void compile(Pattern *p, const char *text)
{
        Error e = ERROR_NULL;

        *p = (Pattern){0};
        ck_assert_msg(pattern_compile(p, "LogPattern", text, &e) == 0, "%s: %s", text, e.message);
}

/* All of it, whatever a turn may cost; how many turns it took. */
static unsigned feed_all(PatternRun *run, const Pattern *p, const char *data, size_t size, uint64_t budget)
{
        unsigned turns = 0;

        for (size_t done = 0; done < size; turns++) {
                uint64_t left = budget;
                size_t n = pattern_run_feed(run, p, data + done, size - done, &left);

                ck_assert_uint_le(n, size - done);
                ck_assert(n > 0 || left == 0 || budget == 0);
                ck_assert_msg(turns < 1000000, "it does not come on");
                done += n;
        }
        return turns;
}

static bool ends(PatternRun *run, const Pattern *p)
{
        uint64_t budget = 1;
        bool r = pattern_run_end(run, p, &budget);

        ck_assert_uint_le(budget, 1);
        pattern_run_reset(run);
        return r;
}

static bool matches_in(const char *pattern, const char *const *pieces)
{
        PatternRun run;
        Pattern p;
        bool r;

        compile(&p, pattern);
        ck_assert_int_eq(pattern_run_init(&run, &p), 0);
        for (; *pieces; pieces++)
                feed_all(&run, &p, *pieces, strlen(*pieces), UINT64_MAX);
        r = ends(&run, &p);
        pattern_run_done(&run);
        pattern_done(&p);
        return r;
}
#define MATCHES(pattern, ...) matches_in(pattern, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(pieces)
{
        ck_assert(MATCHES("started", "sta", "rt", "ed"));
        ck_assert(MATCHES("^started$", "sta", "rt", "", "ed"));
        ck_assert(!MATCHES("^started$", "sta", "rted", " it"));
        ck_assert(!MATCHES("^rted", "sta", "rted"));
        ck_assert(!MATCHES("sta$", "sta", "rted"));
        ck_assert(MATCHES("^$", ""));
        ck_assert(MATCHES("$", "x"));
        ck_assert(!MATCHES("^$", "x"));
        ck_assert(MATCHES("(a|^)b", "b"));
        ck_assert(MATCHES("(a|^)b", "xxa", "b"));
        ck_assert(!MATCHES("(a|^)b", "xx", "b"));
        ck_assert(MATCHES("x(y$|z)", "xxxx", "y"));
        ck_assert(!MATCHES("x(y$|z)", "xxxy", "y"));
}
END_TEST

/* What was found stays found, and what cannot be any more stays so; the next text knows nothing of it. */
START_TEST(one_text_after_the_other)
{
        uint64_t budget = UINT64_MAX;
        PatternRun run;
        Pattern p;

        compile(&p, "^ab");
        ck_assert_int_eq(pattern_run_init(&run, &p), 0);
        feed_all(&run, &p, "abcdef", 6, UINT64_MAX);
        ck_assert(run.matched);
        ck_assert_uint_eq(run.n_bytes, 6);
        ck_assert(ends(&run, &p));
        feed_all(&run, &p, "xab", 3, UINT64_MAX);
        ck_assert(run.dead);
        /* What is dead costs nothing. */
        ck_assert_uint_eq(pattern_run_feed(&run, &p, "ab", 2, &budget), 2);
        ck_assert_uint_eq(budget, UINT64_MAX);
        ck_assert(!ends(&run, &p));
        ck_assert(!ends(&run, &p));
        feed_all(&run, &p, "ab", 2, UINT64_MAX);
        ck_assert(ends(&run, &p));
        pattern_run_done(&run);
        pattern_done(&p);
}
END_TEST

/* NUL is a byte like any other. */
START_TEST(bytes)
{
        PatternRun run;
        Pattern p;

        compile(&p, "^a.b$");
        ck_assert_int_eq(pattern_run_init(&run, &p), 0);
        feed_all(&run, &p, "a\0b", 3, UINT64_MAX);
        ck_assert(ends(&run, &p));
        feed_all(&run, &p, "a\xff\x62", 3, UINT64_MAX);
        ck_assert(ends(&run, &p));
        pattern_run_done(&run);
        pattern_done(&p);
}
END_TEST

/* More bytes than a round has numbers. */
START_TEST(long_texts)
{
        char *text = alloc_zero(300000);
        PatternRun run;
        Pattern p;

        memset(text, 'a', 299999);
        compile(&p, "^(a|aa)+b$");
        ck_assert_int_eq(pattern_run_init(&run, &p), 0);
        feed_all(&run, &p, text, 299999, UINT64_MAX);
        feed_all(&run, &p, "b", 1, UINT64_MAX);
        ck_assert(ends(&run, &p));
        feed_all(&run, &p, text, 299999, UINT64_MAX);
        ck_assert(!ends(&run, &p));
        pattern_run_done(&run);
        pattern_done(&p);
        free(text);
}
END_TEST

/* A turn costs what it may, not more, whatever the pattern; and text that nothing begins in is cheap. */
START_TEST(budget)
{
        const uint64_t turn = 10000;
        char text[4096];
        PatternRun run;
        Pattern p;
        unsigned turns;

        memset(text, 'a', sizeof(text));
        compile(&p, "(.*.*.*.*){20}(a?){300}Q");
        ck_assert_int_eq(pattern_run_init(&run, &p), 0);
        turns = feed_all(&run, &p, text, sizeof(text), turn);
        ck_assert_uint_gt(turns, 100);
        ck_assert(!ends(&run, &p));
        pattern_run_done(&run);
        pattern_done(&p);

        compile(&p, "listening on port [0-9]+");
        ck_assert_int_eq(pattern_run_init(&run, &p), 0);
        turns = feed_all(&run, &p, text, sizeof(text), turn);
        ck_assert_uint_le(turns, 2);
        pattern_run_done(&run);
        pattern_done(&p);
}
END_TEST

static void append_random(char *pattern, size_t size, unsigned depth)
{
        static const char *const atoms[] = {"a", "b", ".", "[ab]", "[^a]", "^", "$", "ab", "(a|b)", ""};
        static const char *const repeats[] = {"", "", "*", "+", "?", "{1,3}", "{2}"};

        for (unsigned n = 1 + (unsigned) rand() % 3; n > 0 && strlen(pattern) + 24 < size; n--) {
                const char *atom = atoms[(size_t) rand() % ELEMENTSOF(atoms)];
                bool repeated = *atom && *atom != '^' && *atom != '$';

                if (depth > 0 && rand() % 3 == 0) {
                        strcat(pattern, "(");
                        append_random(pattern, size - 16, depth - 1);
                        strcat(pattern, ")");
                } else {
                        strcat(pattern, atom);
                }
                if (repeated)
                        strcat(pattern, repeats[(size_t) rand() % ELEMENTSOF(repeats)]);
                if (n > 1 && rand() % 4 == 0)
                        strcat(pattern, "|");
        }
}

START_TEST(as_in_one_piece)
{
        unsigned compared = 0, matched = 0;

        srand(7);
        for (unsigned i = 0; i < 20000; i++) {
                char pattern[128] = "", text[24];
                size_t n = (size_t) rand() % (sizeof(text) - 1);
                Pattern p = {0};
                PatternRun run;

                append_random(pattern, sizeof(pattern), 2);
                if (pattern_compile(&p, "LogPattern", pattern, NULL) < 0)
                        continue;
                ck_assert_int_eq(pattern_run_init(&run, &p), 0);
                for (unsigned k = 0; k < 5; k++) {
                        bool expected, found;

                        for (size_t b = 0; b < n; b++)
                                text[b] = "aabbc"[rand() % 5];
                        text[n] = '\0';
                        expected = pattern_match(&p, text);
                        for (size_t at = 0; at < n;) {
                                size_t size = 1 + (size_t) rand() % (n - at);

                                feed_all(&run, &p, text + at, size, 1 + (uint64_t) rand() % 60);
                                at += size;
                        }
                        found = ends(&run, &p);
                        ck_assert_msg(found == expected, "\"%s\" on \"%s\": %d", pattern, text, found);
                        compared++;
                        matched += found;
                }
                pattern_run_done(&run);
                pattern_done(&p);
        }
        ck_assert_uint_gt(compared, 20000);
        ck_assert_uint_gt(matched, compared / 20);
        ck_assert_uint_lt(matched, compared - compared / 20);
}
END_TEST

START_TEST(no_memory)
{
        PatternRun run = {0};
        Pattern p;

        compile(&p, "x");
        alloc_fault_set(1, true);
        ck_assert_int_eq(pattern_run_init(&run, &p), -ENOMEM);
        alloc_fault_set(0, false);
        pattern_run_done(&run);
        pattern_done(&p);
}
END_TEST

TEST_MAIN("pattern-run", pieces, one_text_after_the_other, bytes, long_texts, budget, as_in_one_piece,
          no_memory)
