/* The budget: who gets memory, who gives it. */

#include "test-main.h"

#include "journal/store.h"

#include "ring-fixture.h"

#define KIB UINT64_C(1024)

static uint64_t memory_of(const Ring *r)
{
        return fixture_stat(r).memory;
}

/* A ring that holds `kib` (a power of two from 16 on). */
static Ring *ring_with(Store *s, uint64_t kib)
{
        Ring *r = fixture_ring(s, RING_BYTES_DEFAULT);

        append_many(r, STREAM_STDOUT, 96, kib * KIB / 128);
        return r;
}

START_TEST(up_to_the_budget)
{
        Store s;
        Ring *r;

        fixture_store(&s, 100 * KIB);
        r = ring_with(&s, 256);
        ck_assert_uint_eq(memory_of(r), 64 * KIB);
        ck_assert_uint_eq(s.used, 64 * KIB);
        ck_assert_uint_eq(fixture_stat(r).lost_records, (256 - 64) * KIB / 128);

        store_set_budget(&s, 128 * KIB);
        append_many(r, STREAM_STDOUT, 96, 64);
        ck_assert_uint_eq(memory_of(r), 128 * KIB);
        ring_free(r);
        ck_assert_uint_eq(s.used, 0);
        fixture_done(&s);
}
END_TEST

/* Growing has both areas for a moment. What counts is what it comes to. */
START_TEST(growth_that_just_fits)
{
        Store s;
        Ring *a, *b;

        fixture_store(&s, 128 * KIB);
        a = ring_with(&s, 64);
        b = ring_with(&s, 32);
        append_many(b, STREAM_STDOUT, 96, 1); /* 32 -> 64: 64 + 64 */
        ck_assert_uint_eq(memory_of(b), 64 * KIB);
        ck_assert_uint_eq(s.used, 128 * KIB);
        append_many(a, STREAM_STDOUT, 96, 1);
        ck_assert_uint_eq(memory_of(a), 64 * KIB);
        ck_assert_uint_eq(fixture_stat(a).lost_records, 1);
        ring_free(a);
        ring_free(b);
        fixture_done(&s);
}
END_TEST

START_TEST(the_first_to_finish_goes_first)
{
        Ring *running, *first, *second, *third, *more;
        Store s;

        fixture_store(&s, 184 * KIB); /* 161 for the large ones */
        running = ring_with(&s, 32);
        second = ring_with(&s, 32);
        first = ring_with(&s, 32);
        third = ring_with(&s, 32);
        ring_set_finished(first);
        ring_set_finished(second);
        ring_set_finished(third);
        ring_set_finished(first); /* once is enough */

        more = ring_with(&s, 32); /* the last 32 KiB that are free */
        ck_assert_uint_eq(memory_of(first), 32 * KIB);
        append_many(more, STREAM_STDOUT, 96, 1);
        ck_assert_uint_eq(memory_of(more), 64 * KIB);
        ck_assert_uint_eq(memory_of(first), 0);
        ck_assert_uint_eq(memory_of(second), 32 * KIB);
        ck_assert_uint_eq(fixture_stat(first).lost_bytes, fixture_stat(first).bytes[STREAM_STDOUT]);

        append_many(more, STREAM_STDOUT, 96, 64 * KIB / 128);
        ck_assert_uint_eq(memory_of(more), 128 * KIB);
        ck_assert_uint_eq(memory_of(second), 0);
        ck_assert_uint_eq(memory_of(third), 0);
        ck_assert_uint_eq(memory_of(running), 32 * KIB);
        ck_assert_uint_eq(fixture_stat(running).lost_bytes, 0);
        ring_free(running);
        ring_free(first);
        ring_free(second);
        ring_free(third);
        ring_free(more);
        fixture_done(&s);
}
END_TEST

/* 64 KiB more are wanted, 32 are to be had: then those stay what they are, a log. */
START_TEST(nothing_is_emptied_in_vain)
{
        Ring *finished, *running;
        Store s;

        fixture_store(&s, 96 * KIB);
        finished = ring_with(&s, 16);
        ring_set_finished(finished);
        running = ring_with(&s, 64);
        append_many(running, STREAM_STDOUT, 96, 1000);
        ck_assert_uint_eq(memory_of(running), 64 * KIB);
        ck_assert_uint_eq(memory_of(finished), 16 * KIB);
        ring_free(finished);
        ring_free(running);
        fixture_done(&s);
}
END_TEST

