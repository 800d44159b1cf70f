#pragma once

/* Folders of the cgroup2 file system, within src/sys: what is needed of a whole subtree. Paths are relative
 * to dir_fd. */

#include <sys/types.h>

#include "basic/macro.h"
#include "sys/pid-list.h"

/* Adds the numbers in `file` ("cgroup.procs", "cgroup.threads") of path to l, and with `below` those of
 * every cgroup below it. Duplicates are possible; numbers of other PID namespaces (0) are left out. A folder
 * that is gone has none. */
int cgroup_folder_ids(int dir_fd, const char *path, const char *file, bool below, PidList *l);

/* Removes path and the cgroups below it. 0 also when it is not there; -EBUSY: something lives there, or did
 * just now. */
int cgroup_folder_remove(int dir_fd, const char *path);

/* The value of "key N" in a file of such lines (cgroup.events, cpu.stat, memory.events). -ENODATA: no such
 * line. */
int cgroup_folder_value(int dir_fd, const char *path, const char *file, const char *key, uint64_t *ret);

/* The same, of text that was read already. */
int cgroup_text_value(const char *text, const char *key, uint64_t *ret);

/* Enables those controllers of the mask (bits of CgroupController) in cgroup.subtree_control of path. The
 * ones that it did; *ret_busy (may be NULL): some were refused for processes in the folder itself. */
unsigned cgroup_folder_enable(int dir_fd, const char *path, unsigned controllers, bool *ret_busy);
