/* Errors are values: kind, errno, text. */

#include "core/error.h"

#include <errno.h>
#include <stdio.h>

#include "basic/alloc.h"
#include "test-main.h"

START_TEST(each_kind_has_its_errno)
{
        static const struct {
                ErrorKind kind;
                int error;
        } table[] = {
#define X(id, number) {ERROR_##id, number},
                        ERROR_KINDS(X)
#undef X
        };

        ck_assert_uint_eq(sizeof(table) / sizeof(table[0]), _ERROR_KIND_MAX - 1);
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                Error e = ERROR_NULL;

                ck_assert_int_gt(table[i].error, 0);
                ck_assert_int_eq(error_set(&e, table[i].kind, "%s: %d", "Key", 7), -table[i].error);
                ck_assert_int_eq(e.kind, table[i].kind);
                ck_assert_str_eq(e.message, "Key: 7");
        }
        /* What callers tell apart by number alone. */
        ck_assert_int_eq(error_set(NULL, ERROR_INVALID_ARGS, "x"), -EINVAL);
        ck_assert_int_eq(error_set(NULL, ERROR_NOT_SUPPORTED, "x"), -EOPNOTSUPP);
        ck_assert_int_eq(error_set(NULL, ERROR_JOB_RUNNING, "x"), -EBUSY);
        ck_assert_int_eq(error_set(NULL, ERROR_BAD_CURSOR, "x"), -EBADMSG);
}
END_TEST

START_TEST(the_last_one_counts)
{
        Error e = ERROR_NULL;

        ck_assert_int_eq(e.kind, ERROR_NONE);
        error_set(&e, ERROR_NO_SUCH_JOB, "a longer message than the second");
        error_set(&e, ERROR_JOB_EXISTS, "second");
        ck_assert_int_eq(e.kind, ERROR_JOB_EXISTS);
        ck_assert_str_eq(e.message, "second");
}
END_TEST

START_TEST(a_long_message_is_cut)
{
        char text[2000];
        Error e;

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        error_set(&e, ERROR_START_FAILED, "%s", text);
        ck_assert_uint_eq(strlen(e.message), sizeof(e.message) - 1);
}
END_TEST

START_TEST(no_memory_needs_none)
{
        Error e;

        alloc_fault_set(1, true);
        ck_assert_int_eq(error_no_memory(&e), -ENOMEM);
        ck_assert_uint_eq(alloc_fault_hits(), 0);
        alloc_fault_set(0, false);
        ck_assert_int_eq(e.kind, ERROR_NO_MEMORY);
        ck_assert_str_ne(e.message, "");
        ck_assert_int_eq(error_no_memory(NULL), -ENOMEM);
}
END_TEST

TEST_MAIN("error", each_kind_has_its_errno, the_last_one_counts, a_long_message_is_cut, no_memory_needs_none)
