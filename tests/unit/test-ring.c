/* The ring, case by case; test-ring-model.c does the same at random. */

#include "test-main.h"

#include "journal/ring.h"

#include <errno.h>

#include "basic/alloc.h"
#include "ring-fixture.h"

static void assert_position(const RingPosition *p, uint64_t seqnum, uint64_t bytes, uint64_t records)
{
        ck_assert_uint_eq(p->seqnum, seqnum);
        ck_assert_uint_eq(p->bytes, bytes);
        ck_assert_uint_eq(p->records, records);
}

START_TEST(empty)
{
        RingPosition head, tail;
        RingReader rr;
        Record record;
        RingStat stat;
        Store s;
        Ring *r;

        fixture_store(&s, UINT64_MAX);
        r = fixture_ring(&s, 1);
        stat = fixture_stat(r);
        ck_assert_uint_eq(stat.memory, 0);
        ck_assert_uint_eq(stat.memory_max, RING_BYTES_MIN);
        ck_assert_uint_eq(fixture_memory.calls, 0);
        ring_head(r, &head);
        ring_tail(r, &tail);
        assert_position(&head, 0, 0, 0);
        assert_position(&tail, 0, 0, 0);
        ring_reader_seek(&rr, r, NULL);
        ck_assert(!ring_reader_next(&rr, &record));
        ck_assert(!ring_reader_previous(&rr, &record));
        ring_reader_seek_tail(&rr, r);
        ck_assert(!ring_reader_previous(&rr, &record));
        ck_assert_int_eq(ring_check_position(r, &tail), 0);
        ring_evict(r);
        ck_assert_ptr_null(ring_free(r));
        ck_assert_ptr_null(ring_free(NULL));
        fixture_done(&s);
}
END_TEST

START_TEST(records_come_back)
{
        RingReader rr;
        Record record;
        RingStat stat;
        Store s;
        Ring *r;

        fixture_store(&s, UINT64_MAX);
        r = fixture_ring(&s, RING_BYTES_DEFAULT);
        ring_append(r, STREAM_STDOUT, 0, 1001, 11, "one\n", 4);
        ring_append(r, STREAM_STDERR, RECORD_PARTIAL, 1002, 12, "t\0o", 3);
        ring_append(r, STREAM_NOTE, 0, 1003, 13, "restarted", 9);

        ring_reader_seek(&rr, r, NULL);
        ck_assert(ring_reader_next(&rr, &record));
        ck_assert(ring_reader_next(&rr, &record));
        ck_assert_uint_eq(record.seqnum, 2);
        ck_assert_uint_eq(record.realtime, 1002);
        ck_assert_uint_eq(record.monotonic, 12);
        ck_assert_int_eq(record.stream, STREAM_STDERR);
        ck_assert_uint_eq(record.flags, RECORD_PARTIAL);
        ck_assert_uint_eq(record.size, 3);
        ck_assert_uint_eq(record.data[0].iov_len, 3);
        ck_assert_uint_eq(record.data[1].iov_len, 0);
        ck_assert_mem_eq(record.data[0].iov_base, "t\0o", 3);
        assert_position(&rr.position, 2, 7, 2);
        ck_assert(ring_reader_next(&rr, &record));
        assert_position(&rr.position, 3, 7, 2); /* notes count in neither */
        ck_assert(!ring_reader_next(&rr, &record));

        ck_assert(ring_reader_previous(&rr, &record));
        ck_assert_uint_eq(record.seqnum, 3);
        ck_assert(ring_reader_previous(&rr, &record));
        assert_position(&rr.position, 1, 4, 1);
        ck_assert(ring_reader_previous(&rr, &record));
        assert_position(&rr.position, 0, 0, 0);
        ck_assert(!ring_reader_previous(&rr, &record));

        stat = fixture_stat(r);
        ck_assert_uint_eq(stat.bytes[STREAM_STDOUT], 4);
        ck_assert_uint_eq(stat.bytes[STREAM_STDERR], 3);
        ck_assert_uint_eq(stat.bytes[STREAM_NOTE], 9);
        ck_assert_uint_eq(stat.records[STREAM_NOTE], 1);
        ck_assert_uint_eq(stat.lost_bytes, 0);
        ring_free(r);
        fixture_done(&s);
}
END_TEST

