#pragma once

/* What the files of the scope share. */

#include "sys/pid-list.h"
#include "sys/scope.h"

struct Scope {
        const CgroupTree *tree;
        char *folder; /* "default.slice/j1.scope", relative to the tree; NULL: a process group */
        char *path;   /* as scope_path() says it */
        pid_t leader; /* 0: none yet */
        bool removed; /* the folder is gone */
};

static inline bool scope_is_group(const Scope *s)
{
        return !s->folder;
}

/* The members of a process group: those of the group itself, and those of the session that it leads. */
typedef enum GroupMembers {
        GROUP_SAME_GROUP = 1,
        GROUP_SAME_SESSION = 2, /* but of another group: what a shell with job control makes */
        GROUP_ANY = GROUP_SAME_GROUP | GROUP_SAME_SESSION,
} GroupMembers;

int scope_group_pids(const Scope *s, GroupMembers which, PidList *l);
int scope_group_is_populated(const Scope *s);
/* To the whole group at once, which no fork can escape; before the leader has made it, to the leader. */
int scope_group_signal(const Scope *s, int sig);
