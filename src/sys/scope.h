#pragma once

/*
 * A scope: all processes of one job. In a cgroup of its own (TREE/SESSION.slice/ID.scope) nothing gets away
 * from it. Where no tree can be written it is the leader's process group, which is what such a place allows:
 * what calls setsid is lost sight of.
 */

#include <stdint.h>
#include <sys/types.h>

#include "basic/macro.h"

typedef struct CgroupTree CgroupTree;
typedef struct PidRef PidRef;
#define SCOPE_NAME_MAX ((size_t) 200) /* with what is added it has to be a name of a file */

typedef struct Scope Scope;

#define SCOPE_UNKNOWN UINT64_MAX

/* Accounting of the whole scope, the dead included; SCOPE_UNKNOWN where the kernel does not say. */
typedef struct ScopeUsage {
        uint64_t cpu_nsec, cpu_user_nsec, cpu_system_nsec; /* cpu.stat */
        uint64_t memory_current, memory_peak;              /* bytes; memory.current, memory.peak (5.19) */
        uint64_t io_read_bytes, io_write_bytes;            /* io.stat, all devices */
        uint64_t tasks_current;                            /* pids.current, else counted in cgroup.threads */
        uint64_t oom_kills;                                /* memory.events */
} ScopeUsage;

#define SCOPE_USAGE_UNKNOWN                                                                                 \
        ((ScopeUsage){SCOPE_UNKNOWN, SCOPE_UNKNOWN, SCOPE_UNKNOWN, SCOPE_UNKNOWN, SCOPE_UNKNOWN,            \
                      SCOPE_UNKNOWN, SCOPE_UNKNOWN, SCOPE_UNKNOWN, SCOPE_UNKNOWN})

/* Makes the folder. slice is a session's (scope_folder() of what scope_new_slice() made), name a single path
 * component ([A-Za-z0-9_.:@\-]{1,200}). An empty folder of that name is made anew; beside one that is not
 * empty yet the scope is called "NAME~2". tree->fd -EBADF: a process group. The tree must outlive the scope.
 */
int scope_new(const CgroupTree *tree, const char *slice, const char *name, Scope **ret);
/* A session's folder, "SESSION.slice", as a scope of all scopes in it: its accounts, its processes, its
 * freezing. No process is ever put into it itself. */
int scope_new_slice(const CgroupTree *tree, const char *session, Scope **ret);
/* Relative to the tree, "default.slice"; "" where there is none. */
const char *scope_folder(const Scope *s);
/* Frees the object; folders that are empty go, others stay. Returns NULL. */
Scope *scope_free(Scope *s);
DEFINE_CLEANUP(Scope *, scope_free)

/* For SpawnParameters: a descriptor of the folder, the caller's to close; -EBADF for a process group. */
int scope_open_fd(const Scope *s);
/* The number by which the kernel knows its cgroup. -EOPNOTSUPP for a process group. */
int scope_id(const Scope *s, uint64_t *ret);
/* After the spawn. A process group has its number from the leader. */
void scope_set_leader(Scope *s, pid_t leader);
/* "/default.slice/j1.scope" as /proc/PID/cgroup names it; "" for a process group. */
const char *scope_path(const Scope *s);
/* Whether that cgroup path is in this scope (it, or below it). */
bool scope_has_path(const Scope *s, const char *cgroup_path);

/* 1: some process lives in it (cgroup.events); 0: empty; negative errno. */
int scope_is_populated(const Scope *s);
/* 1: all of it stands still (cgroup.events); 0: it does not, or it cannot be known; negative errno. */
int scope_is_frozen(const Scope *s);
/* Whether it shall stand still (cgroup.freeze); the kernel says by a notice (scope_watch_add()) when it
 * does. -EOPNOTSUPP for a process group. */
int scope_freeze(Scope *s, bool frozen);
/* The processes in it (cgroup.procs of it and all below), malloc'ed, unsorted. Of a process group: as far as
 * /proc tells. */
int scope_pids(const Scope *s, pid_t **ret, size_t *ret_n);
/* One signal to every process in it, each by a pidfd that was seen to be in it; again for what was forked
 * meanwhile, a few rounds. *ret (malloc'ed, may be NULL) are those that got it. */
int scope_signal(Scope *s, int sig, pid_t **ret, size_t *ret_n);
/* SIGKILL to all of it at once: cgroup.kill, also where it is frozen; before 5.14 as scope_signal, until
 * nothing new is found. A scope that was killed is used up, also by scope_signal(SIGKILL): Linux 6.18 (not
 * 6.1) ends at birth what is cloned into it later, since it compares the kills of the two cgroups
 * (cgroup_post_fork() in kernel/cgroup/cgroup.c). */
int scope_kill(Scope *s);
/* Removes the folder. -EBUSY: something lives, or the kernel is
 * not done yet. */
int scope_remove(Scope *s);

void scope_usage(const Scope *s, ScopeUsage *ret);

/* Watching for emptiness without polling: one inotify descriptor for all scopes, on their cgroup.events. The
 * notice is a hint (limited to one in 10 ms); scope_is_populated() is the truth. */
int scope_watch_open(void);
/* 0; *ret_watch is the number that scope_watch_read gives. -EOPNOTSUPP for a process group. */
int scope_watch_add(int watch_fd, const Scope *s, int *ret_watch);
void scope_watch_remove(int watch_fd, int watch);
/* The watches that fired, at most max, duplicates possible. Number of them; 0: nothing more. -EOVERFLOW:
 * look at all. */
int scope_watch_read(int watch_fd, int *watches, size_t max);