START_TEST(grows_as_it_is_used)
{
        static const uint64_t steps[] = {16384, 32768, 65536, 131072, 200704};
        size_t step = 0;
        Store s;
        Ring *r;

        fixture_store(&s, UINT64_MAX);
        r = fixture_ring(&s, 200000); /* to whole pages: the last step is a shorter one */
        ck_assert_uint_eq(fixture_stat(r).memory_max, 200704);
        /* 128 bytes a record, so the area is full to the last byte before each step. */
        for (uint64_t n = 1; n <= 200704 / 128; n++) {
                append_many(r, STREAM_STDOUT, 96, 1);
                while (n * 128 > steps[step])
                        step++;
                ck_assert_uint_eq(fixture_stat(r).memory, steps[step]);
                ck_assert_uint_eq(fixture_memory.held, steps[step]);
                ck_assert_uint_eq(fixture_stat(r).lost_bytes, 0);
        }
        append_many(r, STREAM_STDOUT, 96, 1);
        ck_assert_uint_eq(fixture_stat(r).memory, 200704);
        ck_assert_uint_eq(fixture_stat(r).lost_bytes, 96);
        ck_assert_uint_eq(fixture_stat(r).lost_records, 1);
        ck_assert_uint_eq(s.used, 200704);
        ring_free(r);
        fixture_done(&s);
}
END_TEST

START_TEST(first_record_is_the_largest)
{
        static char data[RECORD_DATA_MAX];
        Store s;
        Ring *r;

        fixture_store(&s, UINT64_MAX);
        r = fixture_ring(&s, RING_BYTES_MIN);
        for (unsigned i = 0; i < 5; i++) {
                ring_append(r, STREAM_STDOUT, 0, 1, 1, data, sizeof(data));
                ck_assert_uint_eq(fixture_stat(r).memory, 65536);
                ck_assert_uint_eq(fixture_stat(r).lost_records, i);
        }
        ring_free(r);
        fixture_done(&s);
}
END_TEST

static size_t length_of(unsigned i)
{
        return 1 + i * 7 % 61;
}

/* Of n records of the lengths above. */
static void assert_no_more_would_fit(const Ring *r, unsigned n)
{
        uint64_t held = 0;
        RingPosition head;

        ring_head(r, &head);
        for (unsigned i = head.seqnum; i < n; i++)
                held += record_size(length_of(i));
        ck_assert_uint_le(held, RING_BYTES_MIN);
        if (head.seqnum > 0)
                ck_assert_uint_gt(held + record_size(length_of(head.seqnum - 1)), RING_BYTES_MIN);
}

/* Sizes that are no multiple of anything, so that headers and data run over the end of the area at every
 * possible place: always the newest bytes, as many as fit. */
START_TEST(exactly_the_newest)
{
        static char written[4 << 20];
        size_t n = 0, size;
        Store s;
        Ring *r;

        fixture_store(&s, UINT64_MAX);
        r = fixture_ring(&s, RING_BYTES_MIN);
        for (unsigned i = 0; i < 60000; i++) {
                size_t length = length_of(i);

                for (size_t k = 0; k < length; k++)
                        written[n + k] = 'a' + (i + k) % 26;
                ring_append(r, STREAM_STDOUT, 0, i, i, written + n, length);
                n += length;
                if (i % 97 == 0) {
                        _cleanup_free_ char *held = plain_all(r, &size);

                        ck_assert_mem_eq(held, written + n - size, size);
                        ck_assert_uint_eq(fixture_stat(r).lost_bytes, n - size);
                        assert_no_more_would_fit(r, i + 1);
                }
        }
        ring_free(r);
        fixture_done(&s);
}
END_TEST