/* Two jobs flood; a third that begins still has a log, and may have RING_BYTES_MIN. */
START_TEST(room_for_those_who_begin)
{
        Ring *a, *b, *late;
        Store s;

        fixture_store(&s, 256 * KIB);
        a = ring_with(&s, 16);
        b = ring_with(&s, 16);
        append_many(a, STREAM_STDOUT, 96, 10000);
        append_many(b, STREAM_STDOUT, 96, 10000);
        ck_assert_uint_eq(memory_of(a), 128 * KIB);
        ck_assert_uint_eq(memory_of(b), 64 * KIB);
        late = ring_with(&s, 128);
        ck_assert_uint_eq(memory_of(late), RING_BYTES_MIN);
        ring_free(late);

        /* Who is alone may have all of it. */
        ring_free(b);
        append_many(a, STREAM_STDOUT, 96, 10000);
        ck_assert_uint_eq(memory_of(a), 256 * KIB);
        ring_free(a);
        fixture_done(&s);
}
END_TEST

START_TEST(never_the_asking_one)
{
        Ring *r;
        Store s;

        fixture_store(&s, 32 * KIB);
        r = ring_with(&s, 32);
        ring_set_finished(r);
        append_many(r, STREAM_STDOUT, 96, 1);
        ck_assert_uint_eq(memory_of(r), 32 * KIB);
        ck_assert_uint_eq(fixture_stat(r).lost_records, 1);
        ring_free(r);
        fixture_done(&s);
}
END_TEST

START_TEST(a_smaller_budget)
{
        Ring *running, *a, *b;
        Store s;

        fixture_store(&s, 1024 * KIB);
        running = ring_with(&s, 128);
        a = ring_with(&s, 64);
        b = ring_with(&s, 64);
        ring_set_finished(b);
        ring_set_finished(a);
        store_set_budget(&s, 200 * KIB);
        ck_assert_uint_eq(memory_of(b), 0);
        ck_assert_uint_eq(memory_of(a), 64 * KIB);
        store_set_budget(&s, 0);
        ck_assert_uint_eq(memory_of(a), 0);
        ck_assert_uint_eq(memory_of(running), 128 * KIB);
        ck_assert_uint_eq(fixture_stat(running).lost_bytes, 0);

        /* What is over the budget goes on in what it has. */
        append_many(running, STREAM_STDOUT, 96, 1000);
        ck_assert_uint_eq(memory_of(running), 128 * KIB);
        ring_free(running);
        ring_free(a);
        ring_free(b);
        fixture_done(&s);
}
END_TEST

/* A note after the end makes a ring that was emptied hold memory once more: it can be taken once more. */
START_TEST(emptied_and_written_again)
{
        Ring *r, *other;
        Store s;

        fixture_store(&s, 32 * KIB);
        r = ring_with(&s, 16);
        ring_set_finished(r);
        store_set_budget(&s, 0);
        ck_assert_uint_eq(memory_of(r), 0);
        store_set_budget(&s, 32 * KIB);
        append_text(r, STREAM_NOTE, 0, 1, "note");
        ck_assert_uint_eq(memory_of(r), 16 * KIB);
        other = ring_with(&s, 32);
        ck_assert_uint_eq(memory_of(other), 32 * KIB);
        ck_assert_uint_eq(memory_of(r), 0);
        ring_free(other);
        ring_free(r);
        fixture_done(&s);
}
END_TEST

START_TEST(no_memory)
{
        Store s;

        fixture_store(&s, 1024 * KIB);
        fixture_memory.fails = true;
        ck_assert_ptr_null(store_map(&s, 4096, NULL));
        ck_assert_uint_eq(s.used, 0);
        fixture_done(&s);
}
END_TEST

TEST_MAIN("store", up_to_the_budget, growth_that_just_fits, the_first_to_finish_goes_first,
          nothing_is_emptied_in_vain, room_for_those_who_begin, never_the_asking_one, a_smaller_budget,
          emptied_and_written_again, no_memory)
