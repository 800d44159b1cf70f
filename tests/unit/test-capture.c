/* The pump: from pipes into the ring, with its budget, its pause and its partial lines. No job here: a
 * capture alone. */

#include "core/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/buffer.h"
#include "basic/fd.h"
#include "fake-world.h"
#include "journal/ring.h"
#include "sys/stdio.h"
#include "test-main.h"

#define MSEC USEC_PER_MSEC

static World w;
static CaptureHost host;
static Ring *ring;
static Capture capture;
static int writers[2];
static struct {
        unsigned n, n_drained;
} told;

static void on_progress(Capture *c, bool drained)
{
        ck_assert_ptr_eq(c, &capture);
        told.n++;
        told.n_drained += drained;
}

static void begin(bool merged)
{
        int out[2] = {-EBADF, -EBADF}, err[2] = {-EBADF, -EBADF};

        world_init(&w);
        told.n = told.n_drained = 0;
        host = w.jobs.capture_host;
        host.progress = on_progress;
        ck_assert_int_eq(ring_new(&w.store, 16 * 1024 * 1024, &ring), 0);
        capture_init(&capture, &host, ring);
        ck_assert(!capture_is_open(&capture));
        ck_assert_int_eq(stdio_output_pipe(out), 0);
        if (!merged)
                ck_assert_int_eq(stdio_output_pipe(err), 0);
        writers[0] = out[1];
        writers[1] = err[1];
        ck_assert_int_eq(capture_start(&capture, (int[2]){out[0], err[0]}), 0);
        ck_assert(capture_is_open(&capture));
}

static void end(void)
{
        fd_close(writers[0]);
        fd_close(writers[1]);
        capture_done(&capture);
        ring_free(ring);
        world_done(&w);
}

static void put(int stream, const char *text)
{
        ck_assert_int_eq(write(writers[stream], text, strlen(text)), strlen(text));
}

static void close_writer(int stream)
{
        writers[stream] = fd_close(writers[stream]);
}

/* All records: "1:line|2:part+|" in their order; "\n" is left out, "+" marks a partial one. */
static void check_records(const char *expected)
{
        _cleanup_free_ char *text = NULL;
        Buffer b = BUFFER_INIT;
        RingReader rr;
        Record record;
        size_t size;

        ring_reader_seek(&rr, ring, NULL);
        while (ring_reader_next(&rr, &record)) {
                buffer_printf(&b, "%d:", (int) record.stream);
                for (size_t i = 0; i < 2; i++)
                        for (size_t k = 0; k < record.data[i].iov_len; k++)
                                if (((char *) record.data[i].iov_base)[k] != '\n')
                                        buffer_append(&b, (char *) record.data[i].iov_base + k, 1);
                buffer_append_string(&b, record.flags & RECORD_PARTIAL ? "+|" : "|");
        }
        text = buffer_take(&b, &size);
        ck_assert_str_eq(text, expected);
}

static uint64_t bytes_of(Stream stream)
{
        RingStat stat;

        ring_stat(ring, &stat);
        return stat.bytes[stream];
}

START_TEST(lines_of_both_streams)
{
        begin(false);
        put(0, "a\nb\n");
        put(1, "c\n");
        world_settle(&w);
        ck_assert_uint_eq(told.n, 2);
        put(0, "d\n");
        world_settle(&w);
        ck_assert_uint_eq(told.n, 3);
        ck_assert_uint_eq(bytes_of(STREAM_STDOUT), 6);
        ck_assert_uint_eq(bytes_of(STREAM_STDERR), 2);
        ck_assert_uint_eq(capture.last_output, fake.monotonic);
        close_writer(0);
        world_pass(&w, MSEC); /* the pause after two small ones */
        ck_assert_uint_eq(told.n_drained, 0);
        ck_assert_uint_eq(told.n, 3); /* one of two at its end is nothing to be told of */
        ck_assert_uint_eq(capture.last_output, fake.monotonic - MSEC);
        close_writer(1);
        world_pass(&w, MSEC);
        ck_assert_uint_eq(told.n_drained, 1);
        ck_assert(!capture_is_open(&capture));
        world_pass(&w, USEC_PER_SEC);
        ck_assert_uint_eq(told.n_drained, 1);
        end();
}
END_TEST

START_TEST(one_pipe_for_both)
{
        begin(true);
        put(0, "a\n");
        close_writer(0);
        world_settle(&w);
        check_records("1:a|");
        ck_assert_uint_eq(told.n_drained, 1);
        end();
}
END_TEST

START_TEST(a_prompt_comes_out_after_100_ms)
{
        begin(false);
        put(0, "login: ");
        world_settle(&w);
        check_records("");
        ck_assert_uint_eq(capture_held(&capture), 7);
        world_pass(&w, 100 * MSEC - 1);
        check_records("");
        told.n = 0;
        world_pass(&w, 1);
        check_records("1:login: +|");
        ck_assert_uint_eq(told.n, 1); /* who waits for output is told */
        ck_assert_uint_eq(capture_held(&capture), 0);
        put(0, "me\n");
        world_settle(&w);
        check_records("1:login: +|1:me|");
        world_pass(&w, USEC_PER_SEC);
        ck_assert_uint_eq(timer_queue_next(&w.timers), USEC_INFINITY); /* nothing to wake up for */
        end();
}
END_TEST

