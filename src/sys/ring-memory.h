#pragma once

/* Memory of the rings: shared, a memfd each, and kept out of forks (MADV_DONTFORK), so that the cost of a
 * spawn does not grow with what is held. core makes journal's RingMemory of the two. */

#include <stddef.h>

/* size zeroed bytes, page-aligned, or NULL. size > 0. */
void *ring_memory_map(size_t size);
/* memory NULL: nothing. */
void ring_memory_unmap(void *memory, size_t size);
