/* The order of units, and circles in it. */

#include "unit/order.h"

#include <errno.h>

#include "basic/strv.h"
#include "unit-fixture.h"

typedef struct Set {
        Unit *units[64];
        size_t n;
} Set;

static void set_done(Set *s)
{
        for (size_t i = 0; i < s->n; i++)
                unit_free(s->units[i]);
}
#define _cleanup_set_ _cleanup_(set_done)

/* "a>b" is a after b, "a<b" is a before b, "a" alone is there. */
static Unit *unit_of(Set *s, char letter)
{
        char name[] = {letter, '\0'};

        for (size_t i = 0; i < s->n; i++)
                if (streq(s->units[i]->name, name))
                        return s->units[i];
        s->units[s->n] = unit_new(name);
        return s->units[s->n++];
}

static Set set_of(const char *text)
{
        Set s = {.n = 0};

        for (; *text; text++) {
                Unit *u = unit_of(&s, text[0]);

                if (text[1] == '>' || text[1] == '<') {
                        char other[] = {text[2], '\0'};

                        if (text[2] != '?')
                                (void) unit_of(&s, text[2]);
                        ck_assert_int_eq(strv_append(text[1] == '>' ? &u->after : &u->before, other), 0);
                        text += 2;
                }
                text += text[1] == ' ';
        }
        return s;
}

static void check_sorted(const char *text, const char *expected)
{
        _cleanup_set_ Set s = set_of(text);
        char order[64] = "";

        ck_assert_int_eq(unit_order_sort(s.units, s.n), 0);
        for (size_t i = 0; i < s.n; i++)
                strcat(order, s.units[i]->name);
        ck_assert_msg(streq(order, expected), "%s gives %s, not %s", text, order, expected);
}

START_TEST(who_is_free_goes_by_name)
{
        check_sorted("", "");
        ck_assert_int_eq(unit_order_sort(NULL, 0), 0);
        check_sorted("b a c", "abc");
        check_sorted("a>b", "ba");
        check_sorted("b<a", "ba");
        check_sorted("a>b b>c", "cba");
        check_sorted("c<b b<a", "cba");
        check_sorted("a>c b>c", "cab");
        check_sorted("a>b b<a", "ba"); /* said by both */
        check_sorted("a>b a>b", "ba"); /* and twice */
        check_sorted("d>b d>c b>a c>a", "abcd");
        check_sorted("a>? b<?", "ab"); /* of who is not there */
        check_sorted("z a>z m", "zam");
}
END_TEST

START_TEST(a_circle_has_no_order)
{
        _cleanup_set_ Set s = set_of("a>b b>a c");

        ck_assert_int_eq(unit_order_sort(s.units, s.n), -ELOOP);
        ck_assert_str_eq(s.units[0]->name, "a");
        ck_assert_str_eq(s.units[2]->name, "c");
}
END_TEST

