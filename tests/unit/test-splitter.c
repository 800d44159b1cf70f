/* The splitter: bytes in, records out. In what follows '1' stands before a record, '1+' before a partial
 * one. */

#include "test-main.h"

#include "journal/splitter.h"

#include "basic/alloc.h"
#include "ring-fixture.h"

typedef struct Rig {
        Store store;
        Ring *ring;
        Splitter splitter;
} Rig;

static void rig_init(Rig *g)
{
        fixture_store(&g->store, UINT64_MAX);
        g->ring = fixture_ring(&g->store, UINT64_C(32) << 20);
        splitter_init(&g->splitter, STREAM_STDOUT);
}

static void rig_done(Rig *g)
{
        splitter_done(&g->splitter);
        ring_free(g->ring);
        fixture_done(&g->store);
}

static void feed(Rig *g, const char *text, usec_t when)
{
        splitter_feed(&g->splitter, g->ring, text, strlen(text), when, when);
}

static void assert_records(const Rig *g, const char *expected)
{
        _cleanup_free_ char *all = marked_all(g->ring);

        ck_assert_str_eq(all, expected);
}

START_TEST(lines)
{
        Rig g;

        rig_init(&g);
        feed(&g, "one\ntwo\n\nth", 5);
        assert_records(&g, "1one\n1two\n1\n");
        feed(&g, "", 6);
        feed(&g, "r", 6);
        feed(&g, "ee\nfour", 7);
        assert_records(&g, "1one\n1two\n1\n1three\n");
        splitter_flush(&g.splitter, g.ring, true, 8, 8);
        assert_records(&g, "1one\n1two\n1\n1three\n1+four");
        splitter_flush(&g.splitter, g.ring, true, 8, 8);
        feed(&g, "five\n", 9);
        assert_records(&g, "1one\n1two\n1\n1three\n1+four1five\n");
        rig_done(&g);
}
END_TEST

START_TEST(stream_and_times_are_passed_on)
{
        RingReader rr;
        Record record;
        Rig g;

        rig_init(&g);
        splitter_init(&g.splitter, STREAM_STDERR);
        splitter_feed(&g.splitter, g.ring, "x\n", 2, 1234, 56);
        ring_reader_seek(&rr, g.ring, NULL);
        ck_assert(ring_reader_next(&rr, &record));
        ck_assert_int_eq(record.stream, STREAM_STDERR);
        ck_assert_uint_eq(record.realtime, 1234);
        ck_assert_uint_eq(record.monotonic, 56);
        rig_done(&g);
}
END_TEST

START_TEST(prompt)
{
        usec_t t = 1000 * USEC_PER_SEC;
        Rig g;

        rig_init(&g);
        ck_assert_uint_eq(splitter_deadline(&g.splitter), USEC_INFINITY);
        feed(&g, "Pass", t);
        feed(&g, "word: ", t + 60 * USEC_PER_MSEC);
        ck_assert_uint_eq(splitter_deadline(&g.splitter),
                          t + 100 * USEC_PER_MSEC); /* since the first byte */
        splitter_flush(&g.splitter, g.ring, false, 0, t + 100 * USEC_PER_MSEC - 1);
        assert_records(&g, "");
        splitter_flush(&g.splitter, g.ring, false, 0, t + 100 * USEC_PER_MSEC);
        assert_records(&g, "1+Password: ");
        ck_assert_uint_eq(splitter_deadline(&g.splitter), USEC_INFINITY);
        feed(&g, "ok\n", t + USEC_PER_SEC);
        assert_records(&g, "1+Password: 1ok\n");
        rig_done(&g);
}
END_TEST

/* The timer may come later than the bytes do. */
START_TEST(what_is_due_goes_before_what_comes)
{
        Rig g;

        rig_init(&g);
        feed(&g, "a", 1);
        feed(&g, "b\n", 1 + SPLITTER_DELAY_USEC);
        assert_records(&g, "1+a1b\n");
        rig_done(&g);
}
END_TEST

START_TEST(torn_character_waits)
{
        usec_t t = 50, due = t + SPLITTER_DELAY_USEC;
        Rig g;

        rig_init(&g);
        feed(&g, "price \xe2\x82", t);
        ck_assert_uint_eq(splitter_deadline(&g.splitter), due);
        splitter_flush(&g.splitter, g.ring, false, due, due);
        assert_records(&g, "1+price ");
        ck_assert_uint_eq(splitter_deadline(&g.splitter), t + SPLITTER_CHARACTER_USEC);
        splitter_flush(&g.splitter, g.ring, false, due + 1, due + 1);
        assert_records(&g, "1+price ");

        /* It is completed: now its line waits, like any other. */
        feed(&g, "\xac", due + 7);
        ck_assert_uint_eq(splitter_deadline(&g.splitter), due + 7 + SPLITTER_DELAY_USEC);
        feed(&g, "5\n", due + 8);
        assert_records(&g, "1+price 1\xe2\x82\xac"
                           "5\n");
        rig_done(&g);
}
END_TEST

