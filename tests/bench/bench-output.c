/*
 * How fast output is taken: from the start of a job that writes as fast as it can until reeve says that it
 * is drained, beside a loop that reads the same and throws it away, and (for lines) beside s6-log, which
 * does what reeve does less the bookkeeping: time stamps, and a bounded amount kept.
 */

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define MIB (1024.0 * 1024)
#define S6_LOG "/usr/bin/s6-log"

typedef struct Output {
        sd_bus *bus;
        const Box *box;
        char *const *argv;
        char *const *into;
        double cpu[ROUNDS_MAX]; /* processor seconds of the taker */
        unsigned n;
} Output;

/* All in seconds. */
static double by_reeve(void *userdata)
{
        Output *o = userdata;
        double cpu = proc_cpu(o->box->pid), start = clock_now(), took;
        StartedJob job;

        call_start(o->bus, o->argv, &job);
        call_wait(o->bus, &job, "Drained");
        took = clock_now() - start;
        o->cpu[o->n++] = proc_cpu(o->box->pid) - cpu;
        call_wait(o->bus, &job, "Finished");
        return took;
}

static double by_hand(void *userdata)
{
        Output *o = userdata;
        double cpu = proc_cpu(getpid()), start = clock_now(), took;

        bare_drain(o->argv);
        took = clock_now() - start;
        o->cpu[o->n++] = proc_cpu(getpid()) - cpu;
        return took;
}

static double by_s6_log(void *userdata)
{
        Output *o = userdata;
        double start = clock_now();

        bare_pipe(o->argv, o->into);
        return clock_now() - start;
}

/* One way of writing: bytes in blocks, with a newline every `line` bytes. */
static void measure(const Run *run, const Box *box, double bytes, unsigned block, unsigned line,
                    const char *name, const char *name_s6_log)
{
        char total[32], size[16], lines[16], folder[80], note[64];
        char *const argv[] = {(char *) bench_child(), (char *) "write", total, size, lines, NULL};
        char *const into[] = {(char *) S6_LOG,     (char *) "t", (char *) "n3",
                              (char *) "s1000000", folder,       NULL};
        const MeasureFunction functions[] = {by_reeve, by_hand, by_s6_log};
        static Output reeve, hand, s6;
        double t[ELEMENTSOF(functions)];
        bool with_s6 = name_s6_log && access(S6_LOG, X_OK) == 0;

        snprintf(total, sizeof(total), "%.0f", bytes);
        snprintf(size, sizeof(size), "%u", block);
        snprintf(lines, sizeof(lines), "%u", line);
        snprintf(folder, sizeof(folder), "%s/s6-log", run->folder);
        (void) mkdir(folder, 0755);
        reeve = hand = (Output){.bus = box->bus, .box = box, .argv = argv};
        s6 = (Output){.argv = argv, .into = into};
        measure_in_turns(functions, (void *[]){&reeve, &hand, &s6}, with_s6 ? 3 : 2, run->quick ? 1 : 5, t);

        row_add(run, ROW_RATIO_MIN, bytes / MIB / t[0], bytes / MIB / t[1], "MiB/s", 0.8, name);
        if (with_s6)
                row_add(run, ROW_RATIO_MIN, bytes / MIB / t[0], bytes / MIB / t[2], "MiB/s", 2, name_s6_log);
        else if (name_s6_log)
                row_skip(run, name_s6_log, S6_LOG " is not installed");
        snprintf(note, sizeof(note), "  its processor time a GiB");
        row_add(run, ROW_INFO, median(reeve.cpu, reeve.n) / bytes * 1024 * MIB,
                median(hand.cpu, hand.n) / bytes * 1024 * MIB, "s", 0, note);
}

void bench_output_4k(const Run *run)
{
        double bytes = (run->quick ? 64 : 1024) * MIB;
        Box box;

        box_start(run, "box", &box);
        measure(run, &box, bytes, 4096, 0, "output-4k, no newlines", NULL);
        measure(run, &box, bytes, 4096, 100, "output-4k, lines of 100 bytes", NULL);
        box_stop(&box);
}

void bench_output_lines(const Run *run)
{
        Box box;

        box_start(run, "box", &box);
        measure(run, &box, run->quick ? 1e7 : 1e8, 100, 100, "output-lines, a write(2) each",
                "output-lines, beside s6-log");
        box_stop(&box);
}