START_TEST(circles_are_named_whole)
{
        static const struct {
                const char *set, *said, *order;
        } cases[] = {
                        {"a>b b>c", "", "cba"},
                        {"a>a", "a after a; that a is to start after a is ignored.", "a"},
                        {"a<a", "a after a; that a is to start after a is ignored.", "a"},
                        {"a>b b>a", "a after b after a; that b is to start after a is ignored.", "ba"},
                        {"a>b a<b", "a after b after a; that b is to start after a is ignored.", "ba"},
                        {"a>b b>c c>a", "a after b after c after a; that c is to start after a is ignored.",
                         "cba"},
                        /* what leads into a circle is no part of it */
                        {"a>b b>c c>b", "b after c after b; that c is to start after b is ignored.", "cba"},
                        {"a>b b>a c>d d>c",
                         "a after b after a; that b is to start after a is ignored.|"
                         "c after d after c; that d is to start after c is ignored.",
                         "badc"},
                        {"a>b b>a b<a", "a after b after a; that b is to start after a is ignored.", "ba"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_set_ Set s = set_of(cases[i].set);
                UnitProblems p = UNIT_PROBLEMS_INIT;
                Buffer b = BUFFER_INIT;
                char order[64] = "";
                _cleanup_free_ char *said = NULL;

                ck_assert_int_eq(unit_order_break_circles(s.units, s.n, &p), 0);
                for (size_t k = 0; k < p.n; k++) {
                        const char *message = startswith(p.list[k].message,
                                                         "After= and Before= go round in a circle: ");

                        ck_assert_ptr_nonnull(message);
                        ck_assert(!p.list[k].refused);
                        buffer_printf(&b, "%s%s", k > 0 ? "|" : "", message);
                }
                said = buffer_take(&b, NULL);
                ck_assert_msg(streq(said, cases[i].said), "%s says %s", cases[i].set, said);
                ck_assert_int_eq(unit_order_sort(s.units, s.n), 0);
                for (size_t k = 0; k < s.n; k++)
                        strcat(order, s.units[k]->name);
                ck_assert_msg(streq(order, cases[i].order), "%s gives %s", cases[i].set, order);
                unit_problems_done(&p);
        }
}
END_TEST

START_TEST(who_is_after_whom)
{
        _cleanup_set_ Set s = set_of("a>b c<a");

        ck_assert(unit_is_after(unit_of(&s, 'a'), unit_of(&s, 'b')));
        ck_assert(!unit_is_after(unit_of(&s, 'b'), unit_of(&s, 'a')));
        ck_assert(unit_is_after(unit_of(&s, 'a'), unit_of(&s, 'c')));
        ck_assert(!unit_is_after(unit_of(&s, 'c'), unit_of(&s, 'b')));
}
END_TEST

/* Whatever the graph: circles are gone afterwards, every order that is left holds, and it is the same order
 * again. */
START_TEST(random_graphs)
{
        uint64_t seed = 88172645463325252;

        for (unsigned round = 0; round < 500; round++) {
                Set s = {.n = 2 + round % 20};
                unsigned edges = round % 60;

                for (size_t i = 0; i < s.n; i++)
                        s.units[i] = unit_new((char[]){(char) ('a' + i), '\0'});
                while (edges-- > 0) {
                        Unit *u;

                        seed ^= seed << 13;
                        seed ^= seed >> 7;
                        seed ^= seed << 17;
                        u = s.units[seed % s.n];
                        ck_assert_int_eq(strv_append(seed & (1U << 20) ? &u->after : &u->before,
                                                     s.units[(seed >> 32) % s.n]->name),
                                         0);
                }
                ck_assert_int_eq(unit_order_break_circles(s.units, s.n, NULL), 0);
                ck_assert_int_eq(unit_order_sort(s.units, s.n), 0);
                for (size_t i = 0; i < s.n; i++)
                        for (size_t k = i; k < s.n; k++)
                                ck_assert(!unit_is_after(s.units[i], s.units[k]));
                set_done(&s);
        }
}
END_TEST

/* A chain of a thousand, closed: no recursion, and the whole circle is said. */
START_TEST(long_chains)
{
        enum { N = 1000 };
        static Unit *units[N];
        UnitProblems p = UNIT_PROBLEMS_INIT;

        for (unsigned i = 0; i < N; i++) {
                _cleanup_free_ char *name = str_printf("u%04u", i), *next = str_printf("u%04u", (i + 1) % N);

                units[i] = unit_new(name);
                ck_assert_int_eq(strv_append(&units[i]->after, next), 0);
        }
        ck_assert_int_eq(unit_order_break_circles(units, N, &p), 0);
        ck_assert_uint_eq(p.n, 1);
        ck_assert_ptr_nonnull(strstr(p.list[0].message, "u0499 after u0500 after u0501"));
        ck_assert_int_eq(unit_order_sort(units, N), 0);
        ck_assert_str_eq(units[0]->name, "u0999");
        ck_assert_str_eq(units[N - 1]->name, "u0000");
        for (unsigned i = 0; i < N; i++)
                unit_free(units[i]);
        unit_problems_done(&p);
}
END_TEST

START_TEST(a_want_of_memory_is_told)
{
        for (unsigned nth = 1;; nth++) {
                _cleanup_set_ Set s = set_of("a>b b>c c>a");
                unsigned hits;
                int r;

                alloc_fault_set(nth, 0);
                r = unit_order_break_circles(s.units, s.n, NULL);
                if (r >= 0)
                        r = unit_order_sort(s.units, s.n);
                hits = alloc_fault_hits();
                alloc_fault_set(0, 0);
                ck_assert_int_eq(r, hits > 0 ? -ENOMEM : 0);
                if (hits == 0)
                        break;
        }
}
END_TEST

TEST_MAIN("unit-order", who_is_free_goes_by_name, a_circle_has_no_order, circles_are_named_whole,
          who_is_after_whom, random_graphs, long_chains, a_want_of_memory_is_told)
