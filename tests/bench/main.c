/*
 * The benchmarks' main program. Each benchmark runs in a forked process in a cgroup made for it, with a
 * scratch folder of its own; main() itself stays outside, takes the rows, and removes everything afterwards,
 * however that process and what it started came to an end. The table is printed last, whole.
 *
 * Exit status: 0, also when goals are missed; 1 when a benchmark could not be run; 77 when none can be.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#include "basic/fd.h"

#define PREFIX "reeve-bench-"
#define ROWS_MAX 64
#define EXIT_SKIP 77
#define REMOVE_LIMIT 30.0 /* seconds */

static const Bench benches[] = {
                {"exec", "Exec of /bin/true", bench_exec},
                {"output-4k", "taking output written in blocks of 4 KiB", bench_output_4k},
                {"output-lines", "taking output written in lines of 100 bytes", bench_output_lines},
                {"kill-1000", "Stop of a scope of 1 000 processes", bench_kill},
                {"idle-jobs", "memory and cost of one Exec with 1 000 idle jobs", bench_idle_jobs},
                {"idle", "memory and wakeups of an idle reeve", bench_idle},
                {"ping", "Ping while ten jobs flood", bench_ping},
                {"init", "--no-bus --no-units beside tini and dumb-init", bench_init},
                {"orphans", "10 000 orphans that end at once", bench_orphans},
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
        interrupted = 1;
}

const char *bench_child(void)
{
        const char *path = getenv("REEVE_BENCH_CHILD");

        return path ? path : BENCH_CHILD;
}

const char *bench_reeve(void)
{
        const char *path = getenv("REEVE_BINARY");

        return path ? path : BENCH_REEVE;
}

void bench_fail(const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        fputs("bench: ", stderr);
        vfprintf(stderr, format, ap);
        fputc('\n', stderr);
        va_end(ap);
        _exit(EXIT_FAILURE);
}

/* The cgroup2 folder that we are in, from mountinfo and /proc/self/cgroup: 0, or -ENOENT. */
static int own_cgroup(char *buf, size_t size)
{
        char line[4096], mount_point[128] = "", own[128] = "";
        FILE *f;

        f = fopen("/proc/self/mountinfo", "re");
        while (f && fgets(line, sizeof(line), f))
                if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %127s", mount_point) == 1)
                        break;
        if (f)
                fclose(f);
        f = fopen("/proc/self/cgroup", "re");
        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, "0::%127s", own) == 1)
                        break;
        if (f)
                fclose(f);
        if (!mount_point[0] || !own[0])
                return -ENOENT;
        snprintf(buf, size, "%s%s", mount_point, streq(own, "/") ? "" : own);
        return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        if (type == FTW_DP)
                (void) rmdir(path);
        return 0;
}

/* The cgroup files cannot be removed and go with their folders. */
static void cgroup_remove(const char *cgroup)
{
        double limit = clock_now() + REMOVE_LIMIT;
        char file[320];

        snprintf(file, sizeof(file), "%s/cgroup.kill", cgroup);
        (void) write_small_file(AT_FDCWD, file, "1");
        for (;;) {
                (void) nftw(cgroup, remove_one, 16, FTW_DEPTH | FTW_PHYS);
                if (access(cgroup, F_OK) < 0)
                        return;
                if (clock_now() > limit)
                        break;
                (void) poll(NULL, 0, 5);
        }
        fprintf(stderr, "bench: %s is still there\n", cgroup);
}

/* What a main() that was killed by SIGKILL has left in that folder, by the number in the name. */
static void remove_stale(const char *folder, void (*remove_it)(const char *path))
{
        struct dirent *de;
        DIR *dir;

        dir = opendir(folder);
        if (!dir)
                return;
        while ((de = readdir(dir))) {
                char path[512];
                int pid;

                if (sscanf(de->d_name, PREFIX "%d-", &pid) != 1 || kill(pid, 0) >= 0 || errno != ESRCH)
                        continue;
                snprintf(path, sizeof(path), "%s/%s", folder, de->d_name);
                remove_it(path);
        }
        (void) closedir(dir);
}

static void folder_remove(const char *path)
{
        (void) rmdir(path);
}

static bool run_make(Run *run, unsigned number)
{
        char base[192], file[320];

        if (own_cgroup(base, sizeof(base)) < 0)
                return false;
        remove_stale(base, cgroup_remove);
        remove_stale("/tmp", folder_remove);
        snprintf(run->cgroup, sizeof(run->cgroup), "%s/" PREFIX "%d-%u", base, (int) getpid(), number);
        if (mkdir(run->cgroup, 0755) < 0)
                return false;
        snprintf(file, sizeof(file), "%s/driver", run->cgroup);
        if (mkdir(file, 0755) < 0)
                return false;
        snprintf(run->folder, sizeof(run->folder), "/tmp/" PREFIX "%d-XXXXXX", (int) getpid());
        if (!mkdtemp(run->folder))
                return false;
        run->log_fd = memfd_create("reeve-bench-log", MFD_CLOEXEC);
        return run->log_fd >= 0;
}

static void run_remove(Run *run)
{
        cgroup_remove(run->cgroup);
        folder_remove(run->folder); /* what was in it was a mount of the driver's namespace */
        run->log_fd = fd_close(run->log_fd);
}