START_TEST(each_stream_has_its_own_100_ms)
{
        begin(false);
        put(0, "out");
        world_pass(&w, 60 * MSEC);
        put(1, "err");
        world_pass(&w, 40 * MSEC);
        check_records("1:out+|");
        world_pass(&w, 60 * MSEC - 1);
        check_records("1:out+|");
        world_pass(&w, 1);
        check_records("1:out+|2:err+|");
        end();
}
END_TEST

START_TEST(half_a_character_waits)
{
        begin(false);
        put(0, "\xc3");
        world_pass(&w, 500 * MSEC);
        check_records("");
        put(0, "\xa4\n");
        world_settle(&w);
        check_records("1:\xc3\xa4|");
        put(0, "x\xe2\x82"); /* what can go goes */
        world_pass(&w, 100 * MSEC);
        check_records("1:\xc3\xa4|1:x+|");
        world_pass(&w, 2 * USEC_PER_SEC); /* it will not come */
        check_records("1:\xc3\xa4|1:x+|1:\xe2\x82+|");
        ck_assert_uint_eq(timer_queue_next(&w.timers), USEC_INFINITY);
        end();
}
END_TEST

START_TEST(flushed_for_an_answer)
{
        begin(false);
        put(0, "half");
        put(1, "other half");
        world_settle(&w);
        capture_flush(&capture);
        check_records("1:half+|2:other half+|");
        ck_assert_uint_eq(capture_held(&capture), 0);
        end();
}
END_TEST

/* The rest of the line is all that comes at the end. */
START_TEST(end_of_file_lets_all_go)
{
        begin(false);
        put(0, "half");
        put(1, "\xc3");
        close_writer(0);
        close_writer(1);
        world_settle(&w);
        check_records("1:half+|2:\xc3+|");
        ck_assert_uint_eq(told.n_drained, 1);
        end();
}
END_TEST

START_TEST(a_turn_has_a_budget)
{
        static char flood[1024 * 1024];

        begin(false);
        ck_assert_int_eq(fcntl(writers[0], F_SETPIPE_SZ, sizeof(flood)), sizeof(flood));
        memset(flood, '\n', sizeof(flood));
        ck_assert_int_eq(write(writers[0], flood, sizeof(flood)), sizeof(flood));
        put(1, "me, too\n");
        for (uint64_t before = 0; world_event(&w); before = bytes_of(STREAM_STDOUT))
                ck_assert_uint_le(bytes_of(STREAM_STDOUT) - before, CAPTURE_BUDGET);
        ck_assert_uint_eq(bytes_of(STREAM_STDOUT), sizeof(flood));
        ck_assert_uint_eq(bytes_of(STREAM_STDERR), 8);
        end();
}
END_TEST

/* A trickle of small writes is let gather for a millisecond, in a larger pipe; a single one is not kept
 * waiting. */
START_TEST(a_trickle_gathers)
{
        begin(false);
        put(0, "1\n");
        world_settle(&w);
        ck_assert_uint_eq(bytes_of(STREAM_STDOUT), 2);
        world_pass(&w, 5 * MSEC);
        put(0, "2\n"); /* long after: taken at once */
        world_settle(&w);
        ck_assert_uint_eq(bytes_of(STREAM_STDOUT), 4);
        ck_assert_uint_eq(fake.n_enlarged, 0);
        put(0, "3\n"); /* soon after: taken, and then the pipe is left alone */
        world_settle(&w);
        ck_assert_uint_eq(bytes_of(STREAM_STDOUT), 6);
        ck_assert_uint_eq(fake.n_enlarged, 2);
        put(0, "4\n");
        put(0, "5\n");
        put(1, "e\n"); /* the other stream is not meant */
        world_settle(&w);
        ck_assert_uint_eq(bytes_of(STREAM_STDOUT), 6);
        ck_assert_uint_eq(bytes_of(STREAM_STDERR), 2);
        world_pass(&w, MSEC);
        ck_assert_uint_eq(bytes_of(STREAM_STDOUT), 10);
        world_pass(&w, USEC_PER_SEC);
        ck_assert_uint_eq(timer_queue_next(&w.timers), USEC_INFINITY);
        put(0, "6\n");
        world_settle(&w);
        ck_assert_uint_eq(bytes_of(STREAM_STDOUT), 12);
        put(0, "7\n");
        world_settle(&w);
        ck_assert(timer_is_armed(&capture.resume));
        ck_assert_uint_eq(fake.n_enlarged, 2); /* once is enough */
        end();
}
END_TEST

