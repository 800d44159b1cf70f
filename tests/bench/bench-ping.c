/*
 * Whether reeve still answers when its jobs write as fast as they can: Ping of a reeve with ten of them,
 * beside a bare poll(2) loop that reads the same ten into nothing and answers a byte with a byte. How long
 * either takes is for the most part the kernel's choice of who runs next, which is why the bare one is
 * there.
 */

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#include "basic/fd.h"

#define FLOODS 10
#define ROUNDS 5
#define PINGS (ROUNDS_MAX / ROUNDS)

typedef struct Pings {
        double us[ROUNDS_MAX];
        unsigned n;
} Pings;

static void pings_of_reeve(sd_bus *bus, unsigned n, Pings *ret)
{
        for (; n > 0; n--) {
                double start = clock_now();

                call_ping(bus);
                ret->us[ret->n++] = (clock_now() - start) * 1e6;
                (void) poll(NULL, 0, 1);
        }
}

static _noreturn_ void bare_server(int socket, char *const *argv)
{
        static char buf[65536];
        struct pollfd p[FLOODS + 1];

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        for (unsigned i = 0; i < FLOODS; i++) {
                p[i].events = POLLIN;
                (void) bare_spawn(argv, &p[i].fd, NULL);
        }
        p[FLOODS] = (struct pollfd){.fd = socket, .events = POLLIN};
        while (poll(p, FLOODS + 1, -1) >= 0)
                for (unsigned i = 0; i <= FLOODS; i++) {
                        if (!p[i].revents)
                                continue;
                        if (read(p[i].fd, buf, i < FLOODS ? sizeof(buf) : 1) <= 0 ||
                            (i == FLOODS && write(socket, buf, 1) != 1))
                                _exit(1);
                }
        _exit(1);
}

static void pings_of_loop(char *const *argv, unsigned n, Pings *ret)
{
        int fds[2];
        char c = 0;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                bench_fail("socketpair: %m");
        pid = fork();
        if (pid < 0)
                bench_fail("fork: %m");
        if (pid == 0)
                bare_server(fds[1], argv);
        fd_close(fds[1]);
        for (; n > 0; n--) {
                double start = clock_now();

                if (write(fds[0], &c, 1) != 1 || read(fds[0], &c, 1) != 1)
                        bench_fail("the bare loop ended");
                ret->us[ret->n++] = (clock_now() - start) * 1e6;
                (void) poll(NULL, 0, 1);
        }
        /* Its children end of SIGPIPE. */
        (void) kill(pid, SIGKILL);
        bare_wait(pid);
        fd_close(fds[0]);
}

static void measure(const Run *run, const char *block, const char *name, const Box *box)
{
        char *const flood[] = {(char *) bench_child(), (char *) "flood", (char *) block, (char *) "100",
                               NULL};
        static Pings reeve, loop;
        unsigned rounds = run->quick ? 1 : ROUNDS, n = run->quick ? 50 : PINGS;
        StartedJob job;
        char row[64];

        reeve.n = loop.n = 0;
        for (unsigned i = 0; i < rounds; i++) {
                for (unsigned j = 0; j < FLOODS; j++)
                        call_start(box->bus, flood, &job);
                pings_of_reeve(box->bus, n, &reeve);
                call_stop_all(box->bus);
                pings_of_loop(flood, n, &loop);
        }
        snprintf(row, sizeof(row), "ping, flood of %s, p50", name);
        row_add(run, ROW_INFO, median(reeve.us, reeve.n), median(loop.us, loop.n), "us", 0, row);
        snprintf(row, sizeof(row), "ping, flood of %s, p99", name);
        row_add(run, ROW_VALUE_MAX, quantile(reeve.us, reeve.n, 0.99), quantile(loop.us, loop.n, 0.99), "us",
                5000, row);
}

void bench_ping(const Run *run)
{
        static Pings idle;
        Box box;

        box_start(run, "box", &box);
        pings_of_reeve(box.bus, run->quick ? 50 : PINGS, &idle);
        row_add(run, ROW_INFO, median(idle.us, idle.n), -1, "us", 0, "ping, no flood, p50");
        row_add(run, ROW_INFO, quantile(idle.us, idle.n, 0.99), -1, "us", 0, "ping, no flood, p99");
        measure(run, "4096", "4 KiB blocks", &box);
        measure(run, "100", "100-byte lines", &box);
        box_stop(&box);
}
