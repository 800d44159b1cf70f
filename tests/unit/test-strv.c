/* String arrays and environments. */

#include "basic/strv.h"

#include <errno.h>

#include "basic/alloc.h"
#include "test-main.h"

START_TEST(build_copy_compare)
{
        _cleanup_strv_ char **v = NULL, **copy = NULL, **empty = NULL;

        ck_assert_uint_eq(strv_length(NULL), 0);
        ck_assert_int_eq(strv_append(&v, "a"), 0);
        ck_assert_int_eq(strv_append(&v, ""), 0);
        ck_assert_int_eq(strv_consume(&v, str_copy("c")), 0);
        ck_assert_uint_eq(strv_length(v), 3);
        copy = strv_copy(v);
        ck_assert(strv_equal(v, copy));
        ck_assert_ptr_ne(v[0], copy[0]);
        ck_assert_int_eq(strv_append(&copy, "d"), 0);
        ck_assert(!strv_equal(v, copy));
        ck_assert(strv_contains(v, ""));
        ck_assert(!strv_contains(v, "d"));
        ck_assert(!strv_contains(NULL, "d"));

        empty = strv_copy(NULL);
        ck_assert_ptr_nonnull(empty);
        ck_assert(strv_equal(empty, NULL));
        ck_assert_ptr_null(strv_free(NULL));
}
END_TEST

START_TEST(join)
{
        char *v[] = {(char *) "a", (char *) "", (char *) "bc", NULL};
        _cleanup_free_ char *joined = strv_join(v, ", "), *nothing = strv_join(NULL, ", ");

        ck_assert_str_eq(joined, "a, , bc");
        ck_assert_str_eq(nothing, "");
}
END_TEST

START_TEST(walk)
{
        char *v[] = {(char *) "1", (char *) "2", NULL}, **nothing = NULL;
        unsigned n = 0;

        STRV_FOREACH (s, v)
                n = n * 10 + (*s)[0] - '0';
        STRV_FOREACH (s, nothing)
                n = 0;
        ck_assert_uint_eq(n, 12);
}
END_TEST

START_TEST(names)
{
        ck_assert(env_assignment_is_valid("A=b"));
        ck_assert(env_assignment_is_valid("_a1="));
        ck_assert(env_assignment_is_valid("A=b=c\n"));
        ck_assert(!env_assignment_is_valid("A"));
        ck_assert(!env_assignment_is_valid("=b"));
        ck_assert(!env_assignment_is_valid("1A=b"));
        ck_assert(!env_assignment_is_valid("A-B=c"));
        ck_assert(!env_assignment_is_valid("\xc3\xa4=c"));
        ck_assert(env_name_is_valid("ABC", 2));
        ck_assert(!env_name_is_valid("", 0));
}
END_TEST

START_TEST(put_get_unset)
{
        _cleanup_strv_ char **v = NULL;

        ck_assert_ptr_null(env_get(v, "A"));
        ck_assert_int_eq(env_put(&v, "A=1"), 0);
        ck_assert_int_eq(env_put(&v, "AB=2"), 0);
        ck_assert_int_eq(env_set(&v, "C", "x=y"), 0);
        ck_assert_str_eq(env_get(v, "A"), "1");
        ck_assert_str_eq(env_get(v, "AB"), "2");
        ck_assert_str_eq(env_get(v, "C"), "x=y");
        ck_assert_ptr_null(env_get(v, "B"));

        ck_assert_int_eq(strv_append(&v, "A=late"), 0);
        ck_assert_str_eq(env_get(v, "A"), "late");
        ck_assert_int_eq(env_put(&v, "A=3"), 0); /* of both */
        ck_assert_uint_eq(strv_length(v), 3);
        ck_assert_str_eq(v[0], "A=3");

        ck_assert_int_eq(strv_append(&v, "A=4"), 0);
        env_unset(v, "A");
        ck_assert_uint_eq(strv_length(v), 2);
        ck_assert_str_eq(v[0], "AB=2");
        env_unset(v, "nope");
        env_unset(NULL, "A");
        ck_assert_uint_eq(strv_length(v), 2);
}
END_TEST

static void check_settled(char *const *given, char *const *expected)
{
        _cleanup_strv_ char **v = strv_copy(given);

        ck_assert_int_eq(env_settle(v), 0);
        ck_assert_msg(strv_equal(v, expected), "%s", strv_join(v, " "));
}

