/* Records as text. */

#include "test-main.h"

#include "journal/format.h"

#include <errno.h>
#include <time.h>

#include "basic/alloc.h"
#include "basic/buffer.h"

static const LogContext context = {
                .job = "j1",
                .session = "s\"1",
                .identifier = "node",
                .hostname = "box",
                .pid = 42,
};

static Record record_of(Stream stream, unsigned flags, const char *data, size_t size)
{
        return (Record){
                        .seqnum = 7,
                        .realtime = UINT64_C(1795471742123456),
                        .monotonic = 5000001,
                        .stream = stream,
                        .flags = flags,
                        .size = size,
                        .data = {{(void *) data, size}},
        };
}

/* In one piece, and cut at every place as the end of the ring cuts: always the same. */
static void assert_format(LogFormat f, const LogContext *c, Stream stream, unsigned flags, const char *data,
                          size_t size, const char *cursor, const char *expected)
{
        for (size_t first = 0; first <= size; first++) {
                Record record = record_of(stream, flags, data, size);
                _cleanup_free_ char *text = NULL;
                Buffer b = BUFFER_INIT;

                record.data[0].iov_len = first;
                record.data[1] = (struct iovec){(char *) data + first, size - first};
                log_format_record(f, c, &record, cursor, &b);
                text = buffer_take(&b, NULL);
                ck_assert_str_eq(text, expected);
        }
}

static void assert_short(const char *data, const char *expected)
{
        static const char before[] = "2026-11-23T22:09:02.123456+0000 box node[42]: ";
        _cleanup_free_ char *line = str_printf("%s%s\n", before, expected);

        assert_format(LOG_FORMAT_SHORT, &context, STREAM_STDOUT, 0, data, strlen(data), "c", line);
}

static void assert_message(const char *data, size_t size, const char *expected)
{
        Record record = record_of(STREAM_STDOUT, 0, data, size);
        _cleanup_free_ char *text = NULL, *end = str_printf(",\"MESSAGE\":%s}\n", expected);
        Buffer b = BUFFER_INIT;

        log_format_record(LOG_FORMAT_JSON, &context, &record, NULL, &b);
        text = buffer_take(&b, NULL);
        ck_assert_uint_ge(strlen(text), strlen(end));
        ck_assert_str_eq(text + strlen(text) - strlen(end), end);
}

static void in_utc(void)
{
        setenv("TZ", "UTC0", 1);
        tzset();
}

START_TEST(names)
{
        for (LogFormat f = 0; f < _LOG_FORMAT_MAX; f++)
                ck_assert_int_eq(log_format_from_string(log_format_to_string(f)), f);
        ck_assert_str_eq(log_format_to_string(LOG_FORMAT_JSON), "json");
        ck_assert_int_eq(log_format_from_string("JSON"), -EINVAL);
        ck_assert_ptr_null(log_format_to_string(_LOG_FORMAT_MAX));
        for (Stream s = STREAM_STDOUT; s < _STREAM_MAX; s++)
                ck_assert_int_eq(stream_from_string(stream_to_string(s)), s);
        ck_assert_ptr_null(stream_to_string(0));
        ck_assert_ptr_null(stream_to_string(_STREAM_MAX));
        ck_assert_int_eq(stream_from_string("stdin"), -EINVAL);
}
END_TEST

START_TEST(raw)
{
        assert_format(LOG_FORMAT_RAW, &context, STREAM_STDOUT, 0, "a\033[0m\xff\n", 7, NULL,
                      "a\033[0m\xff\n");
        assert_format(LOG_FORMAT_RAW, &context, STREAM_STDERR, RECORD_PARTIAL, "a", 1, NULL, "a");
        assert_format(LOG_FORMAT_RAW, &context, STREAM_NOTE, 0, "a", 1, NULL, "");
}
END_TEST

START_TEST(short_lines)
{
        in_utc();
        assert_short("hello\n", "hello");
        assert_short("no newline", "no newline");
        assert_short("\n", "");
        assert_short("a\tb \xe2\x82\xac\n", "a\tb \xe2\x82\xac");
        assert_short("dos\r\n", "dos");
}
END_TEST

