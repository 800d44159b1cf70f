/* What is said at a notify socket, as text. */

#include "core/notify-message.h"

#include <errno.h>
#include <stdio.h>

#include "test-main.h"

static NotifyMessage parsed(const char *text)
{
        NotifyMessage m;

        ck_assert_int_eq(notify_message_parse(text, strlen(text), &m), 0);
        return m;
}

static void check_status(const NotifyMessage *m, const char *expected)
{
        ck_assert(notify_message_has(m, NOTIFY_STATUS));
        ck_assert_uint_eq(m->status_size, strlen(expected));
        ck_assert_int_eq(memcmp(m->status, expected, m->status_size), 0);
}

START_TEST(each_word_is_itself_alone)
{
        static const struct {
                NotifyKey key;
                const char *line;
        } words[] = {
#define X(id, line) {NOTIFY_##id, (line)},
                        NOTIFY_WORDS(X)
#undef X
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                char text[64];

                ck_assert_uint_eq(parsed(words[i].line).given, 1U << words[i].key);
                snprintf(text, sizeof(text), "%s\n", words[i].line);
                ck_assert_uint_eq(parsed(text).given, 1U << words[i].key);
                snprintf(text, sizeof(text), "%s0", words[i].line);
                ck_assert_uint_eq(parsed(text).given, 0);
                snprintf(text, sizeof(text), " %s", words[i].line);
                ck_assert_uint_eq(parsed(text).given, 0);
                snprintf(text, sizeof(text), "%.*s", (int) strlen(words[i].line) - 1, words[i].line);
                ck_assert_uint_eq(parsed(text).given, 0);
        }
        ck_assert_uint_eq(parsed("READY=0").given, 0);
        ck_assert_uint_eq(parsed("ready=1").given, 0);
        ck_assert_uint_eq(parsed("WATCHDOG=0").given, 0);
        ck_assert_ptr_null(parsed("READY=yes").wrong);
}
END_TEST

START_TEST(numbers_have_their_ranges)
{
        static const struct {
                NotifyKey key;
                const char *name;
                uint64_t max, min;
        } numbers[] = {
#define X(id, name, max, min) {NOTIFY_##id, (name), (max), (min)},
                        NOTIFY_NUMBERS(X)
#undef X
        };
        static const char *const wrong[] = {"",    "-1", " 1",  "1 ",
                                            "0x1", "1s", "1.5", "18446744073709551616",
                                            "x",   "+1", "1=2", "000000000000000000000000001"};

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                const uint64_t good[] = {numbers[i].min, numbers[i].min + 1, numbers[i].max};
                NotifyMessage m;
                char text[128];

                for (size_t j = 0; j < ELEMENTSOF(good); j++) {
                        snprintf(text, sizeof(text), "%s%llu", numbers[i].name,
                                 (unsigned long long) good[j]);
                        m = parsed(text);
                        ck_assert_uint_eq(m.given, 1U << numbers[i].key);
                        ck_assert_uint_eq(m.numbers[numbers[i].key], good[j]);
                        ck_assert_ptr_null(m.wrong);
                }
                for (size_t j = 0; j < ELEMENTSOF(wrong); j++) {
                        snprintf(text, sizeof(text), "READY=1\n%s%s\nSTATUS=on", numbers[i].name, wrong[j]);
                        m = parsed(text);
                        ck_assert_msg(m.given == (1U << NOTIFY_READY | 1U << NOTIFY_STATUS), "%s", text);
                        ck_assert_str_eq(m.wrong, numbers[i].name);
                }
        }
        ck_assert_str_eq(parsed("MAINPID=0").wrong, "MAINPID=");
        ck_assert_str_eq(parsed("MAINPID=2147483648").wrong, "MAINPID=");
        ck_assert_str_eq(parsed("ERRNO=4096").wrong, "ERRNO=");
}
END_TEST

START_TEST(several_lines_are_one_message)
{
        NotifyMessage m = parsed("MAINPID=42\nREADY=1\n\nX_MINE=7\nSTATUS=a = b, c\nnothing\nERRNO=2\n"
                                 "WATCHDOG_USEC=3000000\n");

        ck_assert_uint_eq(m.given, 1U << NOTIFY_MAINPID | 1U << NOTIFY_READY | 1U << NOTIFY_STATUS |
                                                   1U << NOTIFY_ERRNO | 1U << NOTIFY_WATCHDOG_USEC);
        ck_assert_uint_eq(m.numbers[NOTIFY_MAINPID], 42);
        ck_assert_uint_eq(m.numbers[NOTIFY_ERRNO], 2);
        ck_assert_uint_eq(m.numbers[NOTIFY_WATCHDOG_USEC], 3000000);
        check_status(&m, "a = b, c");
        ck_assert_ptr_null(m.wrong);
}
END_TEST

