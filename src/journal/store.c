/* The budget. Rings of finished jobs are a cache: they keep what they have for as long as nobody needs the
 * room. So the store knows them, oldest first, and empties as many as a request takes; but only when that
 * will be enough, since a log that was thrown away and still did not make room was thrown away for nothing.
 */

#include "journal/store.h"

#include "journal/ring.h"

void store_init(Store *s, RingMemory memory, uint64_t budget)
{
        *s = (Store){.memory = memory, .budget = budget};
        list_init(&s->finished);
}

void store_done(Store *s)
{
        assert(s->used == 0);
        assert(list_is_empty(&s->finished));
}

static uint64_t ring_memory(const Ring *r)
{
        RingStat stat = {0};

        if (r)
                ring_stat(r, &stat);
        return stat.memory;
}

/* Empties finished rings other than `asking`, oldest first, until no more than `limit` is in use. */
static void store_shrink(Store *s, uint64_t limit, const Ring *asking)
{
        LIST_FOREACH_SAFE (&s->finished, node) {
                Ring *r = ring_of_finished(node);

                if (s->used <= limit)
                        return;
                if (r != asking)
                        ring_evict(r); /* takes it off the list */
        }
}

void store_set_budget(Store *s, uint64_t budget)
{
        s->budget = budget;
        store_shrink(s, budget, NULL);
}

/* One part in so many of the budget is for small areas only: so that who comes while floods have taken all
 * the rest still has a log. */
#define STORE_RESERVE 8U

void *store_map(Store *s, size_t size, const Ring *asking)
{
        uint64_t own = ring_memory(asking), budget = s->budget, limit, freeable = 0;
        void *memory;

        /* A ring grows by moving: it has both areas for a moment, and then only the new one. So what it has
         * is as good as given back, and is not held against it. */
        if (size > RING_BYTES_MIN && s->used > own) /* others are there: more may come */
                budget -= budget / STORE_RESERVE;
        if (size > budget)
                return NULL;
        limit = budget - size + own;
        if (s->used > limit) {
                LIST_FOREACH (&s->finished, node) {
                        const Ring *r = ring_of_finished(node);

                        freeable += r != asking ? ring_memory(r) : 0;
                }
                if (s->used - limit > freeable)
                        return NULL;
                store_shrink(s, limit, asking);
        }

        memory = s->memory.map(size);
        if (memory)
                s->used += size;
        return memory;
}

void store_unmap(Store *s, void *memory, size_t size)
{
        assert(s->used >= size);

        s->memory.unmap(memory, size);
        s->used -= size;
}
