#pragma once

/*
 * A record is one line of output, or a part of one, as the ring holds it. In memory, native byte order, at
 * an offset that is a multiple of 8, the bytes running on at the start of the ring when they reach its end:
 *
 *      0        2              4        5       6           8
 *      +--------+--------------+--------+-------+-----------+
 *      | size   | size of the  | stream | flags | zero      |
 *      | u16    | one before   | u8     | u8    | u16       |
 *      +--------+--------------+--------+-------+-----------+
 *   8  | sequence number, u64: 1, 2, 3, … in this ring      |
 *  16  | CLOCK_REALTIME, u64, microseconds                  |
 *  24  | CLOCK_MONOTONIC, u64, microseconds                 |
 *      +----------------------------------------------------+
 *  32  | `size` bytes exactly as written, zeros up to a     |
 *      | multiple of 8                                      |
 *      +----------------------------------------------------+
 */

#include <stdint.h>
#include <sys/uio.h>

#include "basic/macro.h"
#include "basic/time.h"

typedef enum Stream { /* the numbers of Job.ReadLog */
        STREAM_STDOUT = 1,
        STREAM_STDERR = 2,
        STREAM_NOTE = 3, /* of reeve itself; counted neither as output nor as lost output */
        _STREAM_MAX,
} Stream;

#define STREAM_MASK(stream) (1U << (stream))
#define STREAM_MASK_OUTPUT (STREAM_MASK(STREAM_STDOUT) | STREAM_MASK(STREAM_STDERR))
#define STREAM_MASK_ALL (STREAM_MASK_OUTPUT | STREAM_MASK(STREAM_NOTE))

/* "stdout", "stderr", "note"; NULL. */
const char *stream_to_string(Stream stream);
/* -EINVAL for another word. */
int stream_from_string(const char *s);

enum {
        RECORD_PARTIAL = 1 << 0, /* does not end its line */
};

#define RECORD_HEADER_SIZE 32U
#define RECORD_DATA_MAX 32768U

typedef struct RecordHeader {
        uint16_t size;
        uint16_t size_before; /* 0 before the first one, which has sequence number 1 */
        uint8_t stream;
        uint8_t flags;
        uint16_t zero;
        uint64_t seqnum;
        uint64_t realtime;
        uint64_t monotonic;
} RecordHeader;
static_assert(sizeof(RecordHeader) == RECORD_HEADER_SIZE, "the drawing above");

static inline size_t record_size(size_t data_size)
{
        return (RECORD_HEADER_SIZE + data_size + 7U) & ~(size_t) 7U;
}

/* A record as it is read: a view into the ring, good until the next append or eviction. */
typedef struct Record {
        uint64_t seqnum;
        usec_t realtime, monotonic;
        Stream stream;
        unsigned flags;
        size_t size;
        struct iovec data[2]; /* data[1].iov_len is 0 unless the bytes run over the end of the ring */
} Record;
