/* The ring. One area of memory, written round and round; the oldest records make room for the newest.
 * Offsets count the bytes of records from the first one on and never wrap, so "was it overwritten" is one
 * comparison with `head`, and loss is the difference of two totals: nothing is ever estimated. What an
 * offset is in memory follows from where `head` is, which spares a division and lets the area move when it
 * grows.
 *
 * A job that says three lines should not cost a megabyte: the area starts at 16 KiB and doubles when a
 * record would otherwise push out another, until it has its maximum or the store says no. Growing moves the
 * records once; since it doubles, that is at most one more copy of each byte.
 *
 * A sparse index, one entry for each 64 KiB of offsets, says which record starts first there and what was
 * counted before it. With it a reader finds its place after reading a block at most. A record is shorter
 * than a block, so every block has an entry. */

#include "journal/ring.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/utf8.h"
#include "journal/store.h"

#define RING_PAGE UINT64_C(4096)
#define RING_BYTES_FIRST (UINT64_C(16) * 1024)
#define RING_BLOCK (UINT64_C(64) * 1024)
static_assert(RING_BLOCK > RECORD_HEADER_SIZE + RECORD_DATA_MAX + 7, "in each block a record starts");

typedef struct IndexEntry {
        uint64_t offset;       /* of the first record that starts in the block */
        RingPosition position; /* before that record */
} IndexEntry;

struct Ring {
        Store *store;
        List finished; /* in store->finished, while finished and in possession of memory */
        bool is_finished;

        char *area;
        uint64_t capacity, max; /* of the area: now, and at most */
        uint64_t grow_again;    /* not to be tried before tail gets there */

        uint64_t head, tail;                       /* offsets of the oldest record, and behind the newest */
        uint64_t head_at, tail_at;                 /* where these are in the area */
        RingPosition head_position, tail_position; /* before the oldest record, and behind the newest */
        uint16_t tail_size;                        /* of the newest record's data */
        uint64_t bytes[_STREAM_MAX], records[_STREAM_MAX];

        IndexEntry *index; /* block b is at b % n_index */
        uint64_t n_index;
        uint64_t index_next; /* the next record at or behind this offset gets an entry */
};

int ring_new(Store *store, uint64_t max_bytes, Ring **ret)
{
        Ring *r;

        r = alloc_new(Ring);
        if (!r)
                return -ENOMEM;

        r->store = store;
        list_init(&r->finished);
        max_bytes = MAX(MIN(max_bytes, (uint64_t) SIZE_MAX / 4), RING_BYTES_MIN);
        r->max = (max_bytes + RING_PAGE - 1) / RING_PAGE * RING_PAGE;
        *ret = r;
        return 0;
}

/* Gives the memory back, without a word about what was in it. */
static void ring_release(Ring *r)
{
        if (r->area)
                store_unmap(r->store, r->area, r->capacity);
        free(r->index);
        r->area = NULL;
        r->index = NULL;
        r->capacity = r->n_index = 0;
}

Ring *ring_free(Ring *r)
{
        if (!r)
                return NULL;
        list_remove(&r->finished);
        ring_release(r);
        free(r);
        return NULL;
}

void ring_evict(Ring *r)
{
        list_remove(&r->finished);
        ring_release(r);
        r->head = r->index_next = r->grow_again = r->tail;
        r->head_at = r->tail_at = 0;
        r->head_position = r->tail_position;
}

Ring *ring_of_finished(List *link)
{
        return container_of(link, Ring, finished);
}

void ring_set_finished(Ring *r)
{
        if (r->is_finished)
                return;
        r->is_finished = true;
        if (r->area)
                list_append(&r->store->finished, &r->finished);
}

void ring_set_running(Ring *r)
{
        r->is_finished = false;
        list_remove(&r->finished);
}

/* Where `distance` bytes behind `at` is. distance is at most the capacity. */
static inline uint64_t ring_walk(const Ring *r, uint64_t at, uint64_t distance)
{
        at += distance;
        return at >= r->capacity ? at - r->capacity : at;
}

static inline uint64_t ring_at(const Ring *r, uint64_t offset)
{
        return ring_walk(r, r->head_at, offset - r->head);
}

