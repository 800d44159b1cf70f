#pragma once

/*
 * What the benchmarks share. A benchmark is a function that runs in a process, a cgroup and a mount
 * namespace of its own, measures reeve and something to compare it with in turns (A B A B ...), and hands in
 * rows of the one table. It never asserts a time. What makes measuring impossible ends the process by
 * bench_fail(), and only that is a failure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "basic/macro.h"

/* ---- main.c ---- */

/* One benchmark's surroundings, made and removed by main(). */
typedef struct Run {
        char cgroup[256]; /* a folder of the cgroup2 mount, for this run alone; the driver is in driver/
                             below it */
        char folder[64];  /* scratch: a tmpfs */
        int log_fd;       /* where reeve's stderr goes; shown when the benchmark fails */
        int rows_fd;      /* a pipe that takes rows */
        bool quick;       /* few rounds, little data: to see whether it works at all */
} Run;

typedef struct Bench {
        const char *name, *what;
        void (*run)(const Run *run);
} Bench;

void bench_exec(const Run *run);
void bench_output_4k(const Run *run);
void bench_output_lines(const Run *run);
void bench_kill(const Run *run);
void bench_idle_jobs(const Run *run);
void bench_idle(const Run *run);
void bench_ping(const Run *run);
void bench_orphans(const Run *run);
void bench_init(const Run *run);

_noreturn_ void bench_fail(const char *format, ...) _printf_(1, 2);
/* The program of child.c, and reeve. */
const char *bench_child(void);
const char *bench_reeve(void);

/* ---- table.c ---- */

typedef enum RowKind {
        ROW_RATIO_MAX, /* reeve / baseline is to be at most the goal */
        ROW_RATIO_MIN, /* at least */
        ROW_VALUE_MAX, /* reeve's value itself is to be at most the goal */
        ROW_INFO,      /* no goal */
        ROW_SKIPPED,
} RowKind;

typedef struct Row {
        char name[48], unit[12], note[64];
        RowKind kind;
        double reeve, baseline; /* baseline < 0: there is none */
        double goal;
} Row;

/* The one way to make a row; name as printf(3). */
void row_add(const Run *run, RowKind kind, double reeve, double baseline, const char *unit, double goal,
             const char *name);
void row_skip(const Run *run, const char *name, const char *why);
void table_print(const Row *rows, size_t n);

/* ---- measure.c ---- */

#define ROUNDS_MAX 2000

/* CLOCK_MONOTONIC in seconds. */
double clock_now(void);
/* Sorts; the value below which that part (0..1) of them are. */
double quantile(double *values, size_t n, double part);
static inline double median(double *values, size_t n)
{
        return quantile(values, n, 0.5);
}

/* One way to do something: does it once and returns what it took, in whatever unit. */
typedef double (*MeasureFunction)(void *userdata);
/* Each once unmeasured, then each in turn, n times; the medians. */
void measure_in_turns(const MeasureFunction *functions, void *const *userdata, size_t n_functions,
                      unsigned rounds, double *ret_medians);

/* ---- procfs.c ---- */

/* A field of /proc/PID/status, in its own unit (kB for memory); fails the benchmark when it is not there. */
uint64_t proc_status(pid_t pid, const char *field);
/* Processor time of a process, in seconds; of its dead threads and children nothing. */
double proc_cpu(pid_t pid);

/* ---- box.c ---- */

/* A reeve that is PID 1 of fresh namespaces, in a cgroup of its own that is the root of its tree. */
typedef struct Box {
        pid_t pid;
        char address[128];
        sd_bus *bus; /* a client as usual: with Hello, without any match */
} Box;

void box_start(const Run *run, const char *name, Box *ret);
/* One more connection; hello false: a direct one, as reevectl's, which gets every signal. */
sd_bus *box_connect(const Box *box, bool hello);
/* An orderly stop. */
void box_stop(Box *box);
/* A process by clone3 in a cgroup made for it, RUN/NAME: 0 in the child. */
pid_t cgroup_fork(const Run *run, const char *name, uint64_t clone_flags);
void cgroup_write(const Run *run, const char *path, const char *text);

/* ---- call.c: calls of reeve; each fails the benchmark when it fails ---- */

/* Runs it; its exit code must be 0. */
void call_exec(sd_bus *bus, char *const *argv);
typedef struct StartedJob {
        char id[80], path[160];
} StartedJob;
void call_start(sd_bus *bus, char *const *argv, StartedJob *ret);
/* until: "Exited", "Drained", "Finished". */
void call_wait(sd_bus *bus, const StartedJob *job, const char *until);
/* Until it has written something. */
void call_wait_output(sd_bus *bus, const StartedJob *job);
/* SIGKILL, until the scope is empty; how many processes it had. */
size_t call_stop(sd_bus *bus, const StartedJob *job);
void call_stop_all(sd_bus *bus);
void call_kill_leader(sd_bus *bus, const StartedJob *job, int sig);
void call_ping(sd_bus *bus);
uint64_t call_orphans_reaped(sd_bus *bus);

/* ---- bare.c: what reeve is compared with ---- */

/* posix_spawn(3) with a pipe for stdout, and one for stderr unless ret_stderr is NULL; /dev/null for stdin.
 */
pid_t bare_spawn(char *const *argv, int *ret_stdout, int *ret_stderr);
/* That, both read to the end, waitpid(2). */
void bare_exec(char *const *argv);
/* That with one pipe, and read(2) of 64 KiB into nothing. */
void bare_drain(char *const *argv);
/* The program piped into that one; until both have ended. */
void bare_pipe(char *const *argv, char *const *into);
void bare_wait(pid_t pid);
/* Reads until a line "ready" is complete. */
void bare_wait_ready(int fd);
/* Waits for children until there are none. */
void bare_reap_all(void);
/* Runs f in a forked child that adopts orphans; what it returned. */
double bare_in_subreaper(double (*f)(void *userdata), void *userdata);
