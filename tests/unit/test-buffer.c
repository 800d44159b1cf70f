/* The growing buffer, and its sticky error. */

#include "basic/buffer.h"

#include <errno.h>

#include "basic/alloc.h"
#include "test-main.h"

START_TEST(grows)
{
        _cleanup_free_ char *text = NULL;
        Buffer b = BUFFER_INIT;
        size_t size = 0;

        for (int i = 0; i < 1000; i++) {
                buffer_append_string(&b, "abc");
                buffer_append(&b, "\0", 1);
                buffer_printf(&b, "%03i", i);
        }
        buffer_printf(&b, "%*s", 5000, "end"); /* longer than there is room */
        ck_assert_int_eq(b.error, 0);

        text = buffer_take(&b, &size);
        ck_assert_uint_eq(size, 7 * 1000 + 5000);
        for (int i = 0; i < 1000; i++) {
                char expected[] = {'a', 'b', 'c', 0, '0' + i / 100, '0' + i / 10 % 10, '0' + i % 10};

                ck_assert_mem_eq(text + i * 7, expected, sizeof(expected));
        }
        ck_assert_str_eq(text + 7000 + 4997, "end");
        ck_assert_uint_eq(b.size, 0);
        ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(nothing_is_a_text_too)
{
        Buffer b = BUFFER_INIT;
        _cleanup_free_ char *text = NULL;
        size_t size = 7;

        buffer_append(&b, NULL, 0);
        text = buffer_take(&b, &size);
        ck_assert_str_eq(text, "");
        ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(printf_at_every_fill)
{
        /* The text ends just before, at, and just behind what is allocated. */
        for (size_t n = 0; n < 600; n++) {
                Buffer b = BUFFER_INIT;
                _cleanup_free_ char *text = NULL;
                size_t size;

                for (size_t i = 0; i < n; i++)
                        buffer_append(&b, "x", 1);
                buffer_printf(&b, "<%u>", 4321U);
                text = buffer_take(&b, &size);
                ck_assert_uint_eq(size, n + 6);
                ck_assert_str_eq(text + n, "<4321>");
        }
}
END_TEST

START_TEST(error_sticks)
{
        Buffer b = BUFFER_INIT;
        size_t size = 7;

        buffer_append_string(&b, "held");
        alloc_fault_set(1, false);
        buffer_printf(&b, "%1000s", "");
        ck_assert_uint_eq(alloc_fault_hits(), 1);
        ck_assert_int_eq(b.error, -ENOMEM);
        buffer_append_string(&b, "more");
        buffer_printf(&b, "more");
        ck_assert_ptr_null(buffer_take(&b, &size));
        ck_assert_uint_eq(size, 7);
        ck_assert_int_eq(b.error, -ENOMEM);
        buffer_done(&b);
        ck_assert_int_eq(b.error, 0);
}
END_TEST

TEST_MAIN("buffer", grows, nothing_is_a_text_too, printf_at_every_fill, error_sticks)
