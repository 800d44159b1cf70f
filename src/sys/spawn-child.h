#pragma once

/* Starting a process, the child's half: everything here is async-signal-safe (signal-safety(7)); a lint test
 * reads the object's undefined symbols. */

#include "basic/macro.h"

typedef struct SpawnParameters SpawnParameters;

/* join_cgroup: write ourselves to cgroup.procs of p->cgroup_fd, since the clone did not. Never returns:
 * execs, or tells status_fd what failed and exits. */
_noreturn_ void spawn_child(const SpawnParameters *p, int status_fd, bool join_cgroup);