START_TEST(short_without_pid)
{
        LogContext c = context;

        in_utc();
        c.pid = 0;
        assert_format(LOG_FORMAT_SHORT, &c, STREAM_NOTE, 0, "restarted", 9, NULL,
                      "2026-11-23T22:09:02.123456+0000 box node: restarted\n");
}
END_TEST

/* A log that is looked at must not be able to do anything to the terminal. */
START_TEST(short_unprintable)
{
        in_utc();
        assert_short("\001\002abc\n", "[5B blob data]");
        assert_short("\xff", "[1B blob data]");
        assert_short("a\xe2\x82\n", "[3B blob data]");
        assert_short("\x7f", "[1B blob data]");
        assert_short("\xc2\x9b"
                     "2J",
                     "[4B blob data]"); /* CSI in one character */
        assert_short("progress\rmore\n", "[13B blob data]");
}
END_TEST

START_TEST(short_colours)
{
        in_utc();
        assert_short("\033[1;31mred\033[0m text\n", "red text");
        assert_short("\033]0;title\a$ \033]8;;http://x\033\\link\033]8;;\033\\\n", "$ link");
        /* What is no such sequence is no text. */
        assert_short("\033", "[1B blob data]");
        assert_short("\033[", "[2B blob data]");
        assert_short("\033[1;", "[4B blob data]");
        assert_short("\033[1\001m", "[5B blob data]");
        assert_short("\033]0;title", "[9B blob data]");
        assert_short("\033]0;t\033x", "[7B blob data]");
        assert_short("\033c", "[2B blob data]");
}
END_TEST

START_TEST(json_fields)
{
        assert_format(LOG_FORMAT_JSON, &context, STREAM_STDOUT, 0, "hi\n", 3, "r=1;n=7",
                      "{\"__CURSOR\":\"r=1;n=7\",\"__REALTIME_TIMESTAMP\":\"1795471742123456\","
                      "\"__MONOTONIC_TIMESTAMP\":\"5000001\",\"PRIORITY\":\"6\",\"SYSLOG_IDENTIFIER\":"
                      "\"node\","
                      "\"REEVE_JOB\":\"j1\",\"REEVE_SESSION\":\"s\\\"1\",\"REEVE_STREAM\":\"stdout\","
                      "\"REEVE_SEQNUM\":\"7\",\"MESSAGE\":\"hi\"}\n");
        assert_format(LOG_FORMAT_JSON, &context, STREAM_STDERR, RECORD_PARTIAL, "hi", 2, NULL,
                      "{\"__REALTIME_TIMESTAMP\":\"1795471742123456\",\"__MONOTONIC_TIMESTAMP\":\"5000001\","
                      "\"PRIORITY\":\"3\",\"SYSLOG_IDENTIFIER\":\"node\",\"REEVE_JOB\":\"j1\","
                      "\"REEVE_SESSION\":\"s\\\"1\",\"REEVE_STREAM\":\"stderr\",\"REEVE_SEQNUM\":\"7\","
                      "\"REEVE_PARTIAL\":\"1\",\"MESSAGE\":\"hi\"}\n");
}
END_TEST

START_TEST(json_note)
{
        assert_format(LOG_FORMAT_JSON, &context, STREAM_NOTE, 0, "restarted", 9, NULL,
                      "{\"__REALTIME_TIMESTAMP\":\"1795471742123456\",\"__MONOTONIC_TIMESTAMP\":\"5000001\","
                      "\"PRIORITY\":\"5\",\"SYSLOG_IDENTIFIER\":\"node\",\"REEVE_JOB\":\"j1\","
                      "\"REEVE_SESSION\":\"s\\\"1\",\"REEVE_STREAM\":\"note\",\"REEVE_SEQNUM\":\"7\","
                      "\"MESSAGE\":\"restarted\"}\n");
}
END_TEST