START_TEST(torn_character_does_not_wait_for_ever)
{
        usec_t end;
        Rig g;

        rig_init(&g);
        feed(&g, "\xf0", 10);
        end = 10 + SPLITTER_CHARACTER_USEC;
        ck_assert_uint_eq(splitter_deadline(&g.splitter), end);
        feed(&g, "\x9f", 10 + SPLITTER_CHARACTER_USEC - 1); /* still torn: no longer for that */
        ck_assert_uint_eq(splitter_deadline(&g.splitter), end);
        splitter_flush(&g.splitter, g.ring, false, end, end - 1);
        assert_records(&g, "");
        splitter_flush(&g.splitter, g.ring, false, end, end);
        assert_records(&g, "1+\xf0\x9f");

        /* What can be no character is not waited for. */
        feed(&g, "\xe0\x80", 20);
        ck_assert_uint_eq(splitter_deadline(&g.splitter), 20 + SPLITTER_DELAY_USEC);
        rig_done(&g);
}
END_TEST

/* One byte a read, and a flush after each: every record is whole characters. */
START_TEST(byte_by_byte)
{
        static const char text[] = "h\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
        usec_t now = 100;
        Rig g;

        rig_init(&g);
        for (size_t i = 0; i + 1 < sizeof(text); i++) {
                splitter_feed(&g.splitter, g.ring, text + i, 1, now, now);
                now += SPLITTER_DELAY_USEC;
                splitter_flush(&g.splitter, g.ring, false, now, now);
        }
        assert_records(&g, "1+h1+\xc3\xa4"
                           "1+\xe2\x82\xac"
                           "1+\xf0\x9f\x98\x80"
                           "1+z");
        rig_done(&g);
}
END_TEST

/* Short lines, long ones, and one stretch of 90 000 bytes without a newline; characters of every length. */
static void make_text(char *text, size_t size, unsigned short seed[3])
{
        static const char *const pieces[] = {"a",    "bc", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                             "\xff", "d"};

        for (size_t i = 0; i < size;) {
                const char *piece = pieces[nrand48(seed) % ELEMENTSOF(pieces)];
                long rarity = i % 40000 < 1000 ? 20 : 30000;
                bool newline = (i < 30000 || i > 120000) && nrand48(seed) % rarity == 0;

                if (newline || strlen(piece) > size - i)
                        text[i++] = '\n';
                else
                        i = (size_t) ((char *) mempcpy(text + i, piece, strlen(piece)) - text);
        }
}

/* In reads of up to `limit` bytes (0: in one), with time passing or not. */
static void feed_in_parts(Rig *g, const char *text, size_t size, size_t limit, bool timed,
                          unsigned short seed[3])
{
        usec_t now = 1;

        for (size_t i = 0, n; i < size; i += n) {
                n = limit == 0 ? size : MIN(1 + nrand48(seed) % limit, size - i);
                splitter_feed(&g->splitter, g->ring, text + i, n, now, now);
                now += timed ? nrand48(seed) % (2 * SPLITTER_DELAY_USEC) : 0;
                if (timed && nrand48(seed) % 2)
                        splitter_flush(&g->splitter, g->ring, false, now, now);
        }
        splitter_flush(&g->splitter, g->ring, true, now, now);
}

/* The bytes of text and no others; newlines only where records end, and PARTIAL is what has none. */
static void assert_whole(const Rig *g, const char *text, size_t size)
{
        RingReader rr;
        Record record;
        size_t n;
        char *all;

        all = plain_all(g->ring, &n);
        ck_assert_uint_eq(n, size);
        ck_assert_mem_eq(all, text, size);
        free(all);
        ring_reader_seek(&rr, g->ring, NULL);
        while (ring_reader_next(&rr, &record)) {
                const char *data = record.data[0].iov_base, *newline = memchr(data, '\n', record.size);

                ck_assert_uint_eq(record.data[1].iov_len, 0);
                ck_assert(newline == (record.flags & RECORD_PARTIAL ? NULL : data + record.size - 1));
        }
}