/* The header at a place; where it runs over the end of the area, a copy of it in *scratch. */
static inline const RecordHeader *ring_header(const Ring *r, uint64_t at, RecordHeader *scratch)
{
        uint64_t first = r->capacity - at;

        if (likely(first >= RECORD_HEADER_SIZE))
                return (const RecordHeader *) (r->area + at);
        memcpy(scratch, r->area + at, first);
        memcpy((char *) scratch + first, r->area, RECORD_HEADER_SIZE - first);
        return scratch;
}

/* In two pieces, where the area ends in between. */
static void ring_write(Ring *r, uint64_t at, const void *data, size_t size)
{
        uint64_t first = r->capacity - at;

        first = MIN(first, (uint64_t) size);
        memcpy(r->area + at, data, first);
        memcpy(r->area, (const char *) data + first, size - first);
}

static inline bool is_output(Stream stream)
{
        return STREAM_MASK_OUTPUT & STREAM_MASK(stream);
}

static inline void position_pass(RingPosition *p, Stream stream, size_t size)
{
        bool output = is_output(stream);

        p->seqnum++;
        p->bytes += output ? size : 0;
        p->records += output;
}

static IndexEntry *ring_block(const Ring *r, uint64_t block)
{
        return &r->index[block % r->n_index];
}

/* The last block that has an entry: the one in which the newest record starts, not the one in which it ends.
 * Something is held. */
static uint64_t ring_last_block(const Ring *r)
{
        return r->index_next / RING_BLOCK - 1;
}

/* Moves what is held into an area of another capacity, which is large enough for it. */
static bool ring_move(Ring *r, uint64_t capacity)
{
        uint64_t held = r->tail - r->head, n_index = capacity / RING_BLOCK + 2, first;
        _cleanup_free_ IndexEntry *index = NULL;
        char *area;

        index = alloc_array(IndexEntry, n_index);
        if (!index)
                return false;
        area = store_map(r->store, capacity, r);
        if (!area)
                return false;

        if (held > 0) {
                first = MIN(held, r->capacity - r->head_at);
                memcpy(area, r->area + r->head_at, first);
                memcpy(area + first, r->area, held - first);
                for (uint64_t b = r->head / RING_BLOCK; b <= ring_last_block(r); b++)
                        index[b % n_index] = *ring_block(r, b);
        }

        ring_release(r);
        r->area = area;
        r->capacity = capacity;
        r->index = TAKE_PTR(index);
        r->n_index = n_index;
        r->head_at = 0;
        r->tail_at = held;
        if (r->is_finished && list_is_empty(&r->finished))
                list_append(&r->store->finished, &r->finished);
        return true;
}

/* Doubles until `need` more bytes fit; as far as that goes. */
static void ring_grow(Ring *r, uint64_t need)
{
        uint64_t wanted = r->tail - r->head + need, capacity = MAX(r->capacity * 2, RING_BYTES_FIRST);

        while (capacity < wanted && capacity < r->max)
                capacity *= 2;
        for (capacity = MIN(capacity, r->max); capacity > r->capacity; capacity /= 2) {
                capacity = capacity / RING_PAGE * RING_PAGE;
                if (capacity >= RING_BYTES_FIRST && ring_move(r, capacity))
                        return;
        }

        /* Asking may be a system call: not again with each record. */
        r->grow_again = r->tail + r->capacity / 16;
}

static inline void ring_drop_oldest(Ring *r)
{
        RecordHeader scratch;
        const RecordHeader *h = ring_header(r, r->head_at, &scratch);
        size_t size = record_size(h->size);

        position_pass(&r->head_position, h->stream, h->size);
        r->head += size;
        r->head_at = ring_walk(r, r->head_at, size);
}

/* False: the area has not even the size of that. */
static bool ring_make_room(Ring *r, uint64_t need)
{
        if (r->capacity < r->max && r->tail >= r->grow_again)
                ring_grow(r, need);
        if (need > r->capacity)
                return false;
        while (r->capacity - (r->tail - r->head) < need)
                ring_drop_oldest(r);
        return true;
}

static inline void ring_count(Ring *r, Stream stream, size_t size)
{
        position_pass(&r->tail_position, stream, size);
        r->bytes[stream] += size;
        r->records[stream]++;
}

/* Writes a record at the tail: first its last eight bytes, for the padding; the data leaves as much of it as
 * there is. */
