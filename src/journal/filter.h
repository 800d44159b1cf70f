#pragma once

/* Which records a reader wants: streams, a time, the newest lines, the newest bytes. */

#include <stdint.h>

#include "journal/record.h"

typedef struct Ring Ring;
typedef struct RingReader RingReader;
typedef struct RingPosition RingPosition;

typedef struct LogFilter {
        unsigned streams; /* STREAM_MASK() of each that is wanted */
        usec_t since;     /* CLOCK_REALTIME; 0: no such bound */
} LogFilter;

bool log_filter_match(const LogFilter *f, const Record *record);

/* Puts rr before the oldest wanted record of the newest `lines` lines after the position `after` (NULL: the
 * beginning). A line is as many records of one stream as it takes to its newline; of the last line the
 * unfinished part counts as one. lines UINT64_MAX: all. When `after` has been overtaken, from the oldest
 * held. */
void log_filter_seek_lines(const LogFilter *f, const Ring *r, const RingPosition *after, uint64_t lines,
                           RingReader *ret);

/* The newest bytes of one stream: puts rr before the record that holds the first of them, and says how many
 * bytes of that record to leave out, how many bytes the whole run has, and how many bytes that match f and
 * are held were cut off (by max_bytes or by lines). f->streams is a single stream here. */
void log_filter_newest(const LogFilter *f, const Ring *r, uint64_t max_bytes, uint64_t lines,
                       RingReader *ret, size_t *ret_skip, uint64_t *ret_size, uint64_t *ret_cut);
