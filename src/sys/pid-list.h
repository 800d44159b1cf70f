#pragma once

/* Numbers of processes: a list that grows, sorted on demand. Within src/sys. */

#include <sys/types.h>

#include "basic/macro.h"

typedef struct PidList {
        pid_t *pids;
        size_t n, allocated;
} PidList;

int pid_list_add(PidList *l, pid_t pid);
void pid_list_sort(PidList *l);
void pid_list_done(PidList *l);
#define _cleanup_pid_list_ _cleanup_(pid_list_done)

/* Whether pid is among the first n, which are sorted. */
bool pid_list_contains(const PidList *l, size_t n, pid_t pid);
