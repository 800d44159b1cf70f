/* What a reader gets of a log: streams, times, the newest lines, the newest bytes. '1' stands before a
 * record of stdout, '2' of stderr, '3' of a note, and '+' behind it where the record is partial. */

#include "test-main.h"

#include "journal/filter.h"

#include "basic/alloc.h"
#include "ring-fixture.h"

static Store store;
static Ring *ring;

static void rig_init(void)
{
        fixture_store(&store, UINT64_MAX);
        ring = fixture_ring(&store, RING_BYTES_MIN);
}

static void rig_done(void)
{
        ring = ring_free(ring);
        fixture_done(&store);
}

/* "1a|2+b|3c": as it is marked above. The times are 1, 2, 3, … */
static void append_marked(const char *marked)
{
        usec_t when = 1;

        while (*marked) {
                Stream stream = *marked++ - '0';
                unsigned flags = *marked == '+' ? RECORD_PARTIAL : 0;
                size_t n;

                marked += flags != 0;
                n = strcspn(marked, "|");
                ring_append(ring, stream, flags, when, when, marked, n);
                marked += n + (marked[n] == '|');
                when++;
        }
}

static void assert_lines(unsigned streams, usec_t since, const RingPosition *after, uint64_t lines,
                         const char *expected)
{
        const LogFilter f = {.streams = streams, .since = since};
        _cleanup_free_ char *rest = NULL;
        RingReader rr;

        log_filter_seek_lines(&f, ring, after, lines, &rr);
        rest = marked_rest(rr);
        ck_assert_str_eq(rest, expected);
}

START_TEST(match)
{
        const LogFilter f = {.streams = STREAM_MASK(STREAM_STDERR), .since = 100};
        Record r = {.stream = STREAM_STDERR, .realtime = 100};

        ck_assert(log_filter_match(&f, &r));
        r.realtime = 99;
        ck_assert(!log_filter_match(&f, &r));
        r.realtime = 101;
        r.stream = STREAM_STDOUT;
        ck_assert(!log_filter_match(&f, &r));
}
END_TEST

START_TEST(newest_lines)
{
        rig_init();
        append_marked("1a|1b|1c|1d");
        assert_lines(STREAM_MASK_ALL, 0, NULL, UINT64_MAX, "1a1b1c1d");
        assert_lines(STREAM_MASK_ALL, 0, NULL, 5, "1a1b1c1d");
        assert_lines(STREAM_MASK_ALL, 0, NULL, 4, "1a1b1c1d");
        assert_lines(STREAM_MASK_ALL, 0, NULL, 2, "1c1d");
        assert_lines(STREAM_MASK_ALL, 0, NULL, 0, "");
        rig_done();
}
END_TEST

START_TEST(lines_of_several_records)
{
        rig_init();
        append_marked("1a|1+b|1+c|1d|1+e|1+f");
        assert_lines(STREAM_MASK_ALL, 0, NULL, 1, "1+e1+f"); /* not finished, and one line */
        assert_lines(STREAM_MASK_ALL, 0, NULL, 2, "1+b1+c1d1+e1+f");
        assert_lines(STREAM_MASK_ALL, 0, NULL, 3, "1a1+b1+c1d1+e1+f");
        rig_done();
}
END_TEST

START_TEST(streams_have_lines_of_their_own)
{
        rig_init();
        append_marked("2x|1+a|2y|1+b|2z|1c");
        assert_lines(STREAM_MASK_ALL, 0, NULL, 1,
                     "1+a2y1+b2z1c"); /* one line, and what lies between its parts */
        assert_lines(STREAM_MASK(STREAM_STDERR), 0, NULL, 2, "2y1+b2z1c");
        assert_lines(STREAM_MASK(STREAM_STDOUT), 0, NULL, 1, "1+a2y1+b2z1c");
        assert_lines(STREAM_MASK_ALL, 0, NULL, 4, "2x1+a2y1+b2z1c");
        assert_lines(STREAM_MASK(STREAM_NOTE), 0, NULL, 4, "");
        assert_lines(0, 0, NULL, 4, "");
        rig_done();
}
END_TEST

START_TEST(notes_are_lines)
{
        rig_init();
        append_marked("1a|3n|1b");
        assert_lines(STREAM_MASK_ALL, 0, NULL, 2, "3n1b");
        assert_lines(STREAM_MASK_OUTPUT, 0, NULL, 2, "1a3n1b");
        rig_done();
}
END_TEST

START_TEST(not_before_a_time_or_a_place)
{
        RingPosition after = {.seqnum = 2, .bytes = 2, .records = 2};

        rig_init();
        append_marked("1a|1b|1c|1d");
        assert_lines(STREAM_MASK_ALL, 3, NULL, 9, "1c1d");
        assert_lines(STREAM_MASK_ALL, 5, NULL, 9, "");
        assert_lines(STREAM_MASK_ALL, 0, &after, 9, "1c1d");
        assert_lines(STREAM_MASK_ALL, 0, &after, 1, "1d");
        assert_lines(STREAM_MASK_ALL, 0, &after, UINT64_MAX, "1c1d");
        after.seqnum = 4;
        assert_lines(STREAM_MASK_ALL, 0, &after, 9, "");
        rig_done();
}
END_TEST

