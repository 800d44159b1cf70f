/*
 * Clocks and medians. The machine that this runs on is shared and noisy, so that only two things are worth
 * anything: medians, and comparing what was measured side by side. Hence turns, not blocks.
 */

#include <stdlib.h>
#include <time.h>

#include "bench.h"

double clock_now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b)
{
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

double quantile(double *values, size_t n, double part)
{
        size_t at = (size_t) ((double) n * part);

        if (n == 0)
                return 0;
        qsort(values, n, sizeof(*values), compare);
        return values[MIN(at, n - 1)];
}

void measure_in_turns(const MeasureFunction *functions, void *const *userdata, size_t n_functions,
                      unsigned rounds, double *ret_medians)
{
        double *values = calloc(n_functions * rounds, sizeof(double));

        if (!values)
                bench_fail("no memory");
        for (size_t f = 0; f < n_functions; f++)
                functions[f](userdata[f]);
        for (unsigned i = 0; i < rounds; i++)
                for (size_t f = 0; f < n_functions; f++)
                        values[f * rounds + i] = functions[f](userdata[f]);
        for (size_t f = 0; f < n_functions; f++)
                ret_medians[f] = median(values + f * rounds, rounds);
        free(values);
}
