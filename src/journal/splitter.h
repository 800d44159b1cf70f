#pragma once

/*
 * The splitter: bytes of one stream, as reads happen to bring them, into records. A record ends at a
 * newline, at RECORD_DATA_MAX bytes, and when SPLITTER_DELAY_USEC have passed since its first byte without a
 * newline (less for a terminal: who types waits for the echo). What does not end its line is RECORD_PARTIAL.
 * No character of UTF-8 is cut where it can be helped: the bytes of an unfinished one wait for the rest, for
 * SPLITTER_CHARACTER_USEC at the most. Whole lines go from the reader's buffer into the ring without a stop
 * in between.
 */

#include <stdint.h>

#include "basic/time.h"
#include "journal/record.h"

typedef struct Ring Ring;

#define SPLITTER_DELAY_USEC (100 * USEC_PER_MSEC)
#define SPLITTER_TERMINAL_DELAY_USEC (5 * USEC_PER_MSEC)
#define SPLITTER_CHARACTER_USEC (2 * USEC_PER_SEC)

typedef struct Splitter {
        Stream stream;
        char *held; /* a line's beginning, less than RECORD_DATA_MAX bytes */
        size_t n_held, n_allocated;
        usec_t since; /* CLOCK_MONOTONIC of the first byte held */
        usec_t delay; /* SPLITTER_DELAY_USEC, unless the owner sets another one */
} Splitter;

void splitter_init(Splitter *s, Stream stream);
void splitter_done(Splitter *s);

/* Never fails: where the held part finds no memory it goes into the ring at once, as a partial record. */
void splitter_feed(Splitter *s, Ring *ring, const void *data, size_t size, usec_t realtime,
                   usec_t monotonic);

/* When splitter_flush() has something to do (CLOCK_MONOTONIC), USEC_INFINITY for never. */
usec_t splitter_deadline(const Splitter *s);

/* Lets go what is due at `monotonic`; with `all`, all that is held (the stream is at its end, or somebody is
 * answered now). */
void splitter_flush(Splitter *s, Ring *ring, bool all, usec_t realtime, usec_t monotonic);