/* However the reads fall, the bytes are the same; and when no time passes, the records are. */
START_TEST(any_partition)
{
        static const size_t limits[] = {0, 1, 2, 5, 100, 4096, 65536};
        static char text[150000];
        unsigned short seed[3] = {9, 9, 9};
        _cleanup_free_ char *reference = NULL;

        make_text(text, sizeof(text), seed);
        for (unsigned run = 0; run < 4 * ELEMENTSOF(limits); run++) {
                bool timed = run >= 3 * ELEMENTSOF(limits);
                Rig g;

                rig_init(&g);
                feed_in_parts(&g, text, sizeof(text), limits[run % ELEMENTSOF(limits)], timed, seed);
                assert_whole(&g, text, sizeof(text));
                if (!reference)
                        reference = marked_all(g.ring);
                else if (!timed)
                        assert_records(&g, reference);
                rig_done(&g);
        }
}
END_TEST

/* Around the limit, newline or not, in one read or two. */
START_TEST(at_the_limit)
{
        static char text[RECORD_DATA_MAX + 16];

        for (size_t n = RECORD_DATA_MAX - 2; n <= RECORD_DATA_MAX + 2; n++)
                for (size_t first = 1; first < n; first += n - 2) {
                        RingReader rr;
                        Record record;
                        Rig g;

                        memset(text, 'x', sizeof(text));
                        text[n - 1] = '\n';
                        rig_init(&g);
                        splitter_feed(&g.splitter, g.ring, text, first, 1, 1);
                        splitter_feed(&g.splitter, g.ring, text + first, n - first, 1, 1);
                        ring_reader_seek(&rr, g.ring, NULL);
                        ck_assert(ring_reader_next(&rr, &record));
                        ck_assert_uint_eq(record.size, MIN(n, (size_t) RECORD_DATA_MAX));
                        ck_assert_uint_eq(record.flags, n > RECORD_DATA_MAX ? RECORD_PARTIAL : 0);
                        if (n > RECORD_DATA_MAX) {
                                ck_assert(ring_reader_next(&rr, &record));
                                ck_assert_uint_eq(record.size, n - RECORD_DATA_MAX);
                                ck_assert_uint_eq(record.flags, 0);
                        }
                        ck_assert(!ring_reader_next(&rr, &record));
                        rig_done(&g);
                }
}
END_TEST

/* A character over the limit goes whole into the next record, wherever it was torn before. */
START_TEST(no_character_is_cut_at_the_limit)
{
        static char text[RECORD_DATA_MAX + 8];

        for (size_t at = RECORD_DATA_MAX - 4; at <= RECORD_DATA_MAX; at++)
                for (size_t first = 0; first <= at + 4; first += first < at - 1 ? at - 1 : 1) {
                        RingReader rr;
                        Record record;
                        Rig g;

                        memset(text, 'x', sizeof(text));
                        memcpy(text + at, "\xf0\x9f\x98\x80\n", 5);
                        rig_init(&g);
                        splitter_feed(&g.splitter, g.ring, text, first, 1, 1);
                        splitter_feed(&g.splitter, g.ring, text + first, at + 5 - first, 1, 1);
                        ring_reader_seek(&rr, g.ring, NULL);
                        ck_assert(ring_reader_next(&rr, &record));
                        /* The limit lies inside, or just behind: then the newline is what goes over. */
                        ck_assert_uint_eq(record.size, at + 4 <= RECORD_DATA_MAX ? at + 4 : at);
                        ck_assert_uint_eq(record.flags, RECORD_PARTIAL);
                        ck_assert(ring_reader_next(&rr, &record));
                        ck_assert_uint_eq(record.size, at + 4 <= RECORD_DATA_MAX ? 1 : 5);
                        rig_done(&g);
                }
}
END_TEST

START_TEST(a_gigabyte_without_a_newline)
{
        static char chunk[65536];
        const uint64_t total = UINT64_C(1) << 30;
        uint64_t fed = 0;
        Rig g;

        rig_init(&g);
        ring_free(g.ring);
        g.ring = fixture_ring(&g.store, RING_BYTES_DEFAULT);
        memset(chunk, 'x', sizeof(chunk));
        for (size_t n = 4096; fed < total; n = n == 4096 ? sizeof(chunk) - 1 : 4096) {
                splitter_feed(&g.splitter, g.ring, chunk, n, fed, 1);
                fed += n;
                ck_assert_uint_le(g.splitter.n_allocated, RECORD_DATA_MAX);
                ck_assert_uint_lt(g.splitter.n_held, RECORD_DATA_MAX);
                ck_assert_uint_le(fixture_memory.held, RING_BYTES_DEFAULT);
        }
        splitter_flush(&g.splitter, g.ring, true, 1, 1);
        ck_assert_uint_eq(fixture_stat(g.ring).bytes[STREAM_STDOUT], fed);
        /* Cut into as few as can be. */
        ck_assert_uint_eq(fixture_stat(g.ring).records[STREAM_STDOUT],
                          (fed + RECORD_DATA_MAX - 1) / RECORD_DATA_MAX);
        rig_done(&g);
}
END_TEST