START_TEST(evicted)
{
        RingPosition before = {0}, p;
        RingReader rr;
        Record record;
        Store s;
        Ring *r;

        fixture_store(&s, UINT64_MAX);
        r = fixture_ring(&s, RING_BYTES_DEFAULT);
        append_many(r, STREAM_STDOUT, 100, 3000);
        append_many(r, STREAM_NOTE, 10, 1);
        ring_evict(r);
        ck_assert_uint_eq(fixture_memory.held, 0);
        ck_assert_uint_eq(fixture_stat(r).memory, 0);
        ck_assert_uint_eq(fixture_stat(r).lost_bytes, 300000);
        ck_assert_uint_eq(fixture_stat(r).lost_records, 3000);
        ring_reader_seek(&rr, r, NULL);
        ck_assert(!ring_reader_next(&rr, &record));
        ck_assert(!ring_reader_previous(&rr, &record));

        /* It goes on, from small, with the numbers going on as well. */
        append_many(r, STREAM_STDERR, 50, 2);
        ck_assert_uint_eq(fixture_stat(r).memory, 16384);
        ring_reader_seek(&rr, r, &before);
        assert_position(&rr.position, 3001, 300000, 3000);
        ck_assert(ring_reader_next(&rr, &record));
        ck_assert_uint_eq(record.seqnum, 3002);
        ring_tail(r, &p);
        assert_position(&p, 3003, 300100, 3002);
        ck_assert(ring_reader_next(&rr, &record));
        ck_assert(ring_reader_previous(&rr, &record));
        ck_assert(ring_reader_previous(&rr, &record));
        ck_assert(!ring_reader_previous(&rr, &record));
        ring_free(r);
        fixture_done(&s);
}
END_TEST

START_TEST(what_a_reader_missed)
{
        RingPosition p = {.seqnum = 10, .bytes = 1000, .records = 10}, head;
        uint64_t bytes, records;
        Store s;
        Ring *r;

        fixture_store(&s, UINT64_MAX);
        r = fixture_ring(&s, RING_BYTES_MIN);
        append_many(r, STREAM_STDOUT, 100, 100);
        ring_lost_since(r, &p, &bytes, &records);
        ck_assert_uint_eq(bytes, 0);
        ck_assert_uint_eq(records, 0);

        append_many(r, STREAM_STDOUT, 100, 1000);
        ring_head(r, &head);
        ck_assert_uint_gt(head.seqnum, 10);
        ring_lost_since(r, &p, &bytes, &records);
        ck_assert_uint_eq(bytes, head.bytes - 1000);
        ck_assert_uint_eq(records, head.records - 10);
        ring_lost_since(r, NULL, &bytes, NULL);
        ck_assert_uint_eq(bytes, head.bytes);
        ring_lost_since(r, &head, NULL, &records);
        ck_assert_uint_eq(records, 0);
        ring_free(r);
        fixture_done(&s);
}
END_TEST

