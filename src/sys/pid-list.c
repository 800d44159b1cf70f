/*
 * Processes come and go while they are listed, so lists of them are compared with one another: sorted
 * arrays, nothing more.
 */

#include "sys/pid-list.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"

int pid_list_add(PidList *l, pid_t pid)
{
        if (l->n == l->allocated) {
                size_t n = l->allocated ? l->allocated * 2 : 32;
                pid_t *pids = alloc_resize(l->pids, n, sizeof(pid_t));

                if (!pids)
                        return -ENOMEM;
                l->pids = pids;
                l->allocated = n;
        }
        l->pids[l->n++] = pid;
        return 0;
}

static int pid_compare(const void *a, const void *b)
{
        pid_t x = *(const pid_t *) a, y = *(const pid_t *) b;

        return (x > y) - (x < y);
}

void pid_list_sort(PidList *l)
{
        if (l->n > 0)
                qsort(l->pids, l->n, sizeof(pid_t), pid_compare);
}

void pid_list_done(PidList *l)
{
        free(l->pids);
        *l = (PidList){0};
}

bool pid_list_contains(const PidList *l, size_t n, pid_t pid)
{
        return n > 0 && bsearch(&pid, l->pids, n, sizeof(pid_t), pid_compare);
}
