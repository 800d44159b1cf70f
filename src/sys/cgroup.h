#pragma once

/*
 * cgroup v2, Documentation/admin-guide/cgroup-v2.rst of the kernel. Finds the cgroup2 mount and our place in
 * it (also on hybrid hosts, where it is not at /sys/fs/cgroup), makes the top of reeve's own tree there,
 * enables what controllers there are.
 */

#include <stdint.h>
#include <sys/types.h>

#include "basic/macro.h"

#define CGROUP_CONTROLLERS(X)                                                                               \
        X(CPUSET, "cpuset")                                                                                 \
        X(CPU, "cpu")                                                                                       \
        X(IO, "io")                                                                                         \
        X(MEMORY, "memory")                                                                                 \
        X(PIDS, "pids")

/* clang-format off */
typedef enum CgroupController {
#define X(id, name) CGROUP_##id,
        CGROUP_CONTROLLERS(X)
#undef X
        _CGROUP_CONTROLLER_MAX,
} CgroupController;
/* clang-format on */

const char *cgroup_controller_to_string(CgroupController c);

typedef struct CgroupTree {
        int fd;     /* of the folder below which jobs are put, O_RDONLY|O_DIRECTORY; -EBADF: no tree can be
                       written */
        char *path; /* that folder, as /proc/PID/cgroup names it, "/" or "/a/b"; NULL when fd is -EBADF */
        unsigned controllers; /* bits of CgroupController, enabled for jobs */
        char *refusal;        /* why there is no tree, for people: what was tried and what the kernel said */
        bool temporary;       /* the folder was made by us (not as PID 1), and goes with us */
} CgroupTree;

/* Finds the tree and prepares it: as PID 1 below the cgroup we are in, whose processes (those of our own PID
 * namespace) are moved to init.scope; else below a cgroup made for us alone ("reeve-PID"). 0 also where none
 * can be had: fd is -EBADF then, and refusal says why. Negative: no memory. */
int cgroup_tree_open(CgroupTree *ret, bool is_pid1);
void cgroup_tree_close(CgroupTree *t); /* removes what can be removed of a temporary one */

/* The path of the cgroup2 hierarchy ("0::") of a process, also of a zombie, given to free(). pid 0: our own.
 * -ESRCH. */
int cgroup_of_pid(pid_t pid, char **ret);

/* Whether a path of /proc/PID/cgroup is in some session's folder of the tree, also one that is gone by now.
 */
bool cgroup_tree_holds_job(const CgroupTree *t, const char *path);

/* The effective memory limit that our own cgroups set, or the machine's memory: bytes. */
uint64_t cgroup_memory_limit(const CgroupTree *t);