START_TEST(json_messages)
{
        assert_message("", 0, "\"\"");
        assert_message("\n", 1, "\"\"");
        assert_message("a\n\n", 3, "\"a\\n\"");
        assert_message("\"\\\t/\n", 5, "\"\\\"\\\\\\t/\"");
        assert_message("\xe2\x82\xac", 3, "\"\xe2\x82\xac\"");
        assert_message("a\0b", 3, "[97,0,98]");
        assert_message("\x1b[0m\n", 5, "[27,91,48,109]");
        assert_message("\xff\x09", 2, "[255,9]");
        assert_message("\xc2\x85", 2, "[194,133]"); /* a control character of two bytes */
        assert_message("\r\n", 2, "[13]");
}
END_TEST

START_TEST(json_largest)
{
        static char data[RECORD_DATA_MAX];
        Record record = record_of(STREAM_STDOUT, 0, data, sizeof(data));
        Buffer b = BUFFER_INIT;

        memset(data, 0xff, sizeof(data));
        log_format_record(LOG_FORMAT_JSON, &context, &record, NULL, &b);
        ck_assert_int_eq(b.error, 0);
        ck_assert_uint_gt(b.size, sizeof(data) * 4);
        buffer_done(&b);
        log_format_record(LOG_FORMAT_SHORT, &context, &record, NULL, &b);
        ck_assert_mem_eq(b.data + b.size - 16, "[32K blob data]\n", 16);
        buffer_done(&b);
}
END_TEST

