/*
 * One Exec after the other on one connection, each beside a posix_spawn of the same. Two kinds of clients:
 * one that said Hello and asked for no signals, as most bindings are, and a direct one, as reevectl is,
 * which is sent every signal.
 */

#include <unistd.h>

#include "bench.h"

static char *const command[] = {(char *) "/bin/true", NULL};

typedef struct Exec {
        sd_bus *bus;
        pid_t pid;  /* of who does it */
        double cpu; /* processor seconds of that one */
        unsigned n;
} Exec;

static double measure(void *userdata)
{
        Exec *e = userdata;
        double cpu = proc_cpu(e->pid), start = clock_now(), took;

        if (e->bus)
                call_exec(e->bus, command);
        else
                bare_exec(command);
        took = clock_now() - start;
        e->cpu += proc_cpu(e->pid) - cpu;
        e->n++;
        return took * 1e6;
}

void bench_exec(const Run *run)
{
        const MeasureFunction functions[] = {measure, measure, measure};
        double t[ELEMENTSOF(functions)];
        Exec quiet, loud, hand;
        Box box, other;

        /* Two of them: one connection's signals are work for the other's Exec. */
        box_start(run, "quiet", &box);
        box_start(run, "loud", &other);
        quiet = (Exec){.bus = box.bus, .pid = box.pid};
        loud = (Exec){.bus = box_connect(&other, false), .pid = other.pid};
        hand = (Exec){.pid = getpid()};
        measure_in_turns(functions, (void *[]){&quiet, &hand, &loud}, ELEMENTSOF(functions),
                         run->quick ? 20 : 500, t);

        row_add(run, ROW_RATIO_MAX, t[0], t[1], "us", 1.5, "exec");
        row_add(run, ROW_RATIO_MAX, t[2], t[1], "us", 1.5, "exec, client that gets signals");
        row_add(run, ROW_INFO, quiet.cpu / quiet.n * 1e6, hand.cpu / hand.n * 1e6, "us", 0,
                "  processor time without the child's");
        sd_bus_flush_close_unref(loud.bus);
        box_stop(&box);
        box_stop(&other);
}
