/*
 * Who is left when all jobs are gone: what came by `docker exec`, and where there are no cgroups also what
 * has left its job by setsid(2). PID 1 has one system call for them. Another has to find out who descends
 * from it, which only /proc knows; a process that loses its parent meanwhile comes to us, as we are its
 * subreaper, and so is found with the next look.
 */

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "sys/boot.h"
#include "sys/pid-list.h"

typedef struct Family {
        pid_t *pids, *parents; /* of all that live */
        size_t n, allocated;
} Family;

static int family_add(Family *f, pid_t pid, pid_t parent)
{
        if (f->n == f->allocated) {
                size_t wanted = f->allocated > 0 ? f->allocated * 2 : 256;
                pid_t *pids = alloc_resize(f->pids, wanted, sizeof(pid_t)), *parents;

                if (!pids)
                        return -ENOMEM;
                f->pids = pids;
                parents = alloc_resize(f->parents, wanted, sizeof(pid_t));
                if (!parents)
                        return -ENOMEM;
                f->parents = parents;
                f->allocated = wanted;
        }
        f->pids[f->n] = pid;
        f->parents[f->n++] = parent;
        return 0;
}

static int family_read(Family *f)
{
        struct dirent *de;
        DIR *proc;
        int r = 0;

        proc = opendir("/proc");
        if (!proc)
                return -errno;
        while (r >= 0 && (de = readdir(proc))) {
                _cleanup_free_ char *text = NULL;
                char file[300], state;
                const char *rest;
                int parent;

                if (de->d_name[0] < '1' || de->d_name[0] > '9')
                        continue;
                snprintf(file, sizeof(file), "%s/stat", de->d_name);
                /* proc_pid_stat(5): PID (NAME) STATE PPID ... */
                if (read_small_file(dirfd(proc), file, 4096, &text) >= 0 && (rest = strrchr(text, ')')) &&
                    sscanf(rest + 1, " %c %d", &state, &parent) == 2 && state != 'Z' && state != 'X')
                        r = family_add(f, (pid_t) atoi(de->d_name), parent);
        }
        (void) closedir(proc);
        return r;
}

/* Those of them who descend from us: parents first, until a round finds nobody new. */
static int family_descendants(const Family *f, PidList *l)
{
        size_t before;
        int r = pid_list_add(l, getpid());

        do {
                before = l->n;
                for (size_t i = 0; r >= 0 && i < f->n; i++) {
                        bool known = false, child = false;

                        for (size_t j = 0; j < l->n; j++) {
                                known |= l->pids[j] == f->pids[i];
                                child |= l->pids[j] == f->parents[i];
                        }
                        if (child && !known)
                                r = pid_list_add(l, f->pids[i]);
                }
        } while (r >= 0 && l->n > before);
        return r;
}

bool boot_signal_rest(bool is_pid1, int sig)
{
        _cleanup_pid_list_ PidList l = {0};
        Family f = {0};
        int r;

        if (is_pid1)
                return getpid() == 1 && kill(-1, sig) >= 0;
        r = family_read(&f);
        if (r >= 0)
                r = family_descendants(&f, &l);
        free(f.pids);
        free(f.parents);
        for (size_t i = 1; i < l.n; i++) /* without ourselves */
                if (sig > 0)
                        (void) kill(l.pids[i], sig);
        return l.n > 1;
}
