#pragma once

/*
 * Who waits for a line that a pattern matches, in what a job wrote and in what it will. A line is what ends
 * in a newline, of one stream; what is unfinished when the job is drained counts as one. Its first LINE_MAX
 * bytes are looked at. Of a line whose beginning was overwritten before it was looked at, what is held is
 * the line. All scans share one budget a turn.
 */

#include <stdint.h>

#include "basic/list.h"
#include "core/pattern.h"
#include "core/timer.h"
#include "journal/cursor.h"

typedef struct Job Job;
typedef struct LineScan LineScan;

#define LINE_MAX_BYTES ((size_t) 64 * 1024)
#define LINE_BUDGET UINT64_C(1000000) /* of a turn, as pattern.h counts: about a millisecond */

typedef struct LineWatch {
        TimerQueue *timers;
        Timer timer;
        List scans;     /* LineScan.link of those that have something to look at */
        uint64_t spare; /* of the budget for what is looked at while the pump takes it */
} LineWatch;

/* A line of one stream as far as it has come. */
typedef struct LineProgress {
        PatternRun run;
        bool begun;
        uint64_t n_bytes;         /* of the line, without its newline */
        RingPosition before, end; /* of its first record; behind its last one so far */
} LineProgress;

typedef struct FoundLine {
        char *text; /* malloc'ed; without its newline */
        size_t size;
        uint64_t lost_bytes; /* of its first LINE_MAX_BYTES, not held any more when it ended */
        RingPosition end;    /* behind the record that ended it */
} FoundLine;

struct LineScan {
        List link;
        LineWatch *watch; /* NULL: it does not scan */
        Job *job;
        Pattern pattern;  /* the owner compiles it, line_scan_stop() lets it go */
        unsigned streams; /* STREAM_MASK() of each */
        LineProgress lines[2];
        RingPosition position; /* up to here all was looked at, */
        size_t offset;         /* and so many bytes of the record that follows */
        bool ended;            /* and what was unfinished at the job's end, too */
        List in_job;           /* Job.line_scans */
        int result;            /* what is yet to be told; 0: nothing */
        FoundLine found;
        /* After each turn: 1: found, and the scan is over; 0: there is more to look at, or more to come;
         * -ENOMEM: there was no room for what was found, and it is over. May take away any scan. */
        void (*looked)(LineScan *s, int r);
};

void line_watch_init(LineWatch *lw, TimerQueue *timers);
void line_watch_done(LineWatch *lw);

/* From the oldest that is held; the first turn comes at once, but not from in here. -ENOMEM. */
int line_scan_start(LineWatch *lw, LineScan *s, Job *job);
/* There may be more to look at. */
void line_scan_more(LineScan *s);
/* Within a turn of the pump, before more comes: nobody is told anything in here. */
void line_scans_catch_up(Job *job);
/* Whether everything up to that record was looked at, and told; and, when the job is drained, all that there
 * is. */
bool line_scan_has_passed(const LineScan *s, uint64_t seqnum);
/* Also for one that never started. */
void line_scan_stop(LineScan *s);