static inline void ring_put(Ring *r, const RecordHeader *h, const void *data, size_t size)
{
        static const uint64_t zero = 0;
        size_t need = record_size(size);
        char *p = r->area + r->tail_at;

        if (likely(need <= r->capacity - r->tail_at)) {
                memcpy(p + need - sizeof(zero), &zero, sizeof(zero));
                memcpy(p, h, sizeof(*h));
                memcpy(p + sizeof(*h), data, size);
        } else {
                ring_write(r, ring_walk(r, r->tail_at, need - sizeof(zero)), &zero, sizeof(zero));
                ring_write(r, r->tail_at, h, sizeof(*h));
                ring_write(r, ring_walk(r, r->tail_at, sizeof(*h)), data, size);
        }
}

/* The record is larger than the area, and there will not be more. Its newest bytes are worth more than its
 * being one record: pieces of a quarter of the area leave three quarters full. */
static void ring_append_pieces(Ring *r, Stream stream, unsigned flags, usec_t realtime, usec_t monotonic,
                               const char *data, size_t size)
{
        size_t piece;

        if (r->capacity == 0) {
                ring_count(r, stream, size);
                r->head_position = r->tail_position;
                return;
        }
        for (; size > 0; data += piece, size -= piece) {
                piece = MIN(size, (size_t) (r->capacity / 4 - RECORD_HEADER_SIZE));
                if (piece < size)
                        piece -= utf8_incomplete_tail(data, piece);
                ring_append(r, stream, piece < size ? flags | RECORD_PARTIAL : flags, realtime, monotonic,
                            data, piece);
        }
}

void ring_append(Ring *r, Stream stream, unsigned flags, usec_t realtime, usec_t monotonic, const void *data,
                 size_t size)
{
        size_t need = record_size(size);
        RecordHeader h;

        assert(size >= 1 && size <= RECORD_DATA_MAX);
        assert(stream >= STREAM_STDOUT && stream < _STREAM_MAX);

        if (r->capacity - (r->tail - r->head) < need && !ring_make_room(r, need)) {
                ring_append_pieces(r, stream, flags, realtime, monotonic, data, size);
                return;
        }
        if (unlikely(r->tail >= r->index_next)) {
                *ring_block(r, r->tail / RING_BLOCK) =
                                (IndexEntry){.offset = r->tail, .position = r->tail_position};
                r->index_next = (r->tail / RING_BLOCK + 1) * RING_BLOCK;
        }

        h = (RecordHeader){
                .size = size,
                .size_before = r->tail_size,
                .stream = stream,
                .flags = flags,
                .seqnum = r->tail_position.seqnum + 1,
                .realtime = realtime,
                .monotonic = monotonic,
        };
        ring_put(r, &h, data, size);

        r->tail += need;
        r->tail_at = ring_walk(r, r->tail_at, need);
        r->tail_size = size;
        ring_count(r, stream, size);
}

void ring_stat(const Ring *r, RingStat *ret)
{
        *ret = (RingStat){
                .lost_bytes = r->head_position.bytes,
                .lost_records = r->head_position.records,
                .memory = r->capacity,
                .memory_max = r->max,
        };
        memcpy(ret->bytes, r->bytes, sizeof(ret->bytes));
        memcpy(ret->records, r->records, sizeof(ret->records));
}

void ring_tail(const Ring *r, RingPosition *ret)
{
        *ret = r->tail_position;
}

void ring_head(const Ring *r, RingPosition *ret)
{
        *ret = r->head_position;
}

void ring_lost_since(const Ring *r, const RingPosition *p, uint64_t *ret_bytes, uint64_t *ret_records)
{
        const RingPosition *head = &r->head_position;
        bool overtaken = !p || p->seqnum < head->seqnum;

        /* A position that was not checked may claim more than there was: then nothing is missed. */
        if (ret_bytes)
                *ret_bytes = overtaken ? head->bytes - (p ? MIN(p->bytes, head->bytes) : 0) : 0;
        if (ret_records)
                *ret_records = overtaken ? head->records - (p ? MIN(p->records, head->records) : 0) : 0;
}

/* Whether `to` can be reached from `from`: by so many records, of which so many are output, of 1 to
 * RECORD_DATA_MAX bytes each. */
