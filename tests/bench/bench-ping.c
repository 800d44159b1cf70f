/*
 * Whether reeve still answers when its jobs write as fast as they can: Ping of a reeve with ten of them,
 * beside one without. Both at the same time, so that the machine is as busy for both.
 */

#include <poll.h>
#include <stdio.h>

#include "bench.h"

#define FLOODS 10

static double ping(sd_bus *bus)
{
        double start = clock_now();

        call_ping(bus);
        return (clock_now() - start) * 1e6;
}

static void measure(const Run *run, const char *block, const char *name, double goal, const Box *busy,
                    const Box *idle)
{
        char *const flood[] = {(char *) bench_child(), (char *) "flood", (char *) block, (char *) "100",
                               NULL};
        static double with[ROUNDS_MAX], without[ROUNDS_MAX];
        unsigned n = run->quick ? 100 : 1500;
        StartedJob job;
        char row[48];

        for (unsigned i = 0; i < FLOODS; i++)
                call_start(busy->bus, flood, &job);
        for (unsigned i = 0; i < n; i++) {
                with[i] = ping(busy->bus);
                without[i] = ping(idle->bus);
                (void) poll(NULL, 0, 1);
        }
        call_stop_all(busy->bus);
        snprintf(row, sizeof(row), "ping, %s, p50", name);
        row_add(run, ROW_INFO, median(with, n), median(without, n), "us", 0, row);
        snprintf(row, sizeof(row), "ping, %s, p99", name);
        row_add(run, ROW_VALUE_MAX, quantile(with, n, 0.99), quantile(without, n, 0.99), "us", goal, row);
}

void bench_ping(const Run *run)
{
        Box busy, idle;

        box_start(run, "busy", &busy);
        box_start(run, "idle", &idle);
        measure(run, "4096", "flood of 4 KiB blocks", 5000, &busy, &idle);
        measure(run, "100", "flood of 100-byte lines", 5000, &busy, &idle);
        box_stop(&busy);
        box_stop(&idle);
}
