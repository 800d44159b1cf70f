/*
 * A scope without cgroups: the process group, and session, of a job's leader. The kernel signals a group at
 * once, with no gap for a fork; who is in it only /proc tells. Between the clone and the child's setsid()
 * there is no such group yet, and a job can be stopped in just that moment: then the leader is all there is.
 * Its number is its own as long as it is our unreaped child, which waitid(2) tells.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "sys/scope-internal.h"

typedef struct ProcessStat {
        pid_t pid;
        char state;
        pid_t group, session;
        long threads;
} ProcessStat;

/* proc_pid_stat(5): PID (NAME) STATE PPID PGRP SESSION TTY ... with the 20th field the number of threads.
 * The name may hold anything, also parentheses. False: gone. */
static bool process_stat(int proc_fd, const char *pid, ProcessStat *ret)
{
        _cleanup_free_ char *text = NULL;
        char file[32];
        const char *rest;
        int group, session, number;

        if (snprintf(file, sizeof(file), "%s/stat", pid) >= (int) sizeof(file) ||
            read_small_file(proc_fd, file, 4096, &text) < 0)
                return false;
        rest = strrchr(text, ')');
        if (!rest || sscanf(text, "%d", &number) != 1 ||
            sscanf(rest + 1, " %c %*d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld",
                   &ret->state, &group, &session, &ret->threads) != 4)
                return false;
        ret->pid = number;
        ret->group = group;
        ret->session = session;
        return true;
}

/* A leader that has ended is a zombie, too, while threads of it go on. */
static bool process_lives(const ProcessStat *ps)
{
        return ps->state != 'X' && (ps->state != 'Z' || ps->threads > 1);
}

static bool process_is_member(const ProcessStat *ps, pid_t leader, bool leader_is_ours, GroupMembers which)
{
        if (ps->group == leader || (leader_is_ours && ps->pid == leader))
                return which & GROUP_SAME_GROUP;
        return ps->session == leader && (which & GROUP_SAME_SESSION);
}

/* Whether the leader is still our child, not reaped: its number means it and nobody else. */
static bool leader_is_our_child(const Scope *s, bool *ret_lives)
{
        siginfo_t si = {0};

        if (waitid(P_PID, (id_t) s->leader, &si, WEXITED | WNOHANG | WNOWAIT) < 0)
                return false;
        *ret_lives = si.si_pid == 0;
        return true;
}

int scope_group_pids(const Scope *s, GroupMembers which, PidList *l)
{
        bool ours, lives;
        struct dirent *de;
        DIR *proc;
        int r = 0;

        if (s->leader <= 0)
                return 0;
        ours = leader_is_our_child(s, &lives);
        proc = opendir("/proc");
        if (!proc)
                return -errno;
        while (r >= 0 && (de = readdir(proc))) {
                ProcessStat ps;

                if (de->d_name[0] >= '1' && de->d_name[0] <= '9' &&
                    process_stat(dirfd(proc), de->d_name, &ps) && process_lives(&ps) &&
                    process_is_member(&ps, s->leader, ours, which))
                        r = pid_list_add(l, ps.pid);
        }
        (void) closedir(proc);
        return r < 0 ? r : 0;
}

int scope_group_is_populated(const Scope *s)
{
        _cleanup_pid_list_ PidList l = {0};
        bool lives;
        int r;

        if (s->leader <= 0)
                return 0;
        if (leader_is_our_child(s, &lives) && lives)
                return 1;

        /* A zombie counts for kill(2), so /proc has to say. */
        r = scope_group_pids(s, GROUP_ANY, &l);
        return r < 0 ? r : l.n > 0;
}

int scope_group_signal(const Scope *s, int sig)
{
        bool lives;

        if (s->leader <= 0)
                return 0;
        if (kill(-s->leader, sig) >= 0)
                return 0;
        if (errno != ESRCH)
                return -errno;
        if (leader_is_our_child(s, &lives) && lives && kill(s->leader, sig) < 0 && errno != ESRCH)
                return -errno;
        return 0;
}