static bool position_can_precede(const RingPosition *from, const RingPosition *to)
{
        uint64_t bytes = to->bytes - from->bytes, records = to->records - from->records;

        return from->seqnum <= to->seqnum && from->bytes <= to->bytes && from->records <= to->records &&
               records <= to->seqnum - from->seqnum && bytes >= records &&
               bytes / RECORD_DATA_MAX + (bytes % RECORD_DATA_MAX > 0) <= records;
}

int ring_check_position(const Ring *r, const RingPosition *p)
{
        static const RingPosition beginning = {0};
        RingReader rr;

        if (!position_can_precede(&beginning, p) || !position_can_precede(p, &r->tail_position))
                return -ERANGE;
        if (p->seqnum < r->head_position.seqnum)
                return position_can_precede(p, &r->head_position) ? 0 : -ERANGE;

        ring_reader_seek(&rr, r, p);
        return rr.position.bytes == p->bytes && rr.position.records == p->records ? 0 : -ERANGE;
}

/* The last indexed place that is not behind `seqnum`; the oldest record's when that is nearer. Something is
 * held. */
static IndexEntry ring_find_block(const Ring *r, uint64_t seqnum)
{
        uint64_t low = r->head / RING_BLOCK, high = ring_last_block(r);
        IndexEntry oldest = {.offset = r->head, .position = r->head_position};
        const IndexEntry *found;

        while (low < high) {
                uint64_t middle = high - (high - low) / 2;

                if (ring_block(r, middle)->position.seqnum <= seqnum)
                        low = middle;
                else
                        high = middle - 1;
        }
        /* What the first block remembers may have been overwritten. */
        found = ring_block(r, low);
        return found->offset >= r->head && found->position.seqnum <= seqnum ? *found : oldest;
}

void ring_reader_seek(RingReader *rr, const Ring *r, const RingPosition *p)
{
        IndexEntry place;
        Record record;

        if (p && p->seqnum >= r->tail_position.seqnum) {
                ring_reader_seek_tail(rr, r);
                return;
        }
        if (!p || p->seqnum <= r->head_position.seqnum) {
                *rr = (RingReader){.ring = r, .offset = r->head, .position = r->head_position};
                return;
        }

        place = ring_find_block(r, p->seqnum);
        *rr = (RingReader){.ring = r, .offset = place.offset, .position = place.position};
        while (rr->position.seqnum < p->seqnum)
                ring_reader_next(rr, &record);
}

void ring_reader_seek_tail(RingReader *rr, const Ring *r)
{
        *rr = (RingReader){.ring = r, .offset = r->tail, .position = r->tail_position};
}

/* The record at an offset, as a view. */
static void ring_view(const Ring *r, uint64_t offset, Record *ret)
{
        uint64_t at = ring_at(r, offset), data_at = ring_walk(r, at, RECORD_HEADER_SIZE);
        RecordHeader scratch;
        const RecordHeader *h = ring_header(r, at, &scratch);
        size_t first = MIN((uint64_t) h->size, r->capacity - data_at);

        *ret = (Record){
                .seqnum = h->seqnum,
                .realtime = h->realtime,
                .monotonic = h->monotonic,
                .stream = h->stream,
                .flags = h->flags,
                .size = h->size,
                .data = {{r->area + data_at, first}, {r->area, h->size - first}},
        };
}

bool ring_reader_next(RingReader *rr, Record *ret)
{
        const Ring *r = rr->ring;

        if (rr->offset >= r->tail)
                return false;
        ring_view(r, rr->offset, ret);
        rr->offset += record_size(ret->size);
        position_pass(&rr->position, ret->stream, ret->size);
        return true;
}

bool ring_reader_previous(RingReader *rr, Record *ret)
{
        const Ring *r = rr->ring;
        size_t size = r->tail_size;
        RecordHeader scratch;

        if (rr->offset <= r->head)
                return false;
        if (rr->offset < r->tail)
                size = ring_header(r, ring_at(r, rr->offset), &scratch)->size_before;
        rr->offset -= record_size(size);
        ring_view(r, rr->offset, ret);
        rr->position.seqnum--;
        rr->position.bytes -= is_output(ret->stream) ? ret->size : 0;
        rr->position.records -= is_output(ret->stream);
        return true;
}
