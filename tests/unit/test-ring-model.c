/* Rings at random, beside a model that is an array of all records that ever were. Appends of all sizes,
 * evictions, budgets that come and go, memory that fails; and then everything that can be asked of a ring is
 * asked, and the array knows the answer. What is not fixed by the contract (which records of the suffix are
 * still there) is taken from the ring's head, once, and everything else must agree with it. */

#include "test-main.h"

#include "journal/ring.h"

#include "basic/alloc.h"
#include "ring-fixture.h"

#define RINGS 3U

typedef struct ModelRecord {
        Stream stream;
        unsigned flags;
        size_t size;
} ModelRecord;

typedef struct Model {
        Ring *ring;
        bool finished;
        ModelRecord *records; /* number i + 1 at i */
        RingPosition *after;  /* and the place behind it; [0] is the beginning */
        uint64_t n, allocated;
} Model;

static unsigned short seed[3];

static uint64_t below(uint64_t n)
{
        return ((uint64_t) nrand48(seed) << 31 | nrand48(seed)) % n;
}

/* What record number seqnum has at i. */
static char byte_at(uint64_t seqnum, size_t i)
{
        return (seqnum * 131 + i * 7 + i / 251) & 0xff;
}

static void model_init(Model *m, Store *s)
{
        *m = (Model){.ring = fixture_ring(s, RING_BYTES_MIN + below(200000))};
}

static void model_done(Model *m)
{
        ring_free(m->ring);
        free(m->records);
        free(m->after);
}

static void model_append(Model *m, size_t size_max)
{
        static char data[RECORD_DATA_MAX];
        Stream stream = 1 + below(STREAM_NOTE);
        bool output = stream != STREAM_NOTE;
        unsigned flags = below(2) ? RECORD_PARTIAL : 0;
        size_t size = 1 + below(below(10) ? 200 : size_max);
        RingPosition before, after;

        if (m->n + 1 >= m->allocated) {
                m->allocated = m->allocated * 2 + 1024;
                m->records = realloc(m->records, m->allocated * sizeof(*m->records));
                m->after = realloc(m->after, m->allocated * sizeof(*m->after));
                ck_assert(m->records && m->after);
                m->after[0] = (RingPosition){0};
        }
        for (size_t i = 0; i < size; i++)
                data[i] = byte_at(m->n + 1, i);
        ring_append(m->ring, stream, flags, m->n + 1, 2 * m->n, data, size);

        before = m->after[m->n];
        m->records[m->n++] = (ModelRecord){.stream = stream, .flags = flags, .size = size};
        m->after[m->n] = (RingPosition){
                        .seqnum = m->n,
                        .bytes = before.bytes + (output ? size : 0),
                        .records = before.records + output,
        };
        ring_tail(m->ring, &after);
        ck_assert_mem_eq(&after, &m->after[m->n], sizeof(after));
}

static void assert_same(const RingPosition *a, const RingPosition *b)
{
        if (memcmp(a, b, sizeof(*a)) != 0)
                ck_abort_msg("position %lu %lu %lu, expected %lu %lu %lu", a->seqnum, a->bytes, a->records,
                             b->seqnum, b->bytes, b->records);
}

static void assert_record(const Model *m, const Record *record, uint64_t seqnum)
{
        const ModelRecord *expected = &m->records[seqnum - 1];
        size_t first = record->data[0].iov_len;

        if (record->seqnum != seqnum || record->stream != expected->stream ||
            record->flags != expected->flags || record->size != expected->size ||
            record->realtime != seqnum || record->monotonic != 2 * (seqnum - 1) ||
            first + record->data[1].iov_len != record->size)
                ck_abort_msg("record %lu is not what was written", seqnum);
        for (size_t i = 0; i < record->size; i++) {
                const struct iovec *v = &record->data[i >= first];

                if (((const char *) v->iov_base)[i >= first ? i - first : i] != byte_at(seqnum, i))
                        ck_abort_msg("record %lu differs at %zu", seqnum, i);
        }
}

/* From the place behind `from` (held or overtaken) forwards to the end and backwards to the oldest. */
static void check_walk(const Model *m, uint64_t from, uint64_t head)
{
        uint64_t bytes, records, i = MAX(from, head);
        RingReader rr, start;
        Record record;

        ck_assert_int_eq(ring_check_position(m->ring, &m->after[from]), 0);
        ring_lost_since(m->ring, &m->after[from], &bytes, &records);
        ck_assert_uint_eq(bytes, m->after[i].bytes - m->after[from].bytes);
        ck_assert_uint_eq(records, m->after[i].records - m->after[from].records);

        ring_reader_seek(&rr, m->ring, &m->after[from]);
        assert_same(&rr.position, &m->after[i]);
        start = rr;
        while (ring_reader_next(&rr, &record)) {
                assert_record(m, &record, ++i);
                assert_same(&rr.position, &m->after[i]);
        }
        ck_assert_uint_eq(i, m->n);

        rr = start;
        for (i = MAX(from, head); ring_reader_previous(&rr, &record); i--) {
                assert_record(m, &record, i);
                assert_same(&rr.position, &m->after[i - 1]);
        }
        ck_assert_uint_eq(i, head);
}