static void log_show(int fd)
{
        char buf[4096];
        ssize_t n;

        for (off_t at = 0; (n = pread(fd, buf, sizeof(buf), at)) > 0; at += n)
                if (fwrite(buf, 1, (size_t) n, stderr) != (size_t) n)
                        break;
}

static _noreturn_ void driver(const Bench *bench, const Run *run)
{
        struct rlimit nofile;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                bench_fail("PR_SET_PDEATHSIG: %m");
        if (getrlimit(RLIMIT_NOFILE, &nofile) == 0) {
                nofile.rlim_cur = nofile.rlim_max;
                (void) setrlimit(RLIMIT_NOFILE, &nofile);
        }
        cgroup_write(run, "driver/cgroup.procs", "0");
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", run->folder, "tmpfs", 0, NULL) < 0)
                bench_fail("cannot make a scratch folder: %m");
        bench->run(run);
        exit(EXIT_SUCCESS);
}

/* The rows that the driver sends until it ends, and whether it ended well. */
static bool rows_take(int fd, pid_t pid, Row *rows, size_t *n)
{
        int status = -1;
        Row row;

        while (!interrupted) {
                ssize_t k = read(fd, &row, sizeof(row));

                if (k < 0 && errno == EINTR)
                        continue;
                if (k != (ssize_t) sizeof(row))
                        break;
                if (*n < ROWS_MAX)
                        rows[(*n)++] = row;
        }
        if (interrupted)
                (void) kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return !interrupted && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool bench_run(const Bench *bench, bool quick, unsigned number, Row *rows, size_t *n)
{
        Run run = {.quick = quick, .log_fd = -EBADF, .rows_fd = -EBADF};
        int fds[2];
        bool good;
        pid_t pid;

        fprintf(stderr, "%s: %s ...\n", bench->name, bench->what);
        if (!run_make(&run, number) || pipe2(fds, O_CLOEXEC) < 0) {
                fprintf(stderr, "bench: cannot make a place to run in: %m\n");
                run_remove(&run);
                return false;
        }
        run.rows_fd = fds[1];
        pid = fork();
        if (pid == 0) {
                close(fds[0]);
                driver(bench, &run);
        }
        close(fds[1]);
        good = pid > 0 && rows_take(fds[0], pid, rows, n);
        close(fds[0]);
        if (!good) {
                fprintf(stderr, "bench: %s could not be run\n", bench->name);
                log_show(run.log_fd);
        }
        run_remove(&run);
        return good;
}

static bool is_chosen(const Bench *bench, char *const *names)
{
        if (!*names)
                return true;
        for (; *names; names++)
                if (streq(*names, bench->name))
                        return true;
        return false;
}

static bool is_known(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(benches); i++)
                if (streq(benches[i].name, name))
                        return true;
        return false;
}

static void show_help(void)
{
        printf("bench [-q] [NAME...]\n\n"
               "Measures reeve beside what it is compared with and prints a table of ratios.\n\n"
               "  -q  quick: only to see that the benchmarks work\n\n");
        for (size_t i = 0; i < ELEMENTSOF(benches); i++)
                printf("  %-14s %s\n", benches[i].name, benches[i].what);
        printf("\nREEVE_BINARY and REEVE_BENCH_CHILD name other programs than those of the build.\n");
}

static bool can_run(void)
{
        char base[192];

        if (geteuid() == 0 && own_cgroup(base, sizeof(base)) >= 0 && access(base, W_OK) >= 0)
                return true;
        printf("The benchmarks need root and a cgroup v2 hierarchy that can be written\n");
        return false;
}

/* Ratios survive a busy machine, times do not. */
static void say_load(void)
{
        double load = 0;

        if (getloadavg(&load, 1) == 1)
                fprintf(stderr, "load average %.2f on %ld processors%s\n", load,
                        sysconf(_SC_NPROCESSORS_ONLN),
                        load > 1 ? ": not quiet, take the figures with care" : "");
}

int main(int argc, char **argv)
{
        const struct sigaction sa = {.sa_handler = on_signal};
        static Row rows[ROWS_MAX];
        bool quick = false, good = true;
        size_t n = 0;
        int c;

        while ((c = getopt(argc, argv, "hq")) >= 0) {
                if (c != 'q') {
                        show_help();
                        return c == 'h' ? EXIT_SUCCESS : EXIT_FAILURE;
                }
                quick = true;
        }
        for (char **name = argv + optind; *name; name++)
                if (!is_known(*name))
                        bench_fail("there is no benchmark %s; see bench -h", *name);
        if (!can_run())
                return EXIT_SKIP;
        if (access(bench_reeve(), X_OK) < 0 || access(bench_child(), X_OK) < 0)
                bench_fail("%s and %s: are they built? %m", bench_reeve(), bench_child());
        sigaction(SIGINT, &sa, NULL);
        sigaction(SIGTERM, &sa, NULL);
        sigaction(SIGHUP, &sa, NULL);
        say_load();

        for (unsigned i = 0; i < ELEMENTSOF(benches) && !interrupted; i++)
                if (is_chosen(&benches[i], argv + optind))
                        good &= bench_run(&benches[i], quick, i, rows, &n);
        table_print(rows, n);
        return good && !interrupted ? EXIT_SUCCESS : EXIT_FAILURE;
}
