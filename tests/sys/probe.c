/*
 * The program that the tests of src/sys start: it tells what it was given, or does what scopes have to cope
 * with.
 *
 *   probe argv ...     its arguments as they are, a NUL after each
 *   probe state        signals, descriptors, umask, limits and the like, "key value" a line
 *   probe exit N       ends with status N
 *   probe signal N     ends by signal N, its disposition being the default
 *   probe sleep        waits for a signal, for ever
 *   probe tree N FD    N children that leave session and parent, each forking once more; FD is closed when
 *                      all are there
 *   probe fork         a process that forks its successor and ends, again and again
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* By raw system calls: glibc hides two signals. */
static void tell_signals(void)
{
        unsigned long long mask = 0, handled = 0;

        (void) syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
        for (int sig = 1; sig <= 64; sig++) {
                unsigned long old[8] = {0};

                if (syscall(SYS_rt_sigaction, sig, NULL, old, 8) == 0 && old[0] != 0)
                        handled |= 1ULL << (sig - 1);
        }
        printf("mask %llx\nnot-default %llx\n", mask, handled);
}

static void tell_fds(void)
{
        DIR *dir = opendir("/proc/self/fd");
        struct dirent *de;

        printf("fds");
        while (dir && (de = readdir(dir)))
                if (de->d_name[0] != '.' && atoi(de->d_name) != dirfd(dir))
                        printf(" %s", de->d_name);
        printf("\n");
        if (dir)
                closedir(dir);
}

static void tell_limits(void)
{
        struct rlimit rl;

        getrlimit(RLIMIT_NOFILE, &rl);
        printf("nofile %llu %llu\n", (unsigned long long) rl.rlim_cur, (unsigned long long) rl.rlim_max);
        getrlimit(RLIMIT_CORE, &rl);
        printf("core %llu %llu\n", (unsigned long long) rl.rlim_cur, (unsigned long long) rl.rlim_max);
}

static void tell_identity(void)
{
        gid_t groups[64];
        int n = getgroups(64, groups);
        mode_t mask = umask(0);
        uid_t r, e, s;

        getresuid(&r, &e, &s);
        printf("uid %u %u %u\n", r, e, s);
        getresgid(&r, &e, &s);
        printf("gid %u %u %u\ngroups", r, e, s);
        for (int i = 0; i < n; i++)
                printf(" %u", groups[i]);
        printf("\numask %o\nnice %d\n", mask, getpriority(PRIO_PROCESS, 0));
        printf("no-new-privileges %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
        printf("session %d\ngroup-leader %d\n", getsid(0) == getpid(), getpgid(0) == getpid());
}

static void tell_file(const char *file, const char *prefix)
{
        char line[512];
        FILE *f = fopen(file, "re");

        while (f && fgets(line, sizeof(line), f))
                if (strncmp(line, prefix, strlen(prefix)) == 0)
                        printf("%s", line);
        if (f)
                fclose(f);
}

static int tell_state(void)
{
        char cwd[4096];

        tell_signals();
        tell_fds();
        tell_limits();
        tell_identity();
        tell_file("/proc/self/status", "Cap");
        tell_file("/proc/self/cgroup", "0::");
        printf("oom-score-adjust ");
        tell_file("/proc/self/oom_score_adj", "");
        printf("cwd %s\n", getcwd(cwd, sizeof(cwd)) ? cwd : "?");
        printf("environment");
        for (char **e = environ; *e; e++)
                printf(" %s", *e);
        printf("\n");
        return 0;
}

static _Noreturn void wait_for_ever(void)
{
        for (;;)
                pause();
}

static int make_tree(int n, int fd)
{
        for (int i = 0; i < n; i++) {
                pid_t pid = fork();

                if (pid < 0)
                        return 1;
                if (pid > 0)
                        continue;
                setsid();
                if (fork() > 0)
                        _exit(0);
                close(fd);
                wait_for_ever();
        }
        close(fd);
        wait_for_ever();
}

static _Noreturn void fork_for_ever(void)
{
        for (;;)
                if (fork() > 0)
                        _exit(0);
}

int main(int argc, char **argv)
{
        const char *verb = argc > 1 ? argv[1] : "";

        if (strcmp(verb, "argv") == 0) {
                for (int i = 0; i < argc; i++)
                        fwrite(argv[i], 1, strlen(argv[i]) + 1, stdout);
                return 0;
        }
        if (strcmp(verb, "state") == 0)
                return tell_state();
        if (strcmp(verb, "exit") == 0 && argc > 2)
                return atoi(argv[2]);
        if (strcmp(verb, "signal") == 0 && argc > 2) {
                kill(getpid(), atoi(argv[2]));
                return 0;
        }
        if (strcmp(verb, "sleep") == 0)
                wait_for_ever();
        if (strcmp(verb, "tree") == 0 && argc > 3)
                return make_tree(atoi(argv[2]), atoi(argv[3]));
        if (strcmp(verb, "fork") == 0)
                fork_for_ever();
        fprintf(stderr, "probe: what is \"%s\"?\n", verb);
        return 2;
}
