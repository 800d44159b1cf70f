/*
 * What 1 000 jobs that do nothing cost PID 1: memory of its own (what is anonymous and what is shared
 * memory, so rings too), and time, as one Exec beside the same of a second reeve without jobs. Both run at
 * the same time, so that whatever 1 000 processes cost the kernel is in both.
 */

#include "bench.h"

#define JOBS 1000
#define WARM_UP 100

static char *const command[] = {(char *) "/bin/true", NULL};

static double own_memory(const Box *box)
{
        return (double) (proc_status(box->pid, "RssAnon") + proc_status(box->pid, "RssShmem"));
}

static double by_reeve(void *userdata)
{
        double start = clock_now();

        call_exec(userdata, command);
        return (clock_now() - start) * 1e6;
}

void bench_idle_jobs(const Run *run)
{
        char *const idle[] = {(char *) bench_child(), (char *) "idle", NULL};
        const MeasureFunction functions[] = {by_reeve, by_reeve};
        unsigned n = run->quick ? 50 : JOBS;
        double before, memory, t[2];
        StartedJob job;
        Box with, without;

        box_start(run, "with", &with);
        box_start(run, "without", &without);
        for (unsigned i = 0; i < WARM_UP; i++) {
                call_exec(with.bus, command);
                call_exec(without.bus, command);
        }
        before = own_memory(&with);
        for (unsigned i = 0; i < n; i++)
                call_start(with.bus, idle, &job);
        memory = own_memory(&with) - before;
        measure_in_turns(functions, (void *[]){with.bus, without.bus}, 2, run->quick ? 20 : 300, t);

        row_add(run, ROW_VALUE_MAX, memory / n, -1, "KiB", 12, "idle-jobs, PID 1's memory a job");
        row_add(run, ROW_RATIO_MAX, t[0], t[1], "us", 1.3, "idle-jobs, exec beside none");
        call_stop_all(with.bus);
        box_stop(&with);
        box_stop(&without);
}