START_TEST(of_a_key_twice_the_first_counts)
{
        NotifyMessage m = parsed("MAINPID=1\nSTATUS=first\nMAINPID=2\nSTATUS=second");

        ck_assert_uint_eq(m.numbers[NOTIFY_MAINPID], 1);
        check_status(&m, "first");
        m = parsed("MAINPID=x\nMAINPID=2\nERRNO=y");
        ck_assert_uint_eq(m.numbers[NOTIFY_MAINPID], 2);
        ck_assert_str_eq(m.wrong, "MAINPID=");
}
END_TEST

START_TEST(an_empty_status_is_one)
{
        NotifyMessage m = parsed("STATUS=");

        check_status(&m, "");
        m = parsed("STATUS=\nREADY=1");
        check_status(&m, "");
        ck_assert(notify_message_has(&m, NOTIFY_READY));
        ck_assert(!notify_message_has(&m, NOTIFY_STOPPING));
        m = parsed("STATUS=\xff\xfe z");
        check_status(&m, "\xff\xfe z");
}
END_TEST

START_TEST(a_nul_may_stand_at_the_end_alone)
{
        NotifyMessage m = {.given = 77};

        ck_assert_int_eq(notify_message_parse("READY=1", 8, &m), 0);
        ck_assert_uint_eq(m.given, 1U << NOTIFY_READY);
        ck_assert_int_eq(notify_message_parse("READY=1\n", 9, &m), 0);
        ck_assert_uint_eq(m.given, 1U << NOTIFY_READY);
        m.given = 77;
        ck_assert_int_eq(notify_message_parse("READY=1\0\0", 9, &m), -EBADMSG);
        ck_assert_int_eq(notify_message_parse("READY=1\0STATUS=x", 16, &m), -EBADMSG);
        ck_assert_int_eq(notify_message_parse("\0READY=1", 8, &m), -EBADMSG);
        ck_assert_uint_eq(m.given, 77);
}
END_TEST

START_TEST(nothing_is_nothing)
{
        static const char *const texts[] = {
                        "", "\n", "\n\n\n", "=", "==\n=", "READY", "STATUS", "\t", "READY=1 "};

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                NotifyMessage m = parsed(texts[i]);

                ck_assert_msg(m.given == 0 && !m.wrong && !m.status, "\"%s\"", texts[i]);
        }
}
END_TEST

/* Whatever is there, what comes out lies within it and within its ranges. */
START_TEST(garbage_is_read_to_its_end)
{
        static const char alphabet[] = "READYSTOPINGWCHFUXM_=10123456789\n\n==\x80\xc3\xff ";
        unsigned state = 1;

        for (unsigned round = 0; round < 200000; round++) {
                NotifyMessage m;
                char text[96];
                size_t n = 0;

                for (size_t size = round % sizeof(text); n < size; n++) {
                        state = state * 1103515245U + 12345U;
                        text[n] = alphabet[(state >> 16) % (sizeof(alphabet) - 1)];
                }
                if (round % 3 == 0 && n > 8)
                        memcpy(text, "MAINPID=", 8);
                if (round % 3 == 1 && n > 20)
                        memcpy(text + 10, "\nSTATUS=", 8);
                ck_assert_int_eq(notify_message_parse(text, n, &m), 0);
                ck_assert(!m.status || (m.status >= text && m.status + m.status_size <= text + n &&
                                        !memchr(m.status, '\n', m.status_size)));
                ck_assert(!notify_message_has(&m, NOTIFY_MAINPID) ||
                          (m.numbers[NOTIFY_MAINPID] >= 1 && m.numbers[NOTIFY_MAINPID] <= INT32_MAX));
        }
}
END_TEST

TEST_MAIN("notify-message", each_word_is_itself_alone, numbers_have_their_ranges,
          several_lines_are_one_message, of_a_key_twice_the_first_counts, an_empty_status_is_one,
          a_nul_may_stand_at_the_end_alone, nothing_is_nothing, garbage_is_read_to_its_end)
