/* Lines of unit files, systemd.syntax(7): each case of the page, and of the code of systemd where the page
 * is short. */

#include "unit/syntax.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "test-main.h"

/* All items as "LINE[section]", "LINE name=value", "LINE!" for what is broken, with a bar behind each. */
static char *read_all(const char *text, size_t size)
{
        UnitText t = UNIT_TEXT(text, size);
        Buffer b = BUFFER_INIT;
        UnitItem item;

        for (;;) {
                ck_assert_int_eq(unit_text_next(&t, &item), 0);
                if (item.type == UNIT_ITEM_END)
                        break;
                buffer_printf(&b, "%u", item.line);
                if (item.type == UNIT_ITEM_SECTION)
                        buffer_printf(&b, "[%s]|", item.name);
                else if (item.type == UNIT_ITEM_ASSIGNMENT)
                        buffer_printf(&b, " %s=%s|", item.name, item.value);
                else
                        buffer_append_string(&b, "!|");
        }
        unit_text_done(&t);
        return buffer_take(&b, NULL);
}

static const struct {
        const char *text, *items;
} cases[] = {
                {"", ""},
                {"\n\n", ""},
                {"[A]\nKeyOne=value 1\n", "1[A]|2 KeyOne=value 1|"},
                {"[A]\nK=v", "1[A]|2 K=v|"}, /* no newline at the end */
                {"[Section B]\nSetting=\"something\" \"some thing\" \"…\"\n",
                 "1[Section B]|2 Setting=\"something\" \"some thing\" \"…\"|"},
                /* comments */
                {"# c\n; c\n\n[A]\n#K=v\n;K=v\n  # c\n\t; c\nK=v # no comment ; none\n",
                 "4[A]|9 K=v # no comment ; none|"},
                {"# ends in \\\nK=v\n", "2 K=v|"},
                {"#\n", ""},
                /* blanks */
                {"  [A]  \n  K  =  v w  \n", "1[A]|2 K=v w|"},
                {"K\t=\tv\t\n", "1 K=v|"},
                {"K=\n", "1 K=|"},
                {"K=   \n", "1 K=|"},
                {"   \n\t\n", ""},
                {"K==v=w\n", "1 K==v=w|"},
                {"K=[v]\n", "1 K=[v]|"},
                /* lines that end as elsewhere */
                {"[A]\r\nK=v\r\n", "1[A]|2 K=v|"},
                {"K=a\\\r\nb\r\n", "1 K=a b|"},
                /* lines that go on: the example of the page */
                {"[Section C]\nKeyThree=value 3\\\n# this line is ignored\n; this line is ignored too\n"
                 "       value 3 continued\n",
                 "1[Section C]|2 KeyThree=value 3        value 3 continued|"},
                {"K=a\\\nb\\\nc\nL=d\n", "1 K=a b c|4 L=d|"},
                {"K=a \\\n  b\n", "1 K=a    b|"},
                {"K=\\\nv\n", "1 K=v|"},
                {"K\\\n=v\n", "1 K=v|"},
                {"K=a\\\n", "1 K=a|"}, /* the file ends in it */
                {"K=a\\", "1 K=a|"},
                {"K=a\\\n# c", "1 K=a|"},
                {"K=a\\\\\nL=b\n", "1 K=a\\\\|2 L=b|"}, /* an escaped backslash is none */
                {"K=a\\\\\\\nL=b\n", "1 K=a\\\\ L=b|"},
                {"K=a\\\n\nL=b\n", "1 K=a|3 L=b|"},  /* an empty line ends it */
                {"K=a\\ \nL=b\n", "1 K=a\\|2 L=b|"}, /* a blank behind the backslash */
                {"K=a\\\n[B]\n", "1 K=a [B]|"},
                {"\\\nK=v\n", "1 K=v|"},
                /* what is none of these */
                {"[A\nK=v\n", "1!|2 K=v|"},
                {"[A] x\n", "1!|"},
                {"[]\n", "1!|"},
                {"[A]]\n", "1!|"},
                {"[A[B]\n", "1!|"},
                {"key\n", "1!|"},
                {"=v\n", "1!|"},
                {" = v\n", "1!|"},
                {"K=v\nnonsense\nL=w\n", "1 K=v|2!|3 L=w|"},
};