START_TEST(positions_that_cannot_be)
{
        static const struct {
                RingPosition p;
                bool good;
        } cases[] = {
                {{0, 0, 0}, true},
                {{0, 1, 0}, false},
                {{0, 0, 1}, false},
                {{1, 10, 1}, true},
                {{1, 9, 1}, false}, /* held, and the first record has ten bytes */
                {{1, 10, 0}, false},
                {{2, 10, 1}, true}, /* after the note */
                {{2, 20, 2}, false},
                {{3, 20, 2}, true},
                {{4, 20, 2}, false}, /* ahead */
                {{3, 21, 2}, false},
                {{UINT64_MAX, 20, 2}, false},
                {{UINT64_MAX, UINT64_MAX, UINT64_MAX}, false},
        };
        RingPosition p = {.seqnum = 500, .bytes = 5000, .records = 499}, bad;
        Store s;
        Ring *r;

        fixture_store(&s, UINT64_MAX);
        r = fixture_ring(&s, RING_BYTES_MIN);
        append_many(r, STREAM_STDOUT, 10, 1);
        append_many(r, STREAM_NOTE, 10, 1);
        append_many(r, STREAM_STDOUT, 10, 1);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                ck_assert_int_eq(ring_check_position(r, &cases[i].p), cases[i].good ? 0 : -ERANGE);

        /* Overtaken: what it claims can no longer be looked up, only be possible. */
        append_many(r, STREAM_STDOUT, 10, 5000);
        ck_assert_int_eq(ring_check_position(r, &p), 0);
        bad = (RingPosition){.seqnum = 500, .bytes = 5000, .records = 501};
        ck_assert_int_eq(ring_check_position(r, &bad), -ERANGE);
        bad = (RingPosition){.seqnum = 500, .bytes = 400, .records = 499};
        ck_assert_int_eq(ring_check_position(r, &bad), -ERANGE);
        bad = (RingPosition){.seqnum = 500, .bytes = 50000, .records = 1};
        ck_assert_int_eq(ring_check_position(r, &bad), -ERANGE);
        bad = (RingPosition){.seqnum = 1, .bytes = 32769, .records = 1};
        ck_assert_int_eq(ring_check_position(r, &bad), -ERANGE);
        ring_free(r);
        fixture_done(&s);
}
END_TEST

/* More bytes than 32 bits count, with a reader that was there at the beginning. */
START_TEST(sixty_four_bits)
{
        const uint64_t n = (UINT64_C(5) << 30) / RECORD_DATA_MAX;
        RingPosition p, tail;
        uint64_t bytes, records;
        RingReader rr;
        Record record;
        Store s;
        Ring *r;

        fixture_store(&s, UINT64_MAX);
        r = fixture_ring(&s, 200000);
        append_many(r, STREAM_STDOUT, 7, 1);
        ring_tail(r, &p);
        append_many(r, STREAM_STDOUT, RECORD_DATA_MAX, n);
        ring_tail(r, &tail);
        assert_position(&tail, n + 1, (UINT64_C(5) << 30) + 7, n + 1);
        ck_assert_int_eq(ring_check_position(r, &p), 0);

        ring_lost_since(r, &p, &bytes, &records);
        ring_reader_seek(&rr, r, &p);
        ck_assert_uint_eq(rr.position.bytes, bytes + 7);
        ck_assert_uint_gt(bytes, UINT32_MAX);
        while (ring_reader_next(&rr, &record)) {
                bytes += record.size;
                records++;
        }
        ck_assert_uint_eq(bytes, UINT64_C(5) << 30);
        ck_assert_uint_eq(records, n);
        assert_position(&rr.position, tail.seqnum, tail.bytes, tail.records);

        for (unsigned i = 1; i <= 3; i++) {
                p = (RingPosition){.seqnum = n + 1 - i,
                                   .bytes = tail.bytes - i * RECORD_DATA_MAX,
                                   .records = n + 1 - i};
                ck_assert_int_eq(ring_check_position(r, &p), 0);
                ring_reader_seek(&rr, r, &p);
                ck_assert(ring_reader_next(&rr, &record));
                ck_assert_uint_eq(record.seqnum, n + 2 - i);
        }
        ring_free(r);
        fixture_done(&s);
}
END_TEST

