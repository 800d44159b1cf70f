/* Columns as wide as what is in them, and the last one as wide as there is room for. */

#include "ctl/table.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "test-main.h"

static const char *const headers[] = {"ID", "COMMAND", NULL};

static void check_table(const Table *t, size_t columns, const char *expected)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_free_ char *shown = NULL;

        table_format(t, columns, &b);
        shown = buffer_take(&b, NULL);
        ck_assert_str_eq(shown, expected);
}

START_TEST(headers_alone)
{
        _cleanup_(table_done) Table t = TABLE_INIT(headers);

        check_table(&t, 0, "ID  COMMAND\n");
}
END_TEST

START_TEST(columns_are_as_wide_as_they_need)
{
        _cleanup_(table_done) Table t = TABLE_INIT(headers);

        table_cell(&t, "a");
        table_cell(&t, "%s %d", "sleep", 100);
        table_cell(&t, "long-id");
        table_cell(&t, "x");
        check_table(&t, 0,
                    "ID       COMMAND\n"
                    "a        sleep 100\n"
                    "long-id  x\n");
}
END_TEST

START_TEST(characters_count_not_bytes)
{
        _cleanup_(table_done) Table t = TABLE_INIT(headers);

        table_cell(&t, "\xc3\xbc\xc3\xbc\xc3\xbc");
        table_cell(&t, "x");
        table_cell(&t, "abc");
        table_cell(&t, "y");
        check_table(&t, 0,
                    "ID   COMMAND\n"
                    "\xc3\xbc\xc3\xbc\xc3\xbc  x\n"
                    "abc  y\n");
}
END_TEST

START_TEST(nothing_is_a_dash_and_controls_are_written_out)
{
        _cleanup_(table_done) Table t = TABLE_INIT(headers);

        table_cell(&t, "%s", "");
        table_cell(&t, "%s", "a\nb\033c");
        check_table(&t, 0,
                    "ID  COMMAND\n"
                    "-   a\\nb\\x1bc\n");
}
END_TEST

START_TEST(the_last_column_gives_way)
{
        _cleanup_(table_done) Table t = TABLE_INIT(headers);

        table_cell(&t, "a");
        table_cell(&t, "0123456789abcdefghij");
        check_table(&t, 24, "ID  COMMAND\na   0123456789abcdefghij\n");
        check_table(&t, 23, "ID  COMMAND\na   0123456789abcdefgh\xe2\x80\xa6\n");
        /* Not below what still tells something. */
        check_table(&t, 5, "ID  COMMAND\na   0123456789a\xe2\x80\xa6\n");
        check_table(&t, 0, "ID  COMMAND\na   0123456789abcdefghij\n");
}
END_TEST

START_TEST(a_want_of_memory_is_told)
{
        _cleanup_(buffer_done) Buffer b = BUFFER_INIT;
        _cleanup_(table_done) Table t = TABLE_INIT(headers);

        table_cell(&t, "a");
        alloc_fault_set(1, 1);
        table_cell(&t, "b");
        alloc_fault_set(0, 0);
        ck_assert_int_eq(t.error, -ENOMEM);
        table_format(&t, 0, &b);
        ck_assert_int_eq(b.error, -ENOMEM);
}
END_TEST

TEST_MAIN("ctl-table", headers_alone, columns_are_as_wide_as_they_need, characters_count_not_bytes,
          nothing_is_a_dash_and_controls_are_written_out, the_last_column_gives_way,
          a_want_of_memory_is_told)