START_TEST(pauses_of_both_streams)
{
        begin(false);
        put(0, "1\n");
        put(1, "1\n");
        world_settle(&w);
        put(0, "2\n");
        world_settle(&w); /* stdout is left alone until 1 ms from now */
        fake_clock_advance(MSEC / 2);
        put(1, "2\n");
        world_settle(&w); /* and stderr from here on, but no longer than that */
        put(0, "3\n");
        put(1, "3\n");
        world_settle(&w);
        ck_assert_uint_eq(bytes_of(STREAM_STDOUT) + bytes_of(STREAM_STDERR), 8);
        world_pass(&w, MSEC / 2);
        ck_assert_uint_eq(bytes_of(STREAM_STDOUT) + bytes_of(STREAM_STDERR), 12);
        end();
}
END_TEST

static void start_pause(void)
{
        put(0, "1\n");
        world_settle(&w);
        put(0, "2\n");
        world_settle(&w);
        put(0, "3\n");
        world_settle(&w);
        ck_assert_uint_eq(bytes_of(STREAM_STDOUT), 4);
}

START_TEST(a_pause_hides_nothing)
{
        begin(true);
        start_pause();
        ck_assert(!capture_take(&capture)); /* the leader has ended: what it wrote is taken now */
        ck_assert_uint_eq(bytes_of(STREAM_STDOUT), 6);
        close_writer(0);
        world_pass(&w, MSEC);
        ck_assert_uint_eq(told.n_drained, 1); /* the end is heard of after the pause */
        end();

        begin(true);
        start_pause();
        close_writer(0);
        ck_assert(capture_take(&capture));    /* and closed by it */
        ck_assert(!capture_take(&capture));   /* it was the last pipe only once */
        ck_assert_uint_eq(told.n_drained, 0); /* "does not call progress" */
        world_pass(&w, USEC_PER_SEC);
        ck_assert_uint_eq(told.n_drained, 0);
        end();
}
END_TEST

START_TEST(taken_when_the_leader_has_ended)
{
        static char data[200000];

        for (unsigned small = 0; small < 2; small++) {
                begin(false);
                fake.read_max = small ? 1000 : 0; /* reads that are short without the pipe being empty */
                ck_assert_int_eq(fcntl(writers[0], F_SETPIPE_SZ, 262144), 262144);
                memset(data, 'x', sizeof(data));
                for (size_t i = 99; i < sizeof(data); i += 100)
                        data[i] = '\n';
                ck_assert_int_eq(write(writers[0], data, sizeof(data)), sizeof(data));
                put(1, "err\n");
                ck_assert(!capture_take(&capture));
                ck_assert_uint_eq(bytes_of(STREAM_STDOUT), sizeof(data));
                ck_assert_uint_eq(bytes_of(STREAM_STDERR), 4);
                ck_assert_uint_eq(told.n, 0);
                end();
        }
}
END_TEST

START_TEST(half_a_line_of_the_leaders)
{
        begin(false);
        put(0, "half");
        ck_assert(!capture_take(&capture));
        check_records("");
        world_pass(&w, 100 * MSEC);
        check_records("1:half+|");
        end();
}
END_TEST

START_TEST(closed_while_others_hold_it)
{
        begin(false);
        put(0, "all\nof it");
        put(1, "err");
        capture_close(&capture);
        check_records("1:all|1:of it+|2:err+|");
        ck_assert(!capture_is_open(&capture));
        ck_assert_uint_eq(told.n, 0);
        ck_assert_uint_eq(timer_queue_next(&w.timers), USEC_INFINITY);
        world_pass(&w, USEC_PER_SEC);
        capture_close(&capture);
        end();
}
END_TEST

START_TEST(a_failed_start_takes_nothing)
{
        int out[2];
        Capture c;

        begin(false);
        capture_init(&c, &host, ring);
        ck_assert_int_eq(stdio_output_pipe(out), 0);
        /* The second cannot be watched: it is no descriptor at all, as epoll(7) sees it. */
        fd_close(out[1]);
        ck_assert_int_lt(capture_start(&c, (int[2]){out[0], out[1]}), 0);
        ck_assert(!capture_is_open(&c));
        capture_done(&c);
        ck_assert_int_ge(fcntl(out[0], F_GETFD), 0); /* still ours */
        fd_close(out[0]);
        end();
}
END_TEST

START_TEST(the_time_of_a_record)
{
        RingReader rr;
        Record record;

        begin(false);
        fake_clock_advance(12345);
        put(0, "a\n");
        world_settle(&w);
        ring_reader_seek(&rr, ring, NULL);
        ck_assert(ring_reader_next(&rr, &record));
        ck_assert_uint_eq(record.realtime, fake.realtime);
        ck_assert_uint_eq(record.monotonic, fake.monotonic);
        end();
}
END_TEST

TEST_MAIN("capture", lines_of_both_streams, one_pipe_for_both, a_prompt_comes_out_after_100_ms,
          each_stream_has_its_own_100_ms, half_a_character_waits, flushed_for_an_answer,
          end_of_file_lets_all_go, a_turn_has_a_budget, a_trickle_gathers, pauses_of_both_streams,
          a_pause_hides_nothing, taken_when_the_leader_has_ended, half_a_line_of_the_leaders,
          closed_while_others_hold_it, a_failed_start_takes_nothing, the_time_of_a_record)
