#pragma once

/*
 * The store: one budget for the memory of all rings. A ring asks before it grows; when the budget is used
 * up, rings of finished jobs are emptied, the one that finished first going first; when there are none left,
 * the answer is no, and the ring goes on within what it has. Pure: where the memory comes from is the
 * owner's business (sys/ring-memory.h; malloc in tests).
 */

#include <stddef.h>
#include <stdint.h>

#include "basic/list.h"

typedef struct Ring Ring;

typedef struct RingMemory {
        /* size zeroed bytes, 8-aligned, or NULL. size is a multiple of 4 096. */
        void *(*map)(size_t size);
        void (*unmap)(void *memory, size_t size);
} RingMemory;

typedef struct Store {
        RingMemory memory;
        uint64_t budget; /* bytes */
        uint64_t used;   /* bytes of all rings */
        List finished;   /* rings that may be emptied, oldest first */
} Store;

void store_init(Store *s, RingMemory memory, uint64_t budget);
void store_done(Store *s); /* all rings are gone by then */

/* A smaller budget empties finished rings at once; running ones keep what they have. */
void store_set_budget(Store *s, uint64_t budget);

/* For ring.c: takes size bytes from the budget and maps them. NULL: over the budget, or no memory. Never
 * empties `asking`. An eighth of the budget is left to areas of up to RING_BYTES_MIN, unless the ring is
 * alone: a log's beginning finds room also while floods have taken the rest. */
void *store_map(Store *s, size_t size, const Ring *asking);
void store_unmap(Store *s, void *memory, size_t size);
