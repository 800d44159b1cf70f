/* Output out of an export stream, wherever the pieces of that happen to end. */

#include "ctl/log-raw.h"

#include <errno.h>

#include "basic/alloc.h"
#include "journal/format.h"
#include "test-main.h"

static const LogContext context = {.job = "j", .session = "MESSAGE=x", .identifier = "i", .hostname = "h"};

static void put(Buffer *b, Stream stream, unsigned flags, const char *data, size_t size)
{
        const Record record = {
                        .seqnum = 1,
                        .realtime = 1,
                        .stream = stream,
                        .flags = flags,
                        .size = size,
                        .data = {{(void *) data, size}},
        };

        log_format_record(LOG_FORMAT_EXPORT, &context, &record, "c", b);
}

START_TEST(at_every_cut)
{
        static const char expected[] = "a=b\n\0\n\xff\nno end\n\nlast";
        const LogPlace place = {.realtime = 1};
        Buffer stream = BUFFER_INIT;

        put(&stream, STREAM_STDOUT, 0, "a=b\n", 4);
        put(&stream, STREAM_NOTE, 0, "of reeve\n", 9);
        put(&stream, STREAM_STDERR, 0, "\0\n", 2);
        log_format_lost(LOG_FORMAT_EXPORT, &context, 1000, 3, &place, &stream);
        put(&stream, STREAM_STDOUT, 0, "\xff\n", 2);
        put(&stream, STREAM_STDOUT, RECORD_PARTIAL, "no ", 3);
        put(&stream, STREAM_STDOUT, 0, "end\n", 4);
        put(&stream, STREAM_STDOUT, 0, "\n", 1);
        log_format_lost(LOG_FORMAT_EXPORT, &context, 24, 1, &place, &stream);
        put(&stream, STREAM_STDERR, RECORD_PARTIAL, "last", 4);
        log_format_end(LOG_FORMAT_EXPORT, &context, &(LogEnd){"success", 0, 0}, &place, &stream);
        ck_assert_int_eq(stream.error, 0);

        for (size_t piece = 1; piece <= stream.size; piece++) {
                LogRaw raw = {0};
                Buffer b = BUFFER_INIT;

                for (size_t at = 0; at < stream.size; at += piece)
                        ck_assert_int_eq(log_raw_feed(&raw, stream.data + at, MIN(piece, stream.size - at),
                                                      &b),
                                         0);
                ck_assert_uint_eq(b.size, sizeof(expected) - 1);
                ck_assert_mem_eq(b.data, expected, b.size);
                ck_assert_uint_eq(raw.lost, 1024);
                ck_assert_uint_eq(raw.pending.size, 0);
                log_raw_done(&raw);
                buffer_done(&b);
        }
        buffer_done(&stream);
}
END_TEST

START_TEST(no_such_stream)
{
        static const char too_long[] = "MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff",
                          no_end[] = "A\n\1\0\0\0\0\0\0\0xx";
        Buffer b = BUFFER_INIT;
        LogRaw raw = {0};

        ck_assert_int_eq(log_raw_feed(&raw, too_long, sizeof(too_long) - 1, &b), -EBADMSG);
        log_raw_done(&raw);
        ck_assert_int_eq(log_raw_feed(&raw, no_end, sizeof(no_end) - 1, &b), -EBADMSG);
        log_raw_done(&raw);
        ck_assert_uint_eq(b.size, 0);
}
END_TEST

START_TEST(no_memory)
{
        Buffer b = BUFFER_INIT;
        LogRaw raw = {0};

        alloc_fault_set(1, 1);
        ck_assert_int_eq(log_raw_feed(&raw, "A=b\n", 4, &b), -ENOMEM);
        alloc_fault_set(0, 0);
        log_raw_done(&raw);
}
END_TEST

TEST_MAIN("ctl-log-raw", at_every_cut, no_such_stream, no_memory)
