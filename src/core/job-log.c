/*
 * A job's log, as far as it is the job's: how large it may grow, and which places in it cursors mean.
 */

#include <errno.h>

#include "core/job-set.h"
#include "core/job.h"
#include "journal/ring.h"
#include "journal/store.h"

/* Who asks for a large answer gets a log that can hold it: of both streams, headers of short lines included,
 * as far as the budget goes. Memory is taken only as output comes. */
uint64_t job_log_max_bytes(const JobSet *set, const ExecSpec *spec)
{
        uint64_t wanted = spec->log_max_bytes;

        if (wanted == 0 && exec_spec_is_given(spec, SETTING_OUTPUT_MAX_BYTES)) {
                wanted = MIN(spec->output_max_bytes * 4, set->config.store->budget / 2);
                wanted = MAX(wanted, RING_BYTES_DEFAULT);
        }
        return wanted ?: RING_BYTES_DEFAULT;
}

int job_parse_cursor(const Job *job, const char *cursor, RingReader *ret, Error *e)
{
        RingPosition position;
        int r;

        if (isempty(cursor)) {
                ring_reader_seek(ret, job->ring, NULL);
                return 0;
        }
        if (streq(cursor, "tail")) {
                ring_reader_seek_tail(ret, job->ring);
                return 0;
        }
        r = cursor_parse(cursor, &job->log, &position);
        if (r == -ESTALE)
                return error_set(e, ERROR_BAD_CURSOR,
                                 "The cursor is of another job, or of an earlier run of reeve");
        if (r < 0)
                return error_set(e, ERROR_BAD_CURSOR, "This is no cursor");
        if (ring_check_position(job->ring, &position) < 0)
                return error_set(e, ERROR_BAD_CURSOR, "The cursor is in the future");
        ring_reader_seek(ret, job->ring, &position);
        return 0;
}
