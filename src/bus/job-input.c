/*
 * Input goes from the message straight to the kernel, as much of it as there is room for now. Who feeds a
 * job that reads slowly is told so by the count, at once: nothing of theirs is kept here.
 */

#include "bus/job-input.h"

#include "bus/errors.h"
#include "bus/peer.h"
#include "core/error.h"
#include "core/job.h"

int bus_job_method_write_input(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error)
{
        Error e = ERROR_NULL;
        size_t size = 0, accepted = 0;
        const void *data;
        int eof = false, r;

        r = sd_bus_message_read_array(m, 'y', &data, &size);
        if (r >= 0)
                r = sd_bus_message_read(m, "b", &eof);
        if (r < 0)
                return r;
        r = input_write(&job->input, data, size, eof, &accepted, &e);
        if (r < 0)
                return bus_error_set(ret_error, &e, r);
        return sd_bus_reply_method_return(m, "t", (uint64_t) accepted);
}

int bus_job_method_resize_tty(sd_bus_message *m, Peer *peer, Job *job, sd_bus_error *ret_error)
{
        uint16_t rows = 0, columns = 0;
        Error e = ERROR_NULL;
        int r;

        r = sd_bus_message_read(m, "qq", &rows, &columns);
        if (r < 0)
                return r;
        if (rows == 0 || columns == 0)
                r = error_set(&e, ERROR_INVALID_ARGS, "%s: must be 1 to 65535",
                              rows == 0 ? "rows" : "columns");
        else
                r = input_resize(&job->input, rows, columns, &e);
        return r < 0 ? bus_error_set(ret_error, &e, r) : sd_bus_reply_method_return(m, NULL);
}
