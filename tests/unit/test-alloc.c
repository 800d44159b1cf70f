/* Allocation: what it hands out, and that a test can make each one fail. */

#include "basic/alloc.h"

#include "test-main.h"

START_TEST(copies)
{
        _cleanup_free_ char *s = str_copy("reeve"), *n = str_copy_n("reeve", 3),
                            *longer = str_copy_n("ab", 9);
        _cleanup_free_ char *printed = str_printf("%i-%s", 7, "x"), *nothing = alloc_copy("", 0);
        _cleanup_free_ char *bytes = alloc_copy("a\0b", 3);

        ck_assert_str_eq(s, "reeve");
        ck_assert_str_eq(n, "ree");
        ck_assert_str_eq(longer, "ab");
        ck_assert_str_eq(printed, "7-x");
        ck_assert_ptr_nonnull(nothing);
        ck_assert_mem_eq(bytes, "a\0b", 3);
}
END_TEST

START_TEST(zeroed_and_resized)
{
        _cleanup_free_ char *block = alloc_zero(16), *empty = alloc_zero(0);
        char *larger;

        ck_assert_ptr_nonnull(empty);
        for (size_t i = 0; i < 16; i++)
                ck_assert_int_eq(block[i], 0);
        memcpy(block, "0123456789", 11);
        larger = alloc_resize(block, 1024, 4);
        ck_assert_ptr_nonnull(larger);
        block = larger;
        ck_assert_str_eq(block, "0123456789");
}
END_TEST

START_TEST(sizes_that_overflow)
{
        volatile size_t huge = SIZE_MAX / 2;

        ck_assert_ptr_null(alloc_resize(NULL, huge, 4));
}
END_TEST

START_TEST(the_nth_fails)
{
        void *a, *b, *c;

        alloc_fault_set(2, false);
        a = alloc_zero(1);
        b = alloc_zero(1);
        c = alloc_zero(1);
        ck_assert_ptr_nonnull(a);
        ck_assert_ptr_null(b);
        ck_assert_ptr_nonnull(c);
        ck_assert_uint_eq(alloc_fault_hits(), 1);
        free(a);
        free(c);
}
END_TEST

START_TEST(all_fail_from_the_nth_on)
{
        _cleanup_free_ char *kept = str_copy("kept"), *after = NULL;

        alloc_fault_set(1, true);
        ck_assert_ptr_null(alloc_new(int));
        ck_assert_ptr_null(str_copy("x"));
        ck_assert_ptr_null(str_copy_n("x", 1));
        ck_assert_ptr_null(str_printf("x"));
        ck_assert_ptr_null(alloc_copy("x", 1));
        ck_assert_ptr_null(alloc_resize(kept, 100, 1));
        ck_assert_uint_eq(alloc_fault_hits(), 6);
        ck_assert_str_eq(kept, "kept");

        alloc_fault_set(0, false);
        ck_assert_uint_eq(alloc_fault_hits(), 0);
        after = str_copy("x");
        ck_assert_ptr_nonnull(after);
}
END_TEST

START_TEST(every_third_from_the_second_on)
{
        static const bool fails[] = {false, true, false, false, true, false, false, true, false};

        alloc_fault_set(2, 3);
        for (size_t i = 0; i < ELEMENTSOF(fails); i++) {
                _cleanup_free_ char *s = str_copy("x");

                ck_assert_int_eq(s == NULL, fails[i]);
        }
        ck_assert_uint_eq(alloc_fault_hits(), 3);
        alloc_fault_set(0, 0);
}
END_TEST

TEST_MAIN("alloc", copies, zeroed_and_resized, sizes_that_overflow, the_nth_fails, all_fail_from_the_nth_on,
          every_third_from_the_second_on)
