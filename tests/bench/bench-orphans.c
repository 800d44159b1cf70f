/*
 * 10 000 processes lose their parent and end, all in one moment: until PID 1 has reaped them all, the Exec
 * that is asked for in the middle of it, and the first one after it beside those of quiet times. The
 * baseline is a subreaper that does nothing but wait.
 */

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench.h"

#define N "10000"
#define N_QUICK "500"
#define ROUNDS 5
#define WARM_UP 50

static char *const command[] = {(char *) "/bin/true", NULL};

typedef struct Orphans {
        sd_bus *bus;
        char *argv[4];
        unsigned n;
        double usual, during, after, all; /* seconds */
} Orphans;

static double timed_exec(sd_bus *bus)
{
        double start = clock_now();

        if (bus)
                call_exec(bus, command);
        else
                bare_exec(command);
        return clock_now() - start;
}

static double usual_exec(sd_bus *bus)
{
        double usual[WARM_UP];

        for (unsigned i = 0; i < WARM_UP; i++)
                usual[i] = timed_exec(bus);
        return median(usual, WARM_UP);
}

static void by_reeve(Orphans *o)
{
        uint64_t before = call_orphans_reaped(o->bus);
        StartedJob job;
        double start;

        o->usual = usual_exec(o->bus);
        call_start(o->bus, o->argv, &job);
        call_wait_output(o->bus, &job);

        start = clock_now();
        call_kill_leader(o->bus, &job, SIGKILL);
        o->during = timed_exec(o->bus);
        call_wait(o->bus, &job, "Finished");
        while (call_orphans_reaped(o->bus) - before < o->n)
                ;
        o->all = clock_now() - start;
        o->after = timed_exec(o->bus);
}

/* In a process of its own, so o is in shared memory. bare_exec() waits for its child by number: the orphans
 * wait meanwhile. */
static double by_hand(void *userdata)
{
        Orphans *o = userdata;
        double start;
        pid_t pid;
        int out;

        o->usual = usual_exec(NULL);
        pid = bare_spawn(o->argv, &out, NULL);
        bare_wait_ready(out);
        start = clock_now();
        kill(pid, SIGKILL);
        o->during = timed_exec(NULL);
        bare_reap_all();
        o->all = clock_now() - start;
        o->after = timed_exec(NULL);
        return 0;
}

typedef struct Results {
        double usual[ROUNDS], during[ROUNDS], after[ROUNDS], all[ROUNDS]; /* ms */
} Results;

static void keep(Results *results, unsigned round, const Orphans *o)
{
        results->usual[round] = o->usual * 1e3;
        results->during[round] = o->during * 1e3;
        results->after[round] = o->after * 1e3;
        results->all[round] = o->all * 1e3;
}

void bench_orphans(const Run *run)
{
        const char *n = run->quick ? N_QUICK : N;
        unsigned rounds = run->quick ? 1 : ROUNDS;
        Results reeve, hand;
        Orphans *o;
        Box box;

        o = mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (o == MAP_FAILED)
                bench_fail("mmap: %m");
        box_start(run, "box", &box);
        *o = (Orphans){.bus = box.bus,
                       .argv = {(char *) bench_child(), (char *) "orphans", (char *) n, NULL},
                       .n = (unsigned) strtoul(n, NULL, 10)};
        for (unsigned i = 0; i < rounds; i++) {
                by_reeve(o);
                keep(&reeve, i, o);
                (void) bare_in_subreaper(by_hand, o);
                keep(&hand, i, o);
        }
        row_add(run, ROW_INFO, median(reeve.all, rounds), median(hand.all, rounds), "ms", 0,
                "orphans, all reaped");
        row_add(run, ROW_INFO, median(reeve.during, rounds), median(hand.during, rounds), "ms", 0,
                "orphans, exec among them");
        row_add(run, ROW_RATIO_MAX, median(reeve.after, rounds), median(reeve.usual, rounds), "ms", 2,
                "orphans, next exec beside usual");
        row_add(run, ROW_INFO, median(hand.after, rounds), median(hand.usual, rounds), "ms", 0,
                "  the same of posix_spawn");
        box_stop(&box);
}