START_TEST(lost)
{
        static const struct {
                LogFormat f;
                const char *cursor, *text;
        } cases[] = {
                        {LOG_FORMAT_RAW, "c", ""},
                        {LOG_FORMAT_SHORT, "c", "[4294967296 bytes lost]\n"},
                        {LOG_FORMAT_EXPORT, "c",
                         "__CURSOR=c\n__REALTIME_TIMESTAMP=99\nPRIORITY=4\nSYSLOG_IDENTIFIER=node\nREEVE_"
                         "JOB=j1\n"
                         "REEVE_SESSION=s\"1\nREEVE_EVENT=lost\nREEVE_LOST_BYTES=4294967296\n"
                         "REEVE_LOST_RECORDS=3\nMESSAGE=[4294967296 bytes lost]\n\n"},
                        {LOG_FORMAT_JSON, NULL,
                         "{\"__REALTIME_TIMESTAMP\":\"99\",\"PRIORITY\":\"4\",\"SYSLOG_IDENTIFIER\":"
                         "\"node\","
                         "\"REEVE_JOB\":\"j1\",\"REEVE_SESSION\":\"s\\\"1\",\"REEVE_EVENT\":\"lost\","
                         "\"REEVE_LOST_BYTES\":\"4294967296\",\"REEVE_LOST_RECORDS\":\"3\","
                         "\"MESSAGE\":\"[4294967296 bytes lost]\"}\n"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = NULL;
                Buffer b = BUFFER_INIT;

                log_format_lost(cases[i].f, &context, UINT64_C(1) << 32, 3,
                                &(LogPlace){.cursor = cases[i].cursor, .realtime = 99}, &b);
                text = buffer_take(&b, NULL);
                ck_assert_str_eq(text, cases[i].text);
        }
}
END_TEST

/* To the byte: with what it says, and with what it leaves out. */
START_TEST(export_entries)
{
        static const char before[] =
                        "__REALTIME_TIMESTAMP=1795471742123456\n__MONOTONIC_TIMESTAMP=5000001\n",
                          after[] = "SYSLOG_IDENTIFIER=node\nREEVE_JOB=j1\nREEVE_SESSION=s\"1\n";
        _cleanup_free_ char *out = str_printf("__CURSOR=c\n%sPRIORITY=6\n%sREEVE_STREAM=stdout\n"
                                              "REEVE_SEQNUM=7\nMESSAGE=a=b\tc \"d\"\n\n",
                                              before, after);
        _cleanup_free_ char *err = str_printf("%sPRIORITY=3\n%sREEVE_STREAM=stderr\nREEVE_SEQNUM=7\n"
                                              "REEVE_PARTIAL=1\nMESSAGE=\n\n",
                                              before, after);

        assert_format(LOG_FORMAT_EXPORT, &context, STREAM_STDOUT, 0, "a=b\tc \"d\"\n", 10, "c", out);
        assert_format(LOG_FORMAT_EXPORT, &context, STREAM_STDERR, RECORD_PARTIAL, "", 0, NULL, err);
}
END_TEST

/* What is no text has its length before it, little-endian, and is not looked at further. */
START_TEST(export_binary)
{
        static const struct {
                const char *data;
                size_t size;
                const char *field;
                size_t field_size;
        } cases[] = {
                        {"\xff\0\n", 3, "MESSAGE\n\2\0\0\0\0\0\0\0\xff\0\n\n", 20},
                        {"\033[1mx", 5, "MESSAGE\n\5\0\0\0\0\0\0\0\033[1mx\n\n", 23},
                        {"a\nb\n", 4, "MESSAGE\n\3\0\0\0\0\0\0\0a\nb\n\n", 21},
                        {"\xe2\x82\xac\n", 4, "\nMESSAGE=\xe2\x82\xac\n\n", 14},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Record record = record_of(STREAM_STDOUT, 0, cases[i].data, cases[i].size);
                _cleanup_free_ char *text = NULL;
                Buffer b = BUFFER_INIT;
                size_t size;

                log_format_record(LOG_FORMAT_EXPORT, &context, &record, NULL, &b);
                text = buffer_take(&b, &size);
                ck_assert_uint_gt(size, cases[i].field_size);
                ck_assert_mem_eq(text + size - cases[i].field_size, cases[i].field, cases[i].field_size);
        }
}
END_TEST

START_TEST(end)
{
        static const struct {
                LogFormat f;
                LogEnd end;
                const char *text;
        } cases[] = {
                        {LOG_FORMAT_RAW, {"success", 0, 0}, ""},
                        {LOG_FORMAT_SHORT, {"success", 0, 0}, ""},
                        {LOG_FORMAT_EXPORT,
                         {"exit-code", 3, 0},
                         "__CURSOR=c\n__REALTIME_TIMESTAMP=98\n__MONOTONIC_TIMESTAMP=99\nPRIORITY=5\n"
                         "SYSLOG_IDENTIFIER=node\nREEVE_JOB=j1\nREEVE_SESSION=s\"1\nREEVE_EVENT=end\n"
                         "REEVE_RESULT=exit-code\nREEVE_EXIT_CODE=3\nREEVE_SIGNAL=0\n"
                         "MESSAGE=[ended: exit-code, exit code 3]\n\n"},
                        {LOG_FORMAT_JSON,
                         {"signal", -1, 9},
                         "{\"__CURSOR\":\"c\",\"__REALTIME_TIMESTAMP\":\"98\",\"__MONOTONIC_TIMESTAMP\":"
                         "\"99\","
                         "\"PRIORITY\":\"5\",\"SYSLOG_IDENTIFIER\":\"node\",\"REEVE_JOB\":\"j1\","
                         "\"REEVE_SESSION\":\"s\\\"1\",\"REEVE_EVENT\":\"end\",\"REEVE_RESULT\":\"signal\","
                         "\"REEVE_EXIT_CODE\":\"-1\",\"REEVE_SIGNAL\":\"9\","
                         "\"MESSAGE\":\"[ended: signal, signal 9]\"}\n"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const LogPlace place = {.cursor = "c", .realtime = 98, .monotonic = 99};
                _cleanup_free_ char *text = NULL;
                Buffer b = BUFFER_INIT;

                log_format_end(cases[i].f, &context, &cases[i].end, &place, &b);
                text = buffer_take(&b, NULL);
                ck_assert_str_eq(text, cases[i].text);
        }
}
END_TEST

START_TEST(no_memory)
{
        Record record = record_of(STREAM_STDOUT, 0, "hi\n", 3);
        Buffer b = BUFFER_INIT;

        alloc_fault_set(1, true);
        log_format_record(LOG_FORMAT_JSON, &context, &record, NULL, &b);
        alloc_fault_set(0, false);
        ck_assert_int_eq(b.error, -ENOMEM);
        buffer_done(&b);
}
END_TEST

TEST_MAIN("format", names, raw, short_lines, short_without_pid, short_unprintable, short_colours,
          json_fields, json_note, json_messages, json_largest, lost, export_entries, export_binary, end,
          no_memory)
