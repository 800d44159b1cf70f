/* Lines out of a stream. Reads end anywhere: in the middle of a line, in the middle of a character. What
 * ends with a newline goes from the reader's buffer straight into the ring, and memory of our own is needed
 * only for the beginning of a line whose end has not come: a small piece at first, given back when it was
 * large. A line without an end (a download bar, a gigabyte of JSON) comes out in records of RECORD_DATA_MAX
 * bytes as it flows.
 *
 * A person who watches wants to see a prompt, which has no newline: what has waited for 100 ms goes out as a
 * partial record, and on a terminal after 5 ms. Time is what the caller says it is. */

#include "journal/splitter.h"

#include "basic/alloc.h"
#include "basic/utf8.h"
#include "journal/ring.h"

#define HELD_FIRST 256U /* most lines are shorter */
#define HELD_KEEP 512U  /* what an idle job may keep */

/* Where the records go, and when it is now. */
typedef struct Sink {
        Ring *ring;
        Stream stream;
        usec_t realtime, monotonic;
} Sink;

static inline void sink_append(const Sink *k, unsigned flags, const char *data, size_t size)
{
        ring_append(k->ring, k->stream, flags, k->realtime, k->monotonic, data, size);
}

void splitter_init(Splitter *s, Stream stream)
{
        *s = (Splitter){.stream = stream, .delay = SPLITTER_DELAY_USEC};
}

void splitter_done(Splitter *s)
{
        free(s->held);
        *s = (Splitter){.stream = s->stream, .delay = s->delay};
}

/* With nothing held, memory of more than `keep` bytes goes. */
static void held_trim(Splitter *s, size_t keep)
{
        if (s->n_held > 0 || s->n_allocated <= keep)
                return;
        free(s->held);
        s->held = NULL;
        s->n_allocated = 0;
}

static bool held_reserve(Splitter *s, size_t size)
{
        size_t allocated;
        char *held;

        if (likely(size <= s->n_allocated))
                return true;
        allocated = MAX(s->n_allocated * 2, (size_t) HELD_FIRST);
        allocated = MIN(MAX(allocated, size), (size_t) RECORD_DATA_MAX);
        held = alloc_resize(s->held, allocated, 1);
        if (!held)
                return false;
        s->held = held;
        s->n_allocated = allocated;
        return true;
}

/* Nothing is held but the beginning of a character. */
static bool held_is_character(const Splitter *s)
{
        return s->n_held > 0 && s->n_held <= 3 && utf8_incomplete_tail(s->held, s->n_held) == s->n_held;
}

/* size: so that RECORD_DATA_MAX is not exceeded. False: no memory, nothing was taken. */
static bool held_append(Splitter *s, const char *data, size_t size, usec_t monotonic)
{
        bool waited = held_is_character(s) && monotonic >= usec_add(s->since, s->delay);

        if (!held_reserve(s, s->n_held + size))
                return false;
        memcpy(s->held + s->n_held, data, size);
        if (s->n_held == 0)
                s->since = monotonic;
        s->n_held += size;
        /* The character that was waited for is there: its line begins to wait for its newline only now, or
         * this would be a record of one character. */
        if (waited && !held_is_character(s))
                s->since = monotonic;
        return true;
}

/* Lets the first `size` bytes of what is held go. */
static void held_emit(Splitter *s, const Sink *k, unsigned flags, size_t size)
{
        if (size == 0)
                return;
        sink_append(k, flags, s->held, size);
        s->n_held -= size;
        memmove(s->held, s->held + size, s->n_held);
}

/* Goes on with the line that is held; returns how much of data (size > 0) belongs to it. */
static size_t feed_held(Splitter *s, const Sink *k, const char *data, size_t size)
{
        size_t taken = MIN(size, RECORD_DATA_MAX - s->n_held), tail;
        const char *newline = memchr(data, '\n', taken);

        if (newline)
                taken = newline + 1 - data;
        if (!held_append(s, data, taken, k->monotonic)) {
                held_emit(s, k, RECORD_PARTIAL, s->n_held);
                return 0;
        }
        if (newline) {
                held_emit(s, k, 0, s->n_held);
        } else if (s->n_held == RECORD_DATA_MAX) {
                tail = utf8_incomplete_tail(s->held, s->n_held);
                /* The torn character goes on in the caller's buffer, if it began there. */
                if (tail <= taken) {
                        taken -= tail;
                        s->n_held -= tail;
                        tail = 0;
                }
                held_emit(s, k, RECORD_PARTIAL, s->n_held - tail);
                s->since = k->monotonic;
        }
        return taken;
}

/* Nothing is held: cuts records from data as long as they are complete; returns how much that was. */
static size_t feed_direct(const Sink *k, const char *data, size_t size)
{
        const char *p = data, *end = data + size;

        while (p < end) {
                size_t window = MIN((size_t) (end - p), (size_t) RECORD_DATA_MAX), n;
                const char *newline = memchr(p, '\n', window);

                if (newline) {
                        n = newline + 1 - p;
                        sink_append(k, 0, p, n);
                } else if (window == RECORD_DATA_MAX) {
                        n = window - utf8_incomplete_tail(p, window);
                        sink_append(k, RECORD_PARTIAL, p, n);
                } else {
                        break;
                }
                p += n;
        }
        return p - data;
}

void splitter_feed(Splitter *s, Ring *ring, const void *data, size_t size, usec_t realtime, usec_t monotonic)
{
        const Sink k = {.ring = ring, .stream = s->stream, .realtime = realtime, .monotonic = monotonic};
        const char *p = data, *end = p + size;

        splitter_flush(s, ring, false, realtime, monotonic);
        while (p < end) {
                if (s->n_held > 0) {
                        p += feed_held(s, &k, p, end - p);
                        continue;
                }
                p += feed_direct(&k, p, end - p);
                if (p == end)
                        break;
                if (!held_append(s, p, end - p, monotonic))
                        sink_append(&k, RECORD_PARTIAL, p, end - p);
                break;
        }
        held_trim(s, HELD_KEEP);
}

usec_t splitter_deadline(const Splitter *s)
{
        if (s->n_held == 0)
                return USEC_INFINITY;
        return usec_add(s->since, held_is_character(s) ? SPLITTER_CHARACTER_USEC : s->delay);
}

void splitter_flush(Splitter *s, Ring *ring, bool all, usec_t realtime, usec_t monotonic)
{
        const Sink k = {.ring = ring, .stream = s->stream, .realtime = realtime, .monotonic = monotonic};
        size_t kept = 0;

        if (!all && monotonic < splitter_deadline(s))
                return;
        if (!all && monotonic < usec_add(s->since, SPLITTER_CHARACTER_USEC))
                kept = utf8_incomplete_tail(s->held, s->n_held);
        held_emit(s, &k, RECORD_PARTIAL, s->n_held - kept);
        held_trim(s, all ? 0 : HELD_KEEP);
}
