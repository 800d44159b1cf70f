#pragma once

/* Where the cgroup2 hierarchy is mounted, and where in it a cgroup lies; within src/sys. Pure: it parses
 * texts. */

#include "basic/macro.h"

/* The folders at which the cgroup `cgroup_path` (as /proc/PID/cgroup names it, "/" or "/a/b") can be
 * reached, the mount that was made last coming first. mountinfo is the text of proc_pid_mountinfo(5). Empty:
 * nowhere. Given to strv_free(). */
int cgroup_mount_folders(const char *mountinfo, const char *cgroup_path, char ***ret);
/* The same of the mount table of this process. */
int cgroup_mount_find(const char *cgroup_path, char ***ret);
