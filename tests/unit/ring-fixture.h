#pragma once

/* A ring with memory from malloc that can be made to run out, and its records as text. */

#include <stdlib.h>

#include "basic/buffer.h"
#include "journal/ring.h"
#include "journal/store.h"

static struct {
        bool fails;    /* as mmap(2) without memory */
        uint64_t held; /* bytes mapped and not unmapped */
        unsigned calls;
} fixture_memory;

static inline void *fixture_map(size_t size)
{
        void *memory;

        ck_assert_uint_eq(size % 4096, 0);
        fixture_memory.calls++;
        memory = fixture_memory.fails ? NULL : calloc(1, size);
        fixture_memory.held += memory ? size : 0;
        return memory;
}

static inline void fixture_unmap(void *memory, size_t size)
{
        fixture_memory.held -= size;
        free(memory);
}

static inline void fixture_store(Store *s, uint64_t budget)
{
        memset(&fixture_memory, 0, sizeof(fixture_memory));
        store_init(s, (RingMemory){.map = fixture_map, .unmap = fixture_unmap}, budget);
}

static inline Ring *fixture_ring(Store *s, uint64_t max_bytes)
{
        Ring *r = NULL;

        ck_assert_int_eq(ring_new(s, max_bytes, &r), 0);
        return r;
}

static inline void fixture_done(Store *s)
{
        store_done(s);
        ck_assert_uint_eq(fixture_memory.held, 0);
}

static inline RingStat fixture_stat(const Ring *r)
{
        RingStat stat;

        ring_stat(r, &stat);
        return stat;
}

static inline void append_text(Ring *r, Stream stream, unsigned flags, usec_t when, const char *text)
{
        ring_append(r, stream, flags, when, when, text, strlen(text));
}

/* `n` records of `size` bytes. */
static inline void append_many(Ring *r, Stream stream, size_t size, uint64_t n)
{
        static char data[RECORD_DATA_MAX];

        memset(data, 'x', sizeof(data));
        for (uint64_t i = 0; i < n; i++)
                ring_append(r, stream, 0, i, i, data, size);
}

static inline void buffer_append_record(Buffer *b, const Record *record)
{
        buffer_append(b, record->data[0].iov_base, record->data[0].iov_len);
        buffer_append(b, record->data[1].iov_base, record->data[1].iov_len);
}

/* All that rr still has, one behind the other, each with a mark before it: '1' stdout, '2' stderr, '3' note,
 * and '+' where it is partial. Given to free(). */
static inline char *marked_rest(RingReader rr)
{
        Buffer b = BUFFER_INIT;
        Record record;

        while (ring_reader_next(&rr, &record)) {
                buffer_printf(&b, "%i%s", record.stream, record.flags & RECORD_PARTIAL ? "+" : "");
                buffer_append_record(&b, &record);
        }
        return buffer_take(&b, NULL);
}

static inline char *marked_all(const Ring *r)
{
        RingReader rr;

        ring_reader_seek(&rr, r, NULL);
        return marked_rest(rr);
}

/* The bytes alone. */
static inline char *plain_all(const Ring *r, size_t *ret_size)
{
        Buffer b = BUFFER_INIT;
        RingReader rr;
        Record record;

        ring_reader_seek(&rr, r, NULL);
        while (ring_reader_next(&rr, &record))
                buffer_append_record(&b, &record);
        return buffer_take(&b, ret_size);
}
