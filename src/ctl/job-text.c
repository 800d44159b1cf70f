/* The words of list, status, wait and exec -v, so that all four say the same of the same job. */

#include "ctl/job-text.h"

#include <stdio.h>

#include "basic/parse.h"
#include "ctl/properties.h"

void outcome_format(const char *result, int exit_code, int sig, char *buf, size_t size)
{
        if (sig > 0)
                snprintf(buf, size, "%s %s", result, signal_name(sig) ?: "unknown signal");
        else if (exit_code > 0)
                snprintf(buf, size, "%s %d", result, exit_code);
        else
                snprintf(buf, size, "%s", result);
}

void job_outcome(const Properties *job, char *buf, size_t size)
{
        const char *result = properties_string(job, "Result");

        /* The codes of a job that runs mean nothing yet. */
        if (!*result)
                buf[0] = '\0';
        else
                outcome_format(result, properties_integer(job, "ExitCode", -1),
                               properties_integer(job, "Signal", 0), buf, size);
}

void job_state(const Properties *job, char *buf, size_t size)
{
        snprintf(buf, size, "%s%s", properties_string(job, "State"),
                 properties_boolean(job, "Frozen") ? ", frozen" : "");
}

void time_ago(usec_t time, usec_t now, char *buf, size_t size)
{
        usec_t span = usec_sub(now, time);
        char text[32];

        format_timespan(span - span % USEC_PER_SEC, text, sizeof(text));
        if (time == 0)
                buf[0] = '\0';
        else if (span < USEC_PER_SEC)
                snprintf(buf, size, "now");
        else
                snprintf(buf, size, "%s ago", text);
}
