/* UTF-8, beside an encoder: what it makes is valid, everything else is not. */

#include "basic/utf8.h"

#include "basic/alloc.h"
#include "test-main.h"

static size_t encode(uint32_t c, char s[static 4])
{
        if (c < 0x80) {
                s[0] = c;
                return 1;
        }
        if (c < 0x800) {
                s[0] = 0xc0 | c >> 6;
                s[1] = 0x80 | (c & 0x3f);
                return 2;
        }
        if (c < 0x10000) {
                s[0] = 0xe0 | c >> 12;
                s[1] = 0x80 | (c >> 6 & 0x3f);
                s[2] = 0x80 | (c & 0x3f);
                return 3;
        }
        s[0] = 0xf0 | c >> 18;
        s[1] = 0x80 | (c >> 12 & 0x3f);
        s[2] = 0x80 | (c >> 6 & 0x3f);
        s[3] = 0x80 | (c & 0x3f);
        return 4;
}

START_TEST(every_character)
{
        for (uint32_t c = 0; c <= 0x10ffff; c++) {
                bool surrogate = c >= 0xd800 && c <= 0xdfff, incomplete;
                char s[4];
                size_t n = encode(c, s);

                if (utf8_character(s, n, &incomplete) != (surrogate ? 0 : n) || incomplete ||
                    utf8_is_valid(s, n) == surrogate)
                        ck_abort_msg("U+%04x", c);
                for (size_t k = 1; k < n && !surrogate; k++)
                        if (utf8_character(s, k, &incomplete) != 0 || !incomplete || utf8_is_valid(s, k) ||
                            utf8_incomplete_tail(s, k) != k)
                                ck_abort_msg("U+%04x, %zu bytes of it", c, k);
                if (utf8_incomplete_tail(s, n) != 0)
                        ck_abort_msg("U+%04x", c);
        }
}
END_TEST

START_TEST(what_is_none)
{
        static const char *const none[] = {
                "\x80",
                "\xbf",
                "\xc0\x80",
                "\xc1\xbf",
                "\xc2 ",
                "\xe0\x9f\xbf",
                "\xed\xa0\x80",
                "\xe2\x82 ",
                "\xf0\x8f\xbf\xbf",
                "\xf4\x90\x80\x80",
                "\xf5\x80\x80\x80",
                "\xff",
                "\xfe",
                "\xe2\xc2\xa2",
        };

        for (size_t i = 0; i < ELEMENTSOF(none); i++) {
                bool incomplete = true;

                ck_assert_uint_eq(utf8_character(none[i], strlen(none[i]), &incomplete), 0);
                ck_assert(!incomplete);
                ck_assert(!utf8_is_valid(none[i], strlen(none[i])));
        }
        /* What can no longer become a character is not waited for. */
        ck_assert_uint_eq(utf8_incomplete_tail("\xe0\x80", 2), 0);
        ck_assert_uint_eq(utf8_incomplete_tail("\xed\xa0", 2), 0);
        ck_assert_uint_eq(utf8_incomplete_tail("\xff", 1), 0);
}
END_TEST

START_TEST(tails)
{
        ck_assert_uint_eq(utf8_incomplete_tail("", 0), 0);
        ck_assert_uint_eq(utf8_incomplete_tail("abc", 3), 0);
        ck_assert_uint_eq(utf8_incomplete_tail("abc\xc3", 4), 1);
        ck_assert_uint_eq(utf8_incomplete_tail("ab\xc3\xa4", 4), 0);
        ck_assert_uint_eq(utf8_incomplete_tail("a\xf0\x9f\x98", 4), 3);
        ck_assert_uint_eq(utf8_incomplete_tail("\xf0\x9f\x98\x80", 4), 0);
        ck_assert_uint_eq(utf8_incomplete_tail("\x80\x80\x80\x80\x80", 5), 0);
}
END_TEST

/* One bad byte at each place, around where words of eight begin and end. */
START_TEST(long_texts)
{
        char s[64];

        for (size_t n = 0; n < sizeof(s); n++) {
                memset(s, 'x', sizeof(s));
                s[n / 2] = 0;
                ck_assert(utf8_is_valid(s, n));
                for (size_t bad = 0; bad < n; bad++) {
                        s[bad] ^= 0x80;
                        ck_assert(!utf8_is_valid(s, n));
                        s[bad] ^= 0x80;
                }
                for (size_t i = 0; i + 2 <= n; i++) {
                        memset(s, 'x', sizeof(s));
                        memcpy(s + i, "\xc3\xa4", 2);
                        ck_assert(utf8_is_valid(s, n));
                        ck_assert(!utf8_is_valid(s, i + 1));
                }
        }
}
END_TEST

START_TEST(sanitize)
{
        static const struct {
                const char *bytes;
                size_t n;
                const char *text;
        } cases[] = {
                {"", 0, ""},
                {"a\xc3\xa4", 3, "a\xc3\xa4"},
                {"a\0b", 3,
                 "a\xef\xbf\xbd"
                 "b"},
                {"\xff\xfe", 2, "\xef\xbf\xbd\xef\xbf\xbd"},
                {"\xe2\x82x", 3, "\xef\xbf\xbd\xef\xbf\xbdx"},
                {"x\xe2\x82", 3, "x\xef\xbf\xbd\xef\xbf\xbd"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = utf8_sanitize(cases[i].bytes, cases[i].n);

                ck_assert_str_eq(text, cases[i].text);
        }
        alloc_fault_set(1, false);
        ck_assert_ptr_null(utf8_sanitize("x", 1));
}
END_TEST

TEST_MAIN("utf8", every_character, what_is_none, tails, long_texts, sanitize)