START_TEST(no_memory_at_all)
{
        RingStat stat;
        RingPosition tail;
        Store s;
        Ring *r;

        fixture_store(&s, UINT64_MAX);
        alloc_fault_set(1, false);
        ck_assert_int_eq(ring_new(&s, 1, &r), -ENOMEM);

        r = fixture_ring(&s, RING_BYTES_DEFAULT);
        fixture_memory.fails = true;
        append_many(r, STREAM_STDOUT, 100, 3);
        append_many(r, STREAM_NOTE, 5, 1);
        stat = fixture_stat(r);
        ck_assert_uint_eq(stat.bytes[STREAM_STDOUT], 300);
        ck_assert_uint_eq(stat.lost_bytes, 300);
        ck_assert_uint_eq(stat.lost_records, 3);

        fixture_memory.fails = false;
        append_many(r, STREAM_STDOUT, 100, 1);
        ring_tail(r, &tail);
        assert_position(&tail, 5, 400, 4);
        ck_assert_uint_eq(fixture_stat(r).lost_bytes, 300);
        ring_free(r);
        fixture_done(&s);
}
END_TEST

START_TEST(no_memory_to_grow)
{
        unsigned calls;
        Store s;
        Ring *r;

        fixture_store(&s, UINT64_MAX);
        r = fixture_ring(&s, RING_BYTES_DEFAULT);
        append_many(r, STREAM_STDOUT, 96, 128); /* full */
        fixture_memory.fails = true;
        calls = fixture_memory.calls;
        append_many(r, STREAM_STDOUT, 96, 1280);
        ck_assert_uint_eq(fixture_stat(r).memory, 16384);
        ck_assert_uint_eq(fixture_stat(r).lost_records, 1280);
        /* A system call that failed is not made again for every line. */
        ck_assert_uint_le(fixture_memory.calls - calls, 1280 / 8 + 1);

        fixture_memory.fails = false;
        append_many(r, STREAM_STDOUT, 96, 8);
        ck_assert_uint_eq(fixture_stat(r).memory, 32768);

        /* The index: the same. */
        append_many(r, STREAM_STDOUT, 96, 100);
        alloc_fault_set(1, true);
        append_many(r, STREAM_STDOUT, 96, 64);
        ck_assert_uint_gt(alloc_fault_hits(), 0);
        alloc_fault_set(0, false);
        ck_assert_uint_eq(fixture_stat(r).memory, 32768);
        ck_assert_uint_eq(fixture_memory.held, 32768);
        ring_free(r);
        fixture_done(&s);
}
END_TEST

/* The area stays smaller than the record: it comes in pieces, and the newest of them are there. */
START_TEST(larger_than_the_area)
{
        static char data[RECORD_DATA_MAX];
        size_t size, held = 0;
        char *all;
        RingReader rr;
        Record record;
        Store s;
        Ring *r;

        fixture_store(&s, 16384);
        r = fixture_ring(&s, RING_BYTES_DEFAULT);
        for (size_t i = 0; i + 3 <= sizeof(data); i += 3)
                memcpy(data + i, "\xe2\x82\xac", 3);
        data[sizeof(data) - 2] = 'x';
        data[sizeof(data) - 1] = '\n';
        ring_append(r, STREAM_STDOUT, 0, 1, 1, data, sizeof(data));

        ck_assert_uint_eq(fixture_stat(r).memory, 16384);
        ck_assert_uint_eq(fixture_stat(r).bytes[STREAM_STDOUT], sizeof(data));
        all = plain_all(r, &size);
        ck_assert_uint_ge(size, 12000);
        ck_assert_mem_eq(all, data + sizeof(data) - size, size);
        free(all);
        ck_assert_uint_eq(fixture_stat(r).lost_bytes, sizeof(data) - size);
        ring_reader_seek(&rr, r, NULL);
        while (ring_reader_next(&rr, &record)) {
                held += record.size;
                ck_assert_uint_eq(record.flags, held < size ? RECORD_PARTIAL : 0);
                /* No character was cut. */
                if (held < size)
                        ck_assert_uint_eq(record.size % 3, 0);
        }
        ring_free(r);
        fixture_done(&s);
}
END_TEST

TEST_MAIN("ring", empty, records_come_back, grows_as_it_is_used, first_record_is_the_largest,
          exactly_the_newest, evicted, what_a_reader_missed, positions_that_cannot_be, sixty_four_bits,
          no_memory_at_all, no_memory_to_grow, larger_than_the_area)
