/* Who waits for a line, over the fake kernel: what was written, what comes, and what it costs. */

#include "core/line-watch.h"

#include <errno.h>
#include <stdio.h>

#include "basic/alloc.h"
#include "core/error.h"
#include "fake-world.h"
#include "journal/ring.h"
#include "test-main.h"

static World w;
static LineWatch watch;

typedef struct Waiter {
        LineScan scan;
        JobWatch moments;
        unsigned n_looks;
        int last;
        struct Waiter *stops;
} Waiter;

static void on_looked(LineScan *s, int r)
{
        Waiter *waiter = container_of(s, Waiter, scan);

        ck_assert_int_eq(waiter->last, 0); /* once it is over, it is over */
        waiter->n_looks++;
        waiter->last = r;
        if (waiter->stops)
                line_scan_stop(&waiter->stops->scan);
}

static void on_moment(JobWatch *moments, Job *job, JobMoment moment)
{
        if (moment == JOB_MOMENT_OUTPUT || moment == JOB_MOMENT_DRAINED)
                line_scan_more(&container_of(moments, Waiter, moments)->scan);
}

static void waiter_start(Waiter *waiter, Job *job, const char *pattern, unsigned streams)
{
        Error e = ERROR_NULL;

        *waiter = (Waiter){.scan = {.looked = on_looked, .streams = streams}, .moments.notify = on_moment};
        ck_assert_msg(pattern_compile(&waiter->scan.pattern, "LogPattern", pattern, &e) == 0, "%s",
                      e.message);
        ck_assert_int_eq(line_scan_start(&watch, &waiter->scan, job), 0);
        list_init(&waiter->moments.link);
        job_watch_add(job, &waiter->moments);
}

static void waiter_stop(Waiter *waiter)
{
        job_watch_remove(&waiter->moments);
        line_scan_stop(&waiter->scan);
}

static void begin(void)
{
        world_init(&w);
        line_watch_init(&watch, &w.timers);
}

static void end(void)
{
        ck_assert(list_is_empty(&watch.scans));
        ck_assert(!timer_is_armed(&watch.timer));
        line_watch_done(&watch);
        world_done(&w);
}

/* It has found that line, and ReadLog from its end goes on with what is given. */
static void check_found(Waiter *waiter, const char *line, const char *next)
{
        const FoundLine *found = &waiter->scan.found;
        RingReader rr;
        Record record;

        ck_assert_msg(waiter->last == 1, "\"%.80s\" was not found: %d", line, waiter->last);
        ck_assert_uint_eq(found->size, strlen(line));
        ck_assert_mem_eq(found->text, line, found->size);
        ck_assert_uint_eq(found->lost_bytes, 0);
        ring_reader_seek(&rr, waiter->scan.job->ring, &found->end);
        if (!next) {
                ck_assert(!ring_reader_next(&rr, &record));
        } else {
                ck_assert(ring_reader_next(&rr, &record));
                ck_assert_uint_eq(record.size, strlen(next));
                ck_assert_mem_eq(record.data[0].iov_base, next, record.size);
        }
        waiter_stop(waiter);
}

static void check_not_found(Waiter *waiter)
{
        ck_assert_int_eq(waiter->last, 0);
        waiter_stop(waiter);
}

#define ALL STREAM_MASK_OUTPUT

START_TEST(past)
{
        Waiter two, t, four, err;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        fake_print(leader_of(job), 1, "one\ntwo\nthree\n");
        fake_print(leader_of(job), 2, "a two\n");
        world_settle(&w);
        waiter_start(&two, job, "^two$", ALL);
        waiter_start(&t, job, "t", STREAM_MASK(STREAM_STDOUT));
        waiter_start(&four, job, "four", ALL);
        waiter_start(&err, job, "two", STREAM_MASK(STREAM_STDERR));
        ck_assert_uint_eq(two.n_looks, 0); /* not from in there */
        world_settle(&w);
        check_found(&two, "two", "three\n");
        check_found(&t, "two", "three\n");
        check_found(&err, "a two", NULL);
        ck_assert_uint_eq(four.n_looks, 1);
        ck_assert(line_scan_has_passed(&four.scan, 4));
        ck_assert(!line_scan_has_passed(&four.scan, 5));
        check_not_found(&four);
        end();
}
END_TEST

/* The first that matches, each line once, and nothing while nothing comes. */
START_TEST(to_come)
{
        Waiter waiter;
        unsigned n;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        waiter_start(&waiter, job, "ready", ALL);
        world_pass(&w, USEC_PER_SEC);
        n = waiter.n_looks;
        world_pass(&w, USEC_PER_SEC);
        ck_assert_uint_eq(waiter.n_looks, n);
        ck_assert_uint_eq(timer_queue_next(&w.timers), USEC_INFINITY);
        fake_print(leader_of(job), 1, "not yet\n");
        world_settle(&w);
        ck_assert_int_eq(waiter.last, 0);
        fake_print(leader_of(job), 1, "ready 1\nready 2\n");
        world_settle(&w);
        check_found(&waiter, "ready 1", "ready 2\n");
        end();
}
END_TEST