#define V(...) ((char *const[]){(char *) __VA_ARGS__, NULL})

START_TEST(settle)
{
        char *const nothing[] = {NULL};

        ck_assert_int_eq(env_settle(NULL), 0);
        check_settled(nothing, nothing);
        check_settled(V("B=1", (char *) "A=2"), V("B=1", (char *) "A=2"));
        check_settled(V("A=1", (char *) "B=1", (char *) "A=2"), V("A=2", (char *) "B=1"));
        check_settled(V("A=1", (char *) "AB=1", (char *) "A"), V("AB=1"));
        check_settled(V("A", (char *) "A=1"), V("A=1"));
        check_settled(V("A", (char *) "B"), nothing);
        check_settled(V("A=1", (char *) "A=2", (char *) "A=3", (char *) "A", (char *) "A=4"), V("A=4"));
}
END_TEST

START_TEST(extend)
{
        _cleanup_strv_ char **v = NULL;

        ck_assert_int_eq(strv_extend(&v, NULL), 0);
        ck_assert_uint_eq(strv_length(v), 0);
        ck_assert_int_eq(strv_extend(&v, V("a", (char *) "b")), 0);
        ck_assert_int_eq(strv_extend(&v, V("c")), 0);
        ck_assert(strv_equal(v, V("a", (char *) "b", (char *) "c")));
        for (unsigned nth = 1; nth <= 2; nth++) {
                alloc_fault_set(nth, 0);
                ck_assert_int_eq(strv_extend(&v, V("d")), -ENOMEM);
                alloc_fault_set(0, 0);
                ck_assert_uint_eq(strv_length(v), 3);
        }
        alloc_fault_set(1, 0);
        ck_assert_int_eq(env_settle(v), -ENOMEM);
        alloc_fault_set(0, 0);
        ck_assert_uint_eq(strv_length(v), 3);
}
END_TEST

/* Every allocation in turn: -ENOMEM, and the array is as it was. */
START_TEST(no_memory)
{
        _cleanup_strv_ char **v = NULL, **copy = NULL;

        ck_assert_int_eq(env_put(&v, "A=1"), 0);
        copy = strv_copy(v);
        for (unsigned nth = 1; nth <= 2; nth++) {
                alloc_fault_set(nth, false);
                ck_assert_int_eq(strv_append(&v, "B"), -ENOMEM);
                alloc_fault_set(nth, false);
                ck_assert_int_eq(env_put(&v, "B=2"), -ENOMEM);
                alloc_fault_set(nth, false);
                ck_assert_int_eq(env_set(&v, "B", "2"), -ENOMEM);
                alloc_fault_set(nth, false);
                ck_assert_ptr_null(strv_copy(v));
                ck_assert(strv_equal(v, copy));
        }
        alloc_fault_set(1, false);
        ck_assert_int_eq(env_put(&v, "A=2"), -ENOMEM);
        alloc_fault_set(1, false);
        ck_assert_ptr_null(strv_join(v, " "));
        ck_assert(strv_equal(v, copy));
        alloc_fault_set(0, false);
}
END_TEST

START_TEST(long_lists_are_pushed_to)
{
        char **v = NULL;
        size_t n = 0, allocated = 0;

        for (unsigned i = 0; i < 1000; i++)
                ck_assert_int_eq(strv_push(&v, &n, &allocated, str_printf("%u", i)), 0);
        ck_assert_uint_eq(n, 1000);
        ck_assert_uint_eq(strv_length(v), 1000);
        ck_assert_str_eq(v[999], "999");
        while (n < 1023)
                ck_assert_int_eq(strv_push(&v, &n, &allocated, str_copy("x")), 0);
        {
                char *one_more = str_copy("y");

                alloc_fault_set(1, 0);
                ck_assert_int_eq(strv_push(&v, &n, &allocated, one_more), -ENOMEM);
                alloc_fault_set(0, 0);
        }
        ck_assert_uint_eq(n, 1023);
        ck_assert_uint_eq(strv_length(v), n);
        strv_free(v);
}
END_TEST

TEST_MAIN("strv", build_copy_compare, join, walk, names, put_get_unset, settle, extend,
          long_lists_are_pushed_to, no_memory)
