/* What a reader gets of a log that it does not want whole. "The newest lines" and "the newest bytes" are
 * found by walking backwards from the end, because that costs what is asked for and not what is held. */

#include "journal/filter.h"

#include "journal/ring.h"

/* Lines as they are met going backwards: the first part met of a line is its last. */
typedef struct LineCounter {
        uint64_t lines;
        unsigned begun; /* streams of which some record was met */
} LineCounter;

/* Whether the record is the last of a line that was not met before. */
static bool line_counter_is_new(const LineCounter *c, const Record *record)
{
        return !(record->flags & RECORD_PARTIAL) || !(c->begun & STREAM_MASK(record->stream));
}

static void line_counter_add(LineCounter *c, const Record *record)
{
        c->lines += line_counter_is_new(c, record);
        c->begun |= STREAM_MASK(record->stream);
}

bool log_filter_match(const LogFilter *f, const Record *record)
{
        return (f->streams & STREAM_MASK(record->stream)) && record->realtime >= f->since;
}

void log_filter_seek_lines(const LogFilter *f, const Ring *r, const RingPosition *after, uint64_t lines,
                           RingReader *ret)
{
        LineCounter counter = {0};
        RingReader rr, found;
        unsigned complete = 0; /* streams of which all that is wanted was met */
        Record record;

        if (lines == UINT64_MAX) {
                ring_reader_seek(ret, r, after);
                return;
        }

        ring_reader_seek_tail(&rr, r);
        found = rr;
        while (complete != f->streams && (!after || rr.position.seqnum > after->seqnum) &&
               ring_reader_previous(&rr, &record)) {
                if (!log_filter_match(f, &record) || (complete & STREAM_MASK(record.stream)))
                        continue;
                if (counter.lines < lines || !line_counter_is_new(&counter, &record)) {
                        line_counter_add(&counter, &record);
                        found = rr;
                        continue;
                }
                /* One line too many: of this stream there is nothing left, and of those that no line was met
                 * of neither; but a line of the other may begin further back. */
                complete |= STREAM_MASK(record.stream) | (f->streams & ~counter.begun);
        }
        *ret = found;
}

void log_filter_newest(const LogFilter *f, const Ring *r, uint64_t max_bytes, uint64_t lines,
                       RingReader *ret, size_t *ret_skip, uint64_t *ret_size, uint64_t *ret_cut)
{
        LineCounter counter = {0};
        uint64_t size = 0, cut = 0;
        RingReader rr, found;
        size_t skip = 0;
        Record record;

        ring_reader_seek_tail(&rr, r);
        found = rr;
        while (ring_reader_previous(&rr, &record)) {
                size_t taken;

                if (!log_filter_match(f, &record))
                        continue;
                if (cut > 0 || size == max_bytes ||
                    (counter.lines == lines && line_counter_is_new(&counter, &record))) {
                        cut += record.size;
                        continue;
                }
                line_counter_add(&counter, &record);
                taken = MIN((uint64_t) record.size, max_bytes - size);
                skip = record.size - taken;
                size += taken;
                cut += skip;
                found = rr;
        }
        *ret = found;
        *ret_skip = skip;
        *ret_size = size;
        *ret_cut = cut;
}
