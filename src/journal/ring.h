#pragma once

/*
 * The ring: the newest output of one job, as records (record.h), in a bounded piece of memory that grows as
 * it is used. Appending never waits and never fails for want of room: the oldest records go, and are
 * counted. Offsets run freely in 64 bits; readers are positions (cursor.h) and leave no trace in the ring.
 */

#include <stdint.h>

#include "basic/list.h"
#include "journal/cursor.h"
#include "journal/record.h"

typedef struct Store Store;
typedef struct Ring Ring;

#define RING_BYTES_MIN (UINT64_C(64) * 1024)
#define RING_BYTES_DEFAULT (UINT64_C(1024) * 1024)

typedef struct RingStat {
        uint64_t bytes[_STREAM_MAX]; /* ever appended, by stream */
        uint64_t records[_STREAM_MAX];
        uint64_t lost_bytes, lost_records; /* output no longer held; notes count in neither */
        uint64_t memory;                   /* bytes it takes now */
        uint64_t memory_max;               /* bytes it may take */
} RingStat;

/* max_bytes: rounded up to whole pages, at least RING_BYTES_MIN. Takes no memory for records yet. 0 or
 * -ENOMEM. */
int ring_new(Store *store, uint64_t max_bytes, Ring **ret);
Ring *ring_free(Ring *r); /* returns NULL */
DEFINE_CLEANUP(Ring *, ring_free)

/* size: 1 to RECORD_DATA_MAX. When there is no memory for even one record it is counted as lost, and keeps
 * its sequence number. A ring that may not grow to what the record takes holds it as several, all but the
 * last RECORD_PARTIAL. */
void ring_append(Ring *r, Stream stream, unsigned flags, usec_t realtime, usec_t monotonic, const void *data,
                 size_t size);

/* The job is finished: the ring may be emptied when others need room. */
void ring_set_finished(Ring *r);
/* There is more to come after all. */
void ring_set_running(Ring *r);
/* Lets all memory go; what was held is lost, and counted. */
void ring_evict(Ring *r);
/* For store.c: the ring whose link in Store.finished this is. A finished ring is in it while it has any. */
Ring *ring_of_finished(List *link);

void ring_stat(const Ring *r, RingStat *ret);
/* The place after the newest record, and the one before the oldest held. */
void ring_tail(const Ring *r, RingPosition *ret);
void ring_head(const Ring *r, RingPosition *ret);

/* Reading. A position is advanced by each record that is read; reading resumes at the oldest record held
 * when the position has been overtaken. */

/* Bytes and records of output between p and the oldest record held: what a reader at p has missed. p NULL:
 * since the very beginning. Either ret may be NULL. */
void ring_lost_since(const Ring *r, const RingPosition *p, uint64_t *ret_bytes, uint64_t *ret_records);
/* -ERANGE: p is ahead of the ring, or its counts cannot be those of its sequence number. */
int ring_check_position(const Ring *r, const RingPosition *p);

/* A reader walking the ring; good until the next append or eviction. */
typedef struct RingReader {
        const Ring *ring;
        uint64_t offset;       /* of the record that comes next */
        RingPosition position; /* before that record */
} RingReader;

/* Starts at the first held record after p; finds it without walking the whole ring. p NULL: the oldest. */
void ring_reader_seek(RingReader *rr, const Ring *r, const RingPosition *p);
/* Starts behind the newest record. */
void ring_reader_seek_tail(RingReader *rr, const Ring *r);
/* The next record, or false at the end; the position moves behind it. */
bool ring_reader_next(RingReader *rr, Record *ret);
/* The record before, or false at the oldest held; the position moves before it. */
bool ring_reader_previous(RingReader *rr, Record *ret);