START_TEST(overtaken)
{
        const LogFilter f = {.streams = STREAM_MASK_ALL};
        RingPosition after = {.seqnum = 1, .bytes = 100, .records = 1}, head;
        RingReader rr;

        rig_init();
        append_many(ring, STREAM_STDOUT, 100, 2000);
        ring_head(ring, &head);
        ck_assert_uint_gt(head.seqnum, 1);
        log_filter_seek_lines(&f, ring, &after, 100000, &rr);
        ck_assert_uint_eq(rr.position.seqnum, head.seqnum);
        log_filter_seek_lines(&f, ring, &after, UINT64_MAX, &rr);
        ck_assert_uint_eq(rr.position.seqnum, head.seqnum);
        log_filter_seek_lines(&f, ring, &after, 7, &rr);
        ck_assert_uint_eq(rr.position.seqnum, 2000 - 7);
        rig_done();
}
END_TEST

/* As GetOutput does it: the run as bytes. */
static void assert_newest(Stream stream, usec_t since, uint64_t max_bytes, uint64_t lines,
                          const char *expected, uint64_t expected_cut)
{
        const LogFilter f = {.streams = STREAM_MASK(stream), .since = since};
        _cleanup_free_ char *text = NULL;
        Buffer b = BUFFER_INIT;
        uint64_t size, cut;
        RingReader rr;
        Record record;
        size_t skip;

        log_filter_newest(&f, ring, max_bytes, lines, &rr, &skip, &size, &cut);
        while (ring_reader_next(&rr, &record))
                if (log_filter_match(&f, &record))
                        buffer_append_record(&b, &record);
        text = buffer_take(&b, NULL);
        ck_assert_str_eq(text + skip, expected);
        ck_assert_uint_eq(size, strlen(expected));
        ck_assert_uint_eq(cut, expected_cut);
}

START_TEST(newest_bytes)
{
        rig_init();
        append_marked("1abc|2xyz|1def|3note|1+gh");
        assert_newest(STREAM_STDOUT, 0, UINT64_MAX, UINT64_MAX, "abcdefgh", 0);
        assert_newest(STREAM_STDOUT, 0, 8, UINT64_MAX, "abcdefgh", 0);
        assert_newest(STREAM_STDOUT, 0, 7, UINT64_MAX, "bcdefgh", 1);
        assert_newest(STREAM_STDOUT, 0, 5, UINT64_MAX, "defgh", 3);
        assert_newest(STREAM_STDOUT, 0, 1, UINT64_MAX, "h", 7);
        assert_newest(STREAM_STDOUT, 0, 0, UINT64_MAX, "", 8);
        assert_newest(STREAM_STDOUT, 0, UINT64_MAX, 1, "gh", 6);
        assert_newest(STREAM_STDOUT, 0, UINT64_MAX, 2, "defgh", 3);
        assert_newest(STREAM_STDOUT, 0, 4, 2, "efgh", 4);
        assert_newest(STREAM_STDOUT, 0, UINT64_MAX, 0, "", 8);
        assert_newest(STREAM_STDOUT, 3, UINT64_MAX, UINT64_MAX, "defgh", 0); /* what is too old is not cut */
        assert_newest(STREAM_STDOUT, 3, 1, UINT64_MAX, "h", 4);
        assert_newest(STREAM_STDERR, 0, 2, UINT64_MAX, "yz", 1);
        assert_newest(STREAM_NOTE, 0, 9, 9, "note", 0);
        rig_done();
}
END_TEST

START_TEST(newest_of_nothing)
{
        rig_init();
        assert_newest(STREAM_STDOUT, 0, 5, 5, "", 0);
        append_marked("2x");
        assert_newest(STREAM_STDOUT, 0, 5, 5, "", 0);
        rig_done();
}
END_TEST

/* What is lost, what is cut and what is given are all there was. */
START_TEST(it_adds_up)
{
        const LogFilter f = {.streams = STREAM_MASK(STREAM_STDOUT)};

        rig_init();
        append_many(ring, STREAM_STDOUT, 77, 3000);
        for (uint64_t max = 0; max < 50000; max = max * 2 + 1) {
                uint64_t size, cut;
                RingReader rr;
                size_t skip;

                log_filter_newest(&f, ring, max, UINT64_MAX, &rr, &skip, &size, &cut);
                ck_assert_uint_eq(size, MIN(max, UINT64_C(3000) * 77));
                ck_assert_uint_eq(fixture_stat(ring).lost_bytes + cut + size, 3000 * 77);
                ck_assert_uint_eq(rr.position.bytes + skip, 3000 * 77 - size);
        }
        rig_done();
}
END_TEST

TEST_MAIN("filter", match, newest_lines, lines_of_several_records, streams_have_lines_of_their_own,
          notes_are_lines, not_before_a_time_or_a_place, overtaken, newest_bytes, newest_of_nothing,
          it_adds_up)