/* An idle job keeps little. */
START_TEST(memory_is_given_back)
{
        static char text[20000];
        Rig g;

        rig_init(&g);
        feed(&g, "whole\nlines\n", 1);
        ck_assert_uint_eq(g.splitter.n_allocated, 0); /* never needed any */
        feed(&g, "short", 1);
        ck_assert_uint_le(g.splitter.n_allocated, 512);
        memset(text, 'x', sizeof(text));
        splitter_feed(&g.splitter, g.ring, text, sizeof(text), 1, 1);
        ck_assert_uint_ge(g.splitter.n_allocated, sizeof(text));
        feed(&g, "\n", 1);
        ck_assert_uint_le(g.splitter.n_allocated, 512);
        splitter_feed(&g.splitter, g.ring, text, sizeof(text), 1, 1);
        splitter_flush(&g.splitter, g.ring, false, 1, 1 + SPLITTER_DELAY_USEC);
        ck_assert_uint_le(g.splitter.n_allocated, 512);
        feed(&g, "x", 1);
        splitter_flush(&g.splitter, g.ring, true, 1, 1);
        ck_assert_uint_eq(g.splitter.n_allocated, 0);
        rig_done(&g);
}
END_TEST

/* Each allocation in turn fails: never a byte less. */
START_TEST(no_memory)
{
        static const char text[] = "begin";
        static char rest[3000];

        memset(rest, 'y', sizeof(rest));
        rest[sizeof(rest) - 1] = '\n';
        for (unsigned nth = 1; nth <= 4; nth++) {
                char *all;
                size_t size;
                Rig g;

                rig_init(&g);
                feed(&g, "the ring has its memory\n", 1);
                alloc_fault_set(nth, true);
                feed(&g, text, 1);
                splitter_feed(&g.splitter, g.ring, rest, 2000, 1, 1);
                splitter_feed(&g.splitter, g.ring, rest + 2000, 1000, 1, 1);
                ck_assert_uint_eq(alloc_fault_hits() > 0, nth < 4);
                alloc_fault_set(0, false);
                splitter_flush(&g.splitter, g.ring, true, 1, 1);
                all = plain_all(g.ring, &size);
                ck_assert_uint_eq(size, 24 + strlen(text) + sizeof(rest));
                ck_assert_mem_eq(all + 24, text, strlen(text));
                ck_assert_mem_eq(all + 24 + strlen(text), rest, sizeof(rest));
                free(all);
                rig_done(&g);
        }
}
END_TEST

/* Of a terminal; it stays when the splitter is emptied. */
START_TEST(another_delay)
{
        Rig g;

        rig_init(&g);
        g.splitter.delay = SPLITTER_TERMINAL_DELAY_USEC;
        for (usec_t t = 10; t < 100000; t += 50000) {
                feed(&g, "$ ", t);
                ck_assert_uint_eq(splitter_deadline(&g.splitter), t + SPLITTER_TERMINAL_DELAY_USEC);
                splitter_flush(&g.splitter, g.ring, false, t, t + SPLITTER_TERMINAL_DELAY_USEC - 1);
                ck_assert_uint_eq(g.splitter.n_held, 2);
                splitter_flush(&g.splitter, g.ring, false, t, t + SPLITTER_TERMINAL_DELAY_USEC);
                ck_assert_uint_eq(g.splitter.n_held, 0);
                splitter_done(&g.splitter);
        }
        assert_records(&g, "1+$ 1+$ ");
        rig_done(&g);
}
END_TEST

TEST_MAIN("splitter", lines, stream_and_times_are_passed_on, prompt, what_is_due_goes_before_what_comes,
          torn_character_waits, torn_character_does_not_wait_for_ever, byte_by_byte, any_partition,
          at_the_limit, no_character_is_cut_at_the_limit, a_gigabyte_without_a_newline, memory_is_given_back,
          no_memory, another_delay)
