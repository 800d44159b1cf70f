/*
 * reeve with nothing but its main job, beside tini and dumb-init: each as PID 1 of fresh namespaces in a
 * cgroup of its own. What it has resident and open, how often it wakes up with nothing to do, and how long a
 * command takes that does nothing, from the clone of PID 1 to its end.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define ROUNDS 200
#define ROUNDS_QUICK 5
#define ARGUMENTS_MAX 8

typedef struct Contestant {
        const char *name;
        char *argv[ARGUMENTS_MAX]; /* the command is added */
        const Run *run;
        unsigned n;
} Contestant;

static _noreturn_ void init_exec(const Contestant *c, char *const *command)
{
        char *argv[ARGUMENTS_MAX * 2] = {0};
        char *const environment[] = {(char *) "PATH=/usr/bin:/bin", NULL};
        size_t n = 0;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        for (; c->argv[n]; n++)
                argv[n] = c->argv[n];
        for (; *command; command++)
                argv[n++] = *command;
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || unshare(CLONE_NEWCGROUP) < 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("proc", "/proc", "proc", 0, NULL) < 0 ||
            mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0 || chdir("/") < 0 ||
            dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
            dup2(c->run->log_fd, STDERR_FILENO) < 0)
                _exit(1);
        execve(argv[0], argv, environment);
        _exit(1);
}

static pid_t init_start(Contestant *c, char *const *command)
{
        char folder[64];
        pid_t pid;

        snprintf(folder, sizeof(folder), "%s-%u", c->name, c->n++);
        pid = cgroup_fork(c->run, folder, CLONE_NEWPID | CLONE_NEWNS);
        if (pid == 0)
                init_exec(c, command);
        return pid;
}

static void init_wait(const Contestant *c, pid_t pid, int wanted)
{
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        bench_fail("waitpid: %m");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != wanted)
                bench_fail("%s ended with wait status %d", c->name, status);
}

static double time_true(void *userdata)
{
        static char *const command[] = {(char *) "/bin/true", NULL};
        double start = clock_now();

        init_wait(userdata, init_start(userdata, command), 0);
        return clock_now() - start;
}

static unsigned count_fds(pid_t pid)
{
        struct dirent *de;
        unsigned n = 0;
        char path[64];
        DIR *dir;

        snprintf(path, sizeof(path), "/proc/%d/fd", (int) pid);
        dir = opendir(path);
        if (!dir)
                bench_fail("%s: %m", path);
        while ((de = readdir(dir)))
                n += de->d_name[0] != '.';
        closedir(dir);
        return n;
}

static uint64_t count_switches(pid_t pid)
{
        return proc_status(pid, "voluntary_ctxt_switches") + proc_status(pid, "nonvoluntary_ctxt_switches");
}

typedef struct Rest {
        double resident, anonymous, fds, wakeups;
} Rest;

static Rest at_rest(Contestant *c)
{
        static char *const command[] = {(char *) "/bin/sleep", (char *) "1000", NULL};
        pid_t pid = init_start(c, command);
        uint64_t switches;
        Rest rest;

        (void) poll(NULL, 0, 300);
        switches = count_switches(pid);
        (void) poll(NULL, 0, c->run->quick ? 200 : 2000);
        rest = (Rest){
                        .resident = (double) proc_status(pid, "VmRSS") / 1024,
                        .anonymous = (double) proc_status(pid, "RssAnon") / 1024,
                        .fds = count_fds(pid),
                        .wakeups = (double) (count_switches(pid) - switches),
        };
        if (kill(pid, SIGTERM) < 0)
                bench_fail("%s ended during the benchmark", c->name);
        init_wait(c, pid, 128 + SIGTERM);
        return rest;
}

static void compare(const Run *run, Contestant *reeve, Contestant *other)
{
        const MeasureFunction functions[] = {time_true, time_true};
        void *const userdata[] = {reeve, other};
        char name[48];
        double times[2];
        Rest a, b;

        if (access(other->argv[0], X_OK) < 0) {
                snprintf(name, sizeof(name), "beside %s", other->name);
                row_skip(run, name, "it is not installed");
                return;
        }
        a = at_rest(reeve);
        b = at_rest(other);
        measure_in_turns(functions, userdata, 2, run->quick ? ROUNDS_QUICK : ROUNDS, times);
        snprintf(name, sizeof(name), "beside %s, resident", other->name);
        row_add(run, ROW_INFO, a.resident, b.resident, "MiB", 0, name);
        row_add(run, ROW_INFO, a.anonymous, b.anonymous, "MiB", 0, "  anonymous");
        row_add(run, ROW_INFO, a.fds, b.fds, "", 0, "  descriptors");
        row_add(run, ROW_INFO, a.wakeups, b.wakeups, "", 0, "  wakeups in 2 s");
        row_add(run, ROW_INFO, times[0] * 1e3, times[1] * 1e3, "ms", 0, "  a command that does nothing");
}

void bench_init(const Run *run)
{
        Contestant reeve = {"reeve",
                            {(char *) bench_reeve(), (char *) "--no-bus", (char *) "--no-units",
                             (char *) "--"},
                            run,
                            0},
                   tini = {"tini", {(char *) "/usr/bin/tini", (char *) "--"}, run, 0},
                   dumb = {"dumb-init", {(char *) "/usr/bin/dumb-init"}, run, 0};

        compare(run, &reeve, &tini);
        compare(run, &reeve, &dumb);
}
