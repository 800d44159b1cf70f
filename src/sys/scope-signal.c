/*
 * Signals to all that a scope holds. There is a system call for it only for SIGKILL, so it is done process
 * by process: a pidfd is opened first and the list read again after that, and only who is still listed gets
 * the signal; so a number that came to mean another process in between is never hit. What was forked
 * meanwhile is found in the next round.
 */

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "sys/cgroup-folder.h"
#include "sys/cgroup.h"
#include "sys/pidref.h"
#include "sys/scope-internal.h"

#define SIGNAL_ROUNDS 5
#define KILL_ROUNDS 32
#define BATCH 128 /* pidfds held at a time */

/* Those that are to be signalled one by one, sorted. */
static int scope_singles(const Scope *s, PidList *l)
{
        int r;

        pid_list_done(l);
        if (scope_is_group(s))
                r = scope_group_pids(s, GROUP_SAME_SESSION, l);
        else
                r = cgroup_folder_ids(s->tree->fd, s->folder, "cgroup.procs", true, l);
        if (r < 0)
                return r;
        pid_list_sort(l);
        return 0;
}

/* The signal to those of the batch that are in the scope still; closes the batch. */
static int signal_batch(const Scope *s, PidRef *batch, size_t n, int sig, PidList *done, int *ret_error)
{
        _cleanup_pid_list_ PidList now = {0};
        int r;

        r = scope_singles(s, &now);
        for (size_t i = 0; i < n; i++) {
                if (r >= 0 && pid_list_contains(&now, now.n, batch[i].pid)) {
                        int q = pidref_signal(&batch[i], sig);

                        if (q >= 0)
                                r = pid_list_add(done, batch[i].pid);
                        else if (q != -ESRCH)
                                *ret_error = q;
                }
                pidref_done(&batch[i]);
        }
        return r;
}

/* One signal to all in l that did not have it. The number of those that were new, or negative errno. */
static ssize_t signal_round(const Scope *s, const PidList *l, int sig, PidList *done, int *ret_error)
{
        PidRef batch[BATCH];
        size_t n = 0, known = done->n;
        ssize_t found = 0;
        int r = 0;

        pid_list_sort(done);
        for (size_t i = 0; i < l->n && r >= 0; i++) {
                pid_t pid = l->pids[i];

                if (pid == getpid() || (i > 0 && l->pids[i - 1] == pid) ||
                    pid_list_contains(done, known, pid))
                        continue;
                r = pidref_open(pid, &batch[n]);
                if (r == -ESRCH) {
                        r = 0;
                        continue;
                }
                if (r < 0) /* no descriptor is left: the number has to do */
                        batch[n] = (PidRef){.pid = pid, .fd = -EBADF};
                r = 0;
                n++;
                found++;
                if (n == BATCH) {
                        r = signal_batch(s, batch, n, sig, done, ret_error);
                        n = 0;
                }
        }
        if (r >= 0 && n > 0)
                r = signal_batch(s, batch, n, sig, done, ret_error);
        return r < 0 ? r : found;
}

static int signal_rounds(const Scope *s, int sig, unsigned rounds, PidList *done)
{
        _cleanup_pid_list_ PidList l = {0};
        int error = 0, r;

        for (; rounds > 0; rounds--) {
                ssize_t found;

                r = scope_singles(s, &l);
                if (r < 0)
                        return r;
                found = signal_round(s, &l, sig, done, &error);
                if (found < 0)
                        return (int) found;
                if (found == 0)
                        break;
        }
        /* A refusal is worth telling when nobody got it: else the scope has. */
        return done->n == 0 ? error : 0;
}

static int signal_group(const Scope *s, int sig, unsigned rounds, PidList *done)
{
        int r;

        r = scope_group_pids(s, GROUP_SAME_GROUP, done);
        if (r < 0)
                return r;
        r = scope_group_signal(s, sig);
        if (r < 0)
                return r;
        return signal_rounds(s, sig, rounds, done);
}

/* cgroup.kill, Linux 5.14: all at once, what forks at the moment included, what is frozen too. */
static int kill_cgroup(const Scope *s)
{
        _cleanup_free_ char *file = str_printf("%s/cgroup.kill", s->folder);

        return file ? write_small_file(s->tree->fd, file, "1") : -ENOMEM;
}

int scope_signal(Scope *s, int sig, pid_t **ret, size_t *ret_n)
{
        _cleanup_pid_list_ PidList done = {0};
        int r;

        if (scope_is_group(s)) {
                r = signal_group(s, sig, SIGNAL_ROUNDS, &done);
        } else if (sig == SIGKILL && scope_singles(s, &done) >= 0 && kill_cgroup(s) >= 0) {
                r = 0;
        } else {
                pid_list_done(&done);
                r = signal_rounds(s, sig, SIGNAL_ROUNDS, &done);
        }
        if (r < 0)
                return r;

        if (ret)
                *ret = TAKE_PTR(done.pids);
        if (ret_n)
                *ret_n = done.n;
        return 0;
}

int scope_kill(Scope *s)
{
        _cleanup_pid_list_ PidList done = {0};
        int r;

        if (scope_is_group(s))
                return signal_group(s, SIGKILL, KILL_ROUNDS, &done);

        r = kill_cgroup(s);
        if (r >= 0)
                return 0;
        if (scope_is_populated(s) == 0) /* the folder is gone */
                return 0;
        return signal_rounds(s, SIGKILL, KILL_ROUNDS, &done);
}