/* A line in pieces, each a record, with another stream's between. */
START_TEST(split)
{
        Waiter a, b;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        waiter_start(&a, job, "^started$", ALL);
        waiter_start(&b, job, "^error$", ALL);
        fake_print(leader_of(job), 1, "sta");
        world_pass(&w, USEC_PER_SEC);
        fake_print(leader_of(job), 2, "err");
        world_pass(&w, USEC_PER_SEC);
        fake_print(leader_of(job), 1, "rt");
        world_pass(&w, USEC_PER_SEC);
        ck_assert_int_eq(a.last, 0);
        fake_print(leader_of(job), 1, "ed\n");
        world_settle(&w);
        check_found(&a, "started", NULL);
        fake_print(leader_of(job), 2, "or\n");
        world_settle(&w);
        check_found(&b, "error", NULL);
        end();
}
END_TEST

/* What is unfinished counts when nothing more will come, and not before; empty streams have no line. */
START_TEST(unfinished)
{
        Waiter half, none;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        waiter_start(&half, job, "^half$", ALL);
        waiter_start(&none, job, "^$", ALL);
        fake_print(leader_of(job), 1, "half");
        world_pass(&w, USEC_PER_SEC);
        ck_assert_int_eq(half.last, 0);
        fake_exit(leader_of(job), 0);
        world_settle(&w);
        check_found(&half, "half", NULL);
        ck_assert(line_scan_has_passed(&none.scan, 1));
        check_not_found(&none);

        waiter_start(&half, job, "alf", ALL); /* afterwards, too */
        world_settle(&w);
        check_found(&half, "half", NULL);
        end();
}
END_TEST

/* Its first 64 KiB are looked at, and given. */
START_TEST(long_line)
{
        char *text = alloc_zero(LINE_MAX_BYTES + 1), piece[4001];
        Waiter head, tail, edge;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        memset(text, 'x', LINE_MAX_BYTES);
        memcpy(text, "begin", 5);
        memset(piece, 'x', 4000);
        piece[4000] = '\0';
        waiter_start(&head, job, "^begin", ALL);
        waiter_start(&tail, job, "end", ALL);
        waiter_start(&edge, job, "^beginx*$", ALL);
        fake_print(leader_of(job), 1, "begin");
        for (unsigned i = 0; i < 50; i++) {
                fake_print(leader_of(job), 1, piece);
                world_pass(&w, 10 * USEC_PER_MSEC);
        }
        ck_assert_int_eq(head.last, 0); /* the line is not over */
        fake_print(leader_of(job), 1, "end\nafter\n");
        world_pass(&w, 10 * USEC_PER_MSEC);
        check_found(&head, text, "after\n");
        check_found(&edge, text, "after\n");
        check_not_found(&tail);
        free(text);
        end();
}
END_TEST

/* Into the ring at once: no scan has its turn before all of them are there. */
static void append_lines(Waiter *waiter, Job *job, unsigned to)
{
        for (unsigned i = 0; i < to; i++) {
                char line[32];
                int n = snprintf(line, sizeof(line), "line %u\n", i);

                ring_append(job->ring, STREAM_STDOUT, 0, 1, 1, line, (size_t) n);
        }
        line_scan_more(&waiter->scan);
}

/* What is overwritten before it could be looked at is gone; the rest is found. */
START_TEST(overtaken)
{
        Waiter first, last, half;
        Job *job;

        begin();
        job = world_run(&w, "LogMaxBytes", "65536", NULL);
        waiter_start(&first, job, "^line 1$", ALL);
        waiter_start(&last, job, "^line 9999$", ALL);
        fake_print(leader_of(job), 1, "half ");
        world_pass(&w, USEC_PER_SEC); /* looked at, and then its end is lost */
        waiter_start(&half, job, "half", ALL);
        world_settle(&w);
        append_lines(&first, job, 10000);
        line_scan_more(&half.scan);
        line_scan_more(&last.scan);
        world_settle(&w);
        check_not_found(&first);
        check_not_found(&half);
        check_found(&last, "line 9999", NULL);
        waiter_start(&last, job, "^line 9998$", ALL); /* the past begins at the oldest held */
        world_settle(&w);
        check_found(&last, "line 9998", "line 9999\n");
        end();
}
END_TEST

