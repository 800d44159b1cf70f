/*
 * Ending a scope of 1 000 processes: reeve's Stop with no time to stop, until it answers that the scope is
 * empty, beside a program that writes cgroup.kill, waits until cgroup.events says "populated 0", and reaps
 * them all.
 */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#include "basic/fd.h"

#define N "1000"

typedef struct Kill {
        const Run *run;
        sd_bus *bus;
        unsigned number;
} Kill;

static double by_reeve(void *userdata)
{
        char *const argv[] = {(char *) bench_child(), (char *) "tree", (char *) N, NULL};
        Kill *k = userdata;
        StartedJob job;
        double start;
        size_t n;

        call_start(k->bus, argv, &job);
        call_wait_output(k->bus, &job);
        start = clock_now();
        n = call_stop(k->bus, &job);
        start = clock_now() - start;
        if (n != strtoul(N, NULL, 10) + 1)
                bench_fail("Stop saw %zu processes", n);
        return start * 1e3;
}

/* Until cgroup.events says so; the kernel wakes who polls it. */
static void wait_empty(int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLPRI};
        char buf[256];

        for (;;) {
                ssize_t n = pread(fd, buf, sizeof(buf) - 1, 0);

                if (n < 0)
                        bench_fail("cgroup.events: %m");
                buf[n] = '\0';
                if (strstr(buf, "populated 0"))
                        return;
                if (poll(&p, 1, -1) < 0)
                        bench_fail("poll: %m");
        }
}

static double kill_by_hand(void *userdata)
{
        const Kill *k = userdata;
        char name[32], file[512];
        int out[2], events;
        double start;

        snprintf(name, sizeof(name), "tree-%u", k->number);
        if (pipe2(out, O_CLOEXEC) < 0)
                bench_fail("pipe2: %m");
        if (cgroup_fork(k->run, name, 0) == 0) {
                dup2(out[1], STDOUT_FILENO);
                execl(bench_child(), "bench-child", "tree", N, (char *) NULL);
                _exit(127);
        }
        close(out[1]);
        bare_wait_ready(out[0]);
        snprintf(file, sizeof(file), "%s/%s/cgroup.events", k->run->cgroup, name);
        events = open(file, O_RDONLY | O_CLOEXEC);
        snprintf(file, sizeof(file), "%s/cgroup.kill", name);

        start = clock_now();
        cgroup_write(k->run, file, "1");
        wait_empty(events);
        bare_reap_all();
        start = clock_now() - start;
        fd_close(events);
        return start * 1e3;
}

static double by_hand(void *userdata)
{
        Kill *k = userdata;

        k->number++;
        return bare_in_subreaper(kill_by_hand, k);
}

void bench_kill(const Run *run)
{
        const MeasureFunction functions[] = {by_reeve, by_hand};
        Kill k = {.run = run};
        double t[2];
        Box box;

        box_start(run, "box", &box);
        k.bus = box.bus;
        measure_in_turns(functions, (void *[]){&k, &k}, 2, run->quick ? 1 : 9, t);
        row_add(run, ROW_RATIO_MAX, t[0], t[1], "ms", 1.5, "kill-1000");
        box_stop(&box);
}