static void check(const Model *m)
{
        uint64_t bytes[_STREAM_MAX] = {0}, records[_STREAM_MAX] = {0}, head;
        RingPosition p = {0};
        RingReader rr;
        Record record;
        RingStat stat;

        if (m->n == 0)
                return;
        ring_head(m->ring, &p);
        head = p.seqnum;
        assert_same(&p, &m->after[head]);
        for (uint64_t i = 0; i < m->n; i++) {
                bytes[m->records[i].stream] += m->records[i].size;
                records[m->records[i].stream]++;
        }
        stat = fixture_stat(m->ring);
        ck_assert_mem_eq(stat.bytes, bytes, sizeof(bytes));
        ck_assert_mem_eq(stat.records, records, sizeof(records));
        ck_assert_uint_eq(stat.lost_bytes, p.bytes);
        ck_assert_uint_eq(stat.lost_records, p.records);

        check_walk(m, 0, head);
        check_walk(m, m->n, head);
        for (int i = 0; i < 5; i++) {
                check_walk(m, below(m->n + 1), head);
                check_walk(m, head + below(m->n - head + 1), head);
        }
        ring_reader_seek_tail(&rr, m->ring);
        assert_same(&rr.position, &m->after[m->n]);
        ck_assert(!ring_reader_next(&rr, &record));

        /* A place that is ahead, or that has other counts, is none. */
        p = m->after[m->n];
        p.seqnum++;
        ck_assert_int_lt(ring_check_position(m->ring, &p), 0);
        p = m->after[head + below(m->n - head + 1)];
        p.bytes++;
        ck_assert_int_lt(ring_check_position(m->ring, &p), 0);
}

/* Nothing in the way of growth: the ring has its whole maximum before it drops anything, and then drops no
 * more than it must. */
START_TEST(one_ring)
{
        for (unsigned short run = 0; run < 6; run++) {
                Model m;
                Store s;

                memcpy(seed, (unsigned short[]){run, 17, 4711}, sizeof(seed));
                fixture_store(&s, UINT64_MAX);
                model_init(&m, &s);
                for (int step = 0; step < 6000; step++) {
                        RingPosition head;
                        RingStat stat;

                        model_append(&m, RECORD_DATA_MAX);
                        ring_head(m.ring, &head);
                        stat = fixture_stat(m.ring);
                        if (head.seqnum > 0) {
                                uint64_t held = 0;

                                ck_assert_uint_eq(stat.memory, stat.memory_max);
                                for (uint64_t i = head.seqnum; i < m.n; i++)
                                        held += record_size(m.records[i].size);
                                ck_assert_uint_le(held, stat.memory);
                                ck_assert_uint_gt(held + record_size(m.records[head.seqnum - 1].size),
                                                  stat.memory);
                        }
                        if (step % 200 == 0)
                                check(&m);
                }
                check(&m);
                model_done(&m);
                fixture_done(&s);
        }
}
END_TEST

/* Several rings, one budget, and everything that can go wrong with memory. */
START_TEST(rings_that_share)
{
        for (unsigned short run = 0; run < 8; run++) {
                Model models[RINGS];
                Store s;

                memcpy(seed, (unsigned short[]){run, 3, 1871}, sizeof(seed));
                fixture_store(&s, 300000);
                for (unsigned i = 0; i < RINGS; i++)
                        model_init(&models[i], &s);

                for (int step = 0; step < 12000; step++) {
                        Model *m = &models[below(RINGS)];
                        uint64_t used = s.used, budget = s.budget;

                        switch (below(400)) {
                        case 0:
                                ring_evict(m->ring);
                                ck_assert_uint_eq(fixture_stat(m->ring).memory, 0);
                                break;
                        case 1:
                                ring_set_finished(m->ring);
                                m->finished = true;
                                break;
                        case 2: store_set_budget(&s, below(500000)); break;
                        case 3: fixture_memory.fails = !fixture_memory.fails; break;
                        case 4: alloc_fault_set(1, below(2)); break;
                        case 5: alloc_fault_set(0, false); break;
                        case 6:
                                model_done(m);
                                alloc_fault_set(0, false);
                                model_init(m, &s);
                                break;
                        default:
                                /* The area has always 16 KiB or none, so these are never cut in pieces. */
                                model_append(m, 4000);
                                break;
                        }

                        ck_assert_uint_eq(s.used, fixture_memory.held);
                        /* Over the budget only where it was made smaller, and never more so than before. */
                        if (s.budget == budget)
                                ck_assert_uint_le(s.used, MAX(used, s.budget));
                        for (unsigned i = 0; i < RINGS && s.used > s.budget; i++)
                                if (models[i].finished && s.budget < budget)
                                        ck_assert_uint_eq(fixture_stat(models[i].ring).memory, 0);
                        if (step % 100 == 0)
                                check(m);
                }
                alloc_fault_set(0, false);
                for (unsigned i = 0; i < RINGS; i++) {
                        check(&models[i]);
                        model_done(&models[i]);
                }
                fixture_done(&s);
        }
}
END_TEST

TEST_MAIN("ring-model", one_ring, rings_that_share)
