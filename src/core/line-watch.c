/*
 * Scans never wait for one another, nor anybody for them: who has something to look at stands in a queue, a
 * turn looks at as much as its budget pays for, in the middle of a record if need be, and all others have
 * their turn before the next. What a job writes is looked at before the ring can overwrite it, piece by
 * piece while the pump takes it, as far as a budget pays for that, too: a pattern that costs more than that
 * is overtaken, as any reader, and what was overwritten is passed over.
 *
 * Nothing of a line is kept but the states of the matcher: its text is collected from the ring when it has
 * matched.
 */

#include "core/line-watch.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "core/job.h"
#include "journal/ring.h"
#include "sys/clock.h"

/* What a record costs beside its bytes. */
#define RECORD_COST 32U
/* Records, of other streams too, between the beginning of a line and its end, that are gone through for its
 * text. */
#define COLLECT_MAX 65536U
/* The header of a record and what it is rounded up to are 40 bytes at the most for one of a newline. */
#define PORTION_SHARE 64U

static void on_timer(Timer *t, usec_t now);

void line_watch_init(LineWatch *lw, TimerQueue *timers)
{
        *lw = (LineWatch){.timers = timers};
        list_init(&lw->scans);
        timer_init(&lw->timer, on_timer);
}

void line_watch_done(LineWatch *lw)
{
        if (lw->timers)
                timer_disarm(lw->timers, &lw->timer);
}

void line_scan_more(LineScan *s)
{
        LineWatch *lw = s->watch;

        if (!lw || !list_is_empty(&s->link))
                return;
        list_append(&lw->scans, &s->link);
        if (!timer_is_armed(&lw->timer))
                timer_arm(lw->timers, &lw->timer, clock_monotonic());
}

/* Bytes after which a ring of that size may be full of their records: a line may be a newline alone. */
static size_t portion_of(const Job *job)
{
        RingStat stat;

        ring_stat(job->ring, &stat);
        return (size_t) (stat.memory_max / PORTION_SHARE);
}

int line_scan_start(LineWatch *lw, LineScan *s, Job *job)
{
        list_init(&s->link);
        list_init(&s->in_job);
        for (size_t i = 0; i < ELEMENTSOF(s->lines); i++) {
                int r = pattern_run_init(&s->lines[i].run, &s->pattern);

                if (r < 0)
                        return r;
        }
        s->watch = lw;
        s->job = job;
        list_append(&job->line_scans, &s->in_job);
        job->capture.portion = portion_of(job);
        line_scan_more(s);
        return 0;
}

static void scan_end(LineScan *s)
{
        if (!s->watch)
                return;
        list_remove(&s->link);
        list_remove(&s->in_job);
        if (list_is_empty(&s->job->line_scans))
                s->job->capture.portion = 0;
        if (list_is_empty(&s->watch->scans))
                timer_disarm(s->watch->timers, &s->watch->timer);
        s->watch = NULL;
}

void line_scan_stop(LineScan *s)
{
        scan_end(s);
        for (size_t i = 0; i < ELEMENTSOF(s->lines); i++)
                pattern_run_done(&s->lines[i].run);
        pattern_done(&s->pattern);
        free(s->found.text);
        s->found = (FoundLine){0};
}

bool line_scan_has_passed(const LineScan *s, uint64_t seqnum)
{
        return s->result == 0 && s->position.seqnum >= seqnum && (s->ended || !job_is_drained(s->job));
}

static void line_reset(LineProgress *l)
{
        pattern_run_reset(&l->run);
        l->begun = false;
        l->n_bytes = 0;
}

/* Bytes of that line that the ring has from rr on, its newline left out. */
static uint64_t count_held(RingReader rr, const LineProgress *l, Stream stream, uint64_t most)
{
        uint64_t bytes = 0;
        Record record;

        for (unsigned n = 0; n < COLLECT_MAX && ring_reader_next(&rr, &record); n++) {
                if (record.seqnum > l->end.seqnum)
                        break;
                bytes += record.stream == stream ? record.size : 0;
        }
        return MIN(bytes, most);
}

/* The text of a line, at most LINE_MAX_BYTES, from what is held of its records: its beginning may be gone.
 */
static int collect(const LineScan *s, const LineProgress *l, Stream stream, FoundLine *ret)
{
        size_t whole = MIN(l->n_bytes, (uint64_t) LINE_MAX_BYTES), wanted = whole, size = 0;
        _cleanup_free_ char *text = alloc_zero(whole + 1);
        RingReader rr;
        Record record;

        if (!text)
                return -ENOMEM;
        ring_reader_seek(&rr, s->job->ring, &l->before);
        if (rr.position.seqnum != l->before.seqnum) {
                uint64_t gone = l->n_bytes - count_held(rr, l, stream, l->n_bytes);

                wanted -= MIN(gone, (uint64_t) whole);
        }
        for (unsigned n = 0; n < COLLECT_MAX && size < wanted && ring_reader_next(&rr, &record); n++) {
                if (record.seqnum > l->end.seqnum)
                        break;
                for (size_t i = 0; record.stream == stream && i < 2; i++) {
                        size_t piece = MIN(record.data[i].iov_len, wanted - size);

                        memcpy(text + size, record.data[i].iov_base, piece);
                        size += piece;
                }
        }
        *ret = (FoundLine){.text = TAKE_PTR(text), .size = size, .lost_bytes = whole - size, .end = l->end};
        return 0;
}