START_TEST(lines)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *items = read_all(cases[i].text, strlen(cases[i].text));

                ck_assert_msg(streq(items, cases[i].items), "%s\ngives %s\nnot   %s", cases[i].text, items,
                              cases[i].items);
        }
}
END_TEST

START_TEST(the_text_need_not_end_in_NUL)
{
        _cleanup_free_ char *items = read_all("K=vXX", 3);

        ck_assert_str_eq(items, "1 K=v|");
}
END_TEST

static char *long_line(size_t n, const char *prefix, const char *rest)
{
        char *text = malloc(strlen(prefix) + n + strlen(rest) + 1), *end = stpcpy(text, prefix);

        memset(end, 'x', n);
        strcpy(end + n, rest);
        return text;
}

START_TEST(lines_have_a_length)
{
        _cleanup_free_ char *fits = long_line(UNIT_LINE_MAX - 2, "K=", "\nL=v\n");
        _cleanup_free_ char *too_long = long_line(UNIT_LINE_MAX - 1, "K=", "\nL=v\n");
        _cleanup_free_ char *joined = long_line(UNIT_LINE_MAX - 9, "K=a\\\nb\\\n", "\\\nccc\nL=v\n");
        _cleanup_free_ char *a = read_all(fits, strlen(fits)), *b = read_all(too_long, strlen(too_long)),
                            *c = read_all(joined, strlen(joined));

        ck_assert(startswith(a, "1 K=xxx"));
        ck_assert_str_eq(a + strlen(a) - 8, "x|2 L=v|");
        ck_assert_str_eq(b, "1!|2 L=v|");
        ck_assert_str_eq(c, "1!|5 L=v|");
}
END_TEST

static void check_text(const char *text, size_t size, const char *reason, unsigned line)
{
        unsigned found = 77;
        const char *r = unit_text_check(text, size, &found);

        if (!reason) {
                ck_assert_ptr_null(r);
                ck_assert_uint_eq(found, 77);
                return;
        }
        ck_assert_ptr_nonnull(strstr(r, reason));
        ck_assert_uint_eq(found, line);
}

START_TEST(only_text_is_read)
{
        check_text("", 0, NULL, 0);
        check_text("K=ä€😀\n", strlen("K=ä€😀\n"), NULL, 0);
        check_text("\xef\xbb\xbfK=v", 6, "byte order mark", 1);
        check_text("K=\xef\xbb\xbf", 5, NULL, 0); /* elsewhere it is a character */
        check_text("a\nb\0c\n", 6, "NUL", 2);
        check_text("\0", 1, "NUL", 1);
        check_text("a\n\nb\xff\n", 6, "UTF-8", 3);
        check_text("\xc3", 1, "UTF-8", 1);         /* half a character */
        check_text("\xed\xa0\x80", 3, "UTF-8", 1); /* a surrogate */
        check_text("\xc0\x80", 2, "UTF-8", 1);     /* a longer form */
}
END_TEST

START_TEST(a_want_of_memory_is_told)
{
        const char *text = "[A]\nK=a\\\nb\nL=c\n";

        for (unsigned nth = 1;; nth++) {
                UnitText t = UNIT_TEXT(text, strlen(text));
                UnitItem item;
                unsigned hits;
                int r;

                alloc_fault_set(nth, 0);
                do
                        r = unit_text_next(&t, &item);
                while (r == 0 && item.type != UNIT_ITEM_END);
                hits = alloc_fault_hits();
                alloc_fault_set(0, 0);
                unit_text_done(&t);
                ck_assert_int_eq(r, hits > 0 ? -ENOMEM : 0);
                if (hits == 0)
                        break;
        }
}
END_TEST

TEST_MAIN("unit-syntax", lines, the_text_need_not_end_in_NUL, lines_have_a_length, only_text_is_read,
          a_want_of_memory_is_told)