/* It matched while it was there; what is not any more of its text is counted. */
START_TEST(beginning_lost)
{
        char piece[2001];
        Waiter waiter;
        Job *job;

        begin();
        job = world_run(&w, "LogMaxBytes", "65536", NULL);
        waiter_start(&waiter, job, "^begin", ALL);
        memset(piece, 'x', 2000);
        piece[2000] = '\0';
        fake_print(leader_of(job), 1, "begin");
        for (unsigned i = 0; i < 40; i++) {
                fake_print(leader_of(job), 1, piece);
                world_pass(&w, USEC_PER_SEC);
        }
        fake_print(leader_of(job), 1, "\n");
        world_settle(&w);
        ck_assert_int_eq(waiter.last, 1);
        ck_assert_uint_gt(waiter.scan.found.lost_bytes, 10000);
        ck_assert_uint_gt(waiter.scan.found.size, 10000);
        ck_assert_uint_eq(waiter.scan.found.size + waiter.scan.found.lost_bytes, LINE_MAX_BYTES);
        for (size_t i = 0; i < waiter.scan.found.size; i++)
                ck_assert_int_eq(waiter.scan.found.text[i], 'x');
        waiter_stop(&waiter);
        end();
}
END_TEST

/* A hostile pattern takes turns, and others are not held up by it. */
START_TEST(turns)
{
        Waiter hostile, polite;
        char text[4001];
        unsigned n = 0;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        memset(text, 'a', 4000);
        text[3999] = '\n';
        text[4000] = '\0';
        for (unsigned i = 0; i < 10; i++) {
                fake_print(leader_of(job), 1, text);
                world_settle(&w);
        }
        fake_print(leader_of(job), 1, "Q\n");
        world_pass(&w, USEC_PER_SEC);
        waiter_start(&hostile, job, "(.*.*.*.*){20}(a?){300}Q", ALL);
        waiter_start(&polite, job, "Q", ALL);
        while (polite.last == 0) {
                fake_clock_advance(10);
                world_timers(&w);
                ck_assert_uint_lt(++n, 4);
        }
        ck_assert(!line_scan_has_passed(&hostile.scan, 11));
        while (hostile.last == 0) {
                fake_clock_advance(10);
                world_timers(&w);
                ck_assert_uint_lt(++n, 100000);
        }
        ck_assert_uint_gt(n, 20);
        check_found(&polite, "Q", NULL);
        check_found(&hostile, "Q", NULL);
        end();
}
END_TEST

START_TEST(stopping)
{
        Waiter a, b, c;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        fake_print(leader_of(job), 1, "x\n");
        world_settle(&w);
        waiter_start(&a, job, "y", ALL);
        waiter_start(&b, job, "y", ALL);
        waiter_start(&c, job, "x", ALL);
        a.stops = &b;
        c.stops = &c;
        world_settle(&w);
        ck_assert_uint_eq(a.n_looks, 1);
        ck_assert_uint_eq(b.n_looks, 0);
        ck_assert_int_eq(c.last, 1);
        ck_assert_ptr_null(c.scan.found.text);
        line_scan_more(&b.scan); /* it does not scan any more */
        job_watch_remove(&b.moments);
        job_watch_remove(&c.moments);
        waiter_stop(&a);
        end();
}
END_TEST

START_TEST(no_memory)
{
        Waiter waiter;
        Job *job;

        begin();
        job = world_run(&w, NULL);
        fake_print(leader_of(job), 1, "x\n");
        world_settle(&w);
        for (unsigned nth = 1; nth <= 2; nth++) {
                waiter = (Waiter){.scan = {.looked = on_looked, .streams = ALL}};
                ck_assert_int_eq(pattern_compile(&waiter.scan.pattern, "LogPattern", "x", NULL), 0);
                alloc_fault_set(nth, false);
                ck_assert_int_eq(line_scan_start(&watch, &waiter.scan, job), -ENOMEM);
                alloc_fault_set(0, false);
                line_scan_stop(&waiter.scan);
        }
        waiter_start(&waiter, job, "x", ALL);
        alloc_fault_set(1, false);
        world_settle(&w);
        alloc_fault_set(0, false);
        ck_assert_int_eq(waiter.last, -ENOMEM);
        waiter_stop(&waiter);
        end();
}
END_TEST

/* The pump takes more in one turn than the ring holds: all of it is looked at all the same. */
START_TEST(not_overtaken_by_the_pump)
{
        _cleanup_free_ char *flood = alloc_zero(60001);
        Waiter first, newlines;
        Job *job;

        begin();
        memset(flood, '\n', 60000); /* 40 bytes each in the ring */
        job = world_run(&w, "LogMaxBytes", "65536", NULL);
        waiter_start(&first, job, "^needle$", ALL);
        waiter_start(&newlines, job, "^nothing$", ALL);
        world_settle(&w);
        memcpy(flood + 100, "needle", 6);
        fake_print(leader_of(job), 1, flood);
        world_settle(&w);
        check_found(&first, "needle", "\n"); /* what comes after it there is gone: the oldest held */
        ck_assert(line_scan_has_passed(&newlines.scan, 50000));
        check_not_found(&newlines);
        end();
}
END_TEST

TEST_MAIN("line-watch", past, to_come, split, unfinished, long_line, overtaken, not_overtaken_by_the_pump,
          beginning_lost, turns, stopping, no_memory)