/* The line is at its end. 1: it is the one. */
static int line_end(LineScan *s, LineProgress *l, Stream stream, uint64_t *budget)
{
        int r = 0;

        if (pattern_run_end(&l->run, &s->pattern, budget)) {
                r = collect(s, l, stream, &s->found);
                r = r < 0 ? r : 1;
        }
        line_reset(l);
        return r;
}

/* The bytes of a record from s->offset to n. Whether the budget sufficed. */
static bool feed(LineScan *s, LineProgress *l, const Record *record, size_t n, uint64_t *budget)
{
        while (s->offset < n) {
                size_t split = record->data[0].iov_len, first = s->offset < split;
                const char *from = first ? (const char *) record->data[0].iov_base + s->offset
                                         : (const char *) record->data[1].iov_base + (s->offset - split);
                size_t size = (first ? MIN(split, n) : n) - s->offset, taken = size;

                /* What is beyond the first bytes of a line is only counted. */
                if (l->n_bytes < LINE_MAX_BYTES) {
                        size = MIN(size, (size_t) (LINE_MAX_BYTES - l->n_bytes));
                        taken = pattern_run_feed(&l->run, &s->pattern, from, size, budget);
                }
                s->offset += taken;
                l->n_bytes += taken;
                if (taken < size)
                        return false;
        }
        return true;
}

/* The record that rr has just passed. -EAGAIN: there is more of it, and no budget. */
static int take_record(LineScan *s, const RingReader *rr, const Record *record, uint64_t *budget)
{
        bool ends = !(record->flags & RECORD_PARTIAL);
        LineProgress *l;

        *budget -= MIN(*budget, (uint64_t) RECORD_COST);
        if (!(s->streams & STREAM_MASK(record->stream) & STREAM_MASK_OUTPUT))
                return 0;
        l = &s->lines[record->stream - STREAM_STDOUT];
        if (!l->begun) {
                l->begun = true;
                l->before = s->position;
        }
        l->end = rr->position;
        if (!feed(s, l, record, record->size - (ends ? 1 : 0), budget))
                return -EAGAIN;
        return ends ? line_end(s, l, record->stream, budget) : 0;
}

/* No newline will come any more: that of which the older beginning is held comes first. */
static int take_unfinished(LineScan *s, uint64_t *budget)
{
        int r = 0;

        for (size_t n = 0; n < 2 && r == 0; n++) {
                bool second = s->lines[1].begun &&
                              (!s->lines[0].begun || s->lines[1].before.seqnum < s->lines[0].before.seqnum);
                LineProgress *l = &s->lines[second];

                if (l->begun)
                        r = line_end(s, l, STREAM_STDOUT + second, budget);
        }
        s->ended = true;
        return r;
}

/* 1, 0 or -ENOMEM as looked() is told; -EAGAIN: there is more. */
static int scan(LineScan *s, uint64_t *budget)
{
        RingReader rr;
        Record record;
        int r = 0;

        ring_reader_seek(&rr, s->job->ring, &s->position);
        if (rr.position.seqnum != s->position.seqnum) { /* overtaken */
                s->position = rr.position;
                s->offset = 0;
                line_reset(&s->lines[0]);
                line_reset(&s->lines[1]);
        }
        while (*budget > 0 && ring_reader_next(&rr, &record)) {
                r = take_record(s, &rr, &record, budget);
                if (r == -EAGAIN)
                        return r;
                s->position = rr.position;
                s->offset = 0;
                if (r != 0)
                        return r;
        }
        if (*budget == 0)
                return -EAGAIN;
        return job_is_drained(s->job) && !s->ended ? take_unfinished(s, budget) : 0;
}

/* While nobody is behind, each piece has a budget of its own; who falls behind gets no more than one such a
 * turn of the queue, however many jobs there are. */
void line_scans_catch_up(Job *job)
{
        LIST_FOREACH (&job->line_scans, link) {
                LineScan *s = container_of(link, LineScan, in_job);
                LineWatch *lw = s->watch;
                int r;

                if (list_is_empty(&lw->scans))
                        lw->spare = LINE_BUDGET;
                if (s->result != 0 || lw->spare == 0)
                        continue;
                r = scan(s, &lw->spare);
                if (r == 1 || r == -ENOMEM)
                        s->result = r;
                if (r != 0)
                        line_scan_more(s);
        }
}

static void on_timer(Timer *t, usec_t now)
{
        LineWatch *lw = container_of(t, LineWatch, timer);
        uint64_t budget = LINE_BUDGET;
        List *first;

        while (budget > 0 && (first = list_first(&lw->scans))) {
                LineScan *s = container_of(first, LineScan, link);
                int r = s->result ?: scan(s, &budget);

                list_remove(&s->link);
                if (r == -EAGAIN) {
                        list_append(&lw->scans, &s->link);
                        r = 0;
                }
                if (r != 0)
                        scan_end(s);
                s->looked(s, r);
        }
        lw->spare = LINE_BUDGET;
        if (!list_is_empty(&lw->scans))
                timer_arm(lw->timers, t, clock_monotonic());
}
