/* Cursors: one spelling, and nothing else is taken. */

#include "journal/cursor.h"

#include <errno.h>
#include <stdio.h>

#include "test-main.h"

static const LogIdentity log_a = {.run = {UINT64_C(0x4fe2), UINT64_C(0xfedcba9876543210)}, .serial = 0x1a};

START_TEST(spelling)
{
        char text[CURSOR_TEXT_MAX];

        cursor_format(&log_a, &(RingPosition){.seqnum = 0x2710, .bytes = 0x18696, .records = 0x26f2}, text);
        ck_assert_str_eq(text, "r=0000000000004fe2fedcba9876543210;j=1a;n=2710;b=18696;c=26f2");
}
END_TEST

START_TEST(there_and_back)
{
        static const RingPosition places[] = {
                {0, 0, 0},
                {1, 32768, 1},
                {UINT64_MAX, UINT64_MAX, UINT64_MAX},
                {UINT64_C(1) << 63, 5, 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                char text[CURSOR_TEXT_MAX];
                RingPosition back;

                cursor_format(&log_a, &places[i], text);
                ck_assert_int_eq(cursor_parse(text, &log_a, &back), 0);
                ck_assert_uint_eq(back.seqnum, places[i].seqnum);
                ck_assert_uint_eq(back.bytes, places[i].bytes);
                ck_assert_uint_eq(back.records, places[i].records);
        }
}
END_TEST

START_TEST(of_another)
{
        LogIdentity other = log_a;
        RingPosition p = {1, 2, 1};
        char text[CURSOR_TEXT_MAX];

        cursor_format(&log_a, &p, text);
        other.serial++;
        ck_assert_int_eq(cursor_parse(text, &other, &p), -ESTALE);
        other = log_a;
        other.run[1]++;
        ck_assert_int_eq(cursor_parse(text, &other, &p), -ESTALE);
        other = log_a;
        other.run[0]++;
        ck_assert_int_eq(cursor_parse(text, &other, &p), -ESTALE);
        ck_assert_uint_eq(p.bytes, 2);
}
END_TEST

START_TEST(malformed)
{
        static const char *const bad[] = {
                "",
                "tail",
                "r=",
                "r=0000000000004fe2fedcba987654321;j=1a;n=1;b=1;c=1",   /* too short */
                "r=0000000000004fe2fedcba98765432100;j=1a;n=1;b=1;c=1", /* too long */
                "r=0000000000004fe2FEDCBA9876543210;j=1a;n=1;b=1;c=1",  /* upper case */
                "r=0000000000004fe2fedcba9876543210;n=1;j=1a;b=1;c=1",  /* order */
                "r=0000000000004fe2fedcba9876543210;j=1a;n=1;b=1",
                "r=0000000000004fe2fedcba9876543210;j=1a;n=1;b=1;c=1;",
                "r=0000000000004fe2fedcba9876543210;j=1a;n=1;b=1;c=1 ",
                " r=0000000000004fe2fedcba9876543210;j=1a;n=1;b=1;c=1",
                "r=0000000000004fe2fedcba9876543210;j=1a;n=;b=1;c=1",
                "r=0000000000004fe2fedcba9876543210;j=1a;n=01;b=1;c=1",
                "r=0000000000004fe2fedcba9876543210;j=1a;n=0x1;b=1;c=1",
                "r=0000000000004fe2fedcba9876543210;j=1a;n=-1;b=1;c=1",
                "r=0000000000004fe2fedcba9876543210;j=1a;n=10000000000000000;b=1;c=1",
                "r=0000000000004fe2fedcba9876543210;j=01a;n=1;b=1;c=1",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                RingPosition p = {.seqnum = 42};

                ck_assert_msg(cursor_parse(bad[i], &log_a, &p) == -EBADMSG, "%s", bad[i]);
                ck_assert_uint_eq(p.seqnum, 42);
        }
}
END_TEST

/* Any one character changed is another cursor or none: never the same place. */
START_TEST(every_change_counts)
{
        RingPosition p = {0x2710, 0x18696, 0x26f2}, back;
        char text[CURSOR_TEXT_MAX], changed[CURSOR_TEXT_MAX];

        cursor_format(&log_a, &p, text);
        for (size_t i = 0; text[i]; i++)
                for (int c = 1; c < 256; c++) {
                        if ((char) c == text[i])
                                continue;
                        strcpy(changed, text);
                        changed[i] = c;
                        if (cursor_parse(changed, &log_a, &back) == 0)
                                ck_assert(back.seqnum != p.seqnum || back.bytes != p.bytes ||
                                          back.records != p.records);
                }
}
END_TEST

TEST_MAIN("cursor", spelling, there_and_back, of_another, malformed, every_change_counts)
